#include "tests/kernels/gpu/count.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/gpu/image.h"

#define WRITTEN_MAX 8
#define READ_BYTES ((size_t)1 << 32)    /* for everything that is only read */
#define WRITTEN_BYTES ((size_t)1 << 28) /* for each buffer that is written */

int gpu_counter_init(struct gpu_counter *counter, const char *target)
{
	const struct greta_gpu_image *image = greta_gpu_image(target);
	*counter = (struct gpu_counter){0};
	if (image)
		return sim942_load(image->data, image->size, &counter->code, counter->error, sizeof(counter->error));
	snprintf(counter->error, sizeof(counter->error), "this build has no kernels for %s", target);
	return -1;
}

void gpu_counter_finish(struct gpu_counter *counter)
{
	sim942_unload(counter->code);
	counter->code = NULL;
}

/* Pages of zeros, none of which is there before it is written. */
static uint8_t *zeros(size_t bytes)
{
	void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return mapped == MAP_FAILED ? NULL : mapped;
}

static void point(uint8_t *kernarg, const struct greta_kernel_info *info, uint8_t *read, uint8_t *written,
                  const struct greta_state *state)
{
	uint32_t outputs = 0;
	for (uint32_t f = 0; f < info->field_count && info->fields[f].kind <= GRETA_IO; f++) {
		const struct greta_field *field = &info->fields[f];
		void *pointer;
		memcpy(&pointer, kernarg + field->offset, sizeof(pointer));
		if (!pointer)
			continue;
		pointer = read;
		if (strcmp(field->name, "state") == 0)
			memcpy(written, state, sizeof(*state));
		if (strcmp(field->name, "state") == 0)
			pointer = written;
		else if (field->kind != GRETA_IN)
			pointer = written + ++outputs * WRITTEN_BYTES;
		memcpy(kernarg + field->offset, &pointer, sizeof(pointer));
	}
}

static int run(struct gpu_counter *counter, const struct sim942_kernel *found, const struct gpu_grid *grid,
               uint8_t *kernarg, struct sim942_stats *out_stats)
{
	struct sim942_dispatch dispatch = {
	    .descriptor = found->descriptor, .grid = {grid->x * grid->threads, grid->y, 1},
	    .workgroup = {grid->threads, 1, 1}, .kernarg = kernarg, .lds_bytes = found->lds_bytes + grid->shared_bytes,
	};
	sim942_fill_hidden(found, kernarg, dispatch.grid, dispatch.workgroup, grid->shared_bytes);
	*out_stats = (struct sim942_stats){0};
	return sim942_run(&dispatch, out_stats, counter->error, sizeof(counter->error));
}

int gpu_count(struct gpu_counter *counter, enum greta_kernel kernel, const char *function, const struct gpu_grid *grid,
              const void *args, const struct greta_state *state, struct sim942_stats *out_stats)
{
	const struct greta_kernel_info *info = greta_kernel_info(kernel);
	const struct sim942_kernel *found = sim942_kernel_by_name(counter->code, function);
	const struct sim942_arg *places;
	if (!found || !sim942_kernel_args(found, &places) || places[0].offset || places[0].size != info->args_bytes) {
		snprintf(counter->error, sizeof(counter->error), "the code object has no %s of %u bytes of arguments",
		         function, info->args_bytes);
		return -1;
	}
	uint8_t *kernarg = calloc(1, found->kernarg_bytes), *read = zeros(READ_BYTES);
	uint8_t *written = zeros(WRITTEN_MAX * WRITTEN_BYTES);
	int status = -1;
	snprintf(counter->error, sizeof(counter->error), "out of memory");
	if (kernarg && read && written) {
		memcpy(kernarg, args, info->args_bytes);
		point(kernarg, info, read, written, state);
		status = run(counter, found, grid, kernarg, out_stats);
	}
	if (read)
		munmap(read, READ_BYTES);
	if (written)
		munmap(written, WRITTEN_MAX * WRITTEN_BYTES);
	free(kernarg);
	return status;
}
