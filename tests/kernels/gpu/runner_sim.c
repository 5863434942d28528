/* Machine code of AMD's processors in the simulator: the build's own code object, exact bounds around every buffer,
 * registers and shared memory that start as NaNs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/gpu/image.h"
#include "sim942.h"
#include "tests/kernels/gpu/runner.h"

struct sim_runner {
	struct gpu_runner base;
	struct sim942_code *code;
	struct sim942_stats last;
};

static struct sim_runner *sim_of(struct gpu_runner *runner) { return (struct sim_runner *)runner; }

static void *allocate(struct gpu_runner *runner, size_t band, size_t bytes)
{
	uint8_t *start = aligned_alloc(256, (band + bytes + band + 255) / 256 * 256);
	if (!start) {
		snprintf(runner->error, sizeof(runner->error), "out of memory");
		return NULL;
	}
	sim942_track(start + band, bytes);
	return start + band;
}

static void release(struct gpu_runner *runner, size_t band, void *data)
{
	(void)runner;
	sim942_untrack(data);
	free((uint8_t *)data - band);
}

static int copy(struct gpu_runner *runner, void *to, const void *from, size_t bytes)
{
	(void)runner;
	memcpy(to, from, bytes);
	return 0;
}

static int launch(struct gpu_runner *runner, const struct gpu_launch *l)
{
	struct sim_runner *sim = sim_of(runner);
	const struct gpu_grid *grid = &l->grid;
	const struct sim942_kernel *kernel = sim942_kernel_by_name(sim->code, l->function);
	const struct sim942_arg *places;
	if (!kernel || !sim942_kernel_args(kernel, &places) || places[0].size != l->args_bytes) {
		snprintf(runner->error, sizeof(runner->error), "the code object has no %s of %zu bytes of arguments",
		         l->function, l->args_bytes);
		return -1;
	}
	uint8_t *kernarg = calloc(1, kernel->kernarg_bytes);
	if (!kernarg) {
		snprintf(runner->error, sizeof(runner->error), "out of memory");
		return -1;
	}
	memcpy(kernarg + places[0].offset, l->args, l->args_bytes);
	struct sim942_dispatch dispatch = {
	    .descriptor = kernel->descriptor, .grid = {grid->x * grid->threads, grid->y, 1},
	    .workgroup = {grid->threads, 1, 1}, .kernarg = kernarg, .lds_bytes = kernel->lds_bytes + grid->shared_bytes,
	};
	sim942_fill_hidden(kernel, kernarg, dispatch.grid, dispatch.workgroup, grid->shared_bytes);
	memset(&sim->last, 0, sizeof(sim->last));
	int status = sim942_run(&dispatch, &sim->last, runner->error, sizeof(runner->error));
	free(kernarg);
	return status;
}

static void finish(struct gpu_runner *runner)
{
	sim942_unload(sim_of(runner)->code);
	free(sim_of(runner));
}

static const struct gpu_backend BACKEND = {
    .allocate = allocate, .release = release, .write = copy, .read = copy, .launch = launch,
    .close = finish};

struct gpu_runner *gpu_runner_open_sim(const char *target, char *why, size_t why_bytes)
{
	target = target ? target : "gfx942";
	if (strncmp(target, "gfx", 3) != 0) {
		snprintf(why, why_bytes, "the simulator does not run %s", target);
		return NULL;
	}
	const struct greta_gpu_image *image = greta_gpu_image(target);
	if (!image) {
		snprintf(why, why_bytes,
		         "this build has no kernels for %s (option gpu_targets; no compiler was found?)", target);
		return NULL;
	}
	struct sim_runner *sim = calloc(1, sizeof(*sim));
	if (!sim) {
		snprintf(why, why_bytes, "out of memory");
		return NULL;
	}
	if (sim942_load(image->data, image->size, &sim->code, why, why_bytes)) {
		free(sim);
		return NULL;
	}
	sim->base.backend = &BACKEND;
	sim->base.stats = &sim->last;
	snprintf(sim->base.name, sizeof(sim->base.name), "%.15s in the simulator", target);
	snprintf(sim->base.target, sizeof(sim->base.target), "%s", target);
	return &sim->base;
}
