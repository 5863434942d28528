/* One row of results: what was measured, named as llama-bench names it where both have it, and the samples. */
#ifndef GRETA_BENCH_RECORD_H
#define GRETA_BENCH_RECORD_H

#include <jansson.h>

#include "bench/configs.h"

/* What llama-bench says of a model, from its file. */
struct bench_model {
	char type[64];   /* "llama 6.7B Q4_K": architecture, parameters, the type that most bytes are of */
	uint64_t bytes;  /* of all tensors */
	uint64_t params; /* numbers in all tensors */
};

enum greta_status bench_model_read(const char *path, struct bench_model *out_model, struct greta_error *error);

/* One test in one configuration: of `prompt` tokens or `generate` tokens (the other is 0). */
struct bench_test {
	unsigned prompt, generate, depth;
	size_t start;          /* positions in the cache when the clock starts */
	const double *samples; /* nanoseconds, one a run, in order */
	size_t runs;
};

/* The row, its statistics still empty (bench_document_finish fills them); NULL without memory. */
json_t *bench_record(const struct bench_request *request, const struct bench_config *config,
                     const struct bench_model *model, const struct bench_test *test);

/* An array of numbers rounded to whole ones; NULL without memory. */
json_t *bench_samples(const double *values, size_t count);

#endif
