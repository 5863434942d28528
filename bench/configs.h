/* The ways in which greta-bench runs a model, each an open session of its own, and the two things that are timed in
 * one. All are open at once and take turns, so that a slow moment of the machine meets all of them. */
#ifndef GRETA_BENCH_CONFIGS_H
#define GRETA_BENCH_CONFIGS_H

#include <stdint.h>

#include "bench/request.h"

#define BENCH_CONFIGS_MAX 4

struct bench_config {
	bool eager, fuse_full;
	struct greta *greta;
	size_t filled; /* positions from 0 on that hold the filler's tokens */
};

struct bench_configs {
	size_t count;
	struct bench_config items[BENCH_CONFIGS_MAX];
};

/* Tokens that fill the cache and make the prompts: any do; these are spread over the vocabulary and the same every
 * time. */
struct bench_tokens {
	const int32_t *filler; /* as many as the deepest test has, at least 1 */
	const int32_t *prompt;
	size_t prompt_count;
};

/* Positions that the request's tests need. */
unsigned bench_context(const struct bench_request *request);

/* Opens what the request names, over `context` positions unless the request has a number. On failure nothing stays
 * open. */
enum greta_status bench_configs_open(const struct bench_request *request, unsigned context,
                                     struct bench_configs *out_configs, struct greta_error *error);
void bench_configs_close(struct bench_configs *configs);

/* Leaves exactly `depth` tokens of the filler in the sequence; what is there of them already is kept. Not timed. */
enum greta_status bench_fill(struct bench_config *config, const int32_t *filler, size_t depth,
                             struct greta_error *error);

/* Nanoseconds until the logits behind the prompt are there, fed behind `depth` positions. */
enum greta_status bench_time_prefill(struct bench_config *config, const struct bench_tokens *tokens, size_t depth,
                                     double *out_ns, struct greta_error *error);

/* Nanoseconds of `steps` decode steps, tokens sampled greedily, end tokens ignored. The first step finds `depth`
 * positions in the cache, at least 1 (a sequence cannot be empty): *out_start. */
enum greta_status bench_time_decode(struct bench_config *config, const struct bench_tokens *tokens, size_t depth,
                                    unsigned steps, double *out_ns, size_t *out_start, struct greta_error *error);

#endif
