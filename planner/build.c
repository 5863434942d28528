#include "planner/planner.h"

#include "planner/draft.h"
#include "planner/fuse.h"
#include "planner/program.h"
#include "planner/scan.h"
#include "planner/schedule.h"
#include "planner/stamp.h"
#include "runtime/verify.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONTEXT 4096
#define PROGRAMS_MAX 16 /* prefill lengths */
#define BUFFER_ALIGNMENT 64
#define ANGLE_MAX 1048576.0 /* of rotary embeddings: numbers.h, greta_sincos */

/* What the options mean for this model. */
struct choice {
	const struct greta_target *target;
	uint32_t context, kv_type, fuse, activations, stamps;
	bool keep_all;
	uint32_t prefill[PROGRAMS_MAX];
	size_t prefill_count;
};

static int by_length(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* Sorted, once each, cut to the context; one token is what decode does. */
static enum greta_status choose_prefill(const struct greta_plan_options *options, struct choice *choice,
					struct greta_error *error)
{
	static const uint32_t usual[] = {32, 128, 512};
	const uint32_t *lengths = options->prefill ? options->prefill : usual;
	size_t count = options->prefill ? options->prefill_count : sizeof(usual) / sizeof(usual[0]);
	if (count > PROGRAMS_MAX)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "%zu prefill lengths: at most %d", count, PROGRAMS_MAX);
	uint32_t sorted[PROGRAMS_MAX];
	for (size_t i = 0; i < count; i++) {
		if (lengths[i] < 2 || lengths[i] > 65536)
			return greta_fail(error, GRETA_ERROR_ARGUMENT, "prefill length %u: from 2 to 65536 tokens",
					  lengths[i]);
		sorted[i] = lengths[i] < choice->context ? lengths[i] : choice->context;
	}
	qsort(sorted, count, sizeof(sorted[0]), by_length);
	choice->prefill_count = 0;
	for (size_t i = 0; i < count; i++)
		if (sorted[i] >= 2 && (i == 0 || sorted[i] != sorted[i - 1]))
			choice->prefill[choice->prefill_count++] = sorted[i];
	return GRETA_OK;
}

static enum greta_status choose(const struct greta_llama *model, const struct greta_plan_options *options,
				struct choice *out, struct greta_error *error)
{
	const char *target = options->target ? options->target : "cpu";
	struct choice choice = {
	    .target = greta_target_find(target),
	    .context = options->context,
	    .kv_type = options->kv_type,
	    .fuse = options->fuse,
	    .activations = options->activations ? options->activations : 4,
	    .keep_all = options->keep_all,
	    .stamps = options->stamps,
	};
	if (!choice.target)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "no target %s: greta-plan targets lists them", target);
	if (choice.context == 0)
		choice.context = model->context_train < DEFAULT_CONTEXT ? model->context_train : DEFAULT_CONTEXT;
	if (choice.context == 0 || choice.context > model->context_train)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "a context of %u tokens: the model was trained on %u",
				  choice.context, model->context_train);
	if (choice.kv_type > GRETA_KV_F32 || choice.fuse > GRETA_FUSE_FULL || choice.activations > 4 ||
	    choice.stamps > GRETA_PLAN_STAMPS_LAUNCHES)
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
				  "kv_type %u, fuse %u, activations %u or stamps %u is out of range", choice.kv_type,
				  choice.fuse, choice.activations, choice.stamps);
	enum greta_status status = choose_prefill(options, &choice, error);
	if (status == GRETA_OK)
		*out = choice;
	return status;
}

static uint64_t aligned(uint64_t bytes) { return (bytes + BUFFER_ALIGNMENT - 1) / BUFFER_ALIGNMENT * BUFFER_ALIGNMENT; }

/* A buffer outside the arena; returns its offset. */
static uint64_t add_fixed(struct greta_draft *draft, const char *name, enum greta_region region, uint64_t bytes)
{
	struct greta_plan_buffer buffer = {
	    .offset = draft->header.region_bytes[region],
	    .bytes = bytes,
	    .name = greta_draft_string(draft, name, strlen(name)),
	    .region = region,
	    .program = GRETA_PLAN_NONE,
	};
	greta_draft_add(draft, GRETA_PLAN_BUFFERS, &buffer, sizeof(buffer));
	draft->header.region_bytes[region] += aligned(bytes);
	return buffer.offset;
}

/* In the order of enum greta_fixed. */
static void add_fixed_buffers(struct greta_draft *draft, const struct greta_llama *model, const struct choice *choice)
{
	struct greta_plan_header *header = &draft->header;
	uint64_t tokens = (uint64_t)choice->context + 1;
	header->state_offset = add_fixed(draft, "state", GRETA_REGION_STATE, sizeof(struct greta_state));
	header->tokens_offset = add_fixed(draft, "tokens", GRETA_REGION_STATE, tokens * sizeof(uint32_t));
	header->ring_offset = add_fixed(draft, "ring", GRETA_REGION_IO, tokens * sizeof(uint32_t));
	header->logits_offset = add_fixed(draft, "logits", GRETA_REGION_IO, (uint64_t)model->n_vocab * sizeof(float));
	uint64_t positions = ((uint64_t)choice->context + GRETA_ATTENTION_CHUNK - 1) / GRETA_ATTENTION_CHUNK *
			     GRETA_ATTENTION_CHUNK;
	uint64_t cache_bytes =
	    positions * model->n_head_kv * model->head_dim * (choice->kv_type == GRETA_KV_F16 ? 2 : 4);
	for (uint32_t l = 0; l < model->n_layer; l++) {
		char name[24];
		snprintf(name, sizeof(name), "k cache.%u", l);
		add_fixed(draft, name, GRETA_REGION_KV, cache_bytes);
		snprintf(name, sizeof(name), "v cache.%u", l);
		add_fixed(draft, name, GRETA_REGION_KV, cache_bytes);
	}
	const struct greta_form *attention = greta_target_form(choice->target, GRETA_KERNEL_attention, 1, 0);
	if (attention && attention->splits)
		add_fixed(draft, "counters", GRETA_REGION_STATE, (uint64_t)model->n_head * sizeof(uint32_t));
}

static void add_tensors(struct greta_draft *draft, const struct greta_weights *weights)
{
	for (size_t i = 0; i < weights->count; i++) {
		const struct greta_weight *weight = &weights->items[i];
		const char *name = weight->tensor ? weight->tensor->name.data : weight->name;
		struct greta_plan_tensor tensor = {
		    .offset = weight->offset,
		    .bytes = weight->bytes,
		    .source = weight->source,
		    .source_bytes = weight->source_bytes,
		    .name = greta_draft_string(draft, name, weight->tensor ? weight->tensor->name.length : strlen(name)),
		    .region = weight->region,
		    .type = weight->type,
		    .layout = weight->layout,
		    .rows = weight->rows,
		    .cols = weight->cols,
		    .exponent = weight->exponent,
		    .constant = !weight->tensor,
		};
		greta_draft_add(draft, GRETA_PLAN_TENSORS, &tensor, sizeof(tensor));
	}
	greta_draft_add(draft, GRETA_PLAN_CONSTANTS, weights->constants, weights->constants_bytes);
}

/* Text from outside, without control characters and not too long to be read. */
static uint32_t add_text(struct greta_draft *draft, const char *text, size_t length)
{
	char clean[PATH_MAX];
	size_t kept = 0;
	for (; kept < length && kept < sizeof(clean) && text[kept]; kept++)
		clean[kept] = (unsigned char)text[kept] < 32 || text[kept] == 127 ? '?' : text[kept];
	return greta_draft_string(draft, clean, kept);
}

static void describe(struct greta_draft *draft, const struct greta_llama *model, const struct choice *choice,
		     const struct greta_weights *weights)
{
	struct greta_plan_header *header = &draft->header;
	strncpy(header->target, choice->target->name, sizeof(header->target) - 1);
	header->abi_hash = greta_abi_hash();
	greta_gguf_fingerprint(model->gguf, header->model_fingerprint);
	header->model_bytes = greta_gguf_size(model->gguf);
	char absolute[PATH_MAX];
	const char *path = realpath(greta_gguf_path(model->gguf), absolute);
	path = path ? path : greta_gguf_path(model->gguf);
	header->model_path = add_text(draft, path, strlen(path));
	header->model_name = add_text(draft, model->name.data, model->name.length);
	header->n_layer = model->n_layer;
	header->n_embd = model->n_embd;
	header->n_head = model->n_head;
	header->n_head_kv = model->n_head_kv;
	header->head_dim = model->head_dim;
	header->n_ff = model->n_ff;
	header->n_vocab = model->n_vocab;
	header->context = choice->context;
	header->context_train = model->context_train;
	header->activations = choice->activations;
	header->kv_type = choice->kv_type;
	header->fuse = choice->fuse;
	header->region_bytes[GRETA_REGION_WEIGHTS] = weights->region_bytes;
	header->region_bytes[GRETA_REGION_MODEL] = choice->target->model_in_place ? header->model_bytes : 0;
	header->step_weight_bytes = greta_weights_step_bytes(weights);
}

/* Each program has a buffer of its own. */
static enum greta_status add_stamps(struct greta_draft *draft, struct greta_graph *graph, enum greta_plan_stamps where,
				    const char *program, struct greta_error *error)
{
	if (where == GRETA_PLAN_STAMPS_NONE)
		return GRETA_OK;
	char name[40];
	uint32_t buffer = (uint32_t)greta_draft_count(draft, GRETA_PLAN_BUFFERS);
	snprintf(name, sizeof(name), "stamps.%s", program);
	add_fixed(draft, name, GRETA_REGION_STATE, greta_graph_stamps_bytes(greta_graph_stamps(graph, where)));
	return greta_graph_stamp(graph, where, buffer, error);
}

static enum greta_status add_program(struct greta_draft *draft, const struct greta_llama *model,
				     const struct choice *choice, const struct greta_weights *weights, uint32_t chunk,
				     struct greta_error *error)
{
	struct greta_schedule_options options = {chunk, choice->context, choice->kv_type, choice->activations,
						 choice->keep_all};
	struct greta_graph graph;
	enum greta_status status = greta_schedule(model, weights, &options, &graph, error);
	if (status != GRETA_OK)
		return status;
	if (choice->fuse == GRETA_FUSE_FULL)
		greta_fuse(&graph, choice->target);
	status = greta_fuse_digits(&graph, choice->target, error);
	if (status == GRETA_OK)
		status = greta_fuse_splits(&graph, choice->target, GRETA_FIXED_COUNTERS(model->n_layer), error);
	char name[24] = "decode";
	if (chunk > 1)
		snprintf(name, sizeof(name), "prefill%u", chunk);
	if (status == GRETA_OK)
		status = add_stamps(draft, &graph, choice->stamps, name, error);
	if (status == GRETA_OK)
		status = greta_program_add(draft, &graph, name, chunk > 1 ? GRETA_PROGRAM_PREFILL : GRETA_PROGRAM_DECODE,
					   choice->target, weights, choice->keep_all, error);
	greta_graph_finish(&graph);
	return status;
}

static enum greta_status check_angles(const struct greta_weights *weights, uint32_t context, struct greta_error *error)
{
	for (size_t i = 0; i < weights->constants_bytes / sizeof(double); i++)
		if (weights->constants[i] * context >= ANGLE_MAX)
			return greta_fail(error, GRETA_ERROR_UNSUPPORTED,
					  "rotary angles reach %g at a context of %u tokens: at most %g",
					  weights->constants[i] * context, context, ANGLE_MAX);
	return GRETA_OK;
}

static enum greta_status check(const struct greta_plan_image *image, struct greta_error *error)
{
	struct greta_plan plan;
	enum greta_status status = greta_plan_open_memory(image->data, image->size, &plan, error);
	if (status != GRETA_OK)
		return status;
	status = greta_verify_plan(&plan, error);
	greta_plan_close(&plan);
	return status;
}

enum greta_status greta_plan_build(const struct greta_llama *model, const struct greta_plan_options *options,
				   struct greta_plan_image *out_image, struct greta_error *error)
{
	struct choice choice = {0};
	enum greta_status status = choose(model, options, &choice, error);
	if (status != GRETA_OK || !choice.target)
		return status;
	struct greta_weights weights;
	status = greta_weights_init(&weights, model, choice.target, error);
	if (status != GRETA_OK)
		return status;
	struct greta_draft draft = {0};
	struct greta_plan_image image = {0};
	status = check_angles(&weights, choice.context, error);
	if (status == GRETA_OK)
		status = greta_weights_scan(&weights, options->threads, options->progress, options->user, error);
	if (status == GRETA_OK) {
		describe(&draft, model, &choice, &weights);
		add_tensors(&draft, &weights);
		add_fixed_buffers(&draft, model, &choice);
		status = add_program(&draft, model, &choice, &weights, 1, error);
	}
	for (size_t p = 0; status == GRETA_OK && p < choice.prefill_count; p++)
		status = add_program(&draft, model, &choice, &weights, choice.prefill[p], error);
	if (status == GRETA_OK)
		status = greta_draft_write(&draft, &image, error);
	if (status == GRETA_OK)
		status = check(&image, error);
	if (status == GRETA_OK)
		*out_image = image;
	else
		greta_plan_image_finish(&image);
	greta_draft_finish(&draft);
	greta_weights_finish(&weights);
	return status;
}
