#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/chart.h"
#include "bench/document.h"
#include "bench/line_chart.h"
#include "bench/markup.h"
#include "bench/page_frame.h"
#include "bench/stability/report.h"

#define LINES 12

/* A colour for the activations; dashed with an F16 cache. */
static unsigned series_of(const json_t *setting)
{
	static const char *const names[BENCH_CHART_SERIES] = {"x8", "x16", "x24", "x32"};
	unsigned s = 0;
	while (s + 1 < BENCH_CHART_SERIES && strcmp(names[s], bench_text(setting, "activations")) != 0)
		s++;
	return s;
}

static double value_of(const json_t *row, const char *member)
{
	const json_t *value = json_object_get(row, member);
	return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool print_lines(const json_t *d, struct bench_line_chart chart, const char *member, double factor, FILE *out)
{
	const json_t *settings = json_object_get(d, "settings");
	size_t count = json_array_size(settings), i, b;
	size_t points = json_array_size(json_object_get(json_array_get(settings, 0), "buckets"));
	struct bench_line lines[LINES];
	json_t *s, *bucket;
	count = count < LINES ? count : LINES;
	double *values = calloc((count + 1) * points + 1, sizeof(*values)), *x = values;
	if (!values)
		return false;
	for (i = 0; i < count; i++) {
		char name[32];
		double *y = values + (i + 1) * points;
		s = json_array_get(settings, i);
		json_array_foreach(json_object_get(s, "buckets"), b, bucket) {
			x[b] = bench_number(bucket, "last") + 1;
			y[b] = factor * value_of(bucket, member);
		}
		lines[i] = (struct bench_line){.series = series_of(s), .dashed = strcmp(bench_text(s, "kv"), "f16") == 0, .y = y};
		snprintf(lines[i].label, sizeof(lines[i].label), "%s", greta_stability_setting_name(s, name));
	}
	chart.x = x;
	chart.points = points;
	chart.lines = lines;
	chart.count = count;
	chart.x_unit = "up to this position";
	bench_line_chart_print(&chart, out);
	free(values);
	return true;
}

static void print_perplexity(const json_t *d, FILE *out)
{
	struct bench_bar bars[LINES];
	size_t count = 0, i;
	json_t *s;
	json_array_foreach(json_object_get(d, "settings"), i, s) {
		double difference = value_of(s, "difference");
		if (count == LINES || !isfinite(difference))
			continue;
		struct bench_bar *bar = &bars[count++];
		*bar = (struct bench_bar){.series = series_of(s), .value = 1e6 * fabs(difference)};
		greta_stability_setting_name(s, bar->label);
		snprintf(bar->note, sizeof(bar->note), "%s: %.6f", difference > 0 ? "higher" : difference < 0 ? "lower" : "equal",
			 value_of(s, "perplexity"));
	}
	char caption[256];
	snprintf(caption, sizeof(caption),
		 "Of the fp64 model: %.6f, +/- %.4f as the text is chosen. Scored are the %.0f tokens behind the middle of their "
		 "piece.", bench_number(d, "perplexity"), bench_number(d, "perplexity_error"), bench_number(d, "scored"));
	const struct bench_chart chart = {.id = "perplexity", .title = "Perplexity: how far from the fp64 model's",
					  .unit = "millionths", .bars = bars, .count = count, .caption = caption};
	bench_chart_print(&chart, out);
}

static void print_cell(const json_t *row, const char *member, const char *format, double factor, FILE *out)
{
	double value = value_of(row, member);
	fputs("<td>", out);
	if (isfinite(value))
		fprintf(out, format, factor * value);
	fputs("</td>", out);
}

static void print_table(const json_t *d, FILE *out)
{
	size_t i;
	json_t *s;
	fprintf(out,
		"<figure id='table'>\n<h2>The whole text</h2>\n<div class='wide'><table>\n<tr><th>activations</th><th>KV</th>"
		"<th>finite</th><th>largest error</th><th>mean error</th><th>largest KL</th><th>mean KL</th>"
		"<th>top-1 the same</th><th>top-%.0f shared</th><th>perplexity</th><th>from fp64</th></tr>\n",
		bench_number(d, "top_k"));
	json_array_foreach(json_object_get(d, "settings"), i, s) {
		const json_t *whole = json_object_get(s, "whole"), *stopped = json_object_get(s, "stopped");
		fprintf(out, "<tr><td>%s</td><td>%s</td><td>", bench_text(s, "activations"), bench_text(s, "kv"));
		if (json_is_object(stopped))
			fprintf(out, "up to piece %.0f, position %.0f</td>", bench_number(stopped, "piece"),
				bench_number(stopped, "position"));
		else
			fputs("all</td>", out);
		print_cell(whole, "max_error", "%.2e", 1, out);
		print_cell(whole, "mean_error", "%.2e", 1, out);
		print_cell(whole, "max_divergence", "%.2e", 1, out);
		print_cell(whole, "mean_divergence", "%.2e", 1, out);
		print_cell(whole, "top1_agreement", "%.3f %%", 100, out);
		print_cell(whole, "top_k_agreement", "%.3f %%", 100, out);
		print_cell(s, "perplexity", "%.6f", 1, out);
		print_cell(s, "difference", "%+.6f %%", 100, out);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n<figcaption>Absolute errors of logits; Kullback-Leibler divergence of the tokens' "
	      "probabilities, in nats.</figcaption>\n</figure>\n", out);
}

static void print_facts(const json_t *d, FILE *out)
{
	char text[512];
	fputs("<dl>\n", out);
	bench_page_fact("model", bench_text(d, "model"), out);
	bench_page_fact("text", bench_text(d, "text"), out);
	snprintf(text, sizeof(text),
		 "%.0f piece%s of %.0f tokens, each a sequence of its own, fed token by token; the model's "
		 "context has %.0f",
		 bench_number(d, "pieces"), bench_number(d, "pieces") == 1 ? "" : "s", bench_number(d, "context"),
		 bench_number(d, "context_train"));
	bench_page_fact("run", text, out);
	if (*bench_text(d, "cut"))
		bench_page_fact("cut", bench_text(d, "cut"), out);
	snprintf(text, sizeof(text), "%.200s, %.60s", bench_text(d, "device"), bench_text(d, "kernels"));
	bench_page_fact("device", text, out);
	snprintf(text, sizeof(text), "greta-stability %.60s", bench_text(d, "version"));
	bench_page_fact("build", text, out);
	fputs("</dl>\n", out);
}

bool greta_stability_page(const void *document, FILE *out)
{
	const json_t *d = document;
	const struct bench_line_chart mean = {.id = "mean-error", .title = "Mean error of a logit, by position",
		.y_unit = "error", .logarithmic = true,
		.caption = "Absolute, against the same model in fp64. Colours: activations; dashed: an F16 KV cache. Lines that lie "
			   "on one another show as one."};
	const struct bench_line_chart most = {.id = "largest-error", .title = "Largest error of a logit, by position",
		.y_unit = "error", .logarithmic = true, .caption = "Of all logits of all pieces at these positions."};
	const struct bench_line_chart divergence = {.id = "divergence", .title = "KL divergence, by position",
		.y_unit = "nats, mean", .logarithmic = true, .caption = "Of the tokens' probabilities from the fp64 model's."};
	const struct bench_line_chart top = {.id = "top1", .title = "Likeliest token the same, by position",
		.y_unit = "% of positions", .caption = "As the fp64 model's, with the text's own tokens before it."};
	bench_page_begin("greta-stability", bench_text(d, *bench_text(d, "model_name") ? "model_name" : "model"), out);
	print_facts(d, out);
	if (!print_lines(d, mean, "mean_error", 1, out) || !print_lines(d, most, "max_error", 1, out) ||
	    !print_lines(d, divergence, "mean_divergence", 1, out) || !print_lines(d, top, "top1_agreement", 100, out))
		return false;
	print_perplexity(d, out);
	print_table(d, out);
	bench_page_end(out);
	return !ferror(out);
}
