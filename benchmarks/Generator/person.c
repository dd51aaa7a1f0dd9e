#define _GNU_SOURCE
#include "people.h"

#include <arpa/inet.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE = 256 << 10 };

static void random_hex(char *text, unsigned bytes) {
    uint8_t random[16];
    RAND_bytes(random, (int)bytes);
    for (unsigned i = 0; i < bytes; i++) sprintf(text + 2 * i, "%02x", random[i]);
}

// ---- what it says

static void say(struct person *person, const struct template *template) {
    static uint8_t room[FRAME_HEADER + MESSAGE];
    char name[32];
    snprintf(name, sizeof name, "person %u", person->number);
    const char *const values[PLACES] = {
        [MEETING] = person->meeting, [NAME] = name,
        [TOKEN] = person->token,     [UFRAG] = person->ufrag,
        [PASSWORD] = person->password, [FINGERPRINT_PLACE] = transport_fingerprint(),
    };
    for (unsigned i = 0; i < template_count(template); i++) {
        size_t length = template_write(template, i, values, room + FRAME_HEADER, MESSAGE);
        websocket_send(&person->tcp, TEXT_FRAME, room, length);
    }
}

static void open_connection(struct person *person) {
    struct sockaddr_in local = person->gathering->first;
    local.sin_addr.s_addr = htonl(ntohl(local.sin_addr.s_addr) + person->number);
    tcp_open(&person->tcp, person->gathering->epoll, &local, &person->gathering->server);
}

static void ask_for_place(struct person *person) {
    char text[512], body[64];
    int length = snprintf(body, sizeof body, "{\"display_name\":\"person %u\"}", person->number);
    length = snprintf(
        text, sizeof text,
        "POST /api/v1/meetings/%s/join HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
        "Content-Length: %d\r\n\r\n%s",
        person->meeting, person->gathering->host, length, body);
    person->stage = AWAITS_PLACE;
    open_connection(person);
    tcp_send(&person->tcp, (const uint8_t *)text, (size_t)length);
}

static void ask_for_socket(struct person *person) {
    char text[512];
    // The key of RFC 6455 section 1.2; the server's answer to it proves nothing here.
    int length = snprintf(
        text, sizeof text,
        "GET /api/v1/signal HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        person->gathering->host);
    person->stage = AWAITS_UPGRADE;
    open_connection(person);
    tcp_send(&person->tcp, (const uint8_t *)text, (size_t)length);
}

// ---- what it hears

static void ignore(void *owner, char kind, uint8_t *bytes, size_t length, uint64_t now) {
    (void)owner, (void)kind, (void)bytes, (void)length, (void)now;
}

static void take_answer(struct person *person, const char *text, size_t length) {
    char ufrag[257], password[257], fingerprint[100];
    struct sockaddr_in local = person->gathering->media, remote;
    if (!person->gathering->connects) return;
    if (!answer_find(text, length, "a=ice-ufrag:", ufrag, sizeof ufrag) ||
        !answer_find(text, length, "a=ice-pwd:", password, sizeof password) ||
        !answer_find(text, length, "a=fingerprint:sha-256 ", fingerprint, sizeof fingerprint) ||
        !answer_candidate(text, length, &remote)) {
        fail("this is no answer: %.*s", (int)length, text);
    }
    local.sin_port = htons((uint16_t)(ntohs(local.sin_port) + person->number));
    struct transport_plan plan = {local, remote, person->ufrag, person->password, ufrag, password, fingerprint};
    person->transport = transport_new(person->gathering->epoll, &plan, person, ignore);
}

static void take_slots(struct person *person, uint64_t now) {
    person->placed = now;
    person->stage = IS_INSIDE;
}

static unsigned count_words(const char *text, size_t length, const char *word) {
    unsigned count = 0;
    const char *end = text + length;
    while ((text = memmem(text, (size_t)(end - text), word, strlen(word)))) {
        text += strlen(word);
        count++;
    }
    return count;
}

/// News of the others, and answers to its own changes.
static void take_news(struct person *person, const struct frame *frame, uint64_t now) {
    struct gathering *all = person->gathering;
    if (person->unanswered && answer_has(frame->text, frame->length, "\"type\":\"ok\"")) {
        person->unanswered--;
        return;
    }
    all->frames++;
    all->bytes += frame->length;
    unsigned changes = count_words(frame->text, frame->length, "\"type\":\"media_state\"") +
        count_words(frame->text, frame->length, "\"type\":\"chat\"");
    if (changes == 0) return;
    all->heard += changes;
    all->last_heard = now;
}

static void take_message(struct person *person, const struct frame *frame, uint64_t now) {
    static const char *const awaited[] = {
        [AWAITS_JOINED] = "\"type\":\"joined\"", [AWAITS_ANSWER] = "\"type\":\"answer\"",
        [AWAITS_SLOTS] = "\"type\":\"slots\"",
    };
    if (person->stage == IS_INSIDE) return take_news(person, frame, now);
    if (answer_has(frame->text, frame->length, "\"type\":\"error\"")) {
        fail("person %u: %.*s", person->number, (int)frame->length, frame->text);
    }
    if (!answer_has(frame->text, frame->length, awaited[person->stage])) return take_news(person, frame, now);
    switch (person->stage) {
        case AWAITS_JOINED:
            if (person->gathering->offer) {
                say(person, person->gathering->offer);
                person->stage = AWAITS_ANSWER;
            } else {
                take_answer(person, frame->text, frame->length);
                if (!answer_has(frame->text, frame->length, "\"slots\":[")) fail("joined without Slots");
                take_slots(person, now);
            }
            return;
        case AWAITS_ANSWER:
            take_answer(person, frame->text, frame->length);
            person->stage = AWAITS_SLOTS;
            return;
        default: take_slots(person, now);
    }
}

/// An HTTP answer, whole with its body.
static size_t take_http(struct person *person, const char *text, size_t length) {
    const char *body = memmem(text, length, "\r\n\r\n", 4);
    char size[16] = "0";
    if (!body) return 0;
    body += 4;
    size_t header = (size_t)(body - text);
    bool is_upgrade = person->stage == AWAITS_UPGRADE;
    if (strncmp(text, is_upgrade ? "HTTP/1.1 101" : "HTTP/1.1 200", 12)) {
        fail("person %u: %.*s", person->number, (int)length, text);
    }
    if (is_upgrade) {
        person->stage = AWAITS_JOINED;
        say(person, person->gathering->hello);
        return header;
    }
    const char *line = strcasestr(text, "content-length: ");
    if (!line || line > body) fail("an answer without a length: %.*s", (int)length, text);
    snprintf(size, sizeof size, "%s", line + 16);
    size_t whole = header + strtoul(size, NULL, 10);
    if (length < whole) return 0;
    if (!answer_find(body, whole - header, "\"session_token\":\"", person->token, sizeof person->token)) {
        fail("no session token: %.*s", (int)length, text);
    }
    tcp_close(&person->tcp);
    ask_for_socket(person);
    return whole;
}

static size_t take(void *owner, uint8_t *bytes, size_t length, uint64_t now) {
    struct person *person = owner;
    struct frame frame;
    if (person->stage <= AWAITS_UPGRADE) return take_http(person, (const char *)bytes, length);
    size_t taken = websocket_read(bytes, length, &frame);
    if (taken == 0) return 0;
    if (frame.opcode == TEXT_FRAME) {
        take_message(person, &frame, now);
    } else if (frame.opcode == PING_FRAME) {
        uint8_t room[FRAME_HEADER];
        websocket_send(&person->tcp, PONG_FRAME, room, 0);
    } else if (frame.opcode == CLOSE_FRAME) {
        // Behind the code of two bytes.
        int size = frame.length > 2 ? (int)frame.length - 2 : 0;
        fail("person %u: the server closed: %.*s", person->number, size, frame.text + 2);
    }
    return taken;
}

static void closed(void *owner, const char *why) {
    struct person *person = owner;
    if (person->gathering->is_over) return tcp_close(&person->tcp);
    fail("person %u, stage %d: the connection ended: %s", person->number, person->stage, why);
}

// ---- the program's side

void person_join(
    struct person *person, struct gathering *gathering, unsigned number, const char *meeting, uint64_t now) {
    *person = (struct person){.gathering = gathering, .number = number, .asked = now};
    person->tcp.owner = person;
    person->tcp.take = take;
    person->tcp.closed = closed;
    snprintf(person->meeting, sizeof person->meeting, "%s", meeting);
    random_hex(person->ufrag, 4);
    random_hex(person->password, 12);
    if (gathering->offer) {
        ask_for_place(person);
    } else {
        ask_for_socket(person);
    }
}

void person_change(struct person *person, enum act kind) {
    uint8_t room[FRAME_HEADER + 128];
    person->unanswered++;
    if (kind == CHAT) {
        int length = snprintf(
            (char *)room + FRAME_HEADER, 128, "{\"type\":\"chat\",\"id\":7,\"text\":\"Good morning from %u\"}", person->number);
        return websocket_send(&person->tcp, TEXT_FRAME, room, (size_t)length);
    }
    bool hand = kind == HAND;
    bool *state = hand ? &person->has_hand_up : &person->is_muted;
    *state = !*state;
    // A raised hand is true, a muted microphone is false.
    int length = snprintf(
        (char *)room + FRAME_HEADER, 128, "{\"type\":\"media_state\",\"id\":7,\"%s\":%s}",
        hand ? "hand_raised" : "audio", *state == hand ? "true" : "false");
    websocket_send(&person->tcp, TEXT_FRAME, room, (size_t)length);
}

bool person_arrived(const struct person *person) {
    return person->stage == IS_INSIDE && (!person->gathering->connects || person->connected);
}

uint64_t person_turn(struct person *person, uint64_t now) {
    if (!person->transport) return NEVER;
    uint64_t due = transport_turn(person->transport, now);
    if (!person->connected && transport_connected(person->transport)) person->connected = now;
    return due;
}
