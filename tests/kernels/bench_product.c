#include "tests/kernels/bench_product.h"

#include <stdio.h>
#include <string.h>

#include "tests/kernels/product_input.h"
#include "tests/kernels/speed_product.h"

static void bench_one(const char *form, const struct check_weights *w, uint32_t tokens, uint32_t activations)
{
	struct check_input in = {.cols = w->cols, .chunk = tokens, .tokens = tokens, .activations = activations,
	                         .digits = tokens > 1, .state = check_state(0, tokens, 4096)};
	in.x = check_alloc((size_t)tokens * w->cols * 4);
	check_fill(in.x, (size_t)tokens * w->cols, 1, 0);
	void *digits = check_digits(form, &in);
	float *y = check_alloc((size_t)tokens * w->rows * 4);
	struct greta_product_args args = {
	    .weights = w->data, .x = in.x, .digits = digits, .state = &in.state, .y = y, .rows = w->rows, .cols = w->cols,
	    .type = w->type, .layout = w->layout, .exponent = w->exponent, .activations = activations, .chunk = tokens,
	    .rows_per_block = 64};
	size_t shared = GRETA_CPU_WORK_BYTES + (digits ? 0 : greta_target_self_digits_bytes(forms_target(form), w->cols));
	double seconds = check_time(check_kernel(form, GRETA_KERNEL_product), (w->rows + 63) / 64, 1, shared, &args);
	printf("%-9s %-5s %-6s x%-3u %4u tokens %8.2f ms %7.2f GB/s %8.2f GMAC/s\n", form,
	       greta_type_info(w->type)->name, w->layout == GRETA_LAYOUT_RAW ? "raw" : "rows16", 8 * activations,
	       tokens, seconds * 1e3, (double)w->bytes / seconds * 1e-9,
	       (double)w->rows * w->cols * tokens / seconds * 1e-9);
	check_free(y);
	check_free(digits);
	check_free(in.x);
}

int bench_product(void)
{
	static const uint32_t types[] = {GRETA_TYPE_Q4_K, GRETA_TYPE_Q6_K, GRETA_TYPE_Q5_K,
	                                 GRETA_TYPE_Q8_0, GRETA_TYPE_Q4_0, GRETA_TYPE_F16};
	const char *forms[CHECK_FORMS_MAX];
	size_t count = check_forms(forms);
	if (forms_runner())
		return speed_product();
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct check_weights w = check_weights(types[i], GRETA_LAYOUT_ROWS16, 5632, 2048, 0);
		for (size_t f = 0; f < count; f++)
			for (uint32_t tokens = 1; tokens <= 64; tokens *= 64)
				for (uint32_t activations = 4; activations > 0; activations -= i < 2 ? 1 : 4)
					if (tokens == 1 || strcmp(forms[f], "portable") != 0)
						bench_one(forms[f], &w, tokens, activations);
		check_weights_free(&w);
	}
	return 0;
}
