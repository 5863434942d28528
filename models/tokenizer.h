/* Text to tokens and back, for `llama` (SentencePiece-style) vocabularies stored in GGUF metadata. Gives exactly the
 * tokens and the bytes that llama.cpp gives, for any bytes whatever: valid UTF-8 or not, zeros included.
 *
 * Encoding: special tokens are cut out of the text first, longest first; what is left has its spaces written as
 * U+2581, with one put before it at the start of the text and after a special token (tokenizer.ggml.add_space_prefix);
 * it is split into UTF-8 characters, and the neighbouring pair whose union is the token of the best score is merged
 * (the leftmost of equals) until no union is a token; a rest that is no token is written as byte tokens <0xXX>.
 *
 * A tokenizer is never changed after creation: any number of threads may use it. */
#ifndef GRETA_TOKENIZER_H
#define GRETA_TOKENIZER_H

#include "models/error.h"
#include "models/gguf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRETA_NO_TOKEN (-1)

struct greta_tokenizer;

enum greta_encode_flags {
	GRETA_ENCODE_ADD_SPECIAL = 1,   /* BOS before and EOS behind, as far as the model asks for them */
	GRETA_ENCODE_PARSE_SPECIAL = 2, /* control tokens written out in the text ("</s>") become those tokens;
					 * user-defined tokens do so without this flag too */
};

/* Builds the vocabulary. `gguf` must stay open as long as the tokenizer is used. GRETA_ERROR_UNSUPPORTED for another
 * tokenizer model (named), GRETA_ERROR_FORMAT for keys that are missing or damaged, GRETA_ERROR_MEMORY. */
enum greta_status greta_tokenizer_create(const struct greta_gguf *gguf, struct greta_tokenizer **out_tokenizer,
					 struct greta_error *error);
void greta_tokenizer_destroy(struct greta_tokenizer *tokenizer);

uint32_t greta_tokenizer_count(const struct greta_tokenizer *tokenizer); /* tokens are 0 .. count - 1 */
int32_t greta_tokenizer_bos(const struct greta_tokenizer *tokenizer);    /* GRETA_NO_TOKEN when there is none */
int32_t greta_tokenizer_eos(const struct greta_tokenizer *tokenizer);
int32_t greta_tokenizer_unk(const struct greta_tokenizer *tokenizer);
bool greta_tokenizer_adds_bos(const struct greta_tokenizer *tokenizer);
bool greta_tokenizer_adds_eos(const struct greta_tokenizer *tokenizer);

/* Does generation end at this token: EOS, end of turn, end of message? False for numbers outside the vocabulary. */
bool greta_tokenizer_is_end(const struct greta_tokenizer *tokenizer, int32_t token);

/* The token as the file writes it ("\u2581the", "<0x0A>"); empty for numbers outside the vocabulary. */
struct greta_gguf_string greta_tokenizer_text(const struct greta_tokenizer *tokenizer, int32_t token);

/* The bytes a token stands for in a text (" the", "\n"), leading space included; empty for numbers outside the
 * vocabulary, and for control and unknown tokens unless `special`. Lives as long as the tokenizer. */
struct greta_gguf_string greta_tokenizer_piece(const struct greta_tokenizer *tokenizer, int32_t token, bool special);

/* The tokens of `length` bytes of text, in a new array that the caller frees (never NULL, also for none). `flags`:
 * of enum greta_encode_flags. Takes time of order length * log(length) and about 64 bytes of memory a character
 * while it runs. GRETA_ERROR_FORMAT when the vocabulary lacks a byte that is needed and has no
 * unknown token either, GRETA_ERROR_ARGUMENT for a text of 700 MB or more, GRETA_ERROR_MEMORY. */
enum greta_status greta_tokenizer_encode(const struct greta_tokenizer *tokenizer, const char *text, size_t length,
					 unsigned flags, int32_t **out_tokens, size_t *out_count,
					 struct greta_error *error);

/* The bytes of `count` tokens, in a new buffer that the caller frees; one zero byte follows them, uncounted. One
 * leading space of the first token goes when the model adds one on encoding. Control tokens give nothing unless
 * `special`. The bytes may be invalid UTF-8. GRETA_ERROR_ARGUMENT for a token outside the vocabulary,
 * GRETA_ERROR_MEMORY. */
enum greta_status greta_tokenizer_decode(const struct greta_tokenizer *tokenizer, const int32_t *tokens, size_t count,
					 bool special, char **out_text, size_t *out_length, struct greta_error *error);

/* Text as it is generated, token by token, always valid UTF-8: a character whose bytes come in several tokens is
 * given when it is complete; bytes that can be part of no character are given as U+FFFD (one for each maximal
 * broken sequence, as Unicode recommends). One thread at a time. */
struct greta_text_stream;

/* `continues`: the tokens carry on a text that came before (a prompt), so the first one's leading space stays;
 * otherwise it goes as in greta_tokenizer_decode. `special` as there. The tokenizer must stay. GRETA_ERROR_MEMORY. */
enum greta_status greta_text_stream_create(const struct greta_tokenizer *tokenizer, bool continues, bool special,
					   struct greta_text_stream **out_stream, struct greta_error *error);
void greta_text_stream_destroy(struct greta_text_stream *stream);

/* The text that this token completes, possibly empty, valid until the next call on the stream. Numbers outside the
 * vocabulary give nothing. Never fails, never allocates. */
struct greta_gguf_string greta_text_stream_push(struct greta_text_stream *stream, int32_t token);

/* What is held back, at the end of the text: an unfinished character, as U+FFFD, or nothing. The stream starts anew, as
 * created with `continues`. */
struct greta_gguf_string greta_text_stream_flush(struct greta_text_stream *stream);

#endif
