// AES-GCM of one packet, written once for registers of one block (AES-NI) and of two (VAES). The including file defines
// VECTOR, LANES, TARGET and the operations v_*.
//
// GHASH (SP 800-38D section 6.4) takes bits in the order of bytes, the lowest power of x first. With the bytes of a
// block reversed, that is a 128-bit number whose bit 127 - i is the coefficient of x^i. The carry-less product of two
// such numbers has the coefficient of x^k at bit 254 - k, one too low: so the powers of H are kept divided by x. The
// products of up to 16 blocks with their own powers are added, and reduced once.
#include "CAesGcm.h"
#include "Key.h"
#include "Tables.h"

#include <immintrin.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline, target(TARGET)))
// Registers in a group: as many as AES needs to hide its latency, and as there are powers for two lanes.
#define GROUP 8
#define GROUP_BLOCKS (GROUP * LANES)
#define GROUP_BYTES (GROUP_BLOCKS * 16)
#define VECTOR_BYTES (LANES * 16)

#define UNROLL _Pragma("clang loop unroll(full)")

// Sums of products, not yet reduced: of the low halves, of low and high ones, and of the high halves.
struct products {
    VECTOR low, middle, high;
};

// What lasts for a packet.
struct packet {
    const struct needletail_gcm_key *key;
    // The nonce xor the first round key, in each lane.
    VECTOR base;
    // The hash so far, in the first lane.
    __m128i hash;
};

INLINE __m128i reversed_block(__m128i block) {
    return _mm_shuffle_epi8(block, _mm_load_si128((const __m128i *)needletail_gcm_reversed));
}

INLINE VECTOR reversed(VECTOR blocks) { return v_shuffle8(blocks, v_load(needletail_gcm_reversed)); }

// The powers for blocks of which, with all that follow before the reduction, `blocks` are left.
INLINE const uint8_t *powers_for(const struct needletail_gcm_key *key, uint64_t blocks) {
    return (const uint8_t *)key->powers + sizeof key->powers - 16 * blocks;
}

// Keeps instructions before it from being moved behind it and the other way round: the compiler would put all of GHASH
// behind all of AES, further apart than the processor looks ahead.
#define ORDERED(value) __asm__ volatile("" : "+x"(value))

// Four multiplications: Karatsuba's three and what has to be done for them are not faster.
INLINE void add_product(struct products *sum, VECTOR blocks, VECTOR powers) {
    sum->low = v_xor(sum->low, v_multiply(blocks, powers, 0x00));
    sum->high = v_xor(sum->high, v_multiply(blocks, powers, 0x11));
    sum->middle = v_xor(sum->middle, v_xor(v_multiply(blocks, powers, 0x01), v_multiply(blocks, powers, 0x10)));
}

// The same between rounds of AES, with the multiplications one behind the other.
INLINE void add_product_between(struct products *sum, VECTOR blocks, VECTOR powers) {
    VECTOR low = v_multiply(blocks, powers, 0x00), first = v_multiply(blocks, powers, 0x01);
    VECTOR second = v_multiply(blocks, powers, 0x10), high = v_multiply(blocks, powers, 0x11);
    __asm__ volatile("" : "+x"(low), "+x"(first), "+x"(second), "+x"(high));
    sum->low = v_xor(sum->low, low);
    sum->high = v_xor(sum->high, high);
    sum->middle = v_xor(sum->middle, v_xor(first, second));
    ORDERED(sum->low);
    ORDERED(sum->high);
    ORDERED(sum->middle);
}

// Modulo x^128 + x^7 + x^2 + x + 1, which with its bits reversed is 2^128 + (0xc2 << 120) + 1: a multiple of it clears
// the low 64 bits of the sum, twice.
INLINE __m128i reduced(struct products sum) {
    const VECTOR polynomial = v_load(needletail_gcm_polynomial);
    sum.middle = v_xor(sum.middle, v_xor(v_multiply(sum.low, polynomial, 0x00), v_swap(sum.low)));
    sum.high = v_xor(sum.high, v_xor(v_multiply(sum.middle, polynomial, 0x00), v_swap(sum.middle)));
    return v_fold(sum.high);
}

INLINE struct products no_products(void) {
    return (struct products){v_zero(), v_zero(), v_zero()};
}

// 1 to 15 bytes and zeros, with nothing read beside them.
INLINE __m128i load_few(const uint8_t *at, uint64_t count) {
    uint64_t low = 0, high = 0;
    if (count >= 8) {
        memcpy(&low, at, 8);
        memcpy(&high, at + count - 8, 8);
        high = high >> 1 >> (127 - 8 * count) % 64;
    } else if (count >= 4) {
        uint32_t first, last;
        memcpy(&first, at, 4);
        memcpy(&last, at + count - 4, 4);
        low = first | (uint64_t)last << (8 * count - 32);
    } else {
        low = at[0] | (uint64_t)at[count / 2] << count / 2 * 8 | (uint64_t)at[count - 1] << (8 * count - 8);
    }
    return _mm_set_epi64x((long long)high, (long long)low);
}

// 1 to 16 bytes and zeros; `before` bytes in front of them may be read.
INLINE __m128i load_block(const uint8_t *at, uint64_t count, uint64_t before) {
    if (before + count < 16) return load_few(at, count);
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(at + count - 16));
    return _mm_shuffle_epi8(bytes, _mm_loadu_si128((const __m128i *)(needletail_gcm_slide + 16 - count)));
}

// 1 to VECTOR_BYTES bytes and zeros.
INLINE VECTOR load_part(const uint8_t *at, uint64_t count, uint64_t before) {
#if LANES == 2
    if (count > 16)
        return v_pair(_mm_loadu_si128((const __m128i *)at), load_block(at + 16, count - 16, before + 16));
    return v_single(load_block(at, count, before));
#else
    return load_block(at, count, before);
#endif
}

// Adds additional data, of which `following` blocks come after it before the reduction.
INLINE void add_data(
    struct products *sum, __m128i hash, const struct needletail_gcm_key *key, const uint8_t *data, uint64_t length,
    uint64_t following) {
    const uint8_t *power = powers_for(key, (length + 15) / 16 + following);
    uint64_t done = 0;
    VECTOR first = v_single(hash);
    for (; length - done >= VECTOR_BYTES; done += VECTOR_BYTES) {
        add_product(sum, v_xor(first, reversed(v_load(data + done))), v_load(power + done));
        first = v_zero();
    }
    if (done < length)
        add_product(sum, v_xor(first, reversed(load_part(data + done, length - done, done))), v_load(power + done));
}

// Hashes additional data too long for its products to wait for those of the payload.
__attribute__((noinline, target(TARGET))) static __m128i hash_long_data(
    const struct needletail_gcm_key *key, const uint8_t *data, uint64_t length) {
    __m128i hash = _mm_setzero_si128();
    while (length > 0) {
        const uint64_t count = length < 256 ? length : 256;
        struct products sum = no_products();
        add_data(&sum, hash, key, data, count, 0);
        hash = reduced(sum);
        data += count;
        length -= count;
    }
    return hash;
}

// Encrypts counters at `counters` and xors a whole group. Meanwhile hashes the group at `hashed`, if any: the one
// before when sealing, this one when opening.
INLINE void do_group(
    struct packet *packet, const uint8_t *counters, const uint8_t *source, uint8_t *destination, uint64_t patch,
    const uint8_t *hashed, const int is_hashing, const uint32_t rounds) {
    const uint8_t *round_key = packet->key->round_keys[0], *power = powers_for(packet->key, GROUP_BLOCKS);
    VECTOR state[GROUP];
    struct products sum = no_products();
    UNROLL for (int i = 0; i < GROUP; i++) state[i] = v_xor(packet->base, v_load(counters + i * VECTOR_BYTES));
    UNROLL for (uint32_t round = 1; round < rounds; round++) {
        const VECTOR key = v_broadcast(round_key + 16 * round);
        UNROLL for (int i = 0; i < GROUP; i++) state[i] = v_aes(state[i], key);
        if (is_hashing && round <= GROUP) {
            const uint32_t place = round % GROUP;
            VECTOR blocks = reversed(v_load(hashed + place * VECTOR_BYTES));
            if (place == 0) blocks = v_xor(blocks, v_single(packet->hash));
            add_product_between(&sum, blocks, v_load(power + place * VECTOR_BYTES));
            UNROLL for (int i = 0; i < GROUP; i++) ORDERED(state[i]);
        }
        if (is_hashing && round == GROUP + 1) packet->hash = reduced(sum);
    }
    const VECTOR key = v_broadcast(round_key + 16 * rounds);
    UNROLL for (int i = 0; i < GROUP; i++) {
        VECTOR mask = v_xor(key, v_load(source + i * VECTOR_BYTES));
        if (i == 0) mask = v_xor(mask, v_single(_mm_cvtsi64_si128((long long)patch)));
        v_store(destination + i * VECTOR_BYTES, v_aes_last(state[i], mask));
    }
}

// The last part of a packet.
struct tail {
    const uint8_t *counters, *source, *hashed;
    uint8_t *destination;
    // Less than GROUP_BYTES; and what the packet has before it.
    uint64_t length, before;
    uint64_t patch;
    // Bits of additional data and ciphertext.
    uint64_t aad_bits, bits;
};

// Writes the last register's part of the result: `count` bytes, behind which ciphertext has room for a tag. Plaintext in
// place keeps what follows.
INLINE void store_part(uint8_t *destination, VECTOR value, uint64_t count, const int is_exact) {
    if (is_exact) {
        uint8_t copy[VECTOR_BYTES];
        v_store(copy, value);
        memcpy(destination, copy, count);
        return;
    }
#if LANES == 2
    if (count > 16) {
        v_store(destination, value);
        return;
    }
#endif
    _mm_storeu_si128((__m128i *)destination, v_first(value));
}

// Encrypts and hashes `count` registers (a constant), of which the last may be a part, and returns the tag.
INLINE __m128i do_tail(
    struct packet *packet, const struct tail *tail, struct products sum, const int count, const int is_hashing,
    const int is_opening, const uint32_t rounds) {
    const uint8_t *round_key = packet->key->round_keys[0], *power = powers_for(packet->key, GROUP_BLOCKS);
    const uint64_t last_length = tail->length - (uint64_t)(count > 0 ? count - 1 : 0) * VECTOR_BYTES;
    VECTOR state[GROUP], last = v_zero();
    if (count > 0) {
        const uint64_t offset = (uint64_t)(count - 1) * VECTOR_BYTES;
        // A tag follows ciphertext.
        if (!is_opening) last = load_part(tail->source + offset, last_length, tail->before + offset);
        else if (LANES == 1 || last_length > 16) last = v_load(tail->source + offset);
        else last = v_single(_mm_loadu_si128((const __m128i *)(tail->source + offset)));
    }
    struct products before = no_products();
    __m128i first = _mm_load_si128((const __m128i *)needletail_gcm_counters[1]);
    first = _mm_xor_si128(first, v_first(packet->base));
    UNROLL for (int i = 0; i < count; i++) state[i] = v_xor(packet->base, v_load(tail->counters + i * VECTOR_BYTES));
    UNROLL for (uint32_t round = 1; round < rounds; round++) {
        const VECTOR key = v_broadcast(round_key + 16 * round);
        UNROLL for (int i = 0; i < count; i++) state[i] = v_aes(state[i], key);
        first = _mm_aesenc_si128(first, v_first(key));
        if (is_hashing && round <= GROUP) {
            const uint32_t place = round % GROUP;
            VECTOR blocks = reversed(v_load(tail->hashed + place * VECTOR_BYTES));
            if (place == 0) blocks = v_xor(blocks, v_single(packet->hash));
            add_product_between(&before, blocks, v_load(power + place * VECTOR_BYTES));
            UNROLL for (int i = 0; i < count; i++) ORDERED(state[i]);
        }
        if (is_hashing && round == GROUP + 1) packet->hash = reduced(before);
    }
    const VECTOR key = v_broadcast(round_key + 16 * rounds);
    first = _mm_aesenclast_si128(first, v_first(key));
    // There is no 17th power for 16 blocks and the lengths.
    const int is_long = count * LANES == 16;
    power = powers_for(packet->key, (tail->length + 15) / 16 + (is_long ? 0 : 1));
    VECTOR hash = v_single(packet->hash), patch = v_single(_mm_cvtsi64_si128((long long)tail->patch));
    UNROLL for (int i = 0; i < count; i++) {
        VECTOR in = i == count - 1 ? last : v_load(tail->source + i * VECTOR_BYTES), out;
        if (i == 0) in = v_xor(in, patch);
        if (i == count - 1) {
            const VECTOR mask = v_load(needletail_gcm_mask + 32 - last_length);
            out = v_xor(in, v_and(v_aes_last(state[i], key), mask));
            const int is_exact = is_opening && tail->destination != tail->source;
            store_part(tail->destination + i * VECTOR_BYTES, out, last_length, is_exact);
            in = v_and(in, mask);
        } else {
            out = v_aes_last(state[i], v_xor(key, in));
            v_store(tail->destination + i * VECTOR_BYTES, out);
        }
        VECTOR blocks = reversed(is_opening ? in : out);
        if (i == 0) blocks = v_xor(blocks, hash);
        add_product(&sum, blocks, v_load(power + i * VECTOR_BYTES));
    }
    __m128i lengths = _mm_set_epi64x((long long)tail->aad_bits, (long long)tail->bits);
    if (count == 0) lengths = _mm_xor_si128(lengths, packet->hash);
    if (is_long) {
        lengths = _mm_xor_si128(lengths, reduced(sum));
        sum = no_products();
    }
    add_product(&sum, v_single(lengths), v_single(_mm_load_si128((const __m128i *)packet->key->powers[15])));
    return _mm_xor_si128(first, reversed_block(reduced(sum)));
}

// Counters of a group that begins with `counter`, for packets longer than the table.
INLINE void count_group(__m128i *counters, uint64_t counter) {
    for (uint64_t i = 0; i < GROUP_BLOCKS; i++)
        counters[i] = _mm_set_epi32((int)__builtin_bswap32((uint32_t)(counter + i)), 0, 0, 0);
}

INLINE __m128i do_last(
    struct packet *packet, const struct tail *tail, struct products sum, const int is_hashing, const int is_opening,
    const uint32_t rounds) {
    switch ((tail->length + VECTOR_BYTES - 1) / VECTOR_BYTES) {
    case 0: return do_tail(packet, tail, sum, 0, is_hashing, is_opening, rounds);
    case 1: return do_tail(packet, tail, sum, 1, is_hashing, is_opening, rounds);
    case 2: return do_tail(packet, tail, sum, 2, is_hashing, is_opening, rounds);
    case 3: return do_tail(packet, tail, sum, 3, is_hashing, is_opening, rounds);
    case 4: return do_tail(packet, tail, sum, 4, is_hashing, is_opening, rounds);
    case 5: return do_tail(packet, tail, sum, 5, is_hashing, is_opening, rounds);
    case 6: return do_tail(packet, tail, sum, 6, is_hashing, is_opening, rounds);
    case 7: return do_tail(packet, tail, sum, 7, is_hashing, is_opening, rounds);
    default: return do_tail(packet, tail, sum, 8, is_hashing, is_opening, rounds);
    }
}

// One packet; returns its tag.
INLINE __m128i do_packet(const struct needletail_gcm_job *job, const int is_opening, const uint32_t rounds) {
    const struct needletail_gcm_key *key = job->key;
    const uint64_t length = job->length, groups = length / GROUP_BYTES, aad_length = job->aad_length;
    __m128i nonce = _mm_insert_epi32(_mm_cvtsi64_si128((long long)job->nonce_first), (int)job->nonce_last, 2);
    nonce = _mm_xor_si128(nonce, _mm_load_si128((const __m128i *)key->round_keys[0]));
    struct packet packet = {key, v_both(nonce), _mm_setzero_si128()};
    struct tail tail = {
        .counters = (const uint8_t *)needletail_gcm_counters[2],
        .source = job->source,
        .destination = job->destination,
        .length = length % GROUP_BYTES,
        .before = length - length % GROUP_BYTES,
        .patch = is_opening ? 0 : job->patch,
        .aad_bits = 8 * aad_length,
        .bits = 8 * length,
    };
    struct products sum = no_products();
    const uint64_t following = (tail.length + 15) / 16 + 1;
    // A short packet's data, payload and lengths are reduced together.
    const int is_short = groups == 0 && tail.length <= 7 * VECTOR_BYTES && (aad_length + 15) / 16 + following <= 16;
    if (__builtin_expect(aad_length > 256, 0)) {
        packet.hash = hash_long_data(key, job->aad, aad_length);
    } else {
        add_data(&sum, packet.hash, key, job->aad, aad_length, is_short ? following : 0);
        if (!is_short) {
            packet.hash = reduced(sum);
            sum = no_products();
        }
    }
    if (groups == 0 && !is_opening) return do_last(&packet, &tail, sum, 0, is_opening, rounds);

    __m128i counted[GROUP_BLOCKS];
    uint64_t counter = 2;
    for (uint64_t group = 0; group < groups; group++) {
        if (is_opening) {
            do_group(&packet, tail.counters, tail.source, tail.destination, 0, tail.source, 1, rounds);
        } else if (group == 0) {
            do_group(&packet, tail.counters, tail.source, tail.destination, tail.patch, NULL, 0, rounds);
            tail.patch = 0;
        } else {
            do_group(&packet, tail.counters, tail.source, tail.destination, 0, tail.hashed, 1, rounds);
        }
        tail.hashed = tail.destination;
        tail.source += GROUP_BYTES;
        tail.destination += GROUP_BYTES;
        counter += GROUP_BLOCKS;
        tail.counters += GROUP_BYTES;
        if (__builtin_expect(counter + GROUP_BLOCKS > NEEDLETAIL_GCM_COUNTERS, 0)) {
            count_group(counted, counter);
            tail.counters = (const uint8_t *)counted;
        }
    }
    return do_last(&packet, &tail, sum, !is_opening, is_opening, rounds);
}

// What the header declares, with the number of rounds a constant.
INLINE void seal_packets(struct needletail_gcm_job *jobs, uint64_t count) {
    for (struct needletail_gcm_job *job = jobs; job < jobs + count; job++) {
        const int is_short = ((const struct needletail_gcm_key *)job->key)->rounds == 10;
        const __m128i tag = is_short ? do_packet(job, 0, 10) : do_packet(job, 0, 14);
        _mm_storeu_si128((__m128i *)(job->destination + job->length), tag);
    }
}

// The tag is read before anything is written, and compared in constant time.
INLINE void open_packets(struct needletail_gcm_job *jobs, uint64_t count) {
    for (struct needletail_gcm_job *job = jobs; job < jobs + count; job++) {
        const int is_short = ((const struct needletail_gcm_key *)job->key)->rounds == 10;
        const __m128i received = _mm_loadu_si128((const __m128i *)(job->source + job->length));
        const __m128i tag = is_short ? do_packet(job, 1, 10) : do_packet(job, 1, 14);
        const __m128i difference = _mm_xor_si128(received, tag);
        job->is_authentic = (uint32_t)_mm_testz_si128(difference, difference);
    }
}
