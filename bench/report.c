#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "bench/bench.h"
#include "bench/version.h"

static const char *mode_name(const struct bench_config *config) { return config->eager ? "eager" : "graph"; }

static const char *fuse_name(const struct bench_config *config) { return config->fuse_full ? "full" : "none"; }

static void fingerprint_text(const struct greta_info *info, char out[33])
{
	for (size_t i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", info->model_fingerprint[i]);
}

static double step_us(const struct bench_config *config)
{
	return config->decode_rate.median > 0 ? 1e6 / config->decode_rate.median : 0;
}

/* Weight bytes per second at the median decode rate. */
static double bandwidth(const struct bench_config *config)
{
	return config->decode_rate.median * (double)config->opened.step_weight_bytes;
}

/* The bandwidth as a share of the read rate, "" where that is not known. */
static const char *share_text(const struct bench_result *result, const struct bench_config *config, char text[16])
{
	text[0] = '\0';
	if (result->read_rate > 0)
		snprintf(text, 16, "%.0f%%", 100 * bandwidth(config) / result->read_rate);
	return text;
}

static void markdown_ratio(const struct bench_result *result, const struct bench_ratio *ratio, FILE *out)
{
	const struct bench_config *a = &result->configs[ratio->a], *b = &result->configs[ratio->b];
	fprintf(out, "- %s/%s to %s/%s:", mode_name(a), fuse_name(a), mode_name(b), fuse_name(b));
	if (result->request->generate)
		fprintf(out, " decode step %.3f of the time (%.3f to %.3f)", ratio->decode.median, ratio->decode.min,
		        ratio->decode.max);
	if (result->request->prompt)
		fprintf(out, "%s prefill %.3f (%.3f to %.3f)", result->request->generate ? "," : "", ratio->prefill.median,
		        ratio->prefill.min, ratio->prefill.max);
	fprintf(out, "\n");
}

static void report_markdown(const struct bench_result *result, FILE *out)
{
	const struct greta_info *info = &result->info;
	const struct bench_request *request = result->request;
	char hash[33];
	fingerprint_text(info, hash);
	fprintf(out, "greta-bench %s, %s\n\n", GRETA_BUILD, result->date);
	fprintf(out, "- model: %s (%s), %.1f MB, fingerprint %s\n", info->model_name[0] ? info->model_name : "unnamed",
	        request->model, (double)result->configs[0].opened.model_bytes * 1e-6, hash);
	fprintf(out, "- device: %s, provider %s, kernels %s, %u threads\n", info->device, info->provider, info->kernels,
	        info->threads);
	fprintf(out, "- plan: target %s, context %u, activations x%u, KV %s\n", info->target, info->context,
	        info->activations * 8, info->kv_f32 ? "f32" : "f16");
	fprintf(out, "- measured: prompt of %u tokens, %u tokens decoded after one, %u runs taking turns, median (min to max)\n",
	        request->prompt, request->generate, request->runs);
	fprintf(out, "- weights read by a decode step: %.1f MB; ", (double)result->configs[0].opened.step_weight_bytes * 1e-6);
	if (result->read_rate > 0)
		fprintf(out, "the machine reads %.1f GB/s (%.0f MB buffer, same threads)\n\n", result->read_rate * 1e-9,
		        (double)result->read_bytes * 1e-6);
	else
		fprintf(out, "the device's read rate is not measured\n\n");
	fprintf(out, "| mode | fuse | launches/step | nodes/step | prefill tok/s | decode tok/s | us/step | us/launch | GB/s | "
	             "of read rate | capture ms | instantiate ms |\n");
	fprintf(out, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
	for (size_t c = 0; c < result->config_count; c++) {
		const struct bench_config *config = &result->configs[c];
		const struct greta_stats *opened = &config->opened;
		char share[16];
		fprintf(out, "| %s | %s | %u | %u | %.1f (%.1f to %.1f) | %.2f (%.2f to %.2f) | %.1f | %.2f | %.2f | %s | %.3f | %.3f |\n",
		        mode_name(config), fuse_name(config), opened->launches_per_step, opened->nodes_per_step,
		        config->prefill_rate.median, config->prefill_rate.min, config->prefill_rate.max,
		        config->decode_rate.median, config->decode_rate.min, config->decode_rate.max, step_us(config),
		        step_us(config) / opened->launches_per_step, bandwidth(config) * 1e-9,
		        share_text(result, config, share), opened->capture_ms, opened->instantiate_ms);
	}
	if (result->read_rate > 0 && bandwidth(&result->configs[0]) > result->read_rate)
		fprintf(out, "\nThe weights stay in a cache, whose rate is not memory's: the share says nothing here.\n");
	if (result->ratio_count)
		fprintf(out, "\nRatios of neighbouring runs, median (min to max):\n\n");
	for (size_t r = 0; r < result->ratio_count; r++)
		markdown_ratio(result, &result->ratios[r], out);
}

static json_t *spread_json(struct bench_spread spread)
{
	return json_pack("{s:f, s:f, s:f}", "median", spread.median, "min", spread.min, "max", spread.max);
}

/* One flat record per configuration: everything that is needed to know what was measured. */
static json_t *config_json(const struct bench_result *result, const struct bench_config *config)
{
	const struct greta_info *info = &result->info;
	const struct bench_request *request = result->request;
	const struct greta_stats *opened = &config->opened;
	char hash[33];
	fingerprint_text(info, hash);
	json_t *record = json_pack(
	    "{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:s, s:s, s:i, s:i, s:i}",
	    "build", GRETA_BUILD, "date", result->date, "model", request->model, "model_name", info->model_name,
	    "model_fingerprint", hash, "model_bytes", (json_int_t)opened->model_bytes, "device", info->device, "provider",
	    info->provider, "target", info->target, "kernels", info->kernels, "threads", (int)info->threads, "context",
	    (int)info->context, "activations", (int)info->activations * 8, "kv", info->kv_f32 ? "f32" : "f16", "mode",
	    mode_name(config), "fuse", fuse_name(config), "n_prompt", (int)request->prompt, "n_gen", (int)request->generate,
	    "runs", (int)request->runs);
	if (!record)
		return NULL;
	json_object_set_new(record, "prefill_tokens_per_second", spread_json(config->prefill_rate));
	json_object_set_new(record, "decode_tokens_per_second", spread_json(config->decode_rate));
	json_object_set_new(record, "launches_per_step", json_integer(opened->launches_per_step));
	json_object_set_new(record, "nodes_per_step", json_integer(opened->nodes_per_step));
	json_object_set_new(record, "step_us", json_real(step_us(config)));
	json_object_set_new(record, "launch_us", json_real(step_us(config) / opened->launches_per_step));
	json_object_set_new(record, "step_weight_bytes", json_integer((json_int_t)opened->step_weight_bytes));
	json_object_set_new(record, "weight_bytes_per_second", json_real(bandwidth(config)));
	json_object_set_new(record, "read_bytes_per_second", json_real(result->read_rate));
	json_object_set_new(record, "capture_ms", json_real(opened->capture_ms));
	json_object_set_new(record, "instantiate_ms", json_real(opened->instantiate_ms));
	json_object_set_new(record, "open_ms", json_real(opened->open_ms));
	return record;
}

static json_t *ratio_json(const struct bench_result *result, const struct bench_ratio *ratio)
{
	const struct bench_config *a = &result->configs[ratio->a], *b = &result->configs[ratio->b];
	return json_pack("{s:{s:s, s:s}, s:{s:s, s:s}, s:o, s:o}", "of", "mode", mode_name(a), "fuse", fuse_name(a), "to",
	                 "mode", mode_name(b), "fuse", fuse_name(b), "decode_time", spread_json(ratio->decode),
	                 "prefill_time", spread_json(ratio->prefill));
}

static void report_json(const struct bench_result *result, FILE *out)
{
	json_t *records = json_array(), *ratios = json_array();
	for (size_t c = 0; c < result->config_count; c++)
		json_array_append_new(records, config_json(result, &result->configs[c]));
	for (size_t r = 0; r < result->ratio_count; r++)
		json_array_append_new(ratios, ratio_json(result, &result->ratios[r]));
	json_t *whole = json_pack("{s:o, s:o}", "results", records, "ratios", ratios);
	json_dumpf(whole, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	fprintf(out, "\n");
	json_decref(whole);
}

/* The columns are the members of the JSON records, spreads taken apart. */
static void csv_row(json_t *record, bool names, FILE *out)
{
	const char *key, *separator = "";
	json_t *value;
	json_object_foreach(record, key, value) {
		const char *part;
		json_t *inner;
		if (json_is_object(value)) {
			json_object_foreach(value, part, inner) {
				if (names)
					fprintf(out, "%s%s_%s", separator, key, part);
				else
					fprintf(out, "%s%.6g", separator, json_number_value(inner));
				separator = ",";
			}
			continue;
		}
		fputs(separator, out);
		separator = ",";
		if (names)
			fputs(key, out);
		else if (json_is_integer(value))
			fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		else if (json_is_real(value))
			fprintf(out, "%.6g", json_real_value(value));
		else {
			fputc('"', out);
			for (const char *c = json_string_value(value); *c; c++)
				fprintf(out, *c == '"' ? "\"\"" : "%c", *c);
			fputc('"', out);
		}
	}
	fputc('\n', out);
}

static void report_csv(const struct bench_result *result, FILE *out)
{
	for (size_t c = 0; c < result->config_count; c++) {
		json_t *record = config_json(result, &result->configs[c]);
		if (c == 0)
			csv_row(record, true, out);
		csv_row(record, false, out);
		json_decref(record);
	}
}

bool bench_report(const struct bench_result *result, const char *format, FILE *out)
{
	if (strcmp(format, "md") == 0)
		report_markdown(result, out);
	else if (strcmp(format, "csv") == 0)
		report_csv(result, out);
	else if (strcmp(format, "json") == 0)
		report_json(result, out);
	else
		return false;
	return true;
}
