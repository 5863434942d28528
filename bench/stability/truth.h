/* What the fp64 model (kernels/oracle/) says of a text, computed once for all settings: the logits behind every token
 * of every piece, and ln p of every token scored. */
#ifndef GRETA_BENCH_STABILITY_TRUTH_H
#define GRETA_BENCH_STABILITY_TRUTH_H

#include "bench/parity/trace.h"
#include "bench/perplexity.h"
#include "models/llama.h"

struct greta_stability_truth {
	size_t pieces;
	struct greta_parity_trace *logits; /* [pieces]: of no layers, the logits of positions 0 .. piece - 1 */
	double *scores;                    /* [greta_perplexity_count]: as greta_perplexity_score gives them */
	double *next;                      /* [pieces][piece]: ln p of the token behind each;
					    * the last of a piece is 0 */
};

/* Told how many of the text's tokens have passed, by one thread at a time. */
typedef void greta_stability_progress(void *user, const char *what, size_t done, size_t total);

/* Every piece by itself, on `threads` >= 1 threads; their number changes nothing in the result. Takes 8 bytes for every
 * logit of every token. ARGUMENT for a token outside the vocabulary, MEMORY. */
enum greta_status greta_stability_truth_create(const struct greta_llama *llama,
					       const struct greta_perplexity_text *text, unsigned threads,
					       greta_stability_progress *progress, void *user,
					       struct greta_stability_truth **out_truth, struct greta_error *error);
void greta_stability_truth_destroy(struct greta_stability_truth *truth);

/* The tokens of a piece, its first one replaced where the model wants that, into out [piece]. */
void greta_stability_piece(const struct greta_perplexity_text *text, size_t piece, int32_t *out);

/* Multiplications that the fp64 model takes for a token, attention left out. */
double greta_stability_token_cost(const struct greta_llama *llama);

#endif
