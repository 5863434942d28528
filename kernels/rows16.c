#include "kernels/rows16.h"

#include <string.h>

#include "models/types.h"

uint32_t greta_rows16_words(uint32_t type)
{
	switch (type) {
	case GRETA_TYPE_Q4_K: return 36;
	case GRETA_TYPE_Q5_K: return 44;
	case GRETA_TYPE_Q6_K: return 52;
	case GRETA_TYPE_Q8_0: return 68;
	case GRETA_TYPE_Q4_0: return 36;
	default: return 0;
	}
}

size_t greta_rows16_head_bytes(uint32_t type, uint32_t cols)
{
	if (type != GRETA_TYPE_Q6_K)
		return 0;
	return ((size_t)(cols / 256) * 32 + 63) / 64 * 64;
}

size_t greta_rows16_group_bytes(uint32_t type, uint32_t cols)
{
	return greta_rows16_head_bytes(type, cols) + (size_t)(cols / 256) * greta_rows16_words(type) * 64;
}

/* One row's words of 256 columns, from the GGUF blocks that hold them. */
static void gather_words(uint32_t type, const uint8_t *raw, uint8_t *words)
{
	uint32_t quants;
	switch (type) {
	case GRETA_TYPE_Q8_0: quants = 32; break;
	case GRETA_TYPE_Q4_0: quants = 16; break;
	default: memcpy(words, raw, (size_t)greta_rows16_words(type) * 4); return;
	}
	for (uint32_t b = 0; b < 8; b++) {
		memcpy(words + (size_t)b * 2, raw + (size_t)b * (quants + 2), 2);
		memcpy(words + 16 + (size_t)b * quants, raw + (size_t)b * (quants + 2) + 2, quants);
	}
}

void greta_rows16_pack_blocks(uint32_t type, uint32_t rows, uint32_t cols, const void *raw, uint32_t group,
                              uint32_t first_block, uint32_t last_block, void *out)
{
	const struct greta_type_info *info = greta_type_info(type);
	uint32_t words = greta_rows16_words(type);
	uint32_t blocks = cols / 256;
	size_t source_block = (size_t)(256 / info->block_values) * info->block_bytes;
	size_t head_bytes = greta_rows16_head_bytes(type, (last_block - first_block) * 256);
	uint8_t *head = out, *at = head + head_bytes;

	memset(head, 0, head_bytes);
	for (uint32_t b = first_block; b < last_block; b++, at += (size_t)words * 64) {
		uint32_t tile[68][16];
		memset(tile, 0, sizeof(tile));
		for (uint32_t r = 0; r < 16 && group * 16 + r < rows; r++) {
			const uint8_t *row =
			    (const uint8_t *)raw + ((size_t)(group * 16 + r) * blocks + b) * source_block;
			uint32_t line[68];
			gather_words(type, row, (uint8_t *)line);
			for (uint32_t w = 0; w < words; w++)
				tile[w][r] = line[w];
			if (head_bytes)
				memcpy(head + (size_t)(b - first_block) * 32 + (size_t)r * 2, row + 208, 2);
		}
		memcpy(at, tile, (size_t)words * 64);
	}
}

void greta_rows16_pack(uint32_t type, uint32_t rows, uint32_t cols, const void *raw, uint32_t first_group,
                       uint32_t last_group, void *out)
{
	size_t group_bytes = greta_rows16_group_bytes(type, cols);
	for (uint32_t g = first_group; g < last_group; g++)
		greta_rows16_pack_blocks(type, rows, cols, raw, g, 0, cols / 256, (uint8_t *)out + g * group_bytes);
}
