/* One program into the plan: its buffers, launches, arguments and relocations. */
#ifndef GRETA_PLANNER_PROGRAM_H
#define GRETA_PLANNER_PROGRAM_H

#include "planner/draft.h"
#include "planner/graph.h"
#include "planner/target.h"
#include "planner/weights.h"

/* Appends `graph` to the draft as program `name`, and raises the header's arena figures to what it needs. The draft
 * already holds the tensors of `weights` and the fixed buffers, both in their order. keep_all as in struct
 * greta_plan_options. Errors of greta_lower and greta_arena_init. */
enum greta_status greta_program_add(struct greta_draft *draft, struct greta_graph *graph, const char *name,
				    enum greta_program_kind kind, const struct greta_target *target,
				    const struct greta_weights *weights, bool keep_all, struct greta_error *error);

#endif
