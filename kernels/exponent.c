#include "kernels/exponent.h"

#include "kernels/numbers.h"
#include "models/types.h"

/* The largest magnitude is searched as bits: those of IEEE formats order like their values. */

static uint32_t half_at(const uint8_t *at)
{
	uint16_t h;
	memcpy(&h, at, sizeof(h));
	return h & 0x7fff;
}

static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

static int exponent_of(float magnitude)
{
	if (magnitude == 0)
		return -150;
	int e;
	frexpf(magnitude, &e);
	return e;
}

/* Where a block keeps its f16 scales. */
static size_t scale_offset(uint32_t type) { return type == GRETA_TYPE_Q6_K ? 208 : 0; }

static size_t halves(uint32_t type, const uint8_t *data, size_t blocks, uint32_t *out_max)
{
	size_t stride = greta_type_info(type)->block_bytes;
	size_t offset = scale_offset(type);
	int pair = type == GRETA_TYPE_Q4_K || type == GRETA_TYPE_Q5_K;
	uint32_t infinity = type == GRETA_TYPE_BF16 ? 0x7f80 : 0x7c00;
	uint32_t max = 0;
	for (size_t b = 0; b < blocks; b++) {
		const uint8_t *at = data + b * stride + offset;
		uint32_t block = larger(half_at(at), pair ? half_at(at + 2) : 0);
		if (block >= infinity)
			return b;
		max = larger(max, block);
	}
	*out_max = max;
	return blocks;
}

static size_t floats(const uint8_t *data, size_t blocks, uint32_t *out_max)
{
	uint32_t max = 0;
	for (size_t b = 0; b < blocks; b++) {
		uint32_t u;
		memcpy(&u, data + b * 4, sizeof(u));
		u &= 0x7fffffff;
		if (u >= 0x7f800000)
			return b;
		max = larger(max, u);
	}
	*out_max = max;
	return blocks;
}

size_t greta_weight_exponent(uint32_t type, const void *data, size_t blocks, int *out_exponent)
{
	uint32_t max = 0;
	size_t done = type == GRETA_TYPE_F32 ? floats(data, blocks, &max) : halves(type, data, blocks, &max);
	if (done < blocks)
		return done;
	if (type == GRETA_TYPE_F32)
		*out_exponent = exponent_of(greta_float(max));
	else if (type == GRETA_TYPE_BF16)
		*out_exponent = exponent_of(greta_bf16_to_f32((uint16_t)max));
	else
		*out_exponent = exponent_of(greta_f16_to_f32((uint16_t)max));
	return blocks;
}
