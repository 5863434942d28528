#include "bench/perplexity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/oracle/model.h"
#include "kernels/oracle/operations.h"
#include "models/tokenizer.h"

static size_t scored(size_t piece) { return piece - 1 - piece / 2; }

size_t greta_perplexity_count(const struct greta_perplexity_text *text) { return text->pieces * scored(text->piece); }

static void tell(const struct greta_perplexity_watch *watch, size_t more)
{
	if (watch && watch->progress)
		watch->progress(watch->user, watch->what, watch->done + more, watch->total);
}

enum greta_status greta_perplexity_score(const struct greta_perplexity_text *text, greta_scorer *scorer, void *model,
					 double *out, struct greta_perplexity_watch *watch, struct greta_error *error)
{
	int32_t *piece = malloc(text->piece * sizeof(*piece));
	if (!piece)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu tokens", text->piece);
	enum greta_status status = GRETA_OK;
	if (watch)
		watch->total = text->pieces * text->piece;
	for (size_t p = 0; p < text->pieces && !status; p++) {
		if (watch)
			watch->done = p * text->piece;
		tell(watch, 0);
		memcpy(piece, text->tokens + p * text->piece, text->piece * sizeof(*piece));
		if (text->bos != GRETA_NO_TOKEN)
			piece[0] = text->bos;
		status = scorer(model, piece, text->piece, text->piece / 2, out + p * scored(text->piece), watch, error);
	}
	if (watch)
		tell(watch, watch->total - watch->done);
	free(piece);
	return status;
}

enum greta_status greta_score_session(void *model, const int32_t *tokens, size_t count, size_t first, double *out,
				      const struct greta_perplexity_watch *watch, struct greta_error *error)
{
	struct greta *greta = model;
	size_t vocab = greta_get_info(greta)->vocab;
	double *logits = malloc(vocab * sizeof(*logits));
	if (!logits)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu logits", vocab);
	enum greta_status status = greta_truncate(greta, 0, error);
	if (!status)
		status = greta_feed(greta, tokens, first, error);
	for (size_t i = first; i + 1 < count && !status; i++) {
		const float *given;
		tell(watch, i);
		status = greta_feed(greta, tokens + i, 1, error);
		if (!status)
			status = greta_logits(greta, &given, error);
		if (status)
			break;
		for (size_t k = 0; k < vocab; k++)
			logits[k] = (double)given[k];
		out[i - first] = greta_oracle_log_probability(logits, vocab, (size_t)tokens[i + 1]);
	}
	free(logits);
	return status;
}

enum greta_status greta_score_oracle(void *model, const int32_t *tokens, size_t count, size_t first, double *out,
				     const struct greta_perplexity_watch *watch, struct greta_error *error)
{
	struct greta_oracle *oracle = model;
	(void)watch; /* the oracle takes all at once */
	size_t vocab = greta_oracle_vocab(oracle), wanted = count - 1 - first;
	double *logits = calloc(wanted * vocab, sizeof(*logits));
	if (!logits)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu logits", wanted * vocab);
	greta_oracle_truncate(oracle, 0);
	enum greta_status status = greta_oracle_feed(oracle, tokens, count - 1, wanted, logits, error);
	for (size_t i = 0; i < wanted && !status; i++)
		out[i] = greta_oracle_log_probability(logits + i * vocab, vocab, (size_t)tokens[first + 1 + i]);
	free(logits);
	return status;
}

struct greta_perplexity greta_perplexity_of(const double *log_probabilities, size_t count)
{
	double mean = 0, squares = 0;
	for (size_t i = 0; i < count; i++)
		mean -= log_probabilities[i] / (double)count;
	for (size_t i = 0; i < count; i++)
		squares += (log_probabilities[i] + mean) * (log_probabilities[i] + mean);
	double value = exp(mean);
	return (struct greta_perplexity){value, count > 1 ? value * sqrt(squares / (double)count / (double)(count - 1)) : NAN};
}
