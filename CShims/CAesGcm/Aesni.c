// A block a register.
#include <immintrin.h>

#define TARGET "avx,aes,pclmul"
#define LANES 1
#define VECTOR __m128i
#define v_load(at) _mm_loadu_si128((const __m128i *)(at))
#define v_store(at, value) _mm_storeu_si128((__m128i *)(at), value)
#define v_broadcast(at) _mm_load_si128((const __m128i *)(at))
#define v_both(block) (block)
#define v_single(block) (block)
#define v_first(value) (value)
#define v_fold(value) (value)
#define v_zero() _mm_setzero_si128()
#define v_xor(a, b) _mm_xor_si128(a, b)
#define v_and(a, b) _mm_and_si128(a, b)
#define v_swap(value) _mm_shuffle_epi32(value, 0x4e)
#define v_shuffle8(value, order) _mm_shuffle_epi8(value, order)
#define v_multiply(a, b, halves) _mm_clmulepi64_si128(a, b, halves)
#define v_aes(state, key) _mm_aesenc_si128(state, key)
#define v_aes_last(state, key) _mm_aesenclast_si128(state, key)

#include "Kernel.h"

__attribute__((target(TARGET))) void needletail_gcm_aesni_seal(struct needletail_gcm_job *jobs, uint64_t count) {
    seal_packets(jobs, count);
}

__attribute__((target(TARGET))) void needletail_gcm_aesni_open(struct needletail_gcm_job *jobs, uint64_t count) {
    open_packets(jobs, count);
}
