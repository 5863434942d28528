/* v_cmp and v_cmpx: one bit a lane into an SGPR pair, 0 where EXEC is 0; v_cmpx writes EXEC as well. */
#include <math.h>
#include "vector_ops.h"

static int finish(struct wave *w, const struct insn *in, const uint32_t *r, bool to_exec)
{
	uint64_t lanes = in->dpp ? dpp_lanes(w, in->dpp) : *exec_of(w), mask = pack_mask(r) & lanes;
	write_mask(w, &in->sdst, mask);
	if (to_exec)
		*exec_of(w) = mask;
	return GO_ON;
}

/* Both forms of one comparison. `fetch` reads a source as an array of T. */
#define COMPARE(op, type, T, array, fetch, condition) \
	static int cmp_##op##_##type(struct wave *w, const struct insn *in, bool to_exec) \
	{ \
		array t0, t1; \
		lanes32 r; \
		const T *a = (const T *)fetch(w, in, 0, t0), *b = (const T *)fetch(w, in, 1, t1); \
		EACH_LANE(i) { T x = a[i], y = b[i]; (void)x, (void)y; r[i] = (condition) ? ~0u : 0; } \
		return finish(w, in, r, to_exec); \
	} \
	static int v_cmp_##op##_##type(struct wave *w, const struct insn *in) { return cmp_##op##_##type(w, in, false); } \
	static int v_cmpx_##op##_##type(struct wave *w, const struct insn *in) { return cmp_##op##_##type(w, in, true); }

#define FLOAT_COMPARES(type, T, array, fetch) \
	COMPARE(f, type, T, array, fetch, false) \
	COMPARE(lt, type, T, array, fetch, x < y) \
	COMPARE(eq, type, T, array, fetch, x == y) \
	COMPARE(le, type, T, array, fetch, x <= y) \
	COMPARE(gt, type, T, array, fetch, x > y) \
	COMPARE(lg, type, T, array, fetch, x < y || x > y) \
	COMPARE(ge, type, T, array, fetch, x >= y) \
	COMPARE(o, type, T, array, fetch, x == x && y == y) \
	COMPARE(u, type, T, array, fetch, x != x || y != y) \
	COMPARE(nge, type, T, array, fetch, !(x >= y)) \
	COMPARE(nlg, type, T, array, fetch, !(x < y || x > y)) \
	COMPARE(ngt, type, T, array, fetch, !(x > y)) \
	COMPARE(nle, type, T, array, fetch, !(x <= y)) \
	COMPARE(neq, type, T, array, fetch, !(x == y)) \
	COMPARE(nlt, type, T, array, fetch, !(x < y)) \
	COMPARE(tru, type, T, array, fetch, true)
#define INTEGER_COMPARES(type, T, array, fetch) \
	COMPARE(f, type, T, array, fetch, false) \
	COMPARE(lt, type, T, array, fetch, x < y) \
	COMPARE(eq, type, T, array, fetch, x == y) \
	COMPARE(le, type, T, array, fetch, x <= y) \
	COMPARE(gt, type, T, array, fetch, x > y) \
	COMPARE(ne, type, T, array, fetch, x != y) \
	COMPARE(ge, type, T, array, fetch, x >= y) \
	COMPARE(t, type, T, array, fetch, true)

static const int32_t *src_i16(struct wave *w, const struct insn *in, int n, uint32_t *tmp)
{
	const uint32_t *p = src16(w, in, n, tmp);
	EACH_LANE(i)
		tmp[i] = (uint32_t)(int16_t)p[i];
	return (const int32_t *)tmp;
}
FLOAT_COMPARES(f16, float, lanesf, src16f)
FLOAT_COMPARES(f32, float, lanes32, src32)
FLOAT_COMPARES(f64, double, lanes64, src64)
INTEGER_COMPARES(i16, int32_t, lanes32, src_i16)
INTEGER_COMPARES(u16, uint32_t, lanes32, src16)
INTEGER_COMPARES(i32, int32_t, lanes32, src32)
INTEGER_COMPARES(u32, uint32_t, lanes32, src32)
INTEGER_COMPARES(i64, int64_t, lanes64, src64)
INTEGER_COMPARES(u64, uint64_t, lanes64, src64)

/* Class bits: signalling NaN, quiet NaN, -inf, -normal, -denormal, -0, +0, +denormal, +normal, +inf. */
static uint32_t class_of(uint64_t bits, int exponent_bits, int mantissa_bits)
{
	uint64_t mantissa = bits & ((1ull << mantissa_bits) - 1);
	uint32_t exponent = (uint32_t)(bits >> mantissa_bits) & ((1u << exponent_bits) - 1);
	bool negative = bits >> (exponent_bits + mantissa_bits) & 1;
	if (exponent == (1u << exponent_bits) - 1) {
		if (mantissa)
			return mantissa >> (mantissa_bits - 1) & 1 ? 2 : 1;
		return negative ? 4 : 512;
	}
	if (exponent)
		return negative ? 8 : 256;
	if (mantissa)
		return negative ? 16 : 128;
	return negative ? 32 : 64;
}
static int cmp_class32(struct wave *w, const struct insn *in, bool to_exec)
{
	lanes32 t0, t1, r;
	const uint32_t *a = src32(w, in, 0, t0), *b = src32(w, in, 1, t1);
	for (int i = 0; i < LANES; i++)
		r[i] = class_of(a[i], 8, 23) & b[i] & 0x3ff;
	return finish(w, in, r, to_exec);
}
static int cmp_class64(struct wave *w, const struct insn *in, bool to_exec)
{
	lanes64 t0;
	lanes32 t1, r;
	const uint64_t *a = src64(w, in, 0, t0);
	const uint32_t *b = src32(w, in, 1, t1);
	for (int i = 0; i < LANES; i++)
		r[i] = class_of(a[i], 11, 52) & b[i] & 0x3ff;
	return finish(w, in, r, to_exec);
}
static int cmp_class16(struct wave *w, const struct insn *in, bool to_exec)
{
	lanes32 t0, t1, r;
	const uint32_t *a = src16(w, in, 0, t0), *b = src32(w, in, 1, t1);
	uint32_t keep = in->src[0].mods & MOD_ABS ? 0x7fff : 0xffff, flip = in->src[0].mods & MOD_NEG ? 0x8000 : 0;
	for (int i = 0; i < LANES; i++)
		r[i] = class_of((a[i] & keep) ^ flip, 5, 10) & b[i] & 0x3ff;
	return finish(w, in, r, to_exec);
}
VECTOR_HANDLER(v_cmp_class_f32) { return cmp_class32(w, in, false); }
VECTOR_HANDLER(v_cmpx_class_f32) { return cmp_class32(w, in, true); }
VECTOR_HANDLER(v_cmp_class_f64) { return cmp_class64(w, in, false); }
VECTOR_HANDLER(v_cmpx_class_f64) { return cmp_class64(w, in, true); }
VECTOR_HANDLER(v_cmp_class_f16) { return cmp_class16(w, in, false); }
VECTOR_HANDLER(v_cmpx_class_f16) { return cmp_class16(w, in, true); }

#define BOTH(op, type, sig) OP(v_cmp_##op##_##type, sig) OP(v_cmpx_##op##_##type, sig)
#define FLOAT_LINES(type, sig) \
	BOTH(f, type, sig) BOTH(lt, type, sig) BOTH(eq, type, sig) BOTH(le, type, sig) BOTH(gt, type, sig) \
	BOTH(lg, type, sig) \
	BOTH(ge, type, sig) BOTH(o, type, sig) BOTH(u, type, sig) BOTH(nge, type, sig) BOTH(nlg, type, sig) \
	BOTH(ngt, type, sig) \
	BOTH(nle, type, sig) BOTH(neq, type, sig) BOTH(nlt, type, sig) BOTH(tru, type, sig)
#define INTEGER_LINES(type, sig) \
	BOTH(f, type, sig) BOTH(lt, type, sig) BOTH(eq, type, sig) BOTH(le, type, sig) BOTH(gt, type, sig) \
	BOTH(ne, type, sig) \
	BOTH(ge, type, sig) BOTH(t, type, sig)
const struct opdef ops_vector_compare[] = {
	FLOAT_LINES(f16, "Mhh") FLOAT_LINES(f32, "Mff") FLOAT_LINES(f64, "Mgg")
	INTEGER_LINES(i16, "Mww") INTEGER_LINES(u16, "Mww") INTEGER_LINES(i32, "Muu") INTEGER_LINES(u32, "Muu")
	INTEGER_LINES(i64, "Mqq") INTEGER_LINES(u64, "Mqq")
	BOTH(class, f32, "Mfu") BOTH(class, f64, "Mgu") BOTH(class, f16, "Mhu")
	{ 0 }
};
