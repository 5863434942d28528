/* What greta-exec says besides the text: statistics for people, the same as JSON. */
#ifndef GRETA_EXEC_REPORT_H
#define GRETA_EXEC_REPORT_H

#include "runtime/exec/arguments.h"
#include "runtime/greta.h"

/* What came out. */
struct greta_exec_result {
	int32_t *prompt_tokens;
	size_t prompt_count;
	char *text;                  /* generated; UTF-8 */
	size_t text_length;
	int32_t *tokens;
	size_t token_count;
	const char *stop;            /* "end", "limit", "context", "interrupted" */
	const char *hash;            /* NULL: not asked for */
};

void greta_exec_print_stats(const struct greta *greta, const struct greta_exec_arguments *arguments,
			    const struct greta_exec_result *result);

/* One object and a newline on stdout. False without memory or when it could not be written. */
bool greta_exec_print_json(const struct greta *greta, const struct greta_exec_arguments *arguments,
			   const struct greta_exec_result *result);

#endif
