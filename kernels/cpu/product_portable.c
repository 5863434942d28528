/* Sums of products in plain C: a group's 256 columns are taken apart into 16-bit numbers, row by row, and dot products
 * of 16-bit numbers are what every compiler has an instruction for. Terms are floored in 64-bit integers. */
#include <string.h>

#include "kernels/cpu/product.h"
#include "kernels/numbers.h"
#include "kernels/rows16.h"
#include "models/types.h"

/* 256 columns of a row: values, the scale of each sub-block, mins of 32 values. */
struct run {
	int16_t q[256];
	int16_t scale[16];
	int16_t min[8];
	uint16_t d[8];
	uint16_t dmin;
};

/* The bytes of row `r` of interleaved words [first, first + count). */
static void row_bytes(const uint8_t *words, uint32_t first, uint32_t count, uint32_t r, uint8_t *out)
{
	for (uint32_t w = 0; w < count; w++)
		memcpy(out + w * 4, words + ((size_t)(first + w) * 16 + r) * 4, 4);
}

static void k_head(const uint8_t *words, uint32_t r, struct run *run)
{
	uint8_t s[16];
	row_bytes(words, 0, 4, r, s);
	memcpy(&run->d[0], s, 2);
	memcpy(&run->dmin, s + 2, 2);
	for (int j = 0; j < 4; j++) {
		run->scale[j] = s[4 + j] & 63;
		run->min[j] = s[8 + j] & 63;
		run->scale[4 + j] = (int16_t)((s[12 + j] & 15) | (s[4 + j] >> 6 << 4));
		run->min[4 + j] = (int16_t)((s[12 + j] >> 4) | (s[8 + j] >> 6 << 4));
	}
}

static void q4_k_run(const uint8_t *words, uint32_t r, struct run *run)
{
	uint8_t bytes[128];
	k_head(words, r, run);
	row_bytes(words, 4, 32, r, bytes);
	for (int p = 0; p < 4; p++)
		for (int i = 0; i < 32; i++) {
			run->q[64 * p + i] = bytes[32 * p + i] & 15;
			run->q[64 * p + 32 + i] = bytes[32 * p + i] >> 4;
		}
}

static void q5_k_run(const uint8_t *words, uint32_t r, struct run *run)
{
	uint8_t bytes[128], high[32];
	k_head(words, r, run);
	row_bytes(words, 4, 8, r, high);
	row_bytes(words, 12, 32, r, bytes);
	for (int p = 0; p < 4; p++)
		for (int i = 0; i < 32; i++) {
			run->q[64 * p + i] = (int16_t)((bytes[32 * p + i] & 15) | (high[i] >> (2 * p) & 1) << 4);
			run->q[64 * p + 32 + i] = (int16_t)(bytes[32 * p + i] >> 4 | (high[i] >> (2 * p + 1) & 1) << 4);
		}
}

static void q6_k_run(const uint8_t *words, const uint8_t *head, uint32_t r, struct run *run)
{
	uint8_t bytes[208];
	row_bytes(words, 0, 52, r, bytes);
	memcpy(&run->d[0], head + (size_t)r * 2, 2);
	for (int h = 0; h < 2; h++)
		for (int i = 0; i < 32; i++) {
			const uint8_t *low = bytes + 64 * h;
			int high = bytes[128 + 32 * h + i];
			int16_t *q = run->q + 128 * h + i;
			q[0] = (int16_t)(((low[i] & 15) | (high & 3) << 4) - 32);
			q[32] = (int16_t)(((low[i + 32] & 15) | (high >> 2 & 3) << 4) - 32);
			q[64] = (int16_t)((low[i] >> 4 | (high >> 4 & 3) << 4) - 32);
			q[96] = (int16_t)((low[i + 32] >> 4 | high >> 6 << 4) - 32);
		}
	for (int j = 0; j < 16; j++)
		run->scale[j] = (int16_t)((bytes[192 + j] ^ 128) - 128);
}

static void small_run(uint32_t type, const uint8_t *words, uint32_t r, struct run *run)
{
	uint8_t bytes[256];
	row_bytes(words, 0, 4, r, (uint8_t *)run->d);
	row_bytes(words, 4, type == GRETA_TYPE_Q8_0 ? 64 : 32, r, bytes);
	for (int i = 0; i < 256; i++) {
		int byte = bytes[type == GRETA_TYPE_Q8_0 ? i : i / 32 * 16 + i % 16];
		run->q[i] =
		    (int16_t)(type == GRETA_TYPE_Q8_0 ? (int8_t)byte : (i % 32 < 16 ? byte & 15 : byte >> 4) - 8);
	}
}

/* floor(v * 2^shift), below 2^51 where it matters: the sums of a vector that is not finite are made and not used, so
 * terms are added without a sign and may wrap. */
static int64_t scale_floor(int64_t v, int shift)
{
	if (shift >= 0)
		return (int64_t)((uint64_t)v << (shift < 63 ? shift : 63));
	return v >> (shift > -63 ? -shift : 63);
}

/* floor(h * v * 2^shift) for an f16 h: its mantissa times |v| < 2^52 fits 63 bits. */
static int64_t half_term(uint16_t h, int64_t v, int shift)
{
	int e = h >> 10 & 31;
	int64_t mantissa = (h & 1023) | (e ? 1024 : 0);
	return scale_floor((h & 0x8000 ? -mantissa : mantissa) * v, (e ? e : 1) - 25 + shift);
}

static int32_t dot(const int16_t *a, const int16_t *b, int n)
{
	int32_t sum = 0;
	for (int i = 0; i < n; i++)
		sum += (int32_t)a[i] * b[i];
	return sum;
}

/* The sum of q times X over n values, digit by digit. */
static int64_t dot_digits(const int16_t *q, int16_t (*digit)[256], int start, int n, uint32_t activations)
{
	int64_t sum = 0;
	for (uint32_t d = activations; d-- > 0;)
		sum = sum * 256 + dot(q + start, digit[d] + start, n);
	return sum;
}

/* The terms of one row's 256 columns, in two's complement. */
static uint64_t run_terms(uint32_t type, const struct run *run, int16_t (*digit)[256], const struct greta_cpu_digits *x,
                         uint32_t activations, int shift)
{
	uint64_t sum = 0;
	int64_t a = 0, b = 0;
	switch (type) {
	case GRETA_TYPE_Q8_0:
	case GRETA_TYPE_Q4_0:
		for (int j = 0; j < 8; j++)
			sum += (uint64_t)half_term(run->d[j], dot_digits(run->q, digit, 32 * j, 32, activations), shift);
		return sum;
	case GRETA_TYPE_Q6_K:
		for (int j = 0; j < 16; j++)
			a += run->scale[j] * dot_digits(run->q, digit, 16 * j, 16, activations);
		return (uint64_t)half_term(run->d[0], a, shift);
	default:
		for (int j = 0; j < 8; j++) {
			a += run->scale[j] * dot_digits(run->q, digit, 32 * j, 32, activations);
			b += run->min[j] * (int64_t)x->sum32[j];
		}
		return (uint64_t)half_term(run->d[0], a, shift) + (uint64_t)half_term(run->dmin, -b, shift);
	}
}

static void unpack(uint32_t type, const uint8_t *words, const uint8_t *head, uint32_t r, struct run *run)
{
	switch (type) {
	case GRETA_TYPE_Q4_K: q4_k_run(words, r, run); break;
	case GRETA_TYPE_Q5_K: q5_k_run(words, r, run); break;
	case GRETA_TYPE_Q6_K: q6_k_run(words, head, r, run); break;
	default: small_run(type, words, r, run); break;
	}
}

/* One group's 256 columns times one vector's block. */
static void group_block(const struct greta_cpu_sums_job *job, const struct run runs[16], uint32_t v, uint32_t b,
                        double *sums)
{
	const struct greta_cpu_digits *x = job->digits + v * job->digits_stride + b;
	int16_t digit[4][256];
	for (uint32_t d = 0; d < job->activations; d++)
		for (int i = 0; i < 256; i++)
			digit[d][i] = (int16_t)x->digit[d][i];
	for (uint32_t r = 0; r < 16; r++)
		sums[r] += (double)(int64_t)run_terms(job->type, &runs[r], digit, x, job->activations,
		                                      x->exponent + job->shift[v]);
}

void greta_cpu_portable_sums(const struct greta_cpu_sums_job *job)
{
	size_t step = (size_t)greta_rows16_words(job->type) * 64;
	memset(job->sums, 0, (size_t)job->vectors * job->group_count * 16 * sizeof(double));
	for (uint32_t g = 0; g < job->group_count; g++) {
		const uint8_t *head = job->groups + g * job->group_bytes;
		for (uint32_t b = 0; b < job->blocks; b++) {
			struct run runs[16];
			for (uint32_t r = 0; r < 16; r++)
				unpack(job->type, head + job->head_bytes + b * step, head + (size_t)b * 32, r,
				       &runs[r]);
			for (uint32_t v = 0; v < job->vectors; v++)
				group_block(job, runs, v, b, job->sums + ((size_t)v * job->group_count + g) * 16);
		}
	}
}

static float weight_at(uint32_t type, const uint8_t *row, uint32_t i)
{
	float x;
	uint16_t h;
	if (type == GRETA_TYPE_F32) {
		memcpy(&x, row + (size_t)i * 4, 4);
		return x;
	}
	memcpy(&h, row + (size_t)i * 2, 2);
	return type == GRETA_TYPE_F16 ? greta_f16_to_f32(h) : greta_bf16_to_f32(h);
}

/* floor(w * x): the product of 24 and 31 bits does not fit fp64, so integers of both. */
static int64_t float_term(float w, double x)
{
	uint64_t bits = greta_bits64(x);
	uint32_t u = greta_bits32(w);
	int e = u >> 23 & 255, e_x = (int)(bits >> 52 & 2047);
	if (e_x == 0)
		return 0;
	/* x has at most 31 significant bits, at the top of its mantissa. */
	int64_t x_mantissa = (int64_t)((bits & UINT64_C(0xfffffffffffff)) >> 21 | UINT64_C(0x80000000));
	int64_t mantissa = (u & 0x7fffff) | (e ? 0x800000 : 0);
	int64_t v = (u >> 31) ^ (uint32_t)(bits >> 63) ? -(mantissa * x_mantissa) : mantissa * x_mantissa;
	return scale_floor(v, (e ? e : 1) - 150 + e_x - 1023 - 31);
}

void greta_cpu_portable_float_sums(const struct greta_cpu_float_job *job)
{
	for (uint32_t r = 0; r < job->rows; r++) {
		const uint8_t *row = job->weights + r * job->row_bytes;
		uint64_t sum = 0;
		for (uint32_t i = 0; i < job->cols; i++)
			sum += (uint64_t)float_term(weight_at(job->type, row, i), job->x[i]);
		job->sums[r] += (double)(int64_t)sum;
	}
}
