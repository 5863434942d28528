/* Lifetimes of a program's values, from the chain of operations, and their places in the arena. */
#ifndef GRETA_PLANNER_ARENA_H
#define GRETA_PLANNER_ARENA_H

#include "models/error.h"
#include "planner/graph.h"
#include "planner/pack.h"

#define GRETA_ARENA_ALIGNMENT 64

struct greta_arena {
	struct greta_pack_buffer *buffers; /* one per value of the graph; size 0 for a value that nobody touches */
	struct greta_pack_result result;
};

/* Lifetimes are half-open: [first operation that touches the value, last one + 1). keep_all: no byte has two values,
 * whatever their lifetimes. MEMORY. */
enum greta_status greta_arena_init(struct greta_arena *arena, const struct greta_graph *graph, bool keep_all,
				   struct greta_error *error);

void greta_arena_finish(struct greta_arena *arena);

#endif
