/* Loading and unloading a provider, what the device says of itself, and the numbers of the HIP interface. */
#include "tests/provider/fixture.h"

#include <string.h>
#include <unistd.h>

static struct greta_hip *load(unsigned threads, bool guard)
{
	struct greta_hip_options options = { .threads = threads, .guard = guard };
	struct greta_hip *hip = NULL;
	struct greta_error error = { 0 };
	if (greta_hip_load("cpu", &options, &hip, &error))
		fail_msg("%s", error.message);
	return hip;
}

static int workers_of(const struct greta_hip *hip)
{
	int workers;
	assert_hip(hip->hipDeviceGetAttribute(&workers, hipDeviceAttributeMultiprocessorCount, 0));
	return workers;
}

static void thread_counts_follow_each_other(void **state)
{
	(void)state;
	static const unsigned counts[] = { 1, 5, 2, 16, 1 };
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct greta_hip *hip = load(counts[i], i % 2);
		assert_string_equal(hip->provider, "cpu");
		assert_int_equal(workers_of(hip), counts[i]);
		greta_hip_unload(hip);
	}
	struct greta_hip *hip;
	assert_int_equal(greta_hip_load("cpu", NULL, &hip, NULL), GRETA_OK);
	assert_in_range(workers_of(hip), 1, sysconf(_SC_NPROCESSORS_CONF));
	greta_hip_unload(hip);
	greta_hip_unload(NULL);
}

static void one_device_is_shared_by_equal_options_only(void **state)
{
	(void)state;
	struct greta_hip *first = load(2, false), *second = load(2, false), *third = (void *)first;
	struct greta_hip_options options = { .threads = 3 };
	struct greta_error error;
	void *address;
	assert_int_equal(greta_hip_load("cpu", &options, &third, &error), GRETA_ERROR_ARGUMENT);
	assert_non_null(strstr(error.message, "2 threads"));
	assert_non_null(strstr(error.message, "3 threads"));
	options = (struct greta_hip_options){ .threads = 2, .guard = true };
	assert_int_equal(greta_hip_load("cpu", &options, &third, &error), GRETA_ERROR_ARGUMENT);
	assert_ptr_equal(third, first);
	assert_hip(first->hipMalloc(&address, 64));
	greta_hip_unload(first);
	assert_hip(second->hipFree(address)); /* the device lives as long as one of them */
	greta_hip_unload(second);
	greta_hip_unload(load(3, true));
}

static void what_cannot_be_loaded_is_said(void **state)
{
	(void)state;
	struct greta_hip *hip = NULL;
	struct greta_hip_options options = { .threads = 100000 };
	struct greta_error error;
	assert_int_equal(greta_hip_load("abacus", NULL, &hip, &error), GRETA_ERROR_ARGUMENT);
	assert_non_null(strstr(error.message, "abacus"));
	assert_non_null(strstr(error.message, "cpu"));
	assert_int_equal(greta_hip_load(NULL, NULL, &hip, &error), GRETA_ERROR_ARGUMENT);
	options.library = "libx.so";
	assert_int_equal(greta_hip_load("auto", &options, &hip, &error), GRETA_ERROR_ARGUMENT);
	assert_non_null(strstr(error.message, "libx.so"));
	options.library = NULL;
	assert_int_equal(greta_hip_load("cpu", &options, &hip, &error), GRETA_ERROR_ARGUMENT);
	assert_non_null(strstr(error.message, "100000"));
	assert_null(hip);
}

static void unloaded_calls_fail(void **state)
{
	(void)state;
	struct greta_hip *hip = load(1, false), copy = *hip;
	greta_hip_unload(hip);
	void *address;
	assert_int_equal(copy.hipMalloc(&address, 8), hipErrorNotInitialized);
	assert_int_equal(copy.hipDeviceSynchronize(), hipErrorNotInitialized);
	assert_int_equal(copy.hipGetLastError(), hipErrorNotInitialized);
}

static void the_device_describes_itself(void **state)
{
	(void)state;
	struct greta_hip *hip = load(2, false);
	static const struct {
		hipDeviceAttribute_t attribute;
		int value;
	} expected[] = {
		{ hipDeviceAttributeMultiprocessorCount, 2 }, { hipDeviceAttributeWarpSize, 1 },
		{ hipDeviceAttributeMaxThreadsPerBlock, 1024 }, { hipDeviceAttributeMaxSharedMemoryPerBlock, 1 << 20 },
		{ hipDeviceAttributeIntegrated, 1 }, { hipDeviceAttributeCanMapHostMemory, 1 },
		{ hipDeviceAttributeCooperativeLaunch, 0 }, { hipDeviceAttributeMaxGridDimX, 0x7fffffff },
		{ hipDeviceAttributeWallClockRate, 1000000 },
	};
	int value;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_hip(hip->hipDeviceGetAttribute(&value, expected[i].attribute, 0));
		assert_int_equal(value, expected[i].value);
	}
	char name[256], cut[5];
	assert_hip(hip->hipInit(0));
	assert_hip(hip->hipGetDeviceCount(&value));
	assert_int_equal(value, 1);
	assert_hip(hip->hipSetDevice(0));
	assert_hip(hip->hipDeviceGetName(name, sizeof(name), 0));
	assert_int_equal(strncmp(name, "cpu: ", 5), 0);
	assert_true(strlen(name) > 5);
	assert_hip(hip->hipDeviceGetName(cut, sizeof(cut), 0));
	assert_string_equal(cut, "cpu:");
	assert_hip(hip->hipDriverGetVersion(&value));
	assert_int_equal(value, 60000000);
	assert_hip(hip->hipRuntimeGetVersion(&value));
	assert_int_equal(hip->hipInit(1), hipErrorInvalidValue);
	assert_int_equal(hip->hipSetDevice(1), hipErrorInvalidDevice);
	assert_int_equal(hip->hipDeviceGetName(name, sizeof(name), -1), hipErrorInvalidDevice);
	assert_int_equal(hip->hipDeviceGetName(name, 0, 0), hipErrorInvalidValue);
	assert_int_equal(hip->hipDeviceGetAttribute(&value, hipDeviceAttributeWarpSize, 1), hipErrorInvalidDevice);
	assert_int_equal(hip->hipDeviceGetAttribute(&value, (hipDeviceAttribute_t)9998, 0), hipErrorInvalidValue);
	assert_int_equal(hip->hipDeviceGetAttribute(NULL, hipDeviceAttributeWarpSize, 0), hipErrorInvalidValue);
	assert_int_equal(hip->hipGetDeviceCount(NULL), hipErrorInvalidValue);
	char architecture[GRETA_HIP_ARCHITECTURE_MAX] = "untouched";
	assert_int_equal(greta_hip_architecture(hip, 1, architecture, NULL), GRETA_ERROR_DEVICE);
	assert_string_equal(architecture, "untouched");
	assert_int_equal(greta_hip_architecture(hip, 0, architecture, NULL), GRETA_OK);
	assert_string_equal(architecture, "cpu");
	greta_hip_unload(hip);
}

static void codes_have_names_and_texts(void **state)
{
	(void)state;
	struct greta_hip *hip = load(1, false);
#define CHECK_CODE(name, value, text) \
	assert_int_equal(name, value); \
	assert_string_equal(hip->hipGetErrorName(name), #name); \
	assert_string_equal(hip->hipGetErrorString((hipError_t)value), text);
	GRETA_HIP_ERRORS(CHECK_CODE)
#undef CHECK_CODE
	assert_string_equal(hip->hipGetErrorName((hipError_t)12345), "hipErrorUnknown");
	assert_string_equal(hip->hipGetErrorString((hipError_t)12345), "unknown error");
	struct greta_error error;
	void *address;
	hipError_t code = hip->hipMalloc(&address, SIZE_MAX);
	assert_int_equal(greta_hip_fail(hip, code, &error, "hipMalloc of the %s", "arena"), GRETA_ERROR_MEMORY);
	assert_int_equal(strncmp(error.message, "hipMalloc of the arena: hipErrorOutOfMemory, ", 45), 0);
	assert_non_null(strstr(error.message, "the machine has"));
	assert_int_equal(greta_hip_fail(hip, hipErrorLaunchFailure, NULL, "x"), GRETA_ERROR_DEVICE);
	greta_hip_unload(hip);
}

static void every_call_is_in_the_table(void **state)
{
	(void)state;
	struct greta_hip *hip = load(1, false);
	size_t count = 0;
#define CHECK_CALL(name, parameters, arguments) \
	assert_non_null(hip->name); \
	count++;
	GRETA_HIP_CALLS(CHECK_CALL)
#undef CHECK_CALL
	assert_int_equal(sizeof(*hip), (count + 3) * sizeof(void *)); /* and nothing but these,
	    the name, the detail and the architecture */
	greta_hip_unload(hip);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thread_counts_follow_each_other),
		cmocka_unit_test(one_device_is_shared_by_equal_options_only),
		cmocka_unit_test(what_cannot_be_loaded_is_said),
		cmocka_unit_test(unloaded_calls_fail),
		cmocka_unit_test(the_device_describes_itself),
		cmocka_unit_test(codes_have_names_and_texts),
		cmocka_unit_test(every_call_is_in_the_table),
	};
	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
