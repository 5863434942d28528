/* Perplexity of a text, measured as llama.cpp's llama-perplexity does, so that the figures can be compared: the text's
 * tokens (BOS before them where the model wants one) are cut into pieces of `piece` tokens, a rest is left out; each
 * piece is a new sequence whose first token is replaced by BOS (where the model wants one); the tokens after position
 * piece / 2 are scored, so each has at least half a piece before it. Perplexity is e to the mean of -ln p over all of
 * them. */
#ifndef GRETA_BENCH_PERPLEXITY_H
#define GRETA_BENCH_PERPLEXITY_H

#include "runtime/greta.h"

#include <stddef.h>
#include <stdint.h>

struct greta_perplexity_text {
	const int32_t *tokens;
	size_t pieces;  /* tokens has at least pieces * piece of them */
	size_t piece;   /* at least 4 */
	int32_t bos;    /* GRETA_NO_TOKEN: the first token of a piece stays */
};

/* Who is told how many of all tokens have gone by, and what of. */
struct greta_perplexity_watch {
	greta_progress *progress;
	void *user;
	const char *what;
	uint64_t done, total; /* greta_perplexity_score's own */
};

/* Scores one sequence: out[i] = ln p(tokens[first + 1 + i] | tokens[0 .. first + i]) for first + 1 + i < count. May
 * tell of its tokens as they go by; NULL `watch`: nobody. */
typedef enum greta_status greta_scorer(void *model, const int32_t *tokens, size_t count, size_t first, double *out,
				       const struct greta_perplexity_watch *watch, struct greta_error *error);

/* A scorer for a session (struct greta of runtime/greta.h) and one for an oracle (struct greta_oracle of
 * kernels/oracle/model.h), each with room for a piece. */
enum greta_status greta_score_session(void *model, const int32_t *tokens, size_t count, size_t first, double *out,
				      const struct greta_perplexity_watch *watch, struct greta_error *error);
enum greta_status greta_score_oracle(void *model, const int32_t *tokens, size_t count, size_t first, double *out,
				     const struct greta_perplexity_watch *watch, struct greta_error *error);

/* Tokens that a text of so many pieces scores. */
size_t greta_perplexity_count(const struct greta_perplexity_text *text);

/* ln p of every token scored, in order, into out [greta_perplexity_count]; `watch`, which may be NULL, is
 * told. Errors of the scorer; MEMORY. */
enum greta_status greta_perplexity_score(const struct greta_perplexity_text *text, greta_scorer *scorer, void *model,
					 double *out, struct greta_perplexity_watch *watch, struct greta_error *error);

struct greta_perplexity {
	double value;
	double error; /* standard error of the value, tokens taken as independent; NaN of a single one */
};

/* Of `count` >= 1 values ln p. */
struct greta_perplexity greta_perplexity_of(const double *log_probabilities, size_t count);

#endif
