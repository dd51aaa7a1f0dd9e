// An expanded key, for the files of this folder.
#ifndef NEEDLETAIL_CAESGCM_KEY_H
#define NEEDLETAIL_CAESGCM_KEY_H

#include <stdint.h>

struct needletail_gcm_key {
    // H^16 down to H^1, each with its bytes reversed and divided by x; see Kernel.h. First, so that no pair of them
    // crosses lines of the cache.
    uint8_t powers[16][16];
    // 10 or 14. Before the round keys, of which AES-128 has 11 and then ends at 448 bytes.
    uint32_t rounds;
    uint32_t unused[3];
    // FIPS 197 section 5.2.
    uint8_t round_keys[15][16];
};

#endif
