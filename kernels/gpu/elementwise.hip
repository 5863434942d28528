/* rmsnorm, silu_mul, add, rope_angles: a block is a token, its threads share the token's values.
 * All of them move a few kilobytes and last as long as a node does. */
#include "kernels/gpu/target.h"

#include "kernels/abi.h"
#include "kernels/gpu/norm.h"
#include "kernels/numbers.h"

GRETA_GPU_KERNEL(rmsnorm, 1024)
{
	GRETA_SHARED double sums[GRETA_GPU_NORM_BLOCKS];
	size_t start = (size_t)greta_block_x() * a.cols;
	greta_next_may_start();
	greta_wait_for_previous();
	if (greta_block_x() >= greta_step_tokens(a.state, a.chunk))
		return;
	float r = greta_gpu_norm_factor(a.x + start, a.cols, a.eps, sums);
	for (uint32_t i = greta_thread(); i < a.cols; i += greta_threads())
		a.y[start + i] = a.x[start + i] * r * a.weight[i];
}

GRETA_GPU_KERNEL(silu_mul, 1024)
{
	size_t start = (size_t)greta_block_x() * a.cols;
	greta_next_may_start();
	greta_wait_for_previous();
	if (greta_block_x() >= greta_step_tokens(a.state, a.chunk))
		return;
	for (size_t i = start + greta_thread(); i < start + a.cols; i += greta_threads())
		a.y[i] = greta_siluf(a.gate[i]) * a.up[i];
}

GRETA_GPU_KERNEL(add, 1024)
{
	size_t start = (size_t)greta_block_x() * a.cols;
	greta_next_may_start();
	greta_wait_for_previous();
	if (greta_block_x() >= greta_step_tokens(a.state, a.chunk))
		return;
	for (size_t i = start + greta_thread(); i < start + a.cols; i += greta_threads())
		a.y[i] = a.a[i] + a.b[i];
}

GRETA_GPU_KERNEL(rope_angles, 1024)
{
	float *rope = a.rope + (size_t)greta_block_x() * a.pairs * 2;
	greta_next_may_start();
	greta_wait_for_previous();
	double position = a.state->position + greta_block_x();
	if (greta_block_x() >= greta_step_tokens(a.state, a.chunk))
		return;
	for (uint32_t i = greta_thread(); i < a.pairs; i += greta_threads())
		greta_sincos(position * a.frequencies[i], &rope[2 * i + 1], &rope[2 * i]);
}
