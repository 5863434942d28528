/* One element of a KV cache, by type (enum greta_kv_type). */
#ifndef GRETA_REF_KV_ELEMENT_H
#define GRETA_REF_KV_ELEMENT_H

#include "kernels/abi.h"
#include "kernels/numbers.h"

static inline void greta_ref_kv_store(uint32_t kv_type, void *cache, size_t index, float x)
{
	if (kv_type == GRETA_KV_F32)
		((float *)cache)[index] = x;
	else
		((uint16_t *)cache)[index] = greta_f32_to_f16(x);
}

static inline float greta_ref_kv_load(uint32_t kv_type, const void *cache, size_t index)
{
	return kv_type == GRETA_KV_F32 ? ((const float *)cache)[index]
				       : greta_f16_to_f32(((const uint16_t *)cache)[index]);
}

#endif
