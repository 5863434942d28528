/* The kernels that only greta-bench launches; they are no part of a plan's ABI and in a code object of their own, also
 * built of bench.hip for every target of this build. */
#ifndef GRETA_GPU_BENCH_H
#define GRETA_GPU_BENCH_H

#include <stdint.h>

#define GRETA_BENCH_READ_THREADS 1024 /* of a block of read_rate */
#define GRETA_BENCH_READ_TILE    8    /* 16-byte vectors that a thread has in flight */

/* greta_read_rate: reads `vectors` times 16 bytes once, from front to back as the blocks come; a multiple of
 * GRETA_BENCH_READ_TILE times the block's threads. sums[block] gets the sum of the 32-bit words that the block read, so
 * that their sum says whether all was read. */
struct greta_read_rate_args {
	const void *data; /* aligned to 16 */
	uint64_t vectors;
	uint32_t *sums;
};

/* greta_empty: a launch with nothing in it but what every kernel of a plan does to start and to wait its turn. */
struct greta_empty_args {
	uint64_t unused;
};

#endif
