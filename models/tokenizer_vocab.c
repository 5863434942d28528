#include "models/tokenizer.h"
#include "models/tokenizer_private.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SPACE_MARK[] = "\u2581"; /* stands for a space in a token's text */

#define FAIL(tokenizer, error, status, format, ...) \
	greta_fail(error, status, "%s: " format, greta_gguf_path((tokenizer)->gguf), __VA_ARGS__)

static uint32_t hash_of(const char *text, size_t length)
{
	return (uint32_t)XXH3_64bits(text, length);
}

int32_t greta_tokenizer_find(const struct greta_tokenizer *tokenizer, const char *text, size_t length)
{
	if (length > tokenizer->longest_text)
		return GRETA_NO_TOKEN;
	uint32_t hash = hash_of(text, length);
	for (size_t at = hash & tokenizer->slot_mask;; at = (at + 1) & tokenizer->slot_mask) {
		const struct greta_token_slot *slot = &tokenizer->slots[at];
		if (slot->token_plus_1 == 0)
			return GRETA_NO_TOKEN;
		const struct greta_token *token = &tokenizer->tokens[slot->token_plus_1 - 1];
		if (slot->hash == hash && token->text.length == length && memcmp(token->text.data, text, length) == 0)
			return (int32_t)slot->token_plus_1 - 1;
	}
}

static uint32_t traits_of(int64_t gguf_token_type)
{
	switch (gguf_token_type) { /* as GGUF numbers them */
	case 1:
		return GRETA_TOKEN_NORMAL;
	case 2:
		return GRETA_TOKEN_UNKNOWN;
	case 3:
		return GRETA_TOKEN_CONTROL;
	case 4:
		return GRETA_TOKEN_USER_DEFINED;
	case 6:
		return GRETA_TOKEN_BYTE;
	default: /* unused, undefined */
		return 0;
	}
}

/* An optional array beside the tokens; *out is untouched when it is missing. */
static enum greta_status read_column(const struct greta_tokenizer *tokenizer, const char *key, bool floats,
				     struct greta_gguf_array *out, struct greta_error *error)
{
	struct greta_gguf_array array = {0};
	if (!greta_gguf_has(tokenizer->gguf, key))
		return GRETA_OK;
	enum greta_status status = greta_gguf_get_array(tokenizer->gguf, key, &array, error);
	if (status)
		return status;
	bool fits = array.kind != GRETA_GGUF_STRING && array.kind != GRETA_GGUF_ARRAY && array.kind != GRETA_GGUF_BOOL;
	if (!floats && (array.kind == GRETA_GGUF_FLOAT32 || array.kind == GRETA_GGUF_FLOAT64))
		fits = false;
	if (!fits)
		return FAIL(tokenizer, error, GRETA_ERROR_FORMAT, "key %s is an array of %s, where %s are expected",
			    key, greta_gguf_kind_name(array.kind), floats ? "numbers" : "integers");
	if (array.count < tokenizer->count)
		return FAIL(tokenizer, error, GRETA_ERROR_FORMAT, "key %s has %zu values for %" PRIu32 " tokens", key,
			    array.count, tokenizer->count);
	*out = array;
	return GRETA_OK;
}

static enum greta_status read_tokens(struct greta_tokenizer *tokenizer, struct greta_gguf_array texts,
				     struct greta_error *error)
{
	struct greta_gguf_array scores = {0}, types = {0};
	enum greta_status status;
	if ((status = read_column(tokenizer, "tokenizer.ggml.scores", true, &scores, error)) ||
	    (status = read_column(tokenizer, "tokenizer.ggml.token_type", false, &types, error)))
		return status;
	for (uint32_t i = 0; i < tokenizer->count; i++) {
		struct greta_token *token = &tokenizer->tokens[i];
		greta_gguf_array_next_string(&texts, &token->text);
		token->score = scores.count ? (float)greta_gguf_array_float(&scores, i) : 0;
		token->traits = types.count ? traits_of(greta_gguf_array_int(&types, i)) : GRETA_TOKEN_NORMAL;
		if (isnan(token->score))
			return FAIL(tokenizer, error, GRETA_ERROR_FORMAT, "the score of token %" PRIu32
				    " is not a number", i);
	}
	return GRETA_OK;
}

/* The byte of a text "<0xXX>"; -1 for other texts. */
static int byte_of(struct greta_gguf_string text)
{
	unsigned byte;
	char digits[3];
	if (text.length != 6 || memcmp(text.data, "<0x", 3) != 0 || text.data[5] != '>')
		return -1;
	memcpy(digits, text.data + 3, 2);
	digits[2] = '\0';
	if (strspn(digits, "0123456789abcdefABCDEF") != 2 || sscanf(digits, "%x", &byte) != 1)
		return -1;
	return (int)byte;
}

/* Writes what a token stands for; returns its length, never more than the text's. */
static size_t write_piece(const struct greta_token *token, char *out)
{
	const size_t mark = sizeof(SPACE_MARK) - 1;
	size_t length = 0;
	if (token->traits & (GRETA_TOKEN_UNKNOWN | GRETA_TOKEN_CONTROL | GRETA_TOKEN_USER_DEFINED)) {
		memcpy(out, token->text.data, token->text.length);
		return token->text.length;
	}
	if (token->traits & GRETA_TOKEN_BYTE) {
		*out = (char)byte_of(token->text);
		return 1;
	}
	if (!(token->traits & GRETA_TOKEN_NORMAL))
		return 0;
	for (size_t i = 0; i < token->text.length;) {
		if (token->text.length - i >= mark && memcmp(token->text.data + i, SPACE_MARK, mark) == 0) {
			out[length++] = ' ';
			i += mark;
		} else {
			out[length++] = token->text.data[i++];
		}
	}
	return length;
}

/* A token without text is named by its number, as llama.cpp names it. */
enum { NAME_BYTES = 32 };

static enum greta_status name_empty_tokens(struct greta_tokenizer *tokenizer, struct greta_error *error)
{
	size_t empty = 0;
	for (uint32_t i = 0; i < tokenizer->count; i++)
		empty += tokenizer->tokens[i].text.length == 0;
	tokenizer->names = malloc(empty * NAME_BYTES + 1);
	if (!tokenizer->names)
		return FAIL(tokenizer, error, GRETA_ERROR_MEMORY, "%s", "out of memory");
	char *name = tokenizer->names;
	for (uint32_t i = 0; i < tokenizer->count; i++) {
		struct greta_token *token = &tokenizer->tokens[i];
		if (token->text.length == 0) {
			int length = snprintf(name, NAME_BYTES, "[EMPTY_%" PRIu32 "]", i);
			token->text = (struct greta_gguf_string){name, (size_t)length};
			name += NAME_BYTES;
		}
		if (token->text.length > tokenizer->longest_text)
			tokenizer->longest_text = token->text.length;
	}
	return GRETA_OK;
}

static enum greta_status index_texts(struct greta_tokenizer *tokenizer, struct greta_error *error)
{
	size_t slots = 16;
	while (slots < 2 * (size_t)tokenizer->count)
		slots *= 2;
	tokenizer->slots = calloc(slots, sizeof(*tokenizer->slots));
	if (!tokenizer->slots)
		return FAIL(tokenizer, error, GRETA_ERROR_MEMORY, "%s", "out of memory");
	tokenizer->slot_mask = slots - 1;
	for (uint32_t i = 0; i < tokenizer->count; i++) {
		struct greta_gguf_string text = tokenizer->tokens[i].text;
		int32_t same = greta_tokenizer_find(tokenizer, text.data, text.length);
		if (same != GRETA_NO_TOKEN)
			return FAIL(tokenizer, error, GRETA_ERROR_FORMAT,
				    "tokens %" PRId32 " and %" PRIu32 " have the same text, %.*s", same, i,
				    GRETA_GGUF_PRINT(text));
		uint32_t hash = hash_of(text.data, text.length);
		size_t at = hash & tokenizer->slot_mask;
		while (tokenizer->slots[at].token_plus_1)
			at = (at + 1) & tokenizer->slot_mask;
		tokenizer->slots[at] = (struct greta_token_slot){hash, i + 1};
	}
	return GRETA_OK;
}

static enum greta_status write_pieces(struct greta_tokenizer *tokenizer, struct greta_error *error)
{
	size_t bytes = 0;
	for (uint32_t i = 0; i < tokenizer->count; i++) {
		const struct greta_token *token = &tokenizer->tokens[i];
		bytes += token->text.length; /* a piece is never longer; all texts lie in the file: no overflow */
		if ((token->traits & GRETA_TOKEN_BYTE) && byte_of(token->text) < 0)
			return FAIL(tokenizer, error, GRETA_ERROR_FORMAT,
				    "token %" PRIu32 ", %.*s, should be a byte but is not written <0xXX>", i,
				    GRETA_GGUF_PRINT(token->text));
	}
	tokenizer->pieces = malloc(bytes + 1);
	if (!tokenizer->pieces)
		return FAIL(tokenizer, error, GRETA_ERROR_MEMORY, "%s", "out of memory");
	char *piece = tokenizer->pieces;
	for (uint32_t i = 0; i < tokenizer->count; i++) {
		struct greta_token *token = &tokenizer->tokens[i];
		token->piece = (struct greta_gguf_string){piece, write_piece(token, piece)};
		piece += token->piece.length;
		if (token->piece.length > tokenizer->longest_piece)
			tokenizer->longest_piece = token->piece.length;
	}
	return GRETA_OK;
}

static int special_order(const void *a, const void *b, void *user)
{
	const struct greta_token *tokens = user;
	uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
	if (tokens[first].text.length != tokens[second].text.length)
		return tokens[first].text.length > tokens[second].text.length ? -1 : 1;
	return first < second ? -1 : first > second;
}

static enum greta_status list_special(struct greta_tokenizer *tokenizer, struct greta_error *error)
{
	const uint32_t traits = GRETA_TOKEN_CONTROL | GRETA_TOKEN_USER_DEFINED | GRETA_TOKEN_UNKNOWN;
	for (uint32_t i = 0; i < tokenizer->count; i++)
		tokenizer->n_special += (tokenizer->tokens[i].traits & traits) != 0;
	tokenizer->special = calloc(tokenizer->n_special + 1, sizeof(*tokenizer->special));
	if (!tokenizer->special)
		return FAIL(tokenizer, error, GRETA_ERROR_MEMORY, "%s", "out of memory");
	size_t n = 0;
	for (uint32_t i = 0; i < tokenizer->count; i++)
		if (tokenizer->tokens[i].traits & traits)
			tokenizer->special[n++] = i;
	if (n > 1)
		qsort_r(tokenizer->special, n, sizeof(*tokenizer->special), special_order, tokenizer->tokens);
	return GRETA_OK;
}

static void find_bytes(struct greta_tokenizer *tokenizer)
{
	for (int byte = 0; byte < 256; byte++) {
		char text[8];
		snprintf(text, sizeof(text), "<0x%02X>", (unsigned)byte);
		tokenizer->byte_tokens[byte] = greta_tokenizer_find(tokenizer, text, 6);
		text[0] = (char)byte;
		if (tokenizer->byte_tokens[byte] == GRETA_NO_TOKEN)
			tokenizer->byte_tokens[byte] = greta_tokenizer_find(tokenizer, text, 1);
	}
}

/* A token number in the metadata; one outside the vocabulary counts as not given. */
static enum greta_status read_token_number(const struct greta_tokenizer *tokenizer, const char *key, uint32_t otherwise,
					   int32_t *out, struct greta_error *error)
{
	uint32_t token = otherwise;
	enum greta_status status = greta_gguf_get_u32_or(tokenizer->gguf, key, otherwise, &token, error);
	if (status)
		return status;
	if (token >= tokenizer->count)
		token = otherwise;
	*out = token < tokenizer->count ? (int32_t)token : GRETA_NO_TOKEN;
	return GRETA_OK;
}

static enum greta_status read_settings(struct greta_tokenizer *tokenizer, struct greta_error *error)
{
	enum greta_status status;
	const struct {
		const char *key;
		uint32_t otherwise;
		int32_t *field;
	} numbers[] = {
	    {"tokenizer.ggml.bos_token_id", 1, &tokenizer->bos},
	    {"tokenizer.ggml.eos_token_id", 2, &tokenizer->eos},
	    {"tokenizer.ggml.unknown_token_id", 0, &tokenizer->unk},
	};
	const struct {
		const char *key;
		bool otherwise;
		bool *field;
	} flags[] = {
	    {"tokenizer.ggml.add_bos_token", true, &tokenizer->adds_bos},
	    {"tokenizer.ggml.add_eos_token", false, &tokenizer->adds_eos},
	    {"tokenizer.ggml.add_space_prefix", true, &tokenizer->adds_space},
	};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if ((status = read_token_number(tokenizer, numbers[i].key, numbers[i].otherwise, numbers[i].field,
						error)))
			return status;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if ((status = greta_gguf_get_bool_or(tokenizer->gguf, flags[i].key, flags[i].otherwise, flags[i].field,
						     error)))
			return status;
	if ((tokenizer->adds_bos && tokenizer->bos == GRETA_NO_TOKEN) ||
	    (tokenizer->adds_eos && tokenizer->eos == GRETA_NO_TOKEN))
		return FAIL(tokenizer, error, GRETA_ERROR_FORMAT,
			    "asks for a %s token in front of or behind texts, but names none",
			    tokenizer->adds_bos && tokenizer->bos == GRETA_NO_TOKEN ? "BOS" : "EOS");
	return GRETA_OK;
}

static enum greta_status build(struct greta_tokenizer *tokenizer, struct greta_error *error)
{
	const struct greta_gguf *gguf = tokenizer->gguf;
	struct greta_gguf_string model = {0};
	struct greta_gguf_array texts = {0};
	enum greta_status status;

	if ((status = greta_gguf_get_string(gguf, "tokenizer.ggml.model", &model, error)))
		return status;
	if (!greta_gguf_string_is(model, "llama"))
		return FAIL(tokenizer, error, GRETA_ERROR_UNSUPPORTED, "tokenizer %.*s is not supported (llama is)",
			    GRETA_GGUF_PRINT(model));
	if ((status = greta_gguf_get_array(gguf, "tokenizer.ggml.tokens", &texts, error)))
		return status;
	if (texts.kind != GRETA_GGUF_STRING || texts.count == 0 || texts.count > INT32_MAX)
		return FAIL(tokenizer, error, GRETA_ERROR_FORMAT,
			    "key tokenizer.ggml.tokens is no array of 1 to %d strings", INT32_MAX);
	tokenizer->count = (uint32_t)texts.count;
	tokenizer->tokens = calloc(texts.count, sizeof(*tokenizer->tokens));
	if (!tokenizer->tokens)
		return FAIL(tokenizer, error, GRETA_ERROR_MEMORY, "%s", "out of memory");

	if ((status = read_tokens(tokenizer, texts, error)) || (status = name_empty_tokens(tokenizer, error)) ||
	    (status = index_texts(tokenizer, error)) || (status = read_settings(tokenizer, error)) ||
	    (status = greta_tokenizer_mark_ends(tokenizer, error)) || (status = write_pieces(tokenizer, error)) ||
	    (status = list_special(tokenizer, error)))
		return status;
	find_bytes(tokenizer);
	return GRETA_OK;
}

enum greta_status greta_tokenizer_create(const struct greta_gguf *gguf, struct greta_tokenizer **out_tokenizer,
					 struct greta_error *error)
{
	struct greta_tokenizer *tokenizer = calloc(1, sizeof(*tokenizer));
	if (!tokenizer)
		return greta_fail(error, GRETA_ERROR_MEMORY, "%s: out of memory", greta_gguf_path(gguf));
	tokenizer->gguf = gguf;
	enum greta_status status = build(tokenizer, error);
	if (status)
		greta_tokenizer_destroy(tokenizer);
	else
		*out_tokenizer = tokenizer;
	return status;
}

void greta_tokenizer_destroy(struct greta_tokenizer *tokenizer)
{
	if (!tokenizer)
		return;
	free(tokenizer->tokens);
	free(tokenizer->names);
	free(tokenizer->pieces);
	free(tokenizer->slots);
	free(tokenizer->special);
	free(tokenizer);
}

uint32_t greta_tokenizer_count(const struct greta_tokenizer *tokenizer)
{
	return tokenizer->count;
}

int32_t greta_tokenizer_bos(const struct greta_tokenizer *tokenizer)
{
	return tokenizer->bos;
}

int32_t greta_tokenizer_eos(const struct greta_tokenizer *tokenizer)
{
	return tokenizer->eos;
}

int32_t greta_tokenizer_unk(const struct greta_tokenizer *tokenizer)
{
	return tokenizer->unk;
}

bool greta_tokenizer_adds_bos(const struct greta_tokenizer *tokenizer)
{
	return tokenizer->adds_bos;
}

bool greta_tokenizer_adds_eos(const struct greta_tokenizer *tokenizer)
{
	return tokenizer->adds_eos;
}

static const struct greta_token *token_at(const struct greta_tokenizer *tokenizer, int32_t token)
{
	return token >= 0 && (uint32_t)token < tokenizer->count ? &tokenizer->tokens[token] : NULL;
}

bool greta_tokenizer_is_end(const struct greta_tokenizer *tokenizer, int32_t token)
{
	const struct greta_token *entry = token_at(tokenizer, token);
	return entry && (entry->traits & GRETA_TOKEN_END);
}

struct greta_gguf_string greta_tokenizer_text(const struct greta_tokenizer *tokenizer, int32_t token)
{
	const struct greta_token *entry = token_at(tokenizer, token);
	return entry ? entry->text : (struct greta_gguf_string){"", 0};
}

struct greta_gguf_string greta_tokenizer_piece(const struct greta_tokenizer *tokenizer, int32_t token, bool special)
{
	const struct greta_token *entry = token_at(tokenizer, token);
	if (!entry || (!special && (entry->traits & (GRETA_TOKEN_CONTROL | GRETA_TOKEN_UNKNOWN))))
		return (struct greta_gguf_string){"", 0};
	return entry->piece;
}
