/* One tile (16 rows by 256 columns) times GRETA_TOKENS vectors, whose digits lie in shared memory: as tiles.h, for
 * many tokens. A column of the matrix instructions is a token, and a lane has all digits of its rows and tokens:
 * nothing is handed over.
 *
 * struct greta_panel<TYPE>:
 *   load(at, lane)                    the tile
 *   add<DIGITS>(x, high, lane, acc)   acc[n][i] + the terms of row i / GRETA_C_DIGITS and token n * GRETA_COLUMNS +
 *                                     greta_c_column(lane, i % GRETA_C_DIGITS), each rounded down to a whole number;
 *                                     high[n][e]: the upper half of 2^(-(8 activations - 1) - unit) as fp64; vectors
 *                                     reach DIGITS digits */
#ifndef GRETA_GPU_PANELS_H
#define GRETA_GPU_PANELS_H

#include "kernels/gpu/tiles.h"

#define GRETA_TOKENS 32
#define GRETA_PARTS (GRETA_TOKENS / GRETA_COLUMNS)

template <uint32_t TYPE> struct greta_panel;

/* B of digit k, sub-block j, for tokens n * GRETA_COLUMNS and on. */
GRETA_DEVICE void greta_load_tokens(const struct greta_gpu_digits *x, uint32_t n, uint32_t k, uint32_t j, uint32_t lane,
                                    uint32_t b[2])
{
	const struct greta_gpu_digits *token = &x[n * GRETA_COLUMNS + greta_b_column(lane)];
	memcpy(b, __builtin_assume_aligned(token->plane[k].digit[j][greta_quarter(lane)], 8), 8);
}

GRETA_DEVICE double greta_token_factor(const struct greta_gpu_digits *x, uint32_t n, uint32_t e, uint32_t high,
                                       uint32_t lane)
{
	return greta_block_factor(&x[n * GRETA_COLUMNS + greta_c_column(lane, e)], high);
}

template <uint32_t DIGITS> GRETA_DEVICE double greta_weigh(const int32_t sum[DIGITS][4], uint32_t i)
{
	double total = (double)sum[DIGITS - 1][i];
	for (int k = DIGITS - 2; k >= 0; k--)
		total = fma(256.0, total, (double)sum[k][i]);
	return total;
}

template <bool FIFTH> struct greta_panel_k {
	struct greta_tile_k<FIFTH> tile;
	struct greta_row_heads heads;

	GRETA_MEMBER void load(const uint8_t *at, uint32_t lane)
	{
		tile.template load_planes<false>(at, lane);
		heads = greta_load_row_heads(at + tile.BYTES - 256, lane);
	}

	template <uint32_t DIGITS>
	GRETA_MEMBER void add(const struct greta_gpu_digits *x, const uint32_t high[GRETA_PARTS][GRETA_C_DIGITS],
	                      uint32_t lane, double acc[GRETA_PARTS][4]) const
	{
		int32_t sum[GRETA_PARTS][DIGITS][4];
		for (uint32_t n = 0; n < GRETA_PARTS; n++)
			for (uint32_t k = 0; k < DIGITS; k++)
				for (uint32_t i = 0; i < 4; i++)
					sum[n][k][i] = 0;
#pragma unroll
		for (uint32_t j = 0; j < 8; j++) {
			uint32_t a[GRETA_A_ROWS][2];
			int32_t scale[GRETA_C_ROWS];
			greta_keep_order();
			tile.template operand<true>(j, a);
			for (uint32_t r = 0; r < GRETA_C_ROWS; r++)
				scale[r] = (int32_t)(greta_row_word(&heads, r, 1 + j % 2) >> j / 2 * 8 & 63);
#pragma unroll
			for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
				for (uint32_t k = 0; k < DIGITS; k++) {
					uint32_t b[2];
					int32_t c[4] = {0, 0, 0, 0};
					greta_load_tokens(x, n, k, j, lane, b);
					greta_multiply(c, a, b);
					for (uint32_t i = 0; i < 4; i++)
						sum[n][k][i] += scale[i / GRETA_C_DIGITS] * c[i];
				}
		}
		double d[GRETA_C_ROWS], dmin[GRETA_C_ROWS];
		for (uint32_t r = 0; r < GRETA_C_ROWS; r++) {
			d[r] = greta_half(greta_row_word(&heads, r, 0) & 0xffff);
			dmin[r] = -greta_half(greta_row_word(&heads, r, 0) >> 16);
		}
#pragma unroll
		for (uint32_t n = 0; n < GRETA_PARTS; n++) {
			int32_t mins[DIGITS + 1][4];
			greta_keep_order();
			const struct greta_gpu_digits *token = &x[n * GRETA_COLUMNS + greta_b_column(lane)];
#pragma unroll
			for (uint32_t k = 0; k <= DIGITS; k++) {
				for (uint32_t i = 0; i < 4; i++)
					mins[k][i] = 0;
				greta_multiply_token_mins(
				    mins[k], &heads, k < DIGITS ? (const uint8_t *)token->plane[k].sum[0] : NULL,
				    k > 0 ? (const uint8_t *)token->plane[k - 1].sum[1] : NULL, lane);
			}
#pragma unroll
			for (uint32_t i = 0; i < 4; i++) {
				uint32_t r = i / GRETA_C_DIGITS, e = i % GRETA_C_DIGITS;
				double factor = greta_token_factor(x, n, e, high[n][e], lane);
				acc[n][i] = greta_fma_down(d[r] * factor, greta_weigh<DIGITS>(sum[n], i), acc[n][i]);
				acc[n][i] =
				    greta_fma_down(dmin[r] * factor, greta_weigh<DIGITS + 1>(mins, i), acc[n][i]);
			}
		}
	}
};

template <> struct greta_panel<GRETA_TYPE_Q4_K> : greta_panel_k<false> {};
template <> struct greta_panel<GRETA_TYPE_Q5_K> : greta_panel_k<true> {};

template <> struct greta_panel<GRETA_TYPE_Q6_K> {
	struct greta_tile<GRETA_TYPE_Q6_K> tile; /* its planes */
	struct greta_vector4 scales[GRETA_C_ROWS];
	uint32_t half[GRETA_C_ROWS];

	GRETA_MEMBER void load(const uint8_t *at, uint32_t lane)
	{
		for (int v = 0; v < 3; v++)
			tile.plane[v] = greta_load_plane<false>(at + v * GRETA_PLANE, lane);
		for (uint32_t r = 0; r < GRETA_C_ROWS; r++) {
			scales[r] = greta_load4(at + 3 * GRETA_PLANE + greta_c_row(lane, r) * 16);
			half[r] = *(const uint16_t *)(at + 3 * GRETA_PLANE + 256 + greta_c_row(lane, r) * 2);
		}
	}

	template <uint32_t DIGITS>
	GRETA_MEMBER void add(const struct greta_gpu_digits *x, const uint32_t high[GRETA_PARTS][GRETA_C_DIGITS],
	                      uint32_t lane, double acc[GRETA_PARTS][4]) const
	{
		int32_t sum[GRETA_PARTS][DIGITS][4];
		for (uint32_t n = 0; n < GRETA_PARTS; n++)
			for (uint32_t k = 0; k < DIGITS; k++)
				for (uint32_t i = 0; i < 4; i++)
					sum[n][k][i] = 0;
#pragma unroll
		for (uint32_t s = 0; s < 16; s++) {
			/* sub-block s of 16 columns: two quarters of A; byte 8 (s % 2) + s / 2 of the scales */
			uint32_t a[GRETA_A_ROWS][2];
			int32_t scale[GRETA_C_ROWS];
			tile.operand(s / 2, a);
			for (uint32_t r = 0; r < GRETA_A_ROWS; r++)
				for (uint32_t w = 0; w < 2; w++)
					a[r][w] = greta_quarter(lane) / 2 == s % 2 ? a[r][w] : 0;
			for (uint32_t r = 0; r < GRETA_C_ROWS; r++)
				scale[r] = (int8_t)(scales[r].w[s % 2 * 2 + s / 8] >> s / 2 % 4 * 8);
#pragma unroll
			for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
				for (uint32_t k = 0; k < DIGITS; k++) {
					uint32_t b[2];
					int32_t c[4] = {0, 0, 0, 0};
					greta_load_tokens(x, n, k, s / 2, lane, b);
					greta_multiply_signed(c, a, b);
					for (uint32_t i = 0; i < 4; i++)
						sum[n][k][i] += scale[i / GRETA_C_DIGITS] * c[i];
				}
		}
#pragma unroll
		for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
			for (uint32_t i = 0; i < 4; i++) {
				double factor = greta_token_factor(x, n, i % GRETA_C_DIGITS,
				                                   high[n][i % GRETA_C_DIGITS] - (2 << 20), lane);
				acc[n][i] = greta_fma_down((double)greta_half(half[i / GRETA_C_DIGITS]) * factor,
				                           greta_weigh<DIGITS>(sum[n], i), acc[n][i]);
			}
	}
};

template <bool NIBBLES> struct greta_panel_0 {
	struct greta_tile_0<NIBBLES> tile; /* its planes */
	struct greta_vector4 halves[GRETA_C_ROWS];

	GRETA_MEMBER void load(const uint8_t *at, uint32_t lane)
	{
		for (int v = 0; v < (NIBBLES ? 2 : 4); v++)
			tile.plane[v] = greta_load_plane<false>(at + v * GRETA_PLANE, lane);
		for (uint32_t r = 0; r < GRETA_C_ROWS; r++)
			halves[r] = greta_load4(at + tile.BYTES - 256 + greta_c_row(lane, r) * 16);
	}

	template <uint32_t DIGITS>
	GRETA_MEMBER void add(const struct greta_gpu_digits *x, const uint32_t high[GRETA_PARTS][GRETA_C_DIGITS],
	                      uint32_t lane, double acc[GRETA_PARTS][4]) const
	{
#pragma unroll
		for (uint32_t j = 0; j < 8; j++) {
			uint32_t a[GRETA_A_ROWS][2];
			tile.operand(j, a);
#pragma unroll
			for (uint32_t n = 0; n < GRETA_PARTS; n++) {
				int32_t c[DIGITS][4];
#pragma unroll
				for (uint32_t k = 0; k < DIGITS; k++) {
					uint32_t b[2];
					for (uint32_t i = 0; i < 4; i++)
						c[k][i] = 0;
					greta_load_tokens(x, n, k, j, lane, b);
					greta_multiply_signed(c[k], a, b);
				}
#pragma unroll
				for (uint32_t i = 0; i < 4; i++) {
					uint32_t r = i / GRETA_C_DIGITS, e = i % GRETA_C_DIGITS;
					double factor =
					    greta_token_factor(x, n, e, high[n][e] - (NIBBLES ? 4 << 20 : 0), lane);
					double d = greta_half(halves[r].w[j / 2] >> j % 2 * 16 & 0xffff);
					acc[n][i] = greta_fma_down(d * factor, greta_weigh<DIGITS>(c, i), acc[n][i]);
				}
			}
		}
	}
};

template <> struct greta_panel<GRETA_TYPE_Q8_0> : greta_panel_0<false> {};
template <> struct greta_panel<GRETA_TYPE_Q4_0> : greta_panel_0<true> {};

#endif
