#include "bench/chart.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "bench/markup.h"

#define WIDTH   960
#define LEFT    190 /* where bars begin */
#define PLOT    500 /* their longest */
#define TOP     44
#define ROW     24
#define BAR     16
#define HEADING 26 /* of a group */
#define TICKS   5

struct drawing {
	const struct bench_chart *chart;
	FILE *out;
	double step, end; /* of the axis */
	int height;
};

static double largest(const struct bench_chart *chart)
{
	double most = chart->reference;
	for (size_t i = 0; i < chart->count; i++) {
		most = fmax(most, chart->bars[i].value);
		most = fmax(most, chart->bars[i].high);
	}
	return most;
}

/* Ticks at 1, 2 or 5 times a power of ten. */
static void scale(struct drawing *d)
{
	double most = largest(d->chart);
	if (!(most > 0) || !isfinite(most))
		most = 1;
	double power = pow(10, floor(log10(most / TICKS)));
	double times = most / TICKS / power;
	d->step = power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
	d->end = d->step * ceil(most / d->step - 1e-9);
}

static double x_of(const struct drawing *d, double value) { return LEFT + PLOT * value / d->end; }

static bool begins_group(const struct bench_chart *chart, size_t i)
{
	return chart->bars[i].group[0] && (i == 0 || strcmp(chart->bars[i].group, chart->bars[i - 1].group) != 0);
}

static int height_of(const struct bench_chart *chart)
{
	int height = TOP + 8;
	for (size_t i = 0; i < chart->count; i++)
		height += ROW + (begins_group(chart, i) ? HEADING : 0);
	return height;
}

static void print_axis(const struct drawing *d)
{
	char text[32];
	for (int t = 0; t * d->step <= d->end * (1 + 1e-9); t++) {
		double x = x_of(d, t * d->step);
		fprintf(d->out, "<line class='axis' x1='%.2f' x2='%.2f' y1='%d' y2='%d'/>", x, x, TOP - 6,
		        d->height - 4);
		fprintf(d->out, "<text class='tick' x='%.2f' y='%d' text-anchor='middle'>%s</text>\n", x, TOP - 12,
		        d->step >= 1 ? (snprintf(text, sizeof(text), "%.0f", t * d->step), text)
		                     : bench_short_number(t * d->step, text));
	}
	fprintf(d->out, "<text class='tick' x='%d' y='%d' text-anchor='end'>", LEFT - 24, TOP - 12);
	bench_markup(d->chart->unit, d->out);
	fputs("</text>\n", d->out);
}

static void print_value(const struct drawing *d, const struct bench_bar *bar, int y)
{
	char text[32];
	double end = bar->high > bar->low ? fmax(bar->value, bar->high) : bar->value;
	fprintf(d->out, "<text class='value' x='%.2f' y='%d'>%s", x_of(d, end) + 6, y + 13,
	        bench_short_number(bar->value, text));
	if (bar->high > bar->low) {
		fprintf(d->out, " (%s", bench_short_number(bar->low, text));
		fprintf(d->out, " to %s)", bench_short_number(bar->high, text));
	}
	if (bar->note[0]) {
		fputs(" ", d->out);
		bench_markup(bar->note, d->out);
	}
	fputs("</text>\n", d->out);
}

static void print_bar(const struct drawing *d, const struct bench_bar *bar, int y)
{
	int middle = y + BAR / 2;
	fprintf(d->out, "<text class='label' x='%d' y='%d' text-anchor='end'>", LEFT - 8, y + 13);
	bench_markup(bar->label, d->out);
	fprintf(d->out, "</text><rect class='bar series%u' x='%d' y='%d' width='%.2f' height='%d' data-value='%.9g'/>",
	        bar->series % BENCH_CHART_SERIES, LEFT, y, x_of(d, bar->value) - LEFT, BAR, bar->value);
	if (bar->high > bar->low)
		fprintf(d->out, "<path class='range' d='M%.2f %d H%.2f M%.2f %d V%d M%.2f %d V%d'/>", x_of(d, bar->low),
		        middle, x_of(d, bar->high), x_of(d, bar->low), middle - 4, middle + 4, x_of(d, bar->high),
		        middle - 4, middle + 4);
	print_value(d, bar, y);
}

static void print_bars(const struct drawing *d)
{
	int y = TOP;
	for (size_t i = 0; i < d->chart->count; i++) {
		const struct bench_bar *bar = &d->chart->bars[i];
		if (begins_group(d->chart, i)) {
			fprintf(d->out, "<text class='group' x='4' y='%d'>", y + 17);
			bench_markup(bar->group, d->out);
			fputs("</text>\n", d->out);
			y += HEADING;
		}
		print_bar(d, bar, y);
		y += ROW;
	}
}

static void print_reference(const struct drawing *d)
{
	double x = x_of(d, d->chart->reference);
	if (!(d->chart->reference > 0))
		return;
	fprintf(d->out, "<line class='reference' x1='%.2f' x2='%.2f' y1='%d' y2='%d'/>", x, x, TOP - 6, d->height - 4);
	fprintf(d->out, "<text class='referencetext' x='%.2f' y='12' text-anchor='%s'>", x,
	        x > LEFT + PLOT / 2.0 ? "end" : "start");
	bench_markup(d->chart->reference_text, d->out);
	fputs("</text>\n", d->out);
}

void bench_chart_print(const struct bench_chart *chart, FILE *out)
{
	struct drawing d = {.chart = chart, .out = out, .height = height_of(chart)};
	if (!chart->count)
		return;
	scale(&d);
	fprintf(out, "<figure id='%s'>\n<h2>", chart->id);
	bench_markup(chart->title, out);
	fprintf(out,
	        "</h2>\n<div class='wide'><svg class='chart' viewBox='0 0 %d %d' width='%d' height='%d' role='img' "
	        "aria-label='",
	        WIDTH, d.height, WIDTH, d.height);
	bench_markup(chart->title, out);
	fputs("'>\n", out);
	print_axis(&d);
	print_reference(&d);
	print_bars(&d);
	fputs("</svg></div>\n<figcaption>", out);
	bench_markup(chart->caption, out);
	fputs("</figcaption>\n</figure>\n", out);
}
