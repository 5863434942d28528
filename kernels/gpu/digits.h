/* Making digits: the prologue of the products, and the kernel `digits`. */
#ifndef GRETA_GPU_DIGITS_H
#define GRETA_GPU_DIGITS_H

#include "kernels/gpu/layouts.h"
#include "kernels/gpu/norm.h"

/* Bytes 0 to 3 of four words, transposed: out[k] has byte k of each. */
GRETA_DEVICE void greta_gpu_transpose4(const uint32_t v[4], uint32_t out[4])
{
	uint32_t a = greta_bytes(v[0], v[1], 0x5140), b = greta_bytes(v[2], v[3], 0x5140);
	uint32_t c = greta_bytes(v[0], v[1], 0x7362), d = greta_bytes(v[2], v[3], 0x7362);
	out[0] = greta_bytes(a, b, 0x5410);
	out[1] = greta_bytes(a, b, 0x7632);
	out[2] = greta_bytes(c, d, 0x5410);
	out[3] = greta_bytes(c, d, 0x7632);
}

/* The digits' sums over a sub-block, for the lane that is g-th of its four: digit g's. The sums of two digits go in a
 * word, as 16-bit numbers: none is above 2^12 in magnitude. */
GRETA_DEVICE int32_t greta_gpu_digit_sum(const uint32_t low[4], const uint32_t high[4], uint32_t g)
{
	const uint32_t ones = 0x01010101;
	uint32_t pair[2];
	for (uint32_t k = 0; k < 2; k++) {
		int32_t even = greta_dot4(high[2 * k], ones, greta_dot4(low[2 * k], ones, 0));
		int32_t odd = greta_dot4(high[2 * k + 1], ones, greta_dot4(low[2 * k + 1], ones, 0));
		pair[k] = (uint32_t)even + ((uint32_t)odd << 16);
	}
	/* Lanes 0 and 1 are for digits 0 and 1, lanes 2 and 3 for the others. */
	uint32_t mine = g < 2 ? pair[0] : pair[1];
	mine += greta_swap<2>(g < 2 ? pair[1] : pair[0]);
	mine += greta_swap<1>(mine);
	return g % 2 ? (int32_t)(mine + 0x8000) >> 16 : (int16_t)mine;
}

/* The digits of a block, of which each of 32 lanes has eight values: written to *out if `store`. All lanes of the wave take
 * part. Gives the block's exponent, less GRETA_EXPONENT_MIN, to all of the 32. */
GRETA_DEVICE uint32_t greta_gpu_digits_of(const float x[8], uint32_t activations, struct greta_gpu_digits *out, int store)
{
	uint32_t lane = greta_lane() % 32, j = lane / 4, g = lane % 4, amax = 0;
	for (int i = 0; i < 8; i++)
		amax = greta_max(amax, greta_bits32(x[i]) & 0x7fffffff);
	int32_t e = greta_digits_exponent(greta_max32(amax), (int)activations);
	/* greta_digits_split, whose last step comes after the transposition, as it is the same in all bytes. What became of
	 * an infinity or a NaN does not matter: their block's digits are cleared. */
	const uint32_t each = 0x80808080;
	uint32_t kept = greta_keep((uint32_t)((e - GRETA_EXPONENT_NONFINITE) >> 31));
	uint32_t split[8], low[4], high[4];
	float scale = greta_digits_scale(e, (int)activations);
	for (int i = 0; i < 8; i++)
		split[i] = (uint32_t)(int32_t)rintf(x[i] * scale) + each;
	greta_gpu_transpose4(split, low);
	greta_gpu_transpose4(split + 4, high);
	for (int d = 0; d < 4; d++) {
		low[d] = (low[d] ^ each) & kept;
		high[d] = (high[d] ^ each) & kept;
	}
	int32_t sum = greta_gpu_digit_sum(low, high, g);
	if (store) {
		for (uint32_t d = 0; d < 4; d++) {
			uint32_t both[2] = {low[d], high[d]};
			memcpy(__builtin_assume_aligned(out->plane[d].digit[j][g], 8), both, 8);
		}
		out->plane[g].sum[0][j] = (int8_t)sum;
		out->plane[g].sum[1][j] = (int8_t)((sum + 128) >> 8);
		if (lane == 0)
			out->plane[0].exponent = e;
	}
	return (uint32_t)(e - GRETA_EXPONENT_MIN);
}

/* Where a group of 32 threads leaves the largest exponent of its blocks, in memory that digits could fill: planes are
 * in four of shared memory's banks, blocks all in one. */
GRETA_DEVICE int32_t *greta_gpu_largest_of(struct greta_gpu_digits *shared, uint32_t group)
{
	return &shared[group / 4].plane[group % 4].largest;
}

/* A block's sum of squares in the reference's order, a lane holding eight values one after the other: 32 lanes of
 * eight that are 32 apart, folded in halves. scratch: shared memory [256], the wave's own. */
GRETA_DEVICE double greta_gpu_square_sum(const float v[8], float *scratch)
{
	uint32_t lane = greta_lane() % 32;
	double sum = 0;
	memcpy(__builtin_assume_aligned((uint8_t *)scratch + lane * 32, 16), v, 32);
	greta_wave_barrier();
	for (uint32_t i = 0; i < 8; i++)
		sum += (double)scratch[lane + 32 * i] * scratch[lane + 32 * i];
	for (uint32_t width = 16; width >= 1; width /= 2)
		sum += greta_shuffle_xor(sum, width);
	greta_wave_barrier();
	return sum;
}

/* The digits of x [cols], through rmsnorm with `norm` unless it is NULL, made by all threads of the block: `prepare`
 * may come before x is there, and has the first of `norm` loaded; `begin` loads the first of x, which may be before it
 * is known whether they are wanted; `make` does the rest. In a round, each group of 32 threads has a block of 256. The
 * values of the first ROUNDS rounds are loaded together; then a round's are in v[0], and the code of a round is there
 * once, so that a step's kernels fit the instruction cache together. */
template <uint32_t ROUNDS> struct greta_digits_maker {
	const float *x, *norm;
	uint32_t blocks; /* of 256 */
	const float *at[ROUNDS]; /* this thread's first values, but for what is skipped */
	float v[ROUNDS][8], w[8];

	GRETA_MEMBER uint32_t groups() const { return greta_threads() / 32; }

	/* Where this thread's values are in the round that begins with block `first`: a wave's groups of 32 stay together,
	 * beyond the last block too. */
	GRETA_MEMBER uint32_t place(uint32_t first) const
	{
		return greta_min(first + greta_thread() / 32, blocks - 1) * 256 + greta_lane() % 32 * 8;
	}


	/* The next round's values to v[0], those to the end. */
	GRETA_MEMBER void turn()
	{
		for (uint32_t i = 0; i < 8; i++) {
			float first = v[0][i];
#pragma unroll
			for (uint32_t k = 0; k + 1 < ROUNDS; k++)
				v[k][i] = v[k + 1][i];
			v[ROUNDS - 1][i] = first;
		}
	}

	GRETA_MEMBER void prepare(const float *of, const float *with, uint32_t cols)
	{
		x = of;
		norm = with;
		blocks = cols / 256;
#pragma unroll
		for (uint32_t k = 0; k < ROUNDS; k++)
			at[k] = x + place(k * groups());
		if (norm)
			greta_load_floats8(norm + place(0), w);
	}

	/* x begins `skipped` values further on. */
	GRETA_MEMBER void begin(size_t skipped)
	{
		x += skipped;
#pragma unroll
		for (uint32_t k = 0; k < ROUNDS; k++)
			if (k * groups() < blocks)
				greta_load_floats8(at[k] + skipped, v[k]);
	}

	/* Calls round(first), which finds its values in v[0], for every round of this thread's wave. Afterwards v is as it was,
	 * but for rows of more than ROUNDS rounds. */
	template <class ROUND> GRETA_MEMBER void each_round(ROUND round)
	{
		uint32_t lowest = greta_thread() / GRETA_WAVE * (GRETA_WAVE / 32); /* group of the wave */
		uint32_t first = 0;
#pragma unroll 1
		for (; first + lowest < blocks; first += groups()) {
			if (first >= ROUNDS * groups())
				greta_load_floats8(x + place(first), v[0]);
			round(first);
			if (blocks > groups())
				turn();
		}
#pragma unroll 1
		for (; blocks > groups() && first < ROUNDS * groups(); first += groups())
			turn();
	}

	GRETA_MEMBER float factor(float eps, double *sums, float *scratch)
	{
		each_round([&](uint32_t first) {
			uint32_t b = first + greta_thread() / 32;
			if (b >= blocks)
				return;
			double sum = greta_gpu_square_sum(v[0], scratch);
			if (greta_lane() % 32 == 0)
				sums[b] = sum;
		});
		greta_barrier();
#pragma unroll
		for (uint32_t k = 0; blocks > ROUNDS * groups() && k < ROUNDS; k++)
			greta_load_floats8(x + place(k * groups()), v[k]);
		return greta_gpu_norm_of(sums, blocks * 256, eps);
	}

	/* digits [blocks], in shared or global memory; `largest` is left out, and given to all threads. Ends behind a
	 * barrier. sums: shared memory [GRETA_GPU_NORM_BLOCKS]; scratch: shared memory, 1,024 bytes for each 32 threads
	 * that have a block, `stride` apart, which may be where the digits go. */
	GRETA_MEMBER int32_t make(float eps, uint32_t activations, double *sums, void *scratch, uint32_t stride,
	                          struct greta_gpu_digits *digits)
	{
		uint32_t group = greta_thread() / 32, largest = 0;
		float r = norm ? factor(eps, sums, (float *)((uint8_t *)scratch + group * stride)) : 1;
		each_round([&](uint32_t first) {
			if (norm && first > 0)
				greta_load_floats8(norm + place(first), w);
			float scaled[8];
			for (int i = 0; i < 8; i++)
				scaled[i] = norm ? v[0][i] * r * w[i] : v[0][i];
			uint32_t here = greta_gpu_digits_of(scaled, activations, &digits[greta_min(first + group, blocks - 1)],
			                                    GRETA_WAVE == 32 || first + group < blocks);
			largest = greta_max(largest, here);
		});
		/* No group's scratch is needed any more. */
		struct greta_gpu_digits *left = (struct greta_gpu_digits *)scratch;
		if (greta_lane() % 32 == 0 && group < blocks)
			*greta_gpu_largest_of(left, group) = (int32_t)largest;
		greta_barrier();
		uint32_t other = greta_lane() % 32;
		largest = other < greta_min(groups(), blocks) ? (uint32_t)*greta_gpu_largest_of(left, other) : 0;
		return (int32_t)greta_max32(largest) + GRETA_EXPONENT_MIN;
	}
};

#endif
