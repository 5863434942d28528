/* A fixed pool of workers that walks an array of kernel launches, each launch seeing all that the one before it
 * wrote.
 *
 * Worker 0 is the thread that calls greta_cpu_pool_run; the others belong to the pool. Between two launches no lock
 * is taken and nothing is allocated. A launch's blocks are dealt as one contiguous range per worker, in ascending
 * order, so that streaming reads stay sequential; a worker that has finished its own range takes blocks from the
 * others'. A launch is over when its blocks are, whether or not every worker came: one that the system has put aside
 * holds nobody up unless it is inside a block. Launches of one block are run by whichever worker finished the launch
 * before, without waking any other. */
#ifndef GRETA_CPU_POOL_H
#define GRETA_CPU_POOL_H

#include "kernels/cpu/module.h"
#include "models/error.h"

#include <stddef.h>
#include <stdint.h>

/* One launch, ready to run. */
struct greta_cpu_node {
	greta_cpu_kernel *kernel;
	const void *args;
	uint32_t grid_x, grid_y, grid_z; /* none is 0 */
	uint32_t blocks;                 /* their product */
};

struct greta_cpu_pool;

#define GRETA_CPU_POOL_WORKERS_MAX 1024u

/* Starts `workers` - 1 threads (1 <= workers <= GRETA_CPU_POOL_WORKERS_MAX); `processors` is how many processors they
 * share with the rest of the process, which decides how long they wait awake. Every worker has `shared_bytes` of
 * shared memory, whose pages come into being when a kernel touches them. Errors: GRETA_ERROR_MEMORY,
 * GRETA_ERROR_DEVICE (no thread). */
enum greta_status greta_cpu_pool_create(unsigned workers, unsigned processors, size_t shared_bytes,
    struct greta_cpu_pool **out_pool, struct greta_error *error);

/* Stops the threads; nothing may be running. NULL is allowed. */
void greta_cpu_pool_destroy(struct greta_cpu_pool *pool);

/* Runs the launches in order and returns when the last has finished. The nodes, and what their `args` point at, must
 * stay as they are until then. One caller at a time. */
void greta_cpu_pool_run(struct greta_cpu_pool *pool, const struct greta_cpu_node *nodes, size_t count);

#endif
