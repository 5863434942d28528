/* Conversions between number formats, packing included. Conversions to integers saturate; a NaN gives 0. */
#include <math.h>
#include "vector_ops.h"

static inline uint32_t to_u32(float x) { return x >= 0x1p32f ? 0xffffffffu : x > 0 ? (uint32_t)x : 0; }
static inline int32_t to_i32(float x)
{
	return x >= 0x1p31f ? INT32_MAX : x > -0x1p31f ? (int32_t)x : x != x ? 0 : INT32_MIN;
}
static inline uint32_t to_u32d(double x) { return x >= 0x1p32 ? 0xffffffffu : x > 0 ? (uint32_t)x : 0; }
static inline int32_t to_i32d(double x)
{
	return x >= 0x1p31 ? INT32_MAX : x > -0x1p31 ? (int32_t)x : x != x ? 0 : INT32_MIN;
}
static inline uint32_t to_u16(float x) { return x >= 65535 ? 65535 : x > 0 ? (uint32_t)x : 0; }
static inline uint32_t to_i16(float x)
{
	return (uint16_t)(x >= 32767 ? 32767 : x > -32768 ? (int32_t)x : x != x ? 0 : -32768);
}
static inline uint32_t to_u8(float x) { x = __builtin_rintf(x); return x >= 255 ? 255 : x > 0 ? (uint32_t)x : 0; }
static inline uint32_t to_snorm(float x)
{
	return x != x ? 0 : (uint16_t)(int32_t)__builtin_rintf((x > 1 ? 1 : x < -1 ? -1 : x) * 32767);
}
static inline uint32_t to_unorm(float x) { return x > 0 ? (uint32_t)__builtin_rintf((x > 1 ? 1 : x) * 65535) : 0; }

V1(v_cvt_f32_i32, int32_t, float, (float)x)
V1(v_cvt_f32_u32, uint32_t, float, (float)x)
V1(v_cvt_u32_f32, float, uint32_t, to_u32(x))
V1(v_cvt_i32_f32, float, int32_t, to_i32(x))
V1(v_cvt_rpi_i32_f32, float, int32_t, to_i32((float)floor((double)x + 0.5)))
V1(v_cvt_flr_i32_f32, float, int32_t, to_i32(floorf(x)))
V1(v_cvt_off_f32_i4, uint32_t, float, (float)((int32_t)(x << 28) >> 28) * 0.0625f)
V1(v_cvt_f32_ubyte0, uint32_t, float, (float)(int32_t)(x & 0xff))
V1(v_cvt_f32_ubyte1, uint32_t, float, (float)(int32_t)(x >> 8 & 0xff))
V1(v_cvt_f32_ubyte2, uint32_t, float, (float)(int32_t)(x >> 16 & 0xff))
V1(v_cvt_f32_ubyte3, uint32_t, float, (float)(int32_t)(x >> 24))
V2(v_cvt_pk_u16_u32, uint32_t, uint32_t, (x > 0xffff ? 0xffff : x) | (y > 0xffff ? 0xffff : y) << 16)
V2(v_cvt_pk_i16_i32, int32_t, uint32_t,
	(uint16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x) | (uint32_t)(uint16_t)(y > 32767 ? 32767 : y < -32768 ?
			-32768 : y) << 16)
V2(v_cvt_pknorm_i16_f32, float, uint32_t, to_snorm(x) | to_snorm(y) << 16)
V2(v_cvt_pknorm_u16_f32, float, uint32_t, to_unorm(x) | to_unorm(y) << 16)

VECTOR_HANDLER(v_cvt_f16_f32)
{
	lanes32 t0, r;
	floats_to_halves((const float *)src32(w, in, 0, t0), r);
	put16(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_cvt_f32_f16)
{
	lanes32 r;
	float *d = (float *)dst32(w, in, r);
	lanesf t0;
	memcpy(d, src16f(w, in, 0, t0), sizeof(lanesf));
	if ((void *)d == (void *)r)
		put32(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_cvt_pkrtz_f16_f32)
{
	lanes32 t0, t1, r;
	const float *a = (const float *)src32(w, in, 0, t0), *b = (const float *)src32(w, in, 1, t1);
	EACH_LANE(i)
		r[i] = float_to_half_toward_zero(a[i]) | float_to_half_toward_zero(b[i]) << 16;
	put32(w, in, r);
	return GO_ON;
}

/* 64-bit to 32-bit and back. */
#define FROM_F64(name, R, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes64 t0; \
		lanes32 r; \
		const double *a = (const double *)src64(w, in, 0, t0); \
		R *d = (R *)dst32(w, in, r); \
		EACH_LANE(i) { double x = a[i]; d[i] = (expr); } \
		if ((void *)d == (void *)r) put32(w, in, r); \
		return GO_ON; \
	}
#define TO_F64(name, T) \
	VECTOR_HANDLER(name) \
	{ \
		lanes32 t0; \
		lanes64 r; \
		const T *a = (const T *)src32(w, in, 0, t0); \
		EACH_LANE(i) r[i] = bits_of_double((double)a[i]); \
		put64(w, in, r); \
		return GO_ON; \
	}
FROM_F64(v_cvt_i32_f64, int32_t, to_i32d(x))
FROM_F64(v_cvt_u32_f64, uint32_t, to_u32d(x))
FROM_F64(v_cvt_f32_f64, float, (float)x)
TO_F64(v_cvt_f64_i32, int32_t)
TO_F64(v_cvt_f64_u32, uint32_t)
TO_F64(v_cvt_f64_f32, float)

/* 16 bits */
#define FROM_F16(name, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanesf t0; \
		lanes32 r; \
		const float *a = src16f(w, in, 0, t0); \
		EACH_LANE(i) { float x = a[i]; r[i] = (expr); } \
		put16(w, in, r); \
		return GO_ON; \
	}
FROM_F16(v_cvt_u16_f16, to_u16(x))
FROM_F16(v_cvt_i16_f16, to_i16(x))
FROM_F16(v_cvt_norm_i16_f16, to_snorm(x))
FROM_F16(v_cvt_norm_u16_f16, to_unorm(x))
static int cvt_f16_integer(struct wave *w, const struct insn *in, bool is_signed)
{
	lanes32 t0, r;
	lanesf f;
	const uint32_t *a = src16(w, in, 0, t0);
	EACH_LANE(i)
		f[i] = is_signed ? (float)(int16_t)a[i] : (float)(int32_t)a[i];
	floats_to_halves(f, r);
	put16(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_cvt_f16_u16) { return cvt_f16_integer(w, in, false); }
VECTOR_HANDLER(v_cvt_f16_i16) { return cvt_f16_integer(w, in, true); }
#define PACK_F16(name, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanesf t0, t1; \
		lanes32 r; \
		const float *a = src16f(w, in, 0, t0), *b = src16f(w, in, 1, t1); \
		EACH_LANE(i) { float x = a[i], y = b[i]; r[i] = (expr); } \
		put32(w, in, r); \
		return GO_ON; \
	}
PACK_F16(v_cvt_pknorm_i16_f16, to_snorm(x) | to_snorm(y) << 16)
PACK_F16(v_cvt_pknorm_u16_f16, to_unorm(x) | to_unorm(y) << 16)

VECTOR_HANDLER(v_pack_b32_f16)   /* moves bits: NaNs and denormals stay as they are */
{
	lanes32 t, part[2], r;
	for (int n = 0; n < 2; n++) {
		uint32_t keep = in->src[n].mods & MOD_ABS ? 0x7fff : 0xffff, flip = in->src[n].mods & MOD_NEG ? 0x8000 : 0;
		const uint32_t *a = src16(w, in, n, t);
		EACH_LANE(i)
			part[n][i] = (a[i] & keep) ^ flip;
	}
	EACH_LANE(i)
		r[i] = part[0][i] | part[1][i] << 16;
	put32(w, in, r);
	return GO_ON;
}

/* Bytes: the second source says which byte of the third (or of the old result) is replaced. */
VECTOR_HANDLER(v_cvt_pk_u8_f32)
{
	lanes32 t0, t1, t2, r;
	const float *a = (const float *)src32(w, in, 0, t0);
	const uint32_t *b = src32(w, in, 1, t1), *c = src32(w, in, 2, t2);
	for (int i = 0; i < LANES; i++) {
		unsigned shift = 8 * (b[i] & 3);
		r[i] = (c[i] & ~(0xffu << shift)) | to_u8(a[i]) << shift;
	}
	put32(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_cvt_pkaccum_u8_f32)
{
	lanes32 t0, t1, r;
	const float *a = (const float *)src32(w, in, 0, t0);
	const uint32_t *b = src32(w, in, 1, t1), *c = vector_register(w, &in->dst);
	for (int i = 0; i < LANES; i++) {
		unsigned shift = 8 * (b[i] & 3);
		r[i] = (c[i] & ~(0xffu << shift)) | to_u8(a[i]) << shift;
	}
	put32(w, in, r);
	return GO_ON;
}

/* 8-bit floats. MODE bit 23 (FP16_OVFL) makes values out of range saturate instead of becoming NaN. */
V1(v_cvt_f32_fp8, uint32_t, float, fp8_to_float(x))
V1(v_cvt_f32_bf8, uint32_t, float, bf8_to_float(x))
static int unpack_small(struct wave *w, const struct insn *in, bool bf8)
{
	lanes32 t0;
	lanes64 r;
	const uint32_t *a = src32(w, in, 0, t0);
	for (int i = 0; i < LANES; i++) {
		float lo = bf8 ? bf8_to_float(a[i]) : fp8_to_float(a[i]),
				hi = bf8 ? bf8_to_float(a[i] >> 8) : fp8_to_float(a[i] >> 8);
		r[i] = bits_of_float(lo) | (uint64_t)bits_of_float(hi) << 32;
	}
	put64(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_cvt_pk_f32_fp8) { return unpack_small(w, in, false); }
VECTOR_HANDLER(v_cvt_pk_f32_bf8) { return unpack_small(w, in, true); }
static uint32_t to_small(struct wave *w, float x, bool bf8)
{
	int saturate = w->mode >> 23 & 1;
	return bf8 ? float_to_bf8(x, saturate) : float_to_fp8(x, saturate);
}
static int pack_small(struct wave *w, const struct insn *in, bool bf8)
{
	lanes32 t0, t1, r;
	const float *a = (const float *)src32(w, in, 0, t0), *b = (const float *)src32(w, in, 1, t1);
	for (int i = 0; i < LANES; i++)
		r[i] = to_small(w, a[i], bf8) | to_small(w, b[i], bf8) << 8;
	put16(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_cvt_pk_fp8_f32) { return pack_small(w, in, false); }
VECTOR_HANDLER(v_cvt_pk_bf8_f32) { return pack_small(w, in, true); }
/* Stochastic rounding: the upper bits of source 1 are added below the last kept bit, then the value is truncated. */
static int round_randomly(struct wave *w, const struct insn *in, bool bf8)
{
	lanes32 t0, t1, r;
	const float *a = (const float *)src32(w, in, 0, t0);
	const uint32_t *b = src32(w, in, 1, t1), *d = vector_register(w, &in->dst);
	unsigned shift = 8 * (in->op_sel >> 2 & 3);
	int drop = bf8 ? 21 : 20;
	for (int i = 0; i < LANES; i++) {
		uint32_t x = bits_of_float(a[i]);
		if ((x & 0x7f800000) != 0x7f800000)
			x = (x + (b[i] >> (32 - drop))) & ~((1u << drop) - 1);
		r[i] = (d[i] & ~(0xffu << shift)) | to_small(w, float_of_bits(x), bf8) << shift;
	}
	put32(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_cvt_sr_fp8_f32) { return round_randomly(w, in, false); }
VECTOR_HANDLER(v_cvt_sr_bf8_f32) { return round_randomly(w, in, true); }

const struct opdef ops_vector_convert[] = {
	OP(v_cvt_f32_i32, "Fu") OP(v_cvt_f32_u32, "Fu") OP(v_cvt_u32_f32, "Df") OP(v_cvt_i32_f32, "Df")
	OP(v_cvt_rpi_i32_f32, "Df")
	OP(v_cvt_flr_i32_f32, "Df") OP(v_cvt_off_f32_i4, "Fu") OP(v_cvt_f32_ubyte0, "Fu") OP(v_cvt_f32_ubyte1, "Fu")
	OP(v_cvt_f32_ubyte2, "Fu") OP(v_cvt_f32_ubyte3, "Fu") OP(v_cvt_pk_u16_u32, "Duu") OP(v_cvt_pk_i16_i32, "Duu")
	OP(v_cvt_pknorm_i16_f32, "Dff") OP(v_cvt_pknorm_u16_f32, "Dff") OP(v_cvt_f16_f32, "Hf") OP(v_cvt_f32_f16, "Fh")
	OP(v_cvt_pkrtz_f16_f32, "Pff") OP(v_cvt_i32_f64, "Dg") OP(v_cvt_u32_f64, "Dg") OP(v_cvt_f32_f64, "Fg")
	OP(v_cvt_f64_i32, "Gu")
	OP(v_cvt_f64_u32, "Gu") OP(v_cvt_f64_f32, "Gf") OP(v_cvt_u16_f16, "Wh") OP(v_cvt_i16_f16, "Wh")
	OP(v_cvt_norm_i16_f16, "Wh")
	OP(v_cvt_norm_u16_f16, "Wh") OP(v_cvt_f16_u16, "Hw") OP(v_cvt_f16_i16, "Hw") OP(v_cvt_pknorm_i16_f16, "Dhh")
	OP(v_cvt_pknorm_u16_f16, "Dhh") OP(v_pack_b32_f16, "Dhh") OP(v_cvt_pk_u8_f32, "Dfuu") OP(v_cvt_pkaccum_u8_f32, "Dfu")
	OP(v_cvt_f32_fp8, "Fu") OP(v_cvt_f32_bf8, "Fu") OP(v_cvt_pk_f32_fp8, "2u") OP(v_cvt_pk_f32_bf8, "2u")
	OP(v_cvt_pk_fp8_f32, "Xff") OP(v_cvt_pk_bf8_f32, "Xff") OP(v_cvt_sr_fp8_f32, "Dfu") OP(v_cvt_sr_bf8_f32, "Dfu")
	{ 0 }
};
