/* How the GPU kernels keep what other targets keep otherwise: digits, and the KV cache. Weights are in tile16
 * (kernels/tile16.h). */
#ifndef GRETA_GPU_LAYOUTS_H
#define GRETA_GPU_LAYOUTS_H

#include <assert.h>

#include "kernels/abi.h"

/* A block of 256 values in fixed point, a plane for each digit. `digit` is the second operand of the integer matrix
 * instructions: [j][g] are the values 8 g to 8 g + 7 of sub-block j (32 values). What follows it moves the planes
 * apart in shared memory's banks. */
struct greta_gpu_digits {
	struct {
		uint8_t digit[8][4][8];
		int8_t sum[2][8]; /* the digit's sum over sub-block j is sum[0][j] + 256 * sum[1][j] */
		int32_t exponent; /* E, or GRETA_EXPONENT_NONFINITE; plane 0 has it */
		int32_t
		    largest; /* the largest exponent of the vector's blocks, the same in each of them; plane 0 has it */
		int32_t reserved[2];
	} plane[4];
} __attribute__((aligned(16)));
static_assert(sizeof(struct greta_gpu_digits) == GRETA_GPU_DIGITS_BLOCK_BYTES, "abi.h states the size");

/* KV cache of one layer, elements of kv_type, C = context rounded up to GRETA_ATTENTION_CHUNK:
 *   k [kv_heads][C / 64][head_dim / 8][64][8]   (a lane is a position, and reads eight elements)
 *   v [kv_heads][C / 8][head_dim][8]            (a lane is an element, and reads eight positions)
 * head_dim is a multiple of 8. Same bytes as on a CPU. Indices are in elements. */
GRETA_ABI_FN size_t greta_gpu_kv_positions(uint32_t context)
{
	return ((size_t)context + GRETA_ATTENTION_CHUNK - 1) / GRETA_ATTENTION_CHUNK * GRETA_ATTENTION_CHUNK;
}

GRETA_ABI_FN size_t greta_gpu_k_index(uint32_t context, uint32_t head_dim, uint32_t kv_head, uint32_t position,
                                      uint32_t i)
{
	size_t chunk = kv_head * (greta_gpu_kv_positions(context) / 64) + position / 64;
	return ((chunk * (head_dim / 8) + i / 8) * 64 + position % 64) * 8 + i % 8;
}

GRETA_ABI_FN size_t greta_gpu_v_index(uint32_t context, uint32_t head_dim, uint32_t kv_head, uint32_t position,
                                      uint32_t i)
{
	size_t eight = kv_head * (greta_gpu_kv_positions(context) / 8) + position / 8;
	return (eight * head_dim + i) * 8 + position % 8;
}

#ifdef GRETA_DEVICE
GRETA_DEVICE void greta_gpu_kv_store(uint32_t kv_type, void *cache, size_t index, float x)
{
	if (kv_type == GRETA_KV_F32)
		((float *)cache)[index] = x;
	else
		((uint16_t *)cache)[index] = greta_f32_to_f16(x);
}
#endif

#endif
