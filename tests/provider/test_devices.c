/* The list of providers and devices, over fake libraries. */
#include "runtime/devices.h"
#include "tests/provider/fake_amd.h"
#include "tests/provider/fake_cuda.h"
#include "tests/provider/fixture.h"

#include <dlfcn.h>
#include <string.h>

static void ask(struct greta_provider_info *info, const char *name, const char *library)
{
	struct greta_hip_options options = { .threads = 2, .library = library };
	struct greta_error error;
	if (greta_provider_info_init(info, name, &options, &error))
		fail_msg("%s", error.message);
	assert_string_equal(info->provider, name);
}

static void the_cpu_is_always_there(void **state)
{
	(void)state;
	struct greta_provider_info info;
	ask(&info, "cpu", NULL);
	assert_int_equal(info.error.status, GRETA_OK);
	assert_string_equal(info.driver, "6.0.0");
	assert_int_equal(info.device_count, 1);
	assert_int_equal(info.devices[0].error.status, GRETA_OK);
	assert_string_equal(info.devices[0].architecture, "cpu");
	assert_int_equal(info.devices[0].compute_units, 2);
	assert_true(info.devices[0].free_bytes > 0 && info.devices[0].free_bytes <= info.devices[0].total_bytes);
	greta_provider_info_finish(&info);
	greta_provider_info_finish(&info);
}

static void a_provider_that_is_not_there_says_why(void **state)
{
	(void)state;
	static const char *const names[] = { "amd", "nvidia" };
	struct greta_provider_info info;
	struct greta_error error;
	for (size_t i = 0; i < 2; i++) {
		ask(&info, names[i], "/nowhere/library.so");
		assert_int_equal(info.error.status, GRETA_ERROR_DEVICE);
		assert_non_null(strstr(info.error.message, "/nowhere/library.so"));
		assert_int_equal(info.device_count, 0);
		greta_provider_info_finish(&info);
	}
	assert_int_equal(greta_provider_info_init(&info, "abacus", NULL, &error), GRETA_ERROR_ARGUMENT);
	assert_int_equal(greta_provider_info_init(&info, NULL, NULL, &error), GRETA_ERROR_ARGUMENT);
}

static void each_device_of_a_driver_is_listed(void **state)
{
	(void)state;
	void *library = dlopen(FAKE_CUDA, RTLD_NOW | RTLD_LOCAL);
	struct fake_cuda *fake = library ? dlsym(library, "fake_cuda") : NULL;
	if (!fake) {
		fail();
		return;
	}
	struct greta_provider_info info;
	ask(&info, "nvidia", FAKE_CUDA);
	assert_string_equal(info.driver, "12.4");
	assert_int_equal(info.device_count, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(info.devices[i].error.status, GRETA_OK);
		assert_string_equal(info.devices[i].name, "Fake GPU");
		assert_string_equal(info.devices[i].architecture, "sm_90");
		assert_int_equal(info.devices[i].compute_units, FAKE_ATTRIBUTE(i, GRETA_CUDA_MULTIPROCESSOR_COUNT));
		assert_int_equal(info.devices[i].total_bytes, 4);
	}
	assert_int_equal(fake->released, fake->retained); /* nothing is left open */
	greta_provider_info_finish(&info);
	fake->failing = "cuMemGetInfo_v2";
	fake->result = 46;
	ask(&info, "nvidia", FAKE_CUDA);
	assert_int_equal(info.error.status, GRETA_OK); /* one that does not answer hides
							* neither itself nor the others */
	assert_int_equal(info.device_count, 2);
	assert_int_equal(info.devices[1].error.status, GRETA_ERROR_DEVICE);
	assert_non_null(strstr(info.devices[1].error.message, "hipMemGetInfo of device 1"));
	greta_provider_info_finish(&info);
	dlclose(library);
}

static void hip_versions_are_written_as_hip_means_them(void **state)
{
	(void)state;
	void *library = dlopen(FAKE_AMD, RTLD_NOW | RTLD_LOCAL);
	struct fake_amd *fake = library ? dlsym(library, "fake_amd") : NULL;
	if (!fake) {
		fail();
		return;
	}
	struct greta_provider_info info;
	struct greta_hip *cpu;
	assert_int_equal(greta_hip_load("cpu", NULL, &cpu, NULL), GRETA_OK);
	fake->inner = cpu;
	strcpy(fake->architecture, "gfx90a:sramecc+");
	ask(&info, "amd", FAKE_AMD);
	assert_int_equal(info.error.status, GRETA_OK);
	assert_string_equal(info.runtime, "6.0.0");
	assert_string_equal(info.devices[0].architecture, "gfx90a");
	greta_provider_info_finish(&info);
	greta_hip_unload(cpu);
	dlclose(library);
}

/* Whatever this machine has: `auto` is the first that can be loaded by name. */
static void auto_takes_the_first_that_answers(void **state)
{
	(void)state;
	struct greta_hip *named = NULL, *automatic;
	for (size_t i = 0; !named; i++) {
		assert_non_null(greta_hip_provider_name(i));
		greta_hip_load(greta_hip_provider_name(i), NULL, &named, NULL);
	}
	assert_int_equal(greta_hip_load("auto", NULL, &automatic, NULL), GRETA_OK);
	assert_string_equal(automatic->provider, named->provider);
	greta_hip_unload(automatic);
	greta_hip_unload(named);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cpu_is_always_there),
		cmocka_unit_test(a_provider_that_is_not_there_says_why),
		cmocka_unit_test(each_device_of_a_driver_is_listed),
		cmocka_unit_test(hip_versions_are_written_as_hip_means_them),
		cmocka_unit_test(auto_takes_the_first_that_answers),
	};
	return cmocka_run_group_tests_name("devices", tests, NULL, NULL);
}
