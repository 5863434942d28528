/* rmsnorm, silu_mul, add, rope_angles: a block is a token. */
#include "kernels/cpu/forms.h"
#include "kernels/cpu/norm.h"
#include "kernels/numbers.h"

void GRETA_CPU_NAME(rmsnorm)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_rmsnorm_args *a = args;
	size_t start = (size_t)block->x * a->cols;
	if (block->x < greta_step_tokens(a->state, a->chunk))
		greta_cpu_rmsnorm_vector(a->x + start, a->weight, a->cols, a->eps, a->y + start);
}

void GRETA_CPU_NAME(silu_mul)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_silu_mul_args *a = args;
	size_t start = (size_t)block->x * a->cols;
	if (block->x >= greta_step_tokens(a->state, a->chunk))
		return;
	const float *gate = a->gate + start, *up = a->up + start;
	float *y = a->y + start;
	for (uint32_t i = 0; i < a->cols; i++)
		y[i] = greta_siluf(gate[i]) * up[i];
}

void GRETA_CPU_NAME(add)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_add_args *args_ = args;
	size_t start = (size_t)block->x * args_->cols;
	if (block->x >= greta_step_tokens(args_->state, args_->chunk))
		return;
	const float *a = args_->a + start, *b = args_->b + start;
	float *y = args_->y + start;
	for (uint32_t i = 0; i < args_->cols; i++)
		y[i] = a[i] + b[i];
}

void GRETA_CPU_NAME(rope_angles)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_rope_angles_args *a = args;
	if (block->x >= greta_step_tokens(a->state, a->chunk))
		return;
	double position = a->state->position + block->x;
	float *rope = a->rope + (size_t)block->x * a->pairs * 2;
	for (uint32_t i = 0; i < a->pairs; i++)
		greta_sincos(position * a->frequencies[i], &rope[2 * i + 1], &rope[2 * i]);
}
