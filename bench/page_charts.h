/* Which charts a page has, from the document. */
#ifndef GRETA_BENCH_PAGE_CHARTS_H
#define GRETA_BENCH_PAGE_CHARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Those that the document has something for, in order. False without memory. */
bool bench_page_charts(const json_t *document, FILE *out);

#endif
