/* The layer schedule of a Llama model as a textbook chain: one operation per line of the definition. */
#ifndef GRETA_PLANNER_SCHEDULE_H
#define GRETA_PLANNER_SCHEDULE_H

#include "planner/graph.h"
#include "planner/weights.h"

struct greta_schedule_options {
	uint32_t chunk;       /* tokens */
	uint32_t context;     /* positions */
	uint32_t kv_type;     /* enum greta_kv_type */
	uint32_t activations; /* digits per value */
	bool keep_all;        /* the residual stream is a new value after each block ("x", "x_output.0", "x_ffn.0", ...)
			       * instead of one that is added to */
};

/* Fills *out_graph, which greta_graph_finish releases.
 * What depends on the target (rows, heads and tokens a block) is left 0. MEMORY. */
enum greta_status greta_schedule(const struct greta_llama *model, const struct greta_weights *weights,
				 const struct greta_schedule_options *options, struct greta_graph *out_graph,
				 struct greta_error *error);

#endif
