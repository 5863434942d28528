/* The tokens that are run. */
#ifndef GRETA_BENCH_PARITY_TEXT_H
#define GRETA_BENCH_PARITY_TEXT_H

#include "models/error.h"

#include <stddef.h>
#include <stdint.h>

/* At most `most` tokens of the text in `file`, else of `prompt`, else of a built-in one, in a new array that the caller
 * frees; *out_from says where they are from. A model whose vocabulary this build cannot read gets pseudo-random tokens
 * in the place of the built-in text. IO, FORMAT, UNSUPPORTED, ARGUMENT (the text has no tokens), MEMORY. */
enum greta_status greta_parity_tokens(const char *model, const char *file, const char *prompt, size_t most,
				      int32_t **out_tokens, size_t *out_count, const char **out_from,
				      struct greta_error *error);

#endif
