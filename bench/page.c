#include "bench/page.h"

#include <stdbool.h>
#include <stdio.h>

#include "bench/document.h"
#include "bench/markup.h"
#include "bench/page_charts.h"
#include "bench/page_frame.h"

/* What was measured, on what, by what. */
static void print_facts(const json_t *document, FILE *out)
{
	const json_t *row = json_array_get(json_object_get(document, "results"), 0);
	const json_t *rate = json_object_get(document, "read_rate");
	char text[512];
	fputs("<dl>\n", out);
	if (row) {
		snprintf(text, sizeof(text), "%.200s, %.60s, %.1f MB of tensors, fingerprint %s",
		         bench_text(row, "model_filename"), bench_text(row, "model_type"),
		         bench_number(row, "model_size") * 1e-6, bench_text(row, "model_fingerprint"));
		bench_page_fact("model", text, out);
	}
	snprintf(text, sizeof(text), "%.200s, provider %s", bench_text(document, "device"),
	         bench_text(document, "provider"));
	bench_page_fact("device", text, out);
	if (row) {
		double threads = bench_number(row, "n_threads"); /* of the cpu alone */
		if (threads > 0)
			snprintf(text, sizeof(text), "%.200s, %.0f thread%s", bench_text(row, "kernels"), threads,
			         threads == 1 ? "" : "s");
		else
			snprintf(text, sizeof(text), "%.200s", bench_text(row, "kernels"));
		bench_page_fact("kernels", text, out);
		snprintf(text, sizeof(text), "target %s, context %.0f, activations x%.0f, KV %s",
		         bench_text(row, "target"), bench_number(row, "context"), bench_number(row, "activations"),
		         bench_text(row, "type_k"));
		bench_page_fact("plan", text, out);
		snprintf(text, sizeof(text), "runs taking turns: %.0f, after one that does not count; processes: %.0f",
		         bench_number(row, "runs"), bench_number(row, "processes"));
		bench_page_fact("measured", text, out);
	}
	snprintf(text, sizeof(text), "%.1f GB/s over a buffer of %.0f MB, %s",
	         bench_number(rate, "bytes_per_second") * 1e-9, bench_number(rate, "buffer_bytes") * 1e-6,
	         bench_text(rate, "how"));
	bench_page_fact("read rate", rate ? text : "not measured, too little memory is free", out);
	snprintf(text, sizeof(text), "greta-bench %s, %s", bench_text(document, "build_commit"),
	         bench_text(document, "date"));
	bench_page_fact("build", text, out);
	fputs("</dl>\n", out);
}

static void print_cell(const json_t *row, const char *member, FILE *out)
{
	const json_t *value = json_object_get(row, member);
	char text[32];
	if (json_is_integer(value))
		fprintf(out, "<td>%" JSON_INTEGER_FORMAT "</td>", json_integer_value(value));
	else
		fprintf(out, "<td>%s</td>",
		        json_number_value(value) > 0 ? bench_short_number(json_number_value(value), text) : "");
}

static void print_table(const json_t *document, FILE *out)
{
	size_t i;
	json_t *row;
	fputs("<figure id='table'>\n<h2>All results</h2>\n<div "
	      "class='wide'><table>\n<tr><th>test</th><th>mode</th><th>fuse</th>"
	      "<th>t/s, mean</th><th>± "
	      "deviation</th><th>median</th><th>min</th><th>max</th><th>us/step</th><th>us/launch</th>"
	      "<th>launches</th><th>capture ms</th><th>instantiate ms</th></tr>\n",
	      out);
	json_array_foreach(json_object_get(document, "results"), i, row) {
		char name[64];
		fprintf(out, "<tr><td>%s</td><td>%s</td><td>%s</td>", bench_test_name(row, name),
		        bench_text(row, "mode"), bench_text(row, "fuse"));
		static const char *const members[] = {"avg_ts",     "stddev_ts",     "median_ts", "min_ts",
		                                      "max_ts",     "step_us",       "launch_us", "launches_per_step",
		                                      "capture_ms", "instantiate_ms"};
		for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++)
			print_cell(row, members[m], out);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n</figure>\n", out);
}

/* Whether the stamped step is accounted for, and what the stamps cost. */
static void print_checks(const json_t *document, FILE *out)
{
	const json_t *checks = json_object_get(document, "block_checks");
	size_t i;
	json_t *row;
	if (!checks)
		return;
	fputs("<figure id='checks'>\n<h2>Do the blocks sum to the step?</h2>\n<div class='wide'><table>\n<tr><th>depth</th>"
	      "<th>mode</th><th>fuse</th><th>blocks, us</th><th>between steps, us</th><th>stamped step, us</th>"
	      "<th>accounted for</th><th>plain step, us</th><th>cost of the stamps</th></tr>\n", out);
	json_array_foreach(checks, i, row) {
		static const char *const members[] = {"blocks_us", "between_us", "stamped_us"};
		fprintf(out, "<tr><td>%.0f</td><td>%s</td><td>%s</td>", bench_number(row, "n_depth"),
		        bench_text(row, "mode"), bench_text(row, "fuse"));
		for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++)
			print_cell(row, members[m], out);
		fprintf(out, "<td>%.2f%%</td>", 100 * bench_number(row, "accounted"));
		print_cell(row, "plain_us", out);
		fprintf(out, "<td>%.2f%%</td></tr>\n", 100 * bench_number(row, "cost"));
	}
	fputs("</table></div>\n<figcaption>Blocks and the time between steps are the device's, the steps the host's. A step "
	      "with stamps and one without take turns.</figcaption>\n</figure>\n", out);
}

static void print_notes(const json_t *document, FILE *out)
{
	size_t i;
	json_t *text;
	json_array_foreach(json_object_get(json_object_get(document, "against"), "notes"), i, text) {
		fputs(i ? "<br>\n" : "<p id='notes'>", out);
		bench_markup(json_string_value(text), out);
	}
	fputs(i ? "</p>\n" : "", out);
}

struct page {
	const json_t *document;
	const char *arena;
};

static bool print_page(const void *subject, FILE *out)
{
	const struct page *page = subject;
	const json_t *document = page->document;
	const json_t *row = json_array_get(json_object_get(document, "results"), 0);
	bench_page_begin("greta-bench", *bench_text(row, "model_name") ? bench_text(row, "model_name")
	                                                              : bench_text(document, "device"), out);
	print_facts(document, out);
	if (!bench_page_charts(document, out))
		return false;
	print_notes(document, out);
	print_checks(document, out);
	if (row)
		print_table(document, out);
	if (page->arena)
		fprintf(out, "<figure id='arena'>\n<h2>Plan</h2>\n<div class='wide'>%s</div>\n</figure>\n",
		        page->arena);
	bench_page_end(out);
	return true;
}

enum greta_status bench_page_write(const char *path, const json_t *document, const char *arena,
                                   struct greta_error *error)
{
	const struct page page = {document, arena};
	return bench_report_write(path, print_page, &page, error);
}
