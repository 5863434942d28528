/* f32 and f64 arithmetic.
 *
 * Transcendentals use the host's libm, which is nearer the true value than the device's 1 ulp; what the device flushes
 * (denormals in and out of exp, log, rcp, rsq and sqrt of f32) is flushed here too.
 */
#include <math.h>
#include "vector_ops.h"

static inline float flush(float x) { return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x; }

/* Minimum and maximum: a NaN loses to a number, -0 is below +0. */
static inline float min_f(float a, float b)
{
	uint32_t equal = bits_of_float(a) | bits_of_float(b);
	float least = a < b ? a : b < a ? b : a == b ? float_of_bits(equal) : a != a ? b : a;
	return least;
}
static inline float max_f(float a, float b)
{
	uint32_t equal = bits_of_float(a) & bits_of_float(b);
	return a > b ? a : b > a ? b : a == b ? float_of_bits(equal) : a != a ? b : a;
}
static inline double min_d(double a, double b)
{
	uint64_t equal = bits_of_double(a) | bits_of_double(b);
	return a < b ? a : b < a ? b : a == b ? double_of_bits(equal) : a != a ? b : a;
}
static inline double max_d(double a, double b)
{
	uint64_t equal = bits_of_double(a) & bits_of_double(b);
	return a > b ? a : b > a ? b : a == b ? double_of_bits(equal) : a != a ? b : a;
}
static inline float med3_f(float a, float b, float c)
{
	if (a != a || b != b || c != c)
		return min_f(min_f(a, b), c);
	float most = max_f(max_f(a, b), c);
	return most == a ? max_f(b, c) : most == b ? max_f(a, c) : max_f(a, b);
}

V2(v_add_f32, float, float, x + y)
V2(v_sub_f32, float, float, x - y)
V2(v_subrev_f32, float, float, y - x)
V2(v_mul_f32, float, float, x * y)
V2(v_mul_legacy_f32, float, float, x == 0 || y == 0 ? 0 : x * y)
V2(v_min_f32, float, float, min_f(x, y))
V2(v_max_f32, float, float, max_f(x, y))
V2ACC(v_fmac_f32, float, float, fmaf(x, y, z))
V3(v_fma_f32, float, float, fmaf(x, y, z))
V3(v_mad_f32, float, float, flush(flush(flush(x) * flush(y)) + flush(z))) /* CDNA2's; two roundings, no denormals */
V3(v_min3_f32, float, float, min_f(min_f(x, y), z))
V3(v_max3_f32, float, float, max_f(max_f(x, y), z))
V3(v_med3_f32, float, float, med3_f(x, y, z))
V1(v_trunc_f32, float, float, truncf(x))
V1(v_ceil_f32, float, float, ceilf(x))
V1(v_rndne_f32, float, float, __builtin_rintf(x))
V1(v_floor_f32, float, float, floorf(x))
V1(v_fract_f32, float, float, x - floorf(x) >= 1 ? 0x1.fffffep-1f : x - floorf(x))
V1(v_exp_f32, float, float, flush(exp2f(flush(x))))
V1(v_log_f32, float, float, log2f(flush(x)))
V1(v_rcp_f32, float, float, flush(1 / flush(x)))
V1(v_rsq_f32, float, float, (float)(1 / sqrt((double)flush(x))))
V1(v_sqrt_f32, float, float, sqrtf(flush(x)))

static float sin_turns(float x)
{
	return x - x == 0 && fabsf(x) > 256 ? 0 : (float)sin(2 * M_PI * ((double)x - rint((double)x)));
}
static float cos_turns(float x)
{
	return x - x == 0 && fabsf(x) > 256 ? 1 : (float)cos(2 * M_PI * ((double)x - rint((double)x)));
}
V1(v_sin_f32, float, float, sin_turns(x))
V1(v_cos_f32, float, float, cos_turns(x))

static inline int32_t frexp_exponent(double x) { int e; return x == 0 || x - x != 0 ? 0 : (frexp(x, &e), e); }
static inline double frexp_mantissa(double x) { int e; return x - x != 0 ? x : frexp(x, &e); }
V1(v_frexp_mant_f32, float, float, frexp_mantissa((double)x))
static int frexp_exp_f32(struct wave *w, const struct insn *in)
{
	lanes32 t0, r;
	const float *a = (const float *)src32(w, in, 0, t0);
	for (int i = 0; i < LANES; i++)
		r[i] = (uint32_t)frexp_exponent((double)a[i]);
	put32(w, in, r);
	return GO_ON;
}
static inline int limit(int32_t e) { return e > 5000 ? 5000 : e < -5000 ? -5000 : e; }
VECTOR_HANDLER(v_ldexp_f32)
{
	lanes32 t0, t1, r;
	const float *a = (const float *)src32(w, in, 0, t0);
	const uint32_t *b = src32(w, in, 1, t1);
	for (int i = 0; i < LANES; i++)
		r[i] = bits_of_float(ldexpf(a[i], limit((int32_t)b[i])));
	put32(w, in, r);
	return GO_ON;
}

/* fmamk: x * K + y; fmaak: x * y + K, where K is the literal, the second and third source. */
V3(v_fmamk_f32, float, float, fmaf(x, y, z))

/* Packed f32. */
#define PACKED_F32(name, sources, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanesf t0, t1, t2, f[2]; \
		lanes64 r; \
		for (int half = 0; half < 2; half++) { \
			const float *a = src_packed_f32(w, in, 0, half, t0), *b = src_packed_f32(w, in, 1, half, t1); \
			const float *c = sources == 3 ? src_packed_f32(w, in, 2, half, t2) : b; \
			EACH_LANE(i) { float x = a[i], y = b[i], z = c[i]; (void)z; f[half][i] = (expr); } \
		} \
		if (in->plain_dst && *exec_of(w) == ~0ull) { \
			memcpy(vector_register(w, &in->dst), f, sizeof f); \
			return GO_ON; \
		} \
		EACH_LANE(i) r[i] = bits_of_float(f[0][i]) | (uint64_t)bits_of_float(f[1][i]) << 32; \
		put64(w, in, r); \
		return GO_ON; \
	}
PACKED_F32(v_pk_fma_f32, 3, fmaf(x, y, z))
PACKED_F32(v_pk_mul_f32, 2, x * y)
PACKED_F32(v_pk_add_f32, 2, x + y)

VECTOR_HANDLER(v_pk_mov_b32)
{
	lanesf t0, t1;
	lanes64 r;
	const uint32_t *a = (const uint32_t *)src_packed_f32(w, in, 0, 0, t0);
	const uint32_t *b = (const uint32_t *)src_packed_f32(w, in, 1, 0, t1);   /* the upper word, chosen by op_sel[1] */
	EACH_LANE(i)
		r[i] = a[i] | (uint64_t)b[i] << 32;
	put64(w, in, r);
	return GO_ON;
}

/* f64 */
D2(v_add_f64, double, x + y)
D2(v_mul_f64, double, x * y)
D2(v_min_f64, double, min_d(x, y))
D2(v_max_f64, double, max_d(x, y))
D3(v_fma_f64, double, fma(x, y, z))
VECTOR_HANDLER(v_fmac_f64)
{
	lanes64 t0, t1, r;
	const double *a = (const double *)src64(w, in, 0, t0), *b = (const double *)src64(w, in, 1, t1);
	const uint32_t *c = vector_register(w, &in->dst);
	EACH_LANE(i)
		r[i] = bits_of_double(fma(a[i], b[i], double_of_bits(c[i] | (uint64_t)c[LANES + i] << 32)));
	put64(w, in, r);
	return GO_ON;
}
D1(v_trunc_f64, double, trunc(x))
D1(v_ceil_f64, double, ceil(x))
D1(v_rndne_f64, double, __builtin_rint(x))
D1(v_floor_f64, double, floor(x))
D1(v_fract_f64, double, x - floor(x) >= 1 ? 0x1.fffffffffffffp-1 : x - floor(x))
D1(v_rcp_f64, double, 1 / x)
D1(v_rsq_f64, double, 1 / sqrt(x))
D1(v_sqrt_f64, double, sqrt(x))
D1(v_frexp_mant_f64, double, frexp_mantissa(x))
static int frexp_exp_f64(struct wave *w, const struct insn *in)
{
	lanes64 t0;
	lanes32 r;
	const double *a = (const double *)src64(w, in, 0, t0);
	for (int i = 0; i < LANES; i++)
		r[i] = (uint32_t)frexp_exponent(a[i]);
	put32(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_ldexp_f64)
{
	lanes64 t0, r;
	lanes32 t1;
	const double *a = (const double *)src64(w, in, 0, t0);
	const uint32_t *b = src32(w, in, 1, t1);
	for (int i = 0; i < LANES; i++)
		r[i] = bits_of_double(ldexp(a[i], limit((int32_t)b[i])));
	put64(w, in, r);
	return GO_ON;
}

/* Division: scale brings numerator and denominator into a range where the Newton steps neither overflow nor lose bits,
 * fmas takes the last step and undoes the scaling, fixup settles the special cases. VCC says that fmas has to rescale.
 * f32 scales by 2^64 and f64 by 2^128. */
static inline int exponent32(float x) { return bits_of_float(x) >> 23 & 255; }
static inline int exponent64(double x) { return (int)(bits_of_double(x) >> 52 & 2047); }

#define DIV_SCALE(name, T, exponent, big, tiny, step, ldexp_, smallest) \
	static T name(T s0, T s1, T s2, uint32_t *rescale) \
	{ \
		T q = s2 / s1, inverse = 1 / s1; \
		bool q_small = fabs((double)q) < smallest, inverse_small = fabs((double)inverse) < smallest; \
		*rescale = 0; \
		if (s2 == 0 || s1 == 0) \
			return (T)NAN; \
		if (exponent(s2) - exponent(s1) >= big) { \
			*rescale = 1; \
			return bits_equal(s0, s1) ? ldexp_(s0, step) : s0; \
		} \
		if (exponent(s1) == 0) \
			return ldexp_(s0, step); \
		if (inverse_small && q_small) { \
			*rescale = 1; \
			return bits_equal(s0, s1) ? ldexp_(s0, -step) : s0; \
		} \
		if (inverse_small) \
			return ldexp_(s0, -step); \
		if (q_small) { \
			*rescale = 1; \
			return bits_equal(s0, s2) ? ldexp_(s0, step) : s0; \
		} \
		if (exponent(s2) <= tiny) \
			return ldexp_(s0, step); \
		return s0; \
	}
#define bits_equal(a, b) (memcmp(&(a), &(b), sizeof(a)) == 0)
DIV_SCALE(div_scale32, float, exponent32, 96, 23, 64, ldexpf, 0x1p-126)
DIV_SCALE(div_scale64, double, exponent64, 768, 53, 128, ldexp, 0x1p-1022)

VECTOR_HANDLER(v_div_scale_f32)
{
	lanes32 t0, t1, t2, r, rescale;
	const float *a = (const float *)src32(w, in, 0, t0), *b = (const float *)src32(w, in, 1, t1),
			*c = (const float *)src32(w, in, 2, t2);
	for (int i = 0; i < LANES; i++)
		r[i] = bits_of_float(div_scale32(a[i], b[i], c[i], &rescale[i]));
	put32(w, in, r);
	write_mask(w, &in->sdst, pack_mask(rescale) & *exec_of(w));
	return GO_ON;
}
VECTOR_HANDLER(v_div_scale_f64)
{
	lanes64 t0, t1, t2, r;
	lanes32 rescale;
	const double *a = (const double *)src64(w, in, 0, t0), *b = (const double *)src64(w, in, 1, t1),
			*c = (const double *)src64(w, in, 2, t2);
	for (int i = 0; i < LANES; i++)
		r[i] = bits_of_double(div_scale64(a[i], b[i], c[i], &rescale[i]));
	put64(w, in, r);
	write_mask(w, &in->sdst, pack_mask(rescale) & *exec_of(w));
	return GO_ON;
}

/* fma and scaling with one rounding: the sum is kept to odd in double before it is scaled and rounded to float. */
static float fma_scaled32(float a, float b, float c, int exponent)
{
	double p = (double)a * b, s = p + c, part = s - p;
	double error = (p - (s - part)) + ((double)c - part);
	if (error != 0 && s - s == 0 && !(bits_of_double(s) & 1))
		s = double_of_bits(bits_of_double(s) + ((error > 0) == (s > 0) ? 1 : -1));
	return (float)ldexp(s, exponent);
}
static double fma_scaled64(double a, double b, double c, int exponent)
{
	__float128 scale = (__float128)ldexp(1, exponent);
	return (double)(((__float128)a * b + c) * scale);
}
VECTOR_HANDLER(v_div_fmas_f32)
{
	lanes32 t0, t1, t2, r;
	const float *a = (const float *)src32(w, in, 0, t0), *b = (const float *)src32(w, in, 1, t1),
			*c = (const float *)src32(w, in, 2, t2);
	uint64_t vcc = *vcc_of(w);
	for (int i = 0; i < LANES; i++)
		r[i] = bits_of_float(vcc >> i & 1 ? fma_scaled32(a[i], b[i], c[i], exponent32(c[i]) > 127 ? 64 : -64) :
				fmaf(a[i], b[i], c[i]));
	put32(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_div_fmas_f64)
{
	lanes64 t0, t1, t2, r;
	const double *a = (const double *)src64(w, in, 0, t0), *b = (const double *)src64(w, in, 1, t1),
			*c = (const double *)src64(w, in, 2, t2);
	uint64_t vcc = *vcc_of(w);
	for (int i = 0; i < LANES; i++)
		r[i] = bits_of_double(vcc >> i & 1 ? fma_scaled64(a[i], b[i], c[i], exponent64(c[i]) > 1023 ? 128 : -128) :
				fma(a[i], b[i], c[i]));
	put64(w, in, r);
	return GO_ON;
}

#define DIV_FIXUP(name, T, copysign_, fabs_, exponent, least) \
	static T name(T q, T den, T num) \
	{ \
		T sign = copysign_((T)1, den) * copysign_((T)1, num); \
		if (num != num) return num + num; \
		if (den != den) return den + den; \
		if ((den == 0 && num == 0) || (isinf(den) && isinf(num))) return -(T)NAN; \
		if (den == 0 || isinf(num)) return sign * (T)INFINITY; \
		if (isinf(den) || num == 0) return sign * (T)0; \
		if (exponent(num) - exponent(den) < least) return sign * (T)0; \
		return copysign_(q != q ? (T)INFINITY : fabs_(q), sign); \
	}
DIV_FIXUP(div_fixup32, float, copysignf, fabsf, exponent32, -150)
DIV_FIXUP(div_fixup64, double, copysign, fabs, exponent64, -1075)
V3(v_div_fixup_f32, float, float, div_fixup32(x, y, z))
D3(v_div_fixup_f64, double, div_fixup64(x, y, z))

/* The 1201 leading bits of 2 / pi, for argument reduction of large f64 angles. */
static const uint64_t two_over_pi[20] = {
	0xa2f9836e4e441529ull, 0xfc2757d1f534ddc0ull, 0xdb6295993c439041ull, 0xfe5163abdebbc561ull,
	0xb7246e3a424dd2e0ull, 0x06492eea09d1921cull, 0xfe1deb1cb129a73eull, 0xe88235f52ebb4484ull,
	0xe99c7026b45f7e41ull, 0x3991d639835339f4ull, 0x9c845f8bbdf9283bull, 0x1ff897ffde05980full,
	0xef2f118b5a0a6d1full, 0x6d367ecf27cb09b7ull, 0x4f463f669e5fea2dull, 0x7527bac7ebe5f17bull,
	0x3d0739f78a5292eaull, 0x6bfb5fb11f8d5d08ull, 0x56033046fc7b0000ull, 0,
};
/* 53 of those bits: segment y, further right for a large x. */
static double trig_preop(double x, uint32_t y)
{
	int exponent = exponent64(x), shift = (int)(y & 31) * 53 + (exponent > 1077 ? exponent - 1077 : 0), word = shift / 64;
	if (word > 18)
		return 0;
	uint64_t bits = two_over_pi[word] << shift % 64;
	if (shift % 64)
		bits |= two_over_pi[word + 1] >> (64 - shift % 64);
	return ldexp((double)(bits >> 11), -53 - shift + (exponent >= 1968 ? 128 : 0));
}
VECTOR_HANDLER(v_trig_preop_f64)
{
	lanes64 t0, r;
	lanes32 t1;
	const double *a = (const double *)src64(w, in, 0, t0);
	const uint32_t *b = src32(w, in, 1, t1);
	for (int i = 0; i < LANES; i++)
		r[i] = bits_of_double(trig_preop(a[i], b[i]));
	put64(w, in, r);
	return GO_ON;
}

#define ALIAS(name, handler, sig) { #name, handler, sig, F_VALU, C_VALU, 0 },
const struct opdef ops_vector_float[] = {
	OP(v_add_f32, "Fff") OP(v_sub_f32, "Fff") OP(v_subrev_f32, "Fff") OP(v_mul_f32, "Fff") OP(v_mul_legacy_f32, "Fff")
	OP(v_min_f32, "Fff") OP(v_max_f32, "Fff") OP(v_fmac_f32, "Fff") OP(v_fma_f32, "Ffff") OP(v_mad_f32, "Ffff") OP(v_min3_f32, "Ffff")
	OP(v_max3_f32, "Ffff") OP(v_med3_f32, "Ffff") OP(v_trunc_f32, "Ff") OP(v_ceil_f32, "Ff") OP(v_rndne_f32, "Ff")
	OP(v_floor_f32, "Ff") OP(v_fract_f32, "Ff") OP(v_exp_f32, "Ff") OP(v_log_f32, "Ff") OP(v_rcp_f32, "Ff")
	ALIAS(v_rcp_iflag_f32, v_rcp_f32, "Ff") OP(v_rsq_f32, "Ff") OP(v_sqrt_f32, "Ff") OP(v_sin_f32, "Ff")
	OP(v_cos_f32, "Ff")
	ALIAS(v_exp_legacy_f32, v_exp_f32, "Ff") ALIAS(v_log_legacy_f32, v_log_f32, "Ff")
	OP(v_frexp_mant_f32, "Ff") ALIAS(v_frexp_exp_i32_f32, frexp_exp_f32, "Df") OP(v_ldexp_f32, "Ffu")
	OP(v_fmamk_f32, "Ffkf") ALIAS(v_fmaak_f32, v_fma_f32, "Fffk")
	OP(v_pk_fma_f32, "2zzz") OP(v_pk_mul_f32, "2zz") OP(v_pk_add_f32, "2zz") OP(v_pk_mov_b32, "2zz")
	OP(v_add_f64, "Ggg") OP(v_mul_f64, "Ggg") OP(v_min_f64, "Ggg") OP(v_max_f64, "Ggg") OP(v_fma_f64, "Gggg")
	OP(v_fmac_f64, "Ggg") OP(v_trunc_f64, "Gg") OP(v_ceil_f64, "Gg") OP(v_rndne_f64, "Gg") OP(v_floor_f64, "Gg")
	OP(v_fract_f64, "Gg") OP(v_rcp_f64, "Gg") OP(v_rsq_f64, "Gg") OP(v_sqrt_f64, "Gg") OP(v_frexp_mant_f64, "Gg")
	ALIAS(v_frexp_exp_i32_f64, frexp_exp_f64, "Dg") OP(v_ldexp_f64, "Ggu")
	OP(v_div_scale_f32, "FMfff") OP(v_div_scale_f64, "GMggg") OP(v_div_fmas_f32, "Ffff") OP(v_div_fmas_f64, "Gggg")
	OP(v_div_fixup_f32, "Ffff") OP(v_div_fixup_f64, "Gggg") OP(v_trig_preop_f64, "Ggu")
	{ 0 }
};
