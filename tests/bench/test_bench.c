/* Statistics, the document, comparison with a stored run of llama-bench (README.md). Argument: that file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/against.h"
#include "bench/configs.h"
#include "bench/device.h"
#include "bench/document.h"
#include "bench/formats.h"
#include "bench/markup.h"
#include "bench/node_cost.h"
#include "bench/statistics.h"

static const char *peer_path;

/* ---- Statistics ---- */

static void statistics_of_known_numbers(void **context)
{
	(void)context;
	double values[] = {5, 1, 4, 10};
	struct bench_statistics of = bench_statistics_of(values, 4);
	assert_float_equal(of.mean, 5, 1e-12);
	assert_float_equal(of.stddev, 3.7416573867739413, 1e-12); /* sqrt(42 / 3) */
	assert_float_equal(of.median, 4.5, 1e-12);
	assert_float_equal(of.min, 1, 0);
	assert_float_equal(of.max, 10, 0);
	double one[] = {7};
	of = bench_statistics_of(one, 1);
	assert_float_equal(of.median, 7, 0);
	assert_float_equal(of.stddev, 0, 0);
}

/* ---- The document ---- */

static json_t *row_of(const char *mode, const char *fuse, int generated, int a, int b, int c)
{
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:[i, i, i]}", "mode", mode, "fuse", fuse,
	                 "n_prompt", 0, "n_gen", generated, "n_depth", 0, "processes", 1, "step_weight_bytes", 900,
	                 "step_kv_bytes", 100, "launches_per_step", 5, "samples_ns", a, b, c);
}

static json_t *document_of(int factor)
{
	return json_pack("{s:[o, o], s:{s:[f]}}", "results",
	                 row_of("eager", "full", 10, 2000 * factor, 4000 * factor, 3000 * factor),
	                 row_of("graph", "full", 10, 1000 * factor, 1000 * factor, 3000 * factor), "read_rate",
	                 "samples", 1e10 / factor);
}

static void rows_get_statistics_rates_and_shares(void **context)
{
	(void)context;
	json_t *document = document_of(1);
	assert_true(bench_document_finish(document));
	const json_t *row = json_array_get(json_object_get(document, "results"), 0);
	assert_int_equal(bench_integer(row, "avg_ns"), 3000);
	assert_int_equal(bench_integer(row, "median_ns"), 3000);
	assert_int_equal(bench_integer(row, "stddev_ns"), 1000);
	assert_float_equal(json_number_value(json_array_get(json_object_get(row, "samples_ts"), 1)), 2.5e6, 1e-3);
	assert_float_equal(bench_number(row, "max_ts"), 5e6, 1e-3);
	assert_float_equal(bench_number(row, "avg_ts"), (5e6 + 2.5e6 + 1e7 / 3) / 3, 1e-3);
	assert_float_equal(bench_number(row, "step_us"), 0.3, 1e-12);
	assert_float_equal(bench_number(row, "launch_us"), 0.06, 1e-12);
	assert_float_equal(bench_number(row, "step_bytes_per_second"), 1000 / 0.3e-6, 1);
	assert_float_equal(bench_number(row, "read_share"), 1000 / 0.3e-6 / 1e10, 1e-9);
	assert_null(json_object_get(row, "process_median_ts"));
	/* Paired run by run: 1/2, 1/4, 1. */
	const json_t *ratio = json_array_get(json_object_get(document, "ratios"), 0);
	assert_int_equal(json_array_size(json_object_get(document, "ratios")), 1);
	assert_string_equal(bench_text(ratio, "mode"), "graph");
	assert_string_equal(bench_text(ratio, "to_mode"), "eager");
	assert_float_equal(bench_number(ratio, "median"), 0.5, 1e-12);
	assert_float_equal(bench_number(ratio, "min"), 0.25, 1e-12);
	assert_float_equal(bench_number(ratio, "max"), 1, 1e-12);
	json_decref(document);
}

static void processes_are_told_apart(void **context)
{
	(void)context;
	json_t *document = document_of(1), *other = document_of(2);
	assert_true(bench_document_merge(document, other));
	assert_true(bench_document_finish(document));
	const json_t *row = json_array_get(json_object_get(document, "results"), 0);
	const json_t *medians = json_object_get(row, "process_median_ts");
	assert_int_equal(bench_integer(row, "processes"), 2);
	assert_int_equal(json_array_size(json_object_get(row, "samples_ns")), 6);
	assert_int_equal(json_array_size(medians), 2);
	assert_float_equal(json_number_value(json_array_get(medians, 0)), 1e7 / 3, 1e-3);
	assert_float_equal(json_number_value(json_array_get(medians, 1)), 1e7 / 6, 1e-3);
	assert_float_equal(bench_number(row, "process_max_over_min"), 2, 1e-9);
	/* The better of both is the ceiling. */
	assert_float_equal(bench_number(row, "read_bytes_per_second"), 1e10, 1);
	json_decref(document);
	json_decref(other);
}

static void another_measurement_is_not_merged(void **context)
{
	(void)context;
	json_t *document = document_of(1), *other = document_of(1);
	json_object_set_new(json_array_get(json_object_get(other, "results"), 1), "n_gen", json_integer(11));
	assert_false(bench_document_merge(document, other));
	json_array_remove(json_object_get(other, "results"), 1);
	assert_false(bench_document_merge(document, other));
	json_decref(document);
	json_decref(other);
}

static void tests_have_llama_benchs_names(void **context)
{
	(void)context;
	char name[64];
	json_t *row = json_pack("{s:i, s:i, s:i}", "n_prompt", 512, "n_gen", 0, "n_depth", 0);
	assert_string_equal(bench_test_name(row, name), "pp512");
	json_object_set_new(row, "n_prompt", json_integer(0));
	json_object_set_new(row, "n_gen", json_integer(128));
	json_object_set_new(row, "n_depth", json_integer(2048));
	assert_string_equal(bench_test_name(row, name), "tg128 @ d2048");
	json_decref(row);
}

/* ---- Against a file ---- */

static const struct bench_request REQUEST = {
    .prompt = 64, .generate = 16, .depths = {0, 64}, .depth_count = 2, .runs = 1};

/* A document of the tests of the stored run, one of whose rates is theirs. */
static json_t *our_document(double peer_median)
{
	json_t *document = json_pack("{s:[o]}", "results", row_of("graph", "full", 16, 1000, 1000, 1000));
	json_t *row = json_array_get(json_object_get(document, "results"), 0);
	assert_true(bench_document_finish(document));
	json_object_set_new(row, "median_ts", json_real(2 * peer_median));
	json_object_set_new(row, "n_threads", json_integer(2));
	json_object_set_new(row, "type_k", json_string("f16"));
	json_object_set_new(row, "type_v", json_string("f16"));
	json_object_set_new(row, "model_size", json_integer(4517888));
	json_object_set_new(row, "model_n_params", json_integer(7344384));
	return document;
}

static json_t *load_peer(void)
{
	struct greta_error error;
	json_t *rows;
	if (bench_against_load(peer_path, &REQUEST, &rows, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	return rows;
}

static const json_t *peer_decode(const json_t *rows)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
		if (bench_integer(row, "n_gen") == 16 && bench_integer(row, "n_depth") == 0)
			return row;
	fail_msg("the stored run has no tg16");
	return NULL;
}

static double peer_median(const json_t *rows)
{
	double samples[3];
	const json_t *array = json_object_get(peer_decode(rows), "samples_ts");
	assert_int_equal(json_array_size(array), 3);
	for (size_t i = 0; i < 3; i++)
		samples[i] = json_number_value(json_array_get(array, i));
	return bench_statistics_of(samples, 3).median;
}

static void the_stored_run_is_compared(void **context)
{
	(void)context;
	json_t *rows = load_peer();
	assert_int_equal(json_array_size(rows), 4);
	double median = peer_median(rows);
	json_t *document = our_document(median);
	assert_true(bench_against_compare(document, "theirs.json", rows));
	const json_t *against = json_object_get(document, "against");
	const json_t *ratio = json_array_get(json_object_get(against, "rows"), 0);
	assert_int_equal(json_array_size(json_object_get(against, "rows")), 1);
	assert_float_equal(bench_number(ratio, "peer_ts"), median, 1e-9);
	assert_float_equal(bench_number(ratio, "ratio"), 2, 1e-9);
	/* Nothing but the three tests that only they have. */
	assert_int_equal(json_array_size(json_object_get(against, "notes")), 3);
	json_decref(document);
	json_decref(rows);
}

static void differences_are_told(void **context)
{
	(void)context;
	json_t *rows = load_peer(), *document = our_document(1), *text;
	json_t *row = json_array_get(json_object_get(document, "results"), 0);
	json_object_set_new(row, "model_size", json_integer(1));
	json_object_set_new(row, "n_threads", json_integer(3));
	json_object_set_new(row, "type_k", json_string("f32"));
	assert_true(bench_against_compare(document, "theirs.json", rows));
	const char *const wanted[] = {"another model", "2 threads, this run on 3", "keeps K as f16"};
	for (size_t w = 0; w < 3; w++) {
		bool found = false;
		size_t i;
		json_array_foreach(json_object_get(json_object_get(document, "against"), "notes"), i, text)
			found = found || strstr(json_string_value(text), wanted[w]);
		if (!found)
			fail_msg("no note says: %s", wanted[w]);
	}
	json_decref(document);
	json_decref(rows);
}

/* Loads a file of these contents. */
static enum greta_status load_text(const char *text, json_t **out_rows, struct greta_error *error)
{
	char path[] = "/tmp/greta-bench-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	enum greta_status status = bench_against_load(path, &REQUEST, out_rows, error);
	remove(path);
	return status;
}

static void other_forms_are_read(void **context)
{
	(void)context;
	static const char *const texts[] = {
	    "{\"n_prompt\": 64, \"n_gen\": 0, \"avg_ts\": 5.5}\n{\"n_prompt\": 0, \"n_gen\": 16, \"avg_ts\": 2}\n",
	    "{\"results\": [{\"n_prompt\": 64, \"n_gen\": 0, \"avg_ts\": 5.5}, {\"n_prompt\": 0, \"n_gen\": 16, \"avg_ts\": 2}]}",
	    "[{\"n_prompt\": 64, \"n_gen\": 0, \"avg_ts\": 5.5}, {\"n_prompt\": 0, \"n_gen\": 16, \"avg_ts\": 2}]\n\n",
	};
	for (size_t t = 0; t < 3; t++) {
		struct greta_error error;
		json_t *rows, *document = our_document(1);
		if (load_text(texts[t], &rows, &error) != GRETA_OK)
			fail_msg("text %zu: %s", t, error.message);
		assert_int_equal(json_array_size(rows), 2);
		assert_true(bench_against_compare(document, "theirs", rows));
		const json_t *ratio = json_array_get(json_object_get(json_object_get(document, "against"), "rows"), 0);
		assert_float_equal(bench_number(ratio, "peer_ts"), 2, 0); /* no samples: the mean */
		json_decref(rows);
		json_decref(document);
	}
}

static void wrong_files_are_refused(void **context)
{
	(void)context;
	const struct {
		const char *text, *words;
		enum greta_status status;
	} cases[] = {
	    {"", "no rows", GRETA_ERROR_FORMAT},
	    {"[]", "no rows", GRETA_ERROR_FORMAT},
	    {"| model | size |\n", "no JSON: line 1", GRETA_ERROR_FORMAT},
	    {"[\n{\"n_prompt\": 64,\n", "no JSON: line 3", GRETA_ERROR_FORMAT},
	    {"[1, 2]", "row 1 has no n_prompt", GRETA_ERROR_FORMAT},
	    {"[{\"n_prompt\": 64, \"n_gen\": 0}]", "row 1 has no n_prompt, n_gen and avg_ts", GRETA_ERROR_FORMAT},
	    {"[{\"n_prompt\": 512, \"n_gen\": 0, \"avg_ts\": 1}]", "it has pp512", GRETA_ERROR_ARGUMENT},
	    {"[{\"n_prompt\": 64, \"n_gen\": 16, \"avg_ts\": 1}]", "no test", GRETA_ERROR_ARGUMENT},
	    {"[{\"n_prompt\": 64, \"n_gen\": 0, \"n_depth\": 8, \"avg_ts\": 1}]", "pp64 @ d8", GRETA_ERROR_ARGUMENT},
	};
	struct greta_error error;
	json_t *rows;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(load_text(cases[i].text, &rows, &error), cases[i].status);
		if (!strstr(error.message, cases[i].words))
			fail_msg("\"%s\" is not in: %s", cases[i].words, error.message);
	}
	assert_int_equal(bench_against_load("/nowhere/at/all", &REQUEST, &rows, &error), GRETA_ERROR_IO);
}

/* ---- Without memory ---- */

static size_t allocations_left;

static void *failing_malloc(size_t size)
{
	if (!allocations_left)
		return NULL;
	allocations_left--;
	return malloc(size);
}

/* Merging, finishing and comparing, of which the n-th allocation of JSON fails: told as false, nothing lost. */
static bool report_with(size_t allocations, json_t *document, json_t *other, const json_t *rows)
{
	json_set_alloc_funcs(failing_malloc, free);
	allocations_left = allocations;
	bool good = bench_document_merge(document, other) && bench_document_finish(document) &&
	            bench_against_compare(document, "theirs.json", rows);
	json_set_alloc_funcs(malloc, free);
	return good;
}

static void every_failed_allocation_is_told(void **context)
{
	(void)context;
	json_t *rows = load_peer(), *whole = NULL;
	size_t n = 0;
	for (bool good = false; !good; n++) {
		json_t *document = document_of(1), *other = document_of(2);
		good = report_with(n, document, other, rows);
		if (good)
			whole = json_incref(document);
		json_decref(document);
		json_decref(other);
		assert_true(n < 100000);
	}
	assert_true(n > 50);
	/* What succeeds last has everything that an undisturbed run has. */
	json_t *document = document_of(1), *other = document_of(2);
	assert_true(report_with(SIZE_MAX, document, other, rows));
	assert_true(json_equal(document, whole));
	json_decref(document);
	json_decref(other);
	json_decref(whole);
	json_decref(rows);
}

/* ---- The rest ---- */

static void markup_is_written_out(void **context)
{
	(void)context;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	bench_markup("<a b='c' d=\"e\"> & f", out);
	fclose(out);
	assert_string_equal(text, "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt; &amp; f");
	free(text);
}

static void contexts_hold_the_tests(void **context)
{
	(void)context;
	struct bench_request request = {.prompt = 64, .generate = 16, .depths = {0, 100}, .depth_count = 2};
	assert_int_equal(bench_context(&request), 164);
	request.prompt = 0;
	assert_int_equal(bench_context(&request), 117);
	request.depth_count = 1;
	assert_int_equal(bench_context(&request), 18); /* one token before, one sampled behind */
	request.generate = 0;
	request.prompt = 5;
	assert_int_equal(bench_context(&request), 5);
}

static void empty_launches_are_timed_in_every_shape(void **context)
{
	(void)context;
	struct greta_options options = {.provider = "cpu", .threads = 2};
	struct greta_error error;
	struct bench_device device;
	json_t *rows, *row;
	size_t i, serial = 0, graphs = 0;
	assert_int_equal(bench_device_open(&options, &device, &error), GRETA_OK);
	assert_string_equal(device.target, "cpu");
	assert_int_equal(bench_node_cost(&device, &rows, &error), GRETA_OK);
	assert_int_equal(json_array_size(rows), 16);
	json_array_foreach(rows, i, row) {
		serial += bench_integer(row, "branches") == 1;
		graphs += strcmp(bench_text(row, "mode"), "graph") == 0;
		assert_true(json_array_size(json_object_get(row, "samples_ns")) > 0);
	}
	assert_int_equal(serial, 8);
	assert_int_equal(graphs, 8);
	assert_int_equal(bench_integer(json_array_get(rows, 15), "nodes"), 1000);
	json_t *document = json_pack("{s:o}", "node_cost", rows);
	assert_true(bench_document_finish(document));
	assert_null(json_object_get(json_array_get(rows, 4), "added_node_us"));
	assert_non_null(json_object_get(json_array_get(rows, 5), "added_node_us"));
	json_decref(document);
	bench_device_close(&device);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(statistics_of_known_numbers),
	    cmocka_unit_test(rows_get_statistics_rates_and_shares),
	    cmocka_unit_test(processes_are_told_apart),
	    cmocka_unit_test(another_measurement_is_not_merged),
	    cmocka_unit_test(tests_have_llama_benchs_names),
	    cmocka_unit_test(the_stored_run_is_compared),
	    cmocka_unit_test(differences_are_told),
	    cmocka_unit_test(other_forms_are_read),
	    cmocka_unit_test(wrong_files_are_refused),
	    cmocka_unit_test(every_failed_allocation_is_told),
	    cmocka_unit_test(markup_is_written_out),
	    cmocka_unit_test(contexts_hold_the_tests),
	    cmocka_unit_test(empty_launches_are_timed_in_every_shape),
	};
	if (argc != 2) {
		fprintf(stderr, "usage: test-bench LLAMA-BENCH.json\n");
		return 2;
	}
	peer_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
