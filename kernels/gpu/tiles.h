/* One tile (16 rows by 256 columns of a quantised type, kernels/tile16.h) times one vector: loading it into
 * registers, and adding each row's terms to a sum that the row's lanes hold between them.
 *
 * struct greta_tile<TYPE>:
 *   BYTES                       of the tile
 *   load<SHARED>(at, lane)      it, from shared memory or from where it is read once
 *   factor(lane)                the upper half of an fp64: 1, but for what the lane's sums are off by in sign and
 *                               exponent
 *   add(operand, x, high, lane, acc)   acc + the terms, each rounded down to a whole number (between
 *                                      greta_round_down_begin and _end); high: factor with -(8 activations - 1) - unit
 *                                      added to its exponent
 *   row(lane), stores(lane), sum(v)   which row the lane's acc belongs to; the lanes' integers of a row added up */
#ifndef GRETA_GPU_TILES_H
#define GRETA_GPU_TILES_H

#include "kernels/gpu/layouts.h"
#include "kernels/gpu/matrix.h"

#define GRETA_PLANE 1024 /* bytes of a plane of 16-byte vectors */

/* A lane's vectors of plane v. */
struct greta_plane {
	struct greta_vector4 row[GRETA_A_EIGHTS];
};

template <bool SHARED> GRETA_DEVICE struct greta_plane greta_load_plane(const uint8_t *plane, uint32_t lane)
{
	struct greta_plane p;
	for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++) {
		uint32_t quarter = greta_quarter(lane, a);
		p.row[a] = greta_tile4<SHARED>(plane + (quarter * 16 + (greta_a_row(lane, a) ^ 2 * quarter)) * 16);
	}
	return p;
}

/* Where a lane finds its part of the second operand in a block of digits. */
struct greta_operand {
	uint32_t digit; /* bytes to [0][its first quarter] of its digit's plane */
	uint32_t sum;   /* bytes to its word of its digit's sums */
};

GRETA_DEVICE struct greta_operand greta_operand_of(uint32_t lane)
{
	struct greta_operand o;
	o.digit = greta_b_digit(lane) * sizeof(((struct greta_gpu_digits *)0)->plane[0]) + greta_quarter(lane, 0) * 8;
	o.sum = greta_b_digit(lane) * sizeof(((struct greta_gpu_digits *)0)->plane[0]) + 256 + greta_sum_offset(lane);
	o.digit = greta_keep(o.digit);
	o.sum = greta_keep(o.sum);
	return o;
}

/* The lane's bytes of B: those of its quarters, which follow each other. */
GRETA_DEVICE void greta_load_b(const uint8_t *at, uint32_t b[GRETA_B_EIGHTS][2])
{
	memcpy(b, __builtin_assume_aligned(at, GRETA_B_EIGHTS == 1 ? 8 : 16), 8 * GRETA_B_EIGHTS);
}

/* Eight bytes of B where they are `kept`, else 0. */
GRETA_DEVICE void greta_keep_b(uint32_t b[2], int kept)
{
	b[0] = kept ? b[0] : 0;
	b[1] = kept ? b[1] : 0;
}

/* B of sub-block j where `chosen`, else 0. */
GRETA_DEVICE void greta_choose_b(const struct greta_operand &o, const struct greta_gpu_digits *x, uint32_t j,
                                 int chosen, uint32_t b[GRETA_B_EIGHTS][2])
{
	greta_load_b((const uint8_t *)x + o.digit + j * 32, b);
	for (uint32_t e = 0; e < GRETA_B_EIGHTS; e++)
		greta_keep_b(b[e], chosen);
}

/* fp64 2^(exponent of x) with `high`. */
GRETA_DEVICE double greta_block_factor(const struct greta_gpu_digits *x, uint32_t high)
{
	return greta_double((uint64_t)(high + ((uint32_t)x->plane[0].exponent << 20)) << 32);
}

template <uint32_t TYPE> struct greta_tile;

/* ---- Q4_K, Q5_K ---- */

template <bool FIFTH> struct greta_tile_k {
	static const uint32_t BYTES = FIFTH ? 2816 : 2304;
	struct greta_plane plane[2];
	uint32_t fifth[GRETA_A_EIGHTS][2];
	struct greta_heads heads;

	template <bool SHARED> GRETA_MEMBER void load(const uint8_t *at, uint32_t lane)
	{
		load_planes<SHARED>(at, lane);
		heads = greta_load_heads<SHARED>(at + BYTES - 256, lane);
	}

	template <bool SHARED> GRETA_MEMBER void load_planes(const uint8_t *at, uint32_t lane)
	{
		plane[0] = greta_load_plane<SHARED>(at, lane);
		plane[1] = greta_load_plane<SHARED>(at + GRETA_PLANE, lane);
		if (FIFTH)
			for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++) {
				uint32_t quarter = greta_quarter(lane, a);
				const uint8_t *place = at + 2 * GRETA_PLANE +
				                       (quarter * 16 + (greta_a_row(lane, a) ^ 4 * quarter)) * 8;
				memcpy(fifth[a], __builtin_assume_aligned(place, 8), 8);
			}
	}

	/* Operand A of sub-block j; PLAIN: not raised by GRETA_HIGH_SHIFT. */
	template <bool PLAIN> GRETA_MEMBER void operand(uint32_t j, uint32_t out[GRETA_A_EIGHTS][2]) const
	{
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++)
			for (uint32_t w = 0; w < 2; w++) {
				uint32_t nibbles = plane[j / 4].row[a].w[j / 2 % 2 * 2 + w];
				if (FIFTH)
					out[a][w] = (nibbles >> 4 * (j & 1) & 0x0f0f0f0f) |
					            (fifth[a][w] >> j << 4 & 0x10101010);
				else
					out[a][w] = j & 1 && !PLAIN ? GRETA_HIGH_NIBBLES(nibbles)
					                            : nibbles >> 4 * (j & 1) & 0x0f0f0f0f;
			}
	}

	/* Sums of odd sub-blocks are 2^GRETA_HIGH_SHIFT too large; greta_fold_pair brings the others there. */
	static const uint32_t HEIGHT = FIFTH ? 0 : GRETA_HIGH_SHIFT;
	GRETA_MEMBER static uint32_t factor(uint32_t lane)
	{
		return greta_keep(greta_pair_part(lane) ? 0xbff00000u : 0x3ff00000u - (HEIGHT << 20));
	}

	GRETA_MEMBER double add(const struct greta_operand &o, const struct greta_gpu_digits *x, uint32_t high,
	                        uint32_t lane, double acc) const
	{
		int32_t sum[GRETA_RESULTS] = {}, mins[GRETA_RESULTS] = {}, c[GRETA_RESULTS] = {};
		uint32_t scales[GRETA_C_ROWS], slot = greta_b_slot(lane);
		for (uint32_t r = 0; r < GRETA_C_ROWS; r++)
			scales[r] = greta_scales(&heads, lane, r);
#pragma unroll
		for (uint32_t j = 0; j < 8; j++) {
			uint32_t a[GRETA_A_EIGHTS][2], b[GRETA_B_EIGHTS][2];
			operand<false>(j, a);
			greta_choose_b(o, x, j, slot == j % GRETA_SLOTS, b);
			greta_multiply(c, a, b);
			if (j % 2)
				greta_pin(c);
			if ((j + 1) % GRETA_SLOTS != 0)
				continue;
			for (uint32_t i = 0; i < GRETA_RESULTS; i++) {
				sum[i] += (int32_t)greta_scale(scales[i / GRETA_C_DIGITS], j / GRETA_SLOTS) * c[i];
				c[i] = 0;
			}
		}
		greta_multiply_mins(mins, &heads, (const uint8_t *)x + o.sum, lane);
		double total = greta_fold_pair<HEIGHT>(sum, mins, lane), d = greta_half(greta_head_half(&heads, lane));
		return greta_fma_down(d * greta_block_factor(x, high), total, acc);
	}

	GRETA_MEMBER static uint32_t row(uint32_t lane) { return greta_pair_row(lane); }
	GRETA_MEMBER static int stores(uint32_t lane) { return greta_pair_stores(lane); }
	GRETA_MEMBER static uint64_t sum(uint64_t v) { return greta_pair_sum(v); }
};

template <> struct greta_tile<GRETA_TYPE_Q4_K> : greta_tile_k<false> {};
template <> struct greta_tile<GRETA_TYPE_Q5_K> : greta_tile_k<true> {};

/* ---- Q6_K ---- */

template <> struct greta_tile<GRETA_TYPE_Q6_K> {
	static const uint32_t BYTES = 3360;
	struct greta_plane plane[3];
	uint32_t scales[GRETA_C_ROWS][2]; /* the eight of the lane's slot that are odd or even */
	uint32_t half;

	template <bool SHARED> GRETA_MEMBER void load(const uint8_t *at, uint32_t lane)
	{
		for (int v = 0; v < 3; v++)
			plane[v] = greta_load_plane<SHARED>(at + v * GRETA_PLANE, lane);
		const uint8_t *heads = at + 3 * GRETA_PLANE;
		for (uint32_t r = 0; r < GRETA_C_ROWS; r++)
			memcpy(
			    scales[r],
			    __builtin_assume_aligned(heads + greta_c_row(lane, r) * 16 + greta_c_slot(lane) % 2 * 8, 8),
			    8);
		half = *(const uint16_t *)(heads + 256 + greta_fold_row(lane) * 2);
	}

	/* Four times (q - 32) of sub-block j of 32 columns: bits 2 to 7 of each byte. */
	GRETA_MEMBER void operand(uint32_t j, uint32_t out[GRETA_A_EIGHTS][2]) const
	{
		uint32_t e = j % 4;
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++)
			for (uint32_t w = 0; w < 2; w++) {
				uint32_t low = plane[j / 4].row[a].w[e % 2 * 2 + w],
					 high = plane[2].row[a].w[j / 4 * 2 + w];
				low = e < 2 ? low << 2 : low >> 2;
				out[a][w] = (low & 0x3c3c3c3c) | ((high << (6 - 2 * e) & 0xc0c0c0c0) ^ 0x80808080);
			}
	}

	/* A matrix instruction takes two sub-blocks of 16; slots are of 16. */
	GRETA_MEMBER static uint32_t factor(uint32_t) { return 0x3ff00000u - (2 << 20); }
	GRETA_MEMBER double add(const struct greta_operand &o, const struct greta_gpu_digits *x, uint32_t high,
	                        uint32_t lane, double acc) const
	{
		const uint32_t TOGETHER = GRETA_SLOTS / 2; /* instructions into one C */
		int32_t sum[GRETA_RESULTS] = {}, c[GRETA_RESULTS] = {};
		uint32_t slot = greta_b_slot(lane);
		uint32_t shifted[GRETA_C_ROWS][2];
		for (uint32_t r = 0; r < GRETA_C_ROWS; r++)
			for (int w = 0; w < 2; w++)
				shifted[r][w] = scales[r][w] >> greta_c_slot(lane) / 2 * 8;
#pragma unroll
		for (uint32_t j = 0; j < 8; j++) {
			uint32_t a[GRETA_A_EIGHTS][2], b[GRETA_B_EIGHTS][2];
			greta_load_b((const uint8_t *)x + o.digit + j * 32, b);
			for (uint32_t e = 0; e < GRETA_B_EIGHTS; e++)
				greta_keep_b(b[e], slot == j % TOGETHER * 2 + greta_quarter(lane, e) / 2);
			operand(j, a);
			greta_multiply_signed(c, a, b);
			if (j % 2)
				greta_pin(c);
			if ((j + 1) % TOGETHER != 0)
				continue;
			for (uint32_t i = 0; i < GRETA_RESULTS; i++) {
				/* sub-block 2 p + slot % 2 of 16 columns, p = j / TOGETHER * TOGETHER + slot / 2 */
				uint32_t p = j / TOGETHER * TOGETHER;
				sum[i] += (int8_t)(shifted[i / GRETA_C_DIGITS][p / 4] >> p % 4 * 8) * c[i];
				c[i] = 0;
			}
		}
		return greta_fma_down((double)greta_half(half) * greta_block_factor(x, high), greta_fold(sum, lane),
		                      acc);
	}

	GRETA_MEMBER static uint32_t row(uint32_t lane) { return greta_fold_row(lane); }
	GRETA_MEMBER static int stores(uint32_t lane) { return greta_fold_stores(lane); }
	GRETA_MEMBER static uint64_t sum(uint64_t v) { return greta_fold_sum(v); }
};

/* ---- Q8_0, Q4_0: a scale, hence a term, for every 32 columns ---- */

template <bool NIBBLES> struct greta_tile_0 {
	static const uint32_t BYTES = NIBBLES ? 2304 : 4352;
	struct greta_plane plane[NIBBLES ? 2 : 4];
	struct greta_vector4 halves; /* of the row of greta_fold_slots */

	template <bool SHARED> GRETA_MEMBER void load(const uint8_t *at, uint32_t lane)
	{
		for (int v = 0; v < (NIBBLES ? 2 : 4); v++)
			plane[v] = greta_load_plane<SHARED>(at + v * GRETA_PLANE, lane);
		halves = greta_tile4<SHARED>(at + BYTES - 256 + greta_slots_row(lane) * 16);
	}

	/* Q4_0: 16 (q - 8), in the upper half of each byte. */
	GRETA_MEMBER void operand(uint32_t j, uint32_t out[GRETA_A_EIGHTS][2]) const
	{
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++)
			for (uint32_t w = 0; w < 2; w++) {
				if (NIBBLES) {
					uint32_t q = plane[j / 4].row[a].w[j / 2 % 2 * 2 + w];
					out[a][w] = ((j & 1 ? q : q << 4) & 0xf0f0f0f0) ^ 0x80808080;
				} else {
					out[a][w] = plane[j / 2].row[a].w[j % 2 * 2 + w];
				}
			}
	}

	GRETA_MEMBER static uint32_t factor(uint32_t) { return 0x3ff00000u - (NIBBLES ? 4 << 20 : 0); }
	GRETA_MEMBER double add(const struct greta_operand &o, const struct greta_gpu_digits *x, uint32_t high,
	                        uint32_t lane, double acc) const
	{
		int32_t c[GRETA_RESULTS] = {};
		uint32_t slot = greta_b_slot(lane);
		double scale = greta_block_factor(x, high);
#pragma unroll
		for (uint32_t j = 0; j < 8; j++) {
			uint32_t a[GRETA_A_EIGHTS][2], b[GRETA_B_EIGHTS][2];
			operand(j, a);
			greta_choose_b(o, x, j, slot == j % GRETA_SLOTS, b);
			greta_multiply_signed(c, a, b);
			if (j % 2)
				greta_pin(c);
			if ((j + 1) % GRETA_SLOTS != 0)
				continue;
			double total[GRETA_SLOT_TERMS];
			greta_fold_slots(c, lane, total);
			/* f16 number GRETA_SLOTS * x + slot of the eight */
			for (uint32_t t = 0; t < GRETA_SLOT_TERMS; t++) {
				uint32_t first = j / GRETA_SLOTS * GRETA_SLOTS / 2, slot_of = greta_term_slot(lane, t);
				uint32_t word = halves.w[first];
				if (GRETA_SLOTS == 4 && slot_of >= 2)
					word = halves.w[first + 1];
				double d = greta_half(word >> slot_of % 2 * 16 & 0xffff);
				acc = greta_fma_down(d * scale, total[t], acc);
			}
			for (uint32_t i = 0; i < GRETA_RESULTS; i++)
				c[i] = 0;
		}
		return acc;
	}

	GRETA_MEMBER static uint32_t row(uint32_t lane) { return greta_slots_row(lane); }
	GRETA_MEMBER static int stores(uint32_t lane) { return greta_slots_stores(lane); }
	GRETA_MEMBER static uint64_t sum(uint64_t v) { return greta_slots_sum(v); }
};

template <> struct greta_tile<GRETA_TYPE_Q8_0> : greta_tile_0<false> {};
template <> struct greta_tile<GRETA_TYPE_Q4_0> : greta_tile_0<true> {};

#endif
