/* A finished document (document.h) as text. */
#ifndef GRETA_BENCH_FORMATS_H
#define GRETA_BENCH_FORMATS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum bench_format { BENCH_MD, BENCH_CSV, BENCH_JSON, BENCH_JSONL };

/* md: tables for people. csv: the results, a line each, without the samples. jsonl: the results, an object a line, as
 * llama-bench has it. json: the document. A failing stream is the caller's to notice; false without memory. */
bool bench_format_print(const json_t *document, enum bench_format format, FILE *out);

#endif
