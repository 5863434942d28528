#include "models/tokenizer.h"
#include "models/tokenizer_private.h"
#include "models/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { UNFINISHED_BYTES = 3, REPLACEMENT_BYTES = 3 };

/* A token's bytes in its place: the first token's leading space is the one that encoding put there. */
static struct greta_gguf_string piece_in_text(const struct greta_tokenizer *tokenizer, int32_t token, bool special,
					      bool first)
{
	struct greta_gguf_string piece = greta_tokenizer_piece(tokenizer, token, special);
	if (first && tokenizer->adds_space && piece.length && piece.data[0] == ' ') {
		piece.data++;
		piece.length--;
	}
	return piece;
}

enum greta_status greta_tokenizer_decode(const struct greta_tokenizer *tokenizer, const int32_t *tokens, size_t count,
					 bool special, char **out_text, size_t *out_length, struct greta_error *error)
{
	size_t length = 0;
	for (size_t i = 0; i < count; i++) {
		if (tokens[i] < 0 || (uint32_t)tokens[i] >= tokenizer->count)
			return greta_fail(error, GRETA_ERROR_ARGUMENT, "token %d is not within the vocabulary of %u",
					  tokens[i], tokenizer->count);
		size_t bytes = piece_in_text(tokenizer, tokens[i], special, i == 0).length;
		length = bytes < SIZE_MAX - length ? length + bytes : SIZE_MAX;
	}
	char *text = length < SIZE_MAX ? malloc(length + 1) : NULL;
	if (!text)
		return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory for the text of %zu tokens", count);
	char *at = text;
	for (size_t i = 0; i < count; i++) {
		struct greta_gguf_string piece = piece_in_text(tokenizer, tokens[i], special, i == 0);
		memcpy(at, piece.data, piece.length);
		at += piece.length;
	}
	*at = '\0';
	*out_text = text;
	*out_length = length;
	return GRETA_OK;
}

struct greta_text_stream {
	const struct greta_tokenizer *tokenizer;
	bool continues, special;
	bool first;     /* no token has come yet */
	size_t held;    /* bytes of an unfinished character at the front of `bytes` */
	char *bytes;    /* what is held, and a piece behind it */
	char *out;      /* the same with broken bytes replaced */
};

enum greta_status greta_text_stream_create(const struct greta_tokenizer *tokenizer, bool continues, bool special,
					   struct greta_text_stream **out_stream, struct greta_error *error)
{
	size_t most = UNFINISHED_BYTES + tokenizer->longest_piece; /* a piece lies in a file: no overflow below */
	struct greta_text_stream *stream = calloc(1, sizeof(*stream));
	char *bytes = malloc(most), *out = malloc(most * REPLACEMENT_BYTES);
	if (!stream || !bytes || !out) {
		free(stream);
		free(bytes);
		free(out);
		return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory for a text stream");
	}
	*stream = (struct greta_text_stream){.tokenizer = tokenizer, .continues = continues, .special = special,
					     .first = true, .bytes = bytes, .out = out};
	*out_stream = stream;
	return GRETA_OK;
}

void greta_text_stream_destroy(struct greta_text_stream *stream)
{
	if (!stream)
		return;
	free(stream->bytes);
	free(stream->out);
	free(stream);
}

/* Moves whole characters of `length` bytes to out, and what may still become one to the front; at_end nothing may. */
static struct greta_gguf_string take_characters(struct greta_text_stream *stream, size_t length, bool at_end)
{
	size_t at = 0, given = 0, bytes;
	while (at < length) {
		enum greta_utf8 front = greta_utf8_front(stream->bytes + at, length - at, &bytes);
		if (front == GRETA_UTF8_UNFINISHED && !at_end)
			break;
		if (front == GRETA_UTF8_COMPLETE) {
			memcpy(stream->out + given, stream->bytes + at, bytes);
			given += bytes;
		} else {
			memcpy(stream->out + given, "\ufffd", REPLACEMENT_BYTES);
			given += REPLACEMENT_BYTES;
		}
		at += bytes;
	}
	stream->held = length - at;
	memmove(stream->bytes, stream->bytes + at, stream->held);
	return (struct greta_gguf_string){stream->out, given};
}

struct greta_gguf_string greta_text_stream_push(struct greta_text_stream *stream, int32_t token)
{
	struct greta_gguf_string piece =
	    piece_in_text(stream->tokenizer, token, stream->special, stream->first && !stream->continues);
	stream->first = false;
	memcpy(stream->bytes + stream->held, piece.data, piece.length);
	return take_characters(stream, stream->held + piece.length, false);
}

struct greta_gguf_string greta_text_stream_flush(struct greta_text_stream *stream)
{
	stream->first = true;
	return take_characters(stream, stream->held, true);
}
