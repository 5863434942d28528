/* Tiles of weights (16 rows by 256 columns) times many tokens, a column of the matrix instructions being a token. A wave
 * takes GRETA_PANEL_GROUPS tiles and GRETA_PANEL_TOKENS tokens at once; a lane has all digits of its rows and tokens, and
 * nothing is handed over.
 *
 * Where a sub-block has a scale of its own inside a block of 256 (Q4_K, Q5_K, Q6_K), weights are multiplied by it before
 * they meet the digits: an integer of up to 13 bits, which goes into the matrix instructions as two planes of signed
 * bytes, the high one worth 2^HIGH of the low. So the instructions add up the whole block, and what is left to do for a
 * row and token is once a block. Q8_0 and Q4_0 have a term every 32 columns.
 *
 * struct greta_scaled<TYPE>, of one tile:
 *   BYTES, HIGH, MINS
 *   begin<PLANE>(tile, lane)           PLANE 1: the high one
 *   take(tile, v, lane)                before operand<PLANE>(v, e, out), A of sub-block 4 v + e
 *   factor(tile, row)                  d, in the lower half, and dmin of a row
 *
 * struct greta_single<TYPE>, of Q8_0 and Q4_0:
 *   BYTES, LOWER                       LOWER: its operand is 2^LOWER times the weight
 *   operand(tile, j, lane, out)        A of sub-block j */
#ifndef GRETA_GPU_PANELS_H
#define GRETA_GPU_PANELS_H

#include "kernels/gpu/tiles.h"

#define GRETA_PANEL_TOKENS 32 /* of a block and of each of its waves */
#define GRETA_PANEL_WAVES 4
#define GRETA_PARTS (GRETA_PANEL_TOKENS / GRETA_COLUMNS)
#define GRETA_PANEL_TILES (GRETA_PANEL_WAVES * GRETA_PANEL_GROUPS) /* of a block */
static_assert(GRETA_PANEL_THREADS == GRETA_PANEL_WAVES * GRETA_WAVE, "matrix_*.h and this agree");

/* A plane of a token's block of digits. */
#define GRETA_DIGIT_PLANE (sizeof(struct greta_gpu_digits) / 4)
#define GRETA_DIGIT_TAIL 256 /* bytes of it before the sums and exponents, which are 32 */

template <uint32_t TYPE> struct greta_scaled;
template <uint32_t TYPE> struct greta_single;

/* 16 bytes of the lane's row of a plane of a tile. */
GRETA_DEVICE struct greta_vector4 greta_plane_row(const uint8_t *plane, uint32_t lane, uint32_t a)
{
	uint32_t quarter = greta_quarter(lane, a);
	return greta_panel_load4(plane + (quarter * 16 + (greta_a_row(lane, a) ^ 2 * quarter)) * 16);
}

/* One half of it. */
GRETA_DEVICE void greta_plane_half(const uint8_t *plane, uint32_t half, uint32_t lane, uint32_t a, uint32_t out[2])
{
	uint32_t quarter = greta_quarter(lane, a);
	const uint8_t *at = plane + (quarter * 16 + (greta_a_row(lane, a) ^ 2 * quarter)) * 16 + half * 8;
	memcpy(out, __builtin_assume_aligned(at, 8), 8);
}

template <> struct greta_scaled<GRETA_TYPE_Q4_K> {
	static const uint32_t BYTES = 2304, HIGH = 3;
	static const bool MINS = true;
	uint32_t scale[GRETA_A_EIGHTS][2]; /* three bits of the six, of even and of odd sub-blocks */
	struct greta_vector4 raw[GRETA_A_EIGHTS];

	template <uint32_t PLANE> GRETA_MEMBER void begin(const uint8_t *tile, uint32_t lane)
	{
#pragma unroll
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++) {
			struct greta_vector4 head = greta_panel_load4(tile + BYTES - 256 + greta_a_row(lane, a) * 16);
#pragma unroll
			for (uint32_t h = 0; h < 2; h++)
				scale[a][h] = (PLANE ? head.w[1 + h] >> 3 : head.w[1 + h]) & 0x07070707;
		}
	}

	GRETA_MEMBER void take(const uint8_t *tile, uint32_t v, uint32_t lane)
	{
#pragma unroll
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++)
			raw[a] = greta_plane_row(tile + v * GRETA_PLANE, lane, a);
	}

	template <uint32_t PLANE> GRETA_MEMBER void operand(uint32_t v, uint32_t e,
	                                                  uint32_t out[GRETA_A_EIGHTS][2]) const
	{
#pragma unroll
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++) {
			struct greta_pairs scales = greta_pairs_of(scale[a][e % 2], 2 * v + e / 2);
#pragma unroll
			for (uint32_t w = 0; w < 2; w++)
				out[a][w] = greta_pairs_multiply(
				    raw[a].w[e / 2 * 2 + w] >> 4 * (e & 1) & 0x0f0f0f0f, scales);
		}
	}

	GRETA_MEMBER static uint32_t factor(const uint8_t *tile, uint32_t row)
	{
		return *(const uint32_t *)(tile + BYTES - 256 + row * 16);
	}
};

/* Four weights q, below 64, times s, plus 0x8080 + offset: the planes of signed bytes from that. */
template <uint32_t PLANE> GRETA_DEVICE uint32_t greta_scaled_plane(uint32_t q, struct greta_pairs scale)
{
	uint32_t even = greta_pairs_multiply(q & 0x00ff00ff, scale);
	uint32_t odd = greta_pairs_multiply(q >> 8 & 0x00ff00ff, scale);
	return greta_bytes(even, odd, PLANE ? 0x7351 : 0x6240) ^ 0x80808080;
}

template <> struct greta_scaled<GRETA_TYPE_Q5_K> {
	static const uint32_t BYTES = 2816, HIGH = 8;
	static const bool MINS = true;
	uint32_t scale[GRETA_A_EIGHTS][2]; /* of even and of odd sub-blocks */
	uint32_t fifth[GRETA_A_EIGHTS][2];
	struct greta_vector4 raw[GRETA_A_EIGHTS];

	template <uint32_t PLANE> GRETA_MEMBER void begin(const uint8_t *tile, uint32_t lane)
	{
#pragma unroll
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++) {
			struct greta_vector4 head = greta_panel_load4(tile + BYTES - 256 + greta_a_row(lane, a) * 16);
#pragma unroll
			for (uint32_t h = 0; h < 2; h++)
				scale[a][h] = head.w[1 + h] & 0x3f3f3f3f;
			uint32_t quarter = greta_quarter(lane, a);
			const uint8_t *place = tile + 2 * GRETA_PLANE +
			                       (quarter * 16 + (greta_a_row(lane, a) ^ 4 * quarter)) * 8;
			memcpy(fifth[a], __builtin_assume_aligned(place, 8), 8);
		}
	}

	GRETA_MEMBER void take(const uint8_t *tile, uint32_t v, uint32_t lane)
	{
#pragma unroll
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++)
			raw[a] = greta_plane_row(tile + v * GRETA_PLANE, lane, a);
	}

	template <uint32_t PLANE> GRETA_MEMBER void operand(uint32_t v, uint32_t e,
	                                                  uint32_t out[GRETA_A_EIGHTS][2]) const
	{
#pragma unroll
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++) {
			struct greta_pairs scales = greta_pairs_of(scale[a][e % 2], 2 * v + e / 2);
			scales = greta_pairs_plus(scales, 0x8080);
#pragma unroll
			for (uint32_t w = 0; w < 2; w++)
				out[a][w] = greta_scaled_plane<PLANE>(
				    (raw[a].w[e / 2 * 2 + w] >> 4 * (e & 1) & 0x0f0f0f0f) |
				        (fifth[a][w] >> (4 * v + e) << 4 & 0x10101010),
				    scales);
		}
	}

	GRETA_MEMBER static uint32_t factor(const uint8_t *tile, uint32_t row)
	{
		return *(const uint32_t *)(tile + BYTES - 256 + row * 16);
	}
};

template <> struct greta_scaled<GRETA_TYPE_Q6_K> {
	static const uint32_t BYTES = 3360, HIGH = 8;
	static const bool MINS = false;
	uint32_t scale[GRETA_A_EIGHTS][2]; /* of the half of each sub-block of 32 that its quarter is in */
	struct greta_vector4 raw[GRETA_A_EIGHTS], upper[GRETA_A_EIGHTS];

	template <uint32_t PLANE> GRETA_MEMBER void begin(const uint8_t *tile, uint32_t lane)
	{
#pragma unroll
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++) {
			const uint8_t *place =
			    tile + 3 * GRETA_PLANE + greta_a_row(lane, a) * 16 + greta_quarter(lane, a) / 2 * 8;
			memcpy(scale[a], __builtin_assume_aligned(place, 8), 8);
			upper[a] = greta_plane_row(tile + 2 * GRETA_PLANE, lane, a);
		}
	}

	GRETA_MEMBER void take(const uint8_t *tile, uint32_t v, uint32_t lane)
	{
#pragma unroll
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++)
			raw[a] = greta_plane_row(tile + v * GRETA_PLANE, lane, a);
	}

	template <uint32_t PLANE> GRETA_MEMBER void operand(uint32_t v, uint32_t e,
	                                                  uint32_t out[GRETA_A_EIGHTS][2]) const
	{
#pragma unroll
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++) {
			int32_t s = (int8_t)((v ? scale[a][1] : scale[a][0]) >> 8 * e);
			struct greta_pairs scales = greta_pairs_plus(greta_pairs_signed(s), 0x8080 - 32 * s);
#pragma unroll
			for (uint32_t w = 0; w < 2; w++) {
				uint32_t low = raw[a].w[e % 2 * 2 + w] >> (e < 2 ? 0 : 4) & 0x0f0f0f0f;
				uint32_t high = v ? upper[a].w[2 + w] : upper[a].w[w];
				high = (e == 3 ? high >> 2 : high << (4 - 2 * e)) & 0x30303030;
				out[a][w] = greta_scaled_plane<PLANE>(low | high, scales);
			}
		}
	}

	GRETA_MEMBER static uint32_t factor(const uint8_t *tile, uint32_t row)
	{
		return *(const uint16_t *)(tile + 3 * GRETA_PLANE + 256 + row * 2);
	}
};

template <> struct greta_single<GRETA_TYPE_Q8_0> {
	static const uint32_t BYTES = 4352, LOWER = 0;

	GRETA_MEMBER static void operand(const uint8_t *tile, uint32_t j, uint32_t lane, uint32_t out[GRETA_A_EIGHTS][2])
	{
#pragma unroll
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++)
			greta_plane_half(tile + j / 2 * GRETA_PLANE, j % 2, lane, a, out[a]);
	}
};

template <> struct greta_single<GRETA_TYPE_Q4_0> {
	static const uint32_t BYTES = 2304, LOWER = 4;

	/* 16 (q - 8), in the upper half of each byte. */
	GRETA_MEMBER static void operand(const uint8_t *tile, uint32_t j, uint32_t lane, uint32_t out[GRETA_A_EIGHTS][2])
	{
#pragma unroll
		for (uint32_t a = 0; a < GRETA_A_EIGHTS; a++) {
			uint32_t q[2];
			greta_plane_half(tile + j / 4 * GRETA_PLANE, j / 2 % 2, lane, a, q);
#pragma unroll
			for (uint32_t w = 0; w < 2; w++)
				out[a][w] = (q[w] << 4 * (~j & 1) & 0xf0f0f0f0) ^ 0x80808080;
		}
	}
};

/* ---- Digits of the block's tokens in shared memory ---- */

/* Digits of the block's tokens: planes that lie GRETA_PANEL_TOKENS tokens apart, a token's plane after
 * the other's. */
struct greta_panel_digits {
	const uint8_t *planes;
	const uint8_t *tails; /* of all four planes, 32 bytes each, where the planes are 2 and 3 */
};

/* B of plane k, sub-block j, for tokens n * GRETA_COLUMNS and on. */
GRETA_DEVICE void greta_load_tokens(const struct greta_panel_digits &x, uint32_t n, uint32_t k, uint32_t j, uint32_t lane,
                                    uint32_t b[GRETA_B_EIGHTS][2])
{
	uint32_t token = k * GRETA_PANEL_TOKENS + n * GRETA_COLUMNS + greta_b_column(lane);
	greta_load_b(x.planes + token * GRETA_DIGIT_PLANE + j * 32 + greta_quarter(lane, 0) * 8, b);
}

/* Sums and exponents of digit k of a token. LATE: the planes are 2 and 3. */
template <bool LATE>
GRETA_DEVICE const uint8_t *greta_tail(const struct greta_panel_digits &x, uint32_t k, uint32_t token)
{
	if (LATE)
		return x.tails + (k * GRETA_PANEL_TOKENS + token) * 32;
	return x.planes + (k * GRETA_PANEL_TOKENS + token) * GRETA_DIGIT_PLANE + GRETA_DIGIT_TAIL;
}

/* ---- Integers into fp64 ----
 *
 * 1.5 * 2^52 + v has the bits of 1.5 * 2^52 plus v: an integer of up to 51 bits becomes an fp64 by a fused
 * multiply-add that takes the bias away again, and multiplies by a power of two as it does. */
struct greta_token_scale {
	uint32_t high; /* upper half of the power of two */

	/* v times the power of two, exactly. LOW: whether v's bits have 2^31 added. */
	template <bool LOW> GRETA_MEMBER double of(uint64_t bits) const
	{
		double bias = greta_double((uint64_t)(high + 0xc3380000u - 0x3ff00000u) << 32 | (LOW ? 0x80000000u : 0));
		return fma(greta_double(bits), greta_double((uint64_t)high << 32), bias);
	}
};

GRETA_DEVICE uint64_t greta_biased(uint32_t low) { return (uint64_t)0x43380000u << 32 | low; }
/* ---- A wave's sums ---- */

GRETA_DEVICE void greta_clear_panel(double acc[GRETA_PANEL_GROUPS][GRETA_PARTS][GRETA_RESULTS])
{
#pragma unroll
	for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++)
#pragma unroll
		for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
			for (uint32_t i = 0; i < GRETA_RESULTS; i++)
				acc[g][n][i] = GRETA_ROUND_BIAS;
}

/* PAIRS: of digits; sums of one pair are complete before those of the next begin. */
template <uint32_t PAIRS> struct greta_panel_sums {
	double acc[GRETA_PANEL_GROUPS][GRETA_PARTS][GRETA_RESULTS];
	int32_t c[GRETA_PANEL_GROUPS][GRETA_PARTS][2][GRETA_RESULTS];
	uint32_t low[PAIRS == 1 ? 1 : GRETA_PANEL_GROUPS][GRETA_PARTS][GRETA_RESULTS]; /* the first pair's sum but for its carry */

	GRETA_MEMBER void clear() { greta_clear_panel(acc); }

	/* Adds a plane of the weights times a pair of digits. */
	template <uint32_t TYPE, uint32_t PLANE>
	GRETA_MEMBER void sweep(const uint8_t *const tile[GRETA_PANEL_GROUPS], const struct greta_panel_digits &x,
	                        uint32_t lane)
	{
		struct greta_scaled<TYPE> weights[GRETA_PANEL_GROUPS];
#pragma unroll
		for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++)
			weights[g].template begin<PLANE>(tile[g], lane);
#pragma unroll 1 /* keeps what is unpacked early few */
		for (uint32_t v = 0; v < 2; v++) {
#pragma unroll
			for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++)
				weights[g].take(tile[g], v, lane);
			sweep_half<TYPE, PLANE>(weights, v, x, lane);
		}
	}

	/* Sub-blocks 4 v to 4 v + 3, of which the weights have been taken. */
	template <uint32_t TYPE, uint32_t PLANE>
	GRETA_MEMBER void sweep_half(const struct greta_scaled<TYPE> weights[GRETA_PANEL_GROUPS], uint32_t v,
	                             const struct greta_panel_digits &x, uint32_t lane)
	{
#pragma unroll
		for (uint32_t e = 0; e < 4; e++) {
			uint32_t a[GRETA_PANEL_GROUPS][GRETA_A_EIGHTS][2];
			greta_keep_order();
#pragma unroll
			for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++)
				weights[g].template operand<PLANE>(v, e, a[g]);
#pragma unroll
			for (uint32_t k = 0; k < 2; k++)
#pragma unroll
				for (uint32_t n = 0; n < GRETA_PARTS; n++) {
					uint32_t b[GRETA_B_EIGHTS][2];
					greta_load_tokens(x, n, k, 4 * v + e, lane, b);
#pragma unroll
					for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++) {
						greta_multiply_signed(c[g][n][k], a[g], b);
						greta_pin(c[g][n][k]);
					}
				}
		}
	}

	/* A pair of digits. FIRST: of two pairs, the first, whose sum goes to `low` with the carry in c. */
	template <uint32_t TYPE, bool FIRST, bool FRESH>
	GRETA_MEMBER void add_pair(const uint8_t *const tile[GRETA_PANEL_GROUPS], const struct greta_panel_digits &x,
	                           uint32_t lane)
	{
		const uint32_t HIGH = greta_scaled<TYPE>::HIGH;
#pragma unroll
		for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++)
#pragma unroll
			for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
				for (uint32_t i = 0; i < GRETA_RESULTS; i++) {
					if (FRESH)
						c[g][n][0][i] = 0;
					c[g][n][1][i] = 0;
				}
		sweep<TYPE, 1>(tile, x, lane);
#pragma unroll
		for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++)
#pragma unroll
			for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
				for (uint32_t k = 0; k < 2; k++)
#pragma unroll
					for (uint32_t i = 0; i < GRETA_RESULTS; i++)
						c[g][n][k][i] = (int32_t)((uint32_t)c[g][n][k][i] << HIGH);
		sweep<TYPE, 0>(tile, x, lane);
		if constexpr (FIRST)
			carry<HIGH>();
	}

	template <uint32_t HIGH> GRETA_MEMBER void carry()
	{
#pragma unroll
		for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++)
#pragma unroll
			for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
				for (uint32_t i = 0; i < GRETA_RESULTS; i++) {
					/* c0 + 256 c1 = low + 2^32 (upper >> 24) */
					int32_t upper = c[g][n][1][i] + (c[g][n][0][i] >> 8);
					low[g][n][i] = greta_bytes((uint32_t)c[g][n][0][i], (uint32_t)upper, 0x6540);
					c[g][n][0][i] = (int32_t)((uint32_t)(upper >> 24) << (16 - HIGH));
				}
	}

	/* Ends a block: its terms, each rounded down, go to acc. high: of each group, the upper half of 2^(-(8
	 * activations - 1) - unit) as fp64 of each token. */
	template <uint32_t TYPE>
	GRETA_MEMBER void end_block(const uint8_t *const tile[GRETA_PANEL_GROUPS], const struct greta_panel_digits &x,
	                            const uint32_t high[][GRETA_PANEL_TOKENS], uint32_t lane)
	{
		const bool LATE = PAIRS == 2;
#pragma unroll
		for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++) {
			double d[GRETA_C_ROWS], dmin[GRETA_C_ROWS];
			struct greta_mins mins;
			greta_keep_order();
#pragma unroll
			for (uint32_t r = 0; r < GRETA_C_ROWS; r++) {
				uint32_t factor = greta_scaled<TYPE>::factor(tile[g], greta_c_row(lane, r));
				d[r] = greta_half(factor & 0xffff);
				dmin[r] = -greta_half(factor >> 16);
			}
			if constexpr (greta_scaled<TYPE>::MINS)
				mins = greta_mins_of(tile[g] + greta_scaled<TYPE>::BYTES - 256, lane);
#pragma unroll
			for (uint32_t n = 0; n < GRETA_PARTS; n++) {
				struct greta_token_scale scale[GRETA_C_DIGITS];
				int32_t sum[PAIRS][GRETA_RESULTS];
#pragma unroll
				for (uint32_t e = 0; e < GRETA_C_DIGITS; e++) {
					uint32_t token = n * GRETA_COLUMNS + greta_c_column(lane, e);
					uint32_t exponent = *(const uint32_t *)(greta_tail<LATE>(x, 0, token) + 16);
					scale[e].high = high[g][token] + (exponent << 20);
				}
				if constexpr (greta_scaled<TYPE>::MINS)
					add_mins(mins, x, n, lane, sum);
#pragma unroll
				for (uint32_t i = 0; i < GRETA_RESULTS; i++) {
					uint32_t r = i / GRETA_C_DIGITS, e = i % GRETA_C_DIGITS;
					acc[g][n][i] =
					    greta_fma_down(d[r], scale[e].of<!LATE>(weighted(g, n, i)), acc[g][n][i]);
					if constexpr (!greta_scaled<TYPE>::MINS)
						continue;
					uint64_t bits = greta_biased((uint32_t)sum[0][i] ^ 0x80000000u);
					if (LATE)
						bits = greta_mad_wide(bits, sum[PAIRS - 1][i], 65536);
					acc[g][n][i] = greta_fma_down(dmin[r], scale[e].of<true>(bits), acc[g][n][i]);
				}
			}
		}
	}

	/* The bits of a sum over all digits. */
	GRETA_MEMBER uint64_t weighted(uint32_t g, uint32_t n, uint32_t i) const
	{
		if constexpr (PAIRS == 1)
			return greta_mad_wide(greta_biased((uint32_t)c[g][n][0][i] ^ 0x80000000u), c[g][n][1][i], 256);
		else
			return greta_mad_wide(greta_mad_wide(greta_biased(low[g][n][i]), c[g][n][0][i], 65536),
			                      c[g][n][1][i], 16777216);
	}

	/* Mins times the sums of tokens, from those worth 256^(2 PAIRS) down; those of the first pair apart where there are
	 * two. */
	GRETA_MEMBER static void add_mins(const struct greta_mins &mins, const struct greta_panel_digits &x, uint32_t n,
	                                  uint32_t lane, int32_t sum[PAIRS][GRETA_RESULTS])
	{
		const uint32_t DIGITS = 2 * PAIRS;
		uint32_t token = n * GRETA_COLUMNS + greta_b_column(lane);
#pragma unroll
		for (int k = DIGITS; k >= 0; k--) {
			int32_t *s = sum[k < 2 ? 0 : PAIRS - 1];
			bool fresh = k == (int)DIGITS || (PAIRS == 2 && k == 1);
#pragma unroll
			for (uint32_t i = 0; i < GRETA_RESULTS; i++)
				s[i] = fresh ? 0 : (int32_t)((uint32_t)s[i] << 8);
			greta_multiply_mins_tokens(s, mins, greta_tail<PAIRS == 2>(x, 0, token),
			                           greta_tail<PAIRS == 2>(x, 1, 0) - greta_tail<PAIRS == 2>(x, 0, 0), k,
			                           DIGITS, lane);
		}
	}
};

/* Q8_0, Q4_0: adds a block of all digits to acc. */
template <uint32_t TYPE, uint32_t DIGITS>
GRETA_DEVICE void greta_add_single(const uint8_t *const tile[GRETA_PANEL_GROUPS], const struct greta_panel_digits &x,
                                   const uint32_t high[][GRETA_PANEL_TOKENS], uint32_t lane,
                                   double acc[GRETA_PANEL_GROUPS][GRETA_PARTS][GRETA_RESULTS])
{
	const uint32_t HALVES = greta_single<TYPE>::BYTES - 256;
	uint32_t exponent[GRETA_PARTS][GRETA_C_DIGITS];
#pragma unroll
	for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
		for (uint32_t e = 0; e < GRETA_C_DIGITS; e++) {
			uint32_t token = n * GRETA_COLUMNS + greta_c_column(lane, e);
			exponent[n][e] = (*(const uint32_t *)(greta_tail<false>(x, 0, token) + 16) -
			                  greta_single<TYPE>::LOWER)
			                 << 20;
		}
#pragma unroll 1 /* keeps what is unpacked early few */
	for (uint32_t j = 0; j < 8; j++)
#pragma unroll
		for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++) {
			uint32_t a[GRETA_A_EIGHTS][2];
			double d[GRETA_C_ROWS];
			greta_keep_order();
			greta_single<TYPE>::operand(tile[g], j, lane, a);
#pragma unroll
			for (uint32_t r = 0; r < GRETA_C_ROWS; r++)
				d[r] = greta_half(
				    *(const uint16_t *)(tile[g] + HALVES + greta_c_row(lane, r) * 16 + j * 2));
#pragma unroll
			for (uint32_t n = 0; n < GRETA_PARTS; n++) {
				int32_t c[4][GRETA_RESULTS] = {};
				struct greta_token_scale scale[GRETA_C_DIGITS];
#pragma unroll
				for (uint32_t e = 0; e < GRETA_C_DIGITS; e++)
					scale[e].high = high[g][n * GRETA_COLUMNS + greta_c_column(lane, e)] +
					                exponent[n][e];
#pragma unroll
				for (uint32_t k = 0; k < DIGITS; k++) {
					uint32_t b[GRETA_B_EIGHTS][2];
					greta_load_tokens(x, n, k, j, lane, b);
					greta_multiply_signed(c[k], a, b);
				}
#pragma unroll
				for (uint32_t i = 0; i < GRETA_RESULTS; i++) {
					uint64_t bits = greta_mad_wide(greta_biased((uint32_t)c[0][i] ^ 0x80000000u), c[1][i], 256);
					if (DIGITS == 4)
						bits = greta_mad_wide(greta_mad_wide(bits, c[2][i], 65536), c[3][i], 16777216);
					acc[g][n][i] = greta_fma_down(d[i / GRETA_C_DIGITS],
					                              scale[i % GRETA_C_DIGITS].of<true>(bits),
					                              acc[g][n][i]);
				}
			}
		}
}

#endif
