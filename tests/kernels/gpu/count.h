/* Counts what a launch of one of AMD's code objects executes, in the simulator. Counts follow from shapes, not from
 * values, so that all memory is zero: nothing is packed or filled, and a block of a large matrix is counted in no
 * time. */
#ifndef GRETA_TESTS_GPU_COUNT_H
#define GRETA_TESTS_GPU_COUNT_H

#include "kernels/abi.h"
#include "sim942.h"
#include "tests/kernels/gpu/runner.h"

struct gpu_counter {
	struct sim942_code *code;
	char error[1024];
};

/* 0, or -1 with the reason in `error`: this build has no code for the target, or nothing here disassembles it. */
int gpu_counter_init(struct gpu_counter *counter, const char *target);
void gpu_counter_finish(struct gpu_counter *counter);

/* Runs `function`, a form of `kernel`. The pointers in `args` are NULL or not, and point at nothing, but for the state,
 * which is `state`. 0, or -1 with the reason in counter->error. */
int gpu_count(struct gpu_counter *counter, enum greta_kernel kernel, const char *function, const struct gpu_grid *grid,
              const void *args, const struct greta_state *state, struct sim942_stats *out_stats);

#endif
