#include "bench/parity/text.h"

#include "kernels/random.h"
#include "models/llama.h"
#include "models/read_file.h"
#include "models/tokenizer.h"

#include <stdlib.h>
#include <string.h>

static const char BUILT_IN[] =
	"In the beginning there was a list of kernels, and every kernel waited for the one before it. Then said the builder "
	"unto his servants, Go and write down the order of the work, and let it not be written again. And they did so, and "
	"measured the house in the length and in the breadth, and every vessel was set in its place; and behold, the last "
	"number of the evening was the same as the last number of the morning, and there was no difference between them. "
	"And the people wondered, for the mills were many and no two of them were alike, yet the flour was one.";

/* Any token may follow any other; the first is 1, BOS in most vocabularies. */
static enum greta_status random_tokens(const struct greta_gguf *gguf, size_t most, int32_t **out_tokens,
				       size_t *out_count, struct greta_error *error)
{
	struct greta_llama llama;
	enum greta_status status = greta_llama_init(&llama, gguf, error);
	if (status != GRETA_OK)
		return status;
	uint32_t vocab = llama.n_vocab;
	size_t count = most < llama.context_train ? most : llama.context_train;
	greta_llama_finish(&llama);
	int32_t *tokens = calloc(count, sizeof(*tokens));
	if (!tokens)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu tokens", count);
	for (size_t i = 0; i < count; i++)
		tokens[i] = i ? (int32_t)greta_random_below(greta_random(1, (uint32_t)i), vocab) : 1 % (int32_t)vocab;
	*out_tokens = tokens;
	*out_count = count;
	return GRETA_OK;
}

static enum greta_status encode(const struct greta_gguf *gguf, const char *text, size_t length, bool built_in,
				size_t most, int32_t **out_tokens, size_t *out_count, const char **out_from,
				struct greta_error *error)
{
	struct greta_tokenizer *tokenizer;
	enum greta_status status = greta_tokenizer_create(gguf, &tokenizer, error);
	if (built_in && (status == GRETA_ERROR_UNSUPPORTED || status == GRETA_ERROR_FORMAT)) {
		*out_from = "pseudo-random numbers";
		return random_tokens(gguf, most, out_tokens, out_count, error);
	}
	if (status != GRETA_OK)
		return status;
	unsigned flags = greta_tokenizer_adds_bos(tokenizer) ? GRETA_ENCODE_ADD_SPECIAL : 0;
	status = greta_tokenizer_encode(tokenizer, text, length, flags, out_tokens, out_count, error);
	greta_tokenizer_destroy(tokenizer);
	return status;
}

enum greta_status greta_parity_tokens(const char *model, const char *file, const char *prompt, size_t most,
				      int32_t **out_tokens, size_t *out_count, const char **out_from,
				      struct greta_error *error)
{
	const size_t bytes_a_token = 64; /* more than any vocabulary's pieces have on average */
	struct greta_gguf *gguf;
	char *read = NULL;
	size_t length = prompt ? strlen(prompt) : sizeof(BUILT_IN) - 1, count = 0;
	int32_t *tokens = NULL;
	const char *from = file ? greta_read_file_name(file) : prompt ? "the prompt" : "the built-in text";
	enum greta_status status = greta_gguf_open(model, &gguf, error);
	if (status != GRETA_OK)
		return status;
	if (file)
		status = greta_read_file(file, most * bytes_a_token + 65536, &read, &length, error);
	if (status == GRETA_OK)
		status = encode(gguf, file ? read : prompt ? prompt : BUILT_IN, length, !file && !prompt, most, &tokens,
				&count, &from, error);
	greta_gguf_close(gguf);
	free(read);
	if (status == GRETA_OK && !count) {
		free(tokens);
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "%s has no tokens", from);
	}
	if (status != GRETA_OK)
		return status;
	*out_tokens = tokens;
	*out_count = count < most ? count : most;
	*out_from = from;
	return GRETA_OK;
}
