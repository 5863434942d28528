/* A document (document.h) as Markdown and as one page with charts. */
#ifndef GRETA_BENCH_STABILITY_REPORT_H
#define GRETA_BENCH_STABILITY_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* What was compared, and a line for each setting; of greta_stability_markdown it is the first part. */
bool greta_stability_table(const void *document, FILE *out);

/* All tables, by position too. */
bool greta_stability_markdown(const void *document, FILE *out);

/* HTML that loads nothing (bench/page_frame.h). False without memory. */
bool greta_stability_page(const void *document, FILE *out);

/* The document itself. */
bool greta_stability_json(const void *document, FILE *out);

/* "x32, f32" */
const char *greta_stability_setting_name(const json_t *setting, char out[32]);

#endif
