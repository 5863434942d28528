/* What turns tokens and activations into the input of a product: embed, rope_angles, rmsnorm, digits. */
#include "kernels/numbers.h"
#include "kernels/ref/dequant.h"
#include "kernels/ref/kernels.h"
#include "kernels/ref/vector.h"

static void angles(const double *frequencies, uint32_t pairs, uint32_t position, float *rope)
{
	for (uint32_t i = 0; i < pairs; i++) {
		float s, c;
		greta_sincos((double)position * frequencies[i], &s, &c);
		rope[2 * i] = c;
		rope[2 * i + 1] = s;
	}
}

void greta_ref_embed(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_embed_args *a = args;
	uint32_t t = block->x, position = a->state->position + t;
	if (t >= greta_step_tokens(a->state, a->chunk))
		return;
	uint32_t token = a->tokens[position];
	float *x = a->x + (size_t)t * a->cols;
	if (token < a->vocab)
		greta_ref_dequantise(a->type, (const uint8_t *)a->table + (size_t)token * a->row_bytes, a->cols, x);
	else
		memset(x, 0, a->cols * sizeof(float));
	if (a->rope)
		angles(a->frequencies, a->pairs, position, a->rope + (size_t)t * a->pairs * 2);
}

void greta_ref_rope_angles(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_rope_angles_args *a = args;
	uint32_t t = block->x;
	if (t < greta_step_tokens(a->state, a->chunk))
		angles(a->frequencies, a->pairs, a->state->position + t, a->rope + (size_t)t * a->pairs * 2);
}

void greta_ref_rmsnorm(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_rmsnorm_args *a = args;
	uint32_t t = block->x;
	if (t < greta_step_tokens(a->state, a->chunk))
		greta_ref_rmsnorm_vector(a->x + (size_t)t * a->cols, a->weight, a->cols, a->eps,
					 a->y + (size_t)t * a->cols);
}

void greta_ref_digits(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_digits_args *a = args;
	uint32_t t = block->x, blocks = a->cols / 256;
	if (t >= greta_step_tokens(a->state, a->chunk))
		return;
	const float *x = a->x + (size_t)t * a->cols;
	if (a->norm) {
		float *row = block->shared;
		greta_ref_rmsnorm_vector(x, a->norm, a->cols, a->eps, row);
		x = row;
	}
	struct greta_ref_digits_block *out = (struct greta_ref_digits_block *)a->digits + (size_t)t * blocks;
	for (uint32_t b = 0; b < blocks; b++)
		greta_ref_digits_of(x + (size_t)b * 256, (int)a->activations, &out[b]);
}
