#include "runtime/session.h"

#include "runtime/clock.h"
#include "runtime/target.h"
#include "runtime/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Does it all belong together? ---- */

static void print_fingerprint(const uint8_t fingerprint[GRETA_FINGERPRINT_BYTES],
                              char out[2 * GRETA_FINGERPRINT_BYTES + 1])
{
	for (size_t i = 0; i < GRETA_FINGERPRINT_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", fingerprint[i]);
}

static enum greta_status match_model(const struct greta_session_source *source, struct greta_error *error)
{
	const struct greta_plan *plan = &source->plan;
	uint8_t fingerprint[GRETA_FINGERPRINT_BYTES];
	greta_gguf_fingerprint(source->gguf, fingerprint);
	if (memcmp(fingerprint, plan->header->model_fingerprint, sizeof(fingerprint)) == 0 &&
	    greta_gguf_size(source->gguf) == plan->header->model_bytes)
		return GRETA_OK;
	char wanted[2 * GRETA_FINGERPRINT_BYTES + 1], found[2 * GRETA_FINGERPRINT_BYTES + 1];
	print_fingerprint(plan->header->model_fingerprint, wanted);
	print_fingerprint(fingerprint, found);
	return greta_fail(error, GRETA_ERROR_MISMATCH,
	                  "%s is not the model of plan %s: that is \"%.60s\", fingerprint %s, once "
	                  "%.120s; this one has %s. Name that model with -m, or plan this one: greta-plan build",
	                  greta_gguf_path(source->gguf), source->plan_path,
	                  greta_plan_string(plan, plan->header->model_name), wanted,
	                  greta_plan_string(plan, plan->header->model_path), found);
}

static enum greta_status check_options(const struct greta_options *options, struct greta_error *error)
{
	if (options->lookahead > GRETA_LOOKAHEAD_MAX)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "a lookahead of %u replays: at most %d are enqueued",
				  options->lookahead, GRETA_LOOKAHEAD_MAX);
	return GRETA_OK;
}

/* ---- Opening, in order; greta_close takes back whatever of it was done ---- */

static enum greta_status open_vocabulary(struct greta *greta, struct greta_error *error)
{
	struct greta_error reason;
	enum greta_status status = greta_tokenizer_create(greta->gguf, &greta->tokenizer, &reason);
	/* A model whose text this build cannot read still runs on tokens. */
	if (status == GRETA_OK || status == GRETA_ERROR_UNSUPPORTED || status == GRETA_ERROR_FORMAT) {
		greta->tokenizer_error = reason;
		return GRETA_OK;
	}
	if (error)
		*error = reason;
	return status;
}

static enum greta_status open_provider(struct greta *greta, const struct greta_session_source *source,
				       struct greta_error *error)
{
	const char *target = greta->plan.header->target;
	struct greta_target_device device;
	if (source->hip) {
		greta->hip = source->hip;
		return greta_target_match(greta->hip, target, source->plan_path, error);
	}
	enum greta_status status = greta_target_device_open(source->options, target, source->plan_path, &device, error);
	if (status != GRETA_OK)
		return status;
	greta->hip = device.hip;
	greta->own_hip = true;
	return GRETA_OK;
}

/* All that the session will allocate there, besides the driver's own. */
static enum greta_status check_room(const struct greta *greta, struct greta_error *error)
{
	const uint64_t *bytes = greta->plan.header->region_bytes;
	const double mib = 1024.0 * 1024.0;
	uint64_t weights = bytes[GRETA_REGION_WEIGHTS] + bytes[GRETA_REGION_MODEL];
	uint64_t all = greta_plan_device_bytes(greta->plan.header) + bytes[GRETA_REGION_MODEL];
	size_t left = 0, total = 0;
	hipError_t code = greta->hip->hipMemGetInfo(&left, &total);
	if (code != hipSuccess)
		return greta_hip_fail(greta->hip, code, error, "hipMemGetInfo");
	if (all <= left)
		return GRETA_OK;
	return greta_fail(
	    error, GRETA_ERROR_MEMORY,
	    "%s is too small: the plan takes %.1f MiB of its memory (weights %.1f, KV cache %.1f, activations "
	    "%.1f), %.1f of %.1f MiB are free: free some, or plan less with greta-plan build --ctx and --prefill",
	    greta->device_name, (double)all / mib, (double)weights / mib, (double)bytes[GRETA_REGION_KV] / mib,
	    (double)bytes[GRETA_REGION_ARENA] / mib, (double)left / mib, (double)total / mib);
}

static enum greta_status open_device(struct greta *greta, const struct greta_session_source *source,
                                     const void *image, struct greta_error *error)
{
	const struct greta_hip *hip = greta->hip;
	struct greta_error reason;
	int count = 0, integrated = 0;
	hipError_t code = hip->hipGetDeviceCount(&count);
	if (code != hipSuccess || count < 1)
		return greta_hip_fail(hip, code != hipSuccess ? code : hipErrorNoDevice, error, "hipGetDeviceCount");
	code = hip->hipSetDevice(0);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipSetDevice of device 0");
	code = hip->hipDeviceGetName(greta->device_name, (int)sizeof(greta->device_name), 0);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipDeviceGetName of device 0");
	code = hip->hipModuleLoadData(&greta->module, image);
	if (code == hipErrorInvalidImage || code == hipErrorNoBinaryForGpu) {
		greta_hip_fail(hip, code, &reason, "hipModuleLoadData");
		return greta_fail(error, GRETA_ERROR_MISMATCH,
				  "%s does not take this build's kernels for %.16s (%.250s): build with -Dgpu_targets for it",
				  greta->device_name, greta->plan.header->target, reason.message);
	}
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipModuleLoadData of the kernels for %.16s",
				      greta->plan.header->target);
	code = hip->hipStreamCreateWithFlags(&greta->stream, hipStreamNonBlocking);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipStreamCreateWithFlags");
	for (size_t i = 0; i < GRETA_SESSION_EVENTS; i++) {
		code = hip->hipEventCreateWithFlags(&greta->events[i], hipEventDisableTiming | hipEventBlockingSync);
		if (code != hipSuccess)
			return greta_hip_fail(hip, code, error, "hipEventCreateWithFlags");
	}
	code = hip->hipDeviceGetAttribute(&integrated, hipDeviceAttributeIntegrated, 0);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipDeviceGetAttribute");
	greta->in_place = integrated && !source->options->force_upload;
	return integrated ? GRETA_OK : check_room(greta, error);
}

static enum greta_status open_weights(struct greta *greta, const struct greta_session_source *source,
				      struct greta_error *error)
{
	const struct greta_options *options = source->options;
	struct greta_weights_options how = {
		.cache_folder = source->cache_folder,
		.cache_bytes = options->cache_bytes ? options->cache_bytes : GRETA_CACHE_BYTES_DEFAULT,
		.threads = options->threads,
		.force_upload = options->force_upload,
		.check = options->check_weights,
		.progress = options->progress,
		.warn = options->warn,
		.progress_user = options->progress_user,
	};
	double start = greta_clock_ms();
	enum greta_status status =
		greta_resident_weights_init(&greta->weights, greta->hip, &greta->plan, greta->gguf, &how, error);
	if (status != GRETA_OK)
		return status;
	greta->stats.weights_ms = greta_clock_ms() - start;
	greta->stats.pack_ms = greta->weights.pack_ms;
	greta->stats.upload_ms = greta->weights.upload_ms;
	greta->stats.weights_reused = greta->weights.reused;
	greta->stats.mapped_bytes = greta->weights.mapped_bytes;
	greta->stats.upload_bytes = greta->weights.device_bytes;
	return GRETA_OK;
}

static enum greta_status open_programs(struct greta *greta, struct greta_error *error)
{
	const struct greta_plan *plan = &greta->plan;
	void *io = NULL;
	/* Counters in the state are zero before the first launch. */
	hipError_t code = greta->hip->hipMemsetAsync(greta->memory.state, 0,
						     plan->header->region_bytes[GRETA_REGION_STATE], greta->stream);
	if (code != hipSuccess)
		return greta_hip_fail(greta->hip, code, error, "hipMemsetAsync of the state");
	code = greta->hip->hipHostGetDevicePointer(&io, greta->memory.io, 0);
	if (code != hipSuccess)
		return greta_hip_fail(greta->hip, code, error, "hipHostGetDevicePointer of ring and logits");
	void *const bases[GRETA_REGION_COUNT] = {
		[GRETA_REGION_WEIGHTS] = greta->weights.weights_base,
		[GRETA_REGION_MODEL] = greta->weights.model_base,
		[GRETA_REGION_KV] = greta->memory.kv,
		[GRETA_REGION_ARENA] = greta->memory.arena,
		[GRETA_REGION_STATE] = greta->memory.state,
		[GRETA_REGION_IO] = io,
	};
	enum greta_status status = greta_programs_init(&greta->programs, greta->hip, plan, greta->module, bases, error);
	if (status != GRETA_OK)
		return status;
	size_t decode = plan->program_count;
	for (size_t i = plan->program_count; i-- > 0;)
		if (plan->programs[i].kind == GRETA_PROGRAM_DECODE && plan->programs[i].chunk_tokens == 1)
			decode = i;
	if (decode == plan->program_count)
		return greta_fail(error, GRETA_ERROR_FORMAT, "the plan has no program that decodes");
	greta->decode = decode;
	greta->stats.launches_per_step = plan->programs[decode].launch_count;
	if (greta->eager)
		return GRETA_OK;
	status = greta_programs_capture(&greta->programs, decode, greta->stream, error);
	greta->stats.nodes_per_step = (uint32_t)greta->programs.items[decode].nodes;
	return status;
}

/* Appends a copy of `text` at *end and moves it; NULL *end only measures. */
static const char *keep(char **end, size_t *bytes, const char *text)
{
	size_t size = strlen(text) + 1;
	*bytes += size;
	if (!*end)
		return NULL;
	char *copy = memcpy(*end, text, size);
	*end += size;
	return copy;
}

static void fill_strings(struct greta *greta, const struct greta_session_source *source, const char *form, char *end,
			 size_t *bytes)
{
	struct greta_info *info = &greta->info;
	const struct greta_plan *plan = &greta->plan;
	info->plan_path = keep(&end, bytes, source->plan_path);
	info->model_path = keep(&end, bytes, greta_gguf_path(greta->gguf));
	info->model_name = keep(&end, bytes, greta_plan_string(plan, plan->header->model_name));
	info->target = keep(&end, bytes, plan->header->target);
	info->provider = keep(&end, bytes, greta->hip->provider);
	info->kernels = keep(&end, bytes, form);
	info->device = greta->device_name;
}

static enum greta_status fill_info(struct greta *greta, const struct greta_session_source *source, const char *form,
				   struct greta_error *error)
{
	const struct greta_plan *plan = &greta->plan;
	const struct greta_plan_header *header = plan->header;
	struct greta_info *info = &greta->info;
	size_t bytes = 0, again = 0, prefills = 0;
	int units = 0;
	fill_strings(greta, source, form, NULL, &bytes);
	greta->strings = malloc(bytes);
	if (!greta->strings)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the session's names");
	fill_strings(greta, source, form, greta->strings, &again);
	memcpy(info->model_fingerprint, header->model_fingerprint, sizeof(info->model_fingerprint));
	info->context = header->context;
	info->context_train = header->context_train;
	info->vocab = header->n_vocab;
	info->layers = header->n_layer;
	info->embd = header->n_embd;
	info->heads = header->n_head;
	info->kv_heads = header->n_head_kv;
	info->head_dim = header->head_dim;
	info->ff = header->n_ff;
	info->activations = header->activations;
	info->kv_f32 = header->kv_type == GRETA_KV_F32;
	info->fuse_full = header->fuse == GRETA_FUSE_FULL;
	info->eager = greta->eager;
	hipError_t code = greta->hip->hipDeviceGetAttribute(&units, hipDeviceAttributeMultiprocessorCount, 0);
	if (code != hipSuccess)
		return greta_hip_fail(greta->hip, code, error, "hipDeviceGetAttribute");
	info->threads = strcmp(greta->hip->provider, "cpu") == 0 ? (uint32_t)units : 0;
	for (size_t i = 0; i < plan->program_count && prefills < GRETA_PREFILL_MAX; i++)
		if (plan->programs[i].kind == GRETA_PROGRAM_PREFILL)
			info->prefill[prefills++] = plan->programs[i].chunk_tokens;
	return GRETA_OK;
}

/* The plan is a file that anyone may have written: prove that its launches touch nothing they should not. */
static enum greta_status verify(struct greta *greta, struct greta_error *error)
{
	double start = greta_clock_ms();
	enum greta_status status = greta_verify_plan(&greta->plan, error);
	if (status == GRETA_OK)
		status = greta_verify_model(&greta->plan, greta->gguf, error);
	greta->stats.plan_ms += greta_clock_ms() - start;
	return status;
}

static enum greta_status open_all(struct greta *greta, const struct greta_session_source *source,
                                  struct greta_error *error)
{
	const void *image = source->image;
	const char *form = "";
	enum greta_status status = open_provider(greta, source, error);
	if (status == GRETA_OK && !image)
		status = greta_target_image(greta->plan.header->target, source->options->kernels, &image, &form, error);
	double start = greta_clock_ms();
	if (status == GRETA_OK)
		status = match_model(source, error);
	if (status == GRETA_OK)
		status = open_vocabulary(greta, error);
	greta->stats.model_ms = source->model_ms + greta_clock_ms() - start;
	if (status == GRETA_OK && !source->unchecked)
		status = verify(greta, error);
	if (status == GRETA_OK)
		status = open_device(greta, source, image, error);
	if (status == GRETA_OK)
		status = open_weights(greta, source, error);
	if (status == GRETA_OK)
		status = greta_device_memory_init(&greta->memory, greta->hip, &greta->plan, error);
	if (status == GRETA_OK)
		status = open_programs(greta, error);
	if (status == GRETA_OK)
		status = fill_info(greta, source, form, error);
	if (status == GRETA_OK)
		greta_ranges_init(&greta->ranges, greta->hip->provider);
	return status;
}

/* Everything but the plan and the model, which are still the caller's when opening fails. */
static void release(struct greta *greta)
{
	struct greta_hip *hip = greta->hip;
	if (hip) {
		if (greta->stream)
			hip->hipStreamSynchronize(greta->stream);
		if (greta->programs.items)
			greta_programs_finish(&greta->programs);
		greta_device_memory_finish(&greta->memory, hip);
		if (greta->weights.hip)
			greta_resident_weights_finish(&greta->weights);
		for (size_t i = 0; i < GRETA_SESSION_EVENTS; i++)
			if (greta->events[i])
				hip->hipEventDestroy(greta->events[i]);
		if (greta->stream)
			hip->hipStreamDestroy(greta->stream);
		if (greta->module)
			hip->hipModuleUnload(greta->module);
		if (greta->own_hip)
			greta_hip_unload(hip);
	}
	greta_ranges_finish(&greta->ranges);
	greta_text_stream_destroy(greta->text);
	greta_tokenizer_destroy(greta->tokenizer);
	free(greta->strings);
	free(greta);
}

enum greta_status greta_session_open(const struct greta_session_source *source, struct greta **out_greta,
				     struct greta_error *error)
{
	const struct greta_options *options = source->options;
	enum greta_status status = check_options(options, error);
	if (status != GRETA_OK)
		return status;
	struct greta *greta = calloc(1, sizeof(*greta));
	if (!greta)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for a session");
	greta->plan = source->plan;
	greta->plan_memory = source->plan_memory;
	greta->gguf = source->gguf;
	greta->eager = options->eager;
	greta->lookahead = options->lookahead ? options->lookahead : 4;
	greta->chunk_tokens = options->chunk_tokens;
	greta->progress = options->progress;
	greta->progress_user = options->progress_user;
	greta->sampling = (struct greta_sampling){.top_p = 1};
	greta->stale = true;
	greta->started_ms = source->started_ms;
	status = open_all(greta, source, error);
	if (status != GRETA_OK) {
		release(greta);
		return status;
	}
	greta->own_hip = greta->own_hip || source->give_hip;
	greta->stats.plan_ms += source->plan_ms;
	greta->stats.plan_reused = source->plan_reused;
	greta->stats.model_bytes = greta->plan.header->model_bytes;
	greta->stats.device_bytes = greta->weights.device_bytes + greta->memory.device_bytes;
	greta->stats.host_bytes = greta->weights.host_bytes + greta->memory.host_bytes;
	greta->stats.planned_bytes = greta_plan_device_bytes(greta->plan.header);
	greta->stats.step_weight_bytes = greta->plan.header->step_weight_bytes;
	greta->stats.open_ms = greta_clock_ms() - greta->started_ms;
	*out_greta = greta;
	return GRETA_OK;
}

void greta_close(struct greta *greta)
{
	if (!greta)
		return;
	struct greta_plan plan = greta->plan;
	void *plan_memory = greta->plan_memory;
	struct greta_gguf *gguf = greta->gguf;
	release(greta);
	greta_plan_close(&plan);
	free(plan_memory);
	greta_gguf_close(gguf);
}

/* ---- What is asked of an open session ---- */

enum greta_status greta_check(struct greta *greta, struct greta_error *error)
{
	hipError_t code = greta->hip->hipDeviceSynchronize();
	return code == hipSuccess ? GRETA_OK : greta_hip_fail(greta->hip, code, error, "hipDeviceSynchronize");
}

const struct greta_info *greta_get_info(const struct greta *greta)
{
	return &greta->info;
}

const struct greta_plan *greta_session_plan(const struct greta *greta)
{
	return &greta->plan;
}

void greta_session_set_timeline(struct greta *greta, struct greta_timeline *timeline)
{
	greta->timeline = timeline;
}

void greta_session_set_progress(struct greta *greta, greta_progress *progress, void *user)
{
	greta->progress = progress;
	greta->progress_user = user;
}

void greta_session_set_eager(struct greta *greta, bool eager)
{
	greta->eager = eager;
	greta->info.eager = eager;
}

void greta_get_stats(const struct greta *greta, struct greta_stats *out_stats)
{
	*out_stats = greta->stats;
	out_stats->capture_ms = greta->programs.capture_ms;
	out_stats->instantiate_ms = greta->programs.instantiate_ms;
}

void greta_reset_stats(struct greta *greta)
{
	greta->stats.prefill_tokens = 0;
	greta->stats.prefill_ms = 0;
	greta->stats.decode_tokens = 0;
	greta->stats.decode_ms = 0;
}
