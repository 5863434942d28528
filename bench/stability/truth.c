#include "bench/stability/truth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/oracle/model.h"
#include "kernels/oracle/operations.h"
#include "models/tokenizer.h"

#define STEP 64 /* tokens between two words of progress */

struct work {
	const struct greta_llama *llama;
	const struct greta_perplexity_text *text;
	struct greta_stability_truth *truth;
	greta_stability_progress *progress;
	void *user;
	pthread_mutex_t lock; /* of all below */
	size_t next, done;    /* piece to take; tokens that have passed */
	enum greta_status status;
	struct greta_error *error;
};

double greta_stability_token_cost(const struct greta_llama *llama)
{
	double embd = llama->n_embd, q = (double)llama->n_head * llama->head_dim,
	       kv = (double)llama->n_head_kv * llama->head_dim;
	return llama->n_layer * (2 * embd * q + 2 * embd * kv + 3 * embd * llama->n_ff) + embd * llama->n_vocab;
}

void greta_stability_piece(const struct greta_perplexity_text *text, size_t piece, int32_t *out)
{
	memcpy(out, text->tokens + piece * text->piece, text->piece * sizeof(*out));
	if (text->bos != GRETA_NO_TOKEN)
		out[0] = text->bos;
}

/* The rows of a trace are one block of memory, so that the oracle can write a step of them. */
static double *rows(struct greta_parity_trace *trace, size_t position, size_t count, uint32_t vocab)
{
	size_t place = greta_parity_place(0, GRETA_POINT_logits, GRETA_PLAN_NONE);
	for (size_t p = 0; p < count; p++)
		if (!greta_parity_trace_row(trace, place, position + p, vocab))
			return NULL;
	return greta_parity_trace_row(trace, place, position, vocab);
}

static void score(const struct work *w, size_t p, const int32_t *tokens, size_t start, size_t count,
		  const double *logits)
{
	size_t piece = w->text->piece, vocab = w->llama->n_vocab, each = greta_perplexity_count(w->text) / w->text->pieces;
	for (size_t i = start; i < start + count && i + 1 < piece; i++) {
		double ln = greta_oracle_log_probability(logits + (i - start) * vocab, vocab, (size_t)tokens[i + 1]);
		w->truth->next[p * piece + i] = ln;
		if (i >= piece / 2)
			w->truth->scores[p * each + i - piece / 2] = ln;
	}
}

static void tell(struct work *w, size_t count)
{
	pthread_mutex_lock(&w->lock);
	w->done += count;
	if (w->progress)
		w->progress(w->user, "fp64 model", w->done, w->text->pieces * w->text->piece);
	pthread_mutex_unlock(&w->lock);
}

static enum greta_status run_piece(struct work *w, struct greta_oracle *oracle, size_t p, int32_t *tokens,
				   struct greta_error *error)
{
	struct greta_parity_trace *trace = &w->truth->logits[p];
	size_t piece = w->text->piece;
	enum greta_status status = greta_parity_trace_init(trace, 0, true, piece, error);
	if (status != GRETA_OK)
		return status;
	greta_parity_trace_start(trace, 0, piece);
	greta_stability_piece(w->text, p, tokens);
	greta_oracle_truncate(oracle, 0);
	for (size_t start = 0; start < piece && status == GRETA_OK; start += STEP) {
		size_t count = piece - start < STEP ? piece - start : STEP;
		double *logits = rows(trace, start, count, w->llama->n_vocab);
		if (!logits)
			return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the fp64 logits of %zu tokens",
					  piece);
		status = greta_oracle_feed(oracle, tokens + start, count, count, logits, error);
		if (status == GRETA_OK) {
			score(w, p, tokens, start, count, logits);
			tell(w, count);
		}
	}
	return status;
}

/* Takes pieces until there is none or something failed. */
static void *run_pieces(void *argument)
{
	struct work *w = argument;
	struct greta_oracle *oracle = NULL;
	struct greta_error error;
	int32_t *tokens = calloc(w->text->piece, sizeof(*tokens));
	enum greta_status status =
	    tokens ? greta_oracle_create(w->llama, w->text->piece, &oracle, &error)
		   : greta_fail(&error, GRETA_ERROR_MEMORY, "no memory for %zu tokens", w->text->piece);
	for (;;) {
		pthread_mutex_lock(&w->lock);
		if (status != GRETA_OK && w->status == GRETA_OK) {
			w->status = status;
			*w->error = error;
		}
		bool stop = !tokens || w->status != GRETA_OK || w->next == w->text->pieces;
		size_t p = stop ? 0 : w->next++;
		pthread_mutex_unlock(&w->lock);
		if (stop)
			break;
		status = run_piece(w, oracle, p, tokens, &error);
	}
	greta_oracle_destroy(oracle);
	free(tokens);
	return NULL;
}

/* The calling thread works too, so all gets done with fewer threads as well. */
static void run_threads(struct work *w, unsigned threads)
{
	size_t more = threads < w->text->pieces ? threads - 1 : w->text->pieces - 1, started = 0;
	pthread_t *thread = calloc(more + 1, sizeof(*thread));
	while (thread && started < more && pthread_create(&thread[started], NULL, run_pieces, w) == 0)
		started++;
	run_pieces(w);
	while (started)
		pthread_join(thread[--started], NULL);
	free(thread);
}

enum greta_status greta_stability_truth_create(const struct greta_llama *llama,
					       const struct greta_perplexity_text *text, unsigned threads,
					       greta_stability_progress *progress, void *user,
					       struct greta_stability_truth **out_truth, struct greta_error *error)
{
	struct greta_error first;
	struct greta_stability_truth *truth = calloc(1, sizeof(*truth));
	if (truth) {
		truth->pieces = text->pieces;
		truth->logits = calloc(text->pieces, sizeof(*truth->logits));
		truth->scores = calloc(greta_perplexity_count(text), sizeof(*truth->scores));
		truth->next = calloc(text->pieces * text->piece, sizeof(*truth->next));
	}
	if (!truth || !truth->logits || !truth->scores || !truth->next) {
		greta_stability_truth_destroy(truth);
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu tokens", text->pieces * text->piece);
	}
	struct work w = {.llama = llama, .text = text, .truth = truth, .progress = progress, .user = user,
			 .lock = PTHREAD_MUTEX_INITIALIZER, .error = &first};
	tell(&w, 0); /* the first step may take half a minute */
	run_threads(&w, threads);
	pthread_mutex_destroy(&w.lock);
	if (w.status != GRETA_OK) {
		greta_stability_truth_destroy(truth);
		return greta_fail(error, w.status, "%s", first.message);
	}
	*out_truth = truth;
	return GRETA_OK;
}

void greta_stability_truth_destroy(struct greta_stability_truth *truth)
{
	if (!truth)
		return;
	for (size_t p = 0; truth->logits && p < truth->pieces; p++)
		greta_parity_trace_finish(&truth->logits[p]);
	free(truth->logits);
	free(truth->scores);
	free(truth->next);
	free(truth);
}
