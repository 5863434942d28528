/* The reference form of every kernel: plain C, one after the other, the definition of each result to the bit. A kernel
 * does the part of the launch that belongs to `block` (kernels/abi.h gives the grids), so the reference runs as a
 * module of the cpu provider like any other form. Buffers of digits hold struct greta_ref_digits_block. */
#ifndef GRETA_REF_KERNELS_H
#define GRETA_REF_KERNELS_H

#include "kernels/abi.h"
#include "kernels/cpu/module.h"

#define X(name) void greta_ref_##name(const struct greta_cpu_block *block, const void *args);
GRETA_KERNELS(X)
#undef X

extern const struct greta_cpu_module greta_ref_module;

#endif
