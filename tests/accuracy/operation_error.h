/* How far the reference's small operations are from the real numbers: what the test and the table of docs/accuracy.md
 * measure, over random input from the harness. All in units of 2^-24, half the distance of fp32 numbers just above
 * 1. */
#ifndef GRETA_TESTS_OPERATION_ERROR_H
#define GRETA_TESTS_OPERATION_ERROR_H

#include <stdint.h>

/* Of one value, over its magnitude. */
double rmsnorm_error(uint32_t cols, uint32_t runs);

/* Over the magnitude, for gate from -80 to 80. */
double silu_error(uint32_t runs);

/* Of a turned pair's value over the pair's length, at positions below `positions`, rotation base 10,000. */
double rope_error(uint32_t head_dim, uint32_t positions, uint32_t runs);

/* Of one value over the weighted sum of |v|, f32 cache, scores of standard deviation about `spread`. */
double attention_error(uint32_t head_dim, uint32_t positions, float spread, uint32_t runs);

#endif
