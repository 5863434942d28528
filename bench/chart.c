#include "bench/chart.h"

#include <math.h>
#include <string.h>

#include "bench/markup.h"

#define BAR 14 /* pixels high */

struct drawing {
	const struct bench_chart *chart;
	FILE *out;
	double most; /* what the whole length stands for */
};

static double largest(const struct bench_chart *chart)
{
	double most = chart->reference;
	for (size_t i = 0; i < chart->count; i++)
		most = fmax(most, fmax(chart->bars[i].value, chart->bars[i].high));
	return most > 0 && isfinite(most) ? most : 1;
}

static double percent(const struct drawing *d, double value) { return 100 * value / d->most; }

/* From (x1, y1) to (x2, y2): percent across, pixels down. */
static void print_line(const struct drawing *d, const char *class, double x1, double x2, int y1, int y2)
{
	fprintf(d->out, "<line class='%s' x1='%.4f%%' x2='%.4f%%' y1='%d' y2='%d'/>", class, x1, x2, y1, y2);
}

static void print_drawing(const struct drawing *d, const struct bench_bar *bar)
{
	fprintf(d->out,
	        "<svg width='100%%' height='%d' aria-hidden='true'><rect class='bar series%u' width='%.4f%%' height='%d' "
	        "data-value='%.9g'/>",
	        BAR, bar->series % BENCH_CHART_SERIES, percent(d, bar->value), BAR, bar->value);
	if (bar->high > bar->low) {
		double low = percent(d, bar->low), high = percent(d, bar->high);
		print_line(d, "range", low, high, BAR / 2, BAR / 2);
		print_line(d, "range", low, low, BAR / 2 - 4, BAR / 2 + 4);
		print_line(d, "range", high, high, BAR / 2 - 4, BAR / 2 + 4);
	}
	if (d->chart->reference > 0)
		print_line(d, "reference", percent(d, d->chart->reference), percent(d, d->chart->reference), 0, BAR);
	fputs("</svg>", d->out);
}

static void print_value(const struct drawing *d, const struct bench_bar *bar)
{
	char text[32];
	fprintf(d->out, "<span class='value'>%s", bench_short_number(bar->value, text));
	if (bar->high > bar->low) {
		fprintf(d->out, " (%s", bench_short_number(bar->low, text));
		fprintf(d->out, " to %s)", bench_short_number(bar->high, text));
	}
	if (bar->note[0]) {
		fputs(" ", d->out);
		bench_markup(bar->note, d->out);
	}
	fputs("</span>", d->out);
}

static void print_row(const struct drawing *d, size_t i)
{
	const struct bench_bar *bar = &d->chart->bars[i];
	if (bar->group[0] && (i == 0 || strcmp(bar->group, bar[-1].group) != 0)) {
		fputs("<p class='group'>", d->out);
		bench_markup(bar->group, d->out);
		fputs("</p>\n", d->out);
	}
	fputs("<div class='row'><span class='label'>", d->out);
	bench_markup(bar->label, d->out);
	fputs("</span>", d->out);
	print_drawing(d, bar);
	print_value(d, bar);
	fputs("</div>\n", d->out);
}

void bench_chart_print(const struct bench_chart *chart, FILE *out)
{
	struct drawing d = {.chart = chart, .out = out, .most = largest(chart)};
	if (!chart->count)
		return;
	fprintf(out, "<figure id='%s'>\n<h2>", chart->id);
	bench_markup(chart->title, out);
	fputs("</h2>\n<div class='chart'>\n<p class='unit'>", out);
	bench_markup(chart->unit, out);
	if (chart->reference > 0) {
		fputs("; <span class='referencetext'>dashed: ", out);
		bench_markup(chart->reference_text, out);
		fputs("</span>", out);
	}
	fputs("</p>\n", out);
	for (size_t i = 0; i < chart->count; i++)
		print_row(&d, i);
	fputs("</div>\n<figcaption>", out);
	bench_markup(chart->caption, out);
	fputs("</figcaption>\n</figure>\n", out);
}
