#include "bench/parity/side.h"

#include "kernels/gpu/layouts.h"
#include "kernels/kv.h"
#include "kernels/oracle/model.h"
#include "kernels/ref/kv_element.h"
#include "models/llama.h"
#include "planner/planner.h"
#include "runtime/cache.h"
#include "runtime/target.h"

#include <stdlib.h>
#include <string.h>

#define UNWRITTEN 0xff /* of fp32 and of f16: a NaN */

/* ---- Opening ---- */

static void tell_planning(void *user, uint64_t done, uint64_t total)
{
	const struct greta_parity_setup *setup = user;
	setup->progress(setup->progress_user, "planning", done, total);
}

static enum greta_status plan(const struct greta_parity_setup *setup, const char *target, uint32_t context,
			      struct greta_session_source *source, struct greta_error *error)
{
	uint32_t prefill = setup->chunk ? setup->chunk : GRETA_PARITY_MIXED_CHUNK;
	struct greta_plan_options how = {
		.target = target,
		.context = context,
		.prefill = &prefill,
		.prefill_count = prefill > 1,
		.kv_type = setup->kv_f32 ? GRETA_KV_F32 : GRETA_KV_F16,
		.fuse = setup->fuse_none ? GRETA_FUSE_NONE : GRETA_FUSE_FULL,
		.activations = setup->activations,
		.keep_all = !setup->plain,
		.threads = setup->threads,
	};
	struct greta_parity_setup told = *setup;
	struct greta_llama llama;
	struct greta_plan_image image;
	how.progress = setup->progress ? tell_planning : NULL;
	how.user = &told;
	enum greta_status status = greta_llama_init(&llama, source->gguf, error);
	if (status != GRETA_OK)
		return status;
	status = greta_plan_build(&llama, &how, &image, error);
	greta_llama_finish(&llama);
	if (status != GRETA_OK)
		return status;
	source->plan_memory = image.data;
	return greta_plan_open_memory(image.data, image.size, &source->plan, error);
}

static enum greta_status find_device(const struct greta_parity_setup *setup, const struct greta_options *options,
				     struct greta_session_source *source, char target[GRETA_HIP_ARCHITECTURE_MAX],
				     struct greta_error *error)
{
	struct greta_target_device device;
	if (setup->hip) {
		source->hip = setup->hip;
		return greta_hip_architecture(setup->hip, 0, target, error);
	}
	enum greta_status status = greta_target_device_open(options, NULL, "", &device, error);
	if (status != GRETA_OK)
		return status;
	source->hip = device.hip;
	source->give_hip = true;
	memcpy(target, device.target, sizeof(device.target));
	return GRETA_OK;
}

/* The target that the setup names, if the device takes it. */
static enum greta_status take_target(const struct greta_parity_setup *setup, const struct greta_hip *hip,
				     char target[GRETA_HIP_ARCHITECTURE_MAX], struct greta_error *error)
{
	enum greta_status status = greta_hip_architecture(hip, 0, target, error);
	if (status == GRETA_OK && !greta_hip_takes(hip->provider, target, setup->target))
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "the device of provider %s is a %.16s, not a %s",
				  setup->provider, target, setup->target);
	memcpy(target, setup->target, sizeof(setup->target));
	return status;
}

static enum greta_status open_session(const char *model, const struct greta_parity_setup *setup, uint32_t context,
				      struct greta **out_greta, struct greta_error *error)
{
	struct greta_error unimportant;
	char target[GRETA_HIP_ARCHITECTURE_MAX], *cache = NULL;
	const struct greta_options options = {
		.provider = setup->provider,
		.kernels = setup->kernels[0] ? setup->kernels : NULL,
		.threads = setup->threads,
		.eager = setup->eager,
		.check_weights = true, /* else a difference could be the file's */
		.progress = setup->progress,
		.progress_user = setup->progress_user,
	};
	struct greta_session_source source = {.plan_path = "", .options = &options, .image = setup->image};
	(void)greta_cache_folder(NULL, &cache, &unimportant); /* for packed weights; without it they are packed anew */
	source.cache_folder = cache;
	enum greta_status status = greta_gguf_open(model, &source.gguf, error);
	if (status == GRETA_OK)
		status = find_device(setup, &options, &source, target, error);
	if (status == GRETA_OK && setup->target[0])
		status = take_target(setup, source.hip, target, error);
	if (status == GRETA_OK)
		status = plan(setup, target, context, &source, error);
	if (status == GRETA_OK)
		status = greta_session_open(&source, out_greta, error);
	if (status != GRETA_OK) {
		greta_plan_close(&source.plan);
		greta_gguf_close(source.gguf);
		free(source.plan_memory);
		if (source.give_hip)
			greta_hip_unload(source.hip);
	}
	free(cache);
	return status;
}

/* What can be looked at of each buffer: in a plain plan the arena is written over. */
static enum greta_status find_places(struct greta_parity_side *side, struct greta_error *error)
{
	const struct greta_plan *made = greta_session_plan(side->greta);
	side->place_of = malloc((made->buffer_count + 1) * sizeof(*side->place_of));
	if (!side->place_of)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu buffers", made->buffer_count);
	for (size_t i = 0; i < made->buffer_count; i++) {
		const struct greta_plan_buffer *buffer = &made->buffers[i];
		size_t place;
		bool kept = buffer->region != GRETA_REGION_ARENA || !side->setup.plain;
		bool known = kept && greta_parity_place_of(side->layers, greta_plan_string(made, buffer->name), &place);
		side->place_of[i] = known ? (uint32_t)place : GRETA_PLAN_NONE;
	}
	return GRETA_OK;
}

static enum greta_status open_with_session(const char *model, const struct greta_parity_setup *setup, uint32_t context,
					   struct greta_parity_side *side, struct greta_error *error)
{
	enum greta_status status = open_session(model, setup, context, &side->greta, error);
	if (status != GRETA_OK)
		return status;
	greta_session_set_progress(side->greta, NULL, NULL); /* of its prompts greta_parity_run tells */
	const struct greta_info *info = greta_get_info(side->greta);
	struct greta_parity_setup shown = *setup;
	side->layers = info->layers;
	strncpy(shown.provider, info->provider, sizeof(shown.provider) - 1);
	if (!strcmp(info->target, "cpu") && !setup->image)
		strncpy(shown.kernels, info->kernels, sizeof(shown.kernels) - 1);
	greta_parity_setup_text(&shown, side->text);
	status = find_places(side, error);
	return status == GRETA_OK ? greta_session_fill(side->greta, GRETA_REGION_KV, UNWRITTEN, error) : status;
}

static enum greta_status open_oracle(const char *model, uint32_t context, struct greta_parity_side *side,
				     struct greta_error *error)
{
	enum greta_status status = greta_gguf_open(model, &side->gguf, error);
	if (status != GRETA_OK)
		return status;
	struct greta_llama llama;
	status = greta_llama_init(&llama, side->gguf, error);
	if (status != GRETA_OK)
		return status;
	side->llama = malloc(sizeof(*side->llama));
	if (!side->llama) {
		greta_llama_finish(&llama);
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the oracle");
	}
	*side->llama = llama;
	side->layers = llama.n_layer;
	greta_parity_setup_text(&side->setup, side->text);
	return greta_oracle_create(side->llama, context, &side->oracle, error);
}

enum greta_status greta_parity_side_open(const char *model, const struct greta_parity_setup *setup, uint32_t context,
					 size_t room, struct greta_parity_side *out_side, struct greta_error *error)
{
	struct greta_parity_side side = {.setup = *setup};
	enum greta_status status = setup->oracle ? open_oracle(model, context, &side, error)
						 : open_with_session(model, setup, context, &side, error);
	if (status == GRETA_OK)
		status = greta_parity_trace_init(&side.trace, side.layers, setup->oracle, room, error);
	if (status == GRETA_OK)
		status = greta_parity_trace_init(&side.again, side.layers, setup->oracle, room, error);
	if (status == GRETA_OK)
		*out_side = side;
	else
		greta_parity_side_close(&side);
	return status;
}

void greta_parity_side_close(struct greta_parity_side *side)
{
	greta_close(side->greta);
	greta_oracle_destroy(side->oracle);
	if (side->llama)
		greta_llama_finish(side->llama);
	free(side->llama);
	greta_gguf_close(side->gguf);
	free(side->place_of);
	greta_parity_trace_finish(&side->trace);
	greta_parity_trace_finish(&side->again);
	*side = (struct greta_parity_side){0};
}

/* ---- Looking ---- */

static enum greta_status no_row(struct greta_error *error)
{
	return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the values of a step");
}

static enum greta_status read_rows(struct greta_parity_side *side, size_t buffer, uint32_t chunk,
				   const struct greta_parity_step *step, struct greta_parity_trace *trace,
				   struct greta_error *error)
{
	uint32_t cols = (uint32_t)(greta_session_plan(side->greta)->buffers[buffer].bytes / chunk / sizeof(float));
	float *first = NULL;
	for (size_t i = step->count; i-- > 0;) {
		first = greta_parity_trace_row(trace, side->place_of[buffer], step->start + i, cols);
		if (!first)
			return no_row(error);
	}
	return greta_session_read(side->greta, buffer, 0, first, step->count * cols * sizeof(float), error);
}

/* Only the step's last position has logits. */
static enum greta_status read_logits(struct greta_parity_side *side, size_t buffer,
				     const struct greta_parity_step *step, struct greta_parity_trace *trace,
				     struct greta_error *error)
{
	uint32_t cols = greta_get_info(side->greta)->vocab;
	float *row = greta_parity_trace_row(trace, side->place_of[buffer], step->start + step->count - 1, cols);
	return row ? greta_session_read(side->greta, buffer, 0, row, cols * sizeof(float), error) : no_row(error);
}

typedef size_t kv_index(uint32_t context, uint32_t head_dim, uint32_t kv_head, uint32_t position, uint32_t i);

static size_t gpu_k_index(uint32_t context, uint32_t head_dim, uint32_t kv_head, uint32_t position, uint32_t i)
{
	return greta_gpu_k_index(context, head_dim, kv_head, position, i);
}

static size_t gpu_v_index(uint32_t context, uint32_t head_dim, uint32_t kv_head, uint32_t position, uint32_t i)
{
	return greta_gpu_v_index(context, head_dim, kv_head, position, i);
}

static kv_index *index_of(const struct greta_parity_side *side, size_t buffer)
{
	bool cpu = !strcmp(greta_session_plan(side->greta)->header->target, "cpu");
	bool keys = greta_parity_place_point(side->layers, side->place_of[buffer]) == GRETA_POINT_k_cache;
	if (cpu)
		return keys ? greta_k_index : greta_v_index;
	return keys ? gpu_k_index : gpu_v_index;
}

/* One head's elements of up to GRETA_ATTENTION_CHUNK positions, which lie together in every layout, beginning where the
 * first position's first element does. */
static enum greta_status read_span(struct greta_parity_side *side, size_t buffer, uint32_t head, size_t from, size_t to,
				   void *span, struct greta_parity_trace *trace, struct greta_error *error)
{
	const struct greta_plan_header *header = greta_session_plan(side->greta)->header;
	uint32_t dim = header->head_dim;
	size_t element = header->kv_type == GRETA_KV_F32 ? sizeof(float) : sizeof(uint16_t);
	uint32_t base = (uint32_t)(from / GRETA_ATTENTION_CHUNK * GRETA_ATTENTION_CHUNK);
	kv_index *index = index_of(side, buffer);
	size_t start = index(header->context, dim, head, base, 0);
	enum greta_status status = greta_session_read(side->greta, buffer, start * element, span,
						      (size_t)GRETA_ATTENTION_CHUNK * dim * element, error);
	for (size_t p = from; p < to && status == GRETA_OK; p++) {
		float *row = greta_parity_trace_row(trace, side->place_of[buffer], p, header->n_head_kv * dim);
		if (!row)
			return no_row(error);
		for (uint32_t i = 0; i < dim; i++)
			row[head * dim + i] =
			    greta_ref_kv_load(header->kv_type, span,
					      index(header->context, dim, head, (uint32_t)p, i) - start);
	}
	return status;
}

static enum greta_status read_cache(struct greta_parity_side *side, size_t buffer, const struct greta_parity_step *step,
				    struct greta_parity_trace *trace, struct greta_error *error)
{
	const struct greta_plan_header *header = greta_session_plan(side->greta)->header;
	size_t end = step->start + step->count, next;
	void *span = malloc((size_t)GRETA_ATTENTION_CHUNK * header->head_dim * sizeof(float));
	enum greta_status status = GRETA_OK;
	if (!span)
		return no_row(error);
	for (size_t from = step->start; from < end && status == GRETA_OK; from = next) {
		next = (from / GRETA_ATTENTION_CHUNK + 1) * GRETA_ATTENTION_CHUNK;
		next = next < end ? next : end;
		for (uint32_t head = 0; head < header->n_head_kv && status == GRETA_OK; head++)
			status = read_span(side, buffer, head, from, next, span, trace, error);
	}
	free(span);
	return status;
}

/* All buffers of the step's program. */
static enum greta_status look(struct greta_parity_side *side, const struct greta_parity_step *step,
			      struct greta_parity_trace *trace, struct greta_error *error)
{
	const struct greta_plan *made = greta_session_plan(side->greta);
	uint32_t chunk = made->programs[step->program].chunk_tokens;
	enum greta_status status = GRETA_OK;
	for (size_t b = 0; b < made->buffer_count && status == GRETA_OK; b++) {
		const struct greta_plan_buffer *buffer = &made->buffers[b];
		if (side->place_of[b] == GRETA_PLAN_NONE)
			continue;
		if (buffer->region == GRETA_REGION_KV)
			status = read_cache(side, b, step, trace, error);
		else if (buffer->region == GRETA_REGION_IO)
			status = read_logits(side, b, step, trace, error);
		else if (buffer->program == step->program)
			status = read_rows(side, b, chunk, step, trace, error);
	}
	for (size_t i = 0; i < step->count; i++)
		trace->steps[step->start + i - trace->start] = *step;
	return status;
}

/* ---- Stepping ---- */

struct observed {
	struct greta_parity_trace *trace;
	bool full; /* no memory */
};

static void put(struct observed *observed, enum greta_parity_point point, uint32_t layer, size_t position,
		const double *values, size_t count)
{
	size_t place = greta_parity_place(observed->trace->layers, point, layer);
	double *row = greta_parity_trace_row(observed->trace, place, position, (uint32_t)count);
	if (row)
		memcpy(row, values, count * sizeof(*row));
	else
		observed->full = true;
}

static void observe(void *user, const char *name, uint32_t layer, size_t position, const double *values, size_t count)
{
	for (int p = 0; p < GRETA_POINT_COUNT; p++) {
		if (strcmp(greta_parity_point_info((enum greta_parity_point)p)->name, name) != 0)
			continue;
		put(user, (enum greta_parity_point)p, layer, position, values, count);
		if (p == GRETA_POINT_k || p == GRETA_POINT_v)
			put(user, p == GRETA_POINT_k ? GRETA_POINT_k_cache : GRETA_POINT_v_cache, layer, position,
			    values, count);
	}
}

static enum greta_status step_oracle(struct greta_parity_side *side, const int32_t *tokens,
				     const struct greta_parity_step *step, struct greta_parity_trace *trace,
				     struct greta_error *error)
{
	struct observed observed = {.trace = trace};
	size_t vocab = side->llama->n_vocab;
	double *logits = calloc(step->count, vocab * sizeof(*logits));
	if (!logits)
		return no_row(error);
	greta_oracle_truncate(side->oracle, step->start);
	greta_oracle_observe(side->oracle, observe, &observed);
	enum greta_status status =
		greta_oracle_feed(side->oracle, tokens + step->start, step->count, step->count, logits, error);
	for (size_t i = 0; i < step->count && status == GRETA_OK; i++) {
		put(&observed, GRETA_POINT_logits, GRETA_PLAN_NONE, step->start + i, logits + i * vocab, vocab);
		trace->steps[step->start + i - trace->start] = *step;
	}
	free(logits);
	return status == GRETA_OK && observed.full ? no_row(error) : status;
}

static enum greta_status step_session(struct greta_parity_side *side, const int32_t *tokens,
				      struct greta_parity_step *step, struct greta_parity_trace *trace,
				      struct greta_error *error)
{
	struct greta_error reason;
	enum greta_status fed, status = greta_session_fill(side->greta, GRETA_REGION_ARENA, UNWRITTEN, error);
	if (status != GRETA_OK)
		return status;
	fed = greta_feed(side->greta, tokens + step->start, step->count, &reason);
	step->program = (uint32_t)greta_session_last_program(side->greta);
	status = fed == GRETA_OK || fed == GRETA_ERROR_NUMBERS ? look(side, step, trace, error) : fed;
	if (fed != GRETA_OK && (status == GRETA_OK || status == fed)) {
		if (error)
			*error = reason;
		return fed;
	}
	return status;
}

enum greta_status greta_parity_side_take(struct greta_parity_side *side, const int32_t *tokens, size_t start,
					 size_t end, size_t count, bool repeat, struct greta_error *error)
{
	struct greta_parity_trace *trace = repeat ? &side->again : &side->trace;
	enum greta_status status = GRETA_OK;
	greta_parity_trace_start(trace, start, end - start);
	if (repeat && side->greta)
		status = greta_truncate(side->greta, start, error);
	for (size_t at = start; at < end && status == GRETA_OK;) {
		size_t piece = greta_parity_setup_piece(&side->setup, at, count);
		struct greta_parity_step step = {.start = at, .count = piece < end - at ? piece : end - at};
		step.number = repeat ? side->trace.steps[at - start].number : ++side->steps;
		status = side->oracle ? step_oracle(side, tokens, &step, trace, error)
				      : step_session(side, tokens, &step, trace, error);
		at += step.count;
	}
	return status;
}

enum greta_status greta_parity_side_take_part(struct greta_parity_side *side, const int32_t *tokens,
					      const struct greta_parity_step *step, uint32_t launches,
					      struct greta_error *error)
{
	greta_parity_trace_start(&side->again, step->start, step->count);
	enum greta_status status = GRETA_OK;
	if (greta_length(side->greta) > step->start)
		status = greta_truncate(side->greta, step->start, error);
	if (status == GRETA_OK)
		status = greta_session_fill(side->greta, GRETA_REGION_ARENA, UNWRITTEN, error);
	if (status == GRETA_OK)
		status = greta_session_run_launches(side->greta, tokens + step->start, step->count, step->program,
						    launches, error);
	return status == GRETA_OK ? look(side, step, &side->again, error) : status;
}
