/* embed, rope_angles, rmsnorm, silu_mul, add: every form against the reference;
 * stamp, whose numbers differ each time. */
#include <stdio.h>
#include <string.h>

#include "tests/kernels/gpu/forms.h"
#include "tests/kernels/gpu/speed.h"
#include "tests/kernels/harness.h"

#define RUNS 60

struct shape {
	uint32_t cols, chunk, tokens;
	struct greta_state state;
};

static struct shape random_shape(void)
{
	struct shape s = {.cols = 256 * check_between(1, 12), .chunk = check_between(1, 6)};
	s.tokens = check_between(1, s.chunk);
	s.state = check_state(check_below(300), s.tokens, 512);
	return s;
}

/* Runs `kernel` with *out pointing first at the reference's buffer, then at each form's, and compares them. What a step
 * does not reach stays poison, which is compared too. */
static void compare(enum greta_kernel kernel, const void *args, void *out_field, size_t bytes)
{
	const char *forms[CHECK_FORMS_MAX];
	void *expected = check_alloc(bytes);
	memcpy(out_field, &expected, sizeof(expected));
	forms_run("ref", kernel, args);
	for (size_t f = 0, count = forms_names(forms); f < count; f++) {
		void *actual = check_alloc(bytes);
		memcpy(out_field, &actual, sizeof(actual));
		forms_run(forms[f], kernel, args);
		forms_same(forms[f], greta_kernel_info(kernel)->name, expected, actual, bytes / 4, 4);
		check_free(actual);
	}
	check_free(expected);
}

static void test_rmsnorm(void **context)
{
	(void)context;
	for (int run = 0; run < RUNS; run++) {
		struct shape s = random_shape();
		size_t count = (size_t)s.chunk * s.cols;
		float *x = check_alloc(count * 4), *weight = check_alloc(s.cols * 4);
		check_fill_nasty(x, count);
		check_fill(weight, s.cols, 1, 0);
		struct greta_rmsnorm_args args = {.x = x, .weight = weight, .state = &s.state, .cols = s.cols,
		                                  .chunk = s.chunk, .eps = 1e-5f};
		compare(GRETA_KERNEL_rmsnorm, &args, &args.y, count * 4);
		check_free(x);
		check_free(weight);
	}
}

static void test_silu_mul(void **context)
{
	(void)context;
	for (int run = 0; run < RUNS; run++) {
		struct shape s = random_shape();
		size_t count = (size_t)s.chunk * s.cols;
		float *gate = check_alloc(count * 4), *up = check_alloc(count * 4);
		check_fill_nasty(gate, count);
		check_fill_nasty(up, count);
		struct greta_silu_mul_args args = {.gate = gate, .up = up, .state = &s.state, .cols = s.cols, .chunk = s.chunk};
		compare(GRETA_KERNEL_silu_mul, &args, &args.y, count * 4);
		check_free(gate);
		check_free(up);
	}
}

static void test_add(void **context)
{
	(void)context;
	for (int run = 0; run < RUNS; run++) {
		struct shape s = random_shape();
		size_t count = (size_t)s.chunk * s.cols;
		float *a = check_alloc(count * 4), *b = check_alloc(count * 4);
		check_fill_nasty(a, count);
		check_fill_nasty(b, count);
		struct greta_add_args args = {.a = a, .b = b, .state = &s.state, .cols = s.cols, .chunk = s.chunk};
		compare(GRETA_KERNEL_add, &args, &args.y, count * 4);
		check_free(a);
		check_free(b);
	}
}

static void test_rope_angles(void **context)
{
	(void)context;
	for (int run = 0; run < RUNS; run++) {
		uint32_t pairs = 16 * check_between(1, 8), chunk = check_between(1, 6);
		struct greta_state state = check_state(check_below(131072), check_between(1, chunk), 1u << 20);
		double *frequencies = check_alloc(pairs * 8);
		for (uint32_t i = 0; i < pairs; i++)
			frequencies[i] = (double)check_uniform(0, 1);
		struct greta_rope_angles_args args = {.frequencies = frequencies, .state = &state, .pairs = pairs,
		                                      .chunk = chunk};
		compare(GRETA_KERNEL_rope_angles, &args, &args.rope, (size_t)chunk * pairs * 8);
		check_free(frequencies);
	}
}

static void test_embed(void **context)
{
	static const uint32_t types[] = {GRETA_TYPE_F32,  GRETA_TYPE_F16,  GRETA_TYPE_BF16, GRETA_TYPE_Q8_0,
	                                 GRETA_TYPE_Q4_0, GRETA_TYPE_Q4_K, GRETA_TYPE_Q5_K, GRETA_TYPE_Q6_K};
	(void)context;
	for (int run = 0; run < RUNS; run++) {
		struct shape s = random_shape();
		uint32_t type = types[run % 8], vocab = check_between(1, 40);
		const struct greta_type_info *info = greta_type_info(type);
		uint32_t row_bytes = s.cols / info->block_values * info->block_bytes;
		uint8_t *table = check_alloc((size_t)vocab * row_bytes);
		for (size_t i = 0; i < (size_t)vocab * row_bytes; i++)
			table[i] = (uint8_t)check_random();
		uint32_t *tokens = check_alloc(513 * sizeof(*tokens));
		for (int i = 0; i < 513; i++)
			tokens[i] = check_below(vocab + 1); /* the last one is out of the vocabulary */
		struct greta_embed_args args = {.table = table, .tokens = tokens, .state = &s.state, .type = type,
		                                .vocab = vocab, .cols = s.cols, .chunk = s.chunk, .row_bytes = row_bytes};
		compare(GRETA_KERNEL_embed, &args, &args.x, (size_t)s.chunk * s.cols * 4);
		check_free(table);
		check_free(tokens);
	}
}

/* What a stamp writes where; the clock itself only goes forward. */
static void test_stamp(void **context)
{
	const char *forms[CHECK_FORMS_MAX];
	(void)context;
	for (size_t f = 0, count = forms_names(forms); f < count; f++) {
		uint32_t slots = check_between(1, 6), rows = 1u << check_below(3), steps = check_between(1, 10);
		size_t words = 1 + (1 + (size_t)rows) * (slots + 1);
		uint64_t *stamps = check_alloc(words * 8), last = 0;
		memset(stamps, 0, words * 8);
		for (uint32_t step = 0; step < steps; step++) {
			struct greta_state state = check_state(7 * step, 3, 512);
			const uint64_t *row = stamps + 1 + (1 + step % rows) * (slots + 1);
			struct greta_stamp_args args = {.state = &state, .stamps = stamps, .slots = slots, .rows = rows, .chunk = 2};
			for (; args.slot < slots; args.slot++) {
				assert_int_equal(stamps[0], step);
				forms_run(forms[f], GRETA_KERNEL_stamp, &args);
			}
			assert_int_equal(stamps[0], step + 1);
			assert_true(row[0] == (UINT64_C(2) << 32 | 7 * step));
			for (uint32_t slot = 0; slot < slots; slot++) {
				assert_true(row[1 + slot] > 0 && row[1 + slot] >= last);
				last = row[1 + slot];
			}
		}
		check_free(stamps);
	}
}

/* Llama-2-7B's launches on a target. */
static int bench(void)
{
	int skip = speed_start();
	if (skip)
		return skip;
	for (uint32_t tokens = 1; tokens <= 512; tokens *= 512) {
		uint32_t cols = 4096, row_bytes = cols / 256 * 144;
		double bytes = 4.0 * cols * tokens;
		struct greta_state state = check_state(100, tokens, 4096);
		float *a = check_alloc((size_t)tokens * cols * 4), *b = check_alloc((size_t)tokens * cols * 4);
		float *y = check_alloc((size_t)tokens * cols * 4), *rope = check_alloc((size_t)tokens * 128 * 4);
		double *frequencies = check_alloc(64 * 8);
		uint8_t *table = check_alloc((size_t)32 * row_bytes);
		uint32_t *list = check_alloc(4097 * 4);
		check_fill(a, (size_t)tokens * cols, 1, 0);
		check_fill(b, (size_t)tokens * cols, 1, 0);
		memset(table, 0, (size_t)32 * row_bytes);
		memset(list, 0, 4097 * 4);
		for (int i = 0; i < 64; i++)
			frequencies[i] = (double)check_uniform(0, 1);
		struct greta_rmsnorm_args norm = {a, b, &state, y, cols, tokens, 1e-5f, 0};
		struct greta_silu_mul_args silu = {a, b, &state, y, cols, tokens};
		struct greta_add_args add = {a, b, &state, y, cols, tokens};
		struct greta_rope_angles_args angles = {frequencies, &state, rope, 64, tokens};
		struct greta_embed_args embed = {table, list, frequencies, &state, y, rope, GRETA_TYPE_Q4_K, 32, cols,
		                                 tokens, 64, row_bytes};
		printf("of %u tokens:\n", tokens);
		speed_of("rmsnorm 4096", GRETA_KERNEL_rmsnorm, &norm, 2 * bytes + 4 * cols, 0);
		speed_of("silu_mul 4096", GRETA_KERNEL_silu_mul, &silu, 3 * bytes, 0);
		speed_of("add 4096", GRETA_KERNEL_add, &add, 3 * bytes, 0);
		speed_of("rope_angles 64", GRETA_KERNEL_rope_angles, &angles, 512.0 * tokens, 0);
		speed_of("embed Q4_K 4096 and angles", GRETA_KERNEL_embed, &embed, bytes + (double)row_bytes * tokens, 0);
		check_free(list);
		check_free(table);
		check_free(frequencies);
		check_free(rope);
		check_free(y);
		check_free(b);
		check_free(a);
	}
	return 0;
}

static void test_every_function_ran(void **context)
{
	(void)context;
	forms_all_ran(GRETA_KERNEL_embed);
	forms_all_ran(GRETA_KERNEL_rope_angles);
	forms_all_ran(GRETA_KERNEL_rmsnorm);
	forms_all_ran(GRETA_KERNEL_silu_mul);
	forms_all_ran(GRETA_KERNEL_add);
	forms_all_ran(GRETA_KERNEL_stamp);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rmsnorm), cmocka_unit_test(test_silu_mul), cmocka_unit_test(test_add),
	    cmocka_unit_test(test_rope_angles), cmocka_unit_test(test_embed), cmocka_unit_test(test_stamp),
	    cmocka_unit_test(test_every_function_ran),
	};
	int benches = check_start(argc, argv), skip = forms_start(argc, argv);
	if (skip)
		return skip;
	return benches ? bench() : cmocka_run_group_tests_name("elementwise kernels", tests, NULL, forms_finish);
}
