/* greta_open: where planner and runtime meet. Finds out what `path` is, gets a plan for a model (from the cache folder,
 * or made now), and opens the session. */
#include "runtime/greta.h"

#include "planner/planner.h"
#include "runtime/cache.h"
#include "runtime/clock.h"
#include "runtime/content.h"
#include "runtime/session.h"
#include "runtime/stamps.h"
#include "runtime/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

struct opening {
	const char *path;
	const struct greta_options *options;
	char *cache_folder;           /* NULL: none */
	char *plan_path;              /* of the cached plan; NULL: none */
	struct greta_session_source source;
};

/* ---- Options ---- */

static enum greta_status check_options(const struct greta_options *options, struct greta_error *error)
{
	if (options->kv > GRETA_OPEN_KV_F32 || options->fuse > GRETA_OPEN_FUSE_FULL ||
	    options->stamps > GRETA_OPEN_STAMPS_LAUNCHES)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "no such choice: kv %u, fuse %u, stamps %u; the largest are %u, %u, %u",
				  (unsigned)options->kv, (unsigned)options->fuse, (unsigned)options->stamps,
				  GRETA_OPEN_KV_F32, GRETA_OPEN_FUSE_FULL, GRETA_OPEN_STAMPS_LAUNCHES);
	if (options->activations > 4)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "activations of %u digits: there are 1 to 4", options->activations);
	if (options->no_prefill && options->prefill[0])
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "a prefill of %u tokens is asked for, and none at all",
				  options->prefill[0]);
	for (size_t i = 1; i < GRETA_PREFILL_MAX && options->prefill[i]; i++)
		if (options->prefill[i] <= options->prefill[i - 1])
			return greta_fail(error, GRETA_ERROR_ARGUMENT, "prefill lengths ascend: %u cannot follow %u",
					  options->prefill[i], options->prefill[i - 1]);
	return GRETA_OK;
}

/* ---- Model or plan? ---- */

static enum greta_status read_magic(const char *path, uint64_t *out_magic, struct greta_error *error)
{
	uint8_t bytes[8] = {0};
	struct stat there;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* not waiting for a pipe */
	if (fd < 0)
		return greta_fail(error, GRETA_ERROR_IO, "cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &there) == 0 && !S_ISREG(there.st_mode)) {
		close(fd);
		return greta_fail(error, GRETA_ERROR_FORMAT, "%s is neither a GGUF model nor a plan: it is %s", path,
				  S_ISDIR(there.st_mode) ? "a directory" : "not a regular file");
	}
	ssize_t count = read(fd, bytes, sizeof(bytes));
	int reason = count < 0 ? errno : 0;
	close(fd);
	if (reason)
		return greta_fail(error, GRETA_ERROR_IO, "cannot read %s: %s", path, strerror(reason));
	if (count < 4)
		return greta_fail(error, GRETA_ERROR_FORMAT, "%s is neither a GGUF model nor a plan: it has %zd bytes",
		                  path, count);
	memcpy(out_magic, bytes, sizeof(bytes));
	return GRETA_OK;
}

static bool is_gguf(uint64_t magic)
{
	return memcmp(&magic, "GGUF", 4) == 0;
}

/* ---- Given a plan ---- */

static enum greta_status differs(const struct opening *opening, const char *option, const char *asked,
				 const char *planned, struct greta_error *error)
{
	return greta_fail(error, GRETA_ERROR_ARGUMENT,
	                  "plan %s was made with %s %s, not %s: leave the option out, or plan again with greta-plan build",
	                  opening->path, option, planned, asked);
}

/* The same of numbers, each behind `before`. */
static enum greta_status number_differs(const struct opening *opening, const char *option, const char *before,
					unsigned asked, unsigned planned, struct greta_error *error)
{
	char texts[2][24];
	snprintf(texts[0], sizeof(texts[0]), "%s%u", before, asked);
	snprintf(texts[1], sizeof(texts[1]), "%s%u", before, planned);
	return differs(opening, option, texts[0], texts[1], error);
}

/* Planning options next to a plan must say what it says. */
static enum greta_status check_choices(const struct opening *opening, struct greta_error *error)
{
	const struct greta_options *options = opening->options;
	const struct greta_plan *plan = &opening->source.plan;
	const struct greta_plan_header *header = plan->header;
	if (options->context && options->context != header->context)
		return number_differs(opening, "context", "", options->context, header->context, error);
	if (options->activations && options->activations != header->activations)
		return number_differs(opening, "activations", "x", 8 * options->activations, 8 * header->activations,
				      error);
	if (options->kv && (options->kv == GRETA_OPEN_KV_F32) != (header->kv_type == GRETA_KV_F32))
		return differs(opening, "KV cache type", options->kv == GRETA_OPEN_KV_F32 ? "f32" : "f16",
			       header->kv_type == GRETA_KV_F32 ? "f32" : "f16", error);
	if (options->fuse && (options->fuse == GRETA_OPEN_FUSE_FULL) != (header->fuse == GRETA_FUSE_FULL))
		return differs(opening, "fusion", options->fuse == GRETA_OPEN_FUSE_FULL ? "full" : "none",
			       header->fuse == GRETA_FUSE_FULL ? "full" : "none", error);
	if (options->stamps && !greta_stamp_slots(plan, 0))
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
				  "plan %s writes no time stamps: plan again with greta-plan build --stamps launches",
				  opening->path);
	if (options->no_prefill && plan->program_count > 1)
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
				  "plan %s has prefill programs: leave the option out, or plan again with greta-plan build",
				  opening->path);
	for (size_t i = 0; i < GRETA_PREFILL_MAX && options->prefill[i]; i++) {
		bool found = false;
		for (size_t k = 0; k < plan->program_count; k++)
			found = found || (plan->programs[k].kind == GRETA_PROGRAM_PREFILL &&
					  plan->programs[k].chunk_tokens == options->prefill[i]);
		if (!found)
			return greta_fail(error, GRETA_ERROR_ARGUMENT,
			                  "plan %s has no prefill of %u tokens: leave the option out, or "
			                  "plan again with greta-plan build",
			                  opening->path, options->prefill[i]);
	}
	return GRETA_OK;
}

static enum greta_status open_plan(struct opening *opening, struct greta_error *error)
{
	struct greta_session_source *source = &opening->source;
	double start = greta_clock_ms();
	enum greta_status status = greta_plan_open(opening->path, &source->plan, error);
	source->plan_ms = greta_clock_ms() - start;
	source->plan_path = opening->path;
	source->plan_reused = true;
	if (status == GRETA_OK)
		status = check_choices(opening, error);
	if (status != GRETA_OK)
		return status;
	const char *recorded = greta_plan_string(&source->plan, source->plan.header->model_path);
	const char *model = opening->options->model ? opening->options->model : recorded;
	struct greta_error reason;
	start = greta_clock_ms();
	status = greta_gguf_open(model, &source->gguf, &reason);
	source->model_ms = greta_clock_ms() - start;
	if (status == GRETA_ERROR_IO && !opening->options->model)
		return greta_fail(error, status,
		                  "%.300s (there plan %.100s found its model: say with -m where it is now)",
		                  reason.message, opening->path);
	if (status != GRETA_OK && error)
		*error = reason;
	return status;
}

/* ---- Given a model ---- */

/* Everything that a plan's bytes follow from, besides the model and where it lies. */
static uint64_t hash_choices(const struct greta_options *options, const char *target)
{
	struct {
		char target[16];
		char version[16];
		uint64_t abi_hash;
		uint32_t plan_version;
		uint32_t context, activations, kv, fuse, stamps, no_prefill;
		uint32_t prefill[GRETA_PREFILL_MAX];
		uint32_t unused; /* no bytes but these */
	} choices = {
		.abi_hash = greta_abi_hash(),
		.plan_version = GRETA_PLAN_VERSION,
		.context = options->context,
		.activations = options->activations ? options->activations : 4,
		.kv = options->kv == GRETA_OPEN_KV_F32 ? GRETA_KV_F32 : GRETA_KV_F16,
		.fuse = options->fuse == GRETA_OPEN_FUSE_NONE ? GRETA_FUSE_NONE : GRETA_FUSE_FULL,
		.stamps = options->stamps,
		.no_prefill = options->no_prefill,
	};
	snprintf(choices.target, sizeof(choices.target), "%s", target);
	snprintf(choices.version, sizeof(choices.version), "%s", GRETA_VERSION);
	for (size_t i = 0; i < GRETA_PREFILL_MAX && options->prefill[i]; i++)
		choices.prefill[i] = options->prefill[i];
	return XXH3_64bits(&choices, sizeof(choices));
}

static void tell_planning(void *user, uint64_t done, uint64_t total)
{
	const struct opening *opening = user;
	const struct greta_options *options = opening->options;
	options->progress(options->progress_user, "planning", done, total);
}

static enum greta_status plan_model(struct opening *opening, const char *target, struct greta_plan_image *out_image,
				    struct greta_error *error)
{
	const struct greta_options *options = opening->options;
	struct greta_llama llama;
	size_t prefills = 0;
	while (prefills < GRETA_PREFILL_MAX && options->prefill[prefills])
		prefills++;
	struct greta_plan_options how = {
		.target = target,
		.context = options->context,
		.prefill = prefills || options->no_prefill ? options->prefill : NULL,
		.prefill_count = prefills,
		.kv_type = options->kv == GRETA_OPEN_KV_F32 ? GRETA_KV_F32 : GRETA_KV_F16,
		.fuse = options->fuse == GRETA_OPEN_FUSE_NONE ? GRETA_FUSE_NONE : GRETA_FUSE_FULL,
		.activations = options->activations,
		.stamps = options->stamps,
		.threads = options->threads,
		.progress = options->progress ? tell_planning : NULL,
		.user = opening,
	};
	enum greta_status status = greta_llama_init(&llama, opening->source.gguf, error);
	if (status != GRETA_OK)
		return status;
	status = greta_plan_build(&llama, &how, out_image, error);
	greta_llama_finish(&llama);
	return status;
}

/* Says why nothing is kept from now on. */
static void do_without_cache(struct opening *opening, const char *reason)
{
	const struct greta_options *options = opening->options;
	if (options->warn)
		options->warn(options->progress_user, reason);
	free(opening->cache_folder);
	opening->cache_folder = NULL;
	opening->source.cache_folder = NULL;
}

/* A cached plan serves when it is sound and of this very model. One that is there and does not is told of: its name
 * says that it should. */
static bool open_cached(struct opening *opening, const uint8_t fingerprint[GRETA_FINGERPRINT_BYTES])
{
	const struct greta_options *options = opening->options;
	struct greta_error reason, line;
	struct greta_plan plan;
	if (!opening->plan_path)
		return false;
	enum greta_status status = greta_plan_open(opening->plan_path, &plan, &reason);
	if (status == GRETA_OK && memcmp(plan.header->model_fingerprint, fingerprint, GRETA_FINGERPRINT_BYTES) != 0) {
		greta_plan_close(&plan);
		status = greta_fail(&reason, GRETA_ERROR_FORMAT, "%s is another model's plan", opening->plan_path);
	}
	if ((status == GRETA_ERROR_FORMAT || status == GRETA_ERROR_MISMATCH) && options->warn) {
		greta_fail(&line, status, "planned again: %s", reason.message);
		options->warn(options->progress_user, line.message);
	}
	if (status != GRETA_OK)
		return false;
	greta_cache_used(opening->plan_path);
	opening->source.plan = plan;
	return true;
}

/* Puts a plan that was just made into the cache and opens it there. */
static bool keep_plan(struct opening *opening, const struct greta_plan_image *image,
		      const struct greta_content *content)
{
	struct greta_session_source *source = &opening->source;
	const struct greta_options *options = opening->options;
	struct greta_error reason;
	if (!opening->plan_path || !greta_content_is(content, source->gguf, options->threads))
		return false;
	if (greta_plan_write(opening->plan_path, image, &reason) != GRETA_OK ||
	    greta_plan_open(opening->plan_path, &source->plan, &reason) != GRETA_OK) {
		do_without_cache(opening, reason.message);
		return false;
	}
	greta_cache_trim(opening->cache_folder, options->cache_bytes ? options->cache_bytes : GRETA_CACHE_BYTES_DEFAULT,
			 opening->plan_path);
	return true;
}

/* Plans, keeps the plan in the cache if that can be done, else in memory. */
static enum greta_status make_plan(struct opening *opening, const char *target, const struct greta_content *content,
				   struct greta_error *error)
{
	struct greta_session_source *source = &opening->source;
	struct greta_plan_image image;
	enum greta_status status = plan_model(opening, target, &image, error);
	if (status != GRETA_OK)
		return status;
	if (!keep_plan(opening, &image, content)) {
		free(opening->plan_path);
		opening->plan_path = NULL;
		source->plan_memory = aligned_alloc(64, (image.size + 63) / 64 * 64);
		if (source->plan_memory) {
			memcpy(source->plan_memory, image.data, image.size);
			status = greta_plan_open_memory(source->plan_memory, image.size, &source->plan, error);
		} else {
			status = greta_fail(error, GRETA_ERROR_MEMORY, "no memory for a plan of %zu bytes", image.size);
		}
	}
	greta_plan_image_finish(&image);
	return status;
}

static enum greta_status open_model(struct opening *opening, struct greta_error *error)
{
	struct greta_session_source *source = &opening->source;
	uint8_t fingerprint[GRETA_FINGERPRINT_BYTES];
	struct greta_target_device device;
	struct greta_content content;
	if (opening->options->model)
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
		                  "%s is a model itself: a model besides (%s) is only named with a plan", opening->path,
		                  opening->options->model);
	double start = greta_clock_ms();
	enum greta_status status = greta_gguf_open(opening->path, &source->gguf, error);
	if (status != GRETA_OK)
		return status;
	greta_gguf_fingerprint(source->gguf, fingerprint);
	double opened = greta_clock_ms();
	source->model_ms = opened - start;
	/* What to plan for follows from what there is to run on. */
	status = greta_target_device_open(opening->options, NULL, "", &device, error);
	if (status != GRETA_OK)
		return status;
	source->hip = device.hip;
	source->give_hip = true;
	const struct greta_options *options = opening->options;
	if (opening->cache_folder && greta_content_find(&content, source->gguf, opening->cache_folder, options->threads,
							options->progress, options->progress_user))
		opening->plan_path = greta_cache_path(opening->cache_folder, content.hash,
						      hash_choices(options, device.target), "plan");
	source->plan_reused = open_cached(opening, fingerprint);
	if (!source->plan_reused) {
		status = make_plan(opening, device.target, &content, error);
		if (status != GRETA_OK)
			return status;
	}
	source->plan_path = opening->plan_path ? opening->plan_path : "";
	source->plan_ms = greta_clock_ms() - opened;
	return status;
}

/* ---- Both ---- */

static enum greta_status open_source(struct opening *opening, struct greta_error *error)
{
	struct greta_error reason;
	uint64_t magic = 0;
	enum greta_status status = read_magic(opening->path, &magic, error);
	if (status != GRETA_OK)
		return status;
	/* Without a usable cache folder everything is made anew, every time. */
	if (!opening->options->no_cache &&
	    greta_cache_folder(opening->options->cache, &opening->cache_folder, &reason) != GRETA_OK)
		do_without_cache(opening, reason.message);
	opening->source.cache_folder = opening->cache_folder;
	if (is_gguf(magic))
		return open_model(opening, error);
	if (magic == GRETA_PLAN_MAGIC)
		return open_plan(opening, error);
	return greta_fail(error, GRETA_ERROR_FORMAT, "%s is neither a GGUF model nor a plan", opening->path);
}

enum greta_status greta_open(const char *path, const struct greta_options *options, struct greta **out_greta,
			     struct greta_error *error)
{
	static const struct greta_options defaults;
	struct opening opening = {.path = path, .options = options ? options : &defaults};
	if (!path || !*path)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "no model and no plan named");
	opening.source.options = opening.options;
	opening.source.started_ms = greta_clock_ms();
	enum greta_status status = check_options(opening.options, error);
	if (status == GRETA_OK)
		status = open_source(&opening, error);
	if (status == GRETA_OK)
		status = greta_session_open(&opening.source, out_greta, error);
	if (status != GRETA_OK) {
		greta_hip_unload(opening.source.hip);
		greta_plan_close(&opening.source.plan);
		greta_gguf_close(opening.source.gguf);
		free(opening.source.plan_memory);
	}
	free(opening.plan_path);
	free(opening.cache_folder);
	return status;
}
