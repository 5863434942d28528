#include "tests/kernels/weights.h"

#include <string.h>

#include "kernels/abi.h"
#include "kernels/exponent.h"
#include "kernels/layout.h"
#include "kernels/numbers.h"
#include "tests/kernels/harness.h"

const uint32_t check_types[CHECK_TYPES] = {GRETA_TYPE_F32,  GRETA_TYPE_F16,  GRETA_TYPE_Q4_0, GRETA_TYPE_Q8_0,
                                           GRETA_TYPE_Q4_K, GRETA_TYPE_Q5_K, GRETA_TYPE_Q6_K, GRETA_TYPE_BF16};

/* `kind` is the same for a whole matrix, so that its exponent varies. */
static uint16_t random_half(int kind)
{
	uint16_t sign = (uint16_t)(check_random() & 0x8000);
	switch (kind) {
	case 0: return greta_f32_to_f16(check_uniform(0.5f, 1.0f) * 0x1p-9f);
	case 1: return sign | (uint16_t)check_below(0x7c00);
	case 2: return sign | (uint16_t)check_below(0x400);
	case 3: return sign | (check_below(2) ? 0x7bff : (uint16_t)check_below(2));
	default: return 0;
	}
}

static float random_float(int kind)
{
	switch (kind) {
	case 0: return check_uniform(-0.1f, 0.1f);
	case 1: return greta_float((uint32_t)check_random() & 0xff7fffff);
	case 2: return greta_float((uint32_t)check_random() & 0x807fffff);
	case 3: return check_below(2) ? -0x1.fffffep127f : 0x1p-149f;
	default: return 0;
	}
}

static void random_block(uint32_t type, int kind, uint8_t *block)
{
	uint32_t bytes = greta_type_info(type)->block_bytes;
	for (uint32_t i = 0; i < bytes; i++)
		block[i] = (uint8_t)(check_below(16) ? check_random() : check_below(2) * 255);
	float x = random_float(kind);
	uint32_t u = greta_bits32(x);
	uint16_t h = random_half(kind), second = random_half(kind);
	switch (type) {
	case GRETA_TYPE_F32: memcpy(block, &u, 4); break;
	case GRETA_TYPE_BF16: block[0] = (uint8_t)(u >> 16); block[1] = (uint8_t)(u >> 24); break;
	case GRETA_TYPE_F16: h = kind ? h : greta_f32_to_f16(x); memcpy(block, &h, 2); break;
	case GRETA_TYPE_Q6_K: memcpy(block + 208, &h, 2); break;
	case GRETA_TYPE_Q4_K:
	case GRETA_TYPE_Q5_K: memcpy(block + 2, &second, 2); memcpy(block, &h, 2); break;
	default: memcpy(block, &h, 2); break;
	}
}

struct check_weights check_weights(uint32_t type, uint32_t layout, uint32_t rows, uint32_t cols, int nasty)
{
	const struct greta_type_info *info = greta_type_info(type);
	size_t blocks = (size_t)rows * cols / info->block_values;
	int kind = nasty ? (int)check_below(5) : 0;
	uint8_t *raw = check_alloc(blocks * info->block_bytes);
	for (size_t i = 0; i < blocks; i++)
		random_block(type, kind, raw + i * info->block_bytes);
	size_t group_bytes = greta_layout_group_bytes(layout, type, cols);
	struct check_weights w = {.type = type, .layout = group_bytes ? layout : GRETA_LAYOUT_RAW, .rows = rows,
	                          .cols = cols, .raw = raw, .data = raw, .bytes = blocks * info->block_bytes};
	assert_int_equal(greta_weight_exponent(type, raw, blocks, &w.exponent), blocks);
	if (group_bytes) {
		uint32_t groups = (rows + 15) / 16;
		w.bytes = groups * group_bytes;
		w.data = check_alloc(w.bytes);
		greta_layout_pack(layout, type, rows, cols, raw, groups, w.data);
	}
	return w;
}

void check_weights_free(struct check_weights *weights)
{
	if (weights->data != weights->raw)
		check_free(weights->data);
	check_free(weights->raw);
}
