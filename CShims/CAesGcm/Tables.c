#include "Tables.h"

// Big-endian in the last word of a block, as SP 800-38D section 7.1 counts; the lowest byte is enough.
#define C1(n) {0, 0, 0, (uint32_t)(n) << 24}
#define C2(n) C1(n), C1((n) + 1)
#define C8(n) C2(n), C2((n) + 2), C2((n) + 4), C2((n) + 6)
#define C64(n) C8(n), C8((n) + 8), C8((n) + 16), C8((n) + 24), C8((n) + 32), C8((n) + 40), C8((n) + 48), C8((n) + 56)

const uint32_t needletail_gcm_counters[NEEDLETAIL_GCM_COUNTERS][4] = {C64(0), C64(64), C2(128)};

const uint8_t needletail_gcm_reversed[32] = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
                                             15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};

const uint8_t needletail_gcm_slide[32] = {0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,
                                          11,   12,   13,   14,   15,   0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                          0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};

#define F8 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
const uint8_t needletail_gcm_mask[64] = {F8, F8, F8, F8};

const uint64_t needletail_gcm_polynomial[4] = {0xc200000000000000, 0, 0xc200000000000000, 0};
