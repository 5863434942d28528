/* Activations in fixed point as the cpu kernels keep them: one struct per block of 256 values, in the order of the
 * columns. Written by the `digits` kernel (or a product's prologue), read by the products of the same module only; what
 * the numbers mean is defined in kernels/numbers.h. Everything in it follows from the 256 integers X and the exponent;
 * the sums are there because every row of a matrix needs the same ones. */
#ifndef GRETA_CPU_DIGITS_H
#define GRETA_CPU_DIGITS_H

#include <stdint.h>

#include "kernels/cpu/forms.h"

struct greta_cpu_digits {
	int8_t digit[4][256];  /* digit[d][i]: digit d of X[i] */
	int32_t start[4][16];  /* -32 * the sum of digit d over values 16 j .. 16 j + 15: |.| <= 2^16 */
	int16_t sum16[4][16];  /* that sum itself, |.| <= 2^11 */
	double sum32[8];       /* the sum of X over values 32 j .. 32 j + 31, |.| < 2^36 */
	int8_t sum_digit[2][5][4]; /* sum_digit[h][d][j]: digit d of sum32[4 h + j] in balanced base 256 */
	int32_t exponent;      /* E, or GRETA_EXPONENT_NONFINITE */
	int32_t largest;       /* the largest exponent of the vector's blocks; the same in each of them */
	uint8_t reserved[80];
	int16_t half[2][256];  /* X[i] = half[0][i] + 65536 * half[1][i] */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct greta_cpu_digits) == GRETA_CPU_DIGITS_BLOCK_BYTES, "abi.h states the size");

/* digits[b] for the cols / 256 blocks of `x`, through rmsnorm with `norm` if that is not NULL; x itself stays as it is,
 * and need not be aligned. activations: 1 to 4. One function per form. */
#define X(form)                                                                                                        \
	void greta_cpu_##form##_make_digits(const float *x, const float *norm, float eps, uint32_t cols,               \
	                                    uint32_t activations, struct greta_cpu_digits *digits);
GRETA_CPU_FORMS(X)
#undef X

#endif
