// generator SRTP_PROFILE: takes one command a line, answers one JSON object a line, ends at the end of its input.
//   client N LOCAL:PORT REMOTE:PORT LOCAL_UFRAG LOCAL_PASSWORD REMOTE_UFRAG REMOTE_PASSWORD FINGERPRINT
//   relay N CLIENT:PORT PEER:PORT SERVER:PORT USER PASSWORD
//   publish RATE PAYLOAD_TYPE SSRC      packets a second; RATE 0 ends it
//   send RATE BYTES                     datagrams a second of each relayed client and peer; RATE 0 ends it
//   mark                                what happened so far
#define _GNU_SOURCE
#include "generator.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <srtp2/srtp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

_Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("generator: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static uint64_t read_clock(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

/// `1.2.3.4:5`
static struct sockaddr_in endpoint(char *text) {
    char *colon = text ? strchr(text, ':') : NULL;
    if (!colon) fail("an address is HOST:PORT");
    *colon = 0;
    return address(text, (unsigned)atoi(colon + 1));
}

static void mark(void) {
    printf("{\"mark\":%lu,\"cpu\":%lu,\"media\":{", read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_PROCESS_CPUTIME_ID));
    media_report();
    printf("},\"relay\":{");
    relay_report();
    printf("}}\n");
}

static void obey(int epoll, char *line) {
    char *words[12] = {0};
    unsigned count = 0;
    for (char *word = strtok(line, " "); word && count < 12; word = strtok(NULL, " ")) words[count++] = word;
    if (count == 0) return;
    unsigned number = count > 1 ? (unsigned)strtoul(words[1], NULL, 10) : 0;
    if (!strcmp(words[0], "client") && count == 9 && number < MAXIMUM_CLIENTS) {
        struct transport_plan plan = {
            endpoint(words[2]), endpoint(words[3]), words[4], words[5], words[6], words[7], words[8]};
        media_connect(epoll, number, &plan);
    } else if (!strcmp(words[0], "relay") && count == 7 && number < MAXIMUM_CLIENTS) {
        struct relay_plan plan = {endpoint(words[2]), endpoint(words[3]), endpoint(words[4]), words[5], words[6]};
        relay_connect(epoll, number, &plan);
    } else if (!strcmp(words[0], "publish") && count == 4) {
        media_publish(number, (uint8_t)atoi(words[2]), (uint32_t)strtoul(words[3], NULL, 10));
    } else if (!strcmp(words[0], "send") && count == 3) {
        relay_start(number, (unsigned)atoi(words[2]));
    } else if (!strcmp(words[0], "mark")) {
        mark();
    } else {
        fail("no such command: %s with %u words", words[0], count);
    }
}

/// The whole lines that wait on standard input; ends the program when there are no more to come.
static void take_commands(int epoll) {
    static char text[8192];
    static size_t length = 0;
    ssize_t count = read(STDIN_FILENO, text + length, sizeof text - 1 - length);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) exit(0);
    length += (size_t)count;
    text[length] = 0;
    char *line = text, *end;
    while ((end = strchr(line, '\n'))) {
        *end = 0;
        obey(epoll, line);
        line = end + 1;
    }
    length -= (size_t)(line - text);
    memmove(text, line, length);
    if (length == sizeof text - 1) fail("a command is too long");
}

static void wait_until(int epoll, uint64_t due) {
    struct epoll_event events[2 * MAXIMUM_CLIENTS + 1];
    uint64_t now = read_clock(CLOCK_MONOTONIC);
    uint64_t left = due > now ? due - now : 0;
    struct timespec timeout = {(time_t)(left / SECOND), (long)(left % SECOND)};
    int count = epoll_pwait2(epoll, events, 2 * MAXIMUM_CLIENTS + 1, due == NEVER ? NULL : &timeout, NULL);
    now = read_clock(CLOCK_MONOTONIC);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr) {
            udp_drain(events[i].data.ptr, now);
        } else {
            take_commands(epoll);
        }
    }
}

int main(int count, char **arguments) {
    if (count != 2) fail("generator SRTP_PROFILE");
    setvbuf(stdout, NULL, _IOLBF, 0);
    transport_configure(arguments[1]);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input) < 0) fail("standard input: %s", strerror(errno));
    printf(
        "{\"fingerprint\":\"%s\",\"openssl\":\"%s\",\"libsrtp\":\"%s\"}\n", transport_fingerprint(),
        OpenSSL_version(OPENSSL_VERSION), srtp_get_version_string());
    for (;;) {
        uint64_t now = read_clock(CLOCK_MONOTONIC);
        wait_until(epoll, earlier(media_turn(now), relay_turn(now)));
    }
}
