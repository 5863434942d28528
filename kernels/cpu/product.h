/* Between the product kernels (product.c, compiled once per form) and their inner loops (product_<form>.c): sums of
 * weights times digits for whole groups of 16 rows.
 *
 * A term (one 256-block's, for Q8_0 and Q4_0 one 32-block's, for unquantised weights one element's) is an exact integer
 * A times a scale d times 2^(E - (8 D - 1)); it counts as floor(d * A * 2^(E - (8 D - 1) - U)), and `sums` get the sum
 * of these integers, as fp64: below 2^51 in magnitude, hence exact, and addable in any order. In fp64 the floor and the
 * sum are one fused multiply-add, rounded down, onto an accumulator that starts at GRETA_ROUND_BIAS and stays in its
 * binade. A itself is below 2^53 for every type: 2^18 .. 2^20 (greta_type_bits) times |X| < 2^31. */
#ifndef GRETA_CPU_PRODUCT_H
#define GRETA_CPU_PRODUCT_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/cpu/digits.h"

/* Groups of quantised weights in the layout rows16, or a few columns of them, times vectors. */
struct greta_cpu_sums_job {
	uint32_t type;
	uint32_t activations;       /* D */
	uint32_t blocks;            /* 256-column blocks of a row */
	uint32_t group_count;
	uint32_t vectors;
	const uint8_t *groups;      /* group g starts at groups + g * group_bytes */
	size_t group_bytes;
	size_t head_bytes;          /* of a Q6_K group's leading d's */
	const struct greta_cpu_digits *digits; /* vector v's block b is digits[v * digits_stride + b] */
	size_t digits_stride;
	const int32_t *shift;       /* [vectors]: -(8 D - 1) - U of the vector */
	double *sums;               /* out [vectors][group_count * 16] */
	uint8_t *scratch;           /* GRETA_CPU_SUMS_SCRATCH bytes, 64-byte aligned, for the inner loop's own use */
};

#define GRETA_CPU_SUMS_SCRATCH (64 * 1024)

/* Rows of unquantised weights (F32, F16, BF16), some columns of them, times one vector: sums[r] += S. */
struct greta_cpu_float_job {
	uint32_t type;
	uint32_t cols;              /* multiple of 256 */
	uint32_t rows;
	const uint8_t *weights;     /* row r starts at weights + r * row_bytes; any alignment */
	size_t row_bytes;
	const double *x;            /* [cols]: X[i] * 2^(E - (8 D - 1) - U) */
	double *sums;               /* [rows] */
};

/* One pair per form; amx's calls avx512's for what its tiles do not do. A vector that holds something not finite leaves
 * unspecified sums, nothing else; a sum of 0 may be -0. */
#define X(form)                                                                                                        \
	void greta_cpu_##form##_sums(const struct greta_cpu_sums_job *job);                                            \
	void greta_cpu_##form##_float_sums(const struct greta_cpu_float_job *job);
GRETA_CPU_FORMS(X)
#undef X

#endif
