/* Which provider and which kernels a session takes, on a machine with or without a GPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/gpu/image.h"
#include "runtime/target.h"

#include <stdio.h>
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

static const char *architecture_name;

static hipError_t architecture(int device, char out_name[GRETA_HIP_ARCHITECTURE_MAX])
{
	(void)device;
	snprintf(out_name, GRETA_HIP_ARCHITECTURE_MAX, "%s", architecture_name);
	return hipSuccess;
}

/* The target for a device of that name of the provider's, whose other answers are the cpu's. */
static const char *target_of(const struct greta_hip *cpu, const char *provider, const char *name)
{
	static char target[GRETA_HIP_ARCHITECTURE_MAX];
	struct greta_hip device = *cpu;
	device.provider = provider;
	device.architecture = architecture;
	architecture_name = name;
	assert_int_equal(greta_target_of(&device, target, &error), GRETA_OK);
	return target;
}

static void a_device_gets_its_own_kernels_else_text_else_what_to_build(void **state)
{
	static const char *const own[] = {"sm_80", "sm_89", "sm_90"};
	struct greta_hip *cpu;
	(void)state;
	assert_int_equal(greta_hip_load("cpu", NULL, &cpu, &error), GRETA_OK);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		assert_string_equal(target_of(cpu, "nvidia", own[i]),
				    !greta_gpu_image(own[i]) && greta_gpu_image("compute_80") ? "compute_80" : own[i]);
	assert_string_equal(target_of(cpu, "nvidia", "sm_86"), "compute_80");
	assert_string_equal(target_of(cpu, "nvidia", "sm_120"), "compute_80");
	assert_string_equal(target_of(cpu, "nvidia", "sm_75"), "sm_75"); /* nothing here is for it */
	assert_string_equal(target_of(cpu, "amd", "gfx942"), "gfx942");
	assert_string_equal(target_of(cpu, "cpu", "cpu"), "cpu");
	greta_hip_unload(cpu);
}

static void a_plan_fits_devices_that_take_its_target(void **state)
{
	struct greta_hip *cpu, device;
	(void)state;
	assert_int_equal(greta_hip_load("cpu", NULL, &cpu, &error), GRETA_OK);
	device = *cpu;
	device.provider = "nvidia";
	device.architecture = architecture;
	architecture_name = "sm_86";
	assert_int_equal(greta_target_match(&device, "compute_80", "some.plan", &error), GRETA_OK);
	assert_int_equal(greta_target_match(&device, "sm_80", "some.plan", &error), GRETA_ERROR_MISMATCH);
	assert_non_null(strstr(error.message, "--target compute_80"));
	architecture_name = "sm_75";
	assert_int_equal(greta_target_match(&device, "compute_80", "some.plan", &error), GRETA_ERROR_MISMATCH);
	greta_hip_unload(cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cpu_serves_where_no_gpu_does),
		cmocka_unit_test(the_device_that_auto_takes_has_kernels_in_this_build),
		cmocka_unit_test(a_form_of_the_cpu_means_the_cpu),
		cmocka_unit_test(a_plan_wants_its_device),
		cmocka_unit_test(what_is_not_there_is_said),
		cmocka_unit_test(a_device_gets_its_own_kernels_else_text_else_what_to_build),
		cmocka_unit_test(a_plan_fits_devices_that_take_its_target),
		cmocka_unit_test(kernels_that_this_build_lacks_are_named_with_the_remedy),
	};
	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
