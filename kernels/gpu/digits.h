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

/* The block of eight values of each of 32 lanes. All lanes of the wave take part; groups of 32 whose `store` is 0 write
 * nothing. Gives the block's exponent to all its lanes. */
GRETA_DEVICE int32_t greta_gpu_digits_of(const float x[8], uint32_t activations, int store,
                                         struct greta_gpu_digits *out)
{
	uint32_t lane = greta_lane() % 32, j = lane / 4, g = lane % 4;
	uint32_t amax = 0;
	for (int i = 0; i < 8; i++) {
		uint32_t magnitude = greta_bits32(x[i]) & 0x7fffffff;
		amax = magnitude > amax ? magnitude : amax;
	}
	amax = greta_max32(amax);
	int32_t e = greta_digits_exponent(amax, (int)activations);
	float scale = greta_digits_scale(e, (int)activations);
	uint32_t split[8], low[4], high[4];
	for (int i = 0; i < 8; i++)
		split[i] = e == GRETA_EXPONENT_NONFINITE ? 0 : greta_digits_split((int32_t)rintf(x[i] * scale));
	greta_gpu_transpose4(split, low);
	greta_gpu_transpose4(split + 4, high);
	/* The sums of four lanes, two digits' in a word: none is above 2^12 in magnitude. */
	uint32_t pair[2];
	for (uint32_t k = 0; k < 2; k++) {
		pair[k] = (uint32_t)greta_dot4(high[2 * k], 0x01010101, greta_dot4(low[2 * k], 0x01010101, 0)) +
		          ((uint32_t)greta_dot4(high[2 * k + 1], 0x01010101, greta_dot4(low[2 * k + 1], 0x01010101, 0))
		           << 16);
		pair[k] += greta_swap<1>(pair[k]);
		pair[k] += greta_swap<2>(pair[k]);
	}
	if (store) {
		for (uint32_t k = 0; k < 4; k++) {
			uint32_t both[2] = {low[k], high[k]};
			memcpy(__builtin_assume_aligned(out->plane[k].digit[j][g], 8), both, 8);
		}
		/* Lane g of the four stores digit g's. */
		uint32_t mine = g < 2 ? pair[0] : pair[1];
		int32_t sum = (int16_t)mine;
		if (g % 2)
			sum = (int32_t)(mine - (uint32_t)sum) >> 16;
		int8_t part = (int8_t)sum;
		out->plane[g].sum[0][j] = part;
		out->plane[g].sum[1][j] = (int8_t)((sum - part) >> 8);
		if (lane == 0)
			out->plane[0].exponent = e;
	}
	return e;
}

/* The largest exponent of `blocks` blocks that are already written, for every thread of the wave. */
GRETA_DEVICE int32_t greta_gpu_largest(const struct greta_gpu_digits *digits, uint32_t blocks)
{
	uint32_t largest = 0;
	for (uint32_t b = greta_lane() % 32; b < blocks; b += 32)
		largest = greta_max(largest, (uint32_t)(digits[b].plane[0].exponent - GRETA_EXPONENT_MIN));
	return (int32_t)greta_max32(largest) + GRETA_EXPONENT_MIN;
}

#define GRETA_GPU_DIGITS_ROUNDS 3 /* whose values a thread loads together */

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

/* The digits of x [cols], through rmsnorm with `norm` unless it is NULL, made by all threads of the block: `prepare` may
 * come before x is there, and has the first of `norm` loaded; `begin` loads the first of x, which may be before it is
 * known whether they are wanted; `make` does the rest. */
struct greta_digits_maker {
	const float *x, *norm;
	uint32_t blocks; /* of 256 */
	float v[GRETA_GPU_DIGITS_ROUNDS][8], w[8];

	/* Where this thread's values of block b are: a wave's groups of 32 stay together, beyond the last block too. */
	GRETA_MEMBER uint32_t place(uint32_t b) const
	{
		return greta_min(b, blocks - 1) * 256 + greta_lane() % 32 * 8;
	}

	/* The blocks of this thread's group of 32 from `first` on. */
	GRETA_MEMBER void load(uint32_t first)
	{
		uint32_t groups = greta_threads() / 32, group = greta_thread() / 32;
#pragma unroll
		for (uint32_t k = 0; k < GRETA_GPU_DIGITS_ROUNDS; k++)
			if (first + k * groups < blocks)
				greta_load_floats8(x + place(first + k * groups + group), v[k]);
	}

	GRETA_MEMBER void prepare(const float *of, const float *with, uint32_t cols)
	{
		x = of;
		norm = with;
		blocks = cols / 256;
		if (norm)
			greta_load_floats8(norm + place(greta_thread() / 32), w);
	}

	/* x begins `skipped` values further on. */
	GRETA_MEMBER void begin(size_t skipped)
	{
		x += skipped;
		load(0);
	}

	GRETA_MEMBER float factor(float eps, double *sums, float *scratch) const
	{
		uint32_t groups = greta_threads() / 32, group = greta_thread() / 32;
#pragma unroll
		for (uint32_t k = 0; k < GRETA_GPU_DIGITS_ROUNDS; k++)
			if (k * groups + group < blocks) {
				double sum = greta_gpu_square_sum(v[k], scratch);
				if (greta_lane() % 32 == 0)
					sums[k * groups + group] = sum;
			}
		for (uint32_t b = GRETA_GPU_DIGITS_ROUNDS * groups + group; b < blocks; b += groups) {
			float u[8];
			greta_load_floats8(x + place(b), u);
			double sum = greta_gpu_square_sum(u, scratch);
			if (greta_lane() % 32 == 0)
				sums[b] = sum;
		}
		greta_barrier();
		return greta_gpu_norm_of(sums, blocks * 256, eps);
	}

	/* digits [blocks], in shared or global memory; `largest` is left out. Ends without a barrier. sums: shared
	 * memory [GRETA_GPU_NORM_BLOCKS]; scratch: shared memory, 1,024 bytes for each 32 threads that have a block,
	 * `stride` apart, which may be where the digits go. */
	GRETA_MEMBER void make(float eps, uint32_t activations, double *sums, void *scratch, uint32_t stride,
	                       struct greta_gpu_digits *digits)
	{
		uint32_t groups = greta_threads() / 32, group = greta_thread() / 32;
		float r = norm ? factor(eps, sums, (float *)((uint8_t *)scratch + group * stride)) : 1;
		for (uint32_t first = 0; first < blocks; first += GRETA_GPU_DIGITS_ROUNDS * groups) {
			if (first)
				load(first);
#pragma unroll
			for (uint32_t k = 0; k < GRETA_GPU_DIGITS_ROUNDS; k++) {
				uint32_t b = first + k * groups + group;
				if (first + k * groups >= blocks)
					break;
				if (norm) {
					if (first + k > 0)
						greta_load_floats8(norm + place(b), w);
					for (int i = 0; i < 8; i++)
						v[k][i] = v[k][i] * r * w[i];
				}
				greta_gpu_digits_of(v[k], activations, b < blocks, &digits[greta_min(b, blocks - 1)]);
			}
		}
	}
};

#endif
