/* From operations to launches: functions, grids, shared memory, and the arguments that say how work is split. */
#ifndef GRETA_PLANNER_LOWER_H
#define GRETA_PLANNER_LOWER_H

#include "models/error.h"
#include "planner/graph.h"
#include "planner/target.h"

struct greta_lowered {
	const char *symbol; /* static */
	uint32_t grid[3], threads;
	uint32_t shared_bytes;
};

/* Fills in the rest of the operation's arguments and says how it is launched. UNSUPPORTED when it needs a kernel or
 * shared memory that the target does not have. */
enum greta_status greta_lower(struct greta_op *op, const struct greta_target *target, struct greta_lowered *out_lowered,
			      struct greta_error *error);

/* The form that the operation is launched in; NULL when the target has none for it. */
const struct greta_form *greta_op_form(const struct greta_op *op, const struct greta_target *target);

/* Rows that a block of the operation takes; 0 where blocks are not of rows, or the target has no form for it. */
uint32_t greta_op_rows(const struct greta_op *op, const struct greta_target *target);

/* Shared memory that is left in the operation's blocks for digits. */
uint64_t greta_op_digits_room(const struct greta_op *op, const struct greta_target *target);

#endif
