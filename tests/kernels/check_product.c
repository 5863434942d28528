/* digits, product, lm_head: every form against the reference, for every weight type, layout and number of digits.
 * --bench: each form's speed over matrices larger than the caches. */
#include <string.h>

#include "kernels/cpu/digits.h"
#include "kernels/gpu/layouts.h"
#include "kernels/numbers.h"
#include "kernels/ref/vector.h"
#include "tests/kernels/bench_product.h"
#include "tests/kernels/product_input.h"

/* ---- digits ---- */

/* A block of a form's digits as numbers. */
struct block {
	int32_t x[256], exponent, largest;
};

static void block_of_ref(const struct greta_ref_digits_block *from, uint32_t b, uint32_t blocks, struct block *out)
{
	memcpy(out->x, from[b].x, sizeof(out->x));
	out->exponent = from[b].exponent;
	out->largest = greta_ref_vector_exponent(from, blocks);
}

static void block_of_cpu(const struct greta_cpu_digits *from, uint32_t b, struct block *out)
{
	for (int i = 0; i < 256; i++)
		out->x[i] = from[b].half[0][i] + 65536 * from[b].half[1][i];
	out->exponent = from[b].exponent;
	out->largest = from[b].largest;
}

static void block_of_gpu(const struct greta_gpu_digits *from, uint32_t b, struct block *out)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t x = 0;
		for (int d = 3; d >= 0; d--)
			x = x * 256 + (uint32_t)(int8_t)from[b].plane[d].digit[i / 32][i / 8 % 4][i % 8];
		out->x[i] = (int32_t)x;
	}
	out->exponent = from[b].plane[0].exponent;
	out->largest = from[b].plane[0].largest;
	for (int d = 0; d < 4; d++)
		for (int j = 0; j < 8; j++) {
			int sum = 0;
			for (int i = 0; i < 32; i++)
				sum += (int8_t)from[b].plane[d].digit[j][i / 8][i % 8];
			assert_int_equal(from[b].plane[d].sum[0][j] + 256 * from[b].plane[d].sum[1][j], sum);
		}
}

static void compare_digits(const char *form, const struct check_input *in, const void *expected, const void *actual)
{
	uint32_t blocks = in->cols / 256;
	for (uint32_t i = 0; i < in->tokens * blocks; i++) {
		struct block e, a;
		uint32_t t = i / blocks, b = i % blocks;
		block_of_ref((const struct greta_ref_digits_block *)expected + (size_t)t * blocks, b, blocks, &e);
		if (forms_target(form)->wave > 1)
			block_of_gpu((const struct greta_gpu_digits *)actual + (size_t)t * blocks, b, &a);
		else
			block_of_cpu((const struct greta_cpu_digits *)actual + (size_t)t * blocks, b, &a);
		check_same(form, "digits", e.x, a.x, sizeof(e.x));
		assert_int_equal(e.exponent, a.exponent);
		assert_int_equal(e.largest, a.largest);
	}
}

static void test_digits(void **context)
{
	(void)context;
	for (int run = 0; run < 60; run++) {
		struct check_input in = check_input(5);
		in.digits = 1;
		const char *forms[CHECK_FORMS_MAX];
		void *expected = check_digits("ref", &in);
		for (size_t f = 0, n = forms_names(forms); f < n; f++) {
			void *actual = check_digits(forms[f], &in);
			compare_digits(forms[f], &in, expected, actual);
			check_free(actual);
		}
		check_free(expected);
		check_input_free(&in);
	}
}

/* ---- product ---- */

static float *run_product(const char *form, const struct check_input *in, const struct check_weights *w,
                          const float *residual, int alias)
{
	size_t count = (size_t)in->chunk * w->rows;
	float *y = check_alloc(count * 4);
	void *digits = check_digits(form, in);
	if (residual && alias)
		memcpy(y, residual, count * 4);
	struct greta_product_args args = {
	    .weights = check_form_data(form, w), .x = in->x, .norm = in->norm, .digits = digits,
	    .residual = residual && alias ? y : residual, .state = &in->state, .y = y, .rows = w->rows, .cols = w->cols,
	    .type = w->type, .layout = check_form_layout(form, w), .exponent = w->exponent,
	    .activations = in->activations, .chunk = in->chunk, .eps = 1e-5f};
	forms_run(form, GRETA_KERNEL_product, &args);
	check_free(digits);
	return y;
}

static void check_one_product(uint32_t type, uint32_t rows_max, uint32_t tokens_max)
{
	struct check_input in = check_input(tokens_max);
	struct check_weights w = check_form_weights(type, check_between(1, rows_max), in.cols);
	size_t count = (size_t)in.chunk * w.rows;
	float *residual = NULL;
	int alias = (int)check_below(2);
	if (check_below(2)) {
		residual = check_alloc(count * 4);
		check_fill(residual, count, 1, 0);
	}
	const char *forms[CHECK_FORMS_MAX];
	float *expected = run_product("ref", &in, &w, residual, alias);
	for (size_t f = 0, n = forms_names(forms); f < n; f++) {
		float *actual = run_product(forms[f], &in, &w, residual, alias);
		forms_same(forms[f], check_describe(&in, &w), expected, actual, count, 4);
		check_free(actual);
	}
	check_free(expected);
	check_free(residual);
	check_weights_free(&w);
	check_input_free(&in);
}

static void test_product_of_a_token(void **context)
{
	(void)context;
	for (int run = 0; run < 160; run++)
		check_one_product(check_types[run % CHECK_TYPES], 150, 1);
}

static void test_product(void **context)
{
	(void)context;
	for (int run = 0; run < 120; run++)
		check_one_product(check_types[run % CHECK_TYPES], 90, 4);
}

/* More tokens than a pass or a tile of any form holds. */
static void test_product_of_many_tokens(void **context)
{
	uint32_t many = forms_simulated() ? 70 : 200;
	(void)context;
	for (int run = 0; run < 32; run++)
		check_one_product(check_types[run % CHECK_TYPES], 150, run < 8 ? many : 40);
}

/* ---- lm_head ---- */

/* `best` is of `grid` blocks of rows_per_block rows. */
static void compare_best(const char *form, const float *logits, const uint64_t *best, uint32_t rows, uint32_t grid,
                         uint32_t rows_per_block)
{
	for (uint32_t b = 0; b < grid; b++) {
		uint64_t expected = 0;
		for (uint32_t row = b * rows_per_block; row < rows && row < (b + 1) * rows_per_block; row++) {
			uint64_t key = greta_logit_key(greta_bits32(logits[row]), row);
			expected = key > expected ? key : expected;
		}
		check_same(form, "best", &expected, &best[b], 8);
	}
}

static float *run_lm_head(const char *form, const struct check_input *in, const struct check_weights *w, int wants_best)
{
	struct greta_lm_head_args args = {
	    .weights = check_form_data(form, w), .x = in->x, .norm = in->norm, .state = &in->state, .rows = w->rows,
	    .cols = w->cols, .type = w->type, .layout = check_form_layout(form, w), .exponent = w->exponent,
	    .activations = in->activations, .chunk = in->chunk, .eps = 1e-5f};
	float *logits = check_alloc(w->rows * 4);
	args.logits = logits;
	struct forms_launch launch = forms_lower(form, GRETA_KERNEL_lm_head, &args);
	size_t best_bytes = (size_t)launch.lowered.grid[0] * 8;
	uint64_t *best = check_alloc(best_bytes), *untouched = check_alloc(best_bytes);
	launch.args.lm_head.best = wants_best ? best : NULL;
	forms_launch(&launch);
	if (wants_best && greta_step_samples(&in->state, in->tokens))
		compare_best(form, logits, best, w->rows, launch.lowered.grid[0], launch.args.lm_head.rows_per_block);
	else
		check_same(form, "best", untouched, best, best_bytes);
	check_free(best);
	check_free(untouched);
	return logits;
}

static void test_lm_head(void **context)
{
	(void)context;
	for (int run = 0; run < 96; run++) {
		struct check_input in = check_input(run % 2 ? 5 : 1);
		/* Now and then the step is not the prompt's last: then nothing is written. */
		in.state.prompt_end += check_below(4) == 0;
		in.tokens = greta_step_tokens(&in.state, in.chunk);
		struct check_weights w =
		    check_form_weights(check_types[run % CHECK_TYPES], check_between(1, 200), in.cols);
		const char *forms[CHECK_FORMS_MAX];
		float *expected = run_lm_head("ref", &in, &w, run % 3);
		for (size_t f = 0, n = forms_names(forms); f < n; f++) {
			float *actual = run_lm_head(forms[f], &in, &w, run % 3);
			forms_same(forms[f], check_describe(&in, &w), expected, actual, w.rows, 4);
			check_free(actual);
		}
		check_free(expected);
		check_weights_free(&w);
		check_input_free(&in);
	}
}

static void test_every_function_ran(void **context)
{
	(void)context;
	forms_all_ran(GRETA_KERNEL_digits);
	forms_all_ran(GRETA_KERNEL_product);
	forms_all_ran(GRETA_KERNEL_lm_head);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_digits), cmocka_unit_test(test_product_of_a_token), cmocka_unit_test(test_product),
	    cmocka_unit_test(test_product_of_many_tokens), cmocka_unit_test(test_lm_head),
	    cmocka_unit_test(test_every_function_ran),
	};
	int bench = check_start(argc, argv), skip = forms_start(argc, argv);
	if (skip)
		return skip;
	return bench ? bench_product() : cmocka_run_group_tests_name("product kernels", tests, NULL, forms_finish);
}
