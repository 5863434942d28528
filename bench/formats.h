/* A finished document (document.h) as text. */
#ifndef GRETA_BENCH_FORMATS_H
#define GRETA_BENCH_FORMATS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* "md", "csv", "json" or "jsonl". */
bool bench_format_known(const char *name);

/* md: tables for people. csv: the results, a line each, without the samples. jsonl: the results, an object a line, as
 * llama-bench has it. json: the document. A failing stream is the caller's to notice; false without memory. */
bool bench_format_print(const json_t *document, const char *format, FILE *out);

#endif
