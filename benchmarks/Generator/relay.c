#include "generator.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { BURST = 8, CHANNEL = 0x4000, CHANNEL_HEADER = 4 };

static const uint64_t ask_again = 200 * 1000000;

/// One direction's datagrams, which carry their number.
struct stream {
    uint64_t sent, refused, received, highest;
};

struct ally {
    struct udp client, peer;
    struct relay_plan plan;
    char user[256], password[256], realm[256], nonce[256];
    /// ALLOCATE, then CHANNEL_BIND, then 0: the channel stands.
    uint16_t asking;
    uint8_t transaction[12];
    uint64_t next_request;
    struct stream to_peer, to_client;
};

static struct ally allies[MAXIMUM_CLIENTS];
static unsigned ally_count;
static unsigned rate, bytes;
static uint64_t next_burst;
static struct batch batch;

// ---- requests

static void request(struct ally *ally, uint64_t now) {
    struct stun message;
    RAND_bytes(ally->transaction, sizeof ally->transaction);
    stun_begin(&message, ally->asking, ally->transaction);
    if (ally->asking == ALLOCATE) {
        stun_add(&message, REQUESTED_TRANSPORT, (uint8_t[]){17, 0, 0, 0}, 4);
    } else {
        uint8_t number[4] = {0};
        put16(number, (uint16_t)(CHANNEL + (ally - allies)));
        stun_add(&message, CHANNEL_NUMBER, number, sizeof number);
        stun_add_address(&message, XOR_PEER_ADDRESS, &ally->plan.peer);
    }
    if (ally->realm[0]) {
        uint8_t key[16];
        char text[800];
        int length = snprintf(text, sizeof text, "%s:%s:%s", ally->user, ally->realm, ally->password);
        EVP_Digest(text, (size_t)length, key, NULL, EVP_md5(), NULL);
        stun_add(&message, USERNAME, ally->user, strlen(ally->user));
        stun_add(&message, REALM, ally->realm, strlen(ally->realm));
        stun_add(&message, NONCE, ally->nonce, strlen(ally->nonce));
        stun_finish(&message, key, sizeof key);
    }
    udp_send(&ally->client, message.bytes, message.length);
    ally->next_request = now + ask_again;
}

static void copy_text(char *text, size_t room, const uint8_t *value, size_t length) {
    if (!value || length >= room) fail("the server asked for no credentials that we have");
    memcpy(text, value, length);
    text[length] = 0;
}

/// 401 and 438 tell realm and nonce (RFC 8489 section 9.2.4).
static void take_error(struct ally *ally, const uint8_t *message, size_t length, uint64_t now) {
    size_t size = 0;
    const uint8_t *value = stun_find(message, length, ERROR_CODE, &size);
    int code = value && size >= 4 ? value[2] * 100 + value[3] : 0;
    if (!(code == 401 && !ally->realm[0]) && code != 438) fail("the relay refused with %d", code);
    value = stun_find(message, length, REALM, &size);
    copy_text(ally->realm, sizeof ally->realm, value, size);
    value = stun_find(message, length, NONCE, &size);
    copy_text(ally->nonce, sizeof ally->nonce, value, size);
    request(ally, now);
}

static void take_success(struct ally *ally, const uint8_t *message, size_t length, uint64_t now) {
    if (ally->asking == CHANNEL_BIND) {
        ally->asking = 0;
        printf("{\"connected\":%d}\n", (int)(ally - allies));
        return;
    }
    size_t size = 0;
    const uint8_t *value = stun_find(message, length, XOR_RELAYED_ADDRESS, &size);
    if (!value || size != 8) fail("an allocation without an address");
    struct sockaddr_in relayed = {.sin_family = AF_INET};
    relayed.sin_port = htons(get16(value + 2) ^ 0x2112);
    relayed.sin_addr.s_addr = htonl(get32(value + 4) ^ 0x2112a442);
    if (connect(ally->peer.watch.fd, (struct sockaddr *)&relayed, sizeof relayed) < 0) {
        fail("connect: %s", strerror(errno));
    }
    ally->asking = CHANNEL_BIND;
    request(ally, now);
}

// ---- what arrives

static void count(struct stream *stream, const uint8_t *payload) {
    uint64_t number = get64(payload);
    if (number > stream->highest) stream->highest = number;
    stream->received++;
}

static void receive_at_client(void *owner, uint8_t *datagram, size_t length, uint64_t now) {
    struct ally *ally = owner;
    if (length >= CHANNEL_HEADER + 8 && get16(datagram) == CHANNEL + (ally - allies)) {
        if (get16(datagram + 2) == bytes) count(&ally->to_client, datagram + CHANNEL_HEADER);
        return;
    }
    if (length < 20 || memcmp(datagram + 8, ally->transaction, 12)) return;
    if (get16(datagram) == (ally->asking | ERROR)) take_error(ally, datagram, length, now);
    if (ally->asking && get16(datagram) == (ally->asking | SUCCESS)) take_success(ally, datagram, length, now);
}

static void receive_at_peer(void *owner, uint8_t *datagram, size_t length, uint64_t now) {
    struct ally *ally = owner;
    (void)now;
    if (length == bytes) count(&ally->to_peer, datagram);
}

// ---- what goes out

static void send_burst(struct udp *udp, struct stream *stream, size_t header, uint16_t channel) {
    for (unsigned i = 0; i < BURST; i++) {
        uint8_t *datagram = batch.bytes[i];
        if (header) {
            put16(datagram, channel);
            put16(datagram + 2, (uint16_t)bytes);
        }
        put64(datagram + header, ++stream->sent);
        batch.lengths[i] = header + bytes;
    }
    batch.count = BURST;
    stream->refused += BURST - batch_send(&batch, udp);
}

// ---- the program's side

void relay_connect(int epoll, unsigned number, const struct relay_plan *plan) {
    struct ally *ally = &allies[number];
    ally->plan = *plan;
    snprintf(ally->user, sizeof ally->user, "%s", plan->user);
    snprintf(ally->password, sizeof ally->password, "%s", plan->password);
    ally->asking = ALLOCATE;
    ally->client = (struct udp){.owner = ally, .receive = receive_at_client};
    ally->peer = (struct udp){.owner = ally, .receive = receive_at_peer};
    udp_open(&ally->client, epoll, &plan->client, &plan->server);
    udp_open(&ally->peer, epoll, &plan->peer, NULL);
    if (number >= ally_count) ally_count = number + 1;
}

void relay_start(unsigned new_rate, unsigned new_bytes) {
    if (new_rate && (new_bytes < 8 || new_bytes > 1400)) fail("8 to 1400 bytes");
    rate = new_rate;
    if (rate) bytes = new_bytes;
    next_burst = 0;
}

uint64_t relay_turn(uint64_t now) {
    uint64_t due = NEVER;
    for (unsigned i = 0; i < ally_count; i++) {
        struct ally *ally = &allies[i];
        if (!ally->asking) continue;
        if (now >= ally->next_request) request(ally, now);
        due = earlier(due, ally->next_request);
    }
    if (rate == 0) return due;
    // The allies take turns, so that the load is even; what was due long ago is left out.
    uint64_t period = (uint64_t)SECOND * BURST / rate / ally_count;
    static unsigned next = 0;
    if (next_burst == 0 || now > next_burst + SECOND / 50) next_burst = now;
    while (now >= next_burst) {
        struct ally *ally = &allies[next];
        send_burst(&ally->client, &ally->to_peer, CHANNEL_HEADER, (uint16_t)(CHANNEL + next));
        send_burst(&ally->peer, &ally->to_client, 0, 0);
        next = (next + 1) % ally_count;
        next_burst += period;
    }
    return earlier(due, next_burst);
}

void relay_report(void) {
    struct stream sum = {0};
    uint64_t lost = 0;
    for (unsigned i = 0; i < ally_count; i++) {
        const struct stream *streams[] = {&allies[i].to_peer, &allies[i].to_client};
        for (int s = 0; s < 2; s++) {
            sum.sent += streams[s]->sent;
            sum.refused += streams[s]->refused;
            sum.received += streams[s]->received;
            lost += streams[s]->highest - streams[s]->received;
        }
    }
    printf(
        "\"published\":%lu,\"send_refused\":%lu,\"received\":%lu,\"lost\":%ld,\"under_way\":%ld", sum.sent, sum.refused,
        sum.received, (long)lost, (long)(sum.sent - sum.received - lost));
}
