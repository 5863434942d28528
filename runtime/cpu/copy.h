/* Copies and fills as kernels, so that the pool shares them out, streams order them and graphs hold them like any
 * launch. */
#ifndef GRETA_CPU_COPY_H
#define GRETA_CPU_COPY_H

#include "runtime/cpu/pool.h"

/* One block moves this many bytes. */
#define GRETA_CPU_COPY_BLOCK ((size_t)256 << 10)

struct greta_cpu_copy {
	unsigned char *to;
	const unsigned char *from; /* NULL: fill with `value` */
	size_t size;
	unsigned char value;
};

/* The launch that does it, pointing at `copy`, whose size is 1 to 2^31 - 1 blocks. */
struct greta_cpu_node greta_cpu_copy_node(const struct greta_cpu_copy *copy);

#endif
