/* Puts time stamps between the operations of a chain that is otherwise as it will run. */
#ifndef GRETA_PLANNER_STAMP_H
#define GRETA_PLANNER_STAMP_H

#include "models/error.h"
#include "planner/graph.h"
#include "planner/planner.h"

/* Stamps of a step, and the bytes of the buffer that holds the last steps'. */
uint32_t greta_graph_stamps(const struct greta_graph *graph, enum greta_plan_stamps where);
uint64_t greta_graph_stamps_bytes(uint32_t slots);

/* Adds them; `buffer` is the index of the fixed buffer that they go to.
 * A stamp belongs to the layer and the logic block of what it ends. MEMORY. */
enum greta_status greta_graph_stamp(struct greta_graph *graph, enum greta_plan_stamps where, uint32_t buffer,
				    struct greta_error *error);

#endif
