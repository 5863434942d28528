#include "bench/document.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/statistics.h"

double bench_number(const json_t *row, const char *member) { return json_number_value(json_object_get(row, member)); }

json_int_t bench_integer(const json_t *row, const char *member)
{
	return json_integer_value(json_object_get(row, member));
}

const char *bench_text(const json_t *row, const char *member)
{
	const char *text = json_string_value(json_object_get(row, member));
	return text ? text : "";
}

const char *bench_test_name(const json_t *row, char out[64])
{
	json_int_t prompt = bench_integer(row, "n_prompt"), depth = bench_integer(row, "n_depth");
	int used = snprintf(out, 64, "%s%" JSON_INTEGER_FORMAT, prompt ? "pp" : "tg",
	                    prompt ? prompt : bench_integer(row, "n_gen"));
	if (depth)
		snprintf(out + used, 64 - (size_t)used, " @ d%" JSON_INTEGER_FORMAT, depth);
	return out;
}

/* ---- Samples ---- */

/* The numbers of an array; NULL without memory and for an empty one. */
static double *numbers_of(const json_t *array, size_t *out_count)
{
	size_t count = json_array_size(array);
	double *values = count ? malloc(count * sizeof(*values)) : NULL;
	for (size_t i = 0; i < count && values; i++)
		values[i] = json_number_value(json_array_get(array, i));
	*out_count = count;
	return values;
}

static bool set_real(json_t *row, const char *member, double value)
{
	return json_object_set_new(row, member, json_real(value)) == 0;
}

/* Sets avg_, stddev_, median_, min_ and max_ with the suffix; nanoseconds as whole numbers. */
static bool set_statistics(json_t *row, const char *suffix, const struct bench_statistics *of, bool whole)
{
	const struct {
		const char *name;
		double value;
	} members[] = {
	    {"avg", of->mean}, {"stddev", of->stddev}, {"median", of->median}, {"min", of->min}, {"max", of->max}};
	bool good = true;
	char member[32];
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]) && good; i++) {
		snprintf(member, sizeof(member), "%s_%s", members[i].name, suffix);
		json_t *value =
		    whole ? json_integer((json_int_t)llround(members[i].value)) : json_real(members[i].value);
		good = json_object_set_new(row, member, value) == 0;
	}
	return good;
}

/* The median rate of each process, and how far the fastest is ahead of the slowest. */
static bool set_processes(json_t *row, const double *rates, size_t count)
{
	size_t processes = (size_t)bench_integer(row, "processes"), runs = processes ? count / processes : 0;
	if (processes < 2 || !runs)
		return true;
	json_t *medians = json_array();
	double *copy = malloc(runs * sizeof(*copy));
	double low = INFINITY, high = 0;
	bool good = medians && copy;
	for (size_t p = 0; p < processes && good; p++) {
		memcpy(copy, rates + p * runs, runs * sizeof(*copy));
		double median = bench_statistics_of(copy, runs).median;
		low = median < low ? median : low;
		high = median > high ? median : high;
		good = json_array_append_new(medians, json_real(median)) == 0;
	}
	free(copy);
	good = good && json_object_set(row, "process_median_ts", medians) == 0 &&
	       set_real(row, "process_max_over_min", low > 0 ? high / low : 0);
	json_decref(medians);
	return good;
}

static bool finish_rates(json_t *row, double tokens)
{
	size_t count;
	double *values = numbers_of(json_object_get(row, "samples_ns"), &count);
	json_t *rates = json_array();
	bool good = values && rates;
	for (size_t i = 0; i < count && good; i++) {
		values[i] = values[i] > 0 ? tokens * 1e9 / values[i] : 0;
		good = json_array_append_new(rates, json_real(values[i])) == 0;
	}
	good = good && json_object_set(row, "samples_ts", rates) == 0 && set_processes(row, values, count);
	if (good) {
		struct bench_statistics of = bench_statistics_of(values, count);
		good = set_statistics(row, "ts", &of, false);
	}
	json_decref(rates);
	free(values);
	return good;
}

static bool finish_times(json_t *row)
{
	size_t count;
	double *values = numbers_of(json_object_get(row, "samples_ns"), &count);
	bool good = values != NULL;
	if (good) {
		struct bench_statistics of = bench_statistics_of(values, count);
		good = set_statistics(row, "ns", &of, true);
	}
	free(values);
	return good;
}

/* What a decode step moves, against what the device can read. */
static bool finish_step(json_t *row, double read_rate)
{
	double steps = bench_number(row, "n_gen"), launches = bench_number(row, "launches_per_step");
	double step_us = bench_number(row, "median_ns") * 1e-3 / steps;
	double rate = (bench_number(row, "step_weight_bytes") + bench_number(row, "step_kv_bytes")) / step_us * 1e6;
	return set_real(row, "step_us", step_us) && set_real(row, "launch_us", launches > 0 ? step_us / launches : 0) &&
	       set_real(row, "step_bytes_per_second", rate) && set_real(row, "read_bytes_per_second", read_rate) &&
	       set_real(row, "read_share", read_rate > 0 ? rate / read_rate : 0);
}

static bool finish_results(json_t *document)
{
	double read_rate = bench_number(json_object_get(document, "read_rate"), "bytes_per_second");
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(document, "results"), i, row) {
		double generated = bench_number(row, "n_gen");
		if (!finish_times(row) || !finish_rates(row, generated + bench_number(row, "n_prompt")) ||
		    (generated > 0 && !finish_step(row, read_rate)))
			return false;
	}
	return true;
}

/* Nodes of a chain besides those of the next shorter one: what one more node costs, whatever the chain's ends cost. */
static bool finish_nodes(json_t *document)
{
	size_t i;
	json_t *row, *before = NULL;
	json_array_foreach(json_object_get(document, "node_cost"), i, row) {
		if (!finish_times(row) ||
		    !set_real(row, "node_us", bench_number(row, "median_ns") * 1e-3 / bench_number(row, "nodes")))
			return false;
		bool follows = before && strcmp(bench_text(before, "mode"), bench_text(row, "mode")) == 0 &&
		               bench_integer(before, "branches") == bench_integer(row, "branches");
		double nodes = bench_number(row, "nodes") - bench_number(before, "nodes");
		if (follows &&
		    !set_real(row, "added_node_us",
		              (bench_number(row, "median_ns") - bench_number(before, "median_ns")) * 1e-3 / nodes))
			return false;
		before = row;
	}
	return true;
}

static bool finish_read_rate(json_t *document)
{
	json_t *rate = json_object_get(document, "read_rate");
	size_t count;
	double *values = numbers_of(json_object_get(rate, "samples"), &count);
	bool good = !count || values;
	if (values)
		good = set_real(rate, "bytes_per_second", bench_statistics_of(values, count).max);
	free(values);
	return good;
}

/* ---- Ratios ---- */

static bool same(const json_t *a, const json_t *b, const char *member)
{
	return json_equal(json_object_get(a, member), json_object_get(b, member));
}

static bool same_test(const json_t *a, const json_t *b)
{
	return same(a, b, "n_prompt") && same(a, b, "n_gen") && same(a, b, "n_depth");
}

/* Graph to eager at one fusion, and fused to unfused in one mode. */
static bool compares(const json_t *a, const json_t *b)
{
	bool graph = strcmp(bench_text(a, "mode"), "graph") == 0 && !same(a, b, "mode") && same(a, b, "fuse");
	bool fused = strcmp(bench_text(a, "fuse"), "full") == 0 && !same(a, b, "fuse") && same(a, b, "mode");
	return same_test(a, b) && (graph || fused);
}

/* Of a's times to b's, run by run; false without memory or where their runs are not the same. */
static bool times_ratio(const json_t *a, const json_t *b, struct bench_statistics *out)
{
	size_t count, count_b;
	double *values = numbers_of(json_object_get(a, "samples_ns"), &count);
	double *others = numbers_of(json_object_get(b, "samples_ns"), &count_b);
	bool good = values && others && count == count_b;
	for (size_t i = 0; i < count && good; i++)
		values[i] = others[i] > 0 ? values[i] / others[i] : 0;
	if (good)
		*out = bench_statistics_of(values, count);
	free(values);
	free(others);
	return good;
}

static json_t *ratio_of(const json_t *a, const json_t *b)
{
	struct bench_statistics of;
	if (!times_ratio(a, b, &of))
		return NULL;
	return json_pack("{s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:f, s:f, s:f}", "mode", json_object_get(a, "mode"), "fuse",
	                 json_object_get(a, "fuse"), "to_mode", json_object_get(b, "mode"), "to_fuse",
	                 json_object_get(b, "fuse"), "n_prompt", json_object_get(a, "n_prompt"), "n_gen",
	                 json_object_get(a, "n_gen"), "n_depth", json_object_get(a, "n_depth"), "median", of.median,
	                 "min", of.min, "max", of.max);
}

static bool finish_ratios(json_t *document)
{
	const json_t *results = json_object_get(document, "results");
	json_t *ratios = json_array(), *a, *b;
	size_t i, k;
	bool good = ratios != NULL;
	json_array_foreach(results, i, a)
		json_array_foreach(results, k, b)
			if (good && compares(a, b))
				good = json_array_append_new(ratios, ratio_of(a, b)) == 0;
	good = good && (!json_array_size(ratios) || json_object_set(document, "ratios", ratios) == 0);
	json_decref(ratios);
	return good;
}

/* ---- Blocks ---- */

/* Of the same configuration at the same depth. */
static bool same_step(const json_t *a, const json_t *b)
{
	return same(a, b, "mode") && same(a, b, "fuse") && same(a, b, "n_depth");
}

static json_t *sum_of(const json_t *document, const json_t *row, const char *which)
{
	json_t *sum;
	size_t i;
	json_array_foreach(json_object_get(document, "block_sums"), i, sum)
		if (same_step(sum, row) && strcmp(bench_text(sum, "block"), which) == 0)
			return sum;
	return NULL;
}

static bool finish_block_rows(json_t *document, const char *array)
{
	double read_rate = bench_number(json_object_get(document, "read_rate"), "bytes_per_second");
	json_t *row;
	size_t i;
	json_array_foreach(json_object_get(document, array), i, row) {
		if (!finish_times(row))
			return false;
		double ns = bench_number(row, "median_ns"), bytes = bench_number(row, "weight_bytes");
		double step = bench_number(sum_of(document, row, "device step"), "median_ns");
		bool good = set_real(row, "us", ns * 1e-3) &&
		            set_real(row, "us_min", bench_number(row, "min_ns") * 1e-3) &&
		            set_real(row, "us_max", bench_number(row, "max_ns") * 1e-3);
		if (good && step > 0)
			good = set_real(row, "share", ns / step);
		if (good && bytes > 0 && ns > 0)
			good = set_real(row, "weight_bytes_per_second", bytes * 1e9 / ns) &&
			       (read_rate <= 0 || set_real(row, "read_share", bytes * 1e9 / ns / read_rate));
		if (!good)
			return false;
	}
	return true;
}

/* The same run's time of another row. */
static double sample_of(const json_t *row, size_t run)
{
	return json_number_value(json_array_get(json_object_get(row, "samples_ns"), run));
}

/* All blocks of the stamped step in one run. */
static double blocks_of(const json_t *document, const json_t *stamped, size_t run)
{
	double sum = 0;
	json_t *row;
	size_t i;
	json_array_foreach(json_object_get(document, "blocks"), i, row)
		if (same_step(row, stamped))
			sum += sample_of(row, run);
	return sum;
}

static json_t *check_of(const json_t *document, const json_t *stamped)
{
	const json_t *plain = sum_of(document, stamped, "plain step"), *device = sum_of(document, stamped, "device step");
	const json_t *between = sum_of(document, stamped, "between steps");
	size_t runs = json_array_size(json_object_get(stamped, "samples_ns"));
	double *sums = calloc(2 * runs + 1, sizeof(*sums)), *accounted = sums + runs;
	struct bench_statistics cost;
	if (!sums || !runs || !times_ratio(stamped, plain, &cost)) {
		free(sums);
		return NULL;
	}
	for (size_t run = 0; run < runs; run++) {
		sums[run] = blocks_of(document, stamped, run);
		double step = sample_of(stamped, run);
		accounted[run] = step > 0 ? (sums[run] + sample_of(between, run)) / step : 0;
	}
	double blocks = bench_statistics_of(sums, runs).median, all = bench_statistics_of(accounted, runs).median;
	free(sums);
	return json_pack(
	    "{s:O, s:O, s:O, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "mode", json_object_get(stamped, "mode"),
	    "fuse", json_object_get(stamped, "fuse"), "n_depth", json_object_get(stamped, "n_depth"), "blocks_us",
	    blocks * 1e-3, "device_us", bench_number(device, "median_ns") * 1e-3, "between_us",
	    bench_number(between, "median_ns") * 1e-3, "stamped_us", bench_number(stamped, "median_ns") * 1e-3, "plain_us",
	    bench_number(plain, "median_ns") * 1e-3, "accounted", all, "cost", cost.median - 1, "cost_min", cost.min - 1,
	    "cost_max", cost.max - 1, "clock_step_ns", bench_number(stamped, "clock_step_ns"));
}

static bool finish_blocks(json_t *document)
{
	json_t *checks = json_array(), *row;
	size_t i;
	bool good = checks && finish_block_rows(document, "block_sums") && finish_block_rows(document, "blocks") &&
	            finish_block_rows(document, "block_details");
	json_array_foreach(json_object_get(document, "block_sums"), i, row)
		if (good && strcmp(bench_text(row, "block"), "stamped step") == 0)
			good = json_array_append_new(checks, check_of(document, row)) == 0;
	good = good && (!json_array_size(checks) || json_object_set(document, "block_checks", checks) == 0);
	json_decref(checks);
	return good;
}

bool bench_document_finish(json_t *document)
{
	return finish_read_rate(document) && finish_results(document) && finish_nodes(document) &&
	       finish_ratios(document) && finish_blocks(document);
}

/* ---- Processes ---- */

/* What makes rows of two processes the same row. */
static bool same_row(const json_t *a, const json_t *b)
{
	static const char *const members[] = {
	    "n_prompt",      "n_gen",  "n_depth", "mode",     "fuse", "model_fingerprint",
	    "plan_checksum", "device", "nodes",   "branches", "block", "layer", "kernel"};
	for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++) {
		const json_t *x = json_object_get(a, members[m]), *y = json_object_get(b, members[m]);
		if ((x || y) && !json_equal(x, y))
			return false;
	}
	return true;
}

static bool merge_rows(json_t *into, const json_t *from)
{
	json_t *row;
	size_t i;
	if (json_array_size(into) != json_array_size(from))
		return false;
	json_array_foreach(into, i, row) {
		const json_t *other = json_array_get(from, i);
		json_int_t processes = bench_integer(row, "processes") + bench_integer(other, "processes");
		if (!same_row(row, other) ||
		    json_array_extend(json_object_get(row, "samples_ns"), json_object_get(other, "samples_ns")) ||
		    json_object_set_new(row, "processes", json_integer(processes)))
			return false;
	}
	return true;
}

bool bench_document_merge(json_t *into, const json_t *from)
{
	json_t *samples = json_object_get(json_object_get(into, "read_rate"), "samples");
	json_t *others = json_object_get(json_object_get(from, "read_rate"), "samples");
	return merge_rows(json_object_get(into, "results"), json_object_get(from, "results")) &&
	       merge_rows(json_object_get(into, "node_cost"), json_object_get(from, "node_cost")) &&
	       merge_rows(json_object_get(into, "blocks"), json_object_get(from, "blocks")) &&
	       merge_rows(json_object_get(into, "block_details"), json_object_get(from, "block_details")) &&
	       merge_rows(json_object_get(into, "block_sums"), json_object_get(from, "block_sums")) &&
	       !samples == !others && (!samples || json_array_extend(samples, others) == 0);
}
