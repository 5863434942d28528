#include "runtime/exec/report.h"
#include "models/json_text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

static double rate(uint64_t tokens, double ms)
{
	return ms > 0 ? (double)tokens * 1e3 / ms : 0;
}

void greta_exec_print_stats(const struct greta *greta, const struct greta_exec_arguments *arguments,
			    const struct greta_exec_result *result)
{
	const struct greta_info *info = greta_get_info(greta);
	const struct greta_sampling *sampling = &arguments->sampling;
	struct greta_stats stats;
	greta_get_stats(greta, &stats);
	fprintf(stderr, "model       %s%s%s, %.1f MB\n", info->model_path, *info->model_name ? ": " : "",
	        info->model_name, (double)stats.model_bytes * 1e-6);
	fprintf(stderr, "plan        %s%s, %.1f ms; target %s, context %u, x%u activations, %s KV, fuse %s\n",
		*info->plan_path ? info->plan_path : "in memory", stats.plan_reused ? " (reused)" : "", stats.plan_ms,
		info->target, info->context, info->activations * 8, info->kv_f32 ? "f32" : "f16",
		info->fuse_full ? "full" : "none");
	fprintf(stderr, "device      %s (%s", info->device, info->provider);
	if (info->threads)
		fprintf(stderr, ", %u thread%s", info->threads, info->threads == 1 ? "" : "s");
	fprintf(stderr, ", %s kernels)\n", info->kernels);
	fprintf(stderr,
	        "memory      %" PRIu64 " bytes allocated on the device (planned %" PRIu64 "), %" PRIu64 " pinned on the host; %.1f "
	        "MB of weights mapped\n",
	        stats.device_bytes, stats.planned_bytes, stats.host_bytes, (double)stats.mapped_bytes * 1e-6);
	fprintf(stderr, "weights     %.1f ms%s; packing %.1f ms, uploading %.1f ms", stats.weights_ms,
	        stats.weights_reused ? " (reused)" : "", stats.pack_ms, stats.upload_ms);
	if (stats.upload_ms > 0)
		fprintf(stderr, " (%.1f MB, %.2f GB/s)", (double)stats.upload_bytes * 1e-6,
		        (double)stats.upload_bytes * 1e-6 / stats.upload_ms);
	fputc('\n', stderr);
	if (info->eager)
		fprintf(stderr, "step        %u launches, eager\n", stats.launches_per_step);
	else
		fprintf(stderr, "step        %u launches, %u graph nodes; capture %.2f ms, instantiate %.2f ms\n",
			stats.launches_per_step, stats.nodes_per_step, stats.capture_ms, stats.instantiate_ms);
	fprintf(stderr, "open        %.1f ms (model %.1f ms); first token after %.1f ms\n", stats.open_ms,
	        stats.model_ms, stats.first_token_ms);
	fprintf(stderr, "prefill     %" PRIu64 " tokens, %.1f ms, %.1f tokens/s\n", stats.prefill_tokens,
	        stats.prefill_ms, rate(stats.prefill_tokens, stats.prefill_ms));
	fprintf(stderr, "decode      %" PRIu64 " tokens, %.1f ms, %.1f tokens/s, %.1f GB/s of weights\n",
	        stats.decode_tokens, stats.decode_ms, rate(stats.decode_tokens, stats.decode_ms),
	        rate(stats.decode_tokens, stats.decode_ms) * (double)stats.step_weight_bytes * 1e-9);
	fprintf(stderr, "sampling    temperature %g, top-k %u, top-p %g, min-p %g, seed %" PRIu64 "\n",
		(double)sampling->temperature, sampling->top_k, (double)sampling->top_p, (double)sampling->min_p,
		sampling->seed);
	fprintf(stderr, "stopped     %s after %zu token%s\n", result->stop, result->token_count,
		result->token_count == 1 ? "" : "s");
}

static json_t *array_of(const int32_t *tokens, size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; array && i < count; i++) {
		if (json_array_append_new(array, json_integer(tokens[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *stats_object(const struct greta *greta)
{
	struct greta_stats s;
	greta_get_stats(greta, &s);
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:I, s:f, "
	                 "s:f, s:I, s:f, s:f, s:f}",
	                 "open_ms", s.open_ms, "model_ms", s.model_ms, "plan_ms", s.plan_ms, "weights_ms", s.weights_ms,
	                 "pack_ms", s.pack_ms, "upload_ms", s.upload_ms, "capture_ms", s.capture_ms, "instantiate_ms",
	                 s.instantiate_ms, "plan_reused", s.plan_reused, "weights_reused", s.weights_reused,
	                 "model_bytes", (json_int_t)s.model_bytes, "mapped_bytes", (json_int_t)s.mapped_bytes,
	                 "upload_bytes", (json_int_t)s.upload_bytes, "device_bytes", (json_int_t)s.device_bytes,
	                 "planned_bytes", (json_int_t)s.planned_bytes, "host_bytes", (json_int_t)s.host_bytes,
	                 "step_weight_bytes",
	                 (json_int_t)s.step_weight_bytes, "launches_per_step", (int)s.launches_per_step,
	                 "nodes_per_step", (int)s.nodes_per_step, "prefill_tokens", (json_int_t)s.prefill_tokens,
	                 "prefill_ms", s.prefill_ms, "prefill_tokens_per_s", rate(s.prefill_tokens, s.prefill_ms),
	                 "decode_tokens", (json_int_t)s.decode_tokens, "decode_ms", s.decode_ms, "decode_tokens_per_s",
	                 rate(s.decode_tokens, s.decode_ms), "first_token_ms", s.first_token_ms);
}

static json_t *info_object(const struct greta_info *info)
{
	char fingerprint[33];
	for (size_t i = 0; i < 16; i++)
		snprintf(fingerprint + 2 * i, 3, "%02x", info->model_fingerprint[i]);
	return json_pack("{s:o, s:o, s:o, s:s, s:s, s:s, s:o, s:s, s:i, s:i, s:i, s:i, s:s, s:s, s:b}", "model",
	                 greta_json_text(info->model_path), "name", greta_json_text(info->model_name), "plan",
	                 greta_json_text(info->plan_path), "fingerprint", fingerprint, "target", info->target,
	                 "provider", info->provider, "device", greta_json_text(info->device), "kernels", info->kernels,
	                 "threads", (int)info->threads, "context", (int)info->context, "vocab", (int)info->vocab,
	                 "activation_bits", (int)info->activations * 8, "kv", info->kv_f32 ? "f32" : "f16", "fuse",
	                 info->fuse_full ? "full" : "none", "eager", info->eager);
}

static json_t *sampling_object(const struct greta_sampling *sampling)
{
	char seed[24]; /* beyond what every JSON reader keeps of a number */
	snprintf(seed, sizeof(seed), "%" PRIu64, sampling->seed);
	return json_pack("{s:f, s:I, s:f, s:f, s:s}", "temperature", (double)sampling->temperature, "top_k",
	                 (json_int_t)sampling->top_k, "top_p", (double)sampling->top_p, "min_p",
	                 (double)sampling->min_p, "seed", seed);
}

bool greta_exec_print_json(const struct greta *greta, const struct greta_exec_arguments *arguments,
			   const struct greta_exec_result *result)
{
	json_t *prompt = array_of(result->prompt_tokens, result->prompt_count);
	json_t *tokens = array_of(result->tokens, result->token_count);
	json_t *text = json_stringn(result->text ? result->text : "", result->text_length);
	json_t *object = json_pack("{s:o, s:o, s:o, s:s, s:s*, s:o, s:o, s:o}", "text", text, "tokens", tokens,
	                           "prompt_tokens", prompt, "stop", result->stop, "logits_hash", result->hash,
	                           "sampling", sampling_object(&arguments->sampling), "stats", stats_object(greta),
	                           "model", info_object(greta_get_info(greta)));
	bool good = object && json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) == 0 &&
	            putchar('\n') != EOF && fflush(stdout) == 0;
	json_decref(object);
	return good;
}
