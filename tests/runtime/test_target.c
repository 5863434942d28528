/* Which provider and which kernels a session takes, on a machine with or without a GPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/gpu/image.h"
#include "runtime/target.h"

#include <string.h>

static struct greta_error error;

static enum greta_status open_for(const char *provider, const char *kernels, const char *target, char out_target[16])
{
	struct greta_options options = {.provider = provider, .kernels = kernels, .threads = 1};
	struct greta_target_device device = {.hip = NULL};
	enum greta_status status = greta_target_device_open(&options, target, "some.plan", &device, &error);
	if (status == GRETA_OK)
		memcpy(out_target, device.target, sizeof(device.target));
	greta_hip_unload(device.hip);
	return status;
}

/* Whether the provider has a device here. */
static bool there(const char *provider)
{
	struct greta_hip *hip = NULL;
	enum greta_status status = greta_hip_load(provider, NULL, &hip, &error);
	greta_hip_unload(hip);
	return status == GRETA_OK;
}

static void the_cpu_serves_where_no_gpu_does(void **state)
{
	char target[16] = "";
	(void)state;
	if (there("amd") || there("nvidia"))
		skip();
	assert_int_equal(open_for(NULL, NULL, NULL, target), GRETA_OK);
	assert_string_equal(target, "cpu");
	assert_int_equal(open_for("auto", NULL, "cpu", target), GRETA_OK);
	assert_string_equal(target, "cpu");
}

static void the_device_that_auto_takes_has_kernels_in_this_build(void **state)
{
	char target[16] = "";
	(void)state;
	assert_int_equal(open_for("auto", NULL, NULL, target), GRETA_OK);
	assert_true(!strcmp(target, "cpu") || greta_gpu_image(target));
}

static void a_form_of_the_cpu_means_the_cpu(void **state)
{
	char target[16] = "";
	(void)state;
	assert_int_equal(open_for(NULL, "ref", NULL, target), GRETA_OK);
	assert_string_equal(target, "cpu");
	assert_int_equal(open_for(NULL, "abacus", NULL, target), GRETA_ERROR_ARGUMENT);
	assert_non_null(strstr(error.message, "abacus"));
}

static void a_plan_wants_its_device(void **state)
{
	char target[16] = "";
	(void)state;
	assert_int_equal(open_for(NULL, NULL, "cpu", target), GRETA_OK);
	assert_string_equal(target, "cpu");
	assert_int_equal(open_for("cpu", NULL, "gfx942", target), GRETA_ERROR_MISMATCH);
	assert_non_null(strstr(error.message, "some.plan"));
	assert_non_null(strstr(error.message, "gfx942"));
	assert_non_null(strstr(error.message, "--target cpu"));
	assert_int_equal(open_for("auto", NULL, "gfx000", target), GRETA_ERROR_MISMATCH);
	assert_non_null(strstr(error.message, "gfx000"));
	assert_non_null(strstr(error.message, "no device here"));
}

static void what_is_not_there_is_said(void **state)
{
	char target[16] = "";
	(void)state;
	assert_int_equal(open_for("abacus", NULL, NULL, target), GRETA_ERROR_ARGUMENT);
	assert_non_null(strstr(error.message, "abacus"));
	if (!there("amd")) {
		assert_int_equal(open_for("amd", NULL, NULL, target), GRETA_ERROR_DEVICE);
		assert_non_null(strstr(error.message, "libamdhip64"));
	}
	if (!there("nvidia")) {
		assert_int_equal(open_for("nvidia", NULL, NULL, target), GRETA_ERROR_DEVICE);
		assert_non_null(strstr(error.message, "libcuda"));
	}
}

static void kernels_that_this_build_lacks_are_named_with_the_remedy(void **state)
{
	const void *image = NULL;
	const char *form = NULL;
	(void)state;
	assert_int_equal(greta_target_image("gfx000", NULL, &image, &form, &error), GRETA_ERROR_MISMATCH);
	assert_non_null(strstr(error.message, "-Dgpu_targets=gfx000"));
	assert_int_equal(greta_target_image("gfx942", "ref", &image, &form, &error), GRETA_ERROR_ARGUMENT);
	assert_null(image);
	assert_int_equal(greta_target_image("cpu", "ref", &image, &form, &error), GRETA_OK);
	assert_string_equal(form, "ref");
	if (greta_gpu_image("gfx942")) {
		assert_int_equal(greta_target_image("gfx942", "auto", &image, &form, &error), GRETA_OK);
		assert_ptr_equal(image, greta_gpu_image("gfx942")->data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cpu_serves_where_no_gpu_does),
		cmocka_unit_test(the_device_that_auto_takes_has_kernels_in_this_build),
		cmocka_unit_test(a_form_of_the_cpu_means_the_cpu),
		cmocka_unit_test(a_plan_wants_its_device),
		cmocka_unit_test(what_is_not_there_is_said),
		cmocka_unit_test(kernels_that_this_build_lacks_are_named_with_the_remedy),
	};
	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
