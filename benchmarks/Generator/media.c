#include "generator.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HEADER = 12, PAYLOAD = 1100, PACKETS_PER_FRAME = 10, SAMPLE_EVERY = 16, COUNTER_AT = PAYLOAD - 8 };

/// A client that watches. Sequence numbers are extended by their cycles.
struct viewer {
    uint32_t ssrc;
    bool begun;
    uint64_t first, highest, received;
    /// Behind the highest: reordered, or twice.
    uint64_t late;
    /// Of one in SAMPLE_EVERY, which are opened.
    uint64_t authentic, refused;
    /// From the extended sequence number to the publisher's own counter; it must not change.
    int64_t offset;
    bool has_offset;
    uint64_t shifted;
};

struct client {
    struct transport *transport;
    struct viewer viewer;
    uint64_t next_report, wants_turn;
    bool announced;
};

static struct client clients[MAXIMUM_CLIENTS];
static unsigned client_count;

static struct {
    unsigned rate;
    uint8_t payload_type;
    uint32_t ssrc;
    uint64_t next_frame;
    /// Published packets; their number is in each payload's end.
    uint64_t packets;
    uint64_t frames;
    /// The socket did not take them.
    uint64_t refused;
    /// Frames that were due long ago and are left out: made up for in one burst, they would measure receive buffers.
    uint64_t skipped;
    uint64_t keyframe_requests, nacks;
    bool wants_keyframe;
    uint64_t last_keyframe;
    struct batch batch;
} camera;

// ---- what comes in

static void watch(struct client *client, uint8_t *rtp, size_t length) {
    struct viewer *viewer = &client->viewer;
    if (length < HEADER + PAYLOAD) return;
    uint16_t sequence = get16(rtp + 2);
    if (!viewer->begun) {
        viewer->begun = true;
        viewer->ssrc = get32(rtp + 8);
        // One cycle in hand, so that what is late cannot fall below zero.
        viewer->first = viewer->highest = 65536 + (uint64_t)sequence;
    }
    if (get32(rtp + 8) != viewer->ssrc) return;
    int16_t ahead = (int16_t)(sequence - (uint16_t)viewer->highest);
    uint64_t index = viewer->highest + (uint64_t)(int64_t)ahead;
    if (ahead > 0) viewer->highest = index;
    if (ahead < 0) viewer->late++;
    viewer->received++;
    if (viewer->received % SAMPLE_EVERY) return;
    if (!transport_open(client->transport, rtp, &length) || length != HEADER + PAYLOAD) {
        viewer->refused++;
        return;
    }
    viewer->authentic++;
    int64_t offset = (int64_t)(get64(rtp + HEADER + COUNTER_AT) - index);
    if (viewer->has_offset && offset != viewer->offset) viewer->shifted++;
    viewer->offset = offset;
    viewer->has_offset = true;
}

/// The publisher's: requests for keyframes (RFC 4585 section 6.3.1, RFC 5104 section 4.3.1) and for lost packets.
static void take_feedback(const uint8_t *rtcp, size_t length) {
    size_t place = 0;
    while (place + 4 <= length) {
        uint8_t type = rtcp[place + 1], format = rtcp[place] & 31;
        if (type == 206 && (format == 1 || format == 4)) {
            camera.wants_keyframe = true;
            camera.keyframe_requests++;
        }
        if (type == 205 && format == 1) camera.nacks++;
        place += 4 + 4 * (size_t)get16(rtcp + place + 2);
    }
}

static void take(void *owner, char kind, uint8_t *bytes, size_t length, uint64_t now) {
    struct client *client = owner;
    (void)now;
    if (kind == 'r' && client != clients) watch(client, bytes, length);
    if (kind == 'c' && client == clients) take_feedback(bytes, length);
}

// ---- what goes out

/// A VP8 packet with picture id and TL0PICIDX as browsers send them (RFC 7741 section 4.2).
static void write_packet(uint8_t *rtp, unsigned place, bool keyframe) {
    rtp[0] = 0x80;
    rtp[1] = (uint8_t)((place == PACKETS_PER_FRAME - 1 ? 0x80 : 0) | camera.payload_type);
    put16(rtp + 2, (uint16_t)camera.packets);
    put32(rtp + 4, (uint32_t)(camera.frames * 90000 * PACKETS_PER_FRAME / (camera.rate ? camera.rate : 1)));
    put32(rtp + 8, camera.ssrc);
    uint8_t *payload = rtp + HEADER;
    memset(payload, 0x5a, PAYLOAD);
    payload[0] = place == 0 ? 0x90 : 0x80;
    payload[1] = 0xc0;
    put16(payload + 2, (uint16_t)(0x8000 | (camera.frames & 0x7fff)));
    payload[4] = (uint8_t)camera.frames;
    // A frame's first bytes: keyframe or not, and 1280x720 of a keyframe (RFC 6386 section 9.1).
    static const uint8_t key[] = {0x10, 0x02, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02};
    if (place == 0 && keyframe) memcpy(payload + 5, key, sizeof key);
    if (place == 0 && !keyframe) payload[5] = 0x11;
    put64(payload + COUNTER_AT, camera.packets);
}

static void publish_frame(uint64_t now) {
    // Every request of a second's quarter is answered by one keyframe.
    bool keyframe = camera.frames == 0 || (camera.wants_keyframe && now - camera.last_keyframe > SECOND / 4);
    if (keyframe) {
        camera.wants_keyframe = false;
        camera.last_keyframe = now;
    }
    for (unsigned place = 0; place < PACKETS_PER_FRAME; place++) {
        uint8_t *rtp = camera.batch.bytes[place];
        write_packet(rtp, place, keyframe);
        camera.batch.lengths[place] = transport_seal(clients[0].transport, rtp, HEADER + PAYLOAD);
        camera.packets++;
    }
    camera.batch.count = PACKETS_PER_FRAME;
    camera.refused += PACKETS_PER_FRAME - batch_send(&camera.batch, transport_udp(clients[0].transport));
    camera.frames++;
}

/// Our own name in an RTCP packet.
static uint32_t own_ssrc(const struct client *client) {
    return client == clients ? camera.ssrc : 0x10000000 + (uint32_t)(client - clients);
}

/// A sender or receiver report each second (RFC 3550 section 6.4).
static void send_report(struct client *client) {
    uint8_t rtcp[256] = {0};
    size_t length = 8;
    const struct viewer *viewer = &client->viewer;
    put32(rtcp + 4, own_ssrc(client));
    if (client == clients) {
        struct timespec wall;
        clock_gettime(CLOCK_REALTIME, &wall);
        rtcp[0] = 0x80;
        rtcp[1] = 200;
        put32(rtcp + 8, (uint32_t)(wall.tv_sec + 2208988800));
        put32(rtcp + 12, (uint32_t)(((uint64_t)wall.tv_nsec << 32) / SECOND));
        put32(rtcp + 16, (uint32_t)(camera.frames * 90000 * PACKETS_PER_FRAME / (camera.rate ? camera.rate : 1)));
        put32(rtcp + 20, (uint32_t)camera.packets);
        put32(rtcp + 24, (uint32_t)(camera.packets * PAYLOAD));
        length = 28;
    } else {
        rtcp[0] = viewer->begun ? 0x81 : 0x80;
        rtcp[1] = 201;
        if (viewer->begun) {
            put32(rtcp + 8, viewer->ssrc);
            put32(rtcp + 16, (uint32_t)viewer->highest - 65536);
            length = 32;
        }
    }
    put16(rtcp + 2, (uint16_t)(length / 4 - 1));
    transport_send_rtcp(client->transport, rtcp, length);
}

// ---- the program's side

void media_connect(int epoll, unsigned number, const struct transport_plan *plan) {
    struct client *client = &clients[number];
    if (client->transport) fail("client %u is there already", number);
    client->transport = transport_new(epoll, plan, client, take);
    if (number >= client_count) client_count = number + 1;
}

void media_publish(unsigned rate, uint8_t payload_type, uint32_t ssrc) {
    camera.rate = rate;
    camera.payload_type = payload_type;
    camera.ssrc = ssrc;
    camera.next_frame = 0;
}

uint64_t media_turn(uint64_t now) {
    uint64_t due = NEVER;
    for (unsigned i = 0; i < client_count; i++) {
        struct client *client = &clients[i];
        if (!client->transport) continue;
        due = earlier(due, transport_turn(client->transport, now));
        if (!transport_connected(client->transport)) continue;
        if (!client->announced) {
            client->announced = true;
            printf("{\"connected\":%u}\n", i);
        }
        // A publisher has nothing to report before it publishes.
        if (i == 0 && camera.packets == 0) continue;
        if (now >= client->next_report) {
            if (client->next_report) send_report(client);
            client->next_report = now + SECOND;
        }
        due = earlier(due, client->next_report);
    }
    if (camera.rate == 0) return due;
    uint64_t period = (uint64_t)SECOND * PACKETS_PER_FRAME / camera.rate;
    if (camera.next_frame == 0) camera.next_frame = now;
    while (now > camera.next_frame + SECOND / 50) {
        camera.skipped++;
        camera.next_frame += period;
    }
    if (now >= camera.next_frame) {
        publish_frame(now);
        camera.next_frame += period;
    }
    return earlier(due, camera.next_frame);
}

void media_report(void) {
    struct viewer sum = {0};
    uint64_t lost = 0, tail = 0, watching = 0;
    for (unsigned i = 1; i < client_count; i++) {
        const struct viewer *viewer = &clients[i].viewer;
        if (!viewer->begun) continue;
        watching++;
        sum.received += viewer->received;
        sum.late += viewer->late;
        sum.authentic += viewer->authentic;
        sum.refused += viewer->refused;
        sum.shifted += viewer->shifted;
        lost += viewer->highest - viewer->first + 1 - viewer->received;
        if (viewer->has_offset) tail += camera.packets - 1 - (viewer->highest + (uint64_t)viewer->offset);
    }
    printf(
        "\"published\":%lu,\"send_refused\":%lu,\"frames_skipped\":%lu,\"keyframe_requests\":%lu,\"nacks\":%lu,"
        "\"watching\":%lu,\"received\":%lu,\"late\":%lu,\"lost\":%ld,\"under_way\":%ld,"
        "\"authentic\":%lu,\"forged\":%lu,\"shifted\":%lu",
        camera.packets, camera.refused, camera.skipped, camera.keyframe_requests, camera.nacks, watching, sum.received,
        sum.late, (long)lost, (long)tail, sum.authentic, sum.refused, sum.shifted);
}
