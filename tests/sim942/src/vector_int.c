/* Integer and bit instructions of the vector unit. */
#include "vector_ops.h"

static inline uint32_t reverse_bits(uint32_t x)
{
	x = (x >> 1 & 0x55555555) | (x & 0x55555555) << 1;
	x = (x >> 2 & 0x33333333) | (x & 0x33333333) << 2;
	x = (x >> 4 & 0x0f0f0f0f) | (x & 0x0f0f0f0f) << 4;
	return x << 24 | (x & 0xff00) << 8 | (x >> 8 & 0xff00) | x >> 24;
}
static inline int32_t i24(uint32_t x) { return (int32_t)(x << 8) >> 8; }
static inline uint32_t u24(uint32_t x) { return x & 0xffffff; }
static inline int32_t i16(uint32_t x) { return (int16_t)x; }
static inline uint32_t min_u(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline uint32_t max_u(uint32_t a, uint32_t b) { return a > b ? a : b; }
static inline int32_t min_i(int32_t a, int32_t b) { return a < b ? a : b; }
static inline int32_t max_i(int32_t a, int32_t b) { return a > b ? a : b; }
static inline int32_t clamp_i32(int64_t x)
{
	return x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : (int32_t)x;
}
static inline uint32_t clamp_u16(int32_t x) { return x < 0 ? 0 : x > 0xffff ? 0xffff : (uint32_t)x; }
static inline uint32_t clamp_i16(int32_t x) { return (uint16_t)(x < -32768 ? -32768 : x > 32767 ? 32767 : x); }
static inline uint32_t abs_diff(uint32_t a, uint32_t b) { return a > b ? a - b : b - a; }

V1(v_mov_b32, uint32_t, uint32_t, x)
V1(v_not_b32, uint32_t, uint32_t, ~x)
V1(v_bfrev_b32, uint32_t, uint32_t, reverse_bits(x))
V1(v_ffbh_u32, uint32_t, uint32_t, x ? __builtin_clz(x) : -1)
V1(v_ffbl_b32, uint32_t, uint32_t, x ? __builtin_ctz(x) : -1)
V1(v_ffbh_i32, int32_t, uint32_t, (x ^ x >> 31) ? __builtin_clz((uint32_t)(x ^ x >> 31)) : -1)
V2(v_add_u32, uint32_t, uint32_t, x + y)
V2(v_sub_u32, uint32_t, uint32_t, x - y)
V2(v_subrev_u32, uint32_t, uint32_t, y - x)
V2(v_add_u32_clamp, uint32_t, uint32_t, x + y < x ? ~0u : x + y)
V2(v_sub_u32_clamp, uint32_t, uint32_t, x < y ? 0 : x - y)
V2(v_subrev_u32_clamp, uint32_t, uint32_t, y < x ? 0 : y - x)
V2(v_add_i32_clamp, int32_t, int32_t, clamp_i32((int64_t)x + y))
V2(v_sub_i32_clamp, int32_t, int32_t, clamp_i32((int64_t)x - y))
V2(v_mul_i32_i24, uint32_t, uint32_t, (uint32_t)i24(x) * (uint32_t)i24(y))
V2(v_mul_hi_i32_i24, uint32_t, uint32_t, (int64_t)i24(x) * i24(y) >> 32)
V2(v_mul_u32_u24, uint32_t, uint32_t, u24(x) * u24(y))
V2(v_mul_hi_u32_u24, uint32_t, uint32_t, (uint64_t)u24(x) * u24(y) >> 32)
V2(v_min_i32, int32_t, int32_t, min_i(x, y))
V2(v_max_i32, int32_t, int32_t, max_i(x, y))
V2(v_min_u32, uint32_t, uint32_t, min_u(x, y))
V2(v_max_u32, uint32_t, uint32_t, max_u(x, y))
V2(v_lshrrev_b32, uint32_t, uint32_t, y >> (x & 31))
V2(v_ashrrev_i32, int32_t, int32_t, y >> (x & 31))
V2(v_lshlrev_b32, uint32_t, uint32_t, y << (x & 31))
V2(v_and_b32, uint32_t, uint32_t, x & y)
V2(v_or_b32, uint32_t, uint32_t, x | y)
V2(v_xor_b32, uint32_t, uint32_t, x ^ y)
V2(v_xnor_b32, uint32_t, uint32_t, ~(x ^ y))
V2(v_bfm_b32, uint32_t, uint32_t, ((1u << (x & 31)) - 1) << (y & 31))
V2(v_mul_lo_u32, uint32_t, uint32_t, x * y)
V2(v_mul_hi_u32, uint32_t, uint32_t, (uint64_t)x * y >> 32)
V2(v_mul_hi_i32, int32_t, uint32_t, (int64_t)x * y >> 32)
V2(v_bcnt_u32_b32, uint32_t, uint32_t, y + (uint32_t)__builtin_popcount(x))
V3(v_mad_i32_i24, uint32_t, uint32_t, (uint32_t)i24(x) * (uint32_t)i24(y) + z)
V3(v_mad_u32_u24, uint32_t, uint32_t, u24(x) * u24(y) + z)
V3(v_mad_u32_u24_clamp, uint32_t, uint32_t,
	(uint64_t)u24(x) * u24(y) + z > 0xffffffffu ? 0xffffffffu : u24(x) * u24(y) + z)
V3(v_mad_i32_i24_clamp, uint32_t, int32_t, clamp_i32((int64_t)i24(x) * i24(y) + (int32_t)z))
V3(v_bfe_u32, uint32_t, uint32_t, x >> (y & 31) & ((1u << (z & 31)) - 1))
V3(v_bfe_i32, uint32_t, uint32_t,
	(z & 31) == 0 ? 0 : (y & 31) + (z & 31) >= 32 ? (int32_t)x >> (y & 31)
	: (int32_t)(x << ((32 - (y & 31) - (z & 31)) & 31)) >> ((32 - (z & 31)) & 31))
V3(v_bfi_b32, uint32_t, uint32_t, (x & y) | (~x & z))
V3(v_alignbit_b32, uint32_t, uint32_t, ((uint64_t)x << 32 | y) >> (z & 31))
V3(v_alignbyte_b32, uint32_t, uint32_t, ((uint64_t)x << 32 | y) >> 8 * (z & 3))
V3(v_min3_i32, int32_t, int32_t, min_i(min_i(x, y), z))
V3(v_min3_u32, uint32_t, uint32_t, min_u(min_u(x, y), z))
V3(v_max3_i32, int32_t, int32_t, max_i(max_i(x, y), z))
V3(v_max3_u32, uint32_t, uint32_t, max_u(max_u(x, y), z))
V3(v_med3_i32, int32_t, int32_t, max_i(min_i(x, y), min_i(max_i(x, y), z)))
V3(v_med3_u32, uint32_t, uint32_t, max_u(min_u(x, y), min_u(max_u(x, y), z)))
V3(v_lshl_add_u32, uint32_t, uint32_t, (x << (y & 31)) + z)
V3(v_add_lshl_u32, uint32_t, uint32_t, (x + y) << (z & 31))
V3(v_add3_u32, uint32_t, uint32_t, x + y + z)
V3(v_lshl_or_b32, uint32_t, uint32_t, x << (y & 31) | z)
V3(v_and_or_b32, uint32_t, uint32_t, (x & y) | z)
V3(v_or3_b32, uint32_t, uint32_t, x | y | z)
V3(v_xad_u32, uint32_t, uint32_t, (x ^ y) + z)
V3(v_sad_u32, uint32_t, uint32_t, abs_diff(x, y) + z)
V3(v_sad_u16, uint32_t, uint32_t, abs_diff(x & 0xffff, y & 0xffff) + abs_diff(x >> 16, y >> 16) + z)

static inline uint32_t sad_u8(uint32_t x, uint32_t y)
{
	uint32_t sum = 0;
	for (int b = 0; b < 32; b += 8)
		sum += abs_diff(x >> b & 0xff, y >> b & 0xff);
	return sum;
}
static inline uint32_t msad_u8(uint32_t x, uint32_t y)
{
	uint32_t sum = 0;
	for (int b = 0; b < 32; b += 8)
		sum += (y >> b & 0xff) ? abs_diff(x >> b & 0xff, y >> b & 0xff) : 0;
	return sum;
}
V3(v_sad_u8, uint32_t, uint32_t, sad_u8(x, y) + z)
V3(v_sad_hi_u8, uint32_t, uint32_t, (sad_u8(x, y) << 16) + z)
V3(v_msad_u8, uint32_t, uint32_t, msad_u8(x, y) + z)
static inline uint32_t lerp_u8(uint32_t x, uint32_t y, uint32_t z)
{
	uint32_t r = 0;
	for (int b = 0; b < 32; b += 8)
		r |= ((x >> b & 0xff) + (y >> b & 0xff) + (z >> b & 1)) >> 1 << b;
	return r;
}
V3(v_lerp_u8, uint32_t, uint32_t, lerp_u8(x, y, z))

/* Byte i of the result is chosen by byte i of the selector: 0-7 a byte of {S0, S1}, 8-11 a sign, 12 zero, above all
 * ones. */
static inline uint32_t permute_byte(uint64_t data, uint32_t sel)
{
	if (sel < 8)
		return data >> 8 * sel & 0xff;
	if (sel < 12)
		return data >> (16 * (sel - 8) + 15) & 1 ? 0xff : 0;
	return sel == 12 ? 0 : 0xff;
}
VECTOR_HANDLER(v_perm_b32)
{
	lanes32 t0, t1, t2, r;
	const uint32_t *a = src32(w, in, 0, t0), *b = src32(w, in, 1, t1), *c = src32(w, in, 2, t2);
	for (int i = 0; i < LANES; i++) {
		uint64_t data = (uint64_t)a[i] << 32 | b[i];
		uint32_t s = c[i];
		if (!(s & 0xf8f8f8f8))   /* nothing but byte selections */
			r[i] = (uint32_t)(data >> 8 * (s & 7) & 0xff) | (uint32_t)(data >> 8 * (s >> 8 & 7) & 0xff) << 8
				| (uint32_t)(data >> 8 * (s >> 16 & 7) & 0xff) << 16 | (uint32_t)(data >> 8 * (s >> 24) & 0xff) << 24;
		else
			r[i] = permute_byte(data, s & 0xff) | permute_byte(data, s >> 8 & 0xff) << 8
				| permute_byte(data, s >> 16 & 0xff) << 16 | permute_byte(data, s >> 24) << 24;
	}
	put32(w, in, r);
	return GO_ON;
}

/* 16-bit integers. */
W2(v_add_u16, x + y)
W2(v_sub_u16, x - y)
W2(v_subrev_u16, y - x)
W2(v_add_u16_clamp, clamp_u16((int32_t)(x + y)))
W2(v_sub_u16_clamp, clamp_u16((int32_t)x - (int32_t)y))
W2(v_add_i16_clamp, clamp_i16(i16(x) + i16(y)))
W2(v_sub_i16_clamp, clamp_i16(i16(x) - i16(y)))
W2(v_mul_lo_u16, x * y)
W2(v_lshlrev_b16, y << (x & 15))
W2(v_lshrrev_b16, y >> (x & 15))
W2(v_ashrrev_i16, i16(y) >> (x & 15))
W2(v_max_u16, max_u(x, y))
W2(v_min_u16, min_u(x, y))
W2(v_max_i16, max_i(i16(x), i16(y)))
W2(v_min_i16, min_i(i16(x), i16(y)))
W3(v_mad_u16, x * y + z)
W3(v_min3_i16, min_i(min_i(i16(x), i16(y)), i16(z)))
W3(v_min3_u16, min_u(min_u(x, y), z))
W3(v_max3_i16, max_i(max_i(i16(x), i16(y)), i16(z)))
W3(v_max3_u16, max_u(max_u(x, y), z))
W3(v_med3_i16, max_i(min_i(i16(x), i16(y)), min_i(max_i(i16(x), i16(y)), i16(z))))
W3(v_med3_u16, max_u(min_u(x, y), min_u(max_u(x, y), z)))

static int mad_16(struct wave *w, const struct insn *in, bool is_signed)
{
	lanes32 t0, t1, t2, r;
	const uint32_t *a = src16(w, in, 0, t0), *b = src16(w, in, 1, t1);
	lanes32 c;
	memcpy(c, src32(w, in, 2, t2), sizeof c);
	for (int i = 0; i < LANES; i++)
		r[i] = (is_signed ? (uint32_t)i16(a[i]) * (uint32_t)i16(b[i]) : a[i] * b[i]) + c[i];
	put32(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_mad_u32_u16) { return mad_16(w, in, false); }
VECTOR_HANDLER(v_mad_i32_i16) { return mad_16(w, in, true); }

/* Packed 16-bit integers: x, y, z of each half. */
#define PACKED(name, sources, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes32 t0, t1, t2, r = {0}; \
		for (int half = 0; half < 2; half++) { \
			const uint32_t *a = src_packed_16(w, in, 0, half, t0), *b = src_packed_16(w, in, 1, half, t1); \
			const uint32_t *c = sources == 3 ? src_packed_16(w, in, 2, half, t2) : b; \
			EACH_LANE(i) { uint32_t x = a[i], y = b[i], z = c[i]; (void)z; r[i] |= (uint32_t)(uint16_t)(expr) << 16 * half; } \
		} \
		put32(w, in, r); \
		return GO_ON; \
	}
PACKED(v_pk_mad_u16, 3, x * y + z)
PACKED(v_pk_mul_lo_u16, 2, x * y)
PACKED(v_pk_add_u16, 2, x + y)
PACKED(v_pk_sub_u16, 2, x - y)
PACKED(v_pk_add_u16_clamp, 2, clamp_u16((int32_t)(x + y)))
PACKED(v_pk_sub_u16_clamp, 2, clamp_u16((int32_t)x - (int32_t)y))
PACKED(v_pk_add_i16_clamp, 2, clamp_i16(i16(x) + i16(y)))
PACKED(v_pk_sub_i16_clamp, 2, clamp_i16(i16(x) - i16(y)))
PACKED(v_pk_lshlrev_b16, 2, y << (x & 15))
PACKED(v_pk_lshrrev_b16, 2, y >> (x & 15))
PACKED(v_pk_ashrrev_i16, 2, i16(y) >> (x & 15))
PACKED(v_pk_max_i16, 2, max_i(i16(x), i16(y)))
PACKED(v_pk_min_i16, 2, min_i(i16(x), i16(y)))
PACKED(v_pk_max_u16, 2, max_u(x, y))
PACKED(v_pk_min_u16, 2, min_u(x, y))

/* Carries: the sum is 33 bits wide; carry-in from source 2. */
#define CARRY(name, has_in, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes32 t0, t1, r, carry_in, carry; \
		const uint32_t *a = src32(w, in, 0, t0), *b = src32(w, in, 1, t1); \
		if (has_in) \
			unpack_mask(read_mask(w, &in->src[2]), carry_in); \
		else \
			memset(carry_in, 0, sizeof carry_in); \
		EACH_LANE(i) { \
			uint32_t x = a[i], y = b[i], c = carry_in[i] & 1; \
			uint64_t sum = (expr); \
			r[i] = (uint32_t)sum; \
			carry[i] = (uint32_t)(sum >> 32) & 1; \
		} \
		uint64_t lanes = in->dpp ? dpp_lanes(w, in->dpp) : *exec_of(w); \
		put32(w, in, r); \
		write_mask(w, &in->sdst, pack_mask(carry) & lanes); \
		return GO_ON; \
	}
CARRY(v_add_co_u32, false, (uint64_t)x + y + c)
CARRY(v_sub_co_u32, false, (uint64_t)x - y - c)
CARRY(v_subrev_co_u32, false, (uint64_t)y - x - c)
CARRY(v_addc_co_u32, true, (uint64_t)x + y + c)
CARRY(v_subb_co_u32, true, (uint64_t)x - y - c)
CARRY(v_subbrev_co_u32, true, (uint64_t)y - x - c)

/* 64-bit integers. */
D1(v_mov_b64, uint64_t, x)
#define SHIFT64(name, T, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes32 t0; \
		lanes64 t1, r; \
		const uint32_t *a = src32(w, in, 0, t0); \
		const uint64_t *b = src64(w, in, 1, t1); \
		EACH_LANE(i) { uint32_t x = a[i] & 63; T y = (T)b[i]; r[i] = (uint64_t)(expr); } \
		put64(w, in, r); \
		return GO_ON; \
	}
SHIFT64(v_lshlrev_b64, uint64_t, y << x)
SHIFT64(v_lshrrev_b64, uint64_t, y >> x)
SHIFT64(v_ashrrev_i64, int64_t, y >> x)

VECTOR_HANDLER(v_lshl_add_u64)
{
	lanes32 t1;
	lanes64 t0, t2, r;
	const uint64_t *a = src64(w, in, 0, t0), *c = src64(w, in, 2, t2);
	const uint32_t *b = src32(w, in, 1, t1);
	EACH_LANE(i)
		r[i] = (a[i] << (b[i] & 7)) + c[i];
	put64(w, in, r);
	return GO_ON;
}

static int mad_64(struct wave *w, const struct insn *in, bool is_signed)
{
	lanes32 t0, t1, carry;
	lanes64 t2, r;
	const uint32_t *a = src32(w, in, 0, t0), *b = src32(w, in, 1, t1);
	const uint64_t *c = src64(w, in, 2, t2);
	if (is_signed)
		for (int i = 0; i < LANES; i++) {
			int64_t sum;
			carry[i] = __builtin_add_overflow((int64_t)(int32_t)a[i] * (int32_t)b[i], (int64_t)c[i], &sum);
			r[i] = (uint64_t)sum;
		}
	else
		EACH_LANE(i) {
			r[i] = (uint64_t)a[i] * b[i] + c[i];
			carry[i] = r[i] < c[i];
		}
	uint64_t lanes = *exec_of(w);
	put64(w, in, r);
	write_mask(w, &in->sdst, pack_mask(carry) & lanes);
	return GO_ON;
}
VECTOR_HANDLER(v_mad_u64_u32) { return mad_64(w, in, false); }
VECTOR_HANDLER(v_mad_i64_i32) { return mad_64(w, in, true); }

static inline uint32_t saturate_byte(int32_t x) { return x < 0 ? 0 : x > 255 ? 255 : (uint32_t)x; }
V1(v_sat_pk_u8_i16, uint32_t, uint32_t, saturate_byte(i16(x)) | saturate_byte(i16(x >> 16)) << 8)

#define CLAMPED(name, handler, sig) { #name ".clamp", handler, sig, F_VALU, C_VALU, 0 },
#define ALIAS(name, handler, sig) { #name, handler, sig, F_VALU, C_VALU, 0 },
const struct opdef ops_vector_int[] = {
	OP(v_mov_b32, "Du") ALIAS(v_accvgpr_read_b32, v_mov_b32, "Du") ALIAS(v_accvgpr_write_b32, v_mov_b32, "Du")
	ALIAS(v_accvgpr_mov_b32, v_mov_b32, "Du") OP(v_not_b32, "Du") OP(v_bfrev_b32, "Du") OP(v_ffbh_u32, "Du")
	OP(v_ffbl_b32, "Du") OP(v_ffbh_i32, "Du") OP(v_sat_pk_u8_i16, "Du")
	OP(v_add_u32, "Duu") OP(v_sub_u32, "Duu") OP(v_subrev_u32, "Duu")
	CLAMPED(v_add_u32, v_add_u32_clamp, "Duu") CLAMPED(v_sub_u32, v_sub_u32_clamp, "Duu")
	CLAMPED(v_subrev_u32, v_subrev_u32_clamp, "Duu")
	ALIAS(v_add_i32, v_add_u32, "Duu") ALIAS(v_sub_i32, v_sub_u32, "Duu")
	CLAMPED(v_add_i32, v_add_i32_clamp, "Duu") CLAMPED(v_sub_i32, v_sub_i32_clamp, "Duu")
	OP(v_mul_i32_i24, "Duu") OP(v_mul_hi_i32_i24, "Duu") OP(v_mul_u32_u24, "Duu") OP(v_mul_hi_u32_u24, "Duu")
	OP(v_min_i32, "Duu") OP(v_max_i32, "Duu") OP(v_min_u32, "Duu") OP(v_max_u32, "Duu")
	OP(v_lshrrev_b32, "Duu") OP(v_ashrrev_i32, "Duu") OP(v_lshlrev_b32, "Duu") OP(v_and_b32, "Duu") OP(v_or_b32, "Duu")
	OP(v_xor_b32, "Duu") OP(v_xnor_b32, "Duu") OP(v_bfm_b32, "Duu") OP(v_mul_lo_u32, "Duu") OP(v_mul_hi_u32, "Duu")
	OP(v_mul_hi_i32, "Duu") OP(v_bcnt_u32_b32, "Duu") OP(v_mad_i32_i24, "Duuu") OP(v_mad_u32_u24, "Duuu")
	CLAMPED(v_mad_u32_u24, v_mad_u32_u24_clamp, "Duuu") CLAMPED(v_mad_i32_i24, v_mad_i32_i24_clamp, "Duuu")
	OP(v_bfe_u32, "Duuu") OP(v_bfe_i32, "Duuu") OP(v_bfi_b32, "Duuu") OP(v_alignbit_b32, "Duuu")
	OP(v_alignbyte_b32, "Duuu")
	OP(v_min3_i32, "Duuu") OP(v_min3_u32, "Duuu") OP(v_max3_i32, "Duuu") OP(v_max3_u32, "Duuu") OP(v_med3_i32, "Duuu")
	OP(v_med3_u32, "Duuu") OP(v_lshl_add_u32, "Duuu") OP(v_add_lshl_u32, "Duuu") OP(v_add3_u32, "Duuu")
	OP(v_lshl_or_b32, "Duuu") OP(v_and_or_b32, "Duuu") OP(v_or3_b32, "Duuu") OP(v_xad_u32, "Duuu")
	OP(v_sad_u32, "Duuu") OP(v_sad_u16, "Duuu") OP(v_sad_u8, "Duuu") OP(v_sad_hi_u8, "Duuu") OP(v_msad_u8, "Duuu")
	OP(v_lerp_u8, "Duuu") OP(v_perm_b32, "Duuu")
	OP(v_add_u16, "Www") OP(v_sub_u16, "Www") OP(v_subrev_u16, "Www") CLAMPED(v_add_u16, v_add_u16_clamp, "Www")
	CLAMPED(v_sub_u16, v_sub_u16_clamp, "Www") OP(v_mul_lo_u16, "Www") OP(v_lshlrev_b16, "Www") OP(v_lshrrev_b16, "Www")
	OP(v_ashrrev_i16, "Www") OP(v_max_u16, "Www") OP(v_min_u16, "Www") OP(v_max_i16, "Www") OP(v_min_i16, "Www")
	ALIAS(v_add_i16, v_add_u16, "Xww") ALIAS(v_sub_i16, v_sub_u16, "Xww")
	CLAMPED(v_add_i16, v_add_i16_clamp, "Xww") CLAMPED(v_sub_i16, v_sub_i16_clamp, "Xww")
	OP(v_mad_u16, "Xwww") ALIAS(v_mad_i16, v_mad_u16, "Xwww") ALIAS(v_mad_legacy_u16, v_mad_u16, "Wwww")
	ALIAS(v_mad_legacy_i16, v_mad_u16, "Wwww") OP(v_min3_i16, "Xwww") OP(v_min3_u16, "Xwww") OP(v_max3_i16, "Xwww")
	OP(v_max3_u16, "Xwww") OP(v_med3_i16, "Xwww") OP(v_med3_u16, "Xwww") OP(v_mad_u32_u16, "Dwwu")
	OP(v_mad_i32_i16, "Dwwu")
	OP(v_pk_mad_u16, "Iiii") ALIAS(v_pk_mad_i16, v_pk_mad_u16, "Iiii") OP(v_pk_mul_lo_u16, "Iii") OP(v_pk_add_u16, "Iii")
	OP(v_pk_sub_u16, "Iii") ALIAS(v_pk_add_i16, v_pk_add_u16, "Iii") ALIAS(v_pk_sub_i16, v_pk_sub_u16, "Iii")
	CLAMPED(v_pk_add_u16, v_pk_add_u16_clamp, "Iii") CLAMPED(v_pk_sub_u16, v_pk_sub_u16_clamp, "Iii")
	CLAMPED(v_pk_add_i16, v_pk_add_i16_clamp, "Iii") CLAMPED(v_pk_sub_i16, v_pk_sub_i16_clamp, "Iii")
	OP(v_pk_lshlrev_b16, "Iii") OP(v_pk_lshrrev_b16, "Iii") OP(v_pk_ashrrev_i16, "Iii") OP(v_pk_max_i16, "Iii")
	OP(v_pk_min_i16, "Iii") OP(v_pk_max_u16, "Iii") OP(v_pk_min_u16, "Iii")
	OP(v_add_co_u32, "DMuu") OP(v_sub_co_u32, "DMuu") OP(v_subrev_co_u32, "DMuu") OP(v_addc_co_u32, "DMuum")
	OP(v_subb_co_u32, "DMuum") OP(v_subbrev_co_u32, "DMuum")
	OP(v_mov_b64, "Lq") OP(v_lshlrev_b64, "Luq") OP(v_lshrrev_b64, "Luq") OP(v_ashrrev_i64, "Luq")
	OP(v_lshl_add_u64, "Lquq") OP(v_mad_u64_u32, "LMuuq") OP(v_mad_i64_i32, "LMuuq")
	{ 0 }
};
