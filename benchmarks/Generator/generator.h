// A load generator for forwarding, relaying and signaling servers: real ICE, DTLS-SRTP and TURN clients on UDP sockets,
// and participants with a signaling socket each, one thread. IPv4 alone, as in the networks of `benchmarks/peers`. All
// times are nanoseconds of CLOCK_MONOTONIC.
#ifndef GENERATOR_H
#define GENERATOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAXIMUM_CLIENTS = 64, DATAGRAM = 2048, SECOND = 1000000000 };

#define NEVER UINT64_MAX

static inline uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

static inline uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }
static inline uint64_t get64(const uint8_t *p) { return (uint64_t)get32(p) << 32 | get32(p + 4); }

static inline void put16(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v) {
    put16(p, (uint16_t)(v >> 16));
    put16(p + 2, (uint16_t)v);
}

static inline void put64(uint8_t *p, uint64_t v) {
    put32(p, (uint32_t)(v >> 32));
    put32(p + 4, (uint32_t)v);
}

/// Ends the program with a line for the one who started it.
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// ---- sockets.c

/// A descriptor in the loop's epoll: its `data.ptr`. `events` are epoll's.
struct watch {
    int fd;
    void (*ready)(struct watch *watch, uint32_t events, uint64_t now);
};

/// What arrives on a socket goes to its owner.
struct udp {
    struct watch watch;
    void *owner;
    void (*receive)(void *owner, uint8_t *datagram, size_t length, uint64_t now);
};

/// Opens `udp` on `local` in the loop's epoll; connected to `remote` unless that is null.
void udp_open(struct udp *udp, int epoll, const struct sockaddr_in *local, const struct sockaddr_in *remote);

void udp_send(struct udp *udp, const void *bytes, size_t length);

/// Collects datagrams for one sendmmsg.
struct batch {
    unsigned count;
    size_t lengths[32];
    uint8_t bytes[32][DATAGRAM];
};

/// Sends and empties the batch; how many the socket took.
unsigned batch_send(struct batch *batch, struct udp *udp);

struct sockaddr_in address(const char *text, unsigned port);

// ---- stun.c (RFC 8489)

struct stun {
    uint8_t bytes[1024];
    size_t length;
};

enum {
    BINDING = 0x001, ALLOCATE = 0x003, CHANNEL_BIND = 0x009,
    SUCCESS = 0x100, ERROR = 0x110,
    USERNAME = 0x0006, MESSAGE_INTEGRITY = 0x0008, ERROR_CODE = 0x0009, CHANNEL_NUMBER = 0x000c,
    XOR_PEER_ADDRESS = 0x0012, REALM = 0x0014, NONCE = 0x0015, XOR_RELAYED_ADDRESS = 0x0016,
    REQUESTED_TRANSPORT = 0x0019, XOR_MAPPED_ADDRESS = 0x0020, PRIORITY = 0x0024, USE_CANDIDATE = 0x0025,
    FINGERPRINT = 0x8028, ICE_CONTROLLING = 0x802a,
};

/// Begins a message of `type` (method and class); `id` has 12 bytes.
void stun_begin(struct stun *message, uint16_t type, const uint8_t *id);
void stun_add(struct stun *message, uint16_t attribute, const void *value, size_t length);
void stun_add_address(struct stun *message, uint16_t attribute, const struct sockaddr_in *address);
/// MESSAGE-INTEGRITY with `key`, then FINGERPRINT.
void stun_finish(struct stun *message, const void *key, size_t key_length);
/// An attribute's value in a received message; null when it is not there.
const uint8_t *stun_find(const uint8_t *message, size_t length, uint16_t attribute, size_t *value_length);

// ---- transport.c: one ICE, DTLS and SRTP client (RFC 8445, RFC 5764)

struct transport;

/// Called with what came in by SRTP: `kind` is 'r' for RTP, still sealed, and 'c' for RTCP, opened.
typedef void (*transport_sink)(void *owner, char kind, uint8_t *bytes, size_t length, uint64_t now);

/// Our certificate and the one SRTP profile that we offer, as OpenSSL names it.
void transport_configure(const char *profile);
const char *transport_fingerprint(void);
/// OpenSSL's SSL_CTX of one end, with that certificate and profile.
struct ssl_ctx_st *transport_context(bool server);

struct transport_plan {
    struct sockaddr_in local, remote;
    const char *local_ufrag, *local_password, *remote_ufrag, *remote_password, *fingerprint;
};

struct transport *transport_new(int epoll, const struct transport_plan *plan, void *owner, transport_sink sink);
bool transport_connected(const struct transport *transport);
/// Checks, handshakes and their repetitions; when it wants to be called again.
uint64_t transport_turn(struct transport *transport, uint64_t now);
/// Seal in place; `room` is for 32 bytes more. The new length.
size_t transport_seal(struct transport *transport, uint8_t *rtp, size_t length);
/// Whether the sealed RTP packet was authentic; it is opened in place and has `length` bytes then.
bool transport_open(struct transport *transport, uint8_t *rtp, size_t *length);
/// Seals RTCP, which has 32 bytes of room behind it, and sends it.
void transport_send_rtcp(struct transport *transport, uint8_t *rtcp, size_t length);
struct udp *transport_udp(struct transport *transport);

// ---- media.c: a camera and its viewers

/// Client 0 publishes, the others watch.
void media_connect(int epoll, unsigned client, const struct transport_plan *plan);
/// Begins to publish: packets a second of 1100-byte payloads, ten packets a frame; 0 ends it.
void media_publish(unsigned rate, uint8_t payload_type, uint32_t ssrc);
uint64_t media_turn(uint64_t now);
void media_report(void);

// ---- relay.c: TURN clients and their peers (RFC 8656)

struct relay_plan {
    struct sockaddr_in client, peer, server;
    const char *user, *password;
};

void relay_connect(int epoll, unsigned client, const struct relay_plan *plan);
/// Datagrams a second of each client and of each peer, with so many bytes; 0 ends it.
void relay_start(unsigned rate, unsigned bytes);
uint64_t relay_turn(uint64_t now);
void relay_report(void);

#endif
