/* The factor of rmsnorm, shared by the kernels that normalise their input. */
#ifndef GRETA_GPU_NORM_H
#define GRETA_GPU_NORM_H

#include "kernels/numbers.h"

#define GRETA_GPU_NORM_BLOCKS 128 /* blocks of 256 values of the longest row, 32,768 */

/* The factor from the sums of squares of the blocks of 256, for every thread. */
GRETA_DEVICE float greta_gpu_norm_of(const double *sums, uint32_t n, float eps)
{
	double sum = 0;
#pragma unroll 8
	for (uint32_t b = 0; b < n / 256; b++)
		sum += sums[b];
	/* A division by a power of two is a multiplication, and takes its time out of every layer. */
	double mean = (n & (n - 1)) == 0 ? sum * greta_pow2(-greta_log2_ceil(n)) : sum / n;
	return (float)(1.0 / sqrt(mean + (double)eps));
}

/* 1 / sqrt(mean of squares + eps) of x [n], n a multiple of 256, for every thread of the block. `sums` is shared
 * memory. The order is the reference's: a group of 32 lanes sums a block of 256 as 32 lanes of eight, folded in
 * halves; the blocks' sums are added one after the other. Ends behind a barrier; sums may be used again after the next
 * one. */
GRETA_DEVICE float greta_gpu_norm_factor(const float *x, uint32_t n, float eps, double *sums)
{
	uint32_t group = greta_thread() / 32, groups = greta_threads() / 32, lane = greta_thread() % 32;
	/* A wave's groups stay together in the loop, for the shuffles' sake: all go around as often as the first. */
	for (uint32_t first = 0; first < n / 256; first += groups) {
		uint32_t b = first + group;
		const float *block = x + (size_t)(b < n / 256 ? b : n / 256 - 1) * 256;
		double sum = 0;
		for (uint32_t i = lane; i < 256; i += 32)
			sum += (double)block[i] * block[i];
		for (uint32_t width = 16; width >= 1; width /= 2)
			sum += greta_shuffle_xor(sum, width);
		if (lane == 0 && b < n / 256)
			sums[b] = sum;
	}
	greta_barrier();
	return greta_gpu_norm_of(sums, n, eps);
}

#endif
