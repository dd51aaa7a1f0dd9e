// generator SRTP_PROFILE: takes one command a line, answers one JSON object a line, ends at the end of its input.
//   client N LOCAL:PORT REMOTE:PORT LOCAL_UFRAG LOCAL_PASSWORD REMOTE_UFRAG REMOTE_PASSWORD FINGERPRINT
//   relay N CLIENT:PORT PEER:PORT SERVER:PORT USER PASSWORD
//   publish RATE PAYLOAD_TYPE SSRC      packets a second; RATE 0 ends it
//   send RATE BYTES                     datagrams a second of each relayed client and peer; RATE 0 ends it
//   people SERVER:PORT FIRST_LOCAL:PORT MEDIA_LOCAL:PORT HELLO_FILE OFFER_FILE|- CONNECTS    who they are: people.h
//   join COUNT MEETING RATE WINDOW      people a second; RATE 0: as fast as WINDOW at a time allow
//   mute FIRST COUNT RATE               changes a second, each another person's microphone; `hand` and `chat` likewise
//   dismiss                             the server may go now
//   listen LOCAL:PORT                   as a server, for `write BYTES` to everybody who connects
//   read COUNT LOCAL:PORT REMOTE:PORT   connections to it
//   handshakes COUNT                    what a DTLS handshake costs its server
//   mark                                what happened so far
#define _GNU_SOURCE
#include "people.h"

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

enum { EVENTS = 256 };

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
    printf("},\"people\":{");
    people_report();
    printf("}}\n");
}

static unsigned number(const char *word) { return word ? (unsigned)strtoul(word, NULL, 10) : 0; }

static void configure_people(int epoll, char **words) {
    char host[64];
    snprintf(host, sizeof host, "%s", words[1]);
    struct people_plan plan = {
        endpoint(words[1]), endpoint(words[2]), endpoint(words[3]), host, words[4], words[5], number(words[6])};
    people_configure(epoll, &plan);
}

static void connect_client(int epoll, char **words) {
    struct transport_plan plan = {
        endpoint(words[2]), endpoint(words[3]), words[4], words[5], words[6], words[7], words[8]};
    media_connect(epoll, number(words[1]), &plan);
}

static void read_writes(int epoll, char **words) {
    struct sockaddr_in local = endpoint(words[2]), remote = endpoint(words[3]);
    writes_read(epoll, number(words[1]), &local, &remote);
}

static void listen_for_writes(int epoll, char **words) {
    struct sockaddr_in local = endpoint(words[1]);
    writes_listen(epoll, &local);
}

static void connect_relay(int epoll, char **words) {
    struct relay_plan plan = {endpoint(words[2]), endpoint(words[3]), endpoint(words[4]), words[5], words[6]};
    relay_connect(epoll, number(words[1]), &plan);
}

static void obey(int epoll, char *line) {
    char *words[12] = {0};
    unsigned count = 0;
    for (char *word = strtok(line, " "); word && count < 12; word = strtok(NULL, " ")) words[count++] = word;
    if (count == 0) return;
    const char *command = words[0];
    unsigned first = number(words[1]);
    if (!strcmp(command, "client") && count == 9 && first < MAXIMUM_CLIENTS) {
        connect_client(epoll, words);
    } else if (!strcmp(command, "relay") && count == 7 && first < MAXIMUM_CLIENTS) {
        connect_relay(epoll, words);
    } else if (!strcmp(command, "publish") && count == 4) {
        media_publish(first, (uint8_t)atoi(words[2]), (uint32_t)strtoul(words[3], NULL, 10));
    } else if (!strcmp(command, "send") && count == 3) {
        relay_start(first, number(words[2]));
    } else if (!strcmp(command, "people") && count == 7) {
        configure_people(epoll, words);
    } else if (!strcmp(command, "join") && count == 5) {
        people_join(first, words[2], number(words[3]), number(words[4]));
    } else if (!strcmp(command, "mute") && count == 4) {
        people_change(MUTE, first, number(words[2]), atof(words[3]));
    } else if (!strcmp(command, "hand") && count == 4) {
        people_change(HAND, first, number(words[2]), atof(words[3]));
    } else if (!strcmp(command, "chat") && count == 4) {
        people_change(CHAT, first, number(words[2]), atof(words[3]));
    } else if (!strcmp(command, "dismiss")) {
        people_dismiss();
    } else if (!strcmp(command, "listen") && count == 2) {
        listen_for_writes(epoll, words);
    } else if (!strcmp(command, "read") && count == 4) {
        read_writes(epoll, words);
    } else if (!strcmp(command, "write") && count == 2 && first <= DATAGRAM) {
        writes_write(first);
    } else if (!strcmp(command, "handshakes") && count == 2) {
        handshake_measure(first);
    } else if (!strcmp(command, "mark")) {
        mark();
    } else {
        fail("no such command: %s with %u words", command, count);
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
    struct epoll_event events[EVENTS];
    uint64_t now = read_clock(CLOCK_MONOTONIC);
    uint64_t left = due > now ? due - now : 0;
    struct timespec timeout = {(time_t)(left / SECOND), (long)(left % SECOND)};
    int count = epoll_pwait2(epoll, events, EVENTS, due == NEVER ? NULL : &timeout, NULL);
    now = read_clock(CLOCK_MONOTONIC);
    for (int i = 0; i < count; i++) {
        struct watch *watch = events[i].data.ptr;
        if (watch) {
            watch->ready(watch, events[i].events, now);
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
        wait_until(epoll, earlier(earlier(media_turn(now), relay_turn(now)), people_turn(now)));
    }
}
