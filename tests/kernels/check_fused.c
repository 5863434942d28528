/* qkv, gate_up: every form against the reference, for weights of one type and of several. */
#include "tests/kernels/kv_cache.h"
#include "tests/kernels/product_input.h"
#include "tests/kernels/speed_product.h"

/* Programs of one token and of several in turn, as often for each mix of types. */
static uint32_t tokens_of(int run)
{
	if (run / CHECK_TYPE_MIXES % 2 == 0)
		return 1;
	return run % 5 ? 6 : 70;
}

static struct check_input input_of(int run)
{
	struct check_input in = check_input(tokens_of(run));
	while (tokens_of(run) > 1 && in.chunk == 1) {
		check_input_free(&in);
		in = check_input(tokens_of(run));
	}
	return in;
}

#define RUNS (12 * CHECK_TYPE_MIXES)

/* ---- qkv ---- */

struct qkv_output {
	float *q;
	void *k, *v;
	size_t q_bytes;
};

struct qkv_weights {
	struct check_weights q, k, v;
};

static struct qkv_output run_qkv(const char *form, const struct check_input *in, const struct qkv_weights *w,
                                 struct greta_qkv_args args, const struct check_cache *cache)
{
	struct qkv_output out = {.q_bytes = (size_t)in->chunk * args.heads * args.head_dim * 4};
	args.q_weights = check_form_data(form, &w->q);
	args.k_weights = check_form_data(form, &w->k);
	args.v_weights = check_form_data(form, &w->v);
	args.q_layout = check_form_layout(form, &w->q);
	args.k_layout = check_form_layout(form, &w->k);
	args.v_layout = check_form_layout(form, &w->v);
	args.q = out.q = check_alloc(out.q_bytes);
	args.k_cache = out.k = check_alloc(check_cache_bytes(cache));
	args.v_cache = out.v = check_alloc(check_cache_bytes(cache));
	void *digits = check_digits(form, in);
	args.digits = digits;
	forms_run(form, GRETA_KERNEL_qkv, &args);
	check_free(digits);
	return out;
}

static void free_output(struct qkv_output *out)
{
	check_free(out->q);
	check_free(out->k);
	check_free(out->v);
}

/* Heads of plans are multiples of 32; a GPU's groups of 16 rows must not straddle matrices. */
static uint32_t random_head_dim(void)
{
	return forms_on_gpu() || check_below(2) ? 16 * check_between(1, 4) : 2 * check_between(1, 20);
}

static void check_one_qkv(int run)
{
	struct check_input in = input_of(run);
	uint32_t kv_heads = check_between(1, 3), heads = kv_heads * check_between(1, 3), head_dim = random_head_dim();
	struct check_cache cache = {.kv_heads = kv_heads, .head_dim = head_dim, .kv_type = check_below(2),
	                            .context = in.state.context};
	uint32_t types[3];
	check_type_mix(run, 3, types);
	struct qkv_weights w = {check_form_weights(types[0], heads * head_dim, in.cols),
	                        check_form_weights(types[1], kv_heads * head_dim, in.cols),
	                        check_form_weights(types[2], kv_heads * head_dim, in.cols)};
	float *rope = check_alloc((size_t)in.chunk * head_dim * 4);
	check_fill(rope, (size_t)in.chunk * head_dim, 0.5f, 0);
	struct greta_qkv_args args = {
	    .x = in.x, .norm = in.norm, .rope = rope, .state = &in.state, .q_type = w.q.type, .k_type = w.k.type,
	    .v_type = w.v.type, .q_exponent = w.q.exponent, .k_exponent = w.k.exponent, .v_exponent = w.v.exponent,
	    .heads = heads, .kv_heads = kv_heads, .head_dim = head_dim, .cols = in.cols, .kv_type = cache.kv_type,
	    .context = in.state.context, .activations = in.activations, .chunk = in.chunk, .eps = 1e-5f};
	const char *forms[CHECK_FORMS_MAX];
	struct qkv_output expected = run_qkv("ref", &in, &w, args, &cache);
	for (size_t f = 0, n = forms_names(forms); f < n; f++) {
		struct qkv_output actual = run_qkv(forms[f], &in, &w, args, &cache);
		forms_same(forms[f], check_describe(&in, &w.q), expected.q, actual.q, expected.q_bytes / 4, 4);
		check_same_cache(forms[f], check_describe(&in, &w.k), &cache, expected.k, actual.k, expected.v,
		                 actual.v);
		free_output(&actual);
	}
	free_output(&expected);
	check_free(rope);
	check_weights_free(&w.q);
	check_weights_free(&w.k);
	check_weights_free(&w.v);
	check_input_free(&in);
}

static void test_qkv(void **context)
{
	(void)context;
	for (int run = 0; run < RUNS; run++)
		check_one_qkv(run);
}

/* ---- gate_up ---- */

static float *run_gate_up(const char *form, const struct check_input *in, const struct check_weights *gate,
                          const struct check_weights *up)
{
	void *digits = check_digits(form, in);
	struct greta_gate_up_args args = {
	    .gate_weights = check_form_data(form, gate), .up_weights = check_form_data(form, up), .x = in->x,
	    .norm = in->norm, .digits = digits, .state = &in->state, .gate_type = gate->type, .up_type = up->type,
	    .gate_layout = check_form_layout(form, gate), .up_layout = check_form_layout(form, up),
	    .gate_exponent = gate->exponent, .up_exponent = up->exponent, .rows = gate->rows, .cols = in->cols,
	    .activations = in->activations, .chunk = in->chunk, .eps = 1e-5f};
	args.h = check_alloc((size_t)in->chunk * args.rows * 4);
	forms_run(form, GRETA_KERNEL_gate_up, &args);
	check_free(digits);
	return args.h;
}

static void check_one_gate_up(int run)
{
	struct check_input in = input_of(run);
	uint32_t rows = check_between(1, 150), types[2];
	check_type_mix(run, 2, types);
	struct check_weights gate = check_form_weights(types[0], rows, in.cols);
	struct check_weights up = check_form_weights(types[1], rows, in.cols);
	const char *forms[CHECK_FORMS_MAX];
	float *expected = run_gate_up("ref", &in, &gate, &up);
	for (size_t f = 0, n = forms_names(forms); f < n; f++) {
		float *actual = run_gate_up(forms[f], &in, &gate, &up);
		forms_same(forms[f], check_describe(&in, &gate), expected, actual, (size_t)in.chunk * rows, 4);
		check_free(actual);
	}
	check_free(expected);
	check_weights_free(&gate);
	check_weights_free(&up);
	check_input_free(&in);
}

static void test_gate_up(void **context)
{
	(void)context;
	for (int run = 0; run < RUNS; run++)
		check_one_gate_up(run);
}

static void test_every_function_ran(void **context)
{
	(void)context;
	forms_all_ran(GRETA_KERNEL_qkv);
	forms_all_ran(GRETA_KERNEL_gate_up);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_qkv), cmocka_unit_test(test_gate_up),
	                                   cmocka_unit_test(test_every_function_ran)};
	int bench = check_start(argc, argv), skip = forms_start(argc, argv);
	if (skip)
		return skip;
	return bench ? speed_fused() : cmocka_run_group_tests_name("fused products", tests, NULL, forms_finish);
}
