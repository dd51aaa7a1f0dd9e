// Two blocks a register.
#include <immintrin.h>

#define TARGET "avx2,aes,pclmul,vaes,vpclmulqdq"
#define LANES 2
#define VECTOR __m256i
#define v_load(at) _mm256_loadu_si256((const __m256i *)(at))
#define v_store(at, value) _mm256_storeu_si256((__m256i *)(at), value)
#define v_broadcast(at) _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)(at)))
#define v_both(block) _mm256_broadcastsi128_si256(block)
#define v_pair(first, second) _mm256_set_m128i(second, first)
#define v_single(block) _mm256_zextsi128_si256(block)
#define v_first(value) _mm256_castsi256_si128(value)
#define v_fold(value) _mm_xor_si128(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1))
#define v_zero() _mm256_setzero_si256()
#define v_xor(a, b) _mm256_xor_si256(a, b)
#define v_and(a, b) _mm256_and_si256(a, b)
#define v_swap(value) _mm256_shuffle_epi32(value, 0x4e)
#define v_shuffle8(value, order) _mm256_shuffle_epi8(value, order)
#define v_multiply(a, b, halves) _mm256_clmulepi64_epi128(a, b, halves)
#define v_aes(state, key) _mm256_aesenc_epi128(state, key)
#define v_aes_last(state, key) _mm256_aesenclast_epi128(state, key)

#include "Kernel.h"

__attribute__((target(TARGET))) void needletail_gcm_vaes_seal(struct needletail_gcm_job *jobs, uint64_t count) {
    seal_packets(jobs, count);
}

__attribute__((target(TARGET))) void needletail_gcm_vaes_open(struct needletail_gcm_job *jobs, uint64_t count) {
    open_packets(jobs, count);
}
