/* Horizontal bars as an SVG inside a page. Colours come from the page's style: .chart .series0 to .series3, .chart
 * text, .chart .axis, .chart .range, .chart .reference. */
#ifndef GRETA_BENCH_CHART_H
#define GRETA_BENCH_CHART_H

#include <stddef.h>
#include <stdio.h>

#define BENCH_CHART_SERIES 4

struct bench_bar {
	char group[96]; /* a heading above the bar where it is another than the one before; "": none */
	char label[64];
	char note[64];    /* behind the value; may be "" */
	unsigned series;  /* colour: below BENCH_CHART_SERIES */
	double value;     /* not negative */
	double low, high; /* a thin line over the bar; equal: none */
};

struct bench_chart {
	const char *id; /* of the figure */
	const char *title, *caption;
	const char *unit; /* of the values */
	const struct bench_bar *bars;
	size_t count;
	double reference; /* a dashed line; 0: none */
	const char *reference_text;
};

/* A <figure>; nothing for a chart without bars. */
void bench_chart_print(const struct bench_chart *chart, FILE *out);

#endif
