// AES-GCM (NIST SP 800-38D) as SRTP has it (RFC 7714): nonces of 12 bytes, tags of 16; for x86-64 with AES-NI. No
// policy: the caller chooses the path, prefetches keys and counts nonces.
#ifndef NEEDLETAIL_CAESGCM_H
#define NEEDLETAIL_CAESGCM_H

#include <stdint.h>

enum {
    // An expanded key, bytes, aligned to 64; its owner wipes it. Of one of AES-128 the first bytes are used.
    needletail_gcm_key_size = 512,
    needletail_gcm_key128_size = 448,
};

// One packet.
struct needletail_gcm_job {
    const void *key;
    // Authenticated and not encrypted, bytes.
    const uint8_t *aad;
    uint64_t aad_length;
    // Seal: the plaintext. Open: the ciphertext, and its tag behind it.
    const uint8_t *source;
    // `source` itself, or memory that does not overlap it. Seal: room for `length + 16` bytes, as the tag follows the
    // ciphertext. Open: `length` bytes.
    uint8_t *destination;
    // Bytes, without the tag; less than 2^36 - 48 (SP 800-38D section 5.2.1.1).
    uint64_t length;
    // Seal: the plaintext is `source` with its first 8 bytes xored with these, as they lie in memory; zero where it is
    // shorter. Open: unused.
    uint64_t patch;
    // The nonce's first 8 bytes and its last 4, as they lie in memory.
    uint64_t nonce_first;
    uint32_t nonce_last;
    // Open's result: 1 when the packet is authentic. What lies at `destination` otherwise must not be used.
    uint32_t is_authentic;
};

// What code there is; a CPU that can do one can do those before it.
enum needletail_gcm_path {
    needletail_gcm_none = 0,
    // AES-NI and PCLMULQDQ, in AVX's encoding.
    needletail_gcm_aesni = 1,
    // VAES and VPCLMULQDQ on 256-bit registers.
    needletail_gcm_vaes = 2,
};

// The last path that this CPU and its operating system can do.
uint32_t needletail_gcm_best_path(void);

// Expands a key of 16 or 32 bytes, for every path. Set-up work.
void needletail_gcm_expand(void *key, const void *bytes, uint32_t length);

// `count` packets of any keys and lengths, one behind the other, so that the processor overlaps the end of one with the
// beginning of the next.
void needletail_gcm_aesni_seal(struct needletail_gcm_job *jobs, uint64_t count);
void needletail_gcm_aesni_open(struct needletail_gcm_job *jobs, uint64_t count);
void needletail_gcm_vaes_seal(struct needletail_gcm_job *jobs, uint64_t count);
void needletail_gcm_vaes_open(struct needletail_gcm_job *jobs, uint64_t count);

#endif
