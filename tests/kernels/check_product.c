/* digits, product, qkv, gate_up, lm_head: every form against the reference, for every weight type, layout and number of
 * digits. --bench: each form's speed over matrices larger than the caches. */
#include "tests/kernels/harness.h"

#include <stdio.h>
#include <string.h>

#include "kernels/kv.h"
#include "kernels/numbers.h"
#include "tests/kernels/weights.h"

#define RUNS 200

/* The activations that a product kernel gets, and how. */
struct input {
	uint32_t cols, chunk, tokens, activations;
	int digits; /* 1: made by the digits kernel before; 0: by the product itself */
	float *x, *norm;
	struct greta_state state;
};

static struct input random_input(uint32_t tokens_max)
{
	struct input in = {.chunk = check_between(1, tokens_max), .activations = check_between(1, 4)};
	in.cols = 256 * (check_below(8) ? check_between(1, 6) : check_between(7, 32));
	in.tokens = check_between(1, in.chunk);
	in.state = check_state(check_below(200), in.tokens, 256);
	in.tokens = greta_step_tokens(&in.state, in.chunk);
	in.digits = (int)check_below(2);
	in.x = check_alloc((size_t)in.chunk * in.cols * 4);
	check_fill_nasty(in.x, (size_t)in.chunk * in.cols);
	if (check_below(20) == 0)
		in.x[check_below(in.cols)] = greta_float(0x7f800000 | (check_below(2) << 22));
	in.norm = NULL;
	if (check_below(2)) {
		in.norm = check_alloc((size_t)in.cols * 4);
		check_fill(in.norm, in.cols, 1, 0);
	}
	return in;
}

static void free_input(struct input *in)
{
	check_free(in->x);
	check_free(in->norm);
}

static size_t shared_bytes(uint32_t cols, int made)
{
	return GRETA_CPU_WORK_BYTES + (made ? cols * 4 + (size_t)cols / 256 * GRETA_CPU_DIGITS_BLOCK_BYTES : 0);
}

/* The digits that `form` makes of the input, or NULL where the product makes them. */
static void *form_digits(const char *form, const struct input *in)
{
	if (!in->digits)
		return NULL;
	void *digits = check_alloc((size_t)in->chunk * in->cols / 256 * GRETA_CPU_DIGITS_BLOCK_BYTES);
	struct greta_digits_args args = {.x = in->x, .norm = in->norm, .state = &in->state, .digits = digits,
	                                 .cols = in->cols, .chunk = in->chunk, .activations = in->activations,
	                                 .eps = 1e-5f};
	check_run(check_kernel(form, GRETA_KERNEL_digits), in->chunk, 1, shared_bytes(in->cols, 1), &args);
	return digits;
}

static const char *describe(const struct input *in, const struct check_weights *w)
{
	static char text[200];
	snprintf(text, sizeof(text), "%s %s %u x %u, x%u, %u tokens%s%s", greta_type_info(w->type)->name,
	         w->layout == GRETA_LAYOUT_RAW ? "raw" : "rows16", w->rows, w->cols, 8 * in->activations, in->tokens,
	         in->norm ? ", norm" : "", in->digits ? ", digits" : "");
	return text;
}

static uint32_t blocks_of(uint32_t rows, uint32_t rows_per_block) { return (rows + rows_per_block - 1) / rows_per_block; }

static struct check_weights random_weights(uint32_t type, uint32_t rows, uint32_t cols)
{
	uint32_t layout = check_below(3) ? GRETA_LAYOUT_ROWS16 : GRETA_LAYOUT_RAW;
	return check_weights(type, layout, rows, cols, check_below(3) == 0);
}

/* ---- product ---- */

static float *run_product(const char *form, const struct input *in, const struct check_weights *w, const float *residual,
                          int alias, uint32_t rows_per_block)
{
	size_t count = (size_t)in->chunk * w->rows;
	float *y = check_alloc(count * 4);
	void *digits = form_digits(form, in);
	if (residual && alias)
		memcpy(y, residual, count * 4);
	struct greta_product_args args = {
	    .weights = w->data, .x = in->x, .norm = in->norm, .digits = digits, .residual = residual && alias ? y : residual,
	    .state = &in->state, .y = y, .rows = w->rows, .cols = w->cols, .type = w->type, .layout = w->layout,
	    .exponent = w->exponent, .activations = in->activations, .chunk = in->chunk, .rows_per_block = rows_per_block,
	    .eps = 1e-5f};
	check_run(check_kernel(form, GRETA_KERNEL_product), blocks_of(w->rows, rows_per_block), 1,
	          shared_bytes(in->cols, !digits), &args);
	check_free(digits);
	return y;
}

static void check_one_product(uint32_t type, uint32_t tokens_max)
{
	struct input in = random_input(tokens_max);
	struct check_weights w = random_weights(type, check_between(1, 90), in.cols);
	uint32_t rows_per_block = check_below(3) ? 16 * check_between(1, 8) : check_between(1, 90);
	size_t count = (size_t)in.chunk * w.rows;
	float *residual = NULL;
	int alias = (int)check_below(2);
	if (check_below(2)) {
		residual = check_alloc(count * 4);
		check_fill(residual, count, 1, 0);
	}
	const char *forms[CHECK_FORMS_MAX];
	float *expected = run_product("ref", &in, &w, residual, alias, rows_per_block);
	for (size_t f = 0, n = check_forms(forms); f < n; f++) {
		float *actual = run_product(forms[f], &in, &w, residual, alias, rows_per_block);
		check_same(forms[f], describe(&in, &w), expected, actual, count * 4);
		check_free(actual);
	}
	check_free(expected);
	check_free(residual);
	check_free(w.data);
	free_input(&in);
}

static void test_product(void **context)
{
	(void)context;
	for (int run = 0; run < RUNS; run++)
		check_one_product(check_types[run % CHECK_TYPES], 4);
}

/* More tokens than a pass or a tile of any form holds. */
static void test_product_of_many_tokens(void **context)
{
	(void)context;
	for (int run = 0; run < 24; run++)
		check_one_product(check_types[run % CHECK_TYPES], run < 8 ? 200 : 40);
}

/* ---- qkv ---- */

struct qkv_output {
	float *q;
	void *k, *v;
	size_t q_bytes, kv_bytes;
};

static struct qkv_output run_qkv(const char *form, const struct input *in, struct greta_qkv_args args)
{
	size_t element = args.kv_type == GRETA_KV_F32 ? 4 : 2;
	struct qkv_output out;
	out.q_bytes = (size_t)in->chunk * args.heads * args.head_dim * 4;
	out.kv_bytes = greta_kv_positions(args.context) * args.kv_heads * args.head_dim * element;
	args.q = out.q = check_alloc(out.q_bytes);
	args.k_cache = out.k = check_alloc(out.kv_bytes);
	args.v_cache = out.v = check_alloc(out.kv_bytes);
	void *digits = form_digits(form, in);
	args.digits = digits;
	uint32_t rows = (args.heads + 2 * args.kv_heads) * args.head_dim;
	check_run(check_kernel(form, GRETA_KERNEL_qkv), blocks_of(rows, args.rows_per_block), 1,
	          shared_bytes(in->cols, !digits), &args);
	check_free(digits);
	return out;
}

static void free_output(struct qkv_output *out)
{
	check_free(out->q);
	check_free(out->k);
	check_free(out->v);
}

static void test_qkv(void **context)
{
	(void)context;
	for (int run = 0; run < 48; run++) {
		struct input in = random_input(run % 8 ? 5 : 70);
		uint32_t kv_heads = check_between(1, 2), heads = kv_heads * check_between(1, 3);
		uint32_t head_dim = check_below(4) ? 16 * check_between(1, 2) : 2 * check_between(1, 20);
		struct check_weights q = random_weights(check_types[run % CHECK_TYPES], heads * head_dim, in.cols);
		struct check_weights k = random_weights(check_types[check_below(CHECK_TYPES)], kv_heads * head_dim, in.cols);
		struct check_weights v = random_weights(check_types[check_below(CHECK_TYPES)], kv_heads * head_dim, in.cols);
		float *rope = check_alloc((size_t)in.chunk * head_dim * 4);
		check_fill(rope, (size_t)in.chunk * head_dim, 0.5f, 0);
		struct greta_qkv_args args = {
		    .q_weights = q.data, .k_weights = k.data, .v_weights = v.data, .x = in.x, .norm = in.norm, .rope = rope,
		    .state = &in.state, .q_type = q.type, .k_type = k.type, .v_type = v.type, .q_layout = q.layout,
		    .k_layout = k.layout, .v_layout = v.layout, .q_exponent = q.exponent, .k_exponent = k.exponent,
		    .v_exponent = v.exponent, .heads = heads, .kv_heads = kv_heads, .head_dim = head_dim, .cols = in.cols,
		    .kv_type = check_below(2), .context = in.state.context, .activations = in.activations,
		    .chunk = in.chunk, .rows_per_block = 2 * check_between(1, 60), .eps = 1e-5f};
		const char *forms[CHECK_FORMS_MAX];
		struct qkv_output expected = run_qkv("ref", &in, args);
		for (size_t f = 0, n = check_forms(forms); f < n; f++) {
			struct qkv_output actual = run_qkv(forms[f], &in, args);
			check_same(forms[f], describe(&in, &q), expected.q, actual.q, expected.q_bytes);
			check_same(forms[f], describe(&in, &k), expected.k, actual.k, expected.kv_bytes);
			check_same(forms[f], describe(&in, &v), expected.v, actual.v, expected.kv_bytes);
			free_output(&actual);
		}
		free_output(&expected);
		check_free(rope);
		check_free(q.data);
		check_free(k.data);
		check_free(v.data);
		free_input(&in);
	}
}

/* ---- gate_up ---- */

static float *run_gate_up(const char *form, const struct input *in, struct greta_gate_up_args args)
{
	args.h = check_alloc((size_t)in->chunk * args.rows * 4);
	void *digits = form_digits(form, in);
	args.digits = digits;
	check_run(check_kernel(form, GRETA_KERNEL_gate_up), blocks_of(args.rows, args.rows_per_block), 1,
	          shared_bytes(in->cols, !digits), &args);
	check_free(digits);
	return args.h;
}

static void test_gate_up(void **context)
{
	(void)context;
	for (int run = 0; run < 48; run++) {
		struct input in = random_input(run % 8 ? 4 : 70);
		uint32_t rows = check_between(1, 100);
		struct check_weights gate = random_weights(check_types[run % CHECK_TYPES], rows, in.cols);
		struct check_weights up = random_weights(check_types[check_below(CHECK_TYPES)], rows, in.cols);
		struct greta_gate_up_args args = {
		    .gate_weights = gate.data, .up_weights = up.data, .x = in.x, .norm = in.norm, .state = &in.state,
		    .gate_type = gate.type, .up_type = up.type, .gate_layout = gate.layout, .up_layout = up.layout,
		    .gate_exponent = gate.exponent, .up_exponent = up.exponent, .rows = rows, .cols = in.cols,
		    .activations = in.activations, .chunk = in.chunk, .rows_per_block = check_between(1, 100), .eps = 1e-5f};
		const char *forms[CHECK_FORMS_MAX];
		float *expected = run_gate_up("ref", &in, args);
		for (size_t f = 0, n = check_forms(forms); f < n; f++) {
			float *actual = run_gate_up(forms[f], &in, args);
			check_same(forms[f], describe(&in, &gate), expected, actual, (size_t)in.chunk * rows * 4);
			check_free(actual);
		}
		check_free(expected);
		check_free(gate.data);
		check_free(up.data);
		free_input(&in);
	}
}

/* ---- lm_head ---- */

static void test_lm_head(void **context)
{
	(void)context;
	for (int run = 0; run < 48; run++) {
		struct input in = random_input(5);
		in.state.prompt_end += check_below(4) == 0; /* then the step is not the prompt's last: nothing is written */
		struct check_weights w = random_weights(check_types[run % CHECK_TYPES], check_between(1, 200), in.cols);
		uint32_t rows_per_block = check_between(1, 100), grid = blocks_of(w.rows, rows_per_block);
		struct greta_lm_head_args args = {
		    .weights = w.data, .x = in.x, .norm = in.norm, .state = &in.state, .rows = w.rows, .cols = w.cols,
		    .type = w.type, .layout = w.layout, .exponent = w.exponent, .activations = in.activations,
		    .chunk = in.chunk, .rows_per_block = rows_per_block, .eps = 1e-5f};
		const char *forms[1 + CHECK_FORMS_MAX] = {"ref"};
		float *logits[1 + CHECK_FORMS_MAX];
		uint64_t *best[1 + CHECK_FORMS_MAX];
		size_t count = 1 + check_forms(forms + 1);
		for (size_t f = 0; f < count; f++) {
			args.logits = logits[f] = check_alloc(w.rows * 4);
			best[f] = check_alloc(grid * 8);
			args.best = run % 3 ? best[f] : NULL;
			check_run(check_kernel(forms[f], GRETA_KERNEL_lm_head), grid, 1, shared_bytes(in.cols, 1), &args);
			check_same(forms[f], describe(&in, &w), logits[0], logits[f], w.rows * 4);
			check_same(forms[f], "best", best[0], best[f], grid * 8);
		}
		for (size_t f = 0; f < count; f++) {
			check_free(logits[f]);
			check_free(best[f]);
		}
		check_free(w.data);
		free_input(&in);
	}
}

/* ---- speed ---- */

static void bench_one(const char *form, const struct check_weights *w, uint32_t tokens, uint32_t activations)
{
	struct input in = {.cols = w->cols, .chunk = tokens, .tokens = tokens, .activations = activations,
	                   .digits = tokens > 1, .state = check_state(0, tokens, 4096)};
	in.x = check_alloc((size_t)tokens * w->cols * 4);
	check_fill(in.x, (size_t)tokens * w->cols, 1, 0);
	void *digits = form_digits(form, &in);
	float *y = check_alloc((size_t)tokens * w->rows * 4);
	struct greta_product_args args = {
	    .weights = w->data, .x = in.x, .digits = digits, .state = &in.state, .y = y, .rows = w->rows, .cols = w->cols,
	    .type = w->type, .layout = w->layout, .exponent = w->exponent, .activations = activations, .chunk = tokens,
	    .rows_per_block = 64};
	double seconds = check_time(check_kernel(form, GRETA_KERNEL_product), blocks_of(w->rows, 64), 1,
	                            shared_bytes(w->cols, !digits), &args);
	printf("%-9s %-5s %-6s x%-3u %4u tokens %8.2f ms %7.2f GB/s %8.2f GMAC/s\n", form, greta_type_info(w->type)->name,
	       w->layout == GRETA_LAYOUT_RAW ? "raw" : "rows16", 8 * activations, tokens, seconds * 1e3,
	       (double)w->bytes / seconds * 1e-9, (double)w->rows * w->cols * tokens / seconds * 1e-9);
	check_free(y);
	check_free(digits);
	check_free(in.x);
}

static void bench(uint32_t rows, uint32_t cols)
{
	static const uint32_t types[] = {GRETA_TYPE_Q4_K, GRETA_TYPE_Q6_K, GRETA_TYPE_Q5_K,
	                                 GRETA_TYPE_Q8_0, GRETA_TYPE_Q4_0, GRETA_TYPE_F16};
	const char *forms[CHECK_FORMS_MAX];
	size_t count = check_forms(forms);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct check_weights w = check_weights(types[i], GRETA_LAYOUT_ROWS16, rows, cols, 0);
		for (size_t f = 0; f < count; f++)
			for (uint32_t tokens = 1; tokens <= 64; tokens *= 64)
				for (uint32_t activations = 4; activations > 0; activations -= i < 2 ? 1 : 4)
					if (tokens == 1 || strcmp(forms[f], "portable") != 0)
						bench_one(forms[f], &w, tokens, activations);
		check_free(w.data);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_product), cmocka_unit_test(test_product_of_many_tokens), cmocka_unit_test(test_qkv),
	    cmocka_unit_test(test_gate_up), cmocka_unit_test(test_lm_head),
	};
	if (check_start(argc, argv)) {
		bench(5632, 2048);
		return 0;
	}
	return cmocka_run_group_tests_name("product kernels", tests, NULL, NULL);
}
