#include "people.h"

#include <openssl/rand.h>
#include <string.h>

size_t websocket_read(const uint8_t *bytes, size_t length, struct frame *frame) {
    if (length < 2) return 0;
    if (!(bytes[0] & 0x80) || bytes[0] & 0x70 || bytes[1] & 0x80) fail("a server's frame is whole, plain and unmasked");
    size_t header = 2;
    uint64_t size = bytes[1];
    if (size == 126) {
        header = 4;
        if (length < header) return 0;
        size = get16(bytes + 2);
    } else if (size == 127) {
        header = 10;
        if (length < header) return 0;
        size = get64(bytes + 2);
    }
    if (size > length - header) return 0;
    *frame = (struct frame){bytes[0] & 15, (const char *)bytes + header, size};
    return header + size;
}

/// XOR with the key (RFC 6455 section 5.3), eight bytes at a time.
static void mask(uint8_t *bytes, size_t length, const uint8_t *key) {
    uint64_t wide, word;
    memcpy(&wide, key, 4);
    memcpy((uint8_t *)&wide + 4, key, 4);
    size_t place = 0;
    for (; place + 8 <= length; place += 8) {
        memcpy(&word, bytes + place, 8);
        word ^= wide;
        memcpy(bytes + place, &word, 8);
    }
    for (; place < length; place++) bytes[place] ^= key[place & 3];
}

void websocket_send(struct tcp *tcp, uint8_t opcode, uint8_t *room, size_t length) {
    size_t header = length < 126 ? 2 : length < 65536 ? 4 : 10;
    uint8_t *start = room + FRAME_HEADER - 4 - header, *key = room + FRAME_HEADER - 4;
    start[0] = 0x80 | opcode;
    if (header == 2) {
        start[1] = (uint8_t)(0x80 | length);
    } else if (header == 4) {
        start[1] = 0x80 | 126;
        put16(start + 2, (uint16_t)length);
    } else {
        start[1] = 0x80 | 127;
        put64(start + 2, length);
    }
    RAND_bytes(key, 4);
    mask(room + FRAME_HEADER, length, key);
    tcp_send(tcp, start, header + 4 + length);
}
