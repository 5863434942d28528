/* Where an element of the KV cache lies on the cpu target (the shapes stand in kernels/abi.h).
 * Indices are in elements. */
#ifndef GRETA_KV_H
#define GRETA_KV_H

#include "kernels/abi.h"

/* Positions that a cache for `context` of them has room for. */
static inline size_t greta_kv_positions(uint32_t context)
{
	return ((size_t)context + GRETA_ATTENTION_CHUNK - 1) / GRETA_ATTENTION_CHUNK * GRETA_ATTENTION_CHUNK;
}

/* Element i of the key of (kv_head, position);
 * the next position in the tile is 1 further, the next element GRETA_KV_TILE. */
static inline size_t greta_k_index(uint32_t context, uint32_t head_dim, uint32_t kv_head, uint32_t position, uint32_t i)
{
	size_t tile = kv_head * (greta_kv_positions(context) / GRETA_KV_TILE) + position / GRETA_KV_TILE;
	return (tile * head_dim + i) * GRETA_KV_TILE + position % GRETA_KV_TILE;
}

/* Element i of the value of (kv_head, position); the next element is 1 further. */
static inline size_t greta_v_index(uint32_t context, uint32_t head_dim, uint32_t kv_head, uint32_t position, uint32_t i)
{
	return (kv_head * greta_kv_positions(context) + position) * head_dim + i;
}

#endif
