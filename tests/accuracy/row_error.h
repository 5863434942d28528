/* How far a weight row times a vector is from the real number, for the reference's digits and for an fp32 sum: what the
 * test and the table of docs/accuracy.md measure. Random numbers come from the harness. */
#ifndef GRETA_TESTS_ROW_ERROR_H
#define GRETA_TESTS_ROW_ERROR_H

#include <stdint.h>

struct row_errors {
	double digits[5]; /* [1] to [4]: greta_ref_row with so many digits */
	double fp32;      /* weights dequantised to fp32, 16 lanes of fused multiply-adds, folded in halves */
};

/* The largest |y - exact| / sum of |w| |x| over `rows` random rows of `cols` weights, each with its own random vector,
 * of whose values `outliers` in a thousand are 50 times larger. The rows' scales lie 2^below below the largest of their
 * tensor, whose exponent sets the unit of the sums. */
struct row_errors row_errors(uint32_t type, uint32_t cols, uint32_t rows, unsigned outliers, int below);

#endif
