#include "bench/page_charts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/chart.h"
#include "bench/document.h"
#include "bench/markup.h"

/* A chart's bars as they come in. */
struct bars {
	struct bench_bar *items;
	size_t count;
};

/* Room for one more; the caller has asked for as many as it may take. */
static struct bench_bar *add_bar(struct bars *bars)
{
	struct bench_bar *bar = &bars->items[bars->count++];
	*bar = (struct bench_bar){.series = 0};
	return bar;
}

static bool is(const json_t *row, const char *member, const char *text)
{
	return strcmp(bench_text(row, member), text) == 0;
}

/* One colour for each configuration, in every chart. */
static void name_configuration(const json_t *row, struct bench_bar *bar)
{
	bool graph = is(row, "mode", "graph"), full = is(row, "fuse", "full");
	bar->series = (graph ? 2u : 0u) + (full ? 1u : 0u);
	snprintf(bar->label, sizeof(bar->label), "%s, %s", graph ? "graph" : "eager", full ? "fused" : "unfused");
}

static void name_test(const json_t *row, struct bench_bar *bar)
{
	char name[64];
	snprintf(bar->group, sizeof(bar->group), "%s", bench_test_name(row, name));
}

static void add_rates(const json_t *results, const char *tokens, struct bars *bars)
{
	size_t i;
	json_t *row;
	json_array_foreach(results, i, row) {
		if (!bench_integer(row, tokens))
			continue;
		struct bench_bar *bar = add_bar(bars);
		name_test(row, bar);
		name_configuration(row, bar);
		bar->value = bench_number(row, "median_ts");
		bar->low = bench_number(row, "min_ts");
		bar->high = bench_number(row, "max_ts");
	}
}

static void print_rates(const json_t *results, struct bars *bars, FILE *out)
{
	add_rates(results, "n_gen", bars);
	const struct bench_chart decode = {.id = "decode",
	                                   .title = "Decode: eager against graph",
	                                   .unit = "tokens/s",
	                                   .bars = bars->items,
	                                   .count = bars->count,
	                                   .caption = "Median of all runs; the thin line goes from the slowest to the "
	                                              "fastest. tgN: N steps; @ dN: behind N positions "
	                                              "already in the KV cache."};
	bench_chart_print(&decode, out);
	bars->count = 0;
	add_rates(results, "n_prompt", bars);
	const struct bench_chart prefill = {
	    .id = "prefill",
	    .title = "Prefill: eager against graph",
	    .unit = "tokens/s",
	    .bars = bars->items,
	    .count = bars->count,
	    .caption = "Median of all runs, slowest to fastest. ppN: N tokens until their logits are there."};
	bench_chart_print(&prefill, out);
	bars->count = 0;
}

static void print_roofline(const json_t *document, struct bars *bars, FILE *out)
{
	double read_rate = bench_number(json_object_get(document, "read_rate"), "bytes_per_second");
	size_t i;
	json_t *row;
	char text[96];
	json_array_foreach(json_object_get(document, "results"), i, row) {
		if (!bench_integer(row, "n_gen"))
			continue;
		struct bench_bar *bar = add_bar(bars);
		name_test(row, bar);
		name_configuration(row, bar);
		bar->value = bench_number(row, "step_bytes_per_second") * 1e-9;
		if (read_rate > 0)
			snprintf(bar->note, sizeof(bar->note), "GB/s, %.0f%%", 100 * bench_number(row, "read_share"));
	}
	snprintf(text, sizeof(text), "the device reads %.1f GB/s", read_rate * 1e-9);
	const struct bench_chart chart = {.id = "roofline",
	                                  .title = "Share of the read rate",
	                                  .unit = "GB/s",
	                                  .bars = bars->items,
	                                  .count = bars->count,
	                                  .reference = read_rate * 1e-9,
	                                  .reference_text = text,
	                                  .caption = "Weights and KV that a decode step reads, over its median time; "
	                                             "the dashed line is what the same device was "
	                                             "measured to read. Above it, the weights stay in a cache."};
	bench_chart_print(&chart, out);
	bars->count = 0;
}

/* A block's part of the step, and how fast it reads its weights. */
static void name_part(const json_t *row, struct bench_bar *bar)
{
	double rate = bench_number(row, "weight_bytes_per_second");
	char text[32];
	int used = snprintf(bar->note, sizeof(bar->note), "%.1f%%", 100 * bench_number(row, "share"));
	if (rate > 0)
		snprintf(bar->note + used, sizeof(bar->note) - (size_t)used, ", %s GB/s",
		         bench_short_number(rate * 1e-9, text));
}

static void print_blocks(const json_t *document, struct bars *bars, FILE *out)
{
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(document, "blocks"), i, row) {
		struct bench_bar *bar = add_bar(bars);
		name_configuration(row, bar);
		snprintf(bar->group, sizeof(bar->group), "%s @ d%.0f", bar->label, bench_number(row, "n_depth"));
		snprintf(bar->label, sizeof(bar->label), "%.60s", bench_text(row, "block"));
		bar->value = bench_number(row, "us");
		bar->low = bench_number(row, "us_min");
		bar->high = bench_number(row, "us_max");
		name_part(row, bar);
	}
	const struct bench_chart chart = {.id = "blocks",
	                                  .title = "Latency per block of a decode step",
	                                  .unit = "us",
	                                  .bars = bars->items,
	                                  .count = bars->count,
	                                  .caption = "All layers together, from time stamps that the device takes itself "
	                                             "while it runs: median of the runs' means, their ends, part of the "
	                                             "step, weights over time."};
	bench_chart_print(&chart, out);
	bars->count = 0;
}

/* A bar a process. */
static void add_processes(const json_t *results, const char *tokens, struct bars *bars)
{
	size_t i, p;
	json_t *row, *median;
	json_array_foreach(results, i, row) {
		struct bench_bar named = {.series = 0};
		if (!bench_integer(row, tokens))
			continue;
		char name[64];
		name_configuration(row, &named);
		json_array_foreach(json_object_get(row, "process_median_ts"), p, median) {
			struct bench_bar *bar = add_bar(bars);
			snprintf(bar->group, sizeof(bar->group), "%s, %s", bench_test_name(row, name), named.label);
			snprintf(bar->label, sizeof(bar->label), "process %zu", p + 1);
			bar->series = named.series;
			bar->value = json_number_value(median);
		}
	}
}

static void print_processes(const json_t *results, struct bars *bars, FILE *out)
{
	static const char caption[] =
	    "The median of each process's runs: a driver that is fast in one process and slow in the next shows here.";
	add_processes(results, "n_gen", bars);
	const struct bench_chart decode = {.id = "decode-processes",
	                                   .title = "Decode in fresh processes",
	                                   .unit = "tokens/s",
	                                   .bars = bars->items,
	                                   .count = bars->count,
	                                   .caption = caption};
	bench_chart_print(&decode, out);
	bars->count = 0;
	add_processes(results, "n_prompt", bars);
	const struct bench_chart prefill = {.id = "prefill-processes",
	                                    .title = "Prefill in fresh processes",
	                                    .unit = "tokens/s",
	                                    .bars = bars->items,
	                                    .count = bars->count,
	                                    .caption = caption};
	bench_chart_print(&prefill, out);
	bars->count = 0;
}

static void print_against(const json_t *document, struct bars *bars, FILE *out)
{
	const json_t *against = json_object_get(document, "against");
	size_t i;
	json_t *row;
	char title[256];
	json_array_foreach(json_object_get(against, "rows"), i, row) {
		struct bench_bar *bar = add_bar(bars);
		char name[64];
		name_configuration(row, bar);
		snprintf(bar->group, sizeof(bar->group), "%s, theirs: %.70s", bench_test_name(row, name),
		         bench_text(row, "peer"));
		bar->value = bench_number(row, "ratio");
	}
	snprintf(title, sizeof(title), "Against %.200s", bench_text(against, "file"));
	const struct bench_chart chart = {
	    .id = "against",
	    .title = title,
	    .unit = "ratio",
	    .bars = bars->items,
	    .count = bars->count,
	    .reference = 1,
	    .reference_text = "as fast as theirs",
	    .caption = "This run's tokens per second over theirs, of medians: above 1, this is faster."};
	bench_chart_print(&chart, out);
	bars->count = 0;
}

static void print_node_cost(const json_t *document, struct bars *bars, FILE *out)
{
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(document, "node_cost"), i, row) {
		struct bench_bar *bar = add_bar(bars);
		double nodes = bench_number(row, "nodes");
		snprintf(bar->group, sizeof(bar->group), "%s, %s", bench_text(row, "mode"), bench_text(row, "shape"));
		snprintf(bar->label, sizeof(bar->label), "%.0f node%s", nodes, nodes > 1 ? "s" : "");
		bar->series = is(row, "mode", "graph") ? 3 : 1;
		bar->value = bench_number(row, "node_us");
		if (json_object_get(row, "added_node_us"))
			snprintf(bar->note, sizeof(bar->note), "each more: %.3f", bench_number(row, "added_node_us"));
	}
	const struct bench_chart chart = {.id = "nodes",
	                                  .title = "Empty launches",
	                                  .unit = "us a node",
	                                  .bars = bars->items,
	                                  .count = bars->count,
	                                  .caption = "Time from the first launch until the device is done, divided by "
	                                             "the nodes, median; each more: what a node "
	                                             "adds to the chain above it; forked: over 4 streams."};
	bench_chart_print(&chart, out);
	bars->count = 0;
}

/* The most bars that one chart may have. */
static size_t room(const json_t *document)
{
	size_t i, count = json_array_size(json_object_get(document, "node_cost")) +
	                  json_array_size(json_object_get(document, "blocks")) +
	                  json_array_size(json_object_get(json_object_get(document, "against"), "rows"));
	json_t *row;
	json_array_foreach(json_object_get(document, "results"), i, row)
		count += 1 + json_array_size(json_object_get(row, "process_median_ts"));
	return count + 1;
}

bool bench_page_charts(const json_t *document, FILE *out)
{
	struct bars bars = {.items = calloc(room(document), sizeof(struct bench_bar))};
	if (!bars.items)
		return false;
	print_rates(json_object_get(document, "results"), &bars, out);
	print_roofline(document, &bars, out);
	print_blocks(document, &bars, out);
	print_against(document, &bars, out);
	print_processes(json_object_get(document, "results"), &bars, out);
	print_node_cost(document, &bars, out);
	free(bars.items);
	return true;
}
