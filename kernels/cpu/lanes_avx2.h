/* kernels/cpu/lanes.h on AVX2 with FMA and F16C. */
#ifndef GRETA_CPU_LANES_AVX2_H
#define GRETA_CPU_LANES_AVX2_H

#include <immintrin.h>

typedef struct {
	__m256 low, high;
} greta_lanes;

GRETA_FN greta_lanes greta_lanes_set(float x) { return (greta_lanes){_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
GRETA_FN greta_lanes greta_lanes_load(const float *at)
{
	return (greta_lanes){_mm256_loadu_ps(at), _mm256_loadu_ps(at + 8)};
}
GRETA_FN void greta_lanes_store(float *at, greta_lanes x)
{
	_mm256_storeu_ps(at, x.low);
	_mm256_storeu_ps(at + 8, x.high);
}
GRETA_FN greta_lanes greta_lanes_load_half(const uint16_t *at)
{
	return (greta_lanes){_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)at)),
	                     _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(at + 8)))};
}
GRETA_FN void greta_lanes_store_half(uint16_t *at, greta_lanes x)
{
	_mm_storeu_si128((__m128i *)at, _mm256_cvtps_ph(x.low, _MM_FROUND_TO_NEAREST_INT));
	_mm_storeu_si128((__m128i *)(at + 8), _mm256_cvtps_ph(x.high, _MM_FROUND_TO_NEAREST_INT));
}
GRETA_FN greta_lanes greta_lanes_mul(greta_lanes a, greta_lanes b)
{
	return (greta_lanes){_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
GRETA_FN greta_lanes greta_lanes_div(greta_lanes a, greta_lanes b)
{
	return (greta_lanes){_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
GRETA_FN greta_lanes greta_lanes_fma(greta_lanes a, greta_lanes b, greta_lanes c)
{
	return (greta_lanes){_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}

#endif
