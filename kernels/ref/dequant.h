/* Quantised blocks as numbers: the formats themselves, plainly. Sources: the GGUF format description and the comments
 * of ggml's block structures; checked bit for bit against the PyPI package `gguf` (tests/kernels/test_dequant.c). */
#ifndef GRETA_REF_DEQUANT_H
#define GRETA_REF_DEQUANT_H

#include <stddef.h>
#include <stdint.h>

/* 256 columns of one row of a quantised type, taken apart: value i = scale[i / span] * q[i] - min[i / 32], where a
 * scale is d * factor and a min is dmin * min_factor: d and dmin are f16, the factors integers. */
struct greta_ref_run {
	uint32_t span;         /* values per sub-block: 16 or 32 */
	uint32_t d_span;       /* values per d: 32 or 256 */
	int16_t q[256];
	int16_t factor[16];    /* per sub-block */
	int16_t min_factor[8]; /* per 32 values; all 0 for types without mins */
	uint16_t d[8];         /* f16 bits, per d_span */
	uint16_t dmin;         /* f16 bits */
};

/* Takes apart the GGUF blocks of 256 columns at `raw`; type is one of Q4_0, Q8_0, Q4_K, Q5_K, Q6_K. */
void greta_ref_run_from_raw(uint32_t type, const void *raw, struct greta_ref_run *out_run);

/* The same for columns [256 b, 256 b + 256) of row `row` of a matrix of `cols` columns in a layout (enum
 * greta_layout). */
void greta_ref_run_at(uint32_t type, uint32_t layout, const void *weights, uint32_t cols, uint32_t row, uint32_t b,
                      struct greta_ref_run *out_run);

/* Value i of a raw F32, F16 or BF16 array. */
float greta_ref_float_at(uint32_t type, const void *data, size_t i);

/* Dequantises n values (whole GGUF blocks) of any type to fp32. Every product is exact in fp32 or rounded once, the
 * difference of scale * q and min is rounded once. */
void greta_ref_dequantise(uint32_t type, const void *raw, size_t n, float *out);

#endif
