/* What greta-bench measures, and how it is written down.
 *
 * A configuration is a way to run the model: eager or as a graph, unfused or fused. All are open at once and take turns, so
 * that a slow moment of the machine meets all of them; a comparison is the median of ratios between neighbours in time.
 * Prefill is p tokens into an empty sequence until their logits are there; decode is n tokens sampled greedily behind one
 * token, end tokens ignored. Neither counts loading, planning or capture, which are given by themselves. */
#ifndef GRETA_BENCH_BENCH_H
#define GRETA_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/greta.h"

#define BENCH_CONFIGS_MAX 4
#define BENCH_RUNS_MAX 1000

struct bench_request {
	const char *model;
	struct greta_options options; /* what all configurations share */
	unsigned prompt, generate, runs;
	bool eager[2];                /* modes to run: eager[0] graph, eager[1] eager */
	bool fuse[2];                 /* fuse[0] none, fuse[1] full */
};

struct bench_spread {
	double median, min, max;
};

struct bench_config {
	bool eager, fuse_full;
	struct greta *greta;
	struct greta_stats opened;
	double *prefill, *decode;     /* [runs] seconds; NULL when not measured */
	struct bench_spread prefill_rate, decode_rate; /* tokens per second */
};

/* The median ratio of two configurations' times in the same run, a / b: below 1, a is faster. */
struct bench_ratio {
	size_t a, b;                  /* indices of configurations */
	struct bench_spread prefill, decode;
};

struct bench_result {
	const struct bench_request *request;
	struct greta_info info;       /* of the first configuration; strings live as long as it is open */
	char date[32];                /* UTC, ISO 8601 */
	double read_rate;             /* bytes per second; 0: not measured, on a device with memory of its own */
	uint64_t read_bytes;          /* the buffer it was measured over */
	size_t config_count;
	struct bench_config configs[BENCH_CONFIGS_MAX];
	size_t ratio_count;
	struct bench_ratio ratios[BENCH_CONFIGS_MAX];
};

/* Opens every configuration, measures, and leaves them open. bench_finish closes them, also after a failure. Progress goes to
 * stderr when it is a terminal. */
enum greta_status bench_run(const struct bench_request *request, struct bench_result *out_result,
                            struct greta_error *error);
void bench_finish(struct bench_result *result);

/* Median and ends of n values; reorders them. */
struct bench_spread bench_spread_of(double *values, size_t n);

/* "md", "csv" or "json"; false for another name. */
bool bench_report(const struct bench_result *result, const char *format, FILE *out);

#endif
