/* What product, qkv, gate_up and lm_head are checked on: activations, and weights, as a form wants them. */
#ifndef GRETA_TESTS_PRODUCT_INPUT_H
#define GRETA_TESTS_PRODUCT_INPUT_H

#include "tests/kernels/gpu/forms.h"
#include "tests/kernels/weights.h"

struct check_input {
	uint32_t cols, chunk, tokens, activations;
	int digits; /* 1: made by the digits kernel before; 0: by the product itself */
	float *x, *norm;
	struct greta_state state;
};

/* Random activations for a program of at most `tokens_max` tokens; 1: a decode program. */
struct check_input check_input(uint32_t tokens_max);
void check_input_free(struct check_input *input);

/* The digits that `form` makes of the input, for check_free; NULL where the product makes them. */
void *check_digits(const char *form, const struct check_input *input);

/* The part of a list of weight types that run `run` of a check takes for `count` matrices: each type alone, the mix of
 * Q4_K_M, and any. A GPU has a function for each of these. */
#define CHECK_TYPE_MIXES 8
void check_type_mix(int run, uint32_t count, uint32_t types[]);

/* A random matrix in a layout that the checked forms take. */
struct check_weights check_form_weights(uint32_t type, uint32_t rows, uint32_t cols);

/* The matrix as `form` takes it, and its layout. */
const void *check_form_data(const char *form, const struct check_weights *weights);
uint32_t check_form_layout(const char *form, const struct check_weights *weights);

/* A line about both; static. */
const char *check_describe(const struct check_input *input, const struct check_weights *weights);

#endif
