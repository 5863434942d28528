/* A comparison's result, for people and for programs. */
#ifndef GRETA_BENCH_PARITY_REPORT_H
#define GRETA_BENCH_PARITY_REPORT_H

#include "bench/parity/run.h"

#include <stdio.h>

struct greta_parity_report {
	const char *model;
	const char *text;  /* where the tokens are from */
	size_t count;
	uint32_t context;
	unsigned runs;
	bool each_layer;   /* a line for each layer instead of one for all */
};

void greta_parity_report_table(FILE *out, const struct greta_parity_report *report,
			       const struct greta_parity_result *result);

/* One JSON object and a newline; false without memory, for names that are not UTF-8, and when it cannot be written. */
bool greta_parity_report_json(FILE *out, const struct greta_parity_report *report,
			      const struct greta_parity_result *result);

/* The errors of one point in all layers, or those of a place; `layer` SIZE_MAX: all. */
struct greta_parity_errors greta_parity_errors_of(const struct greta_parity_result *result, size_t pair,
						  enum greta_parity_point point, size_t layer);

#endif
