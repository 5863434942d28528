/* One setting of the numbers (activations, KV cache) over the whole text, teacher-forced, against the fp64 model: how
 * far its logits are from it by position, and what that does to the likeliest tokens and to perplexity. */
#ifndef GRETA_BENCH_STABILITY_DRIFT_H
#define GRETA_BENCH_STABILITY_DRIFT_H

#include "bench/parity/compare.h"
#include "bench/stability/truth.h"
#include "runtime/greta.h"

/* Positions [first, first + count) of every piece. */
struct greta_stability_bucket {
	size_t first, count;
	struct greta_parity_errors errors; /* of the logits: a is fp64, b the setting */
	struct greta_parity_logits logits;
	size_t scored;                     /* tokens that follow a position of the bucket inside its piece */
	double sum, sum_exact;             /* of ln p of those tokens, here and in fp64 */
};

struct greta_stability_drift {
	unsigned activations;       /* digits, as in struct greta_options */
	enum greta_choice_kv kv;
	struct greta_stability_bucket *buckets; /* [count] */
	size_t count;
	struct greta_perplexity perplexity;     /* of finite runs */
	bool finite;                /* else it was stopped at a position whose values were not: */
	size_t piece, position;
	char device[96], kernels[32], model_name[96]; /* of struct greta_info */
};

#define GRETA_STABILITY_SETTINGS 8

/* "x32", "x24", "x16" or "x8"; "f16" or "f32". */
const char *greta_stability_activations_name(unsigned activations);
const char *greta_stability_kv_name(enum greta_choice_kv kv);

/* The i-th of the eight settings: from the finest activations to the coarsest, each with an F32 and an F16 cache. */
void greta_stability_setting(size_t i, unsigned *out_activations, enum greta_choice_kv *out_kv);

/* `options` holds the setting, the context and who computes. A model whose numbers stop being finite is a result, no
 * error. Errors of greta_open and of running; ARGUMENT when the model's vocabulary is not that of `truth`; MEMORY. */
enum greta_status greta_stability_drift_create(const char *model, const struct greta_options *options,
					       const struct greta_perplexity_text *text,
					       const struct greta_stability_truth *truth, size_t buckets,
					       uint32_t top_k, greta_stability_progress *progress, void *user,
					       struct greta_stability_drift **out_drift, struct greta_error *error);
void greta_stability_drift_destroy(struct greta_stability_drift *drift);

/* Of all buckets together: first 0, count all positions. */
struct greta_stability_bucket greta_stability_drift_whole(const struct greta_stability_drift *drift);

#endif
