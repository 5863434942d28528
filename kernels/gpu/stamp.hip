/* Time stamps between the launches of an instrumented plan.
 *
 * One block: a thread writes one value, at an address that needs no load; the last stamp of a step copies them all. The
 * next kernel may start at once, up to where it waits for this one, so that weights are loaded ahead as in a plan
 * without stamps; the clock is read when all before has ended. */
#include "kernels/gpu/target.h"

#include "kernels/abi.h"

GRETA_GPU_KERNEL(stamp, 64)
{
	uint64_t *row = a.stamps + greta_stamp_row(0, a.slots);
	greta_next_may_start();
	greta_wait_for_previous();
	if (greta_thread() == 0) {
		row[1 + a.slot] = greta_clock();
		if (a.slot == 0)
			row[0] = (uint64_t)greta_step_tokens(a.state, a.chunk) << 32 | a.state->position;
	}
	if (a.slot + 1 != a.slots)
		return;
	greta_barrier();
	uint64_t steps = a.stamps[0];
	uint64_t *to = a.stamps + greta_stamp_row(greta_stamp_target(steps, a.rows), a.slots);
	for (uint32_t i = greta_thread(); i <= a.slots; i += greta_threads())
		to[i] = row[i];
	greta_barrier();
	if (greta_thread() == 0)
		a.stamps[0] = steps + 1;
}
