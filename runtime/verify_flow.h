/* The arena of one program, byte by byte: who wrote what was written last. */
#ifndef GRETA_VERIFY_FLOW_H
#define GRETA_VERIFY_FLOW_H

#include "runtime/verify_launch.h"

/* A range and the buffer that was written there last. */
struct greta_flow_range {
	uint64_t begin, end;
	uint32_t buffer;
};

struct greta_flow {
	const struct greta_plan *plan;
	struct greta_flow_range *ranges; /* ascending, apart from each other */
	size_t count, room;
	uint32_t *first, *last;          /* per buffer of the plan: launches of its
					  * program that touch it, [first, last) */
};

/* One flow serves all programs, one after the other. MEMORY. */
enum greta_status greta_flow_init(struct greta_flow *flow, const struct greta_plan *plan, struct greta_error *error);
void greta_flow_finish(struct greta_flow *flow);

/* Forgets what the last program wrote. */
void greta_flow_start(struct greta_flow *flow);

/* Runs launch `index` (its `step`-th of program `program`): what it reads must have been written, and what it writes
 * must not be what it reads, but where that is the kernel's way. FORMAT, MEMORY. */
enum greta_status greta_flow_launch(struct greta_flow *flow, uint32_t program, size_t index, uint32_t step,
				    const struct greta_launch_use *use, struct greta_error *error);

/* At the end: every buffer's lifetime is the one that was seen. FORMAT. */
enum greta_status greta_flow_lifetimes(const struct greta_flow *flow, struct greta_error *error);

#endif
