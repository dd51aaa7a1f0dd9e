// Participants: each asks for a place, keeps a signaling socket (RFC 6455), makes an offer, connects by ICE and DTLS.
#ifndef PEOPLE_H
#define PEOPLE_H

#include "generator.h"

enum { MAXIMUM_PEOPLE = 2048 };

/// What somebody does of which all others hear.
enum act { MUTE, HAND, CHAT };

// ---- tcp.c

/// A stream whose bytes go to its owner.
struct tcp {
    struct watch watch;
    int epoll;
    /// Counts openings and closings: what was begun for one connection is not finished for the next.
    unsigned serial;
    uint8_t *input, *output;
    size_t input_length, output_length;
    void *owner;
    /// Answers how many of the bytes it took; 0 when it needs more.
    size_t (*take)(void *owner, uint8_t *bytes, size_t length, uint64_t now);
    void (*closed)(void *owner, const char *why);
};

/// Connects from `local`; the owner and its functions are set already.
void tcp_open(struct tcp *tcp, int epoll, const struct sockaddr_in *local, const struct sockaddr_in *remote);
/// What the connection does not take now follows as soon as it can.
void tcp_send(struct tcp *tcp, const uint8_t *bytes, size_t length);
void tcp_close(struct tcp *tcp);

// ---- websocket.c

struct frame {
    uint8_t opcode;
    /// Not terminated.
    const char *text;
    size_t length;
};

enum { TEXT_FRAME = 1, CLOSE_FRAME = 8, PING_FRAME = 9, PONG_FRAME = 10, FRAME_HEADER = 14 };

/// The frame at the beginning of `bytes`, and its length with its header; 0 when it has not come whole.
size_t websocket_read(const uint8_t *bytes, size_t length, struct frame *frame);
/// Sends a masked frame. The payload lies behind FRAME_HEADER bytes of room, and is masked in place.
void websocket_send(struct tcp *tcp, uint8_t opcode, uint8_t *room, size_t length);

// ---- template.c: messages with places to fill in

enum place { TEXT, MEETING, NAME, TOKEN, UFRAG, PASSWORD, FINGERPRINT_PLACE, PLACES };

struct template;

/// A file of messages, one a line; `@MEETING@` and the like are places.
struct template *template_load(const char *path);
unsigned template_count(const struct template *template);
/// Writes message `number` with `values` in its places; its length.
size_t template_write(
    const struct template *template, unsigned number, const char *const values[PLACES], uint8_t *bytes, size_t room);

// ---- answer.c: what is read of the server's messages, by searching

/// Copies what stands between `before` and the next quote, backslash or space; false when it is not there or too long.
/// An escaped slash is a slash.
bool answer_find(const char *text, size_t length, const char *before, char *value, size_t room);
bool answer_has(const char *text, size_t length, const char *word);
/// The first IPv4 host candidate of an SDP answer in JSON.
bool answer_candidate(const char *text, size_t length, struct sockaddr_in *candidate);

// ---- person.c: one participant's way in

/// What all have in common.
struct gathering {
    int epoll;
    struct sockaddr_in server;
    char host[64];
    /// Each person has an address of its own for signaling, from this one up, and a port for media from `media` up.
    struct sockaddr_in first, media;
    /// The one step to be in; or, with `offer`, what follows on `joined`, when REST has given the place.
    struct template *hello, *offer;
    /// Whether they connect by ICE and DTLS.
    bool connects;
    /// The server may end connections.
    bool is_over;
    /// News of the others that came in: messages by their type, frames, and bytes of these.
    uint64_t heard, frames, bytes;
    /// When the last of them came in.
    uint64_t last_heard;
};

struct person {
    struct tcp tcp;
    struct gathering *gathering;
    unsigned number;
    enum { AWAITS_PLACE, AWAITS_UPGRADE, AWAITS_JOINED, AWAITS_ANSWER, AWAITS_SLOTS, IS_INSIDE } stage;
    char meeting[64], token[1024], ufrag[9], password[25];
    struct transport *transport;
    /// When it asked, had its Slots, and had its keys.
    uint64_t asked, placed, connected;
    bool is_muted, has_hand_up;
    /// Changes of its own that the server has not answered.
    unsigned unanswered;
};

void person_join(
    struct person *person, struct gathering *gathering, unsigned number, const char *meeting, uint64_t now);
/// Turns its microphone off or on, or its hand up or down, or writes into the chat.
void person_change(struct person *person, enum act kind);
/// Whether it has its Slots, and its keys where it connects.
bool person_arrived(const struct person *person);
/// ICE and DTLS; when it wants to be called again.
uint64_t person_turn(struct person *person, uint64_t now);

// ---- people.c: all of them, and the program's side

struct people_plan {
    struct sockaddr_in server, first, media;
    const char *host, *hello, *offer;
    bool connects;
};

void people_configure(int epoll, const struct people_plan *plan);
/// `count` more join `meeting`, `rate` a second; with 0 as fast as `window` at a time allow. Says `arrived` when they
/// have.
void people_join(unsigned count, const char *meeting, unsigned rate, unsigned window);
/// `count` changes of state, or messages, each another person's from `first` on, `rate` a second. Says `changed` when all are
/// answered.
void people_change(enum act kind, unsigned first, unsigned count, double rate);
/// From now on the server may go.
void people_dismiss(void);
uint64_t people_turn(uint64_t now);
void people_report(void);

// ---- writes.c

void writes_listen(int epoll, const struct sockaddr_in *local);
/// `count` connections on which all that comes is read.
void writes_read(int epoll, unsigned count, const struct sockaddr_in *local, const struct sockaddr_in *remote);
/// So many bytes to everybody who has connected, at most DATAGRAM. Says `written`.
void writes_write(unsigned bytes);

// ---- handshake.c

/// The processor time of `count` DTLS handshakes with certificates of both ends, in memory; prints it.
void handshake_measure(unsigned count);

#endif
