/* A finished document (document.h) as one page: charts and tables in HTML that loads nothing. */
#ifndef GRETA_BENCH_PAGE_H
#define GRETA_BENCH_PAGE_H

#include <jansson.h>

#include "models/error.h"

/* Writes the page (page_frame.h). `arena` is an SVG, or NULL. IO. */
enum greta_status bench_page_write(const char *path, const json_t *document, const char *arena,
                                   struct greta_error *error);

#endif
