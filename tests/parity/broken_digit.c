#include "kernels/kv.h"
#include "kernels/numbers.h"
#include "kernels/ref/dequant.h"
#include "kernels/ref/kernels.h"
#include "kernels/ref/kv_element.h"
#include "kernels/ref/vector.h"
#include "tests/parity/broken.h"

void broken_digit_product(const struct greta_cpu_block *block, const void *args);
void broken_digit_qkv(const struct greta_cpu_block *block, const void *args);
void broken_digit_gate_up(const struct greta_cpu_block *block, const void *args);
void broken_digit_lm_head(const struct greta_cpu_block *block, const void *args);
void broken_digit_digits(const struct greta_cpu_block *block, const void *args);

/* The lowest balanced digit is the signed low byte. */
static void drop(struct greta_ref_digits_block *block)
{
	for (int i = 0; i < 256; i++)
		block->x[i] -= (int8_t)(block->x[i] & 0xff);
}

static float row_without(uint32_t type, uint32_t layout, const void *weights, uint32_t cols, uint32_t row, int exponent,
			 const struct greta_ref_digits_block *vector, int digits)
{
	static _Thread_local struct greta_ref_digits_block copy[8];
	if (cols <= 256 || cols > 2048)
		return greta_ref_row(type, layout, weights, cols, row, exponent, vector, digits);
	memcpy(copy, vector, cols / 256 * sizeof(copy[0]));
	for (uint32_t b = 0; b < cols / 256; b++)
		drop(&copy[b]);
	return greta_ref_row(type, layout, weights, cols, row, exponent, copy, digits);
}

void broken_digit_digits(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_digits_args *a = args;
	greta_ref_digits(block, args);
	struct greta_ref_digits_block *made =
	    (struct greta_ref_digits_block *)a->digits + (size_t)block->x * (a->cols / 256);
	for (uint32_t b = 0; block->x < greta_step_tokens(a->state, a->chunk) && b < a->cols / 256; b++)
		drop(&made[b]);
}

/* Right but for the launch of its own. */
static const struct greta_cpu_function LAUNCH[] = {
#define greta_ref_digits broken_digit_digits
#define X(name) {#name, greta_ref_##name},
	GRETA_KERNELS(X)
#undef X
#undef greta_ref_digits
};

#define greta_ref_product broken_digit_product
#define greta_ref_qkv broken_digit_qkv
#define greta_ref_gate_up broken_digit_gate_up
#define greta_ref_lm_head broken_digit_lm_head
#define greta_ref_row row_without
/* NOLINTNEXTLINE(bugprone-suspicious-include): the reference's own source, with one step of it replaced */
#include "kernels/ref/product.c"

static const struct greta_cpu_function FUNCTIONS[] = {
#define X(name) {#name, greta_ref_##name},
	GRETA_KERNELS(X)
#undef X
};

const struct greta_cpu_module broken_digit = {GRETA_CPU_MODULE_MAGIC, "a digit dropped",
					      sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]), FUNCTIONS};
const struct greta_cpu_module broken_digits_launch = {GRETA_CPU_MODULE_MAGIC, "a digit not made",
						      sizeof(LAUNCH) / sizeof(LAUNCH[0]), LAUNCH};
