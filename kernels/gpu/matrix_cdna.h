/* matrix.h for CDNA3: v_mfma_i32_16x16x32_i8; for CDNA2, v_mfma_i32_16x16x16i8 twice. Lane 16 g + n holds weights of
 * row n, quarter g, and results of rows 4 g to 4 g + 3, column n. */
#ifndef GRETA_GPU_MATRIX_CDNA_H
#define GRETA_GPU_MATRIX_CDNA_H

#define GRETA_A_EIGHTS 1
#define GRETA_B_EIGHTS 1
#define GRETA_C_ROWS 4
#define GRETA_SLOT_TERMS 1
#define GRETA_PANEL_GROUPS 2
#define GRETA_COPIES_HELD 1
#define GRETA_PANEL_THREADS 256

GRETA_DEVICE uint32_t greta_a_row(uint32_t lane, uint32_t) { return lane % 16; }
GRETA_DEVICE uint32_t greta_quarter(uint32_t lane, uint32_t) { return lane / 16; }
GRETA_DEVICE uint32_t greta_c_row(uint32_t lane, uint32_t r) { return lane / 16 * 4 + r; }
GRETA_DEVICE float greta_row_beside(const float y[4], uint32_t i) { return y[i ^ 1]; }

GRETA_DEVICE uint32_t greta_pair_row(uint32_t lane) { return lane / 16 * 4 + (lane >> 2 & 1) * 2 + (lane & 1); }
GRETA_DEVICE uint32_t greta_pair_part(uint32_t lane) { return lane >> 3 & 1; }

#include "kernels/gpu/matrix_amd.h"

typedef int32_t greta_amd_i32x4 __attribute__((ext_vector_type(4)));

#ifdef __gfx90a__
/* Two of half the columns: the first takes the first word of every quarter. */
GRETA_DEVICE greta_amd_i32x4 greta_matrix_instruction(const uint32_t a[2], const uint32_t b[2], greta_amd_i32x4 c)
{
	c = __builtin_amdgcn_mfma_i32_16x16x16i8((int)a[0], (int)b[0], c, 0, 0, 0);
	return __builtin_amdgcn_mfma_i32_16x16x16i8((int)a[1], (int)b[1], c, 0, 0, 0);
}
#else
GRETA_DEVICE greta_amd_i32x4 greta_matrix_instruction(const uint32_t a[2], const uint32_t b[2], greta_amd_i32x4 c)
{
	long wide_a = (long)((uint64_t)a[1] << 32 | a[0]), wide_b = (long)((uint64_t)b[1] << 32 | b[0]);
	return __builtin_amdgcn_mfma_i32_16x16x32_i8(wide_a, wide_b, c, 0, 0, 0);
}
#endif

GRETA_DEVICE void greta_pin(int32_t[4]) {}

GRETA_DEVICE void greta_multiply_signed(int32_t c[4], const uint32_t a[1][2], const uint32_t b[1][2])
{
	greta_amd_i32x4 v = {c[0], c[1], c[2], c[3]};
	v = greta_matrix_instruction(a[0], b[0], v);
	for (int i = 0; i < 4; i++)
		c[i] = v[i];
}

GRETA_DEVICE void greta_multiply(int32_t c[4], const uint32_t a[1][2], const uint32_t b[1][2])
{
	greta_multiply_signed(c, a, b);
}

/* Quarter 0 holds the mins of all sub-blocks; the others' B is zero, and that of slots 2 and 3. */
GRETA_DEVICE uint32_t greta_sum_offset(uint32_t lane) { return (greta_b_slot(lane) & 1) * 8; }
GRETA_DEVICE void greta_multiply_mins(int32_t c[4], const struct greta_heads *h, const uint8_t *sums, uint32_t lane)
{
	uint32_t a[1][2], b[1][2], mask = lane < 8 ? ~0u : 0;
	greta_row_mins(h->mins, a[0]);
	memcpy(b, __builtin_assume_aligned(sums, 8), 8);
	b[0][0] &= mask;
	b[0][1] &= mask;
	greta_multiply_signed(c, a, b);
}

/* Times what is worth 256^k in the sums of tokens: in quarter 0 of digit k the sums [0], in quarter 1 of digit k - 1
 * the sums [1]. sums: of digit 0 and the lane's column of B; those of the next digit lie `stride` bytes on. */
GRETA_DEVICE void greta_multiply_mins_tokens(int32_t c[4], const struct greta_mins &m, const uint8_t *sums,
                                             int64_t stride, int k, uint32_t digits, uint32_t lane)
{
	uint32_t b[1][2] = {}, upper = lane & 16;
	const uint8_t *at = sums + (upper ? 8 - (int32_t)stride : 0) + k * (int32_t)stride;
	if (lane < 32 && (upper ? k > 0 : k < (int)digits))
		memcpy(b, __builtin_assume_aligned(at, 8), 8);
	greta_multiply_signed(c, m.a, b);
}

template <uint32_t HEIGHT> GRETA_DEVICE double greta_fold_pair(const int32_t s[4], const int32_t m[4], uint32_t lane)
{
	int32_t v[4];
	uint32_t upper = (lane & 12) == 4 ? 8 : 0; /* slot 1 of m is worth 256 */
	for (int r = 0; r < 4; r++)
		v[r] = greta_halve<8>(lane & 8, s[r], (int32_t)((uint32_t)m[r] << upper));
	return greta_take_row(greta_halve<4>(lane & 4, v[0], v[2]), greta_halve<4>(lane & 4, v[1], v[3]), lane);
}
GRETA_DEVICE uint64_t greta_pair_sum(uint64_t v) { return v + greta_shuffle_xor(v, 8); }
GRETA_DEVICE int greta_pair_stores(uint32_t lane) { return (lane & 10) == 0; }

GRETA_DEVICE uint32_t greta_fold_row(uint32_t lane) { return lane / 16 * 4 + (lane >> 3 & 1) * 2 + (lane >> 2 & 1); }
GRETA_DEVICE double greta_fold(const int32_t s[4], uint32_t lane)
{
	int32_t v =
	    greta_halve<4>(lane & 4, greta_halve<8>(lane & 8, s[0], s[2]), greta_halve<8>(lane & 8, s[1], s[3]));
	return greta_take_row(v, v, lane);
}
GRETA_DEVICE uint64_t greta_fold_sum(uint64_t v) { return v; }
GRETA_DEVICE int greta_fold_stores(uint32_t lane) { return (lane & 3) == 0; }

GRETA_DEVICE uint32_t greta_slots_row(uint32_t lane) { return lane / 16 * 4 + (lane & 1) * 2 + (lane >> 1 & 1); }
GRETA_DEVICE uint32_t greta_term_slot(uint32_t lane, uint32_t) { return greta_c_slot(lane); }
GRETA_DEVICE void greta_fold_slots(const int32_t c[4], uint32_t lane, double out[1])
{
	out[0] = greta_take_row_of_four(c, lane);
}
GRETA_DEVICE uint64_t greta_slots_sum(uint64_t v)
{
	v += greta_shuffle_xor(v, 4);
	return v + greta_shuffle_xor(v, 8);
}
GRETA_DEVICE int greta_slots_stores(uint32_t lane) { return (lane & 12) == 0; }

#endif
