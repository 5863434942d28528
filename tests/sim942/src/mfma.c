/* Matrix instructions: D = A B + C over one or several blocks, each lane holding a few elements of every matrix.
 *
 * For a shape of M x N x K and B blocks, lane l holds of A the row l % M of block l / M % B, elements
 * V * (l / (M * B)) and up, where V = M * K * B / 64; of B the column l % N likewise. The result of f32 and i32 shapes
 * lies in groups of four rows: register r of lane l is row 8 * (r / 4) + 4 * (l / 32) + r % 4 for M = 32, row 4 * (l /
 * 16) + r % 4 for M = 16 (blocks follow each other in the registers), row r of block l / 4 for M = 4. The f64 shapes
 * have row 4 * (pair) + l / 16 (16 x 16) and row l / 16 of block l / 4 % 4 (4 x 4). Layouts as AMD's matrix
 * instruction calculator has them.
 *
 * Products are accumulated in the order of k by fused multiply-adds in the result's type. EXEC is ignored.
 */
#include <math.h>
#include "lanes.h"

enum matrix_type { M_F32, M_XF32, M_F16, M_BF16, M_I8, M_FP8, M_BF8, M_F64 };
struct shape { uint8_t m, n, k, blocks, a, b; bool broadcast_a, permute_b; };

static const struct shape shapes[] = {
	{ 32, 32, 1, 2, M_F32, M_F32, true, true }, { 16, 16, 1, 4, M_F32, M_F32, true, true },
	{ 4, 4, 1, 16, M_F32, M_F32, true, true },
	{ 32, 32, 2, 1, M_F32, M_F32, false, true }, { 16, 16, 4, 1, M_F32, M_F32, false, true },
	{ 32, 32, 4, 2, M_F16, M_F16, true, true }, { 16, 16, 4, 4, M_F16, M_F16, true, true },
	{ 4, 4, 4, 16, M_F16, M_F16, true, true },
	{ 32, 32, 8, 1, M_F16, M_F16, false, false }, { 16, 16, 16, 1, M_F16, M_F16, false, false },
	{ 32, 32, 4, 2, M_BF16, M_BF16, true, true }, { 16, 16, 4, 4, M_BF16, M_BF16, true, true },
	{ 4, 4, 4, 16, M_BF16, M_BF16, true, true },
	{ 32, 32, 8, 1, M_BF16, M_BF16, false, false }, { 16, 16, 16, 1, M_BF16, M_BF16, false, false },
	{ 32, 32, 4, 2, M_I8, M_I8, true, true }, { 16, 16, 4, 4, M_I8, M_I8, true, true },
	{ 4, 4, 4, 16, M_I8, M_I8, true, true },
	{ 32, 32, 16, 1, M_I8, M_I8, false, false }, { 16, 16, 32, 1, M_I8, M_I8, false, false },
	{ 32, 32, 4, 1, M_XF32, M_XF32, false, false }, { 16, 16, 8, 1, M_XF32, M_XF32, false, false },
	{ 16, 16, 4, 1, M_F64, M_F64, false, false }, { 4, 4, 4, 4, M_F64, M_F64, false, false },
	{ 16, 16, 32, 1, M_BF8, M_BF8, false, false }, { 16, 16, 32, 1, M_BF8, M_FP8, false, false },
	{ 16, 16, 32, 1, M_FP8, M_BF8, false, false }, { 16, 16, 32, 1, M_FP8, M_FP8, false, false },
	{ 32, 32, 16, 1, M_BF8, M_BF8, false, false }, { 32, 32, 16, 1, M_BF8, M_FP8, false, false },
	{ 32, 32, 16, 1, M_FP8, M_BF8, false, false }, { 32, 32, 16, 1, M_FP8, M_FP8, false, false },
	{ 32, 32, 8, 1, M_I8, M_I8, false, false }, { 16, 16, 16, 1, M_I8, M_I8, false, false }, /* CDNA2's */
};

/* Source lane of B under blgp. */
static unsigned lane_of_b(unsigned lane, unsigned blgp)
{
	switch (blgp) {
	case 1: return lane % 32;
	case 2: return 32 + lane % 32;
	case 3: return (lane + 16) % LANES;
	case 4: case 5: case 6: case 7: return 16 * (blgp - 4) + lane % 16;
	default: return lane;
	}
}

/* Element j of every lane as 32-bit values: floats, or integers for M_I8. */
static void unpack(const uint32_t *reg, enum matrix_type type, unsigned j, uint32_t *out)
{
	float *f = (float *)out;
	switch (type) {
	case M_F32:
		memcpy(out, reg + j * LANES, sizeof(lanes32));
		break;
	case M_XF32:
		EACH_LANE(i)
			f[i] = float_to_xf32(float_of_bits(reg[j * LANES + i]));
		break;
	case M_F16:
		halves_to_floats(reg + j / 2 * LANES, j & 1, f);
		break;
	case M_BF16:
		EACH_LANE(i)
			out[i] = j & 1 ? reg[j / 2 * LANES + i] & 0xffff0000 : reg[j / 2 * LANES + i] << 16;
		break;
	case M_I8: {
		int up = 24 - 8 * (int)(j & 3);
		EACH_LANE(i)
			out[i] = (uint32_t)((int32_t)(reg[j / 4 * LANES + i] << up) >> 24);
		break;
	}
	default: {
		unsigned shift = 8 * (j & 3);
		for (int i = 0; i < LANES; i++) {
			uint32_t x = reg[j / 4 * LANES + (unsigned)i] >> shift;
			f[i] = type == M_FP8 ? fp8_to_float(x) : bf8_to_float(x);
		}
	}
	}
}

/* out[(block * K + k) * side + row or column]: the lanes of one k and block lie side by side in both. */
static void unpack_matrix(const uint32_t *reg, enum matrix_type type, unsigned side, const struct shape *s,
		unsigned blgp, uint32_t *out)
{
	unsigned per_lane = side * s->k * s->blocks / LANES, chunks = LANES / side;
	for (unsigned j = 0; j < per_lane; j++) {
		lanes32 x, moved;
		const uint32_t *p = x;
		unpack(reg, type, j, x);
		if (blgp) {
			for (unsigned i = 0; i < LANES; i++)
				moved[i] = x[lane_of_b(i, blgp)];
			p = moved;
		}
		for (unsigned c = 0; c < chunks; c++) {
			unsigned block = c % s->blocks, k = per_lane * (c / s->blocks) + j;
			memcpy(out + (block * s->k + k) * side, p + c * side, 4 * side);
		}
	}
}

/* c[row][column] += sum over k of a[k][row] * b[k][column] */
#define MULTIPLY(name, T, N, step) \
	static void name(T *restrict c, const T *restrict a, const T *restrict b, unsigned m, unsigned k_count) \
	{ \
		for (unsigned i = 0; i < m; i++) { \
			T sum[N]; \
			for (int j = 0; j < N; j++) sum[j] = c[i * N + j]; \
			for (unsigned k = 0; k < k_count; k++) { \
				T x = a[k * m + i]; \
				const T *y = b + k * N; \
				for (int j = 0; j < N; j++) sum[j] = (step); \
			} \
			for (int j = 0; j < N; j++) c[i * N + j] = sum[j]; \
		} \
	}
MULTIPLY(multiply_f32_32, float, 32, fmaf(x, y[j], sum[j]))
MULTIPLY(multiply_f32_16, float, 16, fmaf(x, y[j], sum[j]))
MULTIPLY(multiply_f32_4, float, 4, fmaf(x, y[j], sum[j]))
MULTIPLY(multiply_i32_32, uint32_t, 32, sum[j] + x * y[j])
MULTIPLY(multiply_i32_16, uint32_t, 16, sum[j] + x * y[j])
MULTIPLY(multiply_i32_4, uint32_t, 4, sum[j] + x * y[j])
MULTIPLY(multiply_f64_16, double, 16, fma(x, y[j], sum[j]))
MULTIPLY(multiply_f64_4, double, 4, fma(x, y[j], sum[j]))

/* Where the N results of one row lie: register and first lane. */
static void place_of_row(const struct shape *s, unsigned block, unsigned row, unsigned *reg, unsigned *lane)
{
	if (s->m == 32) {
		*reg = 16 * block + row / 8 * 4 + row % 4;
		*lane = row / 4 % 2 * 32;
	} else if (s->m == 16) {
		*reg = 4 * block + row % 4;
		*lane = row / 4 * 16;
	} else {
		*reg = row;
		*lane = block * 4;
	}
}

static int mfma_narrow(struct wave *w, const struct insn *in)
{
	const struct shape *s = &shapes[in->arg];
	static _Thread_local uint32_t a[2048], b[2048], c[2048];
	unsigned m = s->m, n = s->n, reg, lane;
	unpack_matrix(vector_register(w, &in->src[0]), s->a, m, s, 0, a);
	unpack_matrix(vector_register(w, &in->src[1]), s->b, n, s, in->blgp, b);
	bool constant = in->src[2].kind != K_VGPR && in->src[2].kind != K_AGPR;
	const uint32_t *c_reg = constant ? NULL : vector_register(w, &in->src[2]);
	uint32_t *d_reg = vector_register(w, &in->dst), value = constant ? scalar32(w, &in->src[2]) : 0;
	for (unsigned block = 0; block < s->blocks; block++)
		for (unsigned row = 0; row < m; row++) {
			uint32_t *to = c + (block * m + row) * n;
			place_of_row(s, block, row, &reg, &lane);
			if (constant)
				for (unsigned j = 0; j < n; j++)
					to[j] = value;
			else
				memcpy(to, c_reg + reg * LANES + lane, 4 * n);
		}
	for (unsigned block = 0; block < s->blocks; block++) {
		unsigned from = in->cbsz ? (block & ~((1u << in->cbsz) - 1)) + in->abid : block;
		uint32_t *cb = c + block * m * n;
		const uint32_t *ab = a + from * m * s->k, *bb = b + block * n * s->k;
		if (s->a == M_I8) {
			if (n == 32)
				multiply_i32_32(cb, ab, bb, m, s->k);
			else if (n == 16)
				multiply_i32_16(cb, ab, bb, m, s->k);
			else
				multiply_i32_4(cb, ab, bb, m, s->k);
		} else {
			if (n == 32)
				multiply_f32_32((float *)cb, (const float *)ab, (const float *)bb, m, s->k);
			else if (n == 16)
				multiply_f32_16((float *)cb, (const float *)ab, (const float *)bb, m, s->k);
			else
				multiply_f32_4((float *)cb, (const float *)ab, (const float *)bb, m, s->k);
		}
	}
	for (unsigned block = 0; block < s->blocks; block++)
		for (unsigned row = 0; row < m; row++) {
			place_of_row(s, block, row, &reg, &lane);
			memcpy(d_reg + reg * LANES + lane, c + (block * m + row) * n, 4 * n);
		}
	return GO_ON;
}

static double pair(const uint32_t *reg, unsigned lane)
{
	return double_of_bits(reg[lane] | (uint64_t)reg[LANES + lane] << 32);
}

static int mfma_wide(struct wave *w, const struct insn *in)
{
	const struct shape *s = &shapes[in->arg];
	double a[64], b[64], c[256];
	unsigned m = s->m, pairs = m == 16 ? 4 : 1;
	const uint32_t *a_reg = vector_register(w, &in->src[0]), *b_reg = vector_register(w, &in->src[1]);
	bool constant = in->src[2].kind != K_VGPR && in->src[2].kind != K_AGPR;
	for (unsigned l = 0; l < LANES; l++) {   /* one element a lane: row l % m, block, k = l / 16 */
		unsigned at = ((l / m) % s->blocks * s->k + l / 16) * m + l % m;
		a[at] = in->neg_lo & 1 ? -pair(a_reg, l) : pair(a_reg, l);
		b[at] = in->neg_lo & 2 ? -pair(b_reg, l) : pair(b_reg, l);
	}
	for (unsigned p = 0; p < pairs; p++)
		for (unsigned l = 0; l < LANES; l++) {
			double x = constant ? double_of_bits(scalar64(w, &in->src[2])) :
					pair(vector_register(w, &in->src[2]) + 2 * p * LANES, l);
			unsigned block = (l / m) % s->blocks, row = 4 * p + l / 16;
			c[(block * m + row) * m + l % m] = in->neg_lo & 4 ? -x : x;
		}
	for (unsigned block = 0; block < s->blocks; block++) {
		if (m == 16)
			multiply_f64_16(c, a, b, m, s->k);
		else
			multiply_f64_4(c + block * 16, a + block * 16, b + block * 16, m, s->k);
	}
	uint32_t *d = vector_register(w, &in->dst);
	for (unsigned p = 0; p < pairs; p++)
		for (unsigned l = 0; l < LANES; l++) {
			uint64_t x = bits_of_double(c[((l / m) % s->blocks * m + 4 * p + l / 16) * m + l % m]);
			d[2 * p * LANES + l] = (uint32_t)x;
			d[(2 * p + 1) * LANES + l] = (uint32_t)(x >> 32);
		}
	return GO_ON;
}

static int mfma(struct wave *w, const struct insn *in)
{
	const struct shape *s = &shapes[in->arg];
	if ((in->cbsz && (!s->broadcast_a || 1u << in->cbsz > s->blocks || in->abid >> in->cbsz)) ||
			(in->blgp && !s->permute_b))
		fault(w, in, -1, "cbsz, abid or blgp do not apply to this shape");
	return s->a == M_F64 ? mfma_wide(w, in) : mfma_narrow(w, in);
}

/* The table entries follow `shapes`. */
#define X(name, index) { "v_mfma_" name, mfma, "", F_MFMA, C_MFMA, index },
const struct opdef ops_mfma[] = {
	X("f32_32x32x1_2b_f32", 0) X("f32_16x16x1_4b_f32", 1) X("f32_4x4x1_16b_f32", 2) X("f32_32x32x2_f32", 3)
	X("f32_16x16x4_f32", 4)
	X("f32_32x32x4_2b_f16", 5) X("f32_16x16x4_4b_f16", 6) X("f32_4x4x4_16b_f16", 7) X("f32_32x32x8_f16", 8)
	X("f32_16x16x16_f16", 9)
	X("f32_32x32x4_2b_bf16", 10) X("f32_16x16x4_4b_bf16", 11) X("f32_4x4x4_16b_bf16", 12) X("f32_32x32x8_bf16", 13)
	X("f32_16x16x16_bf16", 14) X("i32_32x32x4_2b_i8", 15) X("i32_16x16x4_4b_i8", 16) X("i32_4x4x4_16b_i8", 17)
	X("i32_32x32x16_i8", 18) X("i32_16x16x32_i8", 19) X("f32_32x32x4_xf32", 20) X("f32_16x16x8_xf32", 21)
	X("f64_16x16x4_f64", 22) X("f64_4x4x4_4b_f64", 23)
	X("f32_16x16x32_bf8_bf8", 24) X("f32_16x16x32_bf8_fp8", 25) X("f32_16x16x32_fp8_bf8", 26) X("f32_16x16x32_fp8_fp8", 27)
	X("f32_32x32x16_bf8_bf8", 28) X("f32_32x32x16_bf8_fp8", 29) X("f32_32x32x16_fp8_bf8", 30) X("f32_32x32x16_fp8_fp8", 31)
	X("i32_32x32x8i8", 32) X("i32_16x16x16i8", 33)
	{ 0 }
};
