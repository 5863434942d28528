/* From operations to launches: grids, shared memory, and the arguments that say how work is split. */
#ifndef GRETA_PLANNER_LOWER_H
#define GRETA_PLANNER_LOWER_H

#include "models/error.h"
#include "planner/graph.h"
#include "planner/target.h"

struct greta_grid {
	uint32_t x, y, z;
};

/* Fills in the rest of the operation's arguments and says how it is launched. UNSUPPORTED when it needs a kernel or shared
 * memory that the target does not have. */
enum greta_status greta_lower(struct greta_op *op, const struct greta_target *target, struct greta_grid *out_grid,
			      uint32_t *out_shared_bytes, struct greta_error *error);

#endif
