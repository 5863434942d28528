/* The reference's shared steps on one vector: rmsnorm, digits, and the exact product of a weight row with digits. */
#ifndef GRETA_REF_VECTOR_H
#define GRETA_REF_VECTOR_H

#include "kernels/abi.h"

#define GRETA_REF_COLS_MAX 32768 /* the longest row for which the bounds of docs/numbers.md are stated */

/* y = x / sqrt(mean of squares + eps) * weight; n is a multiple of 256; y may be x. */
void greta_ref_rmsnorm_vector(const float *x, const float *weight, uint32_t n, float eps, float *y);

/* A block of a vector in fixed point, which is also what the reference keeps in a `digits` buffer. */
struct greta_ref_digits_block {
	int32_t x[256];
	int32_t exponent;
	int32_t unused[GRETA_CPU_DIGITS_BLOCK_BYTES / 4 - 257];
};

/* One block of 256 values; digits is 1 to 4. */
void greta_ref_digits_of(const float *x, int digits, struct greta_ref_digits_block *out_block);

/* The largest exponent of a vector's blocks. */
int greta_ref_vector_exponent(const struct greta_ref_digits_block *blocks, uint32_t count);

/* Row `row` of a weight matrix times a vector of `cols` values, rounded to fp32. exponent: the tensor's. */
float greta_ref_row(uint32_t type, uint32_t layout, const void *weights, uint32_t cols, uint32_t row, int exponent,
                    const struct greta_ref_digits_block *vector, int digits);

#endif
