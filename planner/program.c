#include "planner/program.h"

#include "planner/arena.h"
#include "planner/lower.h"

#include <stdlib.h>
#include <string.h>

struct emitter {
	struct greta_draft *draft;
	const struct greta_target *target;
	const struct greta_weights *weights;
	const struct greta_graph *graph;
	const struct greta_arena *arena;
	uint32_t *buffer_of; /* value -> index in BUFFERS */
};

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

static void add_buffers(const struct emitter *e, uint32_t program)
{
	for (uint32_t v = 0; v < e->graph->value_count; v++) {
		const struct greta_pack_buffer *place = &e->arena->buffers[v];
		if (place->size == 0)
			continue;
		const char *name = e->graph->values[v].name;
		struct greta_plan_buffer buffer = {
		    .offset = place->offset,
		    .bytes = place->size,
		    .name = greta_draft_string(e->draft, name, strlen(name)),
		    .region = GRETA_REGION_ARENA,
		    .program = program,
		    .first = place->lower,
		    .last = place->upper,
		};
		e->buffer_of[v] = (uint32_t)greta_draft_count(e->draft, GRETA_PLAN_BUFFERS);
		greta_draft_add(e->draft, GRETA_PLAN_BUFFERS, &buffer, sizeof(buffer));
	}
}

/* The relocation of a reference, and the offset that its pointer holds. */
static struct greta_plan_reloc resolve(const struct emitter *e, struct greta_ref ref, uint64_t *out_offset)
{
	if (ref.kind == GRETA_REF_TENSOR) {
		*out_offset = e->weights->items[ref.index].offset;
		return (struct greta_plan_reloc){.region = e->weights->items[ref.index].region, .object = ref.index};
	}
	uint32_t object = ref.kind == GRETA_REF_FIXED ? ref.index : e->buffer_of[ref.index];
	const struct greta_plan_buffer *buffer = greta_draft_at(e->draft, GRETA_PLAN_BUFFERS, object);
	*out_offset = buffer->offset;
	return (struct greta_plan_reloc){.region = buffer->region, .object = object};
}

static enum greta_status add_launch(const struct emitter *e, struct greta_op *op, struct greta_error *error)
{
	struct greta_lowered lowered;
	enum greta_status status = greta_lower(op, e->target, &lowered, error);
	if (status != GRETA_OK)
		return status;
	const struct greta_kernel_info *info = greta_kernel_info(op->kernel);
	struct greta_plan_launch launch = {
	    .args = greta_draft_count(e->draft, GRETA_PLAN_ARGS),
	    .args_bytes = info->args_bytes,
	    .kernel = op->kernel,
	    .symbol = greta_draft_string(e->draft, lowered.symbol, strlen(lowered.symbol)),
	    .grid = {lowered.grid[0], lowered.grid[1], lowered.grid[2]},
	    .block = {lowered.threads, 1, 1},
	    .shared_bytes = lowered.shared_bytes,
	    .first_reloc = (uint32_t)greta_draft_count(e->draft, GRETA_PLAN_RELOCS),
	    .layer = op->layer,
	    .logic_block = op->logic_block,
	};
	uint8_t args[sizeof(union greta_any_args)];
	memcpy(args, &op->args, sizeof(args));
	for (uint32_t f = 0; f < info->field_count; f++) {
		const struct greta_field *field = &info->fields[f];
		if (field->kind > GRETA_IO || op->refs[field->offset / 8].kind == GRETA_REF_NULL)
			continue;
		uint64_t offset;
		struct greta_plan_reloc reloc = resolve(e, op->refs[field->offset / 8], &offset);
		reloc.field = field->offset;
		memcpy(args + field->offset, &offset, sizeof(offset));
		greta_draft_add(e->draft, GRETA_PLAN_RELOCS, &reloc, sizeof(reloc));
		launch.reloc_count++;
	}
	greta_draft_add(e->draft, GRETA_PLAN_ARGS, args, (info->args_bytes + 7) / 8 * 8);
	greta_draft_add(e->draft, GRETA_PLAN_LAUNCHES, &launch, sizeof(launch));
	if (e->draft->failed)
		return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory");
	return GRETA_OK;
}

static enum greta_status emit(const struct emitter *e, struct greta_graph *graph, const char *name,
			      enum greta_program_kind kind, struct greta_error *error)
{
	struct greta_plan_program program = {
	    .name = greta_draft_string(e->draft, name, strlen(name)),
	    .kind = kind,
	    .chunk_tokens = graph->chunk,
	    .first_launch = (uint32_t)greta_draft_count(e->draft, GRETA_PLAN_LAUNCHES),
	    .launch_count = graph->op_count,
	    .arena_bytes = e->arena->result.peak,
	};
	add_buffers(e, (uint32_t)greta_draft_count(e->draft, GRETA_PLAN_PROGRAMS));
	if (e->draft->failed)
		return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory");
	for (uint32_t o = 0; o < graph->op_count; o++) {
		enum greta_status status = add_launch(e, &graph->ops[o], error);
		if (status != GRETA_OK)
			return status;
	}
	greta_draft_add(e->draft, GRETA_PLAN_PROGRAMS, &program, sizeof(program));
	struct greta_plan_header *header = &e->draft->header;
	uint64_t *arena_bytes = &header->region_bytes[GRETA_REGION_ARENA];
	*arena_bytes = larger(*arena_bytes, e->arena->result.peak);
	header->arena_lower_bound = larger(header->arena_lower_bound, e->arena->result.lower_bound);
	header->arena_naive = larger(header->arena_naive, e->arena->result.naive_sum);
	return GRETA_OK;
}

enum greta_status greta_program_add(struct greta_draft *draft, struct greta_graph *graph, const char *name,
				    enum greta_program_kind kind, const struct greta_target *target,
				    const struct greta_weights *weights, bool keep_all, struct greta_error *error)
{
	struct greta_arena arena;
	enum greta_status status = greta_arena_init(&arena, graph, keep_all, error);
	if (status != GRETA_OK)
		return status;
	uint32_t *buffer_of = calloc(graph->value_count ? graph->value_count : 1, sizeof(*buffer_of));
	if (buffer_of) {
		struct emitter e = {draft, target, weights, graph, &arena, buffer_of};
		status = emit(&e, graph, name, kind, error);
	} else {
		status = greta_fail(error, GRETA_ERROR_MEMORY, "out of memory for %u buffers", graph->value_count);
	}
	free(buffer_of);
	greta_arena_finish(&arena);
	return status;
}
