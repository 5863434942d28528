/* Everything that was found, as one JSON object that all reports are made from; the same runs give the same bytes.
 *
 *	version, model, model_name, text, tokens, context, context_train, pieces, scored, top_k, device, kernels
 *	cut        null, or why not more of the context or the text was taken
 *	perplexity, perplexity_error   of the fp64 model, llama.cpp's way (bench/perplexity.h): the second half of each piece
 *	settings   {activations, kv, finite, stopped: null or {piece, position}, perplexity, perplexity_error, difference,
 *	           whole, buckets}: difference is the perplexity's from the fp64 model's, relative; the three are null
 *	           where not finite
 *
 * `whole` and the rows of `buckets` are {first, last, positions, max_error, mean_error, not_finite, max_divergence,
 * mean_divergence, top1_agreement, top_k_agreement, perplexity, perplexity_exact}: absolute errors of logits,
 * Kullback-Leibler divergence in nats, shares of the positions from `first` to `last` of every piece; their
 * perplexities count every token that follows one of these positions inside its piece. */
#ifndef GRETA_BENCH_STABILITY_DOCUMENT_H
#define GRETA_BENCH_STABILITY_DOCUMENT_H

#include <jansson.h>

#include "bench/stability/drift.h"

struct greta_stability_subject {
	const char *model, *model_name, *text, *device, *kernels;
	size_t tokens;          /* of the text, as far as it was read */
	uint32_t context_train, top_k;
	const char *cut;        /* NULL: nothing was cut */
	struct greta_perplexity exact;
};

/* NULL without memory, or when a name is not UTF-8. */
json_t *greta_stability_document(const struct greta_stability_subject *subject,
				 const struct greta_perplexity_text *text,
				 struct greta_stability_drift *const drifts[], size_t count);

#endif
