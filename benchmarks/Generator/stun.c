#include "generator.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

static const uint32_t cookie = 0x2112a442;

/// The CRC of FINGERPRINT (RFC 8489 section 14.7).
static uint32_t crc32(const uint8_t *bytes, size_t length) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
    }
    return ~crc;
}

void stun_begin(struct stun *message, uint16_t type, const uint8_t *id) {
    put16(message->bytes, type);
    put16(message->bytes + 2, 0);
    put32(message->bytes + 4, cookie);
    memcpy(message->bytes + 8, id, 12);
    message->length = 20;
}

void stun_add(struct stun *message, uint16_t attribute, const void *value, size_t length) {
    size_t padded = (length + 3) & ~(size_t)3;
    if (message->length + 4 + padded > sizeof message->bytes) fail("a STUN message is too long");
    uint8_t *place = message->bytes + message->length;
    put16(place, attribute);
    put16(place + 2, (uint16_t)length);
    memset(place + 4, 0, padded);
    if (length) memcpy(place + 4, value, length);
    message->length += 4 + padded;
    put16(message->bytes + 2, (uint16_t)(message->length - 20));
}

void stun_add_address(struct stun *message, uint16_t attribute, const struct sockaddr_in *address) {
    uint8_t value[8] = {0, 1};
    put16(value + 2, (uint16_t)(ntohs(address->sin_port) ^ cookie >> 16));
    put32(value + 4, ntohl(address->sin_addr.s_addr) ^ cookie);
    stun_add(message, attribute, value, sizeof value);
}

void stun_finish(struct stun *message, const void *key, size_t key_length) {
    uint8_t tag[EVP_MAX_MD_SIZE] = {0};
    size_t covered = message->length;
    // The header's length includes the attribute that is being computed (RFC 8489 section 14.5).
    stun_add(message, MESSAGE_INTEGRITY, tag, 20);
    HMAC(EVP_sha1(), key, (int)key_length, message->bytes, covered, tag, NULL);
    memcpy(message->bytes + covered + 4, tag, 20);
    uint8_t crc[4] = {0};
    covered = message->length;
    stun_add(message, FINGERPRINT, crc, sizeof crc);
    put32(message->bytes + covered + 4, crc32(message->bytes, covered) ^ 0x5354554e);
}

const uint8_t *stun_find(const uint8_t *message, size_t length, uint16_t attribute, size_t *value_length) {
    size_t place = 20;
    while (place + 4 <= length) {
        size_t size = get16(message + place + 2);
        if (place + 4 + size > length) return NULL;
        if (get16(message + place) == attribute) {
            *value_length = size;
            return message + place + 4;
        }
        place += 4 + ((size + 3) & ~(size_t)3);
    }
    return NULL;
}
