/* Conversions between float and the small formats of CDNA3: f16, bf16, xf32, and the two 8-bit FNUZ formats. */
#ifndef SIM942_HALF_H
#define SIM942_HALF_H
#include <stdint.h>
#include <string.h>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

static inline uint32_t bits_of_float(float f) { uint32_t u; memcpy(&u, &f, 4); return u; }
static inline float float_of_bits(uint32_t u) { float f; memcpy(&f, &u, 4); return f; }
static inline uint64_t bits_of_double(double f) { uint64_t u; memcpy(&u, &f, 8); return u; }
static inline double double_of_bits(uint64_t u) { double f; memcpy(&f, &u, 8); return f; }

static inline float half_to_float(uint32_t h)
{
	uint32_t sign = (h & 0x8000) << 16, magnitude = (h & 0x7fff) << 13;
	if (magnitude >= 0x0f800000)   /* infinity or NaN; a NaN becomes quiet */
		return float_of_bits(sign | 0x7f800000 | (magnitude & 0x7fffff) | (magnitude > 0x0f800000 ? 0x400000 : 0));
	return float_of_bits(sign | bits_of_float(float_of_bits(magnitude) * 0x1p112f));
}

static inline uint32_t float_to_half(float f)   /* to nearest even */
{
	uint32_t x = bits_of_float(f), sign = x >> 16 & 0x8000;
	x &= 0x7fffffff;
	if (x > 0x7f800000)
		return sign | 0x7e00 | (x >> 13 & 0x1ff);
	if (x >= 0x47800000)
		return sign | 0x7c00;
	if (x >= 0x38800000)
		return sign | ((x + 0xfff + (x >> 13 & 1) - 0x38000000) >> 13);
	return sign | (bits_of_float(float_of_bits(x) + 0.5f) - 0x3f000000);
}

static inline uint32_t float_to_half_toward_zero(float f)
{
	uint32_t x = bits_of_float(f), sign = x >> 16 & 0x8000;
	x &= 0x7fffffff;
	if (x > 0x7f800000)
		return sign | 0x7e00 | (x >> 13 & 0x1ff);
	if (x == 0x7f800000)
		return sign | 0x7c00;
	if (x >= 0x47800000)
		return sign | 0x7bff;
	if (x >= 0x38800000)
		return sign | ((x - 0x38000000) >> 13);
	uint32_t shift = 126 - (x >> 23);
	return sign | (shift > 24 ? 0 : ((x & 0x7fffff) | 0x800000) >> shift);
}

/* Single rounding of a double, by way of a float rounded to odd. */
static inline uint32_t double_to_half(double x)
{
	float f = (float)x;
	if ((double)f != x && f - f == 0) {
		uint32_t u = bits_of_float(f);
		if (!(u & 1))
			f = float_of_bits(((double)f < x) == (x > 0) ? u + 1 : u - 1);
	}
	return float_to_half(f);
}

static inline float bf16_to_float(uint32_t b) { return float_of_bits(b << 16); }

static inline uint32_t float_to_bf16(float f)
{
	uint32_t x = bits_of_float(f);
	if ((x & 0x7fffffff) > 0x7f800000)
		return x >> 16 | 0x40;
	return (x + 0x7fff + (x >> 16 & 1)) >> 16;
}

static inline float float_to_xf32(float f)   /* 10 bits of mantissa, to nearest even */
{
	uint32_t x = bits_of_float(f);
	if ((x & 0x7f800000) == 0x7f800000)
		return f;
	return float_of_bits((x + 0xfff + (x >> 13 & 1)) & ~0x1fffu);
}

/* FNUZ: no infinities, no negative zero, 0x80 is NaN. fp8 has 3 bits of mantissa and bias 8, bf8 2 bits and bias 16. */
static inline float small_to_float(uint32_t b, int mantissa_bits, int bias)
{
	if ((b & 0xff) == 0x80)
		return float_of_bits(0x7fc00000);
	int exponent = (b & 0x7f) >> mantissa_bits;
	float mantissa = (float)(b & ((1u << mantissa_bits) - 1)) / (float)(1 << mantissa_bits);
	float scale = float_of_bits((uint32_t)((exponent ? exponent : 1) - bias + 127) << 23);
	float value = scale * (exponent ? 1 + mantissa : mantissa);
	return b & 0x80 ? -value : value;
}
static inline float fp8_to_float(uint32_t b) { return small_to_float(b, 3, 8); }
static inline float bf8_to_float(uint32_t b) { return small_to_float(b, 2, 16); }

static inline uint32_t float_to_small(float f, int mantissa_bits, int bias, int saturate)
{
	uint32_t x = bits_of_float(f), sign = x >> 24 & 0x80;
	x &= 0x7fffffff;
	if (x > 0x7f800000)
		return 0x80;
	uint32_t max = 0x7f;
	double magnitude = (double)float_of_bits(x);
	int lowest = 1 - bias - mantissa_bits;   /* exponent of the smallest step */
	uint32_t result;
	if (x == 0x7f800000) {
		result = max + 1;
	} else {
		int exponent = (int)(x >> 23) - 127;
		int step = exponent - mantissa_bits < lowest ? lowest : exponent - mantissa_bits;
		double units = magnitude * double_of_bits((uint64_t)(1023 - step) << 52);
		double whole = __builtin_rint(units);
		uint32_t n = (uint32_t)whole;   /* at most 2^(mantissa_bits + 1) */
		if (step == lowest)
			result = n;                 /* a carry runs into the exponent field by itself */
		else
			result = ((uint32_t)(step - lowest) << mantissa_bits) + n;
	}
	if (result > max)
		return saturate ? sign | max : 0x80;
	return result ? sign | result : 0;
}
static inline uint32_t float_to_fp8(float f, int saturate) { return float_to_small(f, 3, 8, saturate); }
static inline uint32_t float_to_bf8(float f, int saturate) { return float_to_small(f, 2, 16, saturate); }

/* 64 values at a time. `hi` picks the upper halves of the source words. */
static inline void halves_to_floats(const uint32_t *raw, int hi, float *out)
{
#if defined(__AVX512F__)
	for (int i = 0; i < 64; i += 16) {
		__m512i x = _mm512_loadu_si512(raw + i);
		if (hi)
			x = _mm512_srli_epi32(x, 16);
		_mm512_storeu_ps(out + i, _mm512_cvtph_ps(_mm512_cvtepi32_epi16(x)));
	}
#else
	for (int i = 0; i < 64; i++)
		out[i] = half_to_float(raw[i] >> (hi ? 16 : 0) & 0xffff);
#endif
}

static inline void floats_to_halves(const float *in, uint32_t *out)   /* zero-extended, in the current rounding mode */
{
#if defined(__AVX512F__)
	for (int i = 0; i < 64; i += 16)
		_mm512_storeu_si512(out + i, _mm512_cvtepu16_epi32(_mm512_cvtps_ph(_mm512_loadu_ps(in + i),
				_MM_FROUND_CUR_DIRECTION)));
#else
	for (int i = 0; i < 64; i++)
		out[i] = float_to_half(in[i]);
#endif
}
#endif
