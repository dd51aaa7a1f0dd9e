// Which path a CPU can do, and the expansion of keys, by AES-NI and PCLMULQDQ on one block.
#include <immintrin.h>
#include <string.h>

#include "CAesGcm.h"
#include "Key.h"
#include "Tables.h"

#define TARGET "avx,aes,pclmul"

uint32_t needletail_gcm_best_path(void) {
    __builtin_cpu_init();
    // These say no where the operating system does not keep the registers.
    if (!__builtin_cpu_supports("avx") || !__builtin_cpu_supports("aes") || !__builtin_cpu_supports("pclmul"))
        return needletail_gcm_none;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("vaes") || !__builtin_cpu_supports("vpclmulqdq"))
        return needletail_gcm_aesni;
    return needletail_gcm_vaes;
}

// FIPS 197's SubWord, or with `rotated` SubWord of RotWord, without a table.
__attribute__((target(TARGET))) static uint32_t substituted(uint32_t word, int rotated) {
    const __m128i words = _mm_aeskeygenassist_si128(_mm_set1_epi32((int)word), 0);
    return (uint32_t)(rotated ? _mm_extract_epi32(words, 1) : _mm_extract_epi32(words, 0));
}

// FIPS 197 section 5.2, of `count` words (4 or 8); bytes in the order of memory.
static void expand_words(uint32_t *words, uint32_t count, uint32_t total) {
    uint32_t constant = 1;
    for (uint32_t i = count; i < total; i++) {
        uint32_t word = words[i - 1];
        if (i % count == 0) {
            word = substituted(word, 1) ^ constant;
            constant = constant == 0x80 ? 0x1b : constant << 1;
        } else if (count == 8 && i % 8 == 4) {
            word = substituted(word, 0);
        }
        words[i] = words[i - count] ^ word;
    }
}

// The product, with `b` divided by x; see Kernel.h.
__attribute__((target(TARGET))) static __m128i multiplied(__m128i a, __m128i b) {
    const __m128i polynomial = _mm_set_epi64x(0, (long long)0xc200000000000000);
    const __m128i low = _mm_clmulepi64_si128(a, b, 0x00), high = _mm_clmulepi64_si128(a, b, 0x11);
    __m128i middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01), _mm_clmulepi64_si128(a, b, 0x10));
    middle = _mm_xor_si128(middle, _mm_shuffle_epi32(low, 0x4e));
    middle = _mm_xor_si128(middle, _mm_clmulepi64_si128(low, polynomial, 0x00));
    const __m128i high_part = _mm_xor_si128(high, _mm_shuffle_epi32(middle, 0x4e));
    return _mm_xor_si128(high_part, _mm_clmulepi64_si128(middle, polynomial, 0x00));
}

// 1/x is x^127 + x^6 + x + 1: bits 0, 121, 126 and 127 of the reversed number.
__attribute__((target(TARGET))) static __m128i divided(__m128i value) {
    const __m128i carries = _mm_srli_epi64(value, 63);
    const __m128i shifted = _mm_or_si128(_mm_slli_epi64(value, 1), _mm_slli_si128(carries, 8));
    const __m128i out = _mm_sub_epi64(_mm_setzero_si128(), _mm_unpackhi_epi64(carries, carries));
    return _mm_xor_si128(shifted, _mm_and_si128(out, _mm_set_epi64x((long long)0xc200000000000000, 1)));
}

__attribute__((target(TARGET))) void needletail_gcm_expand(void *place, const void *bytes, uint32_t length) {
    struct needletail_gcm_key *key = place;
    uint32_t words[60] = {0};
    key->rounds = length == 16 ? 10 : 14;
    memcpy(words, bytes, length);
    expand_words(words, length / 4, 4 * (key->rounds + 1));
    memcpy(key->round_keys, words, 16 * (key->rounds + 1));

    // H is the cipher of zeros (SP 800-38D section 7.1).
    const __m128i *round_keys = (const __m128i *)key->round_keys;
    __m128i block = _mm_load_si128(round_keys);
    for (uint32_t round = 1; round < key->rounds; round++)
        block = _mm_aesenc_si128(block, _mm_load_si128(round_keys + round));
    block = _mm_aesenclast_si128(block, _mm_load_si128(round_keys + key->rounds));
    const __m128i hash_key = divided(_mm_shuffle_epi8(block, _mm_load_si128((const __m128i *)needletail_gcm_reversed)));
    __m128i power = hash_key;
    for (int at = 15; at >= 0; at--) {
        _mm_store_si128((__m128i *)key->powers[at], power);
        power = multiplied(power, hash_key);
    }
    memset(words, 0, sizeof words);
    __asm__ volatile("" : : "r"(words) : "memory");
}
