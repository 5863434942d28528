/* Something that runs a target's machine code for the kernel checks: the simulator (gfx942 without an AMD GPU), or a
 * device behind a HIP provider. Memory has guard bands; what a kernel does to them, or an access that the simulator
 * sees outside a buffer, fails the test. */
#ifndef GRETA_TESTS_GPU_RUNNER_H
#define GRETA_TESTS_GPU_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/abi.h"

struct gpu_runner;

struct gpu_grid {
	uint32_t x, y;         /* blocks */
	uint32_t threads;      /* of a block */
	uint32_t shared_bytes; /* dynamic shared memory of a block */
};

struct gpu_launch {
	const char *function;
	struct gpu_grid grid;
	const void *args; /* with pointers into the runner's memory */
	size_t args_bytes;
};

/* What a back end gives. A status is 0, or -1 with the reason in `error`. */
struct gpu_backend {
	/* `bytes` of memory that begin `band` bytes behind a start aligned to 256;
	 * only these may be touched by kernels. */
	void *(*allocate)(struct gpu_runner *runner, size_t band, size_t bytes);
	void (*release)(struct gpu_runner *runner, size_t band, void *data);
	int (*write)(struct gpu_runner *runner, void *to, const void *from, size_t bytes);
	int (*read)(struct gpu_runner *runner, void *to, const void *from, size_t bytes);
	/* Returns when the kernel has ended. */
	int (*launch)(struct gpu_runner *runner, const struct gpu_launch *launch);
	/* Seconds that the launches take as one graph, the fastest of several replays. NULL: there is no clock. */
	int (*time)(struct gpu_runner *runner, const struct gpu_launch *launches, size_t count, double *out_seconds);
	/* Bytes per second at which the device reads memory that no cache holds, as plainly as it can be read.
	 * NULL likewise. */
	int (*read_rate)(struct gpu_runner *runner, double *out_rate);
	void (*close)(struct gpu_runner *runner);
};

struct gpu_runner {
	const struct gpu_backend *backend;
	char name[96];                    /* for messages: "gfx942 in the simulator" */
	char target[16];                  /* of the code object: "gfx942" */
	const struct sim942_stats *stats; /* of the last launch; NULL on a device, which does not count */
	char error[1024];
};

/* Opens "sim" (the simulator, with gfx942's kernels) or a provider ("nvidia", "amd"; "cpu" runs the cpu's own kernels
 * the way a device's are run), with the kernels of another target that the device takes if one is named behind it
 * ("sim:gfx90a", "nvidia:compute_80"). NULL with the reason in `why` where this build or machine cannot. */
struct gpu_runner *gpu_runner_open(const char *name, char *why, size_t why_bytes);

void gpu_runner_close(struct gpu_runner *runner); /* NULL is allowed */

/* Runs a launch of `function`, a form of `kernel`, whose argument struct points at memory of check_alloc
 * (tests/kernels/harness.h), anywhere inside it, or is NULL; `state` may be anywhere. The runner works on copies at
 * random multiples of 64; afterwards the memory that the kernel writes (OUT and IO fields) has what the copies have.
 * Fails the test on any error, on a damaged guard band and on a change to what is only read. */
void gpu_runner_launch(struct gpu_runner *runner, enum greta_kernel kernel, const char *function,
                       const struct gpu_grid *grid, const void *args);

/* Seconds of such a launch among many alike, each over memory of its own, `cold_bytes` of it in all (more than caches
 * hold; at most 256 times the launch's). Fails the test on any error, and without a clock. */
double gpu_runner_time(struct gpu_runner *runner, enum greta_kernel kernel, const char *function,
                       const struct gpu_grid *grid, const void *args, size_t cold_bytes);

/* The back ends' doors, for gpu_runner_open. */
struct gpu_runner *gpu_runner_open_sim(const char *target, char *why, size_t why_bytes);
struct gpu_runner *gpu_runner_open_device(const char *provider, const char *target, char *why, size_t why_bytes);

#endif
