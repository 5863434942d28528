#include "kernels/ref/dequant.h"

#include "kernels/abi.h"
#include "kernels/numbers.h"
#include "kernels/rows16.h"

static uint16_t u16_at(const uint8_t *at) { return (uint16_t)(at[0] | at[1] << 8); }

/* Q8_0: 8 blocks of {d, 32 signed bytes}. */
static void take_q8_0(const uint8_t *raw, struct greta_ref_run *run)
{
	for (int b = 0; b < 8; b++, raw += 34) {
		run->d[b] = u16_at(raw);
		for (int i = 0; i < 32; i++)
			run->q[b * 32 + i] = (int8_t)raw[2 + i];
	}
}

/* Q4_0: 8 blocks of {d, 16 bytes}: the low nibbles are values 0 to 15, the high ones 16 to 31, each less 8. */
static void take_q4_0(const uint8_t *raw, struct greta_ref_run *run)
{
	for (int b = 0; b < 8; b++, raw += 18) {
		run->d[b] = u16_at(raw);
		for (int i = 0; i < 16; i++) {
			run->q[b * 32 + i] = (int16_t)((raw[2 + i] & 15) - 8);
			run->q[b * 32 + 16 + i] = (int16_t)((raw[2 + i] >> 4) - 8);
		}
	}
}

/* The 6-bit scales and mins of Q4_K and Q5_K: sub-blocks 0 to 3 in the low six bits of bytes 0-3 and 4-7; of sub-blocks
 * 4 to 7 the low four bits lie in bytes 8-11, the upper two on top of bytes 0-7. */
static void take_scales(const uint8_t *s, struct greta_ref_run *run)
{
	for (int j = 0; j < 4; j++) {
		run->factor[j] = s[j] & 63;
		run->min_factor[j] = s[j + 4] & 63;
		run->factor[j + 4] = (int16_t)((s[j + 8] & 15) | s[j] >> 6 << 4);
		run->min_factor[j + 4] = (int16_t)(s[j + 8] >> 4 | s[j + 4] >> 6 << 4);
	}
}

/* Q4_K: d, dmin, 12 bytes of scales, 128 of nibbles: per 32 bytes, the low nibbles are 32 values,
 * the high the next 32. */
static void take_q4_k(const uint8_t *raw, struct greta_ref_run *run)
{
	run->d[0] = u16_at(raw);
	run->dmin = u16_at(raw + 2);
	take_scales(raw + 4, run);
	for (int i = 0; i < 256; i++)
		run->q[i] = raw[16 + i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15;
}

/* Q5_K: as Q4_K, with 32 bytes of fifth bits before the nibbles: bit j of byte l belongs to value 32 j + l. */
static void take_q5_k(const uint8_t *raw, struct greta_ref_run *run)
{
	run->d[0] = u16_at(raw);
	run->dmin = u16_at(raw + 2);
	take_scales(raw + 4, run);
	for (int i = 0; i < 256; i++) {
		int low = raw[48 + i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15;
		int fifth = raw[16 + i % 32] >> (i / 32) & 1;
		run->q[i] = (int16_t)(low | fifth << 4);
	}
}

/* Q6_K: 128 bytes of low nibbles, 64 of upper bit pairs, 16 signed scales, d. Each half of 128 values uses 64 bytes of
 * the first and 32 of the second: values 0-63 the low nibbles, 64-127 the high ones; bit pair i / 32 of byte i % 32.
 * Less 32. */
static void take_q6_k(const uint8_t *raw, struct greta_ref_run *run)
{
	for (int i = 0; i < 256; i++) {
		const uint8_t *low = raw + i / 128 * 64, *high = raw + 128 + i / 128 * 32;
		int k = i % 128;
		int q = (low[k % 64] >> (k / 64 * 4) & 15) | (high[k % 32] >> (k / 32 * 2) & 3) << 4;
		run->q[i] = (int16_t)(q - 32);
	}
	for (int j = 0; j < 16; j++)
		run->factor[j] = (int8_t)raw[192 + j];
	run->d[0] = u16_at(raw + 208);
}

void greta_ref_run_from_raw(uint32_t type, const void *raw, struct greta_ref_run *out_run)
{
	memset(out_run, 0, sizeof(*out_run));
	out_run->span = type == GRETA_TYPE_Q6_K ? 16 : 32;
	out_run->d_span = type == GRETA_TYPE_Q8_0 || type == GRETA_TYPE_Q4_0 ? 32 : 256;
	for (int j = 0; j < 16; j++)
		out_run->factor[j] = 1;
	switch (type) {
	case GRETA_TYPE_Q8_0: take_q8_0(raw, out_run); break;
	case GRETA_TYPE_Q4_0: take_q4_0(raw, out_run); break;
	case GRETA_TYPE_Q4_K: take_q4_k(raw, out_run); break;
	case GRETA_TYPE_Q5_K: take_q5_k(raw, out_run); break;
	case GRETA_TYPE_Q6_K: take_q6_k(raw, out_run); break;
	default: break;
	}
}

/* Undoes kernels/rows16.h for one row and 256 columns: its GGUF blocks. */
static void unpack_rows16(uint32_t type, const void *weights, uint32_t cols, uint32_t row, uint32_t b, uint8_t *raw)
{
	const uint8_t *group = (const uint8_t *)weights + row / 16 * greta_rows16_group_bytes(type, cols);
	uint32_t words = greta_rows16_words(type);
	const uint8_t *tile = group + greta_rows16_head_bytes(type, cols) + (size_t)b * words * 64;
	uint8_t line[68 * 4];
	for (uint32_t w = 0; w < words; w++)
		memcpy(line + (size_t)w * 4, tile + ((size_t)w * 16 + row % 16) * 4, 4);
	size_t quants = type == GRETA_TYPE_Q8_0 ? 32 : type == GRETA_TYPE_Q4_0 ? 16 : 0;
	if (!quants) {
		memcpy(raw, line, (size_t)words * 4);
		if (type == GRETA_TYPE_Q6_K)
			memcpy(raw + 208, group + (size_t)b * 32 + (size_t)(row % 16) * 2, 2);
		return;
	}
	for (size_t k = 0; k < 8; k++) {
		memcpy(raw + k * (quants + 2), line + k * 2, 2);
		memcpy(raw + k * (quants + 2) + 2, line + 16 + k * quants, quants);
	}
}

void greta_ref_run_at(uint32_t type, uint32_t layout, const void *weights, uint32_t cols, uint32_t row, uint32_t b,
                      struct greta_ref_run *out_run)
{
	uint8_t raw[8 * 34];
	const struct greta_type_info *info = greta_type_info(type);
	size_t bytes = (size_t)(256 / info->block_values) * info->block_bytes;
	if (layout == GRETA_LAYOUT_RAW)
		memcpy(raw, (const uint8_t *)weights + ((size_t)row * (cols / 256) + b) * bytes, bytes);
	else
		unpack_rows16(type, weights, cols, row, b, raw);
	greta_ref_run_from_raw(type, raw, out_run);
}

float greta_ref_float_at(uint32_t type, const void *data, size_t i)
{
	if (type == GRETA_TYPE_F32) {
		float x;
		memcpy(&x, (const uint8_t *)data + i * 4, sizeof(x));
		return x;
	}
	uint16_t h = u16_at((const uint8_t *)data + i * 2);
	return type == GRETA_TYPE_BF16 ? greta_bf16_to_f32(h) : greta_f16_to_f32(h);
}

void greta_ref_dequantise(uint32_t type, const void *raw, size_t n, float *out)
{
	const struct greta_type_info *info = greta_type_info(type);
	if (info->block_values == 1) {
		for (size_t i = 0; i < n; i++)
			out[i] = greta_ref_float_at(type, raw, i);
		return;
	}
	for (size_t start = 0; start < n; start += 256) {
		size_t here = n - start < 256 ? n - start : 256;
		uint8_t blocks[8 * 34] = {0}; /* a tail shorter than 256 reads no further than its blocks */
		memcpy(blocks, (const uint8_t *)raw + start / info->block_values * info->block_bytes,
		       here / info->block_values * info->block_bytes);
		struct greta_ref_run run;
		greta_ref_run_from_raw(type, blocks, &run);
		for (size_t i = 0; i < here; i++) {
			size_t d = i / run.d_span, sub = i / run.span, min_sub = i / 32;
			float scale = greta_f16_to_f32(run.d[d]) * (float)run.factor[sub];
			float min = greta_f16_to_f32(run.dmin) * (float)run.min_factor[min_sub];
			out[start + i] = scale * (float)run.q[i] - min;
		}
	}
}
