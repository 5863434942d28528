#include "planner/graph.h"

#include "runtime/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void greta_graph_finish(struct greta_graph *graph)
{
	free(graph->values);
	free(graph->ops);
	*graph = (struct greta_graph){0};
}

static bool grow(void **array, uint32_t count, uint32_t *room, size_t item)
{
	if (count < *room)
		return true;
	if (*room > UINT32_MAX / 4)
		return false;
	uint32_t wanted = *room ? *room * 2 : 64;
	void *larger = reallocarray(*array, wanted, item);
	if (!larger)
		return false;
	*array = larger;
	*room = wanted;
	return true;
}

struct greta_ref greta_graph_value(struct greta_graph *graph, const char *name, uint32_t layer, uint64_t bytes)
{
	void *values = graph->values;
	if (!grow(&values, graph->value_count, &graph->value_room, sizeof(*graph->values))) {
		graph->failed = true;
		return (struct greta_ref){GRETA_REF_NULL, 0};
	}
	graph->values = values;
	struct greta_value *value = &graph->values[graph->value_count];
	value->bytes = bytes;
	if (layer == GRETA_PLAN_NONE)
		snprintf(value->name, sizeof(value->name), "%s", name);
	else
		snprintf(value->name, sizeof(value->name), "%s.%u", name, layer);
	return (struct greta_ref){GRETA_REF_VALUE, graph->value_count++};
}

void greta_graph_insert(struct greta_graph *graph, uint32_t at, const struct greta_op *op)
{
	void *ops = graph->ops;
	if (!grow(&ops, graph->op_count, &graph->op_room, sizeof(*graph->ops))) {
		graph->failed = true;
		return;
	}
	graph->ops = ops;
	memmove(&graph->ops[at + 1], &graph->ops[at], (graph->op_count - at) * sizeof(*op));
	graph->ops[at] = *op;
	graph->op_count++;
}

void greta_graph_append(struct greta_graph *graph, const struct greta_op *op)
{
	greta_graph_insert(graph, graph->op_count, op);
}

void greta_graph_remove(struct greta_graph *graph, uint32_t at)
{
	graph->op_count--;
	memmove(&graph->ops[at], &graph->ops[at + 1], (graph->op_count - at) * sizeof(*graph->ops));
}

static bool touches(const struct greta_op *op, struct greta_ref ref, enum greta_field_kind kind)
{
	const struct greta_kernel_info *info = greta_kernel_info(op->kernel);
	for (uint32_t f = 0; f < info->field_count; f++)
		if ((info->fields[f].kind == kind || info->fields[f].kind == GRETA_IO) &&
		    greta_ref_equal(op->refs[info->fields[f].offset / 8], ref))
			return true;
	return false;
}

bool greta_op_reads(const struct greta_op *op, struct greta_ref ref) { return touches(op, ref, GRETA_IN); }

bool greta_op_writes(const struct greta_op *op, struct greta_ref ref) { return touches(op, ref, GRETA_OUT); }
