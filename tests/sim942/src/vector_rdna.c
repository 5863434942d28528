/* Vector instructions that RDNA has and CDNA has not, and its pairs: two of them in one, which both read before either
 * writes. */
#include "vector_ops.h"

VECTOR_HANDLER(pair)
{
	const struct insn *x = in->target, *y = x + 1;
	if (in->arg == PAIR_IN_ORDER) {
		x->fn(w, x);
		y->fn(w, y);
	} else if (in->arg == PAIR_REVERSED) {
		y->fn(w, y);
		x->fn(w, x);
	} else {
		lanes32 old, result;
		uint32_t *d = vector_register(w, &x->dst);
		memcpy(old, d, sizeof old);
		x->fn(w, x);
		memcpy(result, d, sizeof result);
		memcpy(d, old, sizeof old);
		y->fn(w, y);
		memcpy(d, result, sizeof result);
	}
	return GO_ON;
}

static inline int32_t min_i(int32_t a, int32_t b) { return a < b ? a : b; }
static inline int32_t max_i(int32_t a, int32_t b) { return a > b ? a : b; }
static inline uint32_t min_u(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline uint32_t max_u(uint32_t a, uint32_t b) { return a > b ? a : b; }
/* A NaN loses to a number, -0 is below +0. */
static inline float min_f(float a, float b)
{
	return a < b ? a : b < a ? b : a == b ? float_of_bits(bits_of_float(a) | bits_of_float(b)) : a != a ? b : a;
}
static inline float max_f(float a, float b)
{
	return a > b ? a : b > a ? b : a == b ? float_of_bits(bits_of_float(a) & bits_of_float(b)) : a != a ? b : a;
}
/* IEEE's minimum and maximum: a NaN wins. */
static inline float minimum(float a, float b) { return a != a ? a : b != b ? b : min_f(a, b); }
static inline float maximum(float a, float b) { return a != a ? a : b != b ? b : max_f(a, b); }

V3(v_xor3_b32, uint32_t, uint32_t, x ^ y ^ z)
V3(v_maxmin_i32, int32_t, int32_t, min_i(max_i(x, y), z))
V3(v_minmax_i32, int32_t, int32_t, max_i(min_i(x, y), z))
V3(v_maxmin_u32, uint32_t, uint32_t, min_u(max_u(x, y), z))
V3(v_minmax_u32, uint32_t, uint32_t, max_u(min_u(x, y), z))
V3(v_maxmin_f32, float, float, min_f(max_f(x, y), z))
V3(v_minmax_f32, float, float, max_f(min_f(x, y), z))
V2(v_minimum_f32, float, float, minimum(x, y))
V2(v_maximum_f32, float, float, maximum(x, y))
W1(v_mov_b16, x)
W1(v_not_b16, ~x)
W2(v_and_b16, x & y)
W2(v_or_b16, x | y)
W2(v_xor_b16, x ^ y)

static int widen(struct wave *w, const struct insn *in, bool is_signed)
{
	lanes32 t0, r;
	const uint32_t *a = src16(w, in, 0, t0);
	EACH_LANE(i)
		r[i] = is_signed ? (uint32_t)(int16_t)a[i] : a[i];
	put32(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_cvt_i32_i16) { return widen(w, in, true); }
VECTOR_HANDLER(v_cvt_u32_u16) { return widen(w, in, false); }

VECTOR_HANDLER(v_cndmask_b16)
{
	lanes32 t0, t1, r;
	const uint32_t *a = src16(w, in, 0, t0), *b = src16(w, in, 1, t1);
	uint64_t mask = read_mask(w, &in->src[2]);
	EACH_LANE(i)
		r[i] = mask >> i & 1 ? b[i] : a[i];
	put16(w, in, r);
	return GO_ON;
}

/* Dot products whose sources neg_lo makes signed. */
static inline int32_t part(uint32_t x, int bits, int at, bool is_signed)
{
	uint32_t up = x << (32 - bits - at);
	return is_signed ? (int32_t)up >> (32 - bits) : (int32_t)(up >> (32 - bits));
}
static int dot(struct wave *w, const struct insn *in, int bits, bool clamp)
{
	lanes32 t0, t1, t2, r;
	const uint32_t *a = src32(w, in, 0, t0), *b = src32(w, in, 1, t1), *c = src32(w, in, 2, t2);
	bool a_signed = in->neg_lo & 1, b_signed = in->neg_lo & 2;
	for (int i = 0; i < LANES; i++) {
		int64_t sum = clamp && !a_signed && !b_signed ? (int64_t)c[i] : (int64_t)(int32_t)c[i];
		for (int at = 0; at < 32; at += bits)
			sum += (int64_t)part(a[i], bits, at, a_signed) * part(b[i], bits, at, b_signed);
		if (clamp && !a_signed && !b_signed)
			sum = sum > 0xffffffffll ? 0xffffffffll : sum;
		else if (clamp)
			sum = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
		r[i] = (uint32_t)sum;
	}
	put32(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(dot4_signed)   /* both: written out for the vectoriser */
{
	lanes32 t0, t1, t2, r;
	const uint32_t *a = src32(w, in, 0, t0), *b = src32(w, in, 1, t1), *c = src32(w, in, 2, t2);
	uint32_t *d = dst32(w, in, r);
	EACH_LANE(i) {
		uint32_t x = a[i], y = b[i];
		d[i] = c[i] + (uint32_t)((int8_t)x * (int8_t)y + (int8_t)(x >> 8) * (int8_t)(y >> 8)
			+ (int8_t)(x >> 16) * (int8_t)(y >> 16) + (int8_t)(x >> 24) * (int8_t)(y >> 24));
	}
	if (d == r)
		put32(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_dot4_i32_iu8) { return (in->neg_lo & 3) == 3 ? dot4_signed(w, in) : dot(w, in, 8, false); }
VECTOR_HANDLER(v_dot4_i32_iu8_clamp) { return dot(w, in, 8, true); }
VECTOR_HANDLER(v_dot8_i32_iu4) { return dot(w, in, 4, false); }
VECTOR_HANDLER(v_dot8_i32_iu4_clamp) { return dot(w, in, 4, true); }

/* Lane i of a row reads the lane that nibble i of the two scalars names: of its own row, or of the other of the pair of
 * rows. op_sel[0]: inactive lanes are read too; op_sel[1]: they read as 0 else, and without it nothing is written. */
static int permlane(struct wave *w, const struct insn *in, unsigned other)
{
	lanes32 t0, r;
	const uint32_t *a = src32(w, in, 0, t0);
	uint64_t from = scalar32(w, &in->src[1]) | (uint64_t)scalar32(w, &in->src[2]) << 32, exec = *exec_of(w);
	uint32_t *d = vector_register(w, &in->dst);
	for (unsigned i = 0; i < LANES; i++) {
		unsigned lane = ((i & ~15u) ^ other) | (unsigned)(from >> 4 * (i & 15) & 15);
		bool live = in->op_sel & 1 || exec >> lane & 1;
		r[i] = live ? a[lane] : in->op_sel & 2 ? 0 : d[i];
	}
	blend32(w, d, r);
	return GO_ON;
}
VECTOR_HANDLER(v_permlane16_b32) { return permlane(w, in, 0); }
VECTOR_HANDLER(v_permlanex16_b32) { return permlane(w, in, 16); }

/* Moves between registers that M0 counts from. */
static uint32_t *counted(struct wave *w, const struct insn *in, const struct operand *o)
{
	uint64_t to = o->reg / LANES + (uint64_t)w->s[SGPR_M0];
	if (to >= w->worker->launch->registers)
		fault(w, in, -1, "relative register index v%llu is out of range", (unsigned long long)to);
	return w->v + to * LANES;
}
VECTOR_HANDLER(v_movrels_b32)
{
	blend32(w, vector_register(w, &in->dst), counted(w, in, &in->src[0]));
	return GO_ON;
}
VECTOR_HANDLER(v_movreld_b32)
{
	lanes32 t;
	blend32(w, counted(w, in, &in->dst), src32(w, in, 0, t));
	return GO_ON;
}
VECTOR_HANDLER(v_movrelsd_b32)
{
	blend32(w, counted(w, in, &in->dst), counted(w, in, &in->src[0]));
	return GO_ON;
}

#define ALIAS(name, handler, sig) { name, handler, sig, F_VALU, C_VALU, 0 },
const struct opdef ops_vector_rdna[] = {
	OP(pair, "") OP(v_xor3_b32, "Duuu") OP(v_maxmin_i32, "Duuu") OP(v_minmax_i32, "Duuu") OP(v_maxmin_u32, "Duuu")
	OP(v_minmax_u32, "Duuu") OP(v_maxmin_f32, "Ffff") OP(v_minmax_f32, "Ffff") OP(v_minimum_f32, "Fff")
	OP(v_maximum_f32, "Fff") OP(v_mov_b16, "Ww") OP(v_not_b16, "Ww") OP(v_and_b16, "Www") OP(v_or_b16, "Www") OP(v_xor_b16, "Www")
	OP(v_cvt_i32_i16, "Dw") OP(v_cvt_u32_u16, "Dw") OP(v_cndmask_b16, "Wwwm")
	OP(v_dot4_i32_iu8, "Duuu") OP(v_dot8_i32_iu4, "Duuu") ALIAS("v_dot4_i32_iu8.clamp", v_dot4_i32_iu8_clamp, "Duuu")
	ALIAS("v_dot8_i32_iu4.clamp", v_dot8_i32_iu4_clamp, "Duuu")
	OP(v_movrels_b32, "Du") OP(v_movreld_b32, "Du") OP(v_movrelsd_b32, "Du")
	OP(v_permlane16_b32, "Duuu") OP(v_permlanex16_b32, "Duuu")
	{ 0 }
};
