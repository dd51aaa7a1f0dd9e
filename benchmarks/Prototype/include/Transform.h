// SRTP's transforms alone: what ipsec-mb needs for a packet when nothing is done beside it.
#pragma once

#include <stdint.h>

struct transform;

enum transform_kind { transform_gcm, transform_counter_mode };

// AES-128-GCM, or AES-128 counter mode with HMAC-SHA1, for packets of `keys` participants with a key each, of
// `header_length` bytes in clear and `payload_length` sealed. NULL without memory or AES-NI.
struct transform *transform_make(
    enum transform_kind kind, uint32_t keys, uint32_t header_length, uint32_t payload_length);

void transform_free(struct transform *transform);

// Seals `rounds` packets for each key, out of place from one payload: how many.
uint64_t transform_seal(struct transform *transform, uint32_t rounds);

// Opens `rounds` packets of each key in place: how many. Whether they are authentic is not looked at.
uint64_t transform_open(struct transform *transform, uint32_t rounds);

// Whether what it seals opens again. Once before it is trusted.
int transform_is_right(struct transform *transform);
