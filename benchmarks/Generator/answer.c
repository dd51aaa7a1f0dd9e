#define _GNU_SOURCE
#include "people.h"

#include <stdio.h>
#include <string.h>

bool answer_find(const char *text, size_t length, const char *before, char *value, size_t room) {
    const char *end = text + length, *at = memmem(text, length, before, strlen(before));
    size_t size = 0;
    if (!at) return false;
    for (at += strlen(before); at < end && *at != '"' && *at != ' ' && size + 1 < room; at++) {
        if (*at == '\\' && at + 1 < end && at[1] == '/') continue;
        if (*at == '\\') break;
        value[size++] = *at;
    }
    value[size] = 0;
    return at < end && size + 1 < room;
}

bool answer_has(const char *text, size_t length, const char *word) {
    return memmem(text, length, word, strlen(word)) != NULL;
}

bool answer_candidate(const char *text, size_t length, struct sockaddr_in *candidate) {
    static const char name[] = "a=candidate:";
    const char *at = text, *end = text + length;
    while ((at = memmem(at, (size_t)(end - at), name, sizeof name - 1))) {
        char line[160] = {0}, host[64];
        unsigned port;
        at += sizeof name - 1;
        memcpy(line, at, (size_t)(end - at) < sizeof line - 1 ? (size_t)(end - at) : sizeof line - 1);
        if (sscanf(line, "%*s 1 %*s %*u %63[0-9.] %u typ host", host, &port) == 2) {
            *candidate = address(host, port);
            return true;
        }
    }
    return false;
}
