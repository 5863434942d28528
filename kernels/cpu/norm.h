/* rmsnorm of one vector, as kernels/ref/vector.c defines it, in loops that compilers vectorise. */
#ifndef GRETA_CPU_NORM_H
#define GRETA_CPU_NORM_H

#include "kernels/numbers.h"

/* Sum of squares of 256 values: 32 fp64 lanes of eight each, folded in halves. */
GRETA_FN double greta_cpu_squares(const float *x)
{
	double lane[32] = {0};
	for (int k = 0; k < 256; k += 32)
		for (int l = 0; l < 32; l++)
			lane[l] += (double)x[k + l] * (double)x[k + l];
	for (int l = 0; l < 16; l++)
		lane[l] += lane[l + 16];
	for (int l = 0; l < 8; l++)
		lane[l] += lane[l + 8];
	for (int l = 0; l < 4; l++)
		lane[l] += lane[l + 4];
	return lane[0] + lane[2] + (lane[1] + lane[3]);
}

/* 1 / rms(x), n a multiple of 256. */
GRETA_FN float greta_cpu_inverse_rms(const float *x, uint32_t n, float eps)
{
	double sum = 0;
	for (uint32_t b = 0; b < n; b += 256)
		sum += greta_cpu_squares(x + b);
	return (float)(1.0 / sqrt(sum / n + (double)eps));
}

/* y = x / rms(x) * weight, n a multiple of 256; y may be x. */
GRETA_FN void greta_cpu_rmsnorm_vector(const float *x, const float *weight, uint32_t n, float eps, float *y)
{
	float r = greta_cpu_inverse_rms(x, n, eps);
	for (uint32_t i = 0; i < n; i++)
		y[i] = x[i] * r * weight[i];
}

#endif
