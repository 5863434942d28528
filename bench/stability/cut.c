#include "bench/stability/cut.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "bench/parity/text.h"
#include "bench/stability/truth.h"
#include "models/tokenizer.h"

#define LEAST 8 /* tokens of a piece */

/* What a piece begins with; a vocabulary that this build cannot read has nothing. */
static enum greta_status find_bos(const struct greta_gguf *gguf, int32_t *out_bos, struct greta_error *error)
{
	struct greta_tokenizer *tokenizer;
	enum greta_status status = greta_tokenizer_create(gguf, &tokenizer, error);
	*out_bos = GRETA_NO_TOKEN;
	if (status == GRETA_ERROR_UNSUPPORTED || status == GRETA_ERROR_FORMAT)
		return GRETA_OK;
	if (status != GRETA_OK)
		return status;
	if (greta_tokenizer_adds_bos(tokenizer))
		*out_bos = greta_tokenizer_bos(tokenizer);
	greta_tokenizer_destroy(tokenizer);
	return GRETA_OK;
}

/* No more tokens than the file has bytes, so that no memory is asked for in vain. */
static size_t at_most(const char *file, size_t tokens)
{
	struct stat status;
	if (!file || stat(file, &status) != 0 || !S_ISREG(status.st_mode))
		return tokens;
	size_t bytes = (size_t)status.st_size + LEAST;
	return bytes < tokens ? bytes : tokens;
}

static size_t affordable(double minute, double cost, size_t least, size_t most)
{
	double n = minute / cost;
	return n < (double)least ? least : n < (double)most ? (size_t)n : most;
}

enum greta_status greta_stability_cut(const char *model, const struct greta_gguf *gguf, const struct greta_llama *llama,
				      const char *file, size_t context, size_t pieces, double minute,
				      struct greta_stability_cut *out_cut, struct greta_error *error)
{
	struct greta_stability_cut cut = {.reason = ""};
	double cost = greta_stability_token_cost(llama);
	size_t piece = context ? context : affordable(minute, cost, LEAST, llama->context_train), count = 0;
	if (piece > llama->context_train)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "a context of %zu is longer than the model's, %u", piece,
				  llama->context_train);
	size_t most_pieces = pieces ? pieces : affordable(minute, cost * (double)piece, 1, 1u << 20);
	/* One token more tells whether there is more text. */
	enum greta_status status = find_bos(gguf, &cut.text.bos, error);
	if (status == GRETA_OK)
		status = greta_parity_tokens(model, file, NULL, at_most(file, most_pieces * piece + 1), &cut.tokens,
					     &count, &cut.from, error);
	if (status != GRETA_OK)
		return status;
	bool short_text = !context && count < piece;
	if (short_text)
		piece = count;
	if (count < piece || piece < LEAST) {
		free(cut.tokens);
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
				  "%s has %zu token%s, a piece takes %zu: use a longer text%s", cut.from, count,
				  count == 1 ? "" : "s", piece < LEAST ? LEAST : piece, piece > LEAST ? " or a smaller --ctx" : "");
	}
	cut.text.tokens = cut.tokens;
	cut.text.piece = piece;
	cut.text.pieces = count / piece;
	if (short_text)
		snprintf(cut.reason, sizeof(cut.reason), "the text has only %zu tokens, the model's context %u", count,
			 llama->context_train);
	else if (!context && piece < llama->context_train)
		snprintf(cut.reason, sizeof(cut.reason), "the context, to %zu of %u tokens, for which the fp64 model takes "
			 "about a minute; --ctx goes further", piece, llama->context_train);
	else if (!pieces && count > most_pieces * piece)
		snprintf(cut.reason, sizeof(cut.reason), "the text, to its first %zu tokens, for which the fp64 model takes "
			 "about a minute; --pieces takes more", most_pieces * piece);
	*out_cut = cut;
	return GRETA_OK;
}
