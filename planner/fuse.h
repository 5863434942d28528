/* Makes an operation chain shorter: the fused forms that the target has, and who makes the digits. */
#ifndef GRETA_PLANNER_FUSE_H
#define GRETA_PLANNER_FUSE_H

#include "models/error.h"
#include "planner/graph.h"
#include "planner/target.h"

/* Merges operations into the target's larger kernels wherever nobody else needs what lies between them: every merge
 * saves a node and a round trip of activations. */
void greta_fuse(struct greta_graph *graph, const struct greta_target *target);

/* Puts a node that makes digits before the products for which the target wants one; products that share their input
 * share it. The norm of such a product is done by that node. Not for lm_head, which takes one vector. MEMORY. */
enum greta_status greta_fuse_digits(struct greta_graph *graph, const struct greta_target *target,
				    struct greta_error *error);

/* Gives attention that the target splits over the context its counters (the fixed buffer of that index) and a place for
 * the parts. MEMORY. */
enum greta_status greta_fuse_splits(struct greta_graph *graph, const struct greta_target *target, uint32_t counters,
				    struct greta_error *error);

#endif
