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
	amax = greta_max(amax, greta_swap<16>(amax));
	amax = greta_max(amax, greta_swap<8>(amax));
	amax = greta_max(amax, greta_swap<4>(amax));
	amax = greta_max(amax, greta_swap<2>(amax));
	amax = greta_max(amax, greta_swap<1>(amax));
	int32_t e = greta_digits_exponent(amax, (int)activations);
	float scale = greta_digits_scale(e, (int)activations);
	uint32_t split[8], low[4], high[4];
	for (int i = 0; i < 8; i++)
		split[i] = e == GRETA_EXPONENT_NONFINITE ? 0 : greta_digits_split((int32_t)rintf(x[i] * scale));
	greta_gpu_transpose4(split, low);
	greta_gpu_transpose4(split + 4, high);
	for (uint32_t k = 0; k < 4; k++) {
		int32_t sum = greta_dot4(high[k], 0x01010101, greta_dot4(low[k], 0x01010101, 0));
		sum += (int32_t)greta_swap<1>((uint32_t)sum);
		sum += (int32_t)greta_swap<2>((uint32_t)sum);
		if (store) {
			uint32_t both[2] = {low[k], high[k]};
			memcpy(__builtin_assume_aligned(out->plane[k].digit[j][g], 8), both, 8);
			if (g == k) {
				int8_t part = (int8_t)sum;
				out->plane[k].sum[0][j] = part;
				out->plane[k].sum[1][j] = (int8_t)((sum - part) >> 8);
			}
		}
	}
	if (store && lane == 0)
		out->plane[0].exponent = e;
	return e;
}

/* The largest exponent of `blocks` blocks that are already written, for every thread of the wave. */
GRETA_DEVICE int32_t greta_gpu_largest(const struct greta_gpu_digits *digits, uint32_t blocks)
{
	uint32_t largest = 0;
	for (uint32_t b = greta_lane() % 32; b < blocks; b += 32)
		largest = greta_max(largest, (uint32_t)(digits[b].plane[0].exponent - GRETA_EXPONENT_MIN));
	largest = greta_max(largest, greta_swap<16>(largest));
	largest = greta_max(largest, greta_swap<8>(largest));
	largest = greta_max(largest, greta_swap<4>(largest));
	largest = greta_max(largest, greta_swap<2>(largest));
	largest = greta_max(largest, greta_swap<1>(largest));
	return (int32_t)largest + GRETA_EXPONENT_MIN;
}

/* digits[b] of x [cols], through rmsnorm with `norm` unless it is NULL, by all threads of the block, in shared or
 * global memory. Ends without a barrier; `largest` is left out. sums: shared memory [GRETA_GPU_NORM_BLOCKS]. */
GRETA_DEVICE void greta_gpu_make_digits(const float *x, const float *norm, float eps, uint32_t cols,
                                        uint32_t activations, double *sums, struct greta_gpu_digits *digits)
{
	uint32_t group = greta_thread() / 32, groups = greta_threads() / 32, lane = greta_lane() % 32,
		 blocks = cols / 256;
	float v[8], w[8];
	/* The first round's values are on their way while the norm's factor is found. */
	size_t start = (size_t)greta_min(group, blocks - 1) * 256 + lane * 8;
	greta_load_floats8(x + start, v);
	if (norm)
		greta_load_floats8(norm + start, w);
	float r = norm ? greta_gpu_norm_factor(x, cols, eps, sums) : 1;
	for (uint32_t first = 0; first < blocks; first += groups) {
		uint32_t b = first + group, at = greta_min(b, blocks - 1);
		if (first) {
			start = (size_t)at * 256 + lane * 8;
			greta_load_floats8(x + start, v);
			if (norm)
				greta_load_floats8(norm + start, w);
		}
		if (norm)
			for (int i = 0; i < 8; i++)
				v[i] = v[i] * r * w[i];
		greta_gpu_digits_of(v, activations, b < blocks, &digits[at]);
	}
}

#endif
