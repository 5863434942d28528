#include "runtime/plan_tables.h"

#include "kernels/abi.h"

#include <stdbool.h>
#include <string.h>

#define DAMAGED(...) greta_fail(error, GRETA_ERROR_FORMAT, "damaged plan: " __VA_ARGS__)

static bool within(uint64_t offset, uint64_t bytes, uint64_t room) { return bytes <= room && offset <= room - bytes; }

static bool is_string(const struct greta_plan *plan, uint32_t offset)
{
	return offset < plan->header->sections[GRETA_PLAN_STRINGS].count;
}

/* Names are shown on terminals. */
static bool is_control(char c) { return (unsigned char)c < 32 || c == 127; }

static enum greta_status check_strings(const struct greta_plan *plan, struct greta_error *error)
{
	uint64_t bytes = plan->header->sections[GRETA_PLAN_STRINGS].count;
	if (bytes == 0 || plan->strings[0] || plan->strings[bytes - 1])
		return DAMAGED("its strings are not terminated");
	for (uint64_t i = 0; i < bytes; i++)
		if (plan->strings[i] && is_control(plan->strings[i]))
			return DAMAGED("a string holds control characters");
	return GRETA_OK;
}

static enum greta_status check_header(const struct greta_plan *plan, struct greta_error *error)
{
	const struct greta_plan_header *h = plan->header;
	if (memchr(h->target, 0, sizeof(h->target)) == NULL || !is_string(plan, h->model_path) ||
	    !is_string(plan, h->model_name))
		return DAMAGED("a name in its header");
	for (const char *c = h->target; *c; c++)
		if (is_control(*c))
			return DAMAGED("its target's name holds control characters");
	const uint32_t sizes[] = {h->n_layer, h->n_embd, h->n_head, h->n_head_kv, h->head_dim,
	                          h->n_ff, h->n_vocab, h->context};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i] == 0 || sizes[i] > 1u << 30)
			return DAMAGED("a size of the model is %u", sizes[i]);
	if (h->context > h->context_train || h->activations < 1 || h->activations > 4 || h->kv_type > GRETA_KV_F32 ||
	    h->fuse > GRETA_FUSE_FULL)
		return DAMAGED("an option in its header");
	for (int r = 0; r < GRETA_REGION_COUNT; r++)
		if (h->region_bytes[r] > INT64_MAX)
			return DAMAGED("region %d is too large", r);
	if (h->region_bytes[GRETA_REGION_MODEL] != 0 && h->region_bytes[GRETA_REGION_MODEL] != h->model_bytes)
		return DAMAGED("its model region is not the model");
	uint64_t tokens = ((uint64_t)h->context + 1) * sizeof(uint32_t);
	const uint64_t *regions = h->region_bytes;
	if (h->state_offset % 8 || h->tokens_offset % 4 || h->ring_offset % 4 || h->logits_offset % 16 ||
	    !within(h->state_offset, sizeof(struct greta_state), regions[GRETA_REGION_STATE]) ||
	    !within(h->tokens_offset, tokens, regions[GRETA_REGION_STATE]) ||
	    !within(h->ring_offset, tokens, regions[GRETA_REGION_IO]) ||
	    !within(h->logits_offset, (uint64_t)h->n_vocab * sizeof(float), regions[GRETA_REGION_IO]))
		return DAMAGED("the state, the tokens, the ring or the logits lie outside their region");
	return GRETA_OK;
}

static enum greta_status check_tensor(const struct greta_plan *plan, size_t i, struct greta_error *error)
{
	const struct greta_plan_tensor *t = &plan->tensors[i];
	const struct greta_plan_header *h = plan->header;
	uint64_t source_room = t->constant ? h->sections[GRETA_PLAN_CONSTANTS].count : h->model_bytes;
	if (!is_string(plan, t->name) || t->region > GRETA_REGION_MODEL || !greta_type_info(t->type) ||
	    t->layout > GRETA_LAYOUT_TILE16 || t->constant > 1 || t->rows == 0 || t->cols == 0)
		return DAMAGED("tensor %zu", i);
	if (t->bytes == 0 || !within(t->offset, t->bytes, h->region_bytes[t->region]) ||
	    !within(t->source, t->source_bytes, source_room))
		return DAMAGED("tensor %zu (%s) lies outside its region", i, greta_plan_string(plan, t->name));
	if (t->region == GRETA_REGION_MODEL && (t->constant || t->offset != t->source || t->bytes != t->source_bytes ||
						t->layout != GRETA_LAYOUT_RAW))
		return DAMAGED("tensor %zu (%s) is not as it is in the model", i, greta_plan_string(plan, t->name));
	return GRETA_OK;
}

static enum greta_status check_buffer(const struct greta_plan *plan, size_t i, struct greta_error *error)
{
	const struct greta_plan_buffer *b = &plan->buffers[i];
	if (!is_string(plan, b->name) || b->region <= GRETA_REGION_MODEL || b->region >= GRETA_REGION_COUNT)
		return DAMAGED("buffer %zu", i);
	if (b->bytes == 0 || !within(b->offset, b->bytes, plan->header->region_bytes[b->region]))
		return DAMAGED("buffer %zu (%s) lies outside its region", i, greta_plan_string(plan, b->name));
	bool lives = b->region != GRETA_REGION_ARENA
			 ? b->program == GRETA_PLAN_NONE
			 : b->program < plan->program_count && b->first < b->last &&
			       b->last <= plan->programs[b->program].launch_count;
	if (!lives)
		return DAMAGED("buffer %zu (%s) has no sound lifetime", i, greta_plan_string(plan, b->name));
	return GRETA_OK;
}

/* Programs cut the launches into runs, one after the other, without a rest. */
static enum greta_status check_programs(const struct greta_plan *plan, struct greta_error *error)
{
	uint64_t next = 0;
	for (size_t p = 0; p < plan->program_count; p++) {
		const struct greta_plan_program *program = &plan->programs[p];
		if (!is_string(plan, program->name) || program->kind > GRETA_PROGRAM_PREFILL ||
		    program->chunk_tokens == 0 || program->chunk_tokens > plan->header->context ||
		    (program->kind == GRETA_PROGRAM_DECODE && program->chunk_tokens != 1) ||
		    program->arena_bytes > plan->header->region_bytes[GRETA_REGION_ARENA])
			return DAMAGED("program %zu", p);
		if (program->launch_count == 0 || program->first_launch != next)
			return DAMAGED("program %zu does not begin where the last one ends", p);
		next += program->launch_count;
	}
	if (plan->program_count == 0 || next != plan->launch_count)
		return DAMAGED("its programs do not cover its launches");
	return GRETA_OK;
}

/* The object of a relocation: where it begins and how long it is. */
static bool reloc_object(
    const struct greta_plan *plan, const struct greta_plan_reloc *reloc, uint64_t *offset, uint64_t *bytes)
{
	if (reloc->region <= GRETA_REGION_MODEL) {
		if (reloc->object >= plan->tensor_count || plan->tensors[reloc->object].region != reloc->region)
			return false;
		*offset = plan->tensors[reloc->object].offset;
		*bytes = plan->tensors[reloc->object].bytes;
		return true;
	}
	if (reloc->object >= plan->buffer_count || plan->buffers[reloc->object].region != reloc->region)
		return false;
	*offset = plan->buffers[reloc->object].offset;
	*bytes = plan->buffers[reloc->object].bytes;
	return true;
}

/* Walks the kernel's fields and the launch's relocations side by side: both are in the order of the fields. */
static enum greta_status check_relocs(const struct greta_plan *plan, size_t i, struct greta_error *error)
{
	const struct greta_plan_launch *launch = &plan->launches[i];
	const struct greta_kernel_info *info = greta_kernel_info(launch->kernel);
	uint32_t next = 0;
	for (uint32_t f = 0; f < info->field_count; f++) {
		if (info->fields[f].kind > GRETA_IO)
			continue;
		uint64_t value, offset, bytes;
		memcpy(&value, plan->args + launch->args + info->fields[f].offset, sizeof(value));
		const struct greta_plan_reloc *reloc = &plan->relocs[launch->first_reloc + next];
		if (next == launch->reloc_count || reloc->field != info->fields[f].offset) {
			if (value)
				return DAMAGED(
				    "launch %zu (%s): %s points nowhere", i, info->name, info->fields[f].name);
			continue;
		}
		next++;
		if (!reloc_object(plan, reloc, &offset, &bytes) || value < offset || value - offset >= bytes)
			return DAMAGED(
			    "launch %zu (%s): %s points outside its object", i, info->name, info->fields[f].name);
	}
	if (next != launch->reloc_count)
		return DAMAGED("launch %zu (%s) relocates what is no pointer", i, info->name);
	return GRETA_OK;
}

/* `args_end` is where the arguments of the launch before it end, and becomes where its own do: relocating those of one
 * launch must not touch another's. */
static enum greta_status check_launch(const struct greta_plan *plan, size_t i, uint64_t *args_end,
				      struct greta_error *error)
{
	const struct greta_plan_launch *launch = &plan->launches[i];
	const struct greta_kernel_info *info = greta_kernel_info(launch->kernel);
	if (!info || launch->args_bytes != info->args_bytes || launch->args % 8 ||
	    !within(launch->args, launch->args_bytes, plan->header->sections[GRETA_PLAN_ARGS].count))
		return DAMAGED("the arguments of launch %zu", i);
	if (launch->args < *args_end)
		return DAMAGED("the arguments of launch %zu (%s) begin before those of the launch before it end", i,
			       info->name);
	*args_end = launch->args + launch->args_bytes;
	if (!is_string(plan, launch->symbol) || launch->logic_block >= GRETA_BLOCK_COUNT ||
	    (launch->layer != GRETA_PLAN_NONE && launch->layer >= plan->header->n_layer))
		return DAMAGED("launch %zu (%s)", i, info->name);
	for (int d = 0; d < 3; d++)
		if (launch->grid[d] == 0 || launch->block[d] == 0)
			return DAMAGED("launch %zu (%s) has an empty grid", i, info->name);
	if (!within(launch->first_reloc, launch->reloc_count, plan->reloc_count))
		return DAMAGED("the relocations of launch %zu (%s)", i, info->name);
	return check_relocs(plan, i, error);
}

enum greta_status greta_plan_check_tables(const struct greta_plan *plan, struct greta_error *error)
{
	uint64_t args_end = 0;
	enum greta_status status = check_strings(plan, error);
	if (status == GRETA_OK)
		status = check_header(plan, error);
	if (status == GRETA_OK)
		status = check_programs(plan, error);
	for (size_t i = 0; status == GRETA_OK && i < plan->tensor_count; i++)
		status = check_tensor(plan, i, error);
	for (size_t i = 0; status == GRETA_OK && i < plan->buffer_count; i++)
		status = check_buffer(plan, i, error);
	for (size_t i = 0; status == GRETA_OK && i < plan->launch_count; i++)
		status = check_launch(plan, i, &args_end, error);
	return status;
}
