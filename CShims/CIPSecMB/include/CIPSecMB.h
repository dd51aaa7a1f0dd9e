// Intel ipsec-mb for Swift: calls through the manager's function table, which Swift would have to import as
// over-aligned structs. No logic.
#ifndef NEEDLETAIL_CIPSECMB_H
#define NEEDLETAIL_CIPSECMB_H

#include <intel-ipsec-mb.h>
#include <stdint.h>

// Enumerators as plain integers, and the manager as an opaque pointer.
enum {
    needletail_imb_gcm_key_size = sizeof(struct gcm_key_data),
    needletail_imb_gcm_context_size = sizeof(struct gcm_context_data),
};

// What the code for these instructions needs of a CPU, as in `features`.
static const uint64_t needletail_imb_needs_sse = IMB_CPUFLAGS_SSE;
static const uint64_t needletail_imb_needs_avx = IMB_CPUFLAGS_AVX;
static const uint64_t needletail_imb_needs_avx2 = IMB_CPUFLAGS_AVX2;
static const uint64_t needletail_imb_needs_avx512 = IMB_CPUFLAGS_AVX512;

static inline void *needletail_imb_alloc(void) { return alloc_mb_mgr(0); }
static inline void needletail_imb_free(void *manager) { free_mb_mgr((IMB_MGR *)manager); }
static inline uint32_t needletail_imb_arch(const void *manager) { return ((const IMB_MGR *)manager)->used_arch; }
static inline uint64_t needletail_imb_features(const void *manager) { return ((const IMB_MGR *)manager)->features; }
static inline int needletail_imb_errno(const void *manager) { return ((const IMB_MGR *)manager)->imb_errno; }
static inline void needletail_imb_init_auto(void *manager) { init_mb_mgr_auto((IMB_MGR *)manager, NULL); }
static inline void needletail_imb_init_sse(void *manager) { init_mb_mgr_sse((IMB_MGR *)manager); }
static inline void needletail_imb_init_avx(void *manager) { init_mb_mgr_avx((IMB_MGR *)manager); }
static inline void needletail_imb_init_avx2(void *manager) { init_mb_mgr_avx2((IMB_MGR *)manager); }
static inline void needletail_imb_init_avx512(void *manager) { init_mb_mgr_avx512((IMB_MGR *)manager); }

static inline void needletail_imb_gcm128_precompute(void *manager, const void *key, void *expanded) {
    IMB_AES128_GCM_PRE((IMB_MGR *)manager, key, (struct gcm_key_data *)expanded);
}

static inline void needletail_imb_gcm256_precompute(void *manager, const void *key, void *expanded) {
    IMB_AES256_GCM_PRE((IMB_MGR *)manager, key, (struct gcm_key_data *)expanded);
}

static inline void needletail_imb_aes128_expand(void *manager, const void *key, void *encrypt, void *decrypt) {
    IMB_AES_KEYEXP_128((IMB_MGR *)manager, key, encrypt, decrypt);
}

static inline void needletail_imb_sha1_one_block(void *manager, const void *block, void *digest) {
    IMB_SHA1_ONE_BLOCK((IMB_MGR *)manager, block, digest);
}

static inline void needletail_imb_gcm128_encrypt(
    void *manager, const void *key, void *context, uint8_t *out, const uint8_t *in, uint64_t length,
    const uint8_t *iv, const uint8_t *aad, uint64_t aad_length, uint8_t *tag) {
    IMB_AES128_GCM_ENC((IMB_MGR *)manager, (const struct gcm_key_data *)key, (struct gcm_context_data *)context, out,
                       in, length, iv, aad, aad_length, tag, 16);
}

static inline void needletail_imb_gcm256_encrypt(
    void *manager, const void *key, void *context, uint8_t *out, const uint8_t *in, uint64_t length,
    const uint8_t *iv, const uint8_t *aad, uint64_t aad_length, uint8_t *tag) {
    IMB_AES256_GCM_ENC((IMB_MGR *)manager, (const struct gcm_key_data *)key, (struct gcm_context_data *)context, out,
                       in, length, iv, aad, aad_length, tag, 16);
}

static inline void needletail_imb_gcm128_decrypt(
    void *manager, const void *key, void *context, uint8_t *out, const uint8_t *in, uint64_t length,
    const uint8_t *iv, const uint8_t *aad, uint64_t aad_length, uint8_t *tag) {
    IMB_AES128_GCM_DEC((IMB_MGR *)manager, (const struct gcm_key_data *)key, (struct gcm_context_data *)context, out,
                       in, length, iv, aad, aad_length, tag, 16);
}

static inline void needletail_imb_gcm256_decrypt(
    void *manager, const void *key, void *context, uint8_t *out, const uint8_t *in, uint64_t length,
    const uint8_t *iv, const uint8_t *aad, uint64_t aad_length, uint8_t *tag) {
    IMB_AES256_GCM_DEC((IMB_MGR *)manager, (const struct gcm_key_data *)key, (struct gcm_context_data *)context, out,
                       in, length, iv, aad, aad_length, tag, 16);
}

static inline uint32_t needletail_imb_aes128_ctr_burst(void *manager, IMB_JOB *jobs, uint32_t count) {
    return IMB_SUBMIT_CIPHER_BURST_NOCHECK((IMB_MGR *)manager, jobs, count, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
                                           IMB_KEY_128_BYTES);
}

static inline uint32_t needletail_imb_hmac_sha1_burst(void *manager, IMB_JOB *jobs, uint32_t count) {
    return IMB_SUBMIT_HASH_BURST_NOCHECK((IMB_MGR *)manager, jobs, count, IMB_AUTH_HMAC_SHA_1);
}

static inline void needletail_prefetch(const void *line) { __builtin_prefetch(line); }

#endif
