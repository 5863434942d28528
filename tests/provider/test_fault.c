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

static void what_is_given_back_is_gone_though_the_call_fails(void **state)
{
	(void)state;
	struct fixture fixture;
	struct greta_hip hip;
	void *address;
	hipStream_t stream;
	hipGraph_t graph = NULL;
	hipStreamCaptureStatus capturing;
	fixture_init(&fixture, 1, false);
	fault_wrap(fixture.hip, &hip);
	assert_true(fault_gives_back("hipFree"));
	assert_false(fault_gives_back("hipMalloc"));
	assert_hip(hip.hipMalloc(&address, 64));
	fault_fail_nth(2, hipErrorUnknown);
	assert_int_equal(hip.hipFree(address), hipErrorUnknown);
	assert_int_not_equal(fixture.hip->hipFree(address), hipSuccess);
	assert_hip(hip.hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	assert_hip(hip.hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal));
	fault_fail_nth_of("hipStreamEndCapture", 1, hipErrorUnknown);
	assert_int_equal(hip.hipStreamEndCapture(stream, &graph), hipErrorUnknown);
	assert_null(graph);
	assert_hip(hip.hipStreamIsCapturing(stream, &capturing));
	assert_int_equal(capturing, hipStreamCaptureStatusNone);
	assert_hip(hip.hipStreamDestroy(stream));
	fixture_finish(&fixture);
}

static void polls_do_not_move_the_count(void **state)
{
	(void)state;
	struct fixture fixture;
	struct greta_hip hip;
	fixture_init(&fixture, 1, false);
	fault_wrap(fixture.hip, &hip);
	fault_fail_nth(1, hipErrorUnknown);
	for (int i = 0; i < 3; i++)
		assert_hip(hip.hipStreamQuery(fixture.stream));
	assert_int_equal(fault_count(), 0);
	assert_int_equal(fault_count_of("hipStreamQuery"), 3);
	assert_int_equal(hip.hipSetDevice(0), hipErrorUnknown);
	assert_string_equal(fault_name(1), "hipSetDevice");
	fault_fail_nth_of("hipStreamQuery", 5, hipErrorUnknown);
	assert_hip(hip.hipStreamQuery(fixture.stream));
	assert_int_equal(hip.hipStreamQuery(fixture.stream), hipErrorUnknown);
	fixture_finish(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_pass_and_are_recorded),
		cmocka_unit_test(the_chosen_call_fails_and_is_not_passed_on),
		cmocka_unit_test(what_is_given_back_is_gone_though_the_call_fails),
		cmocka_unit_test(polls_do_not_move_the_count),
	};
	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
