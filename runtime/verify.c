#include "runtime/verify.h"

#include "kernels/abi.h"
#include "kernels/layout.h"
#include "runtime/verify_flow.h"
#include "runtime/verify_launch.h"
#include "runtime/verify_target.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define UNSOUND(...) greta_fail(error, GRETA_ERROR_FORMAT, "unsound plan: " __VA_ARGS__)

/* The bounds within which no product of sizes overflows 64 bits, and what the kernels take for granted. */
static enum greta_status check_model(const struct greta_plan_header *h, const struct greta_target_facts *facts,
				     struct greta_error *error)
{
	if (!facts)
		return greta_fail(error, GRETA_ERROR_UNSUPPORTED,
				  "the plan is for target %s, which this build does not know", h->target);
	if (h->region_bytes[GRETA_REGION_MODEL] && !facts->reads_model)
		return UNSOUND("it uses the mapped model, which target %s cannot read", h->target);
	if (h->head_dim % 32 || h->head_dim > 256 || h->n_head > 65536 || h->n_head % h->n_head_kv)
		return UNSOUND("%u heads of %u values over %u K/V heads", h->n_head, h->head_dim, h->n_head_kv);
	if (h->n_embd % 256 || h->n_ff % 256 || h->n_head * h->head_dim % 256)
		return UNSOUND("rows of %u, %u or %u values are no multiples of 256", h->n_embd, h->n_ff,
			       h->n_head * h->head_dim);
	return GRETA_OK;
}

/* No scale of a tensor of this type can need another exponent. */
static bool exponent_sound(const struct greta_plan_tensor *t)
{
	int largest = t->type == GRETA_TYPE_F32 || t->type == GRETA_TYPE_BF16 ? 128 : 16;
	return t->exponent >= -150 && t->exponent <= largest;
}

static bool constant_sound(const struct greta_plan *plan, const struct greta_plan_tensor *t)
{
	if (t->rows != 1 || t->bytes != (uint64_t)t->cols * sizeof(double) || t->source_bytes != t->bytes)
		return false;
	for (uint64_t i = 0; i < t->cols; i++) {
		double x;
		memcpy(&x, plan->constants + t->source + i * sizeof(x), sizeof(x));
		if (!(x > 0 && x * plan->header->context < 1048576.0)) /* what greta_sincos takes */
			return false;
	}
	return true;
}

/* A region ends where its last object does: a wrong size is not memory asked for in vain. */
static bool region_tight(const struct greta_plan *plan, enum greta_region region, uint64_t end)
{
	return plan->header->region_bytes[region] == (end + 63) / 64 * 64;
}

static enum greta_status check_tensors(const struct greta_plan *plan, struct greta_error *error)
{
	uint64_t end = 0;
	for (size_t i = 0; i < plan->tensor_count; i++) {
		const struct greta_plan_tensor *t = &plan->tensors[i];
		const char *name = greta_plan_string(plan, t->name);
		if (t->region == GRETA_REGION_WEIGHTS) {
			if (t->offset % 64 || t->offset < end)
				return UNSOUND("tensor %s overlaps the one before it", name);
			end = t->offset + t->bytes;
		} else if (t->offset % 32) {
			return UNSOUND("tensor %s is not aligned to 32 bytes", name);
		}
		if (t->constant) {
			if (!constant_sound(plan, t))
				return UNSOUND("the constants of %s", name);
			continue;
		}
		const struct greta_type_info *type = greta_type_info(t->type);
		if (t->rows > 1u << 30 || t->cols > 1u << 30 || t->cols % 256 || t->cols % type->block_values)
			return UNSOUND("tensor %s has %u rows of %u", name, t->rows, t->cols);
		uint64_t raw = (uint64_t)t->rows * (t->cols / type->block_values) * type->block_bytes;
		uint64_t bytes = raw;
		if (t->layout != GRETA_LAYOUT_RAW) {
			uint64_t group = greta_layout_group_bytes(t->layout, t->type, t->cols);
			if (!group)
				return UNSOUND("tensor %s has a layout that its type does not have", name);
			bytes = ((uint64_t)t->rows + 15) / 16 * group;
		}
		if (t->source_bytes != raw || t->bytes != bytes || !exponent_sound(t))
			return UNSOUND("tensor %s has another size or exponent than its type and shape say", name);
	}
	if (!region_tight(plan, GRETA_REGION_WEIGHTS, end))
		return UNSOUND("the weights' region is larger than they are");
	return GRETA_OK;
}

/* What lives outside the arena lies apart, in the order of the table. */
static enum greta_status check_fixed(const struct greta_plan *plan, struct greta_error *error)
{
	uint64_t end[GRETA_REGION_COUNT] = {0};
	for (size_t i = 0; i < plan->buffer_count; i++) {
		const struct greta_plan_buffer *b = &plan->buffers[i];
		if (b->region == GRETA_REGION_ARENA)
			continue;
		if (b->offset < end[b->region])
			return UNSOUND("%s overlaps the buffer before it", greta_plan_string(plan, b->name));
		end[b->region] = b->offset + b->bytes;
	}
	static const enum greta_region regions[] = {GRETA_REGION_KV, GRETA_REGION_STATE, GRETA_REGION_IO};
	for (int r = 0; r < 3; r++)
		if (!region_tight(plan, regions[r], end[regions[r]]))
			return UNSOUND("region %d is larger than its buffers", regions[r]);
	return GRETA_OK;
}

/* What must happen in a program, in order. */
struct progress {
	uint32_t k_cache, v_cache; /* written last */
	uint32_t best;             /* entries written last */
	bool logits;
	uint32_t samples, advances, layers;
	uint32_t launches, stamps;
	uint32_t stamp_buffer, stamp_slots, stamp_rows; /* as the first one has them */
};

/* What holds in all programs. */
struct whole {
	uint32_t *caches;  /* of layer l: caches[2l], caches[2l + 1] */
	uint8_t *counting; /* of each buffer: holds attention's counters (1), or stamps (2) */
};

/* A program that stamps begins with a stamp, and all go in order to one place, in which nothing else counts. */
static enum greta_status check_counting(size_t index, const struct greta_launch_use *use, struct progress *progress,
					const struct whole *whole, struct greta_error *error)
{
	for (int kind = 1; kind <= 2; kind++) {
		uint32_t buffer = kind == 1 ? use->counters : use->stamps;
		if (buffer == GRETA_PLAN_NONE)
			continue;
		if (whole->counting[buffer] && whole->counting[buffer] != kind)
			return UNSOUND("launch %zu has stamps and counters in one buffer", index);
		whole->counting[buffer] = (uint8_t)kind;
	}
	uint32_t before = progress->launches++;
	if (use->stamps == GRETA_PLAN_NONE)
		return GRETA_OK;
	if (before == 0) {
		progress->stamp_buffer = use->stamps;
		progress->stamp_slots = use->stamp_slots;
		progress->stamp_rows = use->stamp_rows;
	}
	if (use->stamp != progress->stamps++ || use->stamps != progress->stamp_buffer ||
	    use->stamp_slots != progress->stamp_slots || use->stamp_rows != progress->stamp_rows)
		return UNSOUND("launch %zu stamps out of order, or elsewhere than the program's first launch", index);
	return GRETA_OK;
}

/* Layer l's caches are the same in every program and no other layer's. */
static enum greta_status check_caches(const struct greta_plan *plan, size_t index, const struct greta_launch_use *use,
				      struct progress *progress, uint32_t *caches, struct greta_error *error)
{
	if (use->k_cache == GRETA_PLAN_NONE)
		return GRETA_OK;
	if (!use->writes_caches) {
		if (use->k_cache == progress->k_cache && use->v_cache == progress->v_cache)
			return GRETA_OK;
		return UNSOUND("launch %zu reads caches other than those written last", index);
	}
	uint32_t layer = progress->layers++;
	if (layer >= plan->header->n_layer || use->k_cache == use->v_cache)
		return UNSOUND("launch %zu writes the caches of one layer too many", index);
	uint32_t *k = &caches[(size_t)layer * 2], *v = k + 1;
	if (*k == GRETA_PLAN_NONE) {
		/* Ascending, so that no two layers have the same. */
		uint32_t before = layer ? caches[(size_t)layer * 2 - 1] : 0;
		if (use->v_cache <= use->k_cache || (layer && use->k_cache <= before))
			return UNSOUND("launch %zu writes caches out of order", index);
		*k = use->k_cache;
		*v = use->v_cache;
	} else if (*k != use->k_cache || *v != use->v_cache) {
		return UNSOUND("launch %zu writes caches that are another layer's in another program", index);
	}
	progress->k_cache = use->k_cache;
	progress->v_cache = use->v_cache;
	return GRETA_OK;
}

static enum greta_status advance(const struct greta_plan *plan, size_t index, const struct greta_launch_use *use,
				 struct progress *progress, const struct whole *whole, struct greta_error *error)
{
	if (progress->advances && use->stamps == GRETA_PLAN_NONE)
		return UNSOUND("launch %zu comes after the advance of the position", index);
	if (use->reads_logits && !progress->logits)
		return UNSOUND("launch %zu reads logits before they are written", index);
	if (use->best_read && use->best_read != progress->best)
		return UNSOUND("launch %zu reads %u of %u best logits", index, use->best_read, progress->best);
	if (use->best_written)
		progress->best = use->best_written;
	progress->logits |= use->writes_logits;
	progress->samples += use->samples;
	progress->advances += use->advances;
	enum greta_status status = check_counting(index, use, progress, whole, error);
	return status == GRETA_OK ? check_caches(plan, index, use, progress, whole->caches, error) : status;
}

static enum greta_status check_program(const struct greta_plan *plan, const struct greta_target_facts *facts,
				       uint32_t p, struct greta_flow *flow, const struct whole *whole,
				       struct greta_error *error)
{
	const struct greta_plan_program *program = &plan->programs[p];
	struct progress progress = {
	    .k_cache = GRETA_PLAN_NONE, .v_cache = GRETA_PLAN_NONE, .stamp_buffer = GRETA_PLAN_NONE};
	greta_flow_start(flow);
	for (uint32_t step = 0; step < program->launch_count; step++) {
		size_t index = (size_t)program->first_launch + step;
		struct greta_launch_use use;
		enum greta_status status = greta_verify_launch(plan, facts, program, index, &use, error);
		if (status == GRETA_OK)
			status = greta_flow_launch(flow, p, index, step, &use, error);
		if (status == GRETA_OK)
			status = advance(plan, index, &use, &progress, whole, error);
		if (status != GRETA_OK)
			return status;
	}
	if (progress.stamps != progress.stamp_slots)
		return UNSOUND("program %s has %u of %u stamps", greta_plan_string(plan, program->name),
			       progress.stamps, progress.stamp_slots);
	if (progress.samples != 1 || progress.advances != 1 || progress.layers != plan->header->n_layer)
		return UNSOUND("program %s samples %u times, advances %u times and writes the caches of %u layers",
			       greta_plan_string(plan, program->name), progress.samples, progress.advances,
			       progress.layers);
	return GRETA_OK;
}

/* Decode first, then prefill programs of ascending length. */
static enum greta_status check_programs(const struct greta_plan *plan, struct greta_error *error)
{
	uint64_t largest = 0;
	for (size_t p = 0; p < plan->program_count; p++) {
		const struct greta_plan_program *program = &plan->programs[p];
		bool right = p == 0 ? program->kind == GRETA_PROGRAM_DECODE
				    : program->kind == GRETA_PROGRAM_PREFILL &&
					  program->chunk_tokens > plan->programs[p - 1].chunk_tokens;
		if (!right)
			return UNSOUND("program %zu (%s) is out of order", p, greta_plan_string(plan, program->name));
		uint64_t end = 0;
		for (size_t b = 0; b < plan->buffer_count; b++) {
			const struct greta_plan_buffer *buffer = &plan->buffers[b];
			if (buffer->program == p && buffer->offset + buffer->bytes > end)
				end = buffer->offset + buffer->bytes;
		}
		if (program->arena_bytes != end)
			return UNSOUND("program %s has an arena other than its buffers need",
				       greta_plan_string(plan, program->name));
		largest = end > largest ? end : largest;
	}
	if (plan->header->region_bytes[GRETA_REGION_ARENA] != largest)
		return UNSOUND("the arena's region is not the largest arena of a program");
	return GRETA_OK;
}

static enum greta_status check_launches(const struct greta_plan *plan, const struct greta_target_facts *facts,
					struct greta_error *error)
{
	size_t layers = plan->header->n_layer;
	if (layers > plan->launch_count)
		return UNSOUND("%zu layers in %zu launches", layers, plan->launch_count);
	struct whole whole = {malloc(layers * 2 * sizeof(uint32_t)), calloc(plan->buffer_count + 1, 1)};
	struct greta_flow flow;
	enum greta_status status = GRETA_ERROR_MEMORY;
	if (whole.caches && whole.counting)
		status = greta_flow_init(&flow, plan, error);
	else
		(void)greta_fail(error, status, "out of memory for %zu layers", layers);
	if (status == GRETA_OK) {
		memset(whole.caches, 0xff, layers * 2 * sizeof(uint32_t)); /* GRETA_PLAN_NONE */
		for (uint32_t p = 0; status == GRETA_OK && p < plan->program_count; p++)
			status = check_program(plan, facts, p, &flow, &whole, error);
		if (status == GRETA_OK)
			status = greta_flow_lifetimes(&flow, error);
		greta_flow_finish(&flow);
	}
	free(whole.caches);
	free(whole.counting);
	return status;
}

enum greta_status greta_verify_plan(const struct greta_plan *plan, struct greta_error *error)
{
	const struct greta_target_facts *facts = greta_target_facts(plan->header->target);
	enum greta_status status = check_model(plan->header, facts, error);
	if (status == GRETA_OK)
		status = check_tensors(plan, error);
	if (status == GRETA_OK)
		status = check_fixed(plan, error);
	if (status == GRETA_OK)
		status = check_programs(plan, error);
	if (status == GRETA_OK)
		status = check_launches(plan, facts, error);
	return status;
}
