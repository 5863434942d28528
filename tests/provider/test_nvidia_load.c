/* Loading the nvidia provider: which drivers serve, what is said of those that do not,
 * and whose context a call runs in. */
#include "tests/provider/cuda_fixture.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static void refused(struct greta_hip_options options, enum greta_status status, const char *first, const char *second)
{
	struct greta_hip *hip = NULL;
	struct greta_error error;
	assert_int_equal(greta_hip_load("nvidia", &options, &hip, &error), status);
	assert_null(hip);
	if (!strstr(error.message, first) || !strstr(error.message, second))
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", error.message, first, second);
}

static void what_was_tried_is_said(void **state)
{
	(void)state;
	struct greta_hip *hip;
	struct greta_error error;
	refused((struct greta_hip_options){ .library = "/nowhere/libcuda.so" }, GRETA_ERROR_DEVICE,
	    "tried /nowhere/libcuda.so", "No such file");
	refused((struct greta_hip_options){ .library = FAKE_AMD }, GRETA_ERROR_DEVICE, "has no cuInit", FAKE_AMD);
	if (greta_hip_load("nvidia", NULL, &hip, &error) == GRETA_OK) {
		greta_hip_unload(hip);
		skip(); /* there is a real one */
	}
	if (strstr(error.message, "cannot be opened"))
		assert_non_null(strstr(error.message, "tried libcuda.so.1, libcuda.so ("));
}

static void old_drivers_and_empty_machines_are_refused(void **state)
{
	(void)state;
	struct fake fake;
	struct greta_hip_options options = { .library = FAKE_CUDA };
	fake_open(&fake, FAKE_CUDA);
	fake.state->version = 11030;
	refused(options, GRETA_ERROR_DEVICE, "CUDA 11.3", "11.4 is the oldest that serves: install a newer one");
	fake.state->version = 11040;
	fake.state->devices = 0;
	refused(options, GRETA_ERROR_DEVICE, "finds no GPU: take the provider cpu", FAKE_CUDA);
	fake.state->devices = 1;
	fake.state->failing = "cuInit";
	fake.state->result = 34;
	refused(options, GRETA_ERROR_DEVICE, "library for linking", FAKE_CUDA);
	fake.state->result = 715;
	refused(options, GRETA_ERROR_DEVICE, "CUDA_ERROR_ILLEGAL_INSTRUCTION", "cuInit");
	fake.state->failing = NULL;
	dlclose(fake.library);
	refused((struct greta_hip_options){ .library = FAKE_CUDA_11, .overlap = true }, GRETA_ERROR_DEVICE,
	    "cuLaunchKernelEx", "overlap");
}

static void drivers_without_the_later_calls_serve(void **state)
{
	(void)state;
	struct fake fake;
	hipFunction_t function;
	fake_init(&fake, FAKE_CUDA_11, false);
	assert_hip(fake.hip->hipModuleGetFunction(&function, HANDLE(hipModule_t), "name"));
	assert_ptr_equal(function, HANDLE(hipFunction_t));
	fake_finish(&fake);
}

static void loads_share_one_driver_and_the_last_closes_it(void **state)
{
	(void)state;
	struct fake fake;
	struct greta_hip *second;
	struct greta_hip_options options = { .library = FAKE_CUDA };
	fake_init(&fake, FAKE_CUDA, false);
	struct greta_hip copy = *fake.hip;
	assert_int_equal(greta_hip_load("nvidia", &options, &second, NULL), GRETA_OK);
	options.overlap = true;
	refused(options, GRETA_ERROR_ARGUMENT, "overlap off", FAKE_CUDA);
	options = (struct greta_hip_options){ .library = FAKE_CUDA_11 };
	refused(options, GRETA_ERROR_ARGUMENT, "loaded from", FAKE_CUDA);
	greta_hip_unload(second);
	assert_int_equal(fake.state->retained, 0); /* nobody has needed a context */
	assert_hip(copy.hipDeviceSynchronize());
	assert_int_equal(fake.state->retained, 1);
	unsigned synchronized = fake.state->synchronized;
	greta_hip_unload(fake.hip);
	assert_int_equal(fake.state->released, 1);
	assert_int_equal(fake.state->synchronized, synchronized + 1);
	void *address;
	assert_int_equal(copy.hipMalloc(&address, 8), hipErrorNotInitialized);
	assert_int_equal(copy.hipGetLastError(), hipErrorNotInitialized);
	assert_int_equal(copy.hipSetDevice(0), hipErrorNotInitialized);
	dlclose(fake.library);
	fake_init(&fake, FAKE_CUDA, false);
	assert_int_equal(fake.hip->hipGetLastError(), hipSuccess); /* errors of an earlier loading are forgotten */
	assert_string_equal(fake.hip->detail(), "");
	assert_hip(fake.hip->hipDeviceSynchronize());
	assert_int_equal(fake.state->set_current, 1);
	fake_finish(&fake);
}

static void *synchronize(void *argument)
{
	const struct greta_hip *hip = argument;
	hipError_t first = hip->hipDeviceSynchronize(), second = hip->hipDeviceSynchronize();
	return first || second ? argument : NULL;
}

static void each_thread_gets_its_devices_context_once(void **state)
{
	(void)state;
	struct fake fake;
	pthread_t thread;
	void *failed;
	fake_init(&fake, FAKE_CUDA, false);
	assert_hip(fake.hip->hipDeviceSynchronize());
	assert_hip(fake.hip->hipDeviceSynchronize());
	assert_int_equal(fake.state->set_current, 1);
	assert_int_equal(pthread_create(&thread, NULL, synchronize, fake.hip), 0);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_int_equal(fake.state->set_current, 2);
	assert_int_equal(fake.state->retained, 1);
	assert_hip(fake.hip->hipSetDevice(0)); /* no change */
	assert_hip(fake.hip->hipDeviceSynchronize());
	assert_int_equal(fake.state->set_current, 2);
	assert_hip(fake.hip->hipSetDevice(1));
	assert_int_equal(fake.state->retained, 1);
	fake.state->failing = "cuDevicePrimaryCtxRetain";
	fake.state->result = 2;
	assert_int_equal(fake.hip->hipDeviceSynchronize(), hipErrorOutOfMemory);
	CALLED(&fake, "cuDevicePrimaryCtxRetain", 1, 101);
	fake.state->failing = NULL;
	fake.state->failing = "cuCtxSynchronize"; /* the next call in line sees the new context */
	fake.state->result = 715;
	assert_int_equal(fake.hip->hipDeviceSynchronize(), 715);
	assert_int_equal(fake.state->set_current, 3);
	fake.state->failing = NULL;
	assert_int_equal(fake.hip->hipSetDevice(2), hipErrorInvalidDevice);
	assert_int_equal(fake.hip->hipSetDevice(-1), hipErrorInvalidDevice);
	fake_finish(&fake);
}

static void text_runs_on_what_is_not_older(void **state)
{
	static const struct {
		const char *architecture, *target;
		bool takes;
	} pairs[] = {
		{ "sm_80", "sm_80", true }, { "sm_80", "compute_80", true }, { "sm_90", "compute_80", true },
		{ "sm_120", "compute_80", true }, { "sm_120", "compute_90", true }, { "sm_75", "compute_80", false },
		{ "sm_90", "compute_100", false }, { "sm_86", "sm_80", false }, { "sm_90", "compute_90a", false },
		{ "sm_90", "compute_", false }, { "sm_90", "compute_+80", false }, { "gfx942", "compute_80", false },
		{ "sm_90", "gfx942", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (greta_hip_takes("nvidia", pairs[i].architecture, pairs[i].target) != pairs[i].takes)
			fail_msg("%s on %s", pairs[i].target, pairs[i].architecture);
	assert_true(greta_hip_takes("amd", "gfx942", "gfx942"));
	assert_false(greta_hip_takes("amd", "sm_90", "compute_80"));
	assert_false(greta_hip_takes("abacus", "sm_90", "compute_80"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_tried_is_said),
		cmocka_unit_test(old_drivers_and_empty_machines_are_refused),
		cmocka_unit_test(drivers_without_the_later_calls_serve),
		cmocka_unit_test(loads_share_one_driver_and_the_last_closes_it),
		cmocka_unit_test(each_thread_gets_its_devices_context_once),
		cmocka_unit_test(text_runs_on_what_is_not_older),
	};
	return cmocka_run_group_tests_name("nvidia load", tests, NULL, NULL);
}
