/* embed: a block is a token; a lane takes values apart one at a time, in GGUF's own layout. Reads a row, writes 4
 * bytes a value. */
#include "kernels/gpu/target.h"

#include "kernels/abi.h"
#include "kernels/numbers.h"

GRETA_DEVICE uint32_t greta_u16_at(const uint8_t *p) { return p[0] | p[1] << 8; }

/* scale * q - min, where scale and min are d and dmin times integers: the rounding that ref has. */
GRETA_DEVICE float greta_value_of(float d, int32_t factor, int32_t q, float dmin, int32_t min_factor)
{
	float scale = d * (float)factor, min = dmin * (float)min_factor;
	return scale * (float)q - min;
}

/* Scale or min j of the 12 bytes of Q4_K and Q5_K. */
GRETA_DEVICE int32_t greta_scale_at(const uint8_t *s, uint32_t j, int is_min)
{
	if (j < 4)
		return s[j + (is_min ? 4 : 0)] & 63;
	uint32_t low = is_min ? s[j + 4] >> 4 : s[j + 4] & 15, high = s[j - 4 + (is_min ? 4 : 0)] >> 6;
	return (int32_t)(low | high << 4);
}

/* Value i of a row. */
GRETA_DEVICE float greta_dequantise(uint32_t type, const uint8_t *row, uint32_t i)
{
	uint32_t k = i % 256, j = k / 32;
	const uint8_t *block = row + i / 32 * 34;
	switch (type) {
	case GRETA_TYPE_F32: return ((const float *)row)[i];
	case GRETA_TYPE_F16: return greta_f16_to_f32((uint16_t)greta_u16_at(row + (size_t)i * 2));
	case GRETA_TYPE_BF16: return greta_bf16_to_f32((uint16_t)greta_u16_at(row + (size_t)i * 2));
	case GRETA_TYPE_Q8_0:
		return greta_value_of(greta_half(greta_u16_at(block)), 1, (int8_t)block[2 + i % 32], 0, 0);
	case GRETA_TYPE_Q4_0:
		block = row + i / 32 * 18;
		return greta_value_of(greta_half(greta_u16_at(block)), 1,
		                      (block[2 + i % 16] >> (i % 32 / 16 * 4) & 15) - 8, 0, 0);
	case GRETA_TYPE_Q4_K:
		block = row + i / 256 * 144;
		return greta_value_of(greta_half(greta_u16_at(block)), greta_scale_at(block + 4, j, 0),
		                      block[16 + k / 64 * 32 + k % 32] >> (j % 2 * 4) & 15,
		                      greta_half(greta_u16_at(block + 2)), greta_scale_at(block + 4, j, 1));
	case GRETA_TYPE_Q5_K:
		block = row + i / 256 * 176;
		return greta_value_of(greta_half(greta_u16_at(block)), greta_scale_at(block + 4, j, 0),
		                      (block[48 + k / 64 * 32 + k % 32] >> (j % 2 * 4) & 15) |
		                          (block[16 + k % 32] >> j & 1) << 4,
		                      greta_half(greta_u16_at(block + 2)), greta_scale_at(block + 4, j, 1));
	default: break;
	}
	/* Q6_K */
	block = row + i / 256 * 210;
	uint32_t half = k / 128, e = k % 128;
	int32_t q = (block[half * 64 + e % 64] >> (e / 64 * 4) & 15) |
	            (block[128 + half * 32 + e % 32] >> (e / 32 * 2) & 3) << 4;
	return greta_value_of(greta_half(greta_u16_at(block + 208)), (int8_t)block[192 + k / 16], q - 32, 0, 0);
}

GRETA_GPU_KERNEL(embed, 1024)
{
	uint32_t t = greta_block_x();
	greta_next_may_start();
	greta_wait_for_previous();
	if (t >= greta_step_tokens(a.state, a.chunk))
		return;
	uint32_t position = a.state->position + t, token = a.tokens[position];
	const uint8_t *row = (const uint8_t *)a.table + (size_t)token * a.row_bytes;
	for (uint32_t i = greta_thread(); i < a.cols; i += greta_threads())
		a.x[(size_t)t * a.cols + i] = token < a.vocab ? greta_dequantise(a.type, row, i) : 0;
	if (!a.rope)
		return;
	float *rope = a.rope + (size_t)t * a.pairs * 2;
	for (uint32_t i = greta_thread(); i < a.pairs; i += greta_threads())
		greta_sincos((double)position * a.frequencies[i], &rope[2 * i + 1], &rope[2 * i]);
}
