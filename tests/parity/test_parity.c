/* What greta-parity says of kernels that are right, of settings that differ, and how its parts read and count.
 * Arguments: the model, a text. */
#include "bench/parity/digits.h"
#include "bench/parity/run.h"
#include "bench/parity/text.h"
#include "kernels/cpu/module.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOKENS 72 /* more than one of the chunks in which attention sums */

static const char *model_path, *text_path;
static int32_t *tokens;

static void must(enum greta_status status, const struct greta_error *error)
{
	if (status != GRETA_OK)
		fail_msg("%s", error->message);
}

static int read_text(void **state)
{
	struct greta_error error;
	const char *from;
	size_t count;
	(void)state;
	must(greta_parity_tokens(model_path, text_path, NULL, TOKENS, &tokens, &count, &from, &error), &error);
	assert_int_equal(count, TOKENS);
	assert_string_equal(from, text_path);
	return 0;
}

static int forget_text(void **state)
{
	(void)state;
	free(tokens);
	return 0;
}

static struct greta_parity_setup setup(const char *words)
{
	struct greta_parity_setup made = greta_parity_setup_default();
	struct greta_error error;
	must(greta_parity_setup_read(&made, words, &error), &error);
	return made;
}

static struct greta_parity_result run(const char *const *words, size_t sides, size_t count, unsigned runs)
{
	struct greta_parity_setup setups[GRETA_PARITY_SIDES_MAX];
	struct greta_parity_result result;
	struct greta_error error;
	for (size_t s = 0; s < sides; s++)
		setups[s] = setup(words[s]);
	const struct greta_parity_request request = {
		.model = model_path, .tokens = tokens, .count = count, .context = TOKENS, .setups = setups, .sides = sides,
		.runs = runs, .top_k = 10,
	};
	must(greta_parity_run(&request, &result, &error), &error);
	return result;
}

static uint64_t values_at(const struct greta_parity_result *result, size_t pair, enum greta_parity_point point,
			  uint32_t layer)
{
	return result->pair[pair].errors[greta_parity_place(result->layers, point, layer)].values;
}

static void all_equal(const struct greta_parity_result *result, size_t count)
{
	assert_int_equal(result->positions, count);
	for (size_t p = 0; p + 1 < result->sides; p++) {
		if (result->pair[p].verdict != GRETA_PARITY_EQUAL)
			fail_msg("%s differs", result->side[p + 1].text);
		/* And it was looked at. */
		assert_int_equal(values_at(result, p, GRETA_POINT_k_cache, 7), count * 128);
	}
	assert_true(greta_parity_passed(result));
}

static void every_form_is_equal_to_the_definition(void **state)
{
	static const char *const forms[] = {"amx", "avx512", "avx2", "portable"};
	char words[8][64];
	const char *sides[9] = {"ref,fuse=none,eager,decode"};
	size_t count = 1;
	(void)state;
	for (size_t f = 0; f < 4; f++) {
		if (!greta_cpu_module(forms[f])) {
			print_message("this processor has no %s\n", forms[f]);
			continue;
		}
		snprintf(words[count - 1], sizeof(words[0]), "cpu:%s", forms[f]);
		sides[count] = words[count - 1];
		count++;
		snprintf(words[count - 1], sizeof(words[0]), "cpu:%s,fuse=none,chunk=16", forms[f]);
		sides[count] = words[count - 1];
		count++;
	}
	struct greta_parity_result result = run(sides, count, TOKENS, 1);
	all_equal(&result, TOKENS);
	for (size_t p = 0; p + 1 < count; p++)
		assert_int_equal(values_at(&result, p, GRETA_POINT_x_ffn, 7), TOKENS * 256);
	greta_parity_result_finish(&result);
}

static void every_way_to_take_a_text_is_equal(void **state)
{
	static const char *const ways[] = {
		"cpu,decode,fuse=none,eager", "cpu,chunk=32", "cpu,chunk=5,eager", "cpu,mixed", "cpu,decode,plain",
		"cpu,chunk=72,plain", "ref,mixed",
	};
	(void)state;
	struct greta_parity_result result = run(ways, 7, TOKENS, 2);
	all_equal(&result, TOKENS);
	assert_int_equal(values_at(&result, 0, GRETA_POINT_gate, 3), 0); /* inside the fused kernel */
	assert_int_equal(values_at(&result, 0, GRETA_POINT_h, 3), TOKENS * 768);
	assert_int_equal(values_at(&result, 3, GRETA_POINT_h, 3), 0); /* written over */
	assert_int_equal(values_at(&result, 0, GRETA_POINT_logits, GRETA_PLAN_NONE), 2048 * 3); /* ends of steps */
	assert_int_equal(values_at(&result, 3, GRETA_POINT_logits, GRETA_PLAN_NONE), 2048 * TOKENS);
	assert_int_equal(result.side[1].steps, 3);
	assert_int_equal(result.side[3].steps, 2 + TOKENS / 2);
	greta_parity_result_finish(&result);
}

static void other_activations_and_caches_are_within_tolerance(void **state)
{
	static const char *const settings[] = {
		"oracle", "cpu,x32,kv=f32,fuse=none", "cpu,x24,kv=f32", "cpu,x16,kv=f32", "cpu,x8,kv=f32", "cpu,x32", "cpu,x24",
		"cpu,x16", "cpu,x8",
	};
	(void)state;
	struct greta_parity_result result = run(settings, 9, TOKENS, 1);
	assert_true(greta_parity_passed(&result));
	for (size_t p = 0; p < 8; p++) {
		const struct greta_parity_pair *pair = &result.pair[p];
		assert_false(pair->equal_bits);
		assert_int_equal(pair->verdict, GRETA_PARITY_WITHIN);
		assert_int_equal(pair->logits.rows, 2 + TOKENS / 2);
		assert_true(pair->logits.max_divergence > 0);
	}
	/* The textbook plan shows every place that the oracle tells. */
	for (size_t l = 0; l < result.places; l++)
		if (greta_parity_place_point(result.layers, l) != GRETA_POINT_rope)
			assert_true(result.pair[0].errors[l].rows > 0);
	/* A digit more is better by far. */
	size_t last = greta_parity_place(result.layers, GRETA_POINT_x_ffn, 7);
	for (size_t p = 0; p < 3; p++)
		assert_true(result.pair[p].errors[last].sum_error * 1.5 < result.pair[p + 1].errors[last].sum_error);
	greta_parity_result_finish(&result);
}

static void settings_are_compared_with_each_other(void **state)
{
	static const char *const settings[] = {"cpu", "cpu,kv=f32", "cpu,x16"};
	(void)state;
	struct greta_parity_result result = run(settings, 3, 40, 1);
	assert_true(greta_parity_passed(&result));
	assert_int_equal(result.pair[0].verdict, GRETA_PARITY_WITHIN);
	assert_int_equal(result.pair[1].verdict, GRETA_PARITY_WITHIN);
	greta_parity_result_finish(&result);
}

static void too_much_is_out_of_tolerance(void **state)
{
	const struct greta_parity_setup setups[] = {setup("oracle"), setup("cpu,x8")};
	struct greta_parity_request request = {
		.model = model_path, .tokens = tokens, .count = 10, .context = TOKENS, .setups = setups, .sides = 2, .runs = 1,
		.top_k = 10, .tolerance = 0.005,
	};
	struct greta_parity_result result;
	struct greta_error error;
	(void)state;
	must(greta_parity_run(&request, &result, &error), &error);
	assert_false(greta_parity_passed(&result));
	assert_int_equal(result.pair[0].verdict, GRETA_PARITY_DIFFERS);
	assert_int_equal(result.pair[0].outside, greta_parity_place(result.layers, GRETA_POINT_q, 0));
	greta_parity_result_finish(&result);
	request.count = TOKENS + 1;
	assert_int_equal(greta_parity_run(&request, &result, &error), GRETA_ERROR_ARGUMENT);
}

/* ---- Its parts ---- */

/* All digits of a step: what is made of right ones must be read as right in every layout. */
static void right_digits_are_read_as_right(void **state)
{
	static const char *const forms[] = {"amx", "avx512", "avx2", "portable", "ref"};
	static const char *const settings[] = {"x32", "x16"};
	char words[64];
	(void)state;
	for (size_t f = 0; f < 10; f++) {
		struct greta_parity_side side;
		struct greta_parity_digits digits;
		struct greta_error error;
		size_t checked = 0;
		if (!greta_cpu_module(forms[f / 2]))
			continue;
		snprintf(words, sizeof(words), "cpu:%s,fuse=none,chunk=8,%s", forms[f / 2], settings[f % 2]);
		const struct greta_parity_setup made = setup(words);
		must(greta_parity_side_open(model_path, &made, TOKENS, 8, &side, &error), &error);
		must(greta_parity_side_take(&side, tokens, 0, 8, 8, false, &error), &error);
		const struct greta_parity_step step = side.trace.steps[5];
		for (uint32_t l = 0; l < greta_session_plan(side.greta)->programs[step.program].launch_count; l++) {
			must(greta_parity_digits_check(&side, tokens, &step, l, 5, &digits, &error), &error);
			if (digits.checked && (!digits.right || digits.maker >= l))
				fail_msg("%s: the digits of launch %u, made by %u, are wrong", words, l, digits.maker);
			checked += digits.checked;
		}
		assert_int_equal(checked, 8 * 7); /* layers, products */
		greta_parity_side_close(&side);
	}
}

static void places_have_names_and_an_order(void **state)
{
	char name[GRETA_PARITY_NAME_MAX];
	size_t place;
	(void)state;
	for (uint32_t layers = 1; layers < 40; layers += 19) {
		for (size_t l = 0; l < greta_parity_places(layers); l++) {
			assert_true(greta_parity_place_of(layers, greta_parity_place_name(layers, l, name), &place));
			assert_int_equal(place, l);
			assert_int_equal(greta_parity_place(layers, greta_parity_place_point(layers, l),
							    greta_parity_place_layer(layers, l)), l);
		}
	}
	assert_string_equal(greta_parity_place_name(2, 0, name), "x");
	assert_string_equal(greta_parity_place_name(2, greta_parity_places(2) - 1, name), "logits");
	assert_false(greta_parity_place_of(2, "digits.1", &place));
	assert_false(greta_parity_place_of(2, "q.2", &place));
	assert_false(greta_parity_place_of(2, "q", &place));
	assert_false(greta_parity_place_of(2, "x.1", &place));
}

static void sides_are_read_and_written(void **state)
{
	static const char *const same[] = {
		"cpu:avx2,fuse=none,eager,chunk=7,x16,kv=f32,threads=3", "nvidia,fuse=full,graph,mixed,x32,kv=f16",
		"gfx942,fuse=full,graph,decode,x8,kv=f16,plain",
	};
	static const char *const bad[] = {
		"", "xpu", "cpu:", "cpu,", "cpu,fast", "ref:avx2", "oracle:avx2", "cpu,chunk=0", "cpu,chunk=", "cpu,chunk=-1",
		"cpu,chunk=70000", "cpu,x48", "cpu,fuse=some", ",x8", "cpu:averyveryverylongname", "cpu,threads=2x",
	};
	char text[GRETA_PARITY_SETUP_MAX];
	struct greta_parity_setup made;
	struct greta_error error;
	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		made = setup(same[i]);
		assert_string_equal(greta_parity_setup_text(&made, text), same[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct greta_parity_setup before = made;
		if (greta_parity_setup_read(&made, bad[i], &error) != GRETA_ERROR_ARGUMENT)
			fail_msg("\"%s\" was read", bad[i]);
		assert_memory_equal(&before, &made, sizeof(made));
	}
	made = setup("ref");
	assert_string_equal(made.provider, "cpu");
	assert_string_equal(made.kernels, "ref");
	made = setup("sm_90");
	assert_string_equal(made.provider, "nvidia");
	assert_string_equal(made.target, "sm_90");
	made = setup("compute_80");
	assert_string_equal(made.provider, "nvidia");
	assert_string_equal(made.target, "compute_80");
}

static void differences_are_counted(void **state)
{
	struct greta_parity_trace a, b;
	struct greta_error error;
	struct greta_parity_errors errors[40] = {{.rows = 0}};
	struct greta_parity_logits logits = {.top_k = 2};
	struct greta_parity_difference first = {.found = false};
	size_t h = greta_parity_place(1, GRETA_POINT_h, 0), last = greta_parity_places(1) - 1;
	static const float row_a[] = {3, 4, 0, 0}, row_b[] = {3, 4, 0.5f, -0.25f};
	static const float logits_a[] = {1, 2, 3, 4}, logits_b[] = {1, 4, 3, 2};
	(void)state;
	must(greta_parity_trace_init(&a, 1, false, 3, &error), &error);
	must(greta_parity_trace_init(&b, 1, false, 3, &error), &error);
	greta_parity_trace_start(&a, 10, 3);
	greta_parity_trace_start(&b, 10, 3);
	memcpy(greta_parity_trace_row(&a, h, 11, 4), row_a, sizeof(row_a));
	memcpy(greta_parity_trace_row(&b, h, 11, 4), row_b, sizeof(row_b));
	memcpy(greta_parity_trace_row(&a, h, 12, 4), row_a, sizeof(row_a));
	memcpy(greta_parity_trace_row(&a, last, 10, 4), logits_a, sizeof(logits_a));
	memcpy(greta_parity_trace_row(&b, last, 10, 4), logits_b, sizeof(logits_b));
	assert_null(greta_parity_trace_row(&a, h, 13, 4)); /* no such position, no such width */
	assert_null(greta_parity_trace_row(&a, h, 9, 4));
	assert_null(greta_parity_trace_row(&a, h, 11, 5));
	must(greta_parity_compare(&a, &b, errors, &logits, &first, &error), &error);
	assert_int_equal(errors[h].rows, 1);
	assert_int_equal(errors[h].values, 4);
	assert_int_equal(errors[h].differing, 2);
	assert_true(errors[h].max_error == 0.5 && errors[h].sum_error == 0.75);
	assert_true(errors[h].max_relative == 0.2); /* of sqrt(25 / 4) */
	assert_true(errors[h].min_cosine > 0.993 && errors[h].min_cosine < 0.994); /* 25 / 5 / sqrt(25.3125) */
	assert_true(first.found && first.place == h && first.position == 11 && first.column == 2 &&
		    first.differing == 2);
	assert_int_equal(first.b_bits, 0x3f000000);
	assert_int_equal(logits.rows, 1);
	assert_int_equal(logits.top1, 0);
	assert_true(logits.sum_overlap == 0.5); /* {4, 3} and {4, 3} hold tokens {3, 2} and {1, 2} */
	/* softmax of 1 2 3 4 is .0321 .0871 .2369 .6439: (.6439 - .0871) * 2 */
	assert_true(logits.max_divergence > 1.113 && logits.max_divergence < 1.1145);
	greta_parity_trace_finish(&a);
	greta_parity_trace_finish(&b);
}

static void a_nan_equals_a_nan_and_zeros_have_signs(void **state)
{
	struct greta_parity_trace a, b;
	struct greta_error error;
	struct greta_parity_difference first;
	size_t q = greta_parity_place(1, GRETA_POINT_q, 0);
	const uint32_t bits_a[] = {0x7fc00000, 0x80000000}, bits_b[] = {0xffc00001, 0x00000000};
	(void)state;
	must(greta_parity_trace_init(&a, 1, false, 1, &error), &error);
	must(greta_parity_trace_init(&b, 1, false, 1, &error), &error);
	greta_parity_trace_start(&a, 0, 1);
	greta_parity_trace_start(&b, 0, 1);
	memcpy(greta_parity_trace_row(&a, q, 0, 2), bits_a, sizeof(bits_a));
	memcpy(greta_parity_trace_row(&b, q, 0, 2), bits_b, sizeof(bits_b));
	greta_parity_first_difference(&a, &b, SIZE_MAX, &first);
	assert_true(first.found);
	assert_int_equal(first.column, 1);
	assert_int_equal(first.differing, 1);
	greta_parity_trace_finish(&a);
	greta_parity_trace_finish(&b);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_equal_to_the_definition),
		cmocka_unit_test(every_way_to_take_a_text_is_equal),
		cmocka_unit_test(other_activations_and_caches_are_within_tolerance),
		cmocka_unit_test(settings_are_compared_with_each_other),
		cmocka_unit_test(too_much_is_out_of_tolerance),
		cmocka_unit_test(right_digits_are_read_as_right),
		cmocka_unit_test(places_have_names_and_an_order),
		cmocka_unit_test(sides_are_read_and_written),
		cmocka_unit_test(differences_are_counted),
		cmocka_unit_test(a_nan_equals_a_nan_and_zeros_have_signs),
	};
	if (argc != 3)
		return 2;
	model_path = argv[1];
	text_path = argv[2];
	return cmocka_run_group_tests_name("parity", tests, read_text, forget_text);
}
