#include "planner/stamp.h"

#include <stdlib.h>

#define STAMP_ROWS 256 /* steps that are kept: more than are ever enqueued, enough for a picture of a run */

/* Does a stamp come after operation `at`? */
static bool stamped(const struct greta_graph *graph, enum greta_plan_stamps where, uint32_t at)
{
	const struct greta_op *op = &graph->ops[at];
	return where == GRETA_PLAN_STAMPS_LAUNCHES || at + 1 == graph->op_count || op[1].layer != op->layer ||
	       op[1].logic_block != op->logic_block;
}

uint32_t greta_graph_stamps(const struct greta_graph *graph, enum greta_plan_stamps where)
{
	uint32_t slots = 2;
	for (uint32_t at = 0; at < graph->op_count; at++)
		slots += stamped(graph, where, at);
	return slots;
}

uint64_t greta_graph_stamps_bytes(uint32_t slots)
{
	return greta_stamp_row(1 + STAMP_ROWS, slots) * sizeof(uint64_t);
}

enum greta_status greta_graph_stamp(struct greta_graph *graph, enum greta_plan_stamps where, uint32_t buffer,
				    struct greta_error *error)
{
	struct greta_graph stamped_graph = {.chunk = graph->chunk};
	struct greta_op op = {
	    .kernel = GRETA_KERNEL_stamp,
	    .layer = graph->ops[0].layer,
	    .logic_block = graph->ops[0].logic_block,
	    .args.stamp = {.slots = greta_graph_stamps(graph, where), .rows = STAMP_ROWS, .chunk = graph->chunk},
	};
	op.refs[GRETA_REF(stamp, state)] = (struct greta_ref){GRETA_REF_FIXED, GRETA_FIXED_STATE};
	op.refs[GRETA_REF(stamp, stamps)] = (struct greta_ref){GRETA_REF_FIXED, buffer};
	for (; op.args.stamp.slot < 2; op.args.stamp.slot++)
		greta_graph_append(&stamped_graph, &op);
	for (uint32_t at = 0; at < graph->op_count; at++) {
		greta_graph_append(&stamped_graph, &graph->ops[at]);
		if (!stamped(graph, where, at))
			continue;
		op.layer = graph->ops[at].layer;
		op.logic_block = graph->ops[at].logic_block;
		greta_graph_append(&stamped_graph, &op);
		op.args.stamp.slot++;
	}
	if (stamped_graph.failed) {
		greta_graph_finish(&stamped_graph);
		return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory for %u stamps", op.args.stamp.slots);
	}
	free(graph->ops);
	graph->ops = stamped_graph.ops;
	graph->op_count = stamped_graph.op_count;
	graph->op_room = stamped_graph.op_room;
	return GRETA_OK;
}
