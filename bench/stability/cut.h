/* How much of a text is compared: cut into pieces as greta-perplexity does (bench/perplexity.h), as long as the model's
 * context unless told otherwise, and without being told not more than the fp64 model can do in about a minute. */
#ifndef GRETA_BENCH_STABILITY_CUT_H
#define GRETA_BENCH_STABILITY_CUT_H

#include "bench/perplexity.h"
#include "models/llama.h"

struct greta_stability_cut {
	int32_t *tokens;  /* the caller frees them */
	struct greta_perplexity_text text;
	const char *from; /* where the text is from */
	char reason[256]; /* why not more of it was taken, or of the context; "" */
};

/* Multiplications of the fp64 model, attention left out: somewhat less than a minute of one processor (an Intel Xeon
 * with AMX took 11 s for 4 pieces of 1,024 tokens of models/tiny/tiny.gguf, 6.8 million multiplications a token). */
#define GRETA_STABILITY_MINUTE 1.3e11

/* Of the text in `file`, or, NULL, of a built-in one. context, pieces: 0 or what was told. `minute` is the constant
 * above but for tests. ARGUMENT: the context is longer than the model's, the text shorter than a piece. IO, FORMAT,
 * UNSUPPORTED, MEMORY. */
enum greta_status greta_stability_cut(const char *model, const struct greta_gguf *gguf, const struct greta_llama *llama,
				      const char *file, size_t context, size_t pieces, double minute,
				      struct greta_stability_cut *out_cut, struct greta_error *error);

#endif
