#include "bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/blocks.h"
#include "bench/configs.h"
#include "bench/device.h"
#include "bench/device_read_rate.h"
#include "bench/node_cost.h"
#include "bench/read_rate.h"
#include "bench/record.h"
#include "bench/version.h"
#include "models/terminal.h"
#include "planner/show.h"
#include "runtime/session.h"

struct measuring {
	const struct bench_request *request;
	struct bench_configs configs;
	struct bench_model model;
	int32_t *memory; /* of the tokens */
	struct bench_tokens tokens;
	double *samples[2]; /* of prefill and decode: [config][run] */
	json_t *document, *results;
	char *arena;
};

static enum greta_status no_memory(struct greta_error *error)
{
	return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for what is measured");
}

static void make_tokens(int32_t *tokens, size_t count, uint32_t vocab)
{
	uint32_t x = 12345;
	for (size_t i = 0; i < count; i++) {
		x = x * 1664525u + 1013904223u;
		tokens[i] = (int32_t)(((uint64_t)x * vocab) >> 32);
	}
}

/* On a terminal, before something is timed. Run 0 warms up. */
static void tell(const struct measuring *m, size_t depth, unsigned run, const struct bench_config *config,
                 const char *test)
{
	char which[40] = "before them";
	if (run)
		snprintf(which, sizeof(which), "%u of %u", run, m->request->runs);
	greta_terminal_line("depth %zu, run %s: %s of %s/%s", depth, which, test, config->eager ? "eager" : "graph",
	                    config->fuse_full ? "full" : "none");
}

/* ---- The device ---- */

static enum greta_status read_rate_of_host(unsigned threads, json_t **out_rate, struct greta_error *error)
{
	long pages = sysconf(_SC_AVPHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	uint64_t room = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page / 4 : 0;
	uint64_t bytes = UINT64_C(1) << 30;
	double rate;
	while (bytes > UINT64_C(1) << 26 && bytes > room)
		bytes /= 2;
	enum greta_status status = greta_read_rate(threads ? threads : 1, bytes, 5, &rate, error);
	if (status != GRETA_OK)
		return status;
	*out_rate = json_pack("{s:f, s:I, s:s, s:[f]}", "bytes_per_second", rate, "buffer_bytes", (json_int_t)bytes,
	                      "how", "the same threads, 8-byte words, the best of 5 passes", "samples", rate);
	return *out_rate ? GRETA_OK : no_memory(error);
}

static enum greta_status read_rate_of_device(const struct bench_device *device, json_t **out_rate,
                                             struct greta_error *error)
{
	struct bench_read_rate rate;
	enum greta_status status = bench_device_read_rate(device, BENCH_READ_MOST, BENCH_READ_LEAST, &rate, error);
	if (status != GRETA_OK || !rate.bytes)
		return status;
	*out_rate =
	    json_pack("{s:f, s:I, s:s, s:[f, f, f, f, f]}", "bytes_per_second", rate.samples[0], "buffer_bytes",
	              (json_int_t)rate.bytes, "how", "a kernel of 16-byte loads, the best of 5 times 8 passes",
	              "samples", rate.samples[0], rate.samples[1], rate.samples[2], rate.samples[3], rate.samples[4]);
	return *out_rate ? GRETA_OK : no_memory(error);
}

static enum greta_status measure_read_rate(const struct measuring *m, const struct bench_device *device,
                                           struct greta_error *error)
{
	json_t *rate = NULL;
	bool host = strcmp(device->hip->provider, "cpu") == 0;
	greta_terminal_line("how fast memory can be read");
	enum greta_status status =
	    host ? read_rate_of_host((unsigned)device->units, &rate, error) : read_rate_of_device(device, &rate, error);
	if (status == GRETA_OK && rate && json_object_set_new(m->document, "read_rate", rate))
		return no_memory(error);
	return status;
}

static enum greta_status measure_node_cost(const struct measuring *m, const struct bench_device *device,
                                           struct greta_error *error)
{
	json_t *rows;
	greta_terminal_line("empty launches");
	enum greta_status status = bench_node_cost(device, &rows, error);
	if (status == GRETA_OK && json_object_set_new(m->document, "node_cost", rows))
		return no_memory(error);
	return status;
}

/* Of the run; rows have their own, besides much else. */
static enum greta_status record_device(const struct measuring *m, const struct bench_device *device,
                                       struct greta_error *error)
{
	char date[32];
	time_t now = time(NULL);
	struct tm utc;
	gmtime_r(&now, &utc);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &utc);
	json_t *members = json_pack("{s:s, s:s, s:s, s:s, s:s}", "build_commit", GRETA_BUILD, "date", date, "device",
	                            device->name, "provider", device->hip->provider, "target", device->target);
	return json_object_update_missing_new(m->document, members) ? no_memory(error) : GRETA_OK;
}

/* ---- The tests ---- */

static enum greta_status prepare(struct measuring *m, struct greta_error *error)
{
	const struct bench_request *request = m->request;
	const struct greta_info *info = greta_get_info(m->configs.items[0].greta);
	size_t deepest = request->depth_count ? request->depths[request->depth_count - 1] : 0;
	size_t filler = deepest ? deepest : 1, count = filler + request->prompt;
	m->memory = calloc(count, sizeof(*m->memory));
	for (int t = 0; t < 2; t++)
		m->samples[t] = calloc(BENCH_CONFIGS_MAX * request->runs, sizeof(double));
	if (!m->memory || !m->samples[0] || !m->samples[1])
		return no_memory(error);
	make_tokens(m->memory, count, info->vocab);
	m->tokens =
	    (struct bench_tokens){.filler = m->memory, .prompt = m->memory + filler, .prompt_count = request->prompt};
	return bench_model_read(info->model_path, &m->model, error);
}

/* Run 0 warms up and is overwritten by run 1. */
static enum greta_status measure_depth(struct measuring *m, size_t depth, size_t *out_start, struct greta_error *error)
{
	const struct bench_request *request = m->request;
	enum greta_status status = GRETA_OK;
	for (unsigned run = 0; run <= request->runs; run++) {
		for (size_t c = 0; c < m->configs.count && status == GRETA_OK; c++) {
			struct bench_config *config = &m->configs.items[c];
			size_t slot = c * request->runs + (run ? run - 1 : 0);
			if (request->prompt) {
				tell(m, depth, run, config, "prefill");
				status = bench_time_prefill(config, &m->tokens, depth, &m->samples[0][slot], error);
			}
			if (status == GRETA_OK && request->generate) {
				tell(m, depth, run, config, "decode");
				status = bench_time_decode(config, &m->tokens, depth, request->generate,
				                           &m->samples[1][slot], out_start, error);
			}
		}
		if (status != GRETA_OK)
			return status;
	}
	return GRETA_OK;
}

static enum greta_status record_depth(struct measuring *m, size_t depth, size_t start, struct greta_error *error)
{
	const struct bench_request *request = m->request;
	for (int t = 0; t < 2; t++)
		for (size_t c = 0; c < m->configs.count; c++) {
			struct bench_test test = {.prompt = t ? 0 : request->prompt,
			                          .generate = t ? request->generate : 0,
			                          .depth = (unsigned)depth,
			                          .start = t ? start : depth,
			                          .samples = m->samples[t] + c * request->runs,
			                          .runs = request->runs};
			if (!test.prompt && !test.generate)
				continue;
			if (json_array_append_new(m->results,
			                          bench_record(request, &m->configs.items[c], &m->model, &test)))
				return no_memory(error);
		}
	return GRETA_OK;
}

static enum greta_status measure_blocks(struct measuring *m, size_t depth, struct greta_error *error)
{
	enum greta_status status = GRETA_OK;
	greta_terminal_line("depth %zu: logic blocks", depth);
	for (size_t c = 0; c < m->configs.count && status == GRETA_OK; c++)
		status = bench_blocks_measure(m->request, &m->configs.items[c], &m->tokens, depth, m->document, error);
	return status;
}

static enum greta_status measure_tests(struct measuring *m, struct greta_error *error)
{
	const struct bench_request *request = m->request;
	size_t start = 0;
	enum greta_status status = prepare(m, error);
	for (size_t d = 0; d < request->depth_count && status == GRETA_OK; d++) {
		status = measure_depth(m, request->depths[d], &start, error);
		if (status == GRETA_OK)
			status = record_depth(m, request->depths[d], start, error);
		if (status == GRETA_OK && request->blocks)
			status = measure_blocks(m, request->depths[d], error);
	}
	return status;
}

/* ---- The picture ---- */

/* Of the last configuration, which is the fused one where there are both. */
static enum greta_status draw_arena(struct measuring *m, struct greta_error *error)
{
	const struct greta_plan *plan = greta_session_plan(m->configs.items[m->configs.count - 1].greta);
	size_t size;
	uint32_t decode = 0;
	while (decode + 1 < plan->program_count && plan->programs[decode].kind != GRETA_PROGRAM_DECODE)
		decode++;
	FILE *out = open_memstream(&m->arena, &size);
	if (!out)
		return no_memory(error);
	greta_show_svg(plan, decode, out);
	bool failed = ferror(out);
	return fclose(out) || failed ? no_memory(error) : GRETA_OK;
}

static enum greta_status measure_model(struct measuring *m, struct greta_error *error)
{
	enum greta_status status = measure_tests(m, error);
	if (status == GRETA_OK && m->request->picture)
		status = draw_arena(m, error);
	return status;
}

static enum greta_status measure_all(struct measuring *m, struct greta_error *error)
{
	struct greta_options options = m->request->options;
	struct bench_device device;
	enum greta_status status = GRETA_OK;
	if (m->request->model) {
		status = bench_configs_open(m->request, bench_context(m->request), &m->configs, error);
		if (status == GRETA_OK)
			options.provider = greta_get_info(m->configs.items[0].greta)->provider;
	}
	if (status == GRETA_OK)
		status = bench_device_open(&options, &device, error);
	if (status != GRETA_OK)
		return status;
	status = record_device(m, &device, error);
	if (status == GRETA_OK)
		status = measure_read_rate(m, &device, error);
	if (status == GRETA_OK && m->request->model)
		status = measure_model(m, error);
	if (status == GRETA_OK && m->request->node_cost)
		status = measure_node_cost(m, &device, error);
	greta_terminal_line("%s", "");
	bench_device_close(&device);
	return status;
}

enum greta_status bench_measure(const struct bench_request *request, struct bench_outcome *out_outcome,
                                struct greta_error *error)
{
	struct measuring m = {.request = request, .document = json_object(), .results = json_array()};
	enum greta_status status = m.document && m.results ? measure_all(&m, error) : no_memory(error);
	if (status == GRETA_OK && request->model && json_object_set(m.document, "results", m.results))
		status = no_memory(error);
	bench_configs_close(&m.configs);
	json_decref(m.results);
	free(m.memory);
	free(m.samples[0]);
	free(m.samples[1]);
	struct bench_outcome outcome = {.document = m.document, .arena = m.arena};
	if (status == GRETA_OK)
		*out_outcome = outcome;
	else
		bench_outcome_finish(&outcome);
	return status;
}

void bench_outcome_finish(struct bench_outcome *outcome)
{
	json_decref(outcome->document);
	free(outcome->arena);
}
