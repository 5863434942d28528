#include "tests/kernels/product_input.h"

#include <stdio.h>
#include <string.h>

#include "kernels/numbers.h"

/* A GPU's programs of many tokens have a node that makes the digits. */
static int random_digits(uint32_t chunk)
{
	return (forms_on_gpu() && chunk > forms_target(NULL)->self_digits_tokens) || check_below(2);
}

struct check_input check_input(uint32_t tokens_max)
{
	struct check_input in = {.chunk = check_between(1, tokens_max), .activations = check_between(1, 4)};
	/* A block may have to make all of a token's digits in its shared memory, which below 64 KiB has no rings of tiles;
	 * where it can, in more rounds than it keeps values of. */
	uint32_t shared = forms_target(NULL)->max_shared_bytes >> 10, most = shared < 64 ? 36 : shared < 128 ? 20 : 52;
	in.cols = 256 * (check_below(8) ? check_between(1, 6) : check_between(7, most));
	in.tokens = check_between(1, in.chunk);
	in.state = check_state(check_below(200), in.tokens, 256);
	in.tokens = greta_step_tokens(&in.state, in.chunk);
	in.digits = random_digits(in.chunk);
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

void check_input_free(struct check_input *in)
{
	check_free(in->x);
	check_free(in->norm);
}

void *check_digits(const char *form, const struct check_input *in)
{
	if (!in->digits)
		return NULL;
	void *digits = check_alloc((size_t)in->chunk * in->cols / 256 * forms_target(form)->digits_block_bytes);
	struct greta_digits_args args = {.x = in->x, .norm = in->norm, .state = &in->state, .digits = digits,
	                                 .cols = in->cols, .chunk = in->chunk, .activations = in->activations,
	                                 .eps = 1e-5f};
	forms_run(form, GRETA_KERNEL_digits, &args);
	return digits;
}

void check_type_mix(int run, uint32_t count, uint32_t types[])
{
	static const uint32_t alone[] = {GRETA_TYPE_Q4_K, GRETA_TYPE_Q6_K, GRETA_TYPE_Q5_K, GRETA_TYPE_Q8_0, GRETA_TYPE_Q4_0};
	static const uint32_t floats[] = {GRETA_TYPE_F32, GRETA_TYPE_F16, GRETA_TYPE_BF16};
	uint32_t mix = (uint32_t)run % CHECK_TYPE_MIXES;
	for (uint32_t i = 0; i < count; i++)
		types[i] = mix < 5    ? alone[mix]
		           : mix == 5 ? floats[check_below(3)]
		           : mix == 6 ? alone[(i + (uint32_t)run / CHECK_TYPE_MIXES) % 2]
		                      : check_types[check_below(CHECK_TYPES)];
	if (mix == 7) /* whatever the others are, not one function's types alone */
		types[0] = types[1] == GRETA_TYPE_Q8_0 ? GRETA_TYPE_Q4_0 : GRETA_TYPE_Q8_0;
}

struct check_weights check_form_weights(uint32_t type, uint32_t rows, uint32_t cols)
{
	uint32_t layout = forms_on_gpu() ? forms_target(NULL)->layouts[type]
	                  : check_below(3) ? GRETA_LAYOUT_ROWS16
	                                   : GRETA_LAYOUT_RAW;
	return check_weights(type, layout, rows, cols, check_below(3) == 0);
}

/* The reference reads GGUF's order, and the processor's layout. */
uint32_t check_form_layout(const char *form, const struct check_weights *w)
{
	return strcmp(form, "ref") == 0 && w->layout == GRETA_LAYOUT_TILE16 ? GRETA_LAYOUT_RAW : w->layout;
}

const void *check_form_data(const char *form, const struct check_weights *w)
{
	return check_form_layout(form, w) == GRETA_LAYOUT_RAW ? w->raw : w->data;
}

const char *check_describe(const struct check_input *in, const struct check_weights *w)
{
	static const char *const layouts[] = {"raw", "rows16", "tile16"};
	static char text[200];
	snprintf(text, sizeof(text), "%s %s %u x %u, x%u, %u of %u tokens%s%s", greta_type_info(w->type)->name,
	         layouts[w->layout], w->rows, w->cols, 8 * in->activations, in->tokens, in->chunk,
	         in->norm ? ", norm" : "", in->digits ? ", digits" : "");
	return text;
}
