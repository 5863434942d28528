#include "kernels/ref/vector.h"

#include "kernels/abi.h"
#include "kernels/numbers.h"
#include "kernels/ref/dequant.h"

/* Sum of squares of 256 values: 32 lanes of eight, folded in halves. Squares of fp32 are exact in fp64. */
static double squares(const float *x)
{
	double lane[32] = {0};
	for (int i = 0; i < 256; i++)
		lane[i % 32] += (double)x[i] * x[i];
	for (int width = 16; width >= 1; width /= 2)
		for (int l = 0; l < width; l++)
			lane[l] += lane[l + width];
	return lane[0];
}

void greta_ref_rmsnorm_vector(const float *x, const float *weight, uint32_t n, float eps, float *y)
{
	double sum = 0;
	for (uint32_t b = 0; b < n / 256; b++)
		sum += squares(x + (size_t)b * 256);
	float r = (float)(1.0 / sqrt(sum / n + (double)eps));
	for (uint32_t i = 0; i < n; i++)
		y[i] = x[i] * r * weight[i];
}

void greta_ref_digits_of(const float *x, int digits, struct greta_ref_digits_block *out_block)
{
	uint32_t amax = 0;
	for (int i = 0; i < 256; i++) {
		uint32_t magnitude = greta_bits32(x[i]) & 0x7fffffff;
		amax = magnitude > amax ? magnitude : amax;
	}
	int e = greta_digits_exponent(amax, digits);
	float scale = greta_digits_scale(e, digits);
	out_block->exponent = e;
	for (int i = 0; i < 256; i++)
		out_block->x[i] = e == GRETA_EXPONENT_NONFINITE ? 0 : (int32_t)rintf(x[i] * scale);
}

int greta_ref_vector_exponent(const struct greta_ref_digits_block *blocks, uint32_t count)
{
	int max = GRETA_EXPONENT_MIN;
	for (uint32_t b = 0; b < count; b++)
		max = blocks[b].exponent > max ? blocks[b].exponent : max;
	return max;
}

/* floor(v * 2^shift). The bounds keep the result below 2^51;
 * with a wrong exponent it wraps, the same way everywhere. */
static int64_t scale_floor(int64_t v, int shift)
{
	if (shift >= 0)
		return (int64_t)((uint64_t)v << (shift < 63 ? shift : 63));
	return v >> (shift > -63 ? -shift : 63);
}

/* floor(value of the f16 h * v * 2^shift), |v| < 2^52. */
static int64_t half_term(uint16_t h, int64_t v, int shift)
{
	int e = h >> 10 & 31;
	int64_t mantissa = (h & 1023) | (e ? 1024 : 0);
	return scale_floor((h & 0x8000 ? -mantissa : mantissa) * v, (e ? e : 1) - 25 + shift);
}

static uint64_t quantised_terms(const struct greta_ref_run *run, const int32_t *x, int shift)
{
	uint64_t sum = 0;
	for (uint32_t start = 0, k = 0; start < 256; start += run->d_span, k++) {
		int64_t a = 0;
		for (uint32_t i = start; i < start + run->d_span; i++)
			a += (int64_t)run->factor[i / run->span] * run->q[i] * x[i];
		sum += (uint64_t)half_term(run->d[k], a, shift);
	}
	int64_t b = 0;
	for (uint32_t i = 0; i < 256; i++)
		b += (int64_t)run->min_factor[i / 32] * x[i];
	return sum + (uint64_t)half_term(run->dmin, -b, shift);
}

/* floor(w * x * 2^shift) of a float weight. */
static int64_t float_term(float w, int32_t x, int shift)
{
	uint32_t u = greta_bits32(w);
	int e = u >> 23 & 255;
	int64_t mantissa = (u & 0x7fffff) | (e ? 0x800000 : 0);
	return scale_floor((u >> 31 ? -mantissa : mantissa) * x, (e ? e : 1) - 150 + shift);
}

float greta_ref_row(uint32_t type, uint32_t layout, const void *weights, uint32_t cols, uint32_t row, int exponent,
                    const struct greta_ref_digits_block *vector, int digits)
{
	uint32_t blocks = cols / 256;
	int vector_exponent = greta_ref_vector_exponent(vector, blocks);
	if (vector_exponent == GRETA_EXPONENT_NONFINITE)
		return greta_float(GRETA_NAN_BITS);
	int unit = greta_product_unit(exponent, greta_type_bits(type), vector_exponent, blocks);
	int is_float = greta_type_info(type)->block_values == 1;
	uint64_t sum = 0; /* two's complement: a wrong exponent wraps */
	for (uint32_t b = 0; b < blocks; b++) {
		int shift = vector[b].exponent - (8 * digits - 1) - unit;
		if (is_float) {
			size_t start = (size_t)row * cols + (size_t)b * 256;
			for (uint32_t i = 0; i < 256; i++)
				sum += (uint64_t)float_term(greta_ref_float_at(type, weights, start + i),
							    vector[b].x[i], shift);
		} else {
			struct greta_ref_run run;
			greta_ref_run_at(type, layout, weights, cols, row, b, &run);
			sum += quantised_terms(&run, vector[b].x, shift);
		}
	}
	return (float)((double)(int64_t)sum * greta_pow2(unit));
}
