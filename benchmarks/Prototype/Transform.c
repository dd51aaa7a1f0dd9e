#include "Transform.h"

#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    // Packets that are worked on together; ipsec-mb takes 128 at most.
    burst_size = 64,
    tag_length = 16,
    ahead_key = 2,
    packet_stride = 2048,
};

struct hmac_key {
    uint32_t round_keys[4 * 11];
    uint32_t inner[5], outer[5];
} __attribute__((aligned(64)));

struct transform {
    IMB_MGR *manager;
    enum transform_kind kind;
    uint32_t key_count, header_length, payload_length;
    struct gcm_key_data *gcm_keys;
    struct hmac_key *hmac_keys;
    uint8_t *packets, *payload;
    struct gcm_context_data context;
    uint8_t tags[burst_size][tag_length];
    uint8_t counters[burst_size][16];
    IMB_JOB jobs[burst_size];
};

static void make_hmac_key(struct transform *t, uint32_t index, const uint8_t *key) {
    struct hmac_key *made = &t->hmac_keys[index];
    uint32_t unused[4 * 11];
    uint8_t pad[64];
    IMB_AES_KEYEXP_128(t->manager, key, made->round_keys, unused);
    memset(pad, 0x36, sizeof pad);
    for (int place = 0; place < 16; place++) pad[place] ^= key[place];
    IMB_SHA1_ONE_BLOCK(t->manager, pad, made->inner);
    for (int place = 0; place < 64; place++) pad[place] ^= 0x36 ^ 0x5c;
    IMB_SHA1_ONE_BLOCK(t->manager, pad, made->outer);
}

static void prepare_job(struct transform *t, uint32_t place) {
    IMB_JOB *job = &t->jobs[place];
    job->key_len_in_bytes = 16;
    job->iv = t->counters[place];
    job->iv_len_in_bytes = 16;
    job->auth_tag_output = t->tags[place];
    job->auth_tag_output_len_in_bytes = 12;
    job->cipher_mode = IMB_CIPHER_CNTR;
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->hash_alg = IMB_AUTH_HMAC_SHA_1;
    job->chain_order = IMB_ORDER_CIPHER_HASH;
    job->msg_len_to_cipher_in_bytes = t->payload_length;
    // With the roll-over counter behind it (RFC 3711 section 4.2).
    job->msg_len_to_hash_in_bytes = t->header_length + t->payload_length + 4;
}

struct transform *transform_make(
    enum transform_kind kind, uint32_t keys, uint32_t header_length, uint32_t payload_length) {
    if (keys == 0 || header_length + payload_length + tag_length > packet_stride) return NULL;
    struct transform *t = aligned_alloc(64, (sizeof *t + 63) & ~63ul);
    if (t == NULL) return NULL;
    memset(t, 0, sizeof *t);
    t->kind = kind;
    t->key_count = keys;
    t->header_length = header_length;
    t->payload_length = payload_length;
    t->manager = alloc_mb_mgr(0);
    // Those behind the last are prefetched, never used.
    const size_t huge = 2 << 20, count = keys + ahead_key, gcm_bytes = count * sizeof(struct gcm_key_data);
    t->gcm_keys = aligned_alloc(huge, (gcm_bytes + huge - 1) & ~(huge - 1));
    t->hmac_keys = aligned_alloc(64, count * sizeof(struct hmac_key));
    t->packets = aligned_alloc(64, burst_size * packet_stride);
    t->payload = aligned_alloc(64, 2048);
    if (t->manager == NULL || t->gcm_keys == NULL || t->hmac_keys == NULL || t->packets == NULL || t->payload == NULL) {
        transform_free(t);
        return NULL;
    }
    // As in the prototype.
    (void)madvise(t->gcm_keys, gcm_bytes, MADV_HUGEPAGE);
    init_mb_mgr_auto(t->manager, NULL);
    memset(t->packets, 0x80, burst_size * packet_stride);
    memset(t->payload, 0x5a, 2048);
    for (uint32_t index = 0; index < keys; index++) {
        uint8_t key[16] = {0x5a};
        memcpy(key + 4, &index, sizeof index);
        if (kind == transform_gcm) {
            IMB_AES128_GCM_PRE(t->manager, key, &t->gcm_keys[index]);
        } else {
            make_hmac_key(t, index, key);
        }
    }
    for (uint32_t place = 0; place < burst_size; place++) prepare_job(t, place);
    return t;
}

void transform_free(struct transform *t) {
    if (t->manager != NULL) free_mb_mgr(t->manager);
    free(t->gcm_keys);
    free(t->hmac_keys);
    free(t->packets);
    free(t->payload);
    free(t);
}

static inline void prefetch(const void *from, size_t bytes) {
    for (size_t offset = 0; offset < bytes; offset += 64) __builtin_prefetch((const uint8_t *)from + offset);
}

// A burst of GCM, one packet after the other: ipsec-mb works on many blocks of a packet at a time.
static void gcm_burst(struct transform *t, uint32_t first, uint32_t count, int seals) {
    for (uint32_t place = 0; place < count; place++) {
        uint8_t *packet = t->packets + (size_t)place * packet_stride, *payload = packet + t->header_length;
        const struct gcm_key_data *key = &t->gcm_keys[first + place];
        uint8_t nonce[12] = {0};
        memcpy(nonce + 4, packet, 8);
        prefetch(key + ahead_key, sizeof *key);
        if (seals) {
            IMB_AES128_GCM_ENC(
                t->manager, key, &t->context, payload, t->payload, t->payload_length, nonce, packet, t->header_length,
                payload + t->payload_length, tag_length);
        } else {
            IMB_AES128_GCM_DEC(
                t->manager, key, &t->context, payload, payload, t->payload_length, nonce, packet, t->header_length,
                t->tags[place], tag_length);
        }
    }
}

// A burst of counter mode and HMAC-SHA1: hashes in as many lanes as the processor has.
static void counter_mode_burst(struct transform *t, uint32_t first, uint32_t count, int seals) {
    for (uint32_t place = 0; place < count; place++) {
        uint8_t *packet = t->packets + (size_t)place * packet_stride, *payload = packet + t->header_length;
        const struct hmac_key *key = &t->hmac_keys[first + place];
        IMB_JOB *job = &t->jobs[place];
        prefetch(key + ahead_key, sizeof *key);
        memcpy(t->counters[place], packet, 12);
        job->enc_keys = key->round_keys;
        job->src = seals ? t->payload : payload;
        job->dst = payload;
        job->hash_start_src_offset_in_bytes = (uint64_t)(packet - job->src);
        job->u.HMAC._hashed_auth_key_xor_ipad = (const uint8_t *)key->inner;
        job->u.HMAC._hashed_auth_key_xor_opad = (const uint8_t *)key->outer;
    }
    if (seals)
        IMB_SUBMIT_CIPHER_BURST_NOCHECK(
            t->manager, t->jobs, count, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, IMB_KEY_128_BYTES);
    IMB_SUBMIT_HASH_BURST_NOCHECK(t->manager, t->jobs, count, IMB_AUTH_HMAC_SHA_1);
    if (!seals)
        IMB_SUBMIT_CIPHER_BURST_NOCHECK(
            t->manager, t->jobs, count, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, IMB_KEY_128_BYTES);
}

static uint64_t run(struct transform *t, uint32_t rounds, int seals) {
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t first = 0; first < t->key_count; first += burst_size) {
            const uint32_t rest = t->key_count - first, count = rest < burst_size ? rest : burst_size;
            if (t->kind == transform_gcm) {
                gcm_burst(t, first, count, seals);
            } else {
                counter_mode_burst(t, first, count, seals);
            }
        }
    }
    return (uint64_t)rounds * t->key_count;
}

uint64_t transform_seal(struct transform *t, uint32_t rounds) { return run(t, rounds, 1); }

uint64_t transform_open(struct transform *t, uint32_t rounds) { return run(t, rounds, 0); }

int transform_is_right(struct transform *t) {
    const uint32_t count = t->key_count < burst_size ? t->key_count : burst_size;
    uint8_t sealed[tag_length];
    uint8_t *payload = t->packets + t->header_length;
    if (t->kind == transform_gcm) {
        gcm_burst(t, 0, count, 1);
        memcpy(sealed, payload + t->payload_length, tag_length);
        gcm_burst(t, 0, count, 0);
        return memcmp(sealed, t->tags[0], tag_length) == 0 && memcmp(payload, t->payload, t->payload_length) == 0;
    }
    counter_mode_burst(t, 0, count, 1);
    memcpy(sealed, t->tags[0], 12);
    counter_mode_burst(t, 0, count, 0);
    return memcmp(sealed, t->tags[0], 12) == 0 && memcmp(payload, t->payload, t->payload_length) == 0;
}
