#include "kernels/kv.h"
#include "kernels/numbers.h"
#include "kernels/ref/kernels.h"
#include "kernels/ref/kv_element.h"
#include "kernels/ref/vector.h"
#include "kernels/rows16.h"
#include "tests/parity/broken.h"

#include <stdlib.h>

void broken_scale_product(const struct greta_cpu_block *block, const void *args);
void broken_scale_qkv(const struct greta_cpu_block *block, const void *args);
void broken_scale_gate_up(const struct greta_cpu_block *block, const void *args);
void broken_scale_lm_head(const struct greta_cpu_block *block, const void *args);

/* The upper bits of scale 5 are the topmost of byte 1 of the twelve that follow d and dmin. */
static float wrong_row(uint32_t type, uint32_t layout, const void *weights, uint32_t cols, uint32_t row, int exponent,
		       const struct greta_ref_digits_block *vector, int digits)
{
	size_t bytes = greta_rows16_group_bytes(type, cols);
	uint32_t *group = type == GRETA_TYPE_Q4_K && layout == GRETA_LAYOUT_ROWS16 ? malloc(bytes) : NULL;
	if (!group)
		return greta_ref_row(type, layout, weights, cols, row, exponent, vector, digits);
	memcpy(group, (const uint8_t *)weights + row / 16 * bytes, bytes);
	group[1 * 16 + row % 16] &= ~(UINT32_C(0xc0) << 8);
	float y = greta_ref_row(type, layout, group, cols, row % 16, exponent, vector, digits);
	free(group);
	return y;
}

#define greta_ref_product broken_scale_product
#define greta_ref_qkv broken_scale_qkv
#define greta_ref_gate_up broken_scale_gate_up
#define greta_ref_lm_head broken_scale_lm_head
#define greta_ref_row wrong_row
/* NOLINTNEXTLINE(bugprone-suspicious-include): the reference's own source, with one step of it replaced */
#include "kernels/ref/product.c"

static const struct greta_cpu_function FUNCTIONS[] = {
#define X(name) {#name, greta_ref_##name},
	GRETA_KERNELS(X)
#undef X
};

const struct greta_cpu_module broken_scale = {GRETA_CPU_MODULE_MAGIC, "wrong scale",
					      sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]), FUNCTIONS};
