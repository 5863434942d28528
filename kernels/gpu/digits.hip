/* digits: a block is a token; 32 lanes write a block of 256 values. Reads 4 bytes a value and writes 4.3. */
#include "kernels/gpu/target.h"

#include "kernels/abi.h"
#include "kernels/numbers.h"
#include "kernels/gpu/digits.h"

GRETA_GPU_KERNEL(digits, 1024)
{
	GRETA_SHARED double sums[GRETA_GPU_NORM_BLOCKS];
	GRETA_SHARED float scratch[32][256];
	uint32_t t = greta_block_x(), blocks = a.cols / 256;
	greta_next_may_start();
	greta_wait_for_previous();
	if (t >= greta_step_tokens(a.state, a.chunk))
		return;
	struct greta_gpu_digits *out = (struct greta_gpu_digits *)a.digits + (size_t)t * blocks;
	struct greta_digits_maker<3> maker;
	maker.prepare(a.x + (size_t)t * a.cols, a.norm, a.cols);
	maker.begin(0);
	int32_t largest = maker.make(a.eps, a.activations, sums, scratch, sizeof(scratch[0]), out);
	for (uint32_t b = greta_thread(); b < blocks; b += greta_threads())
		out[b].plane[0].largest = largest;
}
