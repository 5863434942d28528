/* f16 arithmetic, packed f16, and the mixed-precision fused multiply-adds.
 *
 * Sums, products, quotients and roots of f16 values are computed in f32 and rounded once more: with 24 bits against 11
 * the second rounding never shows. Fused multiply-adds would show it, so their f32 sum is rounded to odd.
 */
#include <math.h>
#include "vector_ops.h"

/* x * y + z for f16 values: the product is exact in f32, the sum is rounded to odd. */
static inline float fma_to_odd(float x, float y, float z)
{
	float p = x * y, s = p + z, part = s - p;
	float error = (p - (s - part)) + (z - part);
	uint32_t u = bits_of_float(s);
	bool adjust = error != 0 && error - error == 0 && (u & 1) == 0 && s - s == 0;
	uint32_t moved = (error > 0) == (s > 0) ? u + 1 : u - 1;
	return float_of_bits(adjust ? moved : u);
}
static inline float min_h(float a, float b)
{
	uint32_t equal = bits_of_float(a) | bits_of_float(b);
	return a < b ? a : b < a ? b : a == b ? float_of_bits(equal) : a != a ? b : a;
}
static inline float max_h(float a, float b)
{
	uint32_t equal = bits_of_float(a) & bits_of_float(b);
	return a > b ? a : b > a ? b : a == b ? float_of_bits(equal) : a != a ? b : a;
}
static inline float med3_h(float a, float b, float c)
{
	if (a != a || b != b || c != c)
		return min_h(min_h(a, b), c);
	float most = max_h(max_h(a, b), c);
	return most == a ? max_h(b, c) : most == b ? max_h(a, c) : max_h(a, b);
}

H2(v_add_f16, x + y)
H2(v_sub_f16, x - y)
H2(v_subrev_f16, y - x)
H2(v_mul_f16, x * y)
H2(v_min_f16, min_h(x, y))
H2(v_max_f16, max_h(x, y))
H3(v_fma_f16, fma_to_odd(x, y, z))
H3(v_mad_f16, (float)half_to_float(float_to_half(x * y)) + z)
H3(v_min3_f16, min_h(min_h(x, y), z))
H3(v_max3_f16, max_h(max_h(x, y), z))
H3(v_med3_f16, med3_h(x, y, z))
H1(v_rcp_f16, 1 / x)
H1(v_sqrt_f16, sqrtf(x))
H1(v_rsq_f16, (float)(1 / sqrt((double)x)))
H1(v_log_f16, log2f(x))
H1(v_exp_f16, exp2f(x))
H1(v_floor_f16, floorf(x))
H1(v_ceil_f16, ceilf(x))
H1(v_trunc_f16, truncf(x))
H1(v_rndne_f16, __builtin_rintf(x))
H1(v_fract_f16, x - floorf(x) >= 0x1.ffep-1f ? 0x1.ffcp-1f : x - floorf(x))
H1(v_sin_f16, x - x == 0 && fabsf(x) > 256 ? 0 : (float)sin(2 * M_PI * ((double)x - rint((double)x))))
H1(v_cos_f16, x - x == 0 && fabsf(x) > 256 ? 1 : (float)cos(2 * M_PI * ((double)x - rint((double)x))))
static inline float mantissa_h(float x) { int e; return x - x != 0 ? x : frexpf(x, &e); }
H1(v_frexp_mant_f16, mantissa_h(x))
VECTOR_HANDLER(v_frexp_exp_i16_f16)
{
	lanesf t0;
	lanes32 r;
	const float *a = src16f(w, in, 0, t0);
	for (int i = 0; i < LANES; i++) {
		int e = 0;
		if (a[i] != 0 && a[i] - a[i] == 0)
			frexpf(a[i], &e);
		r[i] = (uint16_t)e;
	}
	put16(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_ldexp_f16)
{
	lanesf t0, f;
	lanes32 t1, r;
	const float *a = src16f(w, in, 0, t0);
	const uint32_t *b = src16(w, in, 1, t1);
	for (int i = 0; i < LANES; i++) {
		int e = (int16_t)b[i];
		f[i] = ldexpf(a[i], e > 100 ? 100 : e < -100 ? -100 : e);
	}
	floats_to_halves(f, r);
	put16(w, in, r);
	return GO_ON;
}
/* The old destination is the addend. */
static int accumulate_f16(struct wave *w, const struct insn *in, bool fused)
{
	lanesf t0, t1, c, f;
	lanes32 r;
	const float *a = src16f(w, in, 0, t0), *b = src16f(w, in, 1, t1);
	halves_to_floats(vector_register(w, &in->dst), 0, c);
	EACH_LANE(i)
		f[i] = fused ? fma_to_odd(a[i], b[i], c[i]) : half_to_float(float_to_half(a[i] * b[i])) + c[i];
	floats_to_halves(f, r);
	put16(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_mac_f16) { return accumulate_f16(w, in, false); }
VECTOR_HANDLER(v_fmac_f16) { return accumulate_f16(w, in, true); }

static float div_fixup16(float q, float den, float num)
{
	float sign = copysignf(1, den) * copysignf(1, num);
	if (num != num) return num;
	if (den != den) return den;
	if ((den == 0 && num == 0) || (isinf(den) && isinf(num))) return -NAN;
	if (den == 0 || isinf(num)) return sign * INFINITY;
	if (isinf(den) || num == 0) return sign * 0.0f;
	return copysignf(fabsf(q), sign);
}
H3(v_div_fixup_f16, div_fixup16(x, y, z))

#define PACKED_F16(name, sources, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanesf t0, t1, t2, f; \
		lanes32 part[2], r; \
		for (int half = 0; half < 2; half++) { \
			const float *a = src_packed_f16(w, in, 0, half, t0), *b = src_packed_f16(w, in, 1, half, t1); \
			const float *c = sources == 3 ? src_packed_f16(w, in, 2, half, t2) : b; \
			EACH_LANE(i) { float x = a[i], y = b[i], z = c[i]; (void)z; f[i] = (expr); } \
			floats_to_halves(f, part[half]); \
		} \
		uint32_t *d = dst32(w, in, r); \
		EACH_LANE(i) d[i] = part[0][i] | part[1][i] << 16; \
		if (d == r) put32(w, in, r); \
		return GO_ON; \
	}
PACKED_F16(v_pk_fma_f16, 3, fma_to_odd(x, y, z))
PACKED_F16(v_pk_add_f16, 2, x + y)
PACKED_F16(v_pk_mul_f16, 2, x * y)
PACKED_F16(v_pk_min_f16, 2, min_h(x, y))
PACKED_F16(v_pk_max_f16, 2, max_h(x, y))

VECTOR_HANDLER(v_pk_fmac_f16)
{
	lanes32 t0, t1, part[2], r;
	const uint32_t *a = src32(w, in, 0, t0), *b = src32(w, in, 1, t1), *c = vector_register(w, &in->dst);
	for (int half = 0; half < 2; half++) {
		lanesf x, y, z;
		halves_to_floats(a, half, x);
		halves_to_floats(b, half, y);
		halves_to_floats(c, half, z);
		EACH_LANE(i)
			x[i] = fma_to_odd(x[i], y[i], z[i]);
		floats_to_halves(x, part[half]);
	}
	EACH_LANE(i)
		r[i] = part[0][i] | part[1][i] << 16;
	put32(w, in, r);
	return GO_ON;
}

/* Mixed precision: op_sel_hi says that a source is f16, op_sel then picks its half; neg and abs apply to the float. */
static const float *mix_source(struct wave *w, const struct insn *in, int n, float *tmp)
{
	const struct operand *o = &in->src[n];
	lanes32 raw;
	const uint32_t *p;
	bool is_half = in->op_sel_hi >> n & 1;
	if (o->base == K_VGPR && !is_half && !o->mods)
		return (const float *)(w->v + o->reg);
	if (o->base == K_VGPR || o->base == K_AGPR) {
		p = (o->base == K_VGPR ? w->v : w->a) + o->reg;
	} else {
		uint32_t x = scalar32(w, o);
		EACH_LANE(i)
			raw[i] = x;
		p = raw;
	}
	if (is_half)
		halves_to_floats(p, in->op_sel >> n & 1, tmp);
	else
		memcpy(tmp, p, sizeof(lanesf));
	if (!o->mods)
		return tmp;
	uint32_t *u = (uint32_t *)tmp, keep = o->mods & MOD_ABS ? 0x7fffffff : ~0u, flip = o->mods & MOD_NEG ? 0x80000000 : 0;
	EACH_LANE(i)
		u[i] = (u[i] & keep) ^ flip;
	return tmp;
}
static void mix(struct wave *w, const struct insn *in, float *f)
{
	lanesf t0, t1, t2;
	const float *a = mix_source(w, in, 0, t0), *b = mix_source(w, in, 1, t1), *c = mix_source(w, in, 2, t2);
	EACH_LANE(i)
		f[i] = fmaf(a[i], b[i], c[i]);
}
VECTOR_HANDLER(v_fma_mix_f32)
{
	lanes32 r;
	mix(w, in, (float *)r);
	put32(w, in, r);
	return GO_ON;
}
static int mix_half(struct wave *w, const struct insn *in, bool hi)
{
	lanesf f;
	lanes32 r;
	mix(w, in, f);
	if (in->clamp)
		EACH_LANE(i)
			f[i] = f[i] > 0 ? (f[i] > 1 ? 1 : f[i]) : 0;
	floats_to_halves(f, r);
	uint32_t *d = vector_register(w, &in->dst);
	EACH_LANE(i)
		r[i] = hi ? (d[i] & 0xffff) | r[i] << 16 : (d[i] & 0xffff0000) | r[i];
	blend32(w, d, r);
	return GO_ON;
}
VECTOR_HANDLER(v_fma_mixlo_f16) { return mix_half(w, in, false); }
VECTOR_HANDLER(v_fma_mixhi_f16) { return mix_half(w, in, true); }

#define ALIAS(name, handler, sig) { #name, handler, sig, F_VALU, C_VALU, 0 },
const struct opdef ops_vector_half[] = {
	OP(v_add_f16, "Hhh") OP(v_sub_f16, "Hhh") OP(v_subrev_f16, "Hhh") OP(v_mul_f16, "Hhh") OP(v_min_f16, "Hhh")
	OP(v_max_f16, "Hhh")
	OP(v_fma_f16, "Ohhh") OP(v_mad_f16, "Ohhh") ALIAS(v_fma_legacy_f16, v_fma_f16, "Hhhh")
	ALIAS(v_mad_legacy_f16, v_mad_f16, "Hhhh")
	OP(v_min3_f16, "Ohhh") OP(v_max3_f16, "Ohhh") OP(v_med3_f16, "Ohhh") OP(v_rcp_f16, "Hh") OP(v_sqrt_f16, "Hh")
	OP(v_rsq_f16, "Hh")
	OP(v_log_f16, "Hh") OP(v_exp_f16, "Hh") OP(v_floor_f16, "Hh") OP(v_ceil_f16, "Hh") OP(v_trunc_f16, "Hh")
	OP(v_rndne_f16, "Hh")
	OP(v_fract_f16, "Hh") OP(v_sin_f16, "Hh") OP(v_cos_f16, "Hh") OP(v_frexp_mant_f16, "Hh") OP(v_frexp_exp_i16_f16, "Wh")
	OP(v_ldexp_f16, "Hhw") OP(v_mac_f16, "Hhh") OP(v_fmac_f16, "Hhh") ALIAS(v_madmk_f16, v_mad_f16, "Hhlh")
	ALIAS(v_madak_f16, v_mad_f16, "Hhhl")
	OP(v_div_fixup_f16, "Ohhh") ALIAS(v_div_fixup_legacy_f16, v_div_fixup_f16, "Hhhh")
	OP(v_pk_fma_f16, "Pppp") OP(v_pk_add_f16, "Ppp") OP(v_pk_mul_f16, "Ppp") OP(v_pk_min_f16, "Ppp")
	OP(v_pk_max_f16, "Ppp")
	OP(v_pk_fmac_f16, "Ppp") OP(v_fma_mix_f32, "Fxxx") OP(v_fma_mixlo_f16, "Oxxx") OP(v_fma_mixhi_f16, "Oxxx")
	ALIAS(v_mad_mix_f32, v_fma_mix_f32, "Fxxx") ALIAS(v_mad_mixlo_f16, v_fma_mixlo_f16, "Oxxx")
	ALIAS(v_mad_mixhi_f16, v_fma_mixhi_f16, "Oxxx")
	{ 0 }
};
