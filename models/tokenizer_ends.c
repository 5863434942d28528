/* Files seldom say which tokens end a generation or are control tokens, so llama.cpp knows some by their text
 * (llama-vocab.cpp). Encoding exactly as it does means knowing the same ones. */
#include "models/tokenizer_private.h"

#include <string.h>

enum { MOST_TEXTS = 24 };

/* Tokens of one purpose. With keys, the texts count only when the metadata has none of the keys. */
struct purpose {
	const char *keys[2];
	bool ends;
	const char *texts[MOST_TEXTS];
};

static const struct purpose PURPOSES[] = {
    {{"tokenizer.ggml.eot_token_id", NULL}, true, {NULL}},
    {{"tokenizer.ggml.eom_token_id", NULL}, true, {NULL}},
    {{NULL, NULL},
     true,
     {"<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>",
      "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>",
      "<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>",
      "<\uff5cend\u2581of\u2581sentence\uff5c>", "[e~["}},
    {{"tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.prefix_token_id"},
     false,
     {"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<\uff5cfim\u2581begin\uff5c>", "<PRE>", "\u2581<PRE>",
      "<|code_prefix|>", "<|prefix|>"}},
    {{"tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.suffix_token_id"},
     false,
     {"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<\uff5cfim\u2581hole\uff5c>", "<SUF>", "\u2581<SUF>",
      "<|code_suffix|>", "<|suffix|>"}},
    {{"tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.middle_token_id"},
     false,
     {"<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<\uff5cfim\u2581end\uff5c>", "<MID>", "\u2581<MID>",
      "<|code_middle|>", "<|middle|>"}},
    {{"tokenizer.ggml.fim_pad_token_id", NULL},
     true,
     {"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"}},
    {{"tokenizer.ggml.fim_rep_token_id", NULL},
     true,
     {"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"}},
    {{"tokenizer.ggml.fim_sep_token_id", NULL}, true, {"<|file_sep|>"}},
};

static void mark_texts(struct greta_tokenizer *tokenizer, const struct purpose *purpose)
{
	for (size_t i = 0; i < MOST_TEXTS && purpose->texts[i]; i++) {
		int32_t token = greta_tokenizer_find(tokenizer, purpose->texts[i], strlen(purpose->texts[i]));
		if (token != GRETA_NO_TOKEN)
			tokenizer->tokens[token].traits |=
			    GRETA_TOKEN_CONTROL | (purpose->ends ? GRETA_TOKEN_END : 0u);
	}
}

enum greta_status greta_tokenizer_mark_ends(struct greta_tokenizer *tokenizer, struct greta_error *error)
{
	if (tokenizer->eos != GRETA_NO_TOKEN)
		tokenizer->tokens[tokenizer->eos].traits |= GRETA_TOKEN_END;
	for (size_t i = 0; i < sizeof(PURPOSES) / sizeof(PURPOSES[0]); i++) {
		const struct purpose *purpose = &PURPOSES[i];
		bool by_key = false;
		for (int k = 0; k < 2 && purpose->keys[k]; k++) {
			uint32_t token = UINT32_MAX;
			enum greta_status status =
			    greta_gguf_get_u32_or(tokenizer->gguf, purpose->keys[k], UINT32_MAX, &token, error);
			if (status)
				return status;
			if (token >= tokenizer->count)
				continue;
			by_key = true;
			if (purpose->ends)
				tokenizer->tokens[token].traits |= GRETA_TOKEN_END;
		}
		if (!by_key)
			mark_texts(tokenizer, purpose);
	}
	return GRETA_OK;
}
