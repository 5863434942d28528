#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/clock.h"
#include "bench/read_rate.h"

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

struct bench_spread bench_spread_of(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	double median = n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
	return (struct bench_spread){median, values[0], values[n - 1]};
}

/* Any tokens do; these are spread over the vocabulary and the same every time. */
static void make_prompt(int32_t *tokens, size_t count, uint32_t vocab)
{
	uint32_t x = 12345;
	for (size_t i = 0; i < count; i++) {
		x = x * 1664525u + 1013904223u;
		tokens[i] = (int32_t)(((uint64_t)x * vocab) >> 32);
	}
}

static enum greta_status time_prefill(struct bench_config *config, const int32_t *tokens, size_t count, double *out_seconds,
                                      struct greta_error *error)
{
	const float *logits;
	enum greta_status status = greta_truncate(config->greta, 0, error);
	double begin = greta_seconds();
	if (!status)
		status = greta_feed(config->greta, tokens, count, error);
	if (!status)
		status = greta_logits(config->greta, &logits, error);
	if (!status)
		*out_seconds = greta_seconds() - begin;
	return status;
}

static enum greta_status time_decode(struct bench_config *config, int32_t first, size_t count, double *out_seconds,
                                     struct greta_error *error)
{
	enum greta_status status = greta_truncate(config->greta, 0, error);
	if (!status)
		status = greta_feed(config->greta, &first, 1, error);
	double begin = greta_seconds();
	if (!status)
		status = greta_generate(config->greta, count, GRETA_IGNORE_END, NULL, NULL, NULL, NULL, error);
	if (!status)
		*out_seconds = greta_seconds() - begin;
	return status;
}

static void progress(const char *what, unsigned done, unsigned total)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%s %u/%u%s", what, done, total, done == total ? "\r\033[K" : "");
}

/* Run 0 warms up and is overwritten by run 1. */
static enum greta_status measure_all(struct bench_result *result, const int32_t *prompt, struct greta_error *error)
{
	const struct bench_request *request = result->request;
	for (unsigned run = 0; run <= request->runs; run++) {
		size_t slot = run ? run - 1 : 0;
		for (size_t c = 0; c < result->config_count; c++) {
			struct bench_config *config = &result->configs[c];
			enum greta_status status = GRETA_OK;
			if (request->prompt)
				status = time_prefill(config, prompt, request->prompt, &config->prefill[slot], error);
			if (!status && request->generate)
				status = time_decode(config, prompt[0], request->generate, &config->decode[slot], error);
			if (status)
				return status;
		}
		progress("run", run, request->runs);
	}
	return GRETA_OK;
}

static enum greta_status open_config(struct bench_result *result, bool eager, bool fuse_full, struct greta_error *error)
{
	const struct bench_request *request = result->request;
	struct greta_options options = request->options;
	options.eager = eager;
	options.fuse = fuse_full ? GRETA_OPEN_FUSE_FULL : GRETA_OPEN_FUSE_NONE;
	struct bench_config *config = &result->configs[result->config_count];
	*config = (struct bench_config){.eager = eager, .fuse_full = fuse_full};
	enum greta_status status = greta_open(request->model, &options, &config->greta, error);
	if (status)
		return status;
	result->config_count++;
	config->prefill = calloc(request->runs, sizeof(double));
	config->decode = calloc(request->runs, sizeof(double));
	if (!config->prefill || !config->decode)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %u runs", request->runs);
	greta_get_stats(config->greta, &config->opened);
	return GRETA_OK;
}

static enum greta_status open_all(struct bench_result *result, struct greta_error *error)
{
	const struct bench_request *request = result->request;
	for (int fuse = 0; fuse < 2; fuse++)
		for (int eager = 1; eager >= 0; eager--) {
			if (!request->fuse[fuse] || !request->eager[eager])
				continue;
			enum greta_status status = open_config(result, eager, fuse, error);
			if (status)
				return status;
		}
	result->info = *greta_get_info(result->configs[0].greta);
	return GRETA_OK;
}

/* Of the host's memory: for kernels that run on the host. */
static enum greta_status measure_read_rate(struct bench_result *result, struct greta_error *error)
{
	if (strcmp(result->info.provider, "cpu") != 0)
		return GRETA_OK;
	long pages = sysconf(_SC_AVPHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	uint64_t room = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page / 4 : 0;
	result->read_bytes = UINT64_C(1) << 30;
	while (result->read_bytes > UINT64_C(1) << 26 && result->read_bytes > room)
		result->read_bytes /= 2;
	return greta_read_rate(result->info.threads ? result->info.threads : 1, result->read_bytes, 5, &result->read_rate,
	                       error);
}

/* Paired ratios of a's times to b's, run by run. */
static struct bench_spread ratio_of(const double *a, const double *b, size_t runs, double *scratch)
{
	for (size_t i = 0; i < runs; i++)
		scratch[i] = b[i] > 0 ? a[i] / b[i] : NAN;
	return bench_spread_of(scratch, runs);
}

/* Graph against eager at each fusion, full against none in each mode. */
static void compare_configs(struct bench_result *result, double *scratch)
{
	size_t runs = result->request->runs;
	for (size_t a = 0; a < result->config_count; a++)
		for (size_t b = 0; b < result->config_count; b++) {
			const struct bench_config *x = &result->configs[a], *y = &result->configs[b];
			bool graph = !x->eager && y->eager && x->fuse_full == y->fuse_full;
			bool fusion = x->fuse_full && !y->fuse_full && x->eager == y->eager;
			if (!graph && !fusion)
				continue;
			struct bench_ratio *ratio = &result->ratios[result->ratio_count++];
			*ratio = (struct bench_ratio){.a = a, .b = b};
			ratio->prefill = ratio_of(x->prefill, y->prefill, runs, scratch);
			ratio->decode = ratio_of(x->decode, y->decode, runs, scratch);
		}
}

static void rate_all(struct bench_result *result, double *scratch)
{
	const struct bench_request *request = result->request;
	for (size_t c = 0; c < result->config_count; c++) {
		struct bench_config *config = &result->configs[c];
		for (unsigned i = 0; i < request->runs; i++)
			scratch[i] = request->prompt ? request->prompt / config->prefill[i] : 0;
		config->prefill_rate = bench_spread_of(scratch, request->runs);
		for (unsigned i = 0; i < request->runs; i++)
			scratch[i] = request->generate ? request->generate / config->decode[i] : 0;
		config->decode_rate = bench_spread_of(scratch, request->runs);
	}
}

enum greta_status bench_run(const struct bench_request *request, struct bench_result *out_result, struct greta_error *error)
{
	*out_result = (struct bench_result){.request = request};
	time_t now = time(NULL);
	struct tm utc;
	gmtime_r(&now, &utc);
	strftime(out_result->date, sizeof(out_result->date), "%Y-%m-%dT%H:%M:%SZ", &utc);

	size_t prompt_count = request->prompt ? request->prompt : 1;
	int32_t *prompt = calloc(prompt_count, sizeof(*prompt));
	double *scratch = calloc(request->runs, sizeof(*scratch));
	enum greta_status status = GRETA_OK;
	if (!prompt || !scratch)
		status = greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu tokens and %u runs", prompt_count, request->runs);
	if (!status)
		status = open_all(out_result, error);
	if (!status)
		status = measure_read_rate(out_result, error);
	if (!status) {
		make_prompt(prompt, prompt_count, out_result->info.vocab);
		status = measure_all(out_result, prompt, error);
	}
	if (!status) {
		compare_configs(out_result, scratch);
		rate_all(out_result, scratch);
	}
	for (size_t c = 0; c < out_result->config_count && !status; c++) {
		struct greta_stats *opened = &out_result->configs[c].opened, now_stats;
		greta_get_stats(out_result->configs[c].greta, &now_stats);
		opened->capture_ms = now_stats.capture_ms; /* prefill programs are captured at first use */
		opened->instantiate_ms = now_stats.instantiate_ms;
	}
	free(prompt);
	free(scratch);
	return status;
}

void bench_finish(struct bench_result *result)
{
	for (size_t c = 0; c < result->config_count; c++) {
		greta_close(result->configs[c].greta);
		free(result->configs[c].prefill);
		free(result->configs[c].decode);
	}
	result->config_count = 0;
}
