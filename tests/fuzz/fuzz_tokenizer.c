/* Feeds any bytes to the tokenizer as text, and any bytes as tokens to both decoders. What comes out is held against
 * what must always be true: tokens lie in the vocabulary, streamed text is UTF-8, and streaming differs from decoding
 * at once only by replacing broken bytes.
 *
 * The vocabulary is read from the file that GRETA_FUZZ_VOCABULARY names, or else is the one built below. */
#include "models/synth.h"
#include "models/tokenizer.h"
#include "models/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct greta_tokenizer *tokenizer;

static void require(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

static void open_vocabulary(const char *path)
{
	struct greta_gguf *gguf = NULL;
	struct greta_tokenizer *made = NULL;
	struct greta_error error = {0};
	require(!greta_gguf_open(path, &gguf, &error) && !greta_tokenizer_create(gguf, &made, &error), error.message);
	tokenizer = made;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer's declaration */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	const char *given = getenv("GRETA_FUZZ_VOCABULARY");
	if (given) {
		open_vocabulary(given);
		return 0;
	}
	char path[] = "/tmp/greta-fuzz-XXXXXX";
	int file = mkstemp(path);
	struct greta_synth_options options = {.mix = "Q4_K"};
	struct greta_error error = {0};
	require(file >= 0, "cannot create a file in /tmp");
	close(file);
	require(!greta_synth_parse_shape("embd=256,layers=1,ffn=256,vocab=2000", &options.shape, &error),
		error.message);
	require(!greta_synth_write(&options, path, &error), error.message);
	open_vocabulary(path);
	unlink(path);
	return 0;
}

static void decode_both_ways(const int32_t *tokens, size_t count)
{
	struct greta_text_stream *stream = NULL;
	struct greta_error error;
	char *text = NULL;
	size_t length = 0, bytes = 0, streamed = 0;
	enum greta_utf8 front;
	if (greta_tokenizer_decode(tokenizer, tokens, count, true, &text, &length, &error))
		return;
	if (!greta_text_stream_create(tokenizer, false, true, &stream, &error)) {
		for (size_t i = 0; i <= count; i++) {
			struct greta_gguf_string part = i < count ? greta_text_stream_push(stream, tokens[i])
								  : greta_text_stream_flush(stream);
			for (size_t at = 0; at < part.length; at += bytes) {
				front = greta_utf8_front(part.data + at, part.length - at, &bytes);
				require(front == GRETA_UTF8_COMPLETE, "streamed text is not UTF-8");
			}
			streamed += part.length;
		}
		greta_text_stream_destroy(stream);
		size_t wanted = 0;
		for (size_t at = 0; at < length; at += bytes) {
			front = greta_utf8_front(text + at, length - at, &bytes);
			wanted += front == GRETA_UTF8_COMPLETE ? bytes : 3;
		}
		require(streamed == wanted, "streaming lost or added something");
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct greta_error error;
	int32_t *tokens = NULL;
	size_t count = 0;
	if (greta_tokenizer_encode(tokenizer, (const char *)data + 1, size - 1, data[0] & 3, &tokens, &count, &error))
		return 0;
	for (size_t i = 0; i < count; i++)
		require(tokens[i] >= 0 && (uint32_t)tokens[i] < greta_tokenizer_count(tokenizer),
			"a token outside the vocabulary");
	decode_both_ways(tokens, count);
	free(tokens);

	count = size / 2;
	tokens = malloc((count + 1) * sizeof(*tokens));
	if (!tokens)
		return 0;
	for (size_t i = 0; i < count; i++)
		tokens[i] = (int32_t)((data[2 * i] | data[2 * i + 1] << 8) % greta_tokenizer_count(tokenizer));
	decode_both_ways(tokens, count);
	free(tokens);
	return 0;
}
