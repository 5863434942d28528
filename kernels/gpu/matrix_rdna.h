/* matrix.h for RDNA: v_wmma_i32_16x16x16_iu8, two for 32 columns. Lane 16 h + n holds weights of row n: of RDNA3 all
 * quarters, as the instruction wants its operands in both halves of the wave; of RDNA4 quarters 2 h and 2 h + 1, of
 * which an instruction takes one from each half. Results are column n of eight rows: of RDNA3 2 r + h, of RDNA4
 * 8 h + r. */
#ifndef GRETA_GPU_MATRIX_RDNA_H
#define GRETA_GPU_MATRIX_RDNA_H

#define GRETA_C_ROWS 8
#define GRETA_SLOT_TERMS 2
#define GRETA_PANEL_GROUPS 1
#define GRETA_COPIES_HELD 0
#define GRETA_PANEL_THREADS 128

GRETA_DEVICE uint32_t greta_a_row(uint32_t lane, uint32_t) { return lane % 16; }
#ifdef __GFX12__
#define GRETA_A_EIGHTS 2
#define GRETA_B_EIGHTS 2
GRETA_DEVICE uint32_t greta_quarter(uint32_t lane, uint32_t e) { return lane / 16 * 2 + e; }
GRETA_DEVICE uint32_t greta_c_row(uint32_t lane, uint32_t r) { return lane / 16 * 8 + r; }
GRETA_DEVICE float greta_row_beside(const float y[8], uint32_t i) { return y[i ^ 1]; }
#else
#define GRETA_A_EIGHTS 4
#define GRETA_B_EIGHTS 4
GRETA_DEVICE uint32_t greta_quarter(uint32_t, uint32_t e) { return e; }
GRETA_DEVICE uint32_t greta_c_row(uint32_t lane, uint32_t r) { return 2 * r + lane / 16; }
GRETA_DEVICE float greta_row_beside(const float y[8], uint32_t i)
{
	return greta_float(greta_swap<16>(greta_bits32(y[i])));
}
#endif

/* The row that greta_take_row_of_four gives of the upper or the lower four of the lane's. */
GRETA_DEVICE uint32_t greta_row_of_eight(uint32_t lane, uint32_t upper)
{
	return greta_c_row(lane, upper * 4 + (lane & 1) * 2 + (lane >> 1 & 1));
}

GRETA_DEVICE uint32_t greta_pair_row(uint32_t lane) { return greta_row_of_eight(lane, lane >> 2 & 1); }
GRETA_DEVICE uint32_t greta_pair_part(uint32_t lane) { return lane >> 3 & 1; }

#include "kernels/gpu/matrix_amd.h"

typedef int32_t greta_rdna_i32x2 __attribute__((ext_vector_type(2)));
typedef int32_t greta_rdna_i32x4 __attribute__((ext_vector_type(4)));
typedef int32_t greta_rdna_i32x8 __attribute__((ext_vector_type(8)));

/* One instruction: 16 columns. Of RDNA3 they are the eight of a0 and of a1; of RDNA4 those of a0, of both halves. */
GRETA_DEVICE void greta_matrix_instruction(int32_t c[8], const uint32_t a0[2], const uint32_t a1[2],
                                           const uint32_t b0[2], const uint32_t b1[2])
{
	greta_rdna_i32x8 v = {c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]};
#ifdef __GFX12__
	greta_rdna_i32x2 a = {(int)a0[0], (int)a0[1]}, b = {(int)b0[0], (int)b0[1]};
	(void)a1;
	(void)b1;
	v = __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32_gfx12(true, a, true, b, v, false);
#else
	greta_rdna_i32x4 a = {(int)a0[0], (int)a0[1], (int)a1[0], (int)a1[1]};
	greta_rdna_i32x4 b = {(int)b0[0], (int)b0[1], (int)b1[0], (int)b1[1]};
	v = __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32(true, a, true, b, v, false);
#endif
	for (int i = 0; i < 8; i++)
		c[i] = v[i];
}

GRETA_DEVICE void greta_multiply_signed(int32_t c[8], const uint32_t a[GRETA_A_EIGHTS][2],
                                        const uint32_t b[GRETA_B_EIGHTS][2])
{
	const uint32_t EACH = GRETA_A_EIGHTS / 2; /* eights of a lane in an instruction */
	for (uint32_t i = 0; i < GRETA_A_EIGHTS; i += EACH)
		greta_matrix_instruction(c, a[i], a[i + EACH - 1], b[i], b[i + EACH - 1]);
}

GRETA_DEVICE void greta_multiply(int32_t c[8], const uint32_t a[GRETA_A_EIGHTS][2], const uint32_t b[GRETA_B_EIGHTS][2])
{
	greta_multiply_signed(c, a, b);
}

/* Operands take so many registers that those of later instructions must not be made before this one. */
GRETA_DEVICE void greta_pin(int32_t c[8])
{
	greta_rdna_i32x8 v = {c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]};
	asm volatile("" : "+v"(v)::"memory");
	for (int i = 0; i < 8; i++)
		c[i] = v[i];
}

/* The first eight columns hold the mins of all sub-blocks; the others' B is zero, and that of slots 2 and 3. */
GRETA_DEVICE uint32_t greta_sum_offset(uint32_t lane) { return (greta_b_slot(lane) & 1) * 8; }
GRETA_DEVICE void greta_multiply_mins(int32_t c[8], const struct greta_heads *h, const uint8_t *sums, uint32_t lane)
{
	const uint32_t others = GRETA_A_EIGHTS == 2 ? 24 : 8; /* bits of lanes whose B is zero */
	uint32_t a[2], b[2], none[2] = {0, 0}, mask = lane & others ? 0 : ~0u;
	greta_row_mins(h->mins, a);
	memcpy(b, __builtin_assume_aligned(sums, 8), 8);
	b[0] &= mask;
	b[1] &= mask;
	greta_matrix_instruction(c, a, none, b, none);
}

/* Times what is worth 256^k in the sums of tokens: in the first eight columns of digit k the sums [0], in the others of
 * digit k - 1 the sums [1]. sums: of digit 0 and the lane's column of B; those of the next digit lie `stride` bytes
 * on. */
GRETA_DEVICE void greta_multiply_mins_tokens(int32_t c[8], const struct greta_mins &m, const uint8_t *sums,
                                             int64_t stride, int k, uint32_t digits, uint32_t lane)
{
	uint32_t b[2][2] = {};
	const uint8_t *at = sums + k * (int32_t)stride;
	if (k < (int)digits)
		memcpy(b[0], __builtin_assume_aligned(at, 8), 8);
	if (k > 0)
		memcpy(b[1], __builtin_assume_aligned(at - (int32_t)stride + 8, 8), 8);
	if (GRETA_A_EIGHTS == 2 && lane & 16)
		memcpy(b[0], b[1], 8);
	greta_matrix_instruction(c, m.a[0], m.a[0], b[0], b[1]);
}

template <uint32_t HEIGHT> GRETA_DEVICE double greta_fold_pair(const int32_t s[8], const int32_t m[8], uint32_t lane)
{
	int32_t v[8], four[4];
	uint32_t upper = (lane & 12) == 4 ? 8 : 0; /* slot 1 of m is worth 256 */
	for (int r = 0; r < 8; r++)
		v[r] = greta_halve<8>(lane & 8, s[r], (int32_t)((uint32_t)m[r] << upper));
	for (int r = 0; r < 4; r++)
		four[r] = greta_halve<4>(lane & 4, v[r], v[r + 4]);
	return greta_take_row_of_four(four, lane);
}
GRETA_DEVICE uint64_t greta_pair_sum(uint64_t v) { return v + greta_shuffle_xor(v, 8); }
GRETA_DEVICE int greta_pair_stores(uint32_t lane) { return (lane & 8) == 0; }

GRETA_DEVICE uint32_t greta_fold_row(uint32_t lane)
{
	return greta_c_row(lane, (lane >> 3 & 1) * 4 + (lane >> 2 & 1) * 2 + (lane & 1));
}
GRETA_DEVICE double greta_fold(const int32_t s[8], uint32_t lane)
{
	int32_t four[4];
	for (int r = 0; r < 4; r++)
		four[r] = greta_halve<8>(lane & 8, s[r], s[r + 4]);
	return greta_take_row(greta_halve<4>(lane & 4, four[0], four[2]), greta_halve<4>(lane & 4, four[1], four[3]), lane);
}
GRETA_DEVICE uint64_t greta_fold_sum(uint64_t v) { return v; }
GRETA_DEVICE int greta_fold_stores(uint32_t lane) { return (lane & 2) == 0; }

/* A lane takes half of its rows, of the other slot that has the same parity too. */
GRETA_DEVICE uint32_t greta_slots_row(uint32_t lane) { return greta_row_of_eight(lane, lane >> 3 & 1); }
GRETA_DEVICE uint32_t greta_term_slot(uint32_t lane, uint32_t t) { return greta_c_slot(lane) ^ 2 * t; }
GRETA_DEVICE void greta_fold_slots(const int32_t c[8], uint32_t lane, double out[2])
{
	int32_t mine[4], other[4];
	for (int r = 0; r < 4; r++) {
		mine[r] = lane & 8 ? c[r + 4] : c[r];
		other[r] = (int32_t)greta_swap<8>((uint32_t)(lane & 8 ? c[r] : c[r + 4]));
	}
	out[0] = greta_take_row_of_four(mine, lane);
	out[1] = greta_take_row_of_four(other, lane);
}
GRETA_DEVICE uint64_t greta_slots_sum(uint64_t v) { return v + greta_shuffle_xor(v, 4); }
GRETA_DEVICE int greta_slots_stores(uint32_t lane) { return (lane & 4) == 0; }

#endif
