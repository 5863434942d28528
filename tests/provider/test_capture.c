/* What HIP does not permit during capture, and that each such call leaves nothing behind once the capture has been
 * ended. */
#include "tests/provider/fixture.h"

#include <pthread.h>

static struct fixture fixture;
static const struct greta_hip *hip;

static int init(void **state)
{
	(void)state;
	fixture_init(&fixture, 2, true);
	hip = fixture.hip;
	return 0;
}

static int finish(void **state)
{
	(void)state;
	fixture_finish(&fixture);
	return 0;
}

static hipError_t launch(hipStream_t stream)
{
	return fixture_launch(&fixture, "nothing", 2, NULL, 0, stream);
}

static void begin(hipStream_t stream, hipStreamCaptureMode mode)
{
	assert_hip(hip->hipStreamBeginCapture(stream, mode));
	assert_hip(launch(stream));
}

static hipStreamCaptureStatus status_of(hipStream_t stream)
{
	hipStreamCaptureStatus status;
	assert_hip(hip->hipStreamIsCapturing(stream, &status));
	return status;
}

/* The capture has been invalidated: its stream refuses everything until it is ended, and then works again. */
static void assert_broken(hipStream_t stream)
{
	hipGraph_t graph = (hipGraph_t)(void *)stream;
	unsigned char bytes[4];
	assert_int_equal(status_of(stream), hipStreamCaptureStatusInvalidated);
	assert_int_equal(launch(stream), hipErrorStreamCaptureInvalidated);
	assert_int_equal(hip->hipMemsetAsync(bytes, 0, 4, stream), hipErrorStreamCaptureInvalidated);
	assert_int_equal(hip->hipStreamEndCapture(stream, &graph), hipErrorStreamCaptureInvalidated);
	assert_null(graph);
	assert_int_equal(status_of(stream), hipStreamCaptureStatusNone);
	assert_int_equal(hip->hipStreamEndCapture(stream, &graph), hipErrorIllegalState);
	begin(stream, hipStreamCaptureModeGlobal);
	assert_hip(hip->hipStreamEndCapture(stream, &graph));
	assert_hip(hip->hipGraphDestroy(graph));
	assert_hip(launch(stream));
	assert_hip(hip->hipStreamSynchronize(stream));
}

/* The calls that are unsafe during capture, each as a function of nothing. */
static unsigned char host[64];
static void *scratch;
static hipEvent_t event;

static hipError_t call_malloc(void)
{
	void *address;
	return hip->hipMalloc(&address, 64);
}

static hipError_t call_host_malloc(void)
{
	void *address;
	return hip->hipHostMalloc(&address, 64, 0);
}

static hipError_t call_free(void)
{
	return hip->hipFree(scratch);
}

static hipError_t call_host_free(void)
{
	return hip->hipHostFree(NULL);
}

static hipError_t call_memcpy(void)
{
	return hip->hipMemcpy(host, scratch, 64, hipMemcpyDeviceToHost);
}

static hipError_t call_memset(void)
{
	return hip->hipMemset(scratch, 0, 64);
}

static hipError_t call_device_synchronize(void)
{
	return hip->hipDeviceSynchronize();
}

static hipError_t call_stream_synchronize(void)
{
	return hip->hipStreamSynchronize(fixture.stream);
}

static hipError_t call_stream_query(void)
{
	return hip->hipStreamQuery(fixture.stream);
}

static const struct {
	hipError_t (*call)(void);
	bool in_every_mode;
} unsafe[] = {
	{ call_malloc, false },
	{ call_host_malloc, false },
	{ call_free, false },
	{ call_host_free, false },
	{ call_memcpy, false },
	{ call_memset, false },
	{ call_device_synchronize, true },
	{ call_stream_synchronize, true },
	{ call_stream_query, true },
};

#define UNSAFE (sizeof(unsafe) / sizeof(unsafe[0]))

static void unsafe_calls_break_the_capture(void **state)
{
	(void)state;
	scratch = fixture_malloc(&fixture, 64);
	for (int mode = hipStreamCaptureModeGlobal; mode <= hipStreamCaptureModeThreadLocal; mode++) {
		for (size_t i = 0; i < UNSAFE; i++) {
			begin(fixture.stream, (hipStreamCaptureMode)mode);
			assert_int_equal(unsafe[i].call(), hipErrorStreamCaptureUnsupported);
			assert_int_equal(hip->hipGetLastError(), hipErrorStreamCaptureUnsupported);
			assert_broken(fixture.stream);
		}
	}
}

static void relaxed_capture_permits_what_does_not_wait(void **state)
{
	(void)state;
	for (size_t i = 0; i < UNSAFE; i++) {
		scratch = fixture_malloc(&fixture, 64);
		begin(fixture.stream, hipStreamCaptureModeRelaxed);
		if (unsafe[i].in_every_mode) {
			assert_int_equal(unsafe[i].call(), hipErrorStreamCaptureUnsupported);
			assert_broken(fixture.stream);
			continue;
		}
		assert_hip(unsafe[i].call());
		hipGraph_t graph;
		assert_hip(hip->hipStreamEndCapture(fixture.stream, &graph));
	}
}

static void *malloc_in_thread(void *out_code)
{
	*(hipError_t *)out_code = call_malloc();
	return NULL;
}

static hipError_t malloc_elsewhere(void)
{
	pthread_t thread;
	hipError_t code = hipErrorUnknown;
	assert_int_equal(pthread_create(&thread, NULL, malloc_in_thread, &code), 0);
	pthread_join(thread, NULL);
	return code;
}

static void modes_say_whose_calls_are_refused(void **state)
{
	(void)state;
	hipGraph_t graph;
	begin(fixture.stream, hipStreamCaptureModeThreadLocal);
	assert_hip(malloc_elsewhere());
	assert_hip(hip->hipStreamEndCapture(fixture.stream, &graph));
	begin(fixture.stream, hipStreamCaptureModeRelaxed);
	assert_hip(malloc_elsewhere());
	assert_hip(hip->hipStreamEndCapture(fixture.stream, &graph));
	begin(fixture.stream, hipStreamCaptureModeGlobal);
	assert_int_equal(malloc_elsewhere(), hipErrorStreamCaptureUnsupported);
	assert_broken(fixture.stream);
}

static void *end_in_thread(void *out_code)
{
	hipGraph_t graph;
	*(hipError_t *)out_code = hip->hipStreamEndCapture(fixture.stream, &graph);
	return NULL;
}

static void only_relaxed_captures_end_in_another_thread(void **state)
{
	(void)state;
	for (int mode = hipStreamCaptureModeGlobal; mode <= hipStreamCaptureModeRelaxed; mode++) {
		pthread_t thread;
		hipGraph_t graph;
		hipError_t code = hipErrorUnknown;
		begin(fixture.stream, (hipStreamCaptureMode)mode);
		assert_int_equal(pthread_create(&thread, NULL, end_in_thread, &code), 0);
		pthread_join(thread, NULL);
		assert_int_equal(code,
		    mode == hipStreamCaptureModeRelaxed ? hipSuccess : hipErrorStreamCaptureWrongThread);
		if (code)
			assert_hip(hip->hipStreamEndCapture(fixture.stream, &graph));
	}
}

static void an_unjoined_fork_is_no_graph(void **state)
{
	(void)state;
	hipStream_t other = fixture_stream(&fixture, hipStreamNonBlocking);
	hipEvent_t join = fixture_event(&fixture, hipEventDefault);
	hipGraph_t graph = (hipGraph_t)(void *)other;
	event = fixture_event(&fixture, hipEventDefault);
	begin(fixture.stream, hipStreamCaptureModeGlobal);
	assert_hip(hip->hipEventRecord(event, fixture.stream));
	assert_hip(hip->hipStreamWaitEvent(other, event, 0));
	assert_hip(launch(other));
	assert_hip(hip->hipEventRecord(join, other));
	assert_hip(launch(other)); /* after the record: the join does not cover it */
	assert_hip(hip->hipStreamWaitEvent(fixture.stream, join, 0));
	assert_int_equal(hip->hipStreamEndCapture(other, &graph), hipErrorStreamCaptureUnmatched);
	assert_broken(fixture.stream);

	begin(fixture.stream, hipStreamCaptureModeGlobal);
	assert_hip(hip->hipEventRecord(event, fixture.stream));
	assert_hip(hip->hipStreamWaitEvent(other, event, 0));
	assert_hip(launch(other));
	graph = (hipGraph_t)(void *)other;
	assert_int_equal(hip->hipStreamEndCapture(fixture.stream, &graph), hipErrorStreamCaptureUnjoined);
	assert_null(graph);
	assert_int_equal(status_of(fixture.stream), hipStreamCaptureStatusNone);
	assert_int_equal(status_of(other), hipStreamCaptureStatusNone);
	assert_hip(launch(other));
	assert_hip(hip->hipStreamSynchronize(other));
}

static void a_fork_without_work_needs_no_join(void **state)
{
	(void)state;
	hipStream_t other = fixture_stream(&fixture, hipStreamNonBlocking);
	hipGraph_t graph;
	event = fixture_event(&fixture, hipEventDefault);
	begin(fixture.stream, hipStreamCaptureModeGlobal);
	assert_hip(hip->hipEventRecord(event, fixture.stream));
	assert_hip(hip->hipStreamWaitEvent(other, event, 0));
	assert_hip(hip->hipStreamEndCapture(fixture.stream, &graph));
	assert_int_equal(status_of(other), hipStreamCaptureStatusNone);
}

static void captures_do_not_depend_on_anything_outside(void **state)
{
	(void)state;
	hipStream_t other = fixture_stream(&fixture, hipStreamNonBlocking);
	hipGraph_t graph;
	event = fixture_event(&fixture, hipEventDefault);
	assert_hip(hip->hipEventRecord(event, other));
	begin(fixture.stream, hipStreamCaptureModeGlobal);
	assert_int_equal(hip->hipStreamWaitEvent(fixture.stream, event, 0), hipErrorStreamCaptureIsolation);
	assert_broken(fixture.stream);

	begin(fixture.stream, hipStreamCaptureModeGlobal);
	begin(other, hipStreamCaptureModeGlobal);
	assert_hip(hip->hipEventRecord(event, fixture.stream));
	assert_int_equal(hip->hipStreamWaitEvent(other, event, 0), hipErrorStreamCaptureMerge);
	/* both are broken; one at a time, as each new capture would be refused nothing but is looked at in turn */
	assert_int_equal(status_of(other), hipStreamCaptureStatusInvalidated);
	assert_int_equal(hip->hipStreamEndCapture(other, &graph), hipErrorStreamCaptureInvalidated);
	assert_broken(fixture.stream);
}

static void captured_events_are_no_events_outside(void **state)
{
	(void)state;
	hipStream_t other = fixture_stream(&fixture, hipStreamNonBlocking);
	hipEvent_t plain = fixture_event(&fixture, hipEventDefault);
	hipGraph_t graph;
	float ms;
	assert_hip(hip->hipEventRecord(plain, other));
	event = fixture_event(&fixture, hipEventDefault);
	begin(fixture.stream, hipStreamCaptureModeRelaxed);
	assert_hip(hip->hipEventRecord(event, fixture.stream));
	assert_int_equal(hip->hipEventQuery(event), hipErrorCapturedEvent);
	assert_broken(fixture.stream);
	begin(fixture.stream, hipStreamCaptureModeRelaxed);
	assert_hip(hip->hipEventRecord(event, fixture.stream));
	assert_int_equal(hip->hipEventSynchronize(event), hipErrorCapturedEvent);
	assert_broken(fixture.stream);

	begin(fixture.stream, hipStreamCaptureModeRelaxed);
	assert_hip(hip->hipEventRecord(event, fixture.stream));
	assert_hip(hip->hipStreamEndCapture(fixture.stream, &graph));
	assert_int_equal(hip->hipEventQuery(event), hipErrorCapturedEvent);
	assert_int_equal(hip->hipEventElapsedTime(&ms, plain, event), hipErrorCapturedEvent);
	assert_int_equal(hip->hipStreamWaitEvent(other, event, 0), hipErrorCapturedEvent);
	assert_hip(hip->hipEventRecord(event, other)); /* recorded anew, it is an event like any other */
	assert_hip(hip->hipEventSynchronize(event));
	assert_hip(hip->hipEventElapsedTime(&ms, plain, event));
	assert_hip(hip->hipStreamWaitEvent(other, event, 0));
}

static void the_default_stream_keeps_out(void **state)
{
	(void)state;
	hipStream_t blocking = fixture_stream(&fixture, hipStreamDefault);
	hipStreamCaptureStatus status;
	hipGraph_t graph;
	assert_int_equal(hip->hipStreamBeginCapture(NULL, hipStreamCaptureModeGlobal),
	    hipErrorStreamCaptureUnsupported);
	begin(blocking, hipStreamCaptureModeRelaxed);
	assert_int_equal(launch(NULL), hipErrorStreamCaptureImplicit);
	assert_broken(blocking);
	begin(blocking, hipStreamCaptureModeRelaxed);
	assert_int_equal(hip->hipStreamIsCapturing(NULL, &status), hipErrorStreamCaptureImplicit);
	assert_broken(blocking);
	/* a stream that is not ordered with it does not mind */
	begin(fixture.stream, hipStreamCaptureModeRelaxed);
	assert_hip(launch(NULL));
	assert_hip(hip->hipStreamSynchronize(NULL));
	assert_hip(hip->hipStreamIsCapturing(NULL, &status));
	assert_int_equal(status, hipStreamCaptureStatusNone);
	assert_hip(hip->hipStreamEndCapture(fixture.stream, &graph));
	/* and it does not join */
	event = fixture_event(&fixture, hipEventDefault);
	begin(fixture.stream, hipStreamCaptureModeRelaxed);
	assert_hip(hip->hipEventRecord(event, fixture.stream));
	assert_int_equal(hip->hipStreamWaitEvent(NULL, event, 0), hipErrorStreamCaptureImplicit);
	assert_broken(fixture.stream);
}

static void a_graph_launch_is_not_captured(void **state)
{
	(void)state;
	hipGraph_t graph;
	hipGraphExec_t exec;
	begin(fixture.stream, hipStreamCaptureModeGlobal);
	assert_hip(hip->hipStreamEndCapture(fixture.stream, &graph));
	assert_hip(hip->hipGraphInstantiate(&exec, graph, NULL, NULL, 0));
	begin(fixture.stream, hipStreamCaptureModeGlobal);
	assert_int_equal(hip->hipGraphLaunch(exec, fixture.stream), hipErrorStreamCaptureUnsupported);
	assert_broken(fixture.stream);
	assert_hip(hip->hipGraphLaunch(exec, fixture.stream));
	assert_hip(hip->hipStreamSynchronize(fixture.stream));
}

static void a_refused_launch_leaves_the_capture_whole(void **state)
{
	(void)state;
	hipGraph_t graph;
	size_t count;
	begin(fixture.stream, hipStreamCaptureModeGlobal);
	assert_int_equal(fixture_launch(&fixture, "nothing", 0, NULL, 0, fixture.stream), hipErrorInvalidConfiguration);
	assert_int_equal(hip->hipStreamBeginCapture(fixture.stream, hipStreamCaptureModeGlobal), hipErrorIllegalState);
	assert_int_equal(status_of(fixture.stream), hipStreamCaptureStatusActive);
	assert_hip(hip->hipStreamEndCapture(fixture.stream, &graph));
	assert_hip(hip->hipGraphGetNodes(graph, NULL, &count));
	assert_int_equal(count, 1);
	assert_int_equal(hip->hipStreamBeginCapture(fixture.stream, (hipStreamCaptureMode)3), hipErrorInvalidValue);
	assert_int_equal(hip->hipStreamEndCapture(fixture.stream, NULL), hipErrorInvalidValue);
}

static void destroyed_streams_leave_their_capture(void **state)
{
	(void)state;
	hipStream_t origin = fixture_stream(&fixture, hipStreamNonBlocking), other = fixture_stream(&fixture,
	    hipStreamNonBlocking);
	event = fixture_event(&fixture, hipEventDefault);
	begin(fixture.stream, hipStreamCaptureModeGlobal);
	assert_hip(hip->hipEventRecord(event, fixture.stream));
	assert_hip(hip->hipStreamWaitEvent(other, event, 0));
	assert_hip(launch(other));
	assert_hip(hip->hipStreamDestroy(other));
	assert_broken(fixture.stream);

	begin(origin, hipStreamCaptureModeGlobal);
	assert_hip(hip->hipEventRecord(event, origin));
	assert_hip(hip->hipStreamWaitEvent(fixture.stream, event, 0));
	assert_hip(launch(fixture.stream));
	assert_hip(hip->hipStreamDestroy(origin));
	assert_int_equal(status_of(fixture.stream), hipStreamCaptureStatusNone);
	assert_hip(launch(fixture.stream));
	assert_hip(hip->hipDeviceSynchronize());
}

struct capturer {
	hipStream_t stream;
	uint32_t *words;
};

/* Captures, replays and checks on a stream of its own; NULL when all is well. */
static void *capture_in_thread(void *argument)
{
	struct capturer *capturer = argument;
	for (uint32_t round = 0; round < 20; round++) {
		uint32_t expected = capturer->words[0];
		hipGraph_t graph;
		hipGraphExec_t exec;
		if (hip->hipStreamBeginCapture(capturer->stream, hipStreamCaptureModeThreadLocal))
			return argument;
		for (uint32_t i = 0; i < 50; i++) {
			struct test_carry args = { capturer->words, 0, 0, i + round };
			expected = test_mixed(expected, i + round, 0);
			if (fixture_launch(&fixture, "carry", 1, &args, sizeof(args), capturer->stream))
				return argument;
		}
		if (hip->hipStreamEndCapture(capturer->stream, &graph) ||
		    hip->hipGraphInstantiate(&exec, graph, NULL, NULL, 0) || hip->hipGraphDestroy(graph) ||
		    hip->hipGraphLaunch(exec, capturer->stream) || hip->hipGraphExecDestroy(exec) ||
		    hip->hipStreamSynchronize(capturer->stream) || capturer->words[0] != expected)
			return argument;
	}
	return NULL;
}

static void threads_capture_side_by_side(void **state)
{
	(void)state;
	enum { THREADS = 3 };
	struct capturer capturers[THREADS];
	pthread_t threads[THREADS];
	for (size_t i = 0; i < THREADS; i++)
		capturers[i] = (struct capturer){ fixture_stream(&fixture, hipStreamNonBlocking),
		    fixture_malloc(&fixture, 64) };
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, capture_in_thread, &capturers[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *failed;
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
}

static void unloading_in_the_middle_of_a_capture_is_clean(void **state)
{
	(void)state;
	struct fixture own;
	finish(NULL);
	fixture_init(&own, 2, true);
	assert_hip(own.hip->hipStreamBeginCapture(own.stream, hipStreamCaptureModeGlobal));
	assert_hip(fixture_launch(&own, "nothing", 2, NULL, 0, own.stream));
	greta_hip_unload(own.hip);
	init(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unsafe_calls_break_the_capture, init, finish),
		cmocka_unit_test_setup_teardown(relaxed_capture_permits_what_does_not_wait, init, finish),
		cmocka_unit_test_setup_teardown(modes_say_whose_calls_are_refused, init, finish),
		cmocka_unit_test_setup_teardown(only_relaxed_captures_end_in_another_thread, init, finish),
		cmocka_unit_test_setup_teardown(an_unjoined_fork_is_no_graph, init, finish),
		cmocka_unit_test_setup_teardown(a_fork_without_work_needs_no_join, init, finish),
		cmocka_unit_test_setup_teardown(captures_do_not_depend_on_anything_outside, init, finish),
		cmocka_unit_test_setup_teardown(captured_events_are_no_events_outside, init, finish),
		cmocka_unit_test_setup_teardown(the_default_stream_keeps_out, init, finish),
		cmocka_unit_test_setup_teardown(a_graph_launch_is_not_captured, init, finish),
		cmocka_unit_test_setup_teardown(a_refused_launch_leaves_the_capture_whole, init, finish),
		cmocka_unit_test_setup_teardown(destroyed_streams_leave_their_capture, init, finish),
		cmocka_unit_test_setup_teardown(threads_capture_side_by_side, init, finish),
		cmocka_unit_test_setup_teardown(unloading_in_the_middle_of_a_capture_is_clean, init, finish),
	};
	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
