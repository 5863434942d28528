#include "models/tokenizer.h"
#include "models/tokenizer_private.h"

#include <stdlib.h>
#include <string.h>

enum { SPACE_MARK_BYTES = 3 };

/* A run of bytes that is a token or may become part of one. */
struct symbol {
	uint32_t at, length; /* in the written-out text; length 0: merged into the one before */
	int32_t previous, next;
};

/* Two neighbours whose union is a token. Void when either has changed since. */
struct pair {
	float score;
	int32_t left, right;
	uint32_t length; /* of the union */
};

/* What is still to be encoded, nearest first on top: a stretch of text that holds no special token before `special`
 * in the list, or a special token. */
struct pending {
	size_t begin, end;
	size_t special;
	int32_t token; /* GRETA_NO_TOKEN: a stretch */
};

struct encoder {
	const struct greta_tokenizer *tokenizer;
	const char *text;
	bool parse_special;
	bool after_special; /* or at the start */

	char *written; /* a stretch with its spaces written as U+2581 */
	struct symbol *symbols;
	struct pair *heap;
	size_t n_heap;

	struct pending *stack;
	size_t n_stack, stack_room;

	int32_t *tokens;
	size_t n_tokens, token_room;
	struct greta_error *error;
};

static enum greta_status out_of_memory(const struct encoder *encoder)
{
	return greta_fail(encoder->error, GRETA_ERROR_MEMORY, "out of memory for the tokens of a text");
}

/* The array with room for one more element, moved if need be; NULL, and nothing changed, when there is no memory. */
static void *grown(void *array, size_t used, size_t *room, size_t element)
{
	if (used < *room)
		return array;
	size_t more = *room ? 2 * *room : 64;
	void *larger = more > SIZE_MAX / 2 / element ? NULL : realloc(array, more * element);
	if (larger)
		*room = more;
	return larger;
}

static enum greta_status emit(struct encoder *encoder, int32_t token)
{
	int32_t *tokens = grown(encoder->tokens, encoder->n_tokens, &encoder->token_room, sizeof(*tokens));
	if (!tokens)
		return out_of_memory(encoder);
	encoder->tokens = tokens;
	encoder->tokens[encoder->n_tokens++] = token;
	return GRETA_OK;
}

static enum greta_status push(struct encoder *encoder, struct pending pending)
{
	struct pending *stack = grown(encoder->stack, encoder->n_stack, &encoder->stack_room, sizeof(*stack));
	if (!stack)
		return out_of_memory(encoder);
	encoder->stack = stack;
	encoder->stack[encoder->n_stack++] = pending;
	return GRETA_OK;
}

/* The better score first; of equals the one further left. */
static bool comes_first(const struct pair *a, const struct pair *b)
{
	return a->score > b->score || (a->score == b->score && a->left < b->left);
}

static void heap_push(struct encoder *encoder, struct pair pair)
{
	size_t at = encoder->n_heap++;
	while (at > 0 && comes_first(&pair, &encoder->heap[(at - 1) / 2])) {
		encoder->heap[at] = encoder->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	encoder->heap[at] = pair;
}

static struct pair heap_pop(struct encoder *encoder)
{
	struct pair top = encoder->heap[0], last = encoder->heap[--encoder->n_heap];
	size_t at = 0, child;
	while ((child = 2 * at + 1) < encoder->n_heap) {
		if (child + 1 < encoder->n_heap && comes_first(&encoder->heap[child + 1], &encoder->heap[child]))
			child++;
		if (!comes_first(&encoder->heap[child], &last))
			break;
		encoder->heap[at] = encoder->heap[child];
		at = child;
	}
	encoder->heap[at] = last;
	return top;
}

static void offer_pair(struct encoder *encoder, int32_t left, int32_t right)
{
	if (left < 0 || right < 0)
		return;
	const struct symbol *symbols = encoder->symbols;
	uint32_t length = symbols[left].length + symbols[right].length;
	int32_t token = greta_tokenizer_find(encoder->tokenizer, encoder->written + symbols[left].at, length);
	if (token != GRETA_NO_TOKEN)
		heap_push(encoder,
			  (struct pair){encoder->tokenizer->tokens[token].score, left, right, length});
}

static size_t write_out(struct encoder *encoder, size_t begin, size_t end)
{
	size_t length = 0;
	bool prefix = encoder->tokenizer->adds_space && encoder->after_special;
	for (size_t i = begin; i < end || prefix; prefix = false) {
		char byte = prefix ? ' ' : encoder->text[i++];
		if (byte == ' ') {
			memcpy(encoder->written + length, "\u2581", SPACE_MARK_BYTES);
			length += SPACE_MARK_BYTES;
		} else {
			encoder->written[length++] = byte;
		}
	}
	return length;
}

/* Characters by what their first byte announces, right or wrong, as llama.cpp splits them; returns how many. */
static int32_t split(struct encoder *encoder, size_t length)
{
	static const unsigned char BYTES[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
	int32_t count = 0;
	for (size_t at = 0; at < length;) {
		size_t bytes = BYTES[(unsigned char)encoder->written[at] >> 4];
		if (bytes > length - at)
			bytes = length - at;
		encoder->symbols[count] = (struct symbol){(uint32_t)at, (uint32_t)bytes, count - 1, count + 1};
		count++;
		at += bytes;
	}
	if (count)
		encoder->symbols[count - 1].next = -1;
	return count;
}

static void merge(struct encoder *encoder, int32_t count)
{
	struct symbol *symbols = encoder->symbols;
	encoder->n_heap = 0;
	for (int32_t i = 1; i < count; i++)
		offer_pair(encoder, i - 1, i);
	/* every merge takes a pair off and offers at most two: never more than twice the symbols */
	while (encoder->n_heap) {
		struct pair pair = heap_pop(encoder);
		struct symbol *left = &symbols[pair.left], *right = &symbols[pair.right];
		if (left->length == 0 || right->length == 0 || left->length + right->length != pair.length)
			continue;
		left->length += right->length;
		right->length = 0;
		left->next = right->next;
		if (right->next >= 0)
			symbols[right->next].previous = pair.left;
		offer_pair(encoder, left->previous, pair.left);
		offer_pair(encoder, pair.left, left->next);
	}
}

/* A symbol that is no token is given byte by byte; a byte that has none is unknown. */
static enum greta_status emit_symbol(struct encoder *encoder, const struct symbol *symbol)
{
	const char *text = encoder->written + symbol->at;
	int32_t token = greta_tokenizer_find(encoder->tokenizer, text, symbol->length);
	if (token != GRETA_NO_TOKEN)
		return emit(encoder, token);
	for (uint32_t i = 0; i < symbol->length; i++) {
		unsigned char byte = (unsigned char)text[i];
		token = encoder->tokenizer->byte_tokens[byte];
		if (token == GRETA_NO_TOKEN)
			token = encoder->tokenizer->unk;
		if (token == GRETA_NO_TOKEN)
			return greta_fail(encoder->error, GRETA_ERROR_FORMAT,
					  "%s: the vocabulary has neither a token for byte 0x%02X nor an unknown token",
					  greta_gguf_path(encoder->tokenizer->gguf), byte);
		enum greta_status status = emit(encoder, token);
		if (status)
			return status;
	}
	return GRETA_OK;
}

static enum greta_status encode_stretch(struct encoder *encoder, size_t begin, size_t end)
{
	int32_t count = split(encoder, write_out(encoder, begin, end));
	encoder->after_special = false;
	merge(encoder, count);
	for (int32_t i = 0; i >= 0 && i < count; i = encoder->symbols[i].next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): greta_tokenizer_encode frees what it thinks lost here */
		enum greta_status status = emit_symbol(encoder, &encoder->symbols[i]);
		if (status)
			return status;
	}
	return GRETA_OK;
}

/* The first special token in a stretch, by the list's order and then from the left; found->special is the list's length
 * when there is none. */
static const char *find_special(const struct encoder *encoder, const unsigned char *first_bytes, struct pending *found)
{
	const struct greta_tokenizer *tokenizer = encoder->tokenizer;
	for (; found->special < tokenizer->n_special; found->special++) {
		const struct greta_token *token = &tokenizer->tokens[tokenizer->special[found->special]];
		if (!encoder->parse_special && (token->traits & (GRETA_TOKEN_CONTROL | GRETA_TOKEN_UNKNOWN)))
			continue;
		if (!first_bytes[(unsigned char)token->text.data[0]])
			continue;
		const char *match = memmem(encoder->text + found->begin, found->end - found->begin, token->text.data,
					   token->text.length);
		if (match)
			return match;
	}
	return NULL;
}

static enum greta_status encode_text(struct encoder *encoder, size_t length)
{
	const struct greta_tokenizer *tokenizer = encoder->tokenizer;
	unsigned char first_bytes[256] = {0}; /* which bytes the text has: most special tokens need no search then */
	enum greta_status status = GRETA_OK;
	for (size_t i = 0; i < length; i++)
		first_bytes[(unsigned char)encoder->text[i]] = 1;
	if (length)
		status = push(encoder, (struct pending){0, length, 0, GRETA_NO_TOKEN});
	while (encoder->n_stack && !status) {
		struct pending pending = encoder->stack[--encoder->n_stack];
		if (pending.token != GRETA_NO_TOKEN) {
			encoder->after_special = true;
			status = emit(encoder, pending.token);
			continue;
		}
		const char *match = find_special(encoder, first_bytes, &pending);
		if (!match) {
			status = encode_stretch(encoder, pending.begin, pending.end);
			continue;
		}
		int32_t token = (int32_t)tokenizer->special[pending.special];
		size_t at = (size_t)(match - encoder->text), behind = at + tokenizer->tokens[token].text.length;
		if (behind < pending.end)
			status = push(encoder, (struct pending){behind, pending.end, pending.special, GRETA_NO_TOKEN});
		if (!status)
			status = push(encoder, (struct pending){0, 0, 0, token});
		if (!status && at > pending.begin)
			status = push(encoder,
				      (struct pending){pending.begin, at, pending.special + 1, GRETA_NO_TOKEN});
	}
	return status;
}

static enum greta_status encode(struct encoder *encoder, size_t length, unsigned flags)
{
	const struct greta_tokenizer *tokenizer = encoder->tokenizer;
	enum greta_status status = GRETA_OK;
	size_t spaces = 1; /* the prefix */
	for (size_t i = 0; i < length; i++)
		spaces += encoder->text[i] == ' ';
	/* a space is one symbol, or two when a broken character before it takes its first byte */
	size_t most_symbols = length + spaces;

	encoder->written = malloc(length + SPACE_MARK_BYTES * spaces);
	encoder->symbols = malloc(most_symbols * sizeof(*encoder->symbols));
	encoder->heap = malloc(2 * most_symbols * sizeof(*encoder->heap));
	encoder->token_room = length / 2 + 16;
	encoder->tokens = malloc(encoder->token_room * sizeof(*encoder->tokens));
	if (!encoder->written || !encoder->symbols || !encoder->heap || !encoder->tokens)
		return out_of_memory(encoder);
	if ((flags & GRETA_ENCODE_ADD_SPECIAL) && tokenizer->adds_bos)
		status = emit(encoder, tokenizer->bos);
	if (!status)
		status = encode_text(encoder, length);
	if (!status && (flags & GRETA_ENCODE_ADD_SPECIAL) && tokenizer->adds_eos)
		status = emit(encoder, tokenizer->eos);
	return status;
}

enum greta_status greta_tokenizer_encode(const struct greta_tokenizer *tokenizer, const char *text, size_t length,
					 unsigned flags, int32_t **out_tokens, size_t *out_count,
					 struct greta_error *error)
{
	struct encoder encoder = {
	    .tokenizer = tokenizer,
	    .text = text,
	    .parse_special = (flags & GRETA_ENCODE_PARSE_SPECIAL) != 0,
	    .after_special = true,
	    .error = error,
	};
	if (length >= INT32_MAX / SPACE_MARK_BYTES)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "a text of %zu bytes is too long to encode at once",
				  length);
	enum greta_status status = encode(&encoder, length, flags);
	free(encoder.written);
	free(encoder.symbols);
	free(encoder.heap);
	free(encoder.stack);
	if (status) {
		free(encoder.tokens);
		return status;
	}
	*out_tokens = encoder.tokens;
	*out_count = encoder.n_tokens;
	return GRETA_OK;
}
