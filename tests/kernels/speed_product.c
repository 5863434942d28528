#include "tests/kernels/speed_product.h"

#include <stdio.h>

#include "tests/kernels/gpu/speed.h"
#include "tests/kernels/kv_cache.h"
#include "tests/kernels/product_input.h"

#define EMBD 4096
#define FF 11008
#define VOCAB 32000
#define HEADS 32
#define HEAD_DIM 128
#define CONTEXT 4096
#define PREFILL 512

static struct check_input input_of(uint32_t cols, uint32_t tokens, uint32_t activations)
{
	struct check_input in = {.cols = cols, .chunk = tokens, .tokens = tokens, .activations = activations,
	                         .state = check_state(0, tokens, CONTEXT)};
	in.x = check_alloc((size_t)tokens * cols * 4);
	check_fill(in.x, (size_t)tokens * cols, 1, 0);
	in.norm = check_alloc((size_t)cols * 4);
	check_fill(in.norm, cols, 1, 0);
	/* As the planner decides where a product has room for them. */
	in.digits =
	    greta_target_wants_digits_node(forms_target(NULL), tokens, cols, forms_target(NULL)->max_shared_bytes);
	return in;
}

static void *digits_of(const struct check_input *in)
{
	const char *names[CHECK_FORMS_MAX];
	forms_names(names);
	return check_digits(names[0], in);
}

static struct check_weights weights(uint32_t type, uint32_t rows, uint32_t cols)
{
	return check_weights(type, forms_target(NULL)->layouts[type], rows, cols, 0);
}

static double io_bytes(uint32_t tokens, uint32_t cols, uint32_t rows) { return 4.0 * tokens * ((double)cols + rows); }

static void time_digits(uint32_t cols, uint32_t tokens)
{
	struct check_input in = input_of(cols, tokens, 4);
	uint32_t block = forms_target(NULL)->digits_block_bytes;
	void *digits = check_alloc((size_t)tokens * cols / 256 * block);
	struct greta_digits_args args = {.x = in.x, .norm = in.norm, .state = &in.state, .digits = digits, .cols = cols,
	                                 .chunk = tokens, .activations = 4, .eps = 1e-5f};
	char what[64];
	snprintf(what, sizeof(what), "digits %u, %u tokens", cols, tokens);
	speed_of(what, GRETA_KERNEL_digits, &args, (double)tokens * cols * (4 + block / 256.0), 0);
	check_free(digits);
	check_input_free(&in);
}

static void time_product(uint32_t type, uint32_t rows, uint32_t cols, uint32_t tokens, uint32_t activations)
{
	struct check_weights w = weights(type, rows, cols);
	struct check_input in = input_of(cols, tokens, activations);
	void *digits = digits_of(&in);
	float *y = check_alloc((size_t)tokens * rows * 4);
	check_fill(y, (size_t)tokens * rows, 1, 0);
	struct greta_product_args args = {
	    .weights = w.data, .x = digits ? NULL : in.x, .digits = digits, .residual = y, .state = &in.state, .y = y,
	    .rows = rows, .cols = cols, .type = type, .layout = w.layout, .exponent = w.exponent, .activations = activations,
	    .chunk = tokens, .eps = 1e-5f};
	char what[64];
	snprintf(what, sizeof(what), "product %s %u x %u x%u%s, %u", greta_type_info(type)->name, rows, cols,
	         8 * activations, digits ? "" : " from x", tokens);
	speed_of(what, GRETA_KERNEL_product, &args, (double)w.bytes + io_bytes(tokens, cols, rows),
	         (double)rows * cols * tokens);
	check_free(y);
	check_free(digits);
	check_input_free(&in);
	check_weights_free(&w);
}

static void time_lm_head(uint32_t type)
{
	struct check_weights w = weights(type, VOCAB, EMBD);
	struct check_input in = input_of(EMBD, 1, 4);
	float *logits = check_alloc(VOCAB * 4);
	uint64_t *best = check_alloc(VOCAB * 8);
	struct greta_lm_head_args args = {.weights = w.data, .x = in.x, .norm = in.norm, .state = &in.state,
	                                  .logits = logits, .best = best, .rows = VOCAB, .cols = EMBD, .type = type,
	                                  .layout = w.layout, .exponent = w.exponent, .activations = 4, .chunk = 1,
	                                  .eps = 1e-5f};
	char what[64];
	snprintf(what, sizeof(what), "lm_head %s %u x %u x32", greta_type_info(type)->name, VOCAB, EMBD);
	speed_of(what, GRETA_KERNEL_lm_head, &args, (double)w.bytes + io_bytes(1, EMBD, VOCAB), (double)VOCAB * EMBD);
	check_free(best);
	check_free(logits);
	check_input_free(&in);
	check_weights_free(&w);
}

int speed_product(void)
{
	int skip = speed_start();
	if (skip)
		return skip;
	time_digits(EMBD, 1);
	time_digits(FF, 1);
	time_digits(EMBD, PREFILL);
	for (int i = 0; i < CHECK_TYPES; i++)
		time_product(check_types[i], EMBD, EMBD, 1, 4);
	time_product(GRETA_TYPE_Q4_K, EMBD, FF, 1, 4);
	time_product(GRETA_TYPE_Q6_K, EMBD, FF, 1, 4);
	time_lm_head(GRETA_TYPE_Q6_K);
	time_lm_head(GRETA_TYPE_Q4_K);
	for (uint32_t activations = 4; activations >= 2; activations -= 2)
		for (int i = 0; i < CHECK_TYPES; i++)
			if (activations == 4 || check_types[i] == GRETA_TYPE_Q4_K || check_types[i] == GRETA_TYPE_Q6_K)
				time_product(check_types[i], EMBD, EMBD, PREFILL, activations);
	return 0;
}

static void time_qkv(const uint32_t types[3], uint32_t tokens, uint32_t activations)
{
	struct check_weights w[3];
	struct check_input in = input_of(EMBD, tokens, activations);
	struct check_cache cache = {.kv_heads = HEADS, .head_dim = HEAD_DIM, .kv_type = GRETA_KV_F16, .context = CONTEXT};
	void *digits = digits_of(&in);
	void *k = check_alloc(check_cache_bytes(&cache)), *v = check_alloc(check_cache_bytes(&cache));
	float *rope = check_alloc((size_t)tokens * HEAD_DIM * 4), *q = check_alloc((size_t)tokens * EMBD * 4);
	double bytes = io_bytes(tokens, EMBD, 2 * EMBD);
	for (int i = 0; i < 3; i++) {
		w[i] = weights(types[i], EMBD, EMBD);
		bytes += (double)w[i].bytes;
	}
	check_fill(rope, (size_t)tokens * HEAD_DIM, 0.5f, 0);
	struct greta_qkv_args args = {
	    .q_weights = w[0].data, .k_weights = w[1].data, .v_weights = w[2].data, .x = digits ? NULL : in.x,
	    .norm = digits ? NULL : in.norm, .digits = digits, .rope = rope, .state = &in.state, .q = q, .k_cache = k,
	    .v_cache = v, .q_type = types[0], .k_type = types[1], .v_type = types[2], .q_layout = w[0].layout,
	    .k_layout = w[1].layout, .v_layout = w[2].layout, .q_exponent = w[0].exponent, .k_exponent = w[1].exponent,
	    .v_exponent = w[2].exponent, .heads = HEADS, .kv_heads = HEADS, .head_dim = HEAD_DIM, .cols = EMBD,
	    .kv_type = cache.kv_type, .context = CONTEXT, .activations = activations, .chunk = tokens, .eps = 1e-5f};
	char what[64];
	snprintf(what, sizeof(what), "qkv %s %s %s x%u, %u", greta_type_info(types[0])->name,
	         greta_type_info(types[1])->name, greta_type_info(types[2])->name, 8 * activations, tokens);
	speed_of(what, GRETA_KERNEL_qkv, &args, bytes, 3.0 * EMBD * EMBD * tokens);
	check_free(q);
	check_free(rope);
	check_free(v);
	check_free(k);
	check_free(digits);
	check_input_free(&in);
	for (int i = 0; i < 3; i++)
		check_weights_free(&w[i]);
}

static void time_gate_up(const uint32_t types[2], uint32_t tokens, uint32_t activations)
{
	struct check_weights gate = weights(types[0], FF, EMBD), up = weights(types[1], FF, EMBD);
	struct check_input in = input_of(EMBD, tokens, activations);
	void *digits = digits_of(&in);
	float *h = check_alloc((size_t)tokens * FF * 4);
	struct greta_gate_up_args args = {
	    .gate_weights = gate.data, .up_weights = up.data, .x = digits ? NULL : in.x, .norm = digits ? NULL : in.norm,
	    .digits = digits, .state = &in.state, .h = h, .gate_type = types[0], .up_type = types[1],
	    .gate_layout = gate.layout, .up_layout = up.layout, .gate_exponent = gate.exponent, .up_exponent = up.exponent,
	    .rows = FF, .cols = EMBD, .activations = activations, .chunk = tokens, .eps = 1e-5f};
	char what[64];
	snprintf(what, sizeof(what), "gate_up %s %s x%u, %u", greta_type_info(types[0])->name,
	         greta_type_info(types[1])->name, 8 * activations, tokens);
	speed_of(what, GRETA_KERNEL_gate_up, &args, (double)gate.bytes + (double)up.bytes + io_bytes(tokens, EMBD, FF),
	         2.0 * FF * EMBD * tokens);
	check_free(h);
	check_free(digits);
	check_input_free(&in);
	check_weights_free(&gate);
	check_weights_free(&up);
}

int speed_fused(void)
{
	static const uint32_t mixes[][3] = {
	    {GRETA_TYPE_Q4_K, GRETA_TYPE_Q4_K, GRETA_TYPE_Q4_K}, {GRETA_TYPE_Q4_K, GRETA_TYPE_Q4_K, GRETA_TYPE_Q6_K},
	    {GRETA_TYPE_Q6_K, GRETA_TYPE_Q6_K, GRETA_TYPE_Q6_K}, {GRETA_TYPE_Q5_K, GRETA_TYPE_Q5_K, GRETA_TYPE_Q6_K},
	    {GRETA_TYPE_Q8_0, GRETA_TYPE_Q8_0, GRETA_TYPE_Q8_0}, {GRETA_TYPE_F16, GRETA_TYPE_F16, GRETA_TYPE_F16},
	};
	int skip = speed_start();
	if (skip)
		return skip;
	for (uint32_t tokens = 1; tokens <= PREFILL; tokens *= PREFILL)
		for (size_t i = 0; i < sizeof(mixes) / sizeof(mixes[0]); i++) {
			time_qkv(mixes[i], tokens, 4);
			time_gate_up(mixes[i], tokens, 4);
		}
	time_qkv(mixes[0], PREFILL, 2);
	time_gate_up(mixes[0], PREFILL, 2);
	return 0;
}
