/* The arithmetic that every kernel form shares, to the bit: elementary functions, the fixed point of activations
 * ("digits"), and the unit of integer sums. docs/numbers.md states the same as mathematics, with the bounds.
 *
 * One header for all: plain C, vectorising C compilers, HIP and CUDA. Everything here is IEEE 754 with round to
 * nearest, explicit fma and no branch, so that a compiler may run it in as many lanes as it likes and gets the same
 * bits. It must be compiled without contraction and without fast-math. */
#ifndef GRETA_NUMBERS_H
#define GRETA_NUMBERS_H

#ifndef GRETA_FN /* a GPU compiler's target.h says __device__ here */
#include <math.h>
#include <stdint.h>
#include <string.h>
#define GRETA_FN static inline __attribute__((always_inline, unused))
#endif

GRETA_FN uint32_t greta_bits32(float x)
{
	uint32_t u;
	memcpy(&u, &x, sizeof(u));
	return u;
}

GRETA_FN float greta_float(uint32_t u)
{
	float x;
	memcpy(&x, &u, sizeof(x));
	return x;
}

GRETA_FN uint64_t greta_bits64(double x)
{
	uint64_t u;
	memcpy(&u, &x, sizeof(u));
	return u;
}

GRETA_FN double greta_double(uint64_t u)
{
	double x;
	memcpy(&x, &u, sizeof(x));
	return x;
}

/* 2^n, exact, for -126 <= n <= 127. */
GRETA_FN float greta_pow2f(int n) { return greta_float((uint32_t)(n + 127) << 23); }

/* 2^n, exact, for -1022 <= n <= 1023. */
GRETA_FN double greta_pow2(int n) { return greta_double((uint64_t)(n + 1023) << 52); }

/* e^x in fp32: x = n ln 2 + r with n = rint(x / ln 2), Taylor polynomial of degree 7 in r (|r| <= 0.3466: its remainder
 * is below 2^-27), times 2^n in two steps, so that results are rounded once in the denormal range and overflow to
 * infinity. exp(0) == 1, exp(-inf) == 0; below -104 it is 0. Error below 1 ulp (measured over all inputs in tests). */
GRETA_FN float greta_expf(float x)
{
	const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
	x = x < -105.0f ? -105.0f : x;
	x = x > 89.0f ? 89.0f : x;
	float t = fmaf(x, 0x1.715476p+0f, magic);
	float n = t - magic;
	float r = fmaf(n, -0x1.62e400p-1f, x); /* ln 2 in two parts */
	r = fmaf(n, -0x1.7f7d1cp-20f, r);
	float p = 1.0f / 5040;
	p = fmaf(p, r, 1.0f / 720);
	p = fmaf(p, r, 1.0f / 120);
	p = fmaf(p, r, 1.0f / 24);
	p = fmaf(p, r, 1.0f / 6);
	p = fmaf(p, r, 0.5f);
	p = fmaf(p, r, 1.0f);
	p = fmaf(p, r, 1.0f);
	int32_t k = (int32_t)(greta_bits32(t) - greta_bits32(magic));
	int32_t half = k >> 1;
	return p * greta_float((uint32_t)(half + 127) << 23) * greta_float((uint32_t)(k - half + 127) << 23);
}

/* x * sigmoid(x) = x / (1 + e^-x), each operation rounded to fp32. */
GRETA_FN float greta_siluf(float x) { return x / (1.0f + greta_expf(-x)); }

/* Sine and cosine of a (fp64, 0 <= a < 2^20), each rounded to fp32: a = n pi/2 + r in three parts, Taylor polynomials
 * in fp64 (|r| <= 0.7854: remainders below 2^-52), then the quadrant. */
GRETA_FN void greta_sincos(double a, float *out_sin, float *out_cos)
{
	const double magic = 6755399441055744.0; /* 1.5 * 2^52 */
	double t = fma(a, 0x1.45f306dc9c883p-1, magic);
	double n = t - magic;
	double r = fma(n, -0x1.921fb54442d18p+0, a);
	r = fma(n, -0x1.1a62633145c07p-54, r);
	double z = r * r;
	double s = -1.0 / 1307674368000;
	s = fma(s, z, 1.0 / 6227020800);
	s = fma(s, z, -1.0 / 39916800);
	s = fma(s, z, 1.0 / 362880);
	s = fma(s, z, -1.0 / 5040);
	s = fma(s, z, 1.0 / 120);
	s = fma(s, z, -1.0 / 6);
	s = fma(s * z, r, r);
	double c = 1.0 / 20922789888000;
	c = fma(c, z, -1.0 / 87178291200);
	c = fma(c, z, 1.0 / 479001600);
	c = fma(c, z, -1.0 / 3628800);
	c = fma(c, z, 1.0 / 40320);
	c = fma(c, z, -1.0 / 720);
	c = fma(c, z, 1.0 / 24);
	c = fma(c, z, -0.5);
	c = fma(c, z, 1.0);
	uint64_t quadrant = greta_bits64(t) - greta_bits64(magic);
	double sine = quadrant & 1 ? c : s;
	double cosine = quadrant & 1 ? s : c;
	*out_sin = (float)(quadrant & 2 ? -sine : sine);
	*out_cos = (float)((quadrant + 1) & 2 ? -cosine : cosine);
}

/* e^x in fp64 for |x| < 700, used when planning (rotation frequencies): as greta_expf, Taylor degree 13. */
GRETA_FN double greta_exp(double x)
{
	const double magic = 6755399441055744.0;
	double t = fma(x, 0x1.71547652b82fep+0, magic);
	double n = t - magic;
	double r = fma(n, -0x1.62e42fefa39efp-1, x);
	r = fma(n, -0x1.abc9e3b39803fp-56, r);
	double p = 1.0 / 6227020800;
	p = fma(p, r, 1.0 / 479001600);
	p = fma(p, r, 1.0 / 39916800);
	p = fma(p, r, 1.0 / 3628800);
	p = fma(p, r, 1.0 / 362880);
	p = fma(p, r, 1.0 / 40320);
	p = fma(p, r, 1.0 / 5040);
	p = fma(p, r, 1.0 / 720);
	p = fma(p, r, 1.0 / 120);
	p = fma(p, r, 1.0 / 24);
	p = fma(p, r, 1.0 / 6);
	p = fma(p, r, 0.5);
	p = fma(p, r, 1.0);
	p = fma(p, r, 1.0);
	return p * greta_pow2((int)(int64_t)(greta_bits64(t) - greta_bits64(magic)));
}

/* ln x in fp64 for finite normal x > 0, used when planning: x = m 2^e with sqrt(1/2) <= m < sqrt(2),
 * ln m = 2 artanh((m - 1) / (m + 1)) as a series to the 23rd power. */
GRETA_FN double greta_log(double x)
{
	uint64_t u = greta_bits64(x);
	int e = (int)(u >> 52) - 1023;
	double m = greta_double((u & UINT64_C(0xfffffffffffff)) | UINT64_C(0x3ff0000000000000));
	if (m > 0x1.6a09e667f3bcdp+0) {
		m *= 0.5;
		e++;
	}
	double s = (m - 1.0) / (m + 1.0);
	double z = s * s;
	double p = 1.0 / 23;
	for (int k = 21; k >= 1; k -= 2)
		p = fma(p, z, 1.0 / k);
	return fma((double)e, 0x1.62e42fefa39efp-1, 2.0 * s * p);
}

/* IEEE half to float: exact. */
GRETA_FN float greta_f16_to_f32(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16;
	uint32_t rest = (uint32_t)(h & 0x7fff) << 13;
	/* Scaling by 2^112 moves the exponent's bias and makes half denormals normal, in one exact multiplication. */
	float magnitude = greta_float(rest) * 0x1p112f;
	uint32_t u = greta_bits32(magnitude);
	u = (h & 0x7c00) == 0x7c00 ? rest | 0x7f800000 : u;
	return greta_float(u | sign);
}

/* float to IEEE half, round to nearest even, overflow to infinity; every NaN becomes 0x7e00 with the sign kept. */
GRETA_FN uint16_t greta_f32_to_f16(float x)
{
	uint32_t u = greta_bits32(x);
	uint32_t sign = (u >> 16) & 0x8000;
	u &= 0x7fffffff;
	uint32_t normal = (u + 0xfff + ((u >> 13) & 1) - 0x38000000) >> 13;
	/* Adding 0.5 puts a half denormal's last bit where fp32 rounds. */
	uint32_t denormal = greta_bits32(greta_float(u) + 0.5f) - 0x3f000000;
	uint32_t h = u < 0x38800000 ? denormal : normal;
	h = u >= 0x477ff000 ? 0x7c00 : h;
	h = u > 0x7f800000 ? 0x7e00 : h;
	return (uint16_t)(sign | h);
}

/* bfloat16 to float: exact. */
GRETA_FN float greta_bf16_to_f32(uint16_t h) { return greta_float((uint32_t)h << 16); }

/* ---- Digits: activations in fixed point ---------------------------------------------------------------------------
 * A vector is cut into blocks of 256. With D digits (1 to 4), a block has an exponent E and each of its values x
 * becomes the integer X = rint(x * 2^(8D - 1 - E)), |X| <= 127 * (256^D - 1) / 255, which is written as D balanced
 * base-256 digits in [-128, 127]: X = sum of digit[i] * 256^i. */

#define GRETA_DIGIT_BLOCK 256
#define GRETA_EXPONENT_MIN (-96)
#define GRETA_EXPONENT_NONFINITE 1000 /* a block that holds an infinity or a NaN: its digits are all zero */

/* E for a block whose largest magnitude has the bits `amax` (fp32, sign cleared): the smallest E >= GRETA_EXPONENT_MIN
 * for which the largest X stays within its bound. The addition carries into the exponent field just when rounding would
 * exceed it. */
GRETA_FN int greta_digits_exponent(uint32_t amax, int digits)
{
	uint32_t carry = digits == 1 ? 0x10000 : digits == 2 ? 0x10100 : 0x10101;
	int e = (int)((amax + carry) >> 23) - 126;
	e = e < GRETA_EXPONENT_MIN ? GRETA_EXPONENT_MIN : e;
	return amax >= 0x7f800000 ? GRETA_EXPONENT_NONFINITE : e;
}

/* The factor that turns x into X, a power of two;
 * 0 for a non-finite block (whose digits the caller sets to zero: 0 * inf is not 0). */
GRETA_FN float greta_digits_scale(int exponent, int digits)
{
	return exponent == GRETA_EXPONENT_NONFINITE ? 0.0f : greta_pow2f(8 * digits - 1 - exponent);
}

/* The four digits of X as bytes of one word, digit 0 lowest; digits that X does not reach are zero. */
GRETA_FN uint32_t greta_digits_split(int32_t x) { return ((uint32_t)x + 0x80808080u) ^ 0x80808080u; }

/* ---- The unit of a product's sums ---------------------------------------------------------------------------------
 * y = W x with `blocks` blocks of 256 a row is summed in integers of the unit 2^U, U = greta_product_unit(...). Each
 * exact block term is rounded down to the unit; |sum| < 2^51, so the sums also fit the binade of 1.5 * 2^52 in fp64,
 * where a fused multiply-add that rounds down does the same as the integers (docs/numbers.md). */

/* ceil(log2(n)) for n >= 1. */
GRETA_FN int greta_log2_ceil(uint32_t n)
{
	return n > 1 ? 32 - __builtin_clz(n - 1) : 0;
}

/* `weight_exponent`: all scales (or weights) of the tensor are below 2^weight_exponent in magnitude. `type_bits`: see
 * greta_type_bits. `vector_exponent`: the largest E of the vector's blocks. */
GRETA_FN int greta_product_unit(int weight_exponent, int type_bits, int vector_exponent, uint32_t blocks)
{
	return weight_exponent + type_bits + vector_exponent + greta_log2_ceil(blocks) - 51;
}

#define GRETA_ROUND_BIAS 6755399441055744.0 /* 1.5 * 2^52 */
#define GRETA_NAN_BITS 0x7fc00000u          /* every product of a non-finite vector is this NaN */

#endif
