/* A finished document (document.h) as Markdown tables. */
#ifndef GRETA_BENCH_MARKDOWN_H
#define GRETA_BENCH_MARKDOWN_H

#include <jansson.h>
#include <stdio.h>

void bench_markdown(const json_t *document, FILE *out);

#endif
