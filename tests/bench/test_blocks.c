/* The times of blocks: they cover every launch and all weights, and sum to the step that they are the parts of.
 * Argument: the model. No time is judged, only that times agree with each other. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench/document.h"
#include "bench/measure.h"

#define RUNS   3
#define STEPS  12
#define LAYERS 8

static const char *model_path;

static struct bench_outcome measured(enum bench_blocks blocks, bool eager, bool fuse_full)
{
	const struct bench_request request = {.model = model_path,
	                                      .options = {.provider = "cpu", .no_cache = true, .threads = 2},
	                                      .generate = STEPS,
	                                      .depths = {0, 9},
	                                      .depth_count = 2,
	                                      .runs = RUNS,
	                                      .eager = {!eager, eager},
	                                      .fuse = {!fuse_full, fuse_full},
	                                      .blocks = blocks};
	struct bench_outcome outcome;
	struct greta_error error;
	if (bench_measure(&request, &outcome, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	return outcome;
}

static double sample(const json_t *row, size_t run)
{
	return json_number_value(json_array_get(json_object_get(row, "samples_ns"), run));
}

static const json_t *sum(const json_t *document, double depth, const char *name)
{
	json_t *row;
	size_t i;
	json_array_foreach(json_object_get(document, "block_sums"), i, row)
		if (bench_number(row, "n_depth") == depth && strcmp(bench_text(row, "block"), name) == 0)
			return row;
	fail_msg("no %s", name);
	return NULL;
}

/* The rows of an array at one depth are the parts of that depth's step. */
static void check_parts(const json_t *document, const char *array, double depth, size_t rows, double launches)
{
	const json_t *result = json_array_get(json_object_get(document, "results"), 0), *step = sum(document, depth, "device step");
	double times[RUNS] = {0}, weights = 0, found_launches = 0;
	size_t found = 0, i;
	json_t *row;
	json_array_foreach(json_object_get(document, array), i, row) {
		if (bench_number(row, "n_depth") != depth)
			continue;
		found++;
		weights += bench_number(row, "weight_bytes");
		found_launches += bench_number(row, "launches");
		assert_int_equal(json_array_size(json_object_get(row, "samples_ns")), RUNS);
		for (size_t run = 0; run < RUNS; run++)
			times[run] += sample(row, run);
	}
	assert_int_equal(found, rows);
	assert_true(found_launches == launches);
	assert_true(weights == bench_number(result, "step_weight_bytes"));
	for (size_t run = 0; run < RUNS; run++) /* each rounded to a nanosecond */
		assert_true(fabs(times[run] - sample(step, run)) <= 0.5 * (double)(rows + 1));
}

/* What another process measured of the same is put behind. */
static void check_merge(const json_t *document)
{
	json_t *both = json_deep_copy(document), *row;
	size_t i;
	assert_non_null(both);
	assert_true(bench_document_merge(both, document));
	json_array_foreach(json_object_get(both, "block_details"), i, row)
		assert_int_equal(json_array_size(json_object_get(row, "samples_ns")), 2 * RUNS);
	assert_true(bench_document_finish(both));
	assert_int_equal(json_array_size(json_object_get(both, "block_checks")), 2);
	json_decref(both);
}

static void check(enum bench_blocks blocks, bool eager, bool fuse_full, size_t details)
{
	struct bench_outcome outcome = measured(blocks, eager, fuse_full);
	json_t *document = outcome.document, *row;
	size_t i;
	check_merge(document);
	assert_true(bench_document_finish(document));
	double launches = bench_number(json_array_get(json_object_get(document, "results"), 0), "launches_per_step");
	for (int d = 0; d < 2; d++) {
		double depth = d ? 9 : 0;
		check_parts(document, "blocks", depth, 8, launches); /* seven and what a stamp takes */
		if (details)
			check_parts(document, "block_details", depth, details, launches);
		/* Stamps lie within what the host timed. */
		for (size_t run = 0; run < RUNS; run++)
			assert_true(sample(sum(document, depth, "device step"), run) <=
			            sample(sum(document, depth, "stamped step"), run) * (STEPS + 1) / STEPS);
	}
	assert_int_equal(json_array_size(json_object_get(document, "block_checks")), 2);
	json_array_foreach(json_object_get(document, "block_checks"), i, row) {
		assert_true(bench_number(row, "blocks_us") > 0 && bench_number(row, "plain_us") > 0);
		assert_true(bench_number(row, "clock_step_ns") >= 1);
	}
	bench_outcome_finish(&outcome);
}

static void blocks_sum_to_the_step(void **state)
{
	(void)state;
	check(BENCH_BLOCKS_SUMMED, true, false, 0);
}

static void layers_sum_to_the_step(void **state)
{
	(void)state;
	check(BENCH_BLOCKS_LAYERS, false, true, LAYERS * 4 + 4); /* embed, lm_head, sample, stamp */
}

static void launches_sum_to_the_step(void **state)
{
	(void)state;
	check(BENCH_BLOCKS_LAUNCHES, false, true, 9); /* FFN has two kernels */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks_sum_to_the_step),
	    cmocka_unit_test(layers_sum_to_the_step),
	    cmocka_unit_test(launches_sum_to_the_step),
	};
	if (argc != 2)
		return 2;
	model_path = argv[1];
	return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}
