#include "bench/markdown.h"

#include <string.h>

#include "bench/document.h"
#include "bench/version.h"

/* What was measured: the same in every row, so that of the first is told. */
static void print_subject(const json_t *document, FILE *out)
{
	const json_t *row = json_array_get(json_object_get(document, "results"), 0);
	if (!row)
		return;
	fprintf(out, "- model: %s (%s), %s, %.1f MB of tensors, fingerprint %s\n",
	        *bench_text(row, "model_name") ? bench_text(row, "model_name") : "unnamed",
	        bench_text(row, "model_filename"), bench_text(row, "model_type"),
	        bench_number(row, "model_size") * 1e-6, bench_text(row, "model_fingerprint"));
	double threads = bench_number(row, "n_threads"); /* of the cpu alone */
	fprintf(out, "- device: %s, provider %s, kernels %s", bench_text(row, "device"), bench_text(row, "provider"),
	        bench_text(row, "kernels"));
	if (threads > 0)
		fprintf(out, ", %.0f thread%s", threads, threads == 1 ? "" : "s");
	fputc('\n', out);
	fprintf(out, "- plan: target %s, context %.0f, activations x%.0f, KV %s\n", bench_text(row, "target"),
	        bench_number(row, "context"), bench_number(row, "activations"), bench_text(row, "type_k"));
	fprintf(out,
	        "- runs taking turns: %.0f, after one that does not count; processes: %.0f\n- t/s: mean ± standard "
	        "deviation, then median (smallest to largest); ppN: N tokens fed until their logits are there; tgN: N "
	        "steps "
	        "of one token; @ dN: behind N positions\n",
	        bench_number(row, "runs"), bench_number(row, "processes"));
}

static void print_read_rate(const json_t *document, FILE *out)
{
	const json_t *rate = json_object_get(document, "read_rate");
	if (rate)
		fprintf(out, "- read rate: %.1f GB/s (%.0f MB buffer, %s)\n",
		        bench_number(rate, "bytes_per_second") * 1e-9, bench_number(rate, "buffer_bytes") * 1e-6,
		        bench_text(rate, "how"));
	else
		fprintf(out, "- read rate: not measured, too little memory is free\n");
}

static void print_results(const json_t *document, FILE *out)
{
	size_t i;
	json_t *row;
	bool cached = false;
	fprintf(out,
	        "\n| test | mode | fuse | t/s | median (min to max) | us/step | us/launch | GB/s | of read rate |\n");
	fprintf(out, "|---|---|---|--:|--:|--:|--:|--:|--:|\n");
	json_array_foreach(json_object_get(document, "results"), i, row) {
		char name[64];
		double share = bench_number(row, "read_share");
		fprintf(out, "| %s | %s | %s | %.2f ± %.2f | %.2f (%.2f to %.2f) |", bench_test_name(row, name),
		        bench_text(row, "mode"), bench_text(row, "fuse"), bench_number(row, "avg_ts"),
		        bench_number(row, "stddev_ts"), bench_number(row, "median_ts"), bench_number(row, "min_ts"),
		        bench_number(row, "max_ts"));
		if (json_object_get(row, "step_us"))
			fprintf(out, " %.1f | %.2f | %.2f |", bench_number(row, "step_us"),
			        bench_number(row, "launch_us"), bench_number(row, "step_bytes_per_second") * 1e-9);
		else
			fprintf(out, " | | |");
		if (share > 0)
			fprintf(out, " %.0f%% |\n", 100 * share);
		else
			fprintf(out, " |\n");
		cached = cached || share > 1;
	}
	fprintf(out, "\nGB/s: weights and KV that a step reads.%s\n",
	        cached ? " They stay in a cache, whose rate is not memory's: the share says nothing here." : "");
}

/* Of the first depth and test: what follows from a configuration alone. */
static void print_configurations(const json_t *document, FILE *out)
{
	const json_t *results = json_object_get(document, "results"), *first = json_array_get(results, 0);
	size_t i;
	json_t *row;
	fprintf(out, "\n| mode | fuse | plan | launches/step | nodes/step | capture ms | instantiate ms | open ms |\n");
	fprintf(out, "|---|---|---|--:|--:|--:|--:|--:|\n");
	json_array_foreach(results, i, row) {
		if (!json_equal(json_object_get(row, "n_depth"), json_object_get(first, "n_depth")) ||
		    !json_equal(json_object_get(row, "n_prompt"), json_object_get(first, "n_prompt")))
			break;
		fprintf(out, "| %s | %s | %s | %.0f | %.0f | %.3f | %.3f | %.1f |\n", bench_text(row, "mode"),
		        bench_text(row, "fuse"), bench_text(row, "plan_checksum"),
		        bench_number(row, "launches_per_step"), bench_number(row, "nodes_per_step"),
		        bench_number(row, "capture_ms"), bench_number(row, "instantiate_ms"),
		        bench_number(row, "open_ms"));
	}
}

static void print_ratios(const json_t *document, FILE *out)
{
	size_t i;
	json_t *row;
	if (json_object_get(document, "ratios"))
		fprintf(out, "\nTimes of neighbouring runs, median ratio (smallest to largest):\n\n");
	json_array_foreach(json_object_get(document, "ratios"), i, row) {
		char name[64];
		fprintf(out, "- %s: %s/%s takes %.3f of the time of %s/%s (%.3f to %.3f)\n", bench_test_name(row, name),
		        bench_text(row, "mode"), bench_text(row, "fuse"), bench_number(row, "median"),
		        bench_text(row, "to_mode"), bench_text(row, "to_fuse"), bench_number(row, "min"),
		        bench_number(row, "max"));
	}
}

static void print_processes(const json_t *document, FILE *out)
{
	size_t i, p;
	json_t *row, *median;
	bool any = false;
	json_array_foreach(json_object_get(document, "results"), i, row) {
		char name[64];
		if (!json_object_get(row, "process_median_ts"))
			continue;
		if (!any)
			fprintf(out, "\n| test | mode | fuse | fastest to slowest process | median t/s of each process "
			             "|\n|---|---|---|--:|---|\n");
		any = true;
		fprintf(out, "| %s | %s | %s | %.3f |", bench_test_name(row, name), bench_text(row, "mode"),
		        bench_text(row, "fuse"), bench_number(row, "process_max_over_min"));
		json_array_foreach(json_object_get(row, "process_median_ts"), p, median)
			fprintf(out, "%s %.1f", p ? "," : "", json_number_value(median));
		fprintf(out, " |\n");
	}
}

static void print_node_cost(const json_t *document, FILE *out)
{
	size_t i;
	json_t *row;
	if (!json_object_get(document, "node_cost"))
		return;
	fprintf(out, "\nEmpty launches; us on the host's clock from the first launch until the device is done, median "
	             "(smallest to "
	             "largest); each more: what a node adds to the chain above it:\n\n");
	fprintf(out, "| mode | chain | nodes | us | us a node | us each more |\n|---|---|--:|--:|--:|--:|\n");
	json_array_foreach(json_object_get(document, "node_cost"), i, row) {
		fprintf(out, "| %s | %s, %.0f wide | %.0f | %.2f (%.2f to %.2f) | %.3f |", bench_text(row, "mode"),
		        bench_text(row, "shape"), bench_number(row, "branches"), bench_number(row, "nodes"),
		        bench_number(row, "median_ns") * 1e-3, bench_number(row, "min_ns") * 1e-3,
		        bench_number(row, "max_ns") * 1e-3, bench_number(row, "node_us"));
		if (json_object_get(row, "added_node_us"))
			fprintf(out, " %.3f |\n", bench_number(row, "added_node_us"));
		else
			fprintf(out, " |\n");
	}
}

static void print_block_rows(const json_t *document, const char *array, FILE *out)
{
	size_t i;
	json_t *row;
	if (!json_array_size(json_object_get(document, array)))
		return;
	fprintf(out, "\n| mode | fuse | depth | layer | block | kernel | launches | us a step | min to max | share | weights MB "
	             "| GB/s | of read rate |\n|---|---|--:|--:|---|---|--:|--:|---|--:|--:|--:|--:|\n");
	json_array_foreach(json_object_get(document, array), i, row) {
		fprintf(out, "| %s | %s | %.0f | ", bench_text(row, "mode"), bench_text(row, "fuse"),
		        bench_number(row, "n_depth"));
		if (json_object_get(row, "layer"))
			fprintf(out, "%.0f ", bench_number(row, "layer"));
		fprintf(out, "| %s | %s | %.0f | %.1f | %.1f to %.1f | %.1f%% |", bench_text(row, "block"),
		        bench_text(row, "kernel"), bench_number(row, "launches"), bench_number(row, "us"),
		        bench_number(row, "us_min"), bench_number(row, "us_max"), 100 * bench_number(row, "share"));
		if (!json_object_get(row, "weight_bytes_per_second")) {
			fprintf(out, " | | |\n");
			continue;
		}
		fprintf(out, " %.1f | %.1f |", bench_number(row, "weight_bytes") * 1e-6,
		        bench_number(row, "weight_bytes_per_second") * 1e-9);
		if (json_object_get(row, "read_share"))
			fprintf(out, " %.0f%%", 100 * bench_number(row, "read_share"));
		fprintf(out, " |\n");
	}
}

static void print_blocks(const json_t *document, FILE *out)
{
	size_t i;
	json_t *check;
	if (!json_object_get(document, "block_checks"))
		return;
	fprintf(out,
	        "\nA decode step by logic block, all layers together, stamped on the device; \"stamp\": what one takes "
	        "by itself:\n");
	print_block_rows(document, "blocks", out);
	print_block_rows(document, "block_details", out);
	fputc('\n', out);
	json_array_foreach(json_object_get(document, "block_checks"), i, check)
		fprintf(out,
		        "- %s/%s @ d%.0f: blocks sum to %.1f us; with %.1f us between steps that is %.1f%% of the stamped step, "
		        "%.1f us on the host's clock. The stamps cost %.1f%% (%.1f%% to %.1f%%) of the plain step, %.1f us. The "
		        "device's clock goes in steps of %.0f ns.\n",
		        bench_text(check, "mode"), bench_text(check, "fuse"), bench_number(check, "n_depth"),
		        bench_number(check, "blocks_us"), bench_number(check, "between_us"), 100 * bench_number(check, "accounted"),
		        bench_number(check, "stamped_us"), 100 * bench_number(check, "cost"), 100 * bench_number(check, "cost_min"),
		        100 * bench_number(check, "cost_max"), bench_number(check, "plain_us"), bench_number(check, "clock_step_ns"));
}

/* Another program's words: what means something in a table is written out. */
static void print_foreign(const char *text, FILE *out)
{
	for (; *text; text++)
		fprintf(out, strchr("|<`[*\\", *text) ? "\\%c" : "%c", *text);
}

static void print_against(const json_t *document, FILE *out)
{
	const json_t *against = json_object_get(document, "against");
	size_t i;
	json_t *row;
	if (!against)
		return;
	fprintf(out, "\nAgainst %s:\n\n", bench_text(against, "file"));
	fprintf(out, "| test | mode | fuse | t/s | theirs t/s | ratio | theirs is |\n|---|---|---|--:|--:|--:|---|\n");
	json_array_foreach(json_object_get(against, "rows"), i, row) {
		char name[64];
		fprintf(out, "| %s | %s | %s | %.2f | %.2f | %.3f | ", bench_test_name(row, name), bench_text(row, "mode"),
		        bench_text(row, "fuse"), bench_number(row, "ts"), bench_number(row, "peer_ts"),
		        bench_number(row, "ratio"));
		print_foreign(bench_text(row, "peer"), out);
		fputs(" |\n", out);
	}
	json_array_foreach(json_object_get(against, "notes"), i, row) {
		fputs(i ? "" : "\n", out);
		print_foreign(json_string_value(row), out);
		fputc('\n', out);
	}
}

void bench_markdown(const json_t *document, FILE *out)
{
	fprintf(out, "greta-bench %s, %s\n\n", GRETA_BUILD, bench_text(document, "date"));
	print_subject(document, out);
	if (!json_array_size(json_object_get(document, "results")))
		fprintf(out, "- device: %s, provider %s\n", bench_text(document, "device"),
		        bench_text(document, "provider"));
	print_read_rate(document, out);
	if (json_array_size(json_object_get(document, "results"))) {
		print_results(document, out);
		print_configurations(document, out);
	}
	print_ratios(document, out);
	print_processes(document, out);
	print_blocks(document, out);
	print_against(document, out);
	print_node_cost(document, out);
}
