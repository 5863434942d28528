#include "kernels/tile16.h"

#include <string.h>

#include "models/types.h"

#define ROWS 16
#define PLANE (4 * ROWS * 16) /* bytes of a plane of 16-byte vectors */

uint32_t greta_tile16_bytes(uint32_t type)
{
	switch (type) {
	case GRETA_TYPE_Q4_K: return ROWS * 144;
	case GRETA_TYPE_Q5_K: return ROWS * 176;
	case GRETA_TYPE_Q6_K: return ROWS * 210;
	case GRETA_TYPE_Q8_0: return ROWS * 8 * 34;
	case GRETA_TYPE_Q4_0: return ROWS * 8 * 18;
	default: return 0;
	}
}

size_t greta_tile16_group_bytes(uint32_t type, uint32_t cols)
{
	return (size_t)(cols / 256) * greta_tile16_bytes(type);
}

/* Puts 32 bytes, one per column of a sub-block, into half `half` of each vector of a plane. */
static void put_run(uint8_t *plane, uint32_t row, uint32_t half, const uint8_t *bytes)
{
	for (uint32_t g = 0; g < 4; g++)
		memcpy(plane + ((size_t)g * ROWS + (row ^ 2 * g)) * 16 + (size_t)half * 8, bytes + (size_t)g * 8, 8);
}

/* {d, dmin, scales and mins}: from GGUF's 16 bytes to a head's. */
static void put_head(uint8_t *head, const uint8_t *raw)
{
	const uint8_t *s = raw + 4;
	uint8_t scale[8], min[8];
	for (uint32_t j = 0; j < 4; j++) {
		scale[j] = s[j] & 63;
		min[j] = s[j + 4] & 63;
		scale[j + 4] = (uint8_t)((s[j + 8] & 15) | s[j] >> 6 << 4);
		min[j + 4] = (uint8_t)(s[j + 8] >> 4 | s[j + 4] >> 6 << 4);
	}
	memcpy(head, raw, 4);
	for (uint32_t p = 0; p < 4; p++) {
		head[4 + p] = (uint8_t)(scale[2 * p] | min[p] >> 4 << 6);
		head[8 + p] = (uint8_t)(scale[2 * p + 1] | min[p + 4] >> 4 << 6);
		head[12 + p] = (uint8_t)((min[p] & 15) | (min[p + 4] & 15) << 4);
	}
}

static void put_nibbles(uint8_t *tile, uint32_t row, const uint8_t *nibbles)
{
	for (uint32_t p = 0; p < 4; p++)
		put_run(tile + (size_t)(p / 2) * PLANE, row, p % 2, nibbles + (size_t)p * 32);
}

static void put_q4_k(uint8_t *tile, uint32_t row, const uint8_t *raw)
{
	put_nibbles(tile, row, raw + 16);
	put_head(tile + 2 * PLANE + (size_t)row * 16, raw);
}

static void put_q5_k(uint8_t *tile, uint32_t row, const uint8_t *raw)
{
	put_nibbles(tile, row, raw + 48);
	for (uint32_t g = 0; g < 4; g++)
		memcpy(tile + 2 * PLANE + ((size_t)g * ROWS + (row ^ 4 * g)) * 8, raw + 16 + (size_t)g * 8, 8);
	put_head(tile + 2 * PLANE + PLANE / 2 + (size_t)row * 16, raw);
}

static void put_q6_k(uint8_t *tile, uint32_t row, const uint8_t *raw)
{
	for (uint32_t k = 0; k < 4; k++)
		put_run(tile + (size_t)(k / 2) * PLANE, row, k % 2, raw + (size_t)k * 32);
	for (uint32_t k = 0; k < 2; k++)
		put_run(tile + 2 * PLANE, row, k, raw + 128 + (size_t)k * 32);
	for (uint32_t k = 0; k < 16; k++)
		tile[3 * PLANE + (size_t)row * 16 + (size_t)(k % 2) * 8 + k / 2] = raw[192 + k];
	memcpy(tile + 3 * PLANE + ROWS * 16 + (size_t)row * 2, raw + 208, 2);
}

static void put_q8_0(uint8_t *tile, uint32_t row, const uint8_t *raw)
{
	for (uint32_t j = 0; j < 8; j++, raw += 34) {
		put_run(tile + (size_t)(j / 2) * PLANE, row, j % 2, raw + 2);
		memcpy(tile + 4 * PLANE + (size_t)row * 16 + (size_t)j * 2, raw, 2);
	}
}

/* GGUF's block has columns 0 to 15 in the low nibbles of its 16 bytes and 16 to 31 in the high ones. */
static uint8_t q4_0_value(const uint8_t *raw, uint32_t j, uint32_t column)
{
	uint8_t byte = raw[j * 18 + 2 + column % 16];
	return column < 16 ? byte & 15 : byte >> 4;
}

static void put_q4_0(uint8_t *tile, uint32_t row, const uint8_t *raw)
{
	uint8_t nibbles[128];
	for (uint32_t k = 0; k < 128; k++)
		nibbles[k] =
		    (uint8_t)(q4_0_value(raw, k / 32 * 2, k % 32) | q4_0_value(raw, k / 32 * 2 + 1, k % 32) << 4);
	put_nibbles(tile, row, nibbles);
	for (uint32_t j = 0; j < 8; j++)
		memcpy(tile + 2 * PLANE + (size_t)row * 16 + (size_t)j * 2, raw + (size_t)j * 18, 2);
}

static void put_row(uint32_t type, uint8_t *tile, uint32_t row, const uint8_t *raw)
{
	switch (type) {
	case GRETA_TYPE_Q4_K: put_q4_k(tile, row, raw); break;
	case GRETA_TYPE_Q5_K: put_q5_k(tile, row, raw); break;
	case GRETA_TYPE_Q6_K: put_q6_k(tile, row, raw); break;
	case GRETA_TYPE_Q8_0: put_q8_0(tile, row, raw); break;
	case GRETA_TYPE_Q4_0: put_q4_0(tile, row, raw); break;
	default: break;
	}
}

void greta_tile16_pack(uint32_t type, uint32_t rows, uint32_t cols, const void *raw, uint32_t first_group,
                       uint32_t last_group, void *out)
{
	const struct greta_type_info *info = greta_type_info(type);
	size_t run_bytes = (size_t)(256 / info->block_values) * info->block_bytes, tile_bytes = greta_tile16_bytes(type);
	uint32_t blocks = cols / 256;
	for (uint32_t group = first_group; group < last_group; group++)
		for (uint32_t b = 0; b < blocks; b++) {
			uint8_t *tile = (uint8_t *)out + ((size_t)group * blocks + b) * tile_bytes;
			uint32_t here = rows - group * ROWS < ROWS ? rows - group * ROWS : ROWS;
			if (here < ROWS)
				memset(tile, 0, tile_bytes);
			for (uint32_t r = 0; r < here; r++)
				put_row(type, tile, r,
					(const uint8_t *)raw + ((size_t)(group * ROWS + r) * blocks + b) * run_bytes);
		}
}
