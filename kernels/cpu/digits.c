/* Compiled once per form: loops of fixed length over arrays, which the compiler turns into the form's vectors. */
#include "kernels/cpu/digits.h"

#include "kernels/cpu/norm.h"
#include "kernels/numbers.h"

/* The sums over 16 and 32 values, from the digits: a sum of digits times 256^d is the sum of X. */
static void block_sums(uint32_t activations, struct greta_cpu_digits *out)
{
	int64_t wide[8] = {0};
	for (uint32_t d = 0; d < 4; d++) {
		for (int j = 0; j < 16; j++) {
			int sum = 0;
			for (int i = 0; i < 16; i++)
				sum += out->digit[d][j * 16 + i];
			out->sum16[d][j] = (int16_t)sum;
			out->start[d][j] = -32 * sum;
		}
		if (d < activations)
			for (int j = 0; j < 8; j++)
				wide[j] += (int64_t)(out->sum16[d][2 * j] + out->sum16[d][2 * j + 1]) * (1 << (8 * d));
	}
	for (int j = 0; j < 8; j++) {
		uint64_t split = ((uint64_t)wide[j] + UINT64_C(0x8080808080)) ^ UINT64_C(0x8080808080);
		out->sum32[j] = (double)wide[j];
		for (int d = 0; d < 5; d++)
			out->sum_digit[j / 4][d][j % 4] = (int8_t)(uint8_t)(split >> (8 * d));
	}
}

static void block_digits(const float *y, uint32_t activations, struct greta_cpu_digits *out)
{
	uint32_t amax = 0;
	for (int i = 0; i < 256; i++) {
		uint32_t u = greta_bits32(y[i]) & 0x7fffffff;
		amax = u > amax ? u : amax;
	}
	int exponent = greta_digits_exponent(amax, (int)activations);
	float scale = greta_digits_scale(exponent, (int)activations);
	int32_t x[256];
	if (exponent == GRETA_EXPONENT_NONFINITE)
		memset(x, 0, sizeof(x));
	else
		for (int i = 0; i < 256; i++)
			x[i] = (int32_t)rintf(y[i] * scale);
	for (int d = 0; d < 4; d++)
		for (int i = 0; i < 256; i++)
			out->digit[d][i] = (int8_t)(uint8_t)(greta_digits_split(x[i]) >> (8 * d));
	for (int i = 0; i < 256; i++) {
		int32_t low = (int16_t)(uint16_t)x[i];
		out->half[0][i] = (int16_t)low;
		out->half[1][i] = (int16_t)((x[i] - low) >> 16);
	}
	out->exponent = exponent;
	block_sums(activations, out);
}

void GRETA_CPU_NAME(make_digits)(const float *x, const float *norm, float eps, uint32_t cols, uint32_t activations,
                                  struct greta_cpu_digits *digits)
{
	uint32_t blocks = cols / 256;
	float r = norm ? greta_cpu_inverse_rms(x, cols, eps) : 1.0f;
	int32_t largest = GRETA_EXPONENT_MIN;
	for (uint32_t b = 0; b < blocks; b++) {
		const float *in = x + (size_t)b * 256;
		float y[256];
		if (norm) {
			for (int i = 0; i < 256; i++)
				y[i] = (in[i] * r) * norm[b * 256 + (uint32_t)i];
			in = y;
		}
		block_digits(in, activations, &digits[b]);
		largest = digits[b].exponent > largest ? digits[b].exponent : largest;
	}
	for (uint32_t b = 0; b < blocks; b++)
		digits[b].largest = largest;
}

void GRETA_CPU_NAME(digits)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_digits_args *a = args;
	uint32_t tokens = greta_step_tokens(a->state, a->chunk);
	uint32_t blocks = a->cols / 256;
	for (uint32_t t = block->x; t < tokens; t += block->grid_x)
		GRETA_CPU_NAME(make_digits)(a->x + (size_t)t * a->cols, a->norm, a->eps, a->cols, a->activations,
		                             (struct greta_cpu_digits *)a->digits + (size_t)t * blocks);
}
