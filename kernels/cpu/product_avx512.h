/* Pieces that the AVX-512 inner loops share: words of 16 rows, their scales, broadcast digits. */
#ifndef GRETA_CPU_PRODUCT_AVX512_H
#define GRETA_CPU_PRODUCT_AVX512_H

#include <immintrin.h>
#include <stdbool.h>

#include "kernels/cpu/product.h"
#include "kernels/numbers.h"
#include "models/types.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Loops over digits and words must disappear, or their arrays become memory; those around them should stay. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#define NO_UNROLL _Pragma("clang loop unroll(disable)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#define NO_UNROLL _Pragma("GCC unroll 1")
#endif

/* Word w of 16 rows. */
static ALWAYS_INLINE __m512i word(const uint8_t *words, int w)
{
	return _mm512_loadu_si512((const void *)(words + (size_t)w * 64));
}

/* Four digits to every lane. */
static ALWAYS_INLINE __m512i broadcast4(const int8_t *four)
{
	int32_t word;
	__builtin_memcpy(&word, four, sizeof(word));
	return _mm512_set1_epi32(word);
}

/* What `at` will be followed by 32 KB on, into the second-level cache;
 * volatile, so that it stays where it is written. */
static ALWAYS_INLINE void prefetch(const uint8_t *at)
{
	__asm__ volatile("prefetcht1 32768(%0)" : : "r"(at) : "memory");
}

/* `base` with the bits of `mask` taken from `bits`. */
static ALWAYS_INLINE __m512i insert_bits(__m512i base, __m512i bits, __m512i mask)
{
	return _mm512_ternarylogic_epi32(base, bits, mask, 0xf8); /* base | (bits & mask) */
}

/* Byte j of every lane as a number. */
static ALWAYS_INLINE __m512i scale_lane(__m512i bytes, int j)
{
	__m512i moved = j ? _mm512_srli_epi32(bytes, (unsigned)(8 * j)) : bytes;
	return j == 3 ? moved : _mm512_and_si512(moved, _mm512_set1_epi32(0xff));
}

static ALWAYS_INLINE __m512i signed_lane(__m512i bytes, int j)
{
	return _mm512_srai_epi32(j == 3 ? bytes : _mm512_slli_epi32(bytes, (unsigned)(24 - 8 * j)), 24);
}

/* a * b + c, rounded towards minus infinity. */
static ALWAYS_INLINE __m512d fma_down(__m512d a, __m512d b, __m512d c)
{
	return _mm512_fmadd_round_pd(a, b, c, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}

/* The block's exact integers, lanes 0-7 and 8-15, from sums per digit: A = sum z[d] 256^d. */
static ALWAYS_INLINE void join_digits(const int D, const __m512i *z, __m512d out[2])
{
	__m512d low = _mm512_cvtepi32_pd(_mm512_castsi512_si256(z[D - 1]));
	__m512d high = _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(z[D - 1], 1));
	const __m512d radix = _mm512_set1_pd(256);
	UNROLL
	for (int d = D - 2; d >= 0; d--) {
		low = _mm512_fmadd_pd(low, radix, _mm512_cvtepi32_pd(_mm512_castsi512_si256(z[d])));
		high = _mm512_fmadd_pd(high, radix, _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(z[d], 1)));
	}
	out[0] = low;
	out[1] = high;
}

/* The head of a Q4_K or Q5_K block: d in the low and dmin in the high half of lanes;
 * scales and mins of sub-blocks 0-3 and 4-7 as bytes. */
struct greta_k_scales {
	__m512i d;
	__m512i scale[2], min[2];
};

static ALWAYS_INLINE struct greta_k_scales k_scales(const uint8_t *words)
{
	const __m512i six = _mm512_set1_epi8(0x3f);
	const __m512i four = _mm512_set1_epi8(0x0f);
	const __m512i two = _mm512_set1_epi8(0x30);
	__m512i a = word(words, 1), b = word(words, 2), c = word(words, 3);
	struct greta_k_scales s;
	s.d = word(words, 0);
	s.scale[0] = _mm512_and_si512(a, six);
	s.min[0] = _mm512_and_si512(b, six);
	s.scale[1] = insert_bits(_mm512_and_si512(c, four), _mm512_srli_epi32(a, 2), two);
	s.min[1] = insert_bits(_mm512_and_si512(_mm512_srli_epi32(c, 4), four), _mm512_srli_epi32(b, 2), two);
	return s;
}

/* The scales of sub-blocks 2 p and 2 p + 1 in bytes 0 and 1 of every lane. */
static ALWAYS_INLINE __m512i two_scales(const struct greta_k_scales *s, int p)
{
	return _mm512_srl_epi32(s->scale[p / 2], _mm_cvtsi32_si128(p % 2 * 16));
}

/* Sums for several vectors at a time (product_avx512_many.c), where that pays. */
bool greta_cpu_avx512_many_wants(const struct greta_cpu_sums_job *job);
void greta_cpu_avx512_many_sums(const struct greta_cpu_sums_job *job);

#endif
