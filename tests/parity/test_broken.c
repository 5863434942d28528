/* A deliberately broken kernel is found: the first tensor, position and launch that are wrong, fused or not, and the
 * operation inside a fused kernel. Argument: the model. */
#include "bench/parity/report.h"
#include "bench/parity/run.h"
#include "bench/parity/text.h"
#include "broken.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOKENS 20

static const char *model_path;
static int32_t *tokens;
static struct greta_parity_result result;

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
	must(greta_parity_tokens(model_path, NULL, NULL, TOKENS, &tokens, &count, &from, &error), &error);
	assert_int_equal(count, TOKENS);
	return 0;
}

static int forget_text(void **state)
{
	(void)state;
	free(tokens);
	return 0;
}

static int forget_result(void **state)
{
	(void)state;
	greta_parity_result_finish(&result);
	return 0;
}

static struct greta_parity_setup setup(const char *words, const struct greta_cpu_module *module)
{
	struct greta_parity_setup made = greta_parity_setup_default();
	struct greta_error error;
	must(greta_parity_setup_read(&made, words, &error), &error);
	made.image = module;
	return made;
}

/* The broken module in the way that `words` say, against the definition. */
static const struct greta_parity_pair *compare(const char *words, const struct greta_cpu_module *module, unsigned runs)
{
	const struct greta_parity_setup setups[] = {setup("ref,fuse=none,eager,decode", NULL), setup(words, module)};
	const struct greta_parity_request request = {
		.model = model_path, .tokens = tokens, .count = TOKENS, .context = TOKENS + 4, .setups = setups, .sides = 2,
		.runs = runs, .top_k = 10,
	};
	struct greta_error error;
	greta_parity_result_finish(&result);
	must(greta_parity_run(&request, &result, &error), &error);
	assert_false(greta_parity_passed(&result));
	return &result.pair[0];
}

static void at(const struct greta_parity_difference *difference, const char *place, size_t position)
{
	char name[GRETA_PARITY_NAME_MAX];
	assert_true(difference->found);
	assert_string_equal(greta_parity_place_name(result.layers, difference->place, name), place);
	assert_int_equal(difference->position, position);
	assert_true(difference->a_bits != difference->b_bits);
}

static void by(const struct greta_parity_launch *launch, const char *kernel, uint32_t layer, enum greta_block block)
{
	assert_true(launch->found);
	assert_string_equal(launch->kernel, kernel);
	assert_int_equal(launch->layer, layer);
	assert_int_equal(launch->block, block);
}

static void a_wrong_scale_of_one_sub_block(void **state)
{
	(void)state;
	const struct greta_parity_pair *pair = compare("cpu,mixed", &broken_scale, 1);
	assert_int_equal(pair->verdict, GRETA_PARITY_DIFFERS);
	at(&pair->difference, "q.0", 0);
	by(&pair->cause.launch, "qkv", 0, GRETA_BLOCK_qkv);
	assert_true(pair->cause.unfused);
	at(&pair->cause.first, "q.0", 0);
	by(&pair->cause.culprit, "product", 0, GRETA_BLOCK_qkv); /* not rope, which writes there too */
}

static void rope_by_halves(void **state)
{
	(void)state;
	static const char *const ways[] = {"cpu,decode", "cpu,mixed,eager", "cpu,fuse=none,decode"};
	for (size_t w = 0; w < 3; w++) {
		const struct greta_parity_pair *pair = compare(ways[w], &broken_rope, 1);
		at(&pair->difference, "q.0", 1); /* the first position turns by nothing */
		by(&pair->cause.launch, w < 2 ? "qkv" : "rope", 0, GRETA_BLOCK_qkv);
		at(&pair->cause.first, "q.0", 1);
		by(&pair->cause.culprit, "rope", 0, GRETA_BLOCK_qkv);
	}
}

static void a_cache_row_one_position_late(void **state)
{
	(void)state;
	static const char *const ways[] = {"cpu,decode", "cpu,mixed", "cpu,fuse=none,chunk=8"};
	for (size_t w = 0; w < 3; w++) {
		const struct greta_parity_pair *pair = compare(ways[w], &broken_position, 1);
		at(&pair->difference, "k cache.0", 0);
		by(&pair->cause.launch, w < 2 ? "qkv" : "kv_write", 0, w < 2 ? GRETA_BLOCK_qkv : GRETA_BLOCK_attention);
		at(&pair->cause.first, "k cache.0", 0);
		by(&pair->cause.culprit, "kv_write", 0, GRETA_BLOCK_attention);
	}
}

static void a_digit_dropped_by_a_product(void **state)
{
	(void)state;
	const struct greta_parity_pair *pair = compare("cpu,decode", &broken_digit, 1);
	at(&pair->difference, "x_ffn.0", 0);
	by(&pair->cause.launch, "product", 0, GRETA_BLOCK_ffn);
	at(&pair->cause.first, "down.0", 0);
	by(&pair->cause.culprit, "product", 0, GRETA_BLOCK_ffn);
	assert_false(pair->cause.culprit.takes_digits);
}

static void a_digit_not_made_by_a_launch_of_digits(void **state)
{
	(void)state;
	const struct greta_parity_pair *pair = compare("cpu:ref,chunk=10", &broken_digits_launch, 1);
	at(&pair->difference, "q.0", 0);
	by(&pair->cause.launch, "qkv", 0, GRETA_BLOCK_qkv);
	assert_true(pair->cause.launch.takes_digits);
	by(&pair->cause.culprit, "digits", 0, GRETA_BLOCK_qkv);
	/* Of kernels whose digits it cannot read it says that they may be the cause. */
	pair = compare("cpu,chunk=10", &broken_digits_launch, 1);
	by(&pair->cause.culprit, "product", 0, GRETA_BLOCK_qkv);
	assert_true(pair->cause.culprit.takes_digits);
	/* And a product is blamed for its own faults. */
	pair = compare("cpu:ref,chunk=10", &broken_digit, 1);
	by(&pair->cause.culprit, "product", 0, GRETA_BLOCK_ffn);
	assert_false(pair->cause.culprit.takes_digits);
}

static void a_kernel_that_is_wrong_only_in_its_fused_form(void **state)
{
	struct greta_cpu_function functions[GRETA_KERNEL_COUNT];
	struct greta_cpu_module fused = broken_position;
	(void)state;
	memcpy(functions, broken_position.functions, sizeof(functions));
	for (size_t f = 0; f < GRETA_KERNEL_COUNT; f++)
		if (!strcmp(functions[f].name, "kv_write"))
			functions[f] = greta_cpu_module("ref")->functions[f];
	fused.functions = functions;
	const struct greta_parity_pair *pair = compare("cpu,decode", &fused, 1);
	at(&pair->difference, "k cache.0", 0);
	assert_true(pair->cause.unfused);
	assert_false(pair->cause.first.found);
	by(&pair->cause.culprit, "qkv", 0, GRETA_BLOCK_qkv);
}

static void repetitions_that_are_not_equal(void **state)
{
	(void)state;
	(void)compare("cpu,decode", &broken_unsteady, 3);
	at(&result.side[1].unsteady, "h.0", 0);
	by(&result.side[1].unsteady_launch, "gate_up", 0, GRETA_BLOCK_ffn);
	assert_false(result.side[0].unsteady.found);
}

static void numbers_that_are_none(void **state)
{
	(void)state;
	const struct greta_parity_pair *pair = compare("cpu,decode", &broken_nan, 2);
	at(&pair->difference, "attention.0", 5);
	assert_int_equal(pair->difference.column, 1);
	by(&pair->cause.culprit, "attention", 0, GRETA_BLOCK_attention);
	assert_true(result.side[1].not_finite);
	assert_false(result.side[0].not_finite);
	assert_int_equal(result.positions, 6);
}

static void the_report_says_so(void **state)
{
	static const char *const lines[] = {
		"  -2048\nk    ", "\nB: differs\n  first difference: q.0, position 1, value ",
		"step 2 of A, step 2 of B\n    A  ", "\n  written by launch 1 of program decode, kernel qkv, layer 0, block QKV\n",
		"\n  one kernel an operation: q.0, position 1, value ",
		"\n  first wrong launch: launch 6 of program decode, kernel rope, layer 0, block QKV\n",
	};
	const struct greta_parity_report report = {.model = "a model", .text = "a text", .count = TOKENS, .runs = 1};
	char *text = NULL;
	size_t bytes = 0;
	(void)state;
	(void)compare("cpu,decode", &broken_rope, 1);
	FILE *out = open_memstream(&text, &bytes);
	assert_non_null(out);
	greta_parity_report_table(out, &report, &result);
	fclose(out);
	for (size_t l = 0; l < sizeof(lines) / sizeof(lines[0]); l++)
		if (!strstr(text, lines[l]))
			fail_msg("no '%s' in:\n%s", lines[l], text);
	free(text);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_teardown(name, forget_result)
	const struct CMUnitTest tests[] = {
		T(a_wrong_scale_of_one_sub_block), T(rope_by_halves), T(a_cache_row_one_position_late),
		T(a_digit_dropped_by_a_product), T(a_digit_not_made_by_a_launch_of_digits),
		T(a_kernel_that_is_wrong_only_in_its_fused_form), T(repetitions_that_are_not_equal),
		T(numbers_that_are_none), T(the_report_says_so),
	};
	if (argc != 2)
		return 2;
	model_path = argv[1];
	return cmocka_run_group_tests_name("broken kernels", tests, read_text, forget_text);
}
