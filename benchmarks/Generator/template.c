#define _GNU_SOURCE
#include "people.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 8, PIECES = 256 };

static const char *const names[PLACES] = {
    [MEETING] = "@MEETING@",   [NAME] = "@NAME@",         [TOKEN] = "@TOKEN@",
    [UFRAG] = "@UFRAG@",       [PASSWORD] = "@PASSWORD@", [FINGERPRINT_PLACE] = "@FINGERPRINT@",
};

/// A run of text, or a place.
struct piece {
    enum place place;
    const char *text;
    size_t length;
};

struct message {
    unsigned count;
    struct piece pieces[PIECES];
};

struct template {
    unsigned count;
    struct message messages[MESSAGES];
};

static char *read_file(const char *path) {
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;
    if (!file) fail("%s: %s", path, strerror(errno));
    if (getdelim(&text, &room, 0, file) < 0) fail("%s is empty", path);
    fclose(file);
    return text;
}

static void add(struct message *message, struct piece piece) {
    if (piece.place == TEXT && piece.length == 0) return;
    if (message->count == PIECES) fail("a message has more than %d places", PIECES / 2);
    message->pieces[message->count++] = piece;
}

/// The place whose name begins here; TEXT for none.
static enum place place_at(const char *text) {
    for (enum place place = TEXT + 1; place < PLACES; place++) {
        if (!strncmp(text, names[place], strlen(names[place]))) return place;
    }
    return TEXT;
}

static void divide(struct message *message, const char *text) {
    const char *start = text;
    for (const char *at = strchr(text, '@'); at; at = strchr(at, '@')) {
        enum place place = place_at(at);
        if (place == TEXT) {
            at++;
            continue;
        }
        add(message, (struct piece){TEXT, start, (size_t)(at - start)});
        add(message, (struct piece){place, NULL, 0});
        start = at += strlen(names[place]);
    }
    add(message, (struct piece){TEXT, start, strlen(start)});
}

struct template *template_load(const char *path) {
    struct template *template = calloc(1, sizeof *template);
    for (char *line = strtok(read_file(path), "\n"); line; line = strtok(NULL, "\n")) {
        if (template->count == MESSAGES) fail("%s has more than %d messages", path, MESSAGES);
        divide(&template->messages[template->count++], line);
    }
    return template;
}

unsigned template_count(const struct template *template) { return template->count; }

size_t template_write(
    const struct template *template, unsigned number, const char *const values[PLACES], uint8_t *bytes, size_t room) {
    const struct message *message = &template->messages[number];
    size_t length = 0;
    for (unsigned i = 0; i < message->count; i++) {
        const struct piece *piece = &message->pieces[i];
        const char *text = piece->place == TEXT ? piece->text : values[piece->place];
        size_t size = piece->place == TEXT ? piece->length : strlen(text);
        if (size > room - length) fail("a message is longer than %zu bytes", room);
        memcpy(bytes + length, text, size);
        length += size;
    }
    return length;
}
