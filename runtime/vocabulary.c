#include "runtime/session.h"

#include <inttypes.h>

static enum greta_status vocabulary(const struct greta *greta, struct greta_error *error)
{
	if (greta->tokenizer)
		return GRETA_OK;
	if (error)
		*error = greta->tokenizer_error;
	return greta->tokenizer_error.status;
}

enum greta_status greta_encode(const struct greta *greta, const char *text, size_t length, bool first, bool special,
			       int32_t **out_tokens, size_t *out_count, struct greta_error *error)
{
	unsigned flags = (first ? GRETA_ENCODE_ADD_SPECIAL : 0u) | (special ? GRETA_ENCODE_PARSE_SPECIAL : 0u);
	enum greta_status status = vocabulary(greta, error);
	if (status != GRETA_OK)
		return status;
	return greta_tokenizer_encode(greta->tokenizer, text, length, flags, out_tokens, out_count, error);
}

enum greta_status greta_decode(const struct greta *greta, const int32_t *tokens, size_t count, char **out_text,
			       size_t *out_length, struct greta_error *error)
{
	enum greta_status status = vocabulary(greta, error);
	if (status != GRETA_OK)
		return status;
	return greta_tokenizer_decode(greta->tokenizer, tokens, count, false, out_text, out_length, error);
}

bool greta_is_end(const struct greta *greta, int32_t token)
{
	return greta->tokenizer && greta_tokenizer_is_end(greta->tokenizer, token);
}
