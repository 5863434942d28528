/* Horizontal bars in a page: text with a drawing for each bar, beside each other where the page is wide and one above
 * the other where it is narrow. Lengths are in percent of what there is. Colours and places are the page's style's:
 * .chart .bar.series0 to .series3, .row, .unit, .group, .label, .value, .range, .reference. */
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
