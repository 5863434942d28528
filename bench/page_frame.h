/* What every page has around what it says, and how a report gets into its file.
 * A page loads nothing and has no scripts. */
#ifndef GRETA_BENCH_PAGE_FRAME_H
#define GRETA_BENCH_PAGE_FRAME_H

#include <stdbool.h>
#include <stdio.h>

#include "models/error.h"

/* Up to the heading "tool: name". */
void bench_page_begin(const char *tool, const char *name, FILE *out);
void bench_page_end(FILE *out);

/* A line of the page's <dl>. */
void bench_page_fact(const char *name, const char *text, FILE *out);

/* Whether a report could be written there, asked before measuring. IO, MEMORY. */
enum greta_status bench_report_check(const char *path, struct greta_error *error);

/* Writes the report beside `path` and renames it; `print` says whether it could (else IO). */
typedef bool bench_report_printer(const void *subject, FILE *out);
enum greta_status bench_report_write(const char *path, bench_report_printer *print, const void *subject,
                                     struct greta_error *error);

#endif
