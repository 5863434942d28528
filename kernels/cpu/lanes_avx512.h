/* kernels/cpu/lanes.h on AVX-512. */
#ifndef GRETA_CPU_LANES_AVX512_H
#define GRETA_CPU_LANES_AVX512_H

#include <immintrin.h>

typedef __m512 greta_lanes;

GRETA_FN greta_lanes greta_lanes_set(float x) { return _mm512_set1_ps(x); }
GRETA_FN greta_lanes greta_lanes_load(const float *at) { return _mm512_loadu_ps(at); }
GRETA_FN void greta_lanes_store(float *at, greta_lanes x) { _mm512_storeu_ps(at, x); }
GRETA_FN greta_lanes greta_lanes_load_half(const uint16_t *at)
{
	return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)at));
}
GRETA_FN void greta_lanes_store_half(uint16_t *at, greta_lanes x)
{
	_mm256_storeu_si256((__m256i *)at, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
GRETA_FN greta_lanes greta_lanes_mul(greta_lanes a, greta_lanes b) { return _mm512_mul_ps(a, b); }
GRETA_FN greta_lanes greta_lanes_div(greta_lanes a, greta_lanes b) { return _mm512_div_ps(a, b); }
GRETA_FN greta_lanes greta_lanes_fma(greta_lanes a, greta_lanes b, greta_lanes c) { return _mm512_fmadd_ps(a, b, c); }

#endif
