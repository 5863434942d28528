#include "kernels/ref/kernels.h"

#include <string.h>
#include <time.h>

/* The one result that differs from run to run: the host's steady clock in nanoseconds. */
void greta_ref_stamp(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_stamp_args *a = args;
	uint64_t *row = a->stamps + greta_stamp_row(0, a->slots);
	struct timespec now;
	(void)block;
	clock_gettime(CLOCK_MONOTONIC, &now);
	row[1 + a->slot] = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	if (a->slot == 0)
		row[0] = (uint64_t)greta_step_tokens(a->state, a->chunk) << 32 | a->state->position;
	if (a->slot + 1 == a->slots) {
		uint32_t target = greta_stamp_target(a->stamps[0], a->rows);
		memcpy(a->stamps + greta_stamp_row(target, a->slots), row, ((size_t)a->slots + 1) * sizeof(*row));
		a->stamps[0]++;
	}
}
