/* What the gfx942 code object says of itself: only kernels of the ABI, with its argument structs, without spills or
 * scratch. */
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

/* Of what a decode step runs; the forms for many tokens are bound by arithmetic. A scalar register that is kept in a
 * lane of a vector register costs no memory, and is only told. */
static void test_no_spills_no_scratch(void **context)
{
	(void)context;
	for (size_t i = 0; i < sim942_kernel_count(code); i++) {
		const struct sim942_kernel *kernel = sim942_kernel_at(code, i);
		if (strstr(kernel->name, "_prefill") || strstr(kernel->name, "_mixed"))
			continue;
		if (kernel->scratch_bytes || kernel->vgpr_spills)
			fail_msg("%s: %u bytes of scratch a lane, %u VGPRs spilled", kernel->name, kernel->scratch_bytes,
			         kernel->vgpr_spills);
		printf("%-24s %3u VGPRs %3u AGPRs %3u SGPRs (%u in lanes) %6u bytes of LDS\n", kernel->name, kernel->vgprs,
		       kernel->agprs, kernel->sgprs, kernel->sgpr_spills, kernel->lds_bytes);
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_images_are_found_by_target),
	    cmocka_unit_test(test_arguments_are_the_abi),
	    cmocka_unit_test(test_no_spills_no_scratch),
	};
	const struct greta_gpu_image *image = greta_gpu_image("gfx942");
	char why[1024];
	if (!image) {
		printf("skipped: this build has no kernels for gfx942\n");
		return SKIPPED;
	}
	if (sim942_load(image->data, image->size, &code, why, sizeof(why))) {
		printf("skipped: %s\n", why);
		return SKIPPED;
	}
	int failed = cmocka_run_group_tests_name("gfx942 code object", tests, NULL, NULL);
	sim942_unload(code);
	return failed;
}
