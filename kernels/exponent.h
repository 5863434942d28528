/* A weight tensor's exponent: what the planner reads from the weights so that the sums of a product have a unit. */
#ifndef GRETA_EXPONENT_H
#define GRETA_EXPONENT_H

#include <stddef.h>
#include <stdint.h>

/* Sets *out_exponent to the smallest e for which every scale (d, dmin) of `blocks` GGUF blocks of `type` at `data`, or
 * every weight of an F32, F16 or BF16 tensor, is below 2^e in magnitude; -150 if all are zero. Returns `blocks`, or the
 * index of the first block that holds a number that is not finite (then *out_exponent is untouched). Threads may each
 * take a range: the tensor's exponent is the ranges' maximum. */
size_t greta_weight_exponent(uint32_t type, const void *data, size_t blocks, int *out_exponent);

#endif
