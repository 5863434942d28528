/* silu_mul, add. */
#include "kernels/numbers.h"
#include "kernels/ref/kernels.h"

void greta_ref_silu_mul(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_silu_mul_args *a = args;
	size_t start = (size_t)block->x * a->cols;
	if (block->x >= greta_step_tokens(a->state, a->chunk))
		return;
	for (size_t i = start; i < start + a->cols; i++)
		a->y[i] = greta_siluf(a->gate[i]) * a->up[i];
}

void greta_ref_add(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_add_args *a = args;
	size_t start = (size_t)block->x * a->cols;
	if (block->x >= greta_step_tokens(a->state, a->chunk))
		return;
	for (size_t i = start; i < start + a->cols; i++)
		a->y[i] = a->a[i] + a->b[i];
}
