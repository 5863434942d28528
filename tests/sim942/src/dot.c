/* Dot products: 2 x 16, 4 x 8 and 8 x 4 bits, and their accumulating VOP2 forms. */
#include <math.h>
#include "vector_ops.h"

static inline int64_t dot_integer(uint32_t x, uint32_t y, int bits, bool x_signed, bool y_signed)
{
	int64_t sum = 0;
	for (int b = 0; b < 32; b += bits) {
		int32_t p = x_signed ? (int32_t)(x << (32 - bits - b)) >> (32 - bits) :
				(int32_t)(x << (32 - bits - b) >> (32 - bits));
		int32_t q = y_signed ? (int32_t)(y << (32 - bits - b)) >> (32 - bits) :
				(int32_t)(y << (32 - bits - b) >> (32 - bits));
		sum += (int64_t)p * q;
	}
	return sum;
}
static inline uint32_t dot4_signed(uint32_t x, uint32_t y)   /* written out for the vectoriser */
{
	return (uint32_t)((int8_t)x * (int8_t)y + (int8_t)(x >> 8) * (int8_t)(y >> 8) + (int8_t)(x >> 16) * (int8_t)(y >> 16)
		+ (int8_t)(x >> 24) * (int8_t)(y >> 24));
}
static inline uint32_t dot4_unsigned(uint32_t x, uint32_t y)
{
	return (x & 0xff) * (y & 0xff) + (x >> 8 & 0xff) * (y >> 8 & 0xff) + (x >> 16 & 0xff) * (y >> 16 & 0xff) +
			(x >> 24) * (y >> 24);
}
static inline uint32_t clamp_signed(int64_t x)
{
	return (uint32_t)(x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : (int32_t)x);
}
static inline uint32_t clamp_unsigned(int64_t x) { return x > 0xffffffffll ? 0xffffffffu : (uint32_t)x; }

V3(v_dot4_i32_i8, uint32_t, uint32_t, dot4_signed(x, y) + z)
V3(v_dot4_u32_u8, uint32_t, uint32_t, dot4_unsigned(x, y) + z)
V3(v_dot8_i32_i4, uint32_t, uint32_t, (uint32_t)dot_integer(x, y, 4, true, true) + z)
V3(v_dot8_u32_u4, uint32_t, uint32_t, (uint32_t)dot_integer(x, y, 4, false, false) + z)
V3(v_dot2_i32_i16, uint32_t, uint32_t, (uint32_t)dot_integer(x, y, 16, true, true) + z)
V3(v_dot2_u32_u16, uint32_t, uint32_t, (uint32_t)dot_integer(x, y, 16, false, false) + z)
V3(v_dot4_i32_i8_clamp, uint32_t, uint32_t, clamp_signed((int64_t)(int32_t)dot4_signed(x, y) + (int32_t)z))
V3(v_dot4_u32_u8_clamp, uint32_t, uint32_t, clamp_unsigned((int64_t)dot4_unsigned(x, y) + z))
V3(v_dot8_i32_i4_clamp, uint32_t, uint32_t, clamp_signed(dot_integer(x, y, 4, true, true) + (int32_t)z))
V3(v_dot8_u32_u4_clamp, uint32_t, uint32_t, clamp_unsigned(dot_integer(x, y, 4, false, false) + z))
V3(v_dot2_i32_i16_clamp, uint32_t, uint32_t, clamp_signed(dot_integer(x, y, 16, true, true) + (int32_t)z))
V3(v_dot2_u32_u16_clamp, uint32_t, uint32_t,
	clamp_unsigned((int64_t)((uint64_t)(x & 0xffff) * (y & 0xffff) + (uint64_t)(x >> 16) * (y >> 16) + z)))
V2ACC(v_dot4c_i32_i8, uint32_t, uint32_t, dot4_signed(x, y) + z)
V2ACC(v_dot8c_i32_i4, uint32_t, uint32_t, (uint32_t)dot_integer(x, y, 4, true, true) + z)
V2ACC(v_dot2c_i32_i16, uint32_t, uint32_t, (uint32_t)dot_integer(x, y, 16, true, true) + z)

static int dot2_floats(struct wave *w, const struct insn *in, bool bf16, bool accumulate)
{
	lanesf x[2], y[2];
	lanes32 t0, t1, t2, c, r;
	if (accumulate) {
		memcpy(c, vector_register(w, &in->dst), sizeof c);
	} else {
		memcpy(c, src32(w, in, 2, t2), sizeof c);
		if (in->neg_lo & 4)
			EACH_LANE(i)
				c[i] ^= 0x80000000;
	}
	for (int half = 0; half < 2; half++) {
		if (bf16) {
			const uint32_t *a = src_packed_16(w, in, 0, half, t0), *b = src_packed_16(w, in, 1, half, t1);
			EACH_LANE(i) {
				x[half][i] = bf16_to_float(a[i]);
				y[half][i] = bf16_to_float(b[i]);
			}
		} else {
			src_packed_f16(w, in, 0, half, x[half]);
			src_packed_f16(w, in, 1, half, y[half]);
		}
	}
	float *f = (float *)r;
	const float *z = (const float *)c;
	EACH_LANE(i)
		f[i] = fmaf(x[1][i], y[1][i], fmaf(x[0][i], y[0][i], z[i]));
	put32(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_dot2_f32_f16) { return dot2_floats(w, in, false, false); }
VECTOR_HANDLER(v_dot2_f32_bf16) { return dot2_floats(w, in, true, false); }
VECTOR_HANDLER(v_dot2c_f32_f16) { return dot2_floats(w, in, false, true); }
VECTOR_HANDLER(v_dot2c_f32_bf16) { return dot2_floats(w, in, true, true); }

#define CLAMPED(name, handler, sig) { #name ".clamp", handler, sig, F_VALU, C_VALU, 0 },
const struct opdef ops_dot[] = {
	OP(v_dot4_i32_i8, "Duuu") OP(v_dot4_u32_u8, "Duuu") OP(v_dot8_i32_i4, "Duuu") OP(v_dot8_u32_u4, "Duuu")
	OP(v_dot2_i32_i16, "Duuu") OP(v_dot2_u32_u16, "Duuu") OP(v_dot4c_i32_i8, "Duu") OP(v_dot8c_i32_i4, "Duu")
	OP(v_dot2c_i32_i16, "Duu")
	CLAMPED(v_dot4_i32_i8, v_dot4_i32_i8_clamp, "Duuu") CLAMPED(v_dot4_u32_u8, v_dot4_u32_u8_clamp, "Duuu")
	CLAMPED(v_dot8_i32_i4, v_dot8_i32_i4_clamp, "Duuu") CLAMPED(v_dot8_u32_u4, v_dot8_u32_u4_clamp, "Duuu")
	CLAMPED(v_dot2_i32_i16, v_dot2_i32_i16_clamp, "Duuu") CLAMPED(v_dot2_u32_u16, v_dot2_u32_u16_clamp, "Duuu")
	OP(v_dot2_f32_f16, "Fppf") OP(v_dot2_f32_bf16, "Fiif") OP(v_dot2c_f32_f16, "Fpp") OP(v_dot2c_f32_bf16, "Fii")
	{ 0 }
};
