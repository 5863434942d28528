/* What a code object of AMD's (argument: gfx942, gfx90a, gfx1100 or gfx1201) says of itself: only kernels of the ABI,
 * with its argument structs, within budgets of registers, shared memory, spills and scratch, which stand here. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/abi.h"
#include "kernels/gpu/image.h"
#include "sim942.h"

#define SKIPPED 77

static struct sim942_code *code;

/* A kernel's symbol is greta_<kernel>, or that with the suffix of a form. */
static const struct greta_kernel_info *info_of(const char *name)
{
	const struct greta_kernel_info *found = NULL;
	for (uint32_t k = 0; k < GRETA_KERNEL_COUNT && strncmp(name, "greta_", 6) == 0; k++) {
		const struct greta_kernel_info *info = greta_kernel_info(k);
		size_t length = strlen(info->name);
		if (strncmp(name + 6, info->name, length) == 0 && (name[6 + length] == 0 || name[6 + length] == '_') &&
		    (!found || length > strlen(found->name)))
			found = info;
	}
	return found;
}

static void test_arguments_are_the_abi(void **context)
{
	(void)context;
	assert_true(sim942_kernel_count(code) > 0);
	for (size_t i = 0; i < sim942_kernel_count(code); i++) {
		const struct sim942_kernel *kernel = sim942_kernel_at(code, i);
		const struct greta_kernel_info *info = info_of(kernel->name);
		const struct sim942_arg *args;
		if (!info) {
			fail_msg("%s is no kernel of the ABI", kernel->name);
			return;
		}
		assert_true(sim942_kernel_args(kernel, &args) > 0);
		assert_string_equal(args[0].kind, "by_value");
		assert_int_equal(args[0].offset, 0);
		assert_int_equal(args[0].size, info->args_bytes);
	}
}

/* What the kernels whose names begin with `prefix` may take; the longest prefix counts. A block of 512 threads is two
 * waves a SIMD, which have 256 vector registers each; up to 168 leave room for three waves. Scalar registers that are
 * kept in lanes of vector registers cost no memory. */
static const struct budget {
	const char *prefix;
	uint32_t vgprs, lds, scalar_spills, vector_spills, scratch;
} CDNA_BUDGETS[] = {
    {"greta_embed", 64, 0, 0, 0, 0},
    {"greta_rope_angles", 64, 0, 0, 0, 0},
    {"greta_rope", 32, 0, 0, 0, 0},
    {"greta_kv_write", 32, 0, 0, 0, 0},
    {"greta_rmsnorm", 32, 1024, 0, 0, 0},
    {"greta_silu_mul", 32, 0, 0, 0, 0},
    {"greta_add", 32, 0, 0, 0, 0},
    {"greta_digits", 80, 33792, 0, 0, 0},
    {"greta_attention", 192, 3840, 16, 0, 0},
    {"greta_argmax", 32, 256, 0, 0, 0},
    {"greta_sample", 96, 16896, 0, 0, 0},
    {"greta_advance", 8, 0, 0, 0, 0},
    {"greta_stamp", 16, 0, 0, 0, 0},
    {"greta_product", 192, 1024, 0, 0, 0},
    {"greta_gate_up", 192, 1024, 8, 0, 0},
    {"greta_qkv", 192, 1024, 32, 0, 0},
    {"greta_lm_head", 128, 1280, 0, 0, 0},
#define ANY UINT32_MAX
    /* What no model of one quantisation runs. */
    {"greta_gate_up_mixed", 256, 1024, ANY, ANY, ANY},
    {"greta_qkv_mixed", 256, 1024, ANY, ANY, ANY},
    /* One wave of a SIMD: 512 registers. */
    {"greta_product_prefill", 336, 0, 0, 0, 0},
    {"greta_gate_up_prefill", 336, 0, 16, 0, 0},
    {"greta_qkv_prefill", 336, 0, 32, 0, 0},
    {"greta_attention_prefill", 336, 40960, 32, 0, 0},
    {0},
};

/* A block of 512 threads is four waves a SIMD of the two compute units that it runs on, which has 1,536 registers a
 * lane: two such blocks have 192 each. No wave has more than 256. */
static const struct budget RDNA_BUDGETS[] = {
    {"greta_embed", 64, 0, 0, 0, 0},
    {"greta_rope_angles", 64, 0, 0, 0, 0},
    {"greta_rope", 32, 0, 0, 0, 0},
    {"greta_kv_write", 32, 0, 0, 0, 0},
    {"greta_rmsnorm", 32, 1024, 0, 0, 0},
    {"greta_silu_mul", 32, 0, 0, 0, 0},
    {"greta_add", 32, 0, 0, 0, 0},
    {"greta_digits", 96, 33792, 0, 0, 0},
    {"greta_attention", 128, 3840, 0, 0, 0},
    {"greta_argmax", 32, 256, 0, 0, 0},
    {"greta_sample", 96, 16896, 0, 0, 0},
    {"greta_advance", 8, 0, 0, 0, 0},
    {"greta_stamp", 16, 0, 0, 0, 0},
    {"greta_product", 192, 1024, 0, 0, 0},
    {"greta_gate_up", 192, 1024, 0, 0, 0},
    {"greta_qkv", 192, 1024, 8, 0, 0},
    {"greta_lm_head", 192, 1280, 0, 0, 0},
    {"greta_gate_up_mixed", 192, 1024, ANY, ANY, ANY},
    {"greta_qkv_mixed", 192, 1024, ANY, ANY, ANY},
    {"greta_product_prefill", 256, 0, 0, 0, 0},
    {"greta_gate_up_prefill", 256, 0, 0, 0, 0},
    {"greta_qkv_prefill", 256, 0, 0, 0, 0},
    /* The results so far, outside the loops. */
    {"greta_attention_prefill", 256, 40960, 0, 16, 64},
    {0},
};

static const struct budget *budgets = CDNA_BUDGETS;

static const struct budget *budget_of(const char *name)
{
	const struct budget *found = NULL;
	for (const struct budget *b = budgets; b->prefix; b++)
		if (strncmp(name, b->prefix, strlen(b->prefix)) == 0 &&
		    (!found || strlen(b->prefix) > strlen(found->prefix)))
			found = b;
	return found;
}

static void test_resources_are_within_budgets(void **context)
{
	int beyond = 0;
	(void)context;
	printf("%-28s %5s %5s %5s %6s %7s  spilled: %6s %6s\n", "", "VGPRs", "AGPRs", "SGPRs", "LDS", "scratch",
	       "scalar", "vector");
	for (size_t i = 0; i < sim942_kernel_count(code); i++) {
		const struct sim942_kernel *k = sim942_kernel_at(code, i);
		const struct budget *b = budget_of(k->name);
		if (!b) {
			fail_msg("%s has no budget", k->name);
			return;
		}
		int within = k->vgprs <= b->vgprs && k->lds_bytes <= b->lds && k->sgpr_spills <= b->scalar_spills &&
		             k->vgpr_spills <= b->vector_spills && k->scratch_bytes <= b->scratch;
		printf("%-28s %5u %5u %5u %6u %7u           %6u %6u%s\n", k->name, k->vgprs, k->agprs, k->sgprs,
		       k->lds_bytes, k->scratch_bytes, k->sgpr_spills, k->vgpr_spills,
		       within ? "" : "  BEYOND ITS BUDGET");
		beyond += !within;
	}
	assert_int_equal(beyond, 0);
}

static void test_images_are_found_by_target(void **context)
{
	(void)context;
	for (size_t i = 0; greta_gpu_image_at(i); i++) {
		const struct greta_gpu_image *image = greta_gpu_image_at(i);
		assert_ptr_equal(greta_gpu_image(image->target), image);
		assert_int_equal((uintptr_t)image->data % 4096, 0);
		assert_true(image->size > 0);
	}
	assert_null(greta_gpu_image("gfx000"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_images_are_found_by_target),
	    cmocka_unit_test(test_arguments_are_the_abi),
	    cmocka_unit_test(test_resources_are_within_budgets),
	};
	const char *target = argc > 1 ? argv[1] : "gfx942";
	const struct greta_gpu_image *image = greta_gpu_image(target);
	char why[1024];
	if (!image) {
		printf("skipped: this build has no kernels for %s\n", target);
		return SKIPPED;
	}
	if (sim942_load(image->data, image->size, &code, why, sizeof(why))) {
		printf("skipped: %s\n", why);
		return SKIPPED;
	}
	if (strncmp(target, "gfx1", 4) == 0)
		budgets = RDNA_BUDGETS;
	int failed = cmocka_run_group_tests_name("code object", tests, NULL, NULL);
	sim942_unload(code);
	return failed;
}
