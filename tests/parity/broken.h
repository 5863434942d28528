/* Kernels that are wrong in one way each, to be found: modules of the cpu provider,
 * made of the reference's own source with one step of it replaced. */
#ifndef GRETA_TEST_BROKEN_H
#define GRETA_TEST_BROKEN_H

#include "kernels/cpu/module.h"

/* Products lose the upper two bits of the sixth sub-block's scale in the first 256 columns of Q4_K rows. */
extern const struct greta_cpu_module broken_scale;

/* RoPE turns value i of a head with value i + head_dim / 2 instead of with its neighbour. */
extern const struct greta_cpu_module broken_rope;

/* K and V rows are written one position late. */
extern const struct greta_cpu_module broken_position;

/* Products of more than 256 columns, the feed-forward's last one, drop the lowest digit. */
extern const struct greta_cpu_module broken_digit;

/* The digits that a launch of its own makes lack the lowest. */
extern const struct greta_cpu_module broken_digits_launch;

/* silu_mul and gate_up add something to the first value, another thing each time. */
extern const struct greta_cpu_module broken_unsteady;

/* Attention gives NaN in one place. */
extern const struct greta_cpu_module broken_nan;

#endif
