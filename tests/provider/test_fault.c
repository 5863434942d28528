/* The wrapping provider that other tests use: it passes calls on, counts and names them, and fails the one it is told
 * to. */
#include "tests/provider/fault.h"
#include "tests/provider/fixture.h"

#include <string.h>

static void calls_pass_and_are_recorded(void **state)
{
	(void)state;
	struct fixture fixture;
	struct greta_hip hip;
	void *address;
	fixture_init(&fixture, 2, true);
	fault_wrap(fixture.hip, &hip);
	assert_string_equal(hip.provider, "cpu");
	assert_int_equal(fault_count(), 0);
	assert_hip(hip.hipMalloc(&address, 64));
	assert_hip(hip.hipMemset(address, 3, 64));
	assert_int_equal(*(unsigned char *)address, 3);
	assert_hip(hip.hipFree(address));
	assert_string_equal(hip.hipGetErrorName(hipErrorNotReady), "hipErrorNotReady");
	assert_int_equal(fault_count(), 3);
	assert_int_equal(fault_count_of("hipMemset"), 1);
	assert_int_equal(fault_count_of("hipMemcpy"), 0);
	assert_int_equal(fault_count_of("no such call"), 0);
	assert_string_equal(fault_name(1), "hipMalloc");
	assert_string_equal(fault_name(3), "hipFree");
	assert_null(fault_name(0));
	assert_null(fault_name(4));
	assert_int_equal(hip.hipFree(&fixture), hipErrorInvalidValue);
	assert_string_equal(hip.detail(), fixture.hip->detail());
	fixture_finish(&fixture);
}

static void the_chosen_call_fails_and_is_not_passed_on(void **state)
{
	(void)state;
	struct fixture fixture;
	struct greta_hip hip;
	int value = -1;
	fixture_init(&fixture, 1, false);
	fault_wrap(fixture.hip, &hip);
	fault_fail_nth(3, hipErrorLaunchFailure);
	for (unsigned i = 1; i <= 5; i++) {
		value = -1;
		assert_int_equal(hip.hipGetDeviceCount(&value), i == 3 ? hipErrorLaunchFailure : hipSuccess);
		assert_int_equal(value, i == 3 ? -1 : 1);
		assert_int_equal(!!strstr(hip.detail(), "call 3, hipGetDeviceCount"), i == 3);
	}
	assert_int_equal(fault_injected(), 1);
	fault_wrap(fixture.hip, &hip);
	fault_fail_nth_of("hipSetDevice", 2, hipErrorOutOfMemory);
	for (unsigned i = 1; i <= 4; i++) {
		assert_hip(hip.hipGetDeviceCount(&value));
		assert_int_equal(hip.hipSetDevice(0), i == 2 ? hipErrorOutOfMemory : hipSuccess);
	}
	fault_fail_nth_of(NULL, 0, hipSuccess);
	fixture.hip->hipGetLastError(); /* what the thread has from before */
	fault_fail_nth(fault_count() + 1, hipErrorUnknown);
	assert_hip(hip.hipGetLastError()); /* never fails by itself */
	assert_int_equal(fault_injected(), 1);
	fixture_finish(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_pass_and_are_recorded),
		cmocka_unit_test(the_chosen_call_fails_and_is_not_passed_on),
	};
	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
