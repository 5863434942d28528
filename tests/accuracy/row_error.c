#include "tests/accuracy/row_error.h"

#include <math.h>
#include <string.h>

#include "kernels/exponent.h"
#include "kernels/numbers.h"
#include "kernels/oracle/operations.h"
#include "kernels/ref/dequant.h"
#include "kernels/ref/vector.h"
#include "tests/kernels/harness.h"

static void put_half(uint8_t *at, float x)
{
	uint16_t h = greta_f32_to_f16(x);
	memcpy(at, &h, sizeof(h));
}

/* A block of random quants with scales as a model has them: d about 1/1,000, the mins near the middle of the values. */
static void random_block(const struct greta_type_info *info, uint8_t *block)
{
	for (uint32_t i = 0; i < info->block_bytes; i++)
		block[i] = (uint8_t)check_random();
	float d = check_uniform(0.5e-3f, 2e-3f);
	switch (info->type) {
	case GRETA_TYPE_Q4_K: put_half(block + 2, d * 7.5f); break;
	case GRETA_TYPE_Q5_K: put_half(block + 2, d * 15.5f); break;
	case GRETA_TYPE_Q6_K: put_half(block + 208, d); return;
	default: break;
	}
	put_half(block, d);
}

static void random_weights(const struct greta_type_info *info, uint32_t cols, uint8_t *raw)
{
	if (info->block_values > 1) {
		for (uint32_t b = 0; b < cols / info->block_values; b++)
			random_block(info, raw + (size_t)b * info->block_bytes);
		return;
	}
	for (uint32_t i = 0; i < cols; i++) {
		float w;
		check_fill(&w, 1, 0.02f, 0);
		uint32_t bits = greta_bits32(w);
		uint16_t half = info->type == GRETA_TYPE_F16 ? greta_f32_to_f16(w) : (uint16_t)(bits >> 16);
		memcpy(raw + (size_t)i * info->block_bytes,
		       info->type == GRETA_TYPE_F32 ? (void *)&bits : (void *)&half, info->block_bytes);
	}
}

static float fp32_sum(const float *w, const float *x, uint32_t n)
{
	float lane[16] = {0};
	for (uint32_t i = 0; i < n; i++)
		lane[i % 16] = fmaf(w[i], x[i], lane[i % 16]);
	for (uint32_t width = 8; width >= 1; width /= 2)
		for (uint32_t l = 0; l < width; l++)
			lane[l] += lane[l + width];
	return lane[0];
}

struct exact {
	long double sum, magnitude;
};

static struct exact exact_sum(const double *w, const float *x, uint32_t n)
{
	struct exact e = {0, 0};
	for (uint32_t i = 0; i < n; i++) {
		long double term = (long double)w[i] * (long double)x[i];
		e.sum += term;
		e.magnitude += fabsl(term);
	}
	return e;
}

static void keep_worst(double *worst, float y, const struct exact *exact)
{
	double error = (double)(fabsl((long double)y - exact->sum) / exact->magnitude);
	*worst = error > *worst ? error : *worst;
}

struct row_errors row_errors(uint32_t type, uint32_t cols, uint32_t rows, unsigned outliers, int below)
{
	const struct greta_type_info *info = greta_type_info(type);
	uint32_t blocks = cols / 256, type_blocks = cols / info->block_values;
	uint8_t *raw = check_alloc((size_t)type_blocks * info->block_bytes);
	float *x = check_alloc(cols * sizeof(*x)), *rounded = check_alloc(cols * sizeof(*rounded));
	double *w = check_alloc(cols * sizeof(*w));
	struct greta_ref_digits_block *vector = check_alloc(blocks * sizeof(*vector));
	struct row_errors worst = {{0}, 0};

	for (uint32_t row = 0; row < rows; row++) {
		int exponent;
		random_weights(info, cols, raw);
		check_fill(x, cols, 1, outliers);
		assert_int_equal(greta_weight_exponent(type, raw, type_blocks, &exponent), type_blocks);
		greta_oracle_weights(type, raw, cols, w);
		greta_ref_dequantise(type, raw, cols, rounded);
		struct exact exact = exact_sum(w, x, cols);
		keep_worst(&worst.fp32, fp32_sum(rounded, x, cols), &exact);
		for (int digits = 1; digits <= 4; digits++) {
			for (uint32_t b = 0; b < blocks; b++)
				greta_ref_digits_of(x + (size_t)b * 256, digits, &vector[b]);
			float y = greta_ref_row(type, GRETA_LAYOUT_RAW, raw, cols, 0, exponent + below, vector, digits);
			keep_worst(&worst.digits[digits], y, &exact);
		}
	}
	check_free(raw);
	check_free(x);
	check_free(rounded);
	check_free(w);
	check_free(vector);
	return worst;
}
