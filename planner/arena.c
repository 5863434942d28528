#include "planner/arena.h"

#include <stdlib.h>

/* Packs, as if every value lived to the end, and says the lifetimes as they are. */
static enum greta_status pack_apart(struct greta_pack_buffer *buffers, const struct greta_graph *graph,
				    struct greta_pack_result *out_result, struct greta_error *error)
{
	uint32_t *last = calloc(graph->value_count ? graph->value_count : 1, sizeof(*last));
	if (!last)
		return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory for %u buffers", graph->value_count);
	for (uint32_t v = 0; v < graph->value_count; v++) {
		last[v] = buffers[v].upper;
		if (buffers[v].size)
			buffers[v].upper = graph->op_count;
	}
	enum greta_status status = greta_pack(buffers, graph->value_count, NULL, out_result, error);
	for (uint32_t v = 0; v < graph->value_count; v++)
		buffers[v].upper = last[v];
	free(last);
	return status;
}

enum greta_status greta_arena_init(struct greta_arena *arena, const struct greta_graph *graph, bool keep_all,
				   struct greta_error *error)
{
	struct greta_pack_buffer *buffers = calloc(graph->value_count ? graph->value_count : 1, sizeof(*buffers));
	if (!buffers)
		return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory for %u buffers", graph->value_count);
	for (uint32_t o = 0; o < graph->op_count; o++) {
		for (uint32_t r = 0; r < GRETA_OP_REFS; r++) {
			struct greta_ref ref = graph->ops[o].refs[r];
			if (ref.kind != GRETA_REF_VALUE)
				continue;
			struct greta_pack_buffer *buffer = &buffers[ref.index];
			if (buffer->upper == 0)
				*buffer = (struct greta_pack_buffer){
				    .size = graph->values[ref.index].bytes,
				    .lower = o,
				    .alignment = GRETA_ARENA_ALIGNMENT,
				};
			buffer->upper = o + 1;
		}
	}
	struct greta_pack_result result;
	enum greta_status status = keep_all ? pack_apart(buffers, graph, &result, error)
					    : greta_pack(buffers, graph->value_count, NULL, &result, error);
	if (status != GRETA_OK) {
		free(buffers);
		return status;
	}
	*arena = (struct greta_arena){buffers, result};
	return GRETA_OK;
}

void greta_arena_finish(struct greta_arena *arena)
{
	free(arena->buffers);
	*arena = (struct greta_arena){0};
}
