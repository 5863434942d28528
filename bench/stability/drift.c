#include "bench/stability/drift.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/oracle/operations.h"
#include "runtime/session.h"

#define PLACES 4 /* of a trace without layers */

struct run {
	struct greta *greta;
	const struct greta_perplexity_text *text;
	const struct greta_stability_truth *truth;
	struct greta_stability_drift *drift;
	struct greta_parity_trace trace; /* of a bucket's positions */
	uint32_t vocab;
	int32_t *tokens;                 /* [piece] */
	double *wide;                    /* [vocab]: logits, for ln p */
	double *scores;
	greta_stability_progress *progress;
	void *user;
	char name[32];
	size_t done;
};

const char *greta_stability_activations_name(unsigned activations)
{
	static const char *const names[] = {"x8", "x16", "x24", "x32"};
	return names[(activations - 1) % 4];
}

const char *greta_stability_kv_name(enum greta_choice_kv kv) { return kv == GRETA_OPEN_KV_F32 ? "f32" : "f16"; }

void greta_stability_setting(size_t i, unsigned *out_activations, enum greta_choice_kv *out_kv)
{
	*out_activations = 4 - (unsigned)(i / 2) % 4;
	*out_kv = i % 2 ? GRETA_OPEN_KV_F16 : GRETA_OPEN_KV_F32;
}

static void score(struct run *r, size_t p, size_t position, const float *logits, struct greta_stability_bucket *bucket)
{
	size_t piece = r->text->piece, each = greta_perplexity_count(r->text) / r->text->pieces;
	if (position + 1 == piece)
		return;
	for (uint32_t i = 0; i < r->vocab; i++)
		r->wide[i] = (double)logits[i];
	double ln = greta_oracle_log_probability(r->wide, r->vocab, (size_t)r->tokens[position + 1]);
	bucket->scored++;
	bucket->sum += ln;
	bucket->sum_exact += r->truth->next[p * piece + position];
	if (position >= piece / 2)
		r->scores[p * each + position - piece / 2] = ln;
}

static enum greta_status take(struct run *r, size_t p, size_t position, struct greta_stability_bucket *bucket,
			      struct greta_error *error)
{
	const float *logits;
	size_t place = greta_parity_place(0, GRETA_POINT_logits, GRETA_PLAN_NONE);
	enum greta_status status = greta_feed(r->greta, r->tokens + position, 1, error);
	if (status == GRETA_OK)
		status = greta_logits(r->greta, &logits, error);
	if (status == GRETA_ERROR_NUMBERS) {
		r->drift->finite = false;
		r->drift->piece = p;
		r->drift->position = position;
	}
	if (status != GRETA_OK)
		return status;
	float *row = greta_parity_trace_row(&r->trace, place, position, r->vocab);
	if (!row)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the logits of %zu tokens", bucket->count);
	memcpy(row, logits, r->vocab * sizeof(*row));
	score(r, p, position, logits, bucket);
	r->done++;
	if (r->progress && (r->done % 16 == 0 || r->done == r->text->pieces * r->text->piece))
		r->progress(r->user, r->name, r->done, r->text->pieces * r->text->piece);
	return GRETA_OK;
}

/* Compares what was taken of the bucket, also when it ended early. */
static enum greta_status compare(struct run *r, size_t p, struct greta_stability_bucket *bucket,
				 struct greta_error *error)
{
	struct greta_parity_errors errors[PLACES] = {{0}};
	struct greta_parity_difference passed_over = {.found = true};
	size_t place = greta_parity_place(0, GRETA_POINT_logits, GRETA_PLAN_NONE);
	errors[place] = bucket->errors;
	enum greta_status status =
		greta_parity_compare(&r->truth->logits[p], &r->trace, errors, &bucket->logits, &passed_over, error);
	bucket->errors = errors[place];
	return status;
}

static enum greta_status run_piece(struct run *r, size_t p, struct greta_error *error)
{
	greta_stability_piece(r->text, p, r->tokens);
	enum greta_status status = greta_truncate(r->greta, 0, error);
	for (size_t b = 0; b < r->drift->count && status == GRETA_OK; b++) {
		struct greta_stability_bucket *bucket = &r->drift->buckets[b];
		greta_parity_trace_start(&r->trace, bucket->first, bucket->count);
		for (size_t i = 0; i < bucket->count && status == GRETA_OK; i++)
			status = take(r, p, bucket->first + i, bucket, error);
		if (status == GRETA_OK || status == GRETA_ERROR_NUMBERS) {
			enum greta_status compared = compare(r, p, bucket, error);
			status = compared != GRETA_OK ? compared : status;
		}
	}
	return status;
}

static enum greta_status run_all(struct run *r, struct greta_error *error)
{
	size_t most = 0, scored = greta_perplexity_count(r->text);
	for (size_t b = 0; b < r->drift->count; b++)
		most = r->drift->buckets[b].count > most ? r->drift->buckets[b].count : most;
	r->tokens = calloc(r->text->piece, sizeof(*r->tokens));
	r->wide = calloc(r->vocab, sizeof(*r->wide));
	r->scores = calloc(scored, sizeof(*r->scores));
	enum greta_status status = greta_parity_trace_init(&r->trace, 0, false, most, error);
	if (status == GRETA_OK && (!r->tokens || !r->wide || !r->scores))
		status = greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu scores", scored);
	for (size_t p = 0; p < r->text->pieces && status == GRETA_OK; p++)
		status = run_piece(r, p, error);
	if (status == GRETA_OK)
		r->drift->perplexity = greta_perplexity_of(r->scores, scored);
	greta_parity_trace_finish(&r->trace);
	free(r->tokens);
	free(r->wide);
	free(r->scores);
	return status == GRETA_ERROR_NUMBERS ? GRETA_OK : status;
}

static struct greta_stability_drift *make(const struct greta_options *options, const struct greta_info *info,
					  size_t piece, size_t buckets, uint32_t top_k)
{
	struct greta_stability_drift *drift = calloc(1, sizeof(*drift));
	if (!drift)
		return NULL;
	*drift = (struct greta_stability_drift){.activations = options->activations, .kv = options->kv, .finite = true};
	drift->buckets = calloc(buckets, sizeof(*drift->buckets));
	if (!drift->buckets) {
		free(drift);
		return NULL;
	}
	snprintf(drift->device, sizeof(drift->device), "%s", info->device);
	snprintf(drift->kernels, sizeof(drift->kernels), "%s", info->kernels);
	snprintf(drift->model_name, sizeof(drift->model_name), "%s", info->model_name);
	drift->count = buckets;
	for (size_t b = 0; b < buckets; b++) {
		size_t first = b * piece / buckets;
		drift->buckets[b] = (struct greta_stability_bucket){
			.first = first, .count = (b + 1) * piece / buckets - first, .logits.top_k = top_k};
	}
	return drift;
}

enum greta_status greta_stability_drift_create(const char *model, const struct greta_options *options,
					       const struct greta_perplexity_text *text,
					       const struct greta_stability_truth *truth, size_t buckets,
					       uint32_t top_k, greta_stability_progress *progress, void *user,
					       struct greta_stability_drift **out_drift, struct greta_error *error)
{
	size_t place = greta_parity_place(0, GRETA_POINT_logits, GRETA_PLAN_NONE);
	struct run r = {.text = text, .truth = truth, .progress = progress, .user = user};
	enum greta_status status = greta_open(model, options, &r.greta, error);
	if (status != GRETA_OK)
		return status;
	greta_session_set_progress(r.greta, NULL, NULL); /* it was for opening: what follows is told here */
	r.vocab = greta_get_info(r.greta)->vocab;
	r.drift = make(options, greta_get_info(r.greta), text->piece, buckets, top_k);
	if (!r.drift)
		status = greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu ranges of positions", buckets);
	else if (truth->logits[0].places[place].cols != r.vocab)
		status = greta_fail(error, GRETA_ERROR_ARGUMENT, "the fp64 model has %u logits, this one %u",
				    truth->logits[0].places[place].cols, r.vocab);
	else {
		snprintf(r.name, sizeof(r.name), "%s, KV %s", greta_stability_activations_name(options->activations),
			 greta_stability_kv_name(options->kv));
		if (r.progress)
			r.progress(r.user, r.name, 0, r.text->pieces * r.text->piece);
		status = run_all(&r, error);
	}
	greta_close(r.greta);
	if (status != GRETA_OK)
		greta_stability_drift_destroy(r.drift);
	else
		*out_drift = r.drift;
	return status;
}

void greta_stability_drift_destroy(struct greta_stability_drift *drift)
{
	if (!drift)
		return;
	free(drift->buckets);
	free(drift);
}

static void add_errors(struct greta_parity_errors *to, const struct greta_parity_errors *from)
{
	to->rows += from->rows;
	to->values += from->values;
	to->differing += from->differing;
	to->max_error = fmax(to->max_error, from->max_error);
	to->sum_error += from->sum_error;
	to->max_relative = fmax(to->max_relative, from->max_relative);
	to->sum_relative += from->sum_relative;
	to->min_cosine = fmin(to->min_cosine, from->min_cosine);
	to->not_finite[0] += from->not_finite[0];
	to->not_finite[1] += from->not_finite[1];
}

struct greta_stability_bucket greta_stability_drift_whole(const struct greta_stability_drift *drift)
{
	struct greta_stability_bucket whole = {.errors.min_cosine = 1, .logits.top_k = drift->buckets[0].logits.top_k};
	for (size_t b = 0; b < drift->count; b++) {
		const struct greta_stability_bucket *bucket = &drift->buckets[b];
		whole.count += bucket->count;
		add_errors(&whole.errors, &bucket->errors);
		whole.logits.rows += bucket->logits.rows;
		whole.logits.max_divergence = fmax(whole.logits.max_divergence, bucket->logits.max_divergence);
		whole.logits.sum_divergence += bucket->logits.sum_divergence;
		whole.logits.top1 += bucket->logits.top1;
		whole.logits.sum_overlap += bucket->logits.sum_overlap;
		whole.scored += bucket->scored;
		whole.sum += bucket->sum;
		whole.sum_exact += bucket->sum_exact;
	}
	return whole;
}
