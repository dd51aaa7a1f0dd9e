// Constants of the kernels. They are read by position, which depends on lengths alone.
#ifndef NEEDLETAIL_CAESGCM_TABLES_H
#define NEEDLETAIL_CAESGCM_TABLES_H

#include <stdint.h>

// For the first 2 KiB of a packet, whose first block has number 2.
#define NEEDLETAIL_GCM_COUNTERS 130

extern const uint32_t needletail_gcm_counters[NEEDLETAIL_GCM_COUNTERS][4] __attribute__((aligned(64)));
// Shuffles that reverse the bytes of two blocks.
extern const uint8_t needletail_gcm_reversed[32] __attribute__((aligned(64)));
// From 16 - n on, a shuffle that moves the last n bytes to the front, with zeros behind them.
extern const uint8_t needletail_gcm_slide[32] __attribute__((aligned(64)));
// From 32 - n on, a mask of n bytes.
extern const uint8_t needletail_gcm_mask[64] __attribute__((aligned(64)));
// x^63, x^62 and x^57 in the low half of each lane: GCM's polynomial with its bits reversed.
extern const uint64_t needletail_gcm_polynomial[4] __attribute__((aligned(64)));

#endif
