/* read_rate and empty, which greta-bench launches.
 *
 * read_rate: a block takes tiles of 8 vectors a thread, neighbours in memory to neighbours in the block, tiles a
 * grid apart. 16 bytes a load, 8 loads in flight a thread, nothing else but four additions a load. At the end a wave
 * adds its sum to the block's: adding every thread's to one place takes so long that an H200 seems to read 3.07 TB/s
 * where it reads 4.58. */
#include "kernels/gpu/target.h"

#include "kernels/gpu/bench.h"

GRETA_GPU_KERNEL(read_rate, 1024)
{
	GRETA_SHARED uint64_t total;
	uint64_t tile = (uint64_t)GRETA_BENCH_READ_TILE * greta_threads();
	uint32_t sum = 0;
	greta_wait_for_previous();
	if (greta_thread() == 0)
		total = 0;
	greta_barrier();
	for (uint64_t at = greta_block_x() * tile; at < a.vectors; at += greta_blocks_x() * tile) {
		const char *p = (const char *)a.data + (at + greta_thread()) * 16;
		struct greta_vector4 v[GRETA_BENCH_READ_TILE];
#pragma unroll
		for (uint32_t i = 0; i < GRETA_BENCH_READ_TILE; i++)
			v[i] = greta_stream4(p + (uint64_t)i * greta_threads() * 16);
#pragma unroll
		for (uint32_t i = 0; i < GRETA_BENCH_READ_TILE; i++)
			sum += v[i].w[0] + v[i].w[1] + v[i].w[2] + v[i].w[3];
	}
	for (uint32_t mask = GRETA_WAVE / 2; mask >= 1; mask /= 2)
		sum += greta_shuffle_xor(sum, mask);
	if (greta_lane() == 0)
		greta_shared_add(&total, sum);
	greta_barrier();
	if (greta_thread() == 0)
		a.sums[greta_block_x()] = (uint32_t)total;
}

GRETA_GPU_KERNEL(empty, 1024)
{
	(void)a;
	greta_next_may_start();
	greta_wait_for_previous();
}
