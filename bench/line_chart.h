/* Lines over a common axis as a drawing in a page, as wide as there is room, and a legend below. Colours are the page's
 * style's: .chart .line.series0 to .series3, .chart .dashed, .chart text, .chart .axis, .chart .key, .chart .label. */
#ifndef GRETA_BENCH_LINE_CHART_H
#define GRETA_BENCH_LINE_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct bench_line {
	char label[64];
	unsigned series; /* colour: below BENCH_CHART_SERIES (chart.h) */
	bool dashed;
	const double *y; /* [points]; what is not finite leaves a gap */
};

struct bench_line_chart {
	const char *id; /* of the figure */
	const char *title, *caption;
	const char *x_unit, *y_unit;
	const double *x; /* [points], ascending */
	size_t points;
	const struct bench_line *lines;
	size_t count;
	bool logarithmic; /* y: values at or below 0 lie on the lower edge */
};

/* A <figure>; nothing for a chart without lines or points. */
void bench_line_chart_print(const struct bench_line_chart *chart, FILE *out);

#endif
