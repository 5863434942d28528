#include "kernels/oracle/operations.h"

#include <math.h>
#include <string.h>

#include "kernels/numbers.h"
#include "kernels/ref/dequant.h"
#include "models/types.h"

/* The up to 256 weights of a quantised type that start at a whole number of runs. */
static void weights_of_run(const struct greta_type_info *info, const uint8_t *raw, size_t n, double *out)
{
	uint8_t blocks[8 * 34] = {0};
	struct greta_ref_run run;
	memcpy(blocks, raw, n / info->block_values * info->block_bytes);
	greta_ref_run_from_raw(info->type, blocks, &run);
	for (size_t i = 0; i < n; i++) {
		size_t part = i / run.span, min_part = i / 32;
		double d = (double)greta_f16_to_f32(run.d[i / run.d_span]), dmin = (double)greta_f16_to_f32(run.dmin);
		out[i] = d * run.factor[part] * run.q[i] - dmin * run.min_factor[min_part];
	}
}

void greta_oracle_weights(uint32_t type, const void *raw, size_t n, double *out)
{
	const struct greta_type_info *info = greta_type_info(type);
	if (info->block_values == 1) {
		for (size_t i = 0; i < n; i++)
			out[i] = (double)greta_ref_float_at(type, raw, i);
		return;
	}
	for (size_t start = 0; start < n; start += 256) {
		const uint8_t *from = (const uint8_t *)raw + start / info->block_values * info->block_bytes;
		weights_of_run(info, from, n - start < 256 ? n - start : 256, out + start);
	}
}

double greta_oracle_dot(const double *a, const double *b, size_t n)
{
	double lane[8] = {0}; /* so that the compiler may use vectors */
	size_t i = 0;
	for (; i + 8 <= n; i += 8)
		for (size_t l = 0; l < 8; l++)
			lane[l] += a[i + l] * b[i + l];
	for (; i < n; i++)
		lane[0] += a[i] * b[i];
	return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

void greta_oracle_rmsnorm(const double *x, const float *weight, size_t n, double eps, double *y)
{
	double r = 1.0 / sqrt(greta_oracle_dot(x, x, n) / (double)n + eps);
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] * r * (double)weight[i];
}

void greta_oracle_product(uint32_t type, const void *weights, size_t rows, size_t cols, const double *x, size_t tokens,
			  double *row, double *y)
{
	const struct greta_type_info *info = greta_type_info(type);
	size_t row_bytes = cols / info->block_values * info->block_bytes;
	for (size_t r = 0; r < rows; r++) {
		greta_oracle_weights(type, (const uint8_t *)weights + r * row_bytes, cols, row);
		for (size_t t = 0; t < tokens; t++)
			y[t * rows + r] = greta_oracle_dot(row, x + t * cols, cols);
	}
}

void greta_oracle_frequencies(double base, uint32_t head_dim, const float *divisors, double *out)
{
	for (uint32_t i = 0; i < head_dim / 2; i++)
		out[i] = pow(base, -2.0 * i / head_dim) / (divisors ? (double)divisors[i] : 1.0);
}

void greta_oracle_rope(double *x, uint32_t heads, uint32_t head_dim, size_t position, const double *frequencies)
{
	for (uint32_t i = 0; i < head_dim / 2; i++) {
		double angle = (double)position * frequencies[i], c = cos(angle), s = sin(angle);
		for (uint32_t h = 0; h < heads; h++) {
			double *pair = x + (size_t)h * head_dim + 2 * (size_t)i, x0 = pair[0], x1 = pair[1];
			pair[0] = x0 * c - x1 * s;
			pair[1] = x0 * s + x1 * c;
		}
	}
}

void greta_oracle_attention(const double *q, const double *k, const double *v, size_t stride, size_t positions,
			    uint32_t head_dim, double scale, double *scores, double *out)
{
	double max = -INFINITY, sum = 0;
	for (size_t p = 0; p < positions; p++) {
		scores[p] = scale * greta_oracle_dot(q, k + p * stride, head_dim);
		max = fmax(max, scores[p]);
	}
	for (size_t p = 0; p < positions; p++)
		sum += scores[p] = exp(scores[p] - max);
	memset(out, 0, head_dim * sizeof(*out));
	for (size_t p = 0; p < positions; p++)
		for (uint32_t i = 0; i < head_dim; i++)
			out[i] += scores[p] / sum * v[p * stride + i];
}

double greta_oracle_silu(double x) { return x / (1.0 + exp(-x)); }

double greta_oracle_log_probability(const double *logits, size_t n, size_t index)
{
	double max = -INFINITY, sum = 0;
	for (size_t i = 0; i < n; i++)
		max = fmax(max, logits[i]);
	for (size_t i = 0; i < n; i++)
		sum += exp(logits[i] - max);
	return logits[index] - max - log(sum);
}
