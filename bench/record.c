#include "bench/record.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/version.h"
#include "models/gguf.h"
#include "models/json_text.h"
#include "runtime/session.h"

#define TYPES_MAX 64 /* GGUF's numbers of types that this project knows are smaller */

static void describe(const struct greta_gguf *gguf, const uint64_t bytes_of[TYPES_MAX], struct bench_model *model)
{
	struct greta_gguf_string architecture = {"", 0};
	struct greta_error unimportant;
	uint32_t most = 0;
	for (uint32_t t = 0; t < TYPES_MAX; t++)
		if (bytes_of[t] > bytes_of[most])
			most = t;
	(void)greta_gguf_get_string(gguf, "general.architecture", &architecture, &unimportant);
	const struct greta_type_info *type = greta_type_info(most);
	bool billions = model->params >= 1000000000;
	snprintf(model->type, sizeof(model->type), "%.*s %.1f%c %s",
	         architecture.length < 16 ? (int)architecture.length : 16, architecture.data,
	         (double)model->params * (billions ? 1e-9 : 1e-6), billions ? 'B' : 'M', type ? type->name : "");
}

enum greta_status bench_model_read(const char *path, struct bench_model *out_model, struct greta_error *error)
{
	struct greta_gguf *gguf;
	struct bench_model model = {.bytes = 0};
	uint64_t bytes_of[TYPES_MAX] = {0};
	enum greta_status status = greta_gguf_open(path, &gguf, error);
	if (status != GRETA_OK)
		return status;
	for (size_t i = 0; i < greta_gguf_tensor_count(gguf); i++) {
		const struct greta_gguf_tensor *tensor = greta_gguf_tensor(gguf, i);
		model.bytes += tensor->bytes;
		model.params += tensor->bytes / tensor->type->block_bytes * tensor->type->block_values;
		if ((unsigned)tensor->type->type < TYPES_MAX)
			bytes_of[tensor->type->type] += tensor->bytes;
	}
	describe(gguf, bytes_of, &model);
	greta_gguf_close(gguf);
	*out_model = model;
	return GRETA_OK;
}

/* "" where the machine does not say. */
static void read_cpu_name(char out[128])
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[256];
	out[0] = '\0';
	while (file && !out[0] && fgets(line, sizeof(line), file)) {
		const char *colon = strchr(line, ':');
		if (strncmp(line, "model name", 10) == 0 && colon)
			snprintf(out, 128, "%.*s",
			         (int)strcspn(colon + 2, "\n") < 127 ? (int)strcspn(colon + 2, "\n") : 127, colon + 2);
	}
	if (file)
		fclose(file);
}

json_t *bench_samples(const double *values, size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count && array; i++)
		if (json_array_append_new(array, json_integer((json_int_t)llround(values[i])))) {
			json_decref(array);
			array = NULL;
		}
	return array;
}

/* K and V that one step reads, on average over the test's steps: each reads all positions up to its own. */
static double step_kv_bytes(const struct greta_info *info, const struct bench_test *test)
{
	double positions = (double)test->start + (test->generate + 1) / 2.0;
	return 2.0 * info->layers * info->kv_heads * info->head_dim * (info->kv_f32 ? 4 : 2) * positions;
}

/* llama-bench's members, in its order. */
static json_t *peer_members(const struct greta_info *info, const struct bench_model *model,
                            const struct bench_test *test)
{
	bool cpu = strcmp(info->provider, "cpu") == 0;
	unsigned chunk = 1;
	char now_text[32], cpu_name[128];
	time_t now = time(NULL);
	struct tm utc;
	for (size_t i = 0; i < GRETA_PREFILL_MAX && info->prefill[i]; i++)
		chunk = info->prefill[i];
	gmtime_r(&now, &utc);
	strftime(now_text, sizeof(now_text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	read_cpu_name(cpu_name);
	const char *kv = info->kv_f32 ? "f32" : "f16";
	return json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:i, s:i, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:s,"
	                 " s:i, s:i, s:f, s:f, s:n, s:n}",
	                 "build_commit", GRETA_BUILD, "cpu_info", greta_json_text(cpu_name), "gpu_info",
	                 greta_json_text(cpu ? "" : info->device), "backends", info->provider, "model_filename",
	                 greta_json_text(info->model_path), "model_type", greta_json_text(model->type),
	                 "model_size", (json_int_t)model->bytes, "model_n_params", (json_int_t)model->params, "n_batch",
	                 (int)chunk, "n_ubatch", (int)chunk, "n_threads", (int)info->threads, "type_k", kv, "type_v",
	                 kv, "n_gpu_layers", cpu ? 0 : (int)info->layers, "n_prompt", (int)test->prompt, "n_gen",
	                 (int)test->generate, "n_depth", (int)test->depth, "test_time", now_text, "avg_ns", 0,
	                 "stddev_ns", 0, "avg_ts", 0.0, "stddev_ts", 0.0, "samples_ns", "samples_ts");
}

/* This project's own. */
static json_t *own_members(const struct bench_request *request, const struct bench_config *config,
                           const struct bench_test *test)
{
	const struct greta_info *info = greta_get_info(config->greta);
	const struct greta_plan_header *plan = greta_session_plan(config->greta)->header;
	struct greta_stats opened;
	char fingerprint[33], checksum[17];
	greta_get_stats(config->greta, &opened);
	for (size_t i = 0; i < 16; i++)
		snprintf(fingerprint + 2 * i, 3, "%02x", info->model_fingerprint[i]);
	snprintf(checksum, sizeof(checksum), "%016" PRIx64, plan->checksum);
	return json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:o, s:s, s:s, s:i, s:i, s:i, s:i, s:I, s:i, s:i, s:f, s:f, s:f}",
	                 "mode", config->eager ? "eager" : "graph", "fuse", config->fuse_full ? "full" : "none",
	                 "device", greta_json_text(info->device), "provider", info->provider, "target", info->target,
	                 "kernels", info->kernels, "model_name", greta_json_text(info->model_name),
	                 "model_fingerprint", fingerprint, "plan_checksum", checksum,
	                 "context", (int)info->context, "activations", (int)info->activations * 8, "runs",
	                 (int)request->runs, "processes", 1, "start_position", (json_int_t)test->start,
	                 "launches_per_step", (int)opened.launches_per_step, "nodes_per_step", (int)opened.nodes_per_step,
	                 "capture_ms", opened.capture_ms, "instantiate_ms", opened.instantiate_ms, "open_ms",
	                 opened.open_ms);
}

/* Of a decode step; empty for prefill. */
static json_t *step_members(const struct bench_config *config, const struct bench_test *test)
{
	struct greta_stats opened;
	if (!test->generate)
		return json_object();
	greta_get_stats(config->greta, &opened);
	return json_pack("{s:I, s:I}", "step_weight_bytes", (json_int_t)opened.step_weight_bytes, "step_kv_bytes",
	                 (json_int_t)step_kv_bytes(greta_get_info(config->greta), test));
}

json_t *bench_record(const struct bench_request *request, const struct bench_config *config,
                     const struct bench_model *model, const struct bench_test *test)
{
	json_t *row = peer_members(greta_get_info(config->greta), model, test);
	json_t *samples = bench_samples(test->samples, test->runs);
	bool good = row && json_object_set_new(row, "samples_ns", samples) == 0 &&
	            json_object_update_new(row, own_members(request, config, test)) == 0 &&
	            json_object_update_new(row, step_members(config, test)) == 0;
	if (good)
		return row;
	if (!row)
		json_decref(samples);
	json_decref(row);
	return NULL;
}
