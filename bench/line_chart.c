#include "bench/line_chart.h"

#include <math.h>

#include "bench/chart.h"
#include "bench/markup.h"

/* The plot: percent across, pixels down. Inside it is drawn to its own measure, and stretched. */
#define HEIGHT 330
#define LEFT   12.0
#define RIGHT  97.0
#define TOP    36
#define BOTTOM 284
#define ACROSS 1000 /* what the plot's width is inside it */
#define TICKS  6

struct drawing {
	const struct bench_line_chart *chart;
	FILE *out;
	double low, high, step; /* of y; powers of ten where it is logarithmic */
};

/* 1, 2 or 5 times a power of ten, at least `step`. */
static double round_step(double step)
{
	double power = pow(10, floor(log10(step))), times = step / power;
	return power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

static void find_range(const struct bench_line_chart *chart, double *out_low, double *out_high)
{
	double low = INFINITY, high = -INFINITY;
	for (size_t l = 0; l < chart->count; l++)
		for (size_t p = 0; p < chart->points; p++) {
			double y = chart->lines[l].y[p];
			if (!isfinite(y) || (chart->logarithmic && y <= 0))
				continue;
			low = fmin(low, y);
			high = fmax(high, y);
		}
	*out_low = low <= high ? low : 1;
	*out_high = low <= high ? high : 1;
}

static void scale(struct drawing *d)
{
	double low, high;
	find_range(d->chart, &low, &high);
	if (d->chart->logarithmic) {
		d->low = floor(log10(low));
		d->high = fmax(ceil(log10(high)), d->low + 1);
		d->step = ceil((d->high - d->low) / TICKS);
	} else {
		double span = high > low ? high - low : fmax(fabs(high), 1) / 10;
		d->step = round_step(span / TICKS);
		d->low = d->step * floor(low / d->step + 1e-9);
		d->high = d->step * ceil(high / d->step - 1e-9);
		if (d->high <= d->low)
			d->low = d->high - d->step;
	}
}

/* Where x is in the plot, from 0 to 1. */
static double part_of(const struct drawing *d, double x)
{
	double first = d->chart->x[0], span = d->chart->x[d->chart->points - 1] - first;
	return span > 0 ? (x - first) / span : 0.5;
}

static double y_of(const struct drawing *d, double y)
{
	double at = !d->chart->logarithmic ? y : y > 0 ? log10(y) : d->low;
	return BOTTOM - (BOTTOM - TOP) * (fmax(at, d->low) - d->low) / (d->high - d->low);
}

static void print_y_axis(const struct drawing *d)
{
	int decimals = d->step < 1 && !d->chart->logarithmic ? (int)ceil(-log10(d->step) - 1e-9) : 0;
	for (int t = 0; d->low + t * d->step <= d->high + d->step * 1e-6; t++) {
		double at = d->low + t * d->step, y = BOTTOM - (BOTTOM - TOP) * (at - d->low) / (d->high - d->low);
		fprintf(d->out, "<line class='axis' x1='%.2f%%' x2='%.2f%%' y1='%.2f' y2='%.2f'/>", LEFT, RIGHT, y, y);
		fprintf(d->out, "<text class='tick' x='%.2f%%' dx='-6' y='%.2f' text-anchor='end'>", LEFT, y + 4);
		fprintf(d->out, "%s%.*f", d->chart->logarithmic ? "1e" : "", decimals, at);
		fputs("</text>\n", d->out);
	}
	fprintf(d->out, "<text class='tick' x='%.2f%%' y='14'>", LEFT);
	bench_markup(d->chart->y_unit, d->out);
	fputs("</text>\n", d->out);
}

static void print_x_axis(const struct drawing *d)
{
	const struct bench_line_chart *chart = d->chart;
	size_t every = (chart->points + 7) / 8;
	for (size_t p = 0; p < chart->points; p += every) {
		double x = LEFT + (RIGHT - LEFT) * part_of(d, chart->x[p]);
		fprintf(d->out, "<line class='axis' x1='%.2f%%' x2='%.2f%%' y1='%d' y2='%d'/>", x, x, BOTTOM,
		        BOTTOM + 5);
		fprintf(d->out, "<text class='tick' x='%.2f%%' y='%d' text-anchor='middle'>%.0f</text>\n", x,
		        BOTTOM + 19, chart->x[p]);
	}
	fprintf(d->out, "<text class='tick' x='%.2f%%' y='%d' text-anchor='end'>", RIGHT, BOTTOM + 40);
	bench_markup(chart->x_unit, d->out);
	fputs("</text>\n", d->out);
}

static void print_path(const struct drawing *d, const struct bench_line *line)
{
	bool inside = false;
	fprintf(d->out, "<path class='line series%u%s' data-values='", line->series % BENCH_CHART_SERIES,
	        line->dashed ? " dashed" : "");
	for (size_t p = 0; p < d->chart->points; p++)
		fprintf(d->out, "%s%.9g", p ? " " : "", line->y[p]);
	fputs("' d='", d->out);
	for (size_t p = 0; p < d->chart->points; p++) {
		if (isfinite(line->y[p]))
			fprintf(d->out, "%s%.2f %.2f", inside ? " L" : " M", ACROSS * part_of(d, d->chart->x[p]),
			        y_of(d, line->y[p]) - TOP);
		inside = isfinite(line->y[p]);
	}
	fputs("'/>\n", d->out);
}

static void print_plot(const struct drawing *d)
{
	fprintf(d->out, "<svg class='plot' width='100%%' height='%d' role='img' aria-label='", HEIGHT);
	bench_markup(d->chart->title, d->out);
	fputs("'>\n", d->out);
	print_y_axis(d);
	print_x_axis(d);
	fprintf(d->out,
	        "<svg x='%.2f%%' y='%d' width='%.2f%%' height='%d' viewBox='0 0 %d %d' preserveAspectRatio='none'>\n",
	        LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP, ACROSS, BOTTOM - TOP);
	for (size_t l = 0; l < d->chart->count; l++)
		print_path(d, &d->chart->lines[l]);
	fputs("</svg></svg>\n", d->out);
}

static void print_legend(const struct drawing *d)
{
	fputs("<p class='legend'>", d->out);
	for (size_t l = 0; l < d->chart->count; l++) {
		const struct bench_line *line = &d->chart->lines[l];
		fprintf(d->out,
		        "<span class='entry'><svg width='36' height='8' aria-hidden='true'><path class='line key series%u%s' "
		        "d='M0 4 H36'/></svg> <span class='label'>",
		        line->series % BENCH_CHART_SERIES, line->dashed ? " dashed" : "");
		bench_markup(line->label, d->out);
		fputs("</span></span>\n", d->out);
	}
	fputs("</p>\n", d->out);
}

void bench_line_chart_print(const struct bench_line_chart *chart, FILE *out)
{
	struct drawing d = {.chart = chart, .out = out};
	if (!chart->count || !chart->points)
		return;
	scale(&d);
	fprintf(out, "<figure id='%s'>\n<h2>", chart->id);
	bench_markup(chart->title, out);
	fputs("</h2>\n<div class='chart'>\n", out);
	print_plot(&d);
	print_legend(&d);
	fputs("</div>\n<figcaption>", out);
	bench_markup(chart->caption, out);
	fputs("</figcaption>\n</figure>\n", out);
}
