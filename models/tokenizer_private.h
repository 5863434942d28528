/* What the files of the tokenizer share: tokenizer_vocab.c builds it, the others read it. */
#ifndef GRETA_TOKENIZER_PRIVATE_H
#define GRETA_TOKENIZER_PRIVATE_H

#include "models/tokenizer.h"

/* What a token is; several may hold at once. */
enum greta_token_traits {
	GRETA_TOKEN_NORMAL = 1,
	GRETA_TOKEN_UNKNOWN = 2,
	GRETA_TOKEN_CONTROL = 4,
	GRETA_TOKEN_USER_DEFINED = 8,
	GRETA_TOKEN_BYTE = 16,
	GRETA_TOKEN_END = 32, /* generation ends here */
};

struct greta_token {
	struct greta_gguf_string text;
	struct greta_gguf_string piece; /* with `special` */
	float score;
	uint32_t traits;
};

/* One place of the hash table from texts to tokens. */
struct greta_token_slot {
	uint32_t hash;
	uint32_t token_plus_1; /* 0: free */
};

struct greta_tokenizer {
	const struct greta_gguf *gguf;
	uint32_t count;
	struct greta_token *tokens;
	char *names;  /* texts of tokens that have none in the file */
	char *pieces; /* all pieces */
	struct greta_token_slot *slots;
	size_t slot_mask;
	uint32_t *special; /* tokens that may be cut out of a text, longest first */
	size_t n_special;
	size_t longest_text, longest_piece;
	int32_t byte_tokens[256]; /* GRETA_NO_TOKEN where there is none */
	int32_t bos, eos, unk;
	bool adds_bos, adds_eos, adds_space;
};

/* The token with this text; GRETA_NO_TOKEN when there is none. */
int32_t greta_tokenizer_find(const struct greta_tokenizer *tokenizer, const char *text, size_t length);

/* Gives tokens that are known by their text the traits GRETA_TOKEN_CONTROL and GRETA_TOKEN_END. */
enum greta_status greta_tokenizer_mark_ends(struct greta_tokenizer *tokenizer, struct greta_error *error);

#endif
