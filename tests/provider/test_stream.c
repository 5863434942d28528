/* Streams and events of the cpu provider: asynchronous, in order, ordered across streams by events. */
#include "tests/provider/fixture.h"

#include <pthread.h>
#include <time.h>

/* Holds the queue until the gate is opened from here, so that "not yet finished" can be seen at leisure. */
static void hold(const struct fixture *fixture, _Atomic uint32_t *gate, hipStream_t stream)
{
	struct test_wait args = { gate };
	assert_hip(fixture_launch(fixture, "wait", 1, &args, sizeof(args), stream));
}

static void enqueueing_does_not_wait(void **state)
{
	(void)state;
	for (size_t t = 0; t < 3; t++) {
		struct fixture fixture;
		fixture_init(&fixture, fixture_threads[t], true);
		const struct greta_hip *hip = fixture.hip;
		_Atomic uint32_t gate = 0;
		uint32_t *words = fixture_malloc(&fixture, 4096), host[8] = { 0 };
		hipEvent_t event = fixture_event(&fixture, hipEventDefault);
		hipEvent_t late = fixture_event(&fixture, hipEventDefault);
		assert_hip(hip->hipEventQuery(event)); /* never recorded: nothing to wait for */
		assert_hip(hip->hipStreamQuery(fixture.stream));
		hold(&fixture, &gate, fixture.stream);
		struct test_mix args = { words, 1 };
		assert_hip(fixture_launch(&fixture, "mix", 8, &args, sizeof(args), fixture.stream));
		assert_hip(hip->hipMemcpyAsync(host, words, sizeof(host), hipMemcpyDeviceToHost, fixture.stream));
		assert_hip(hip->hipMemsetAsync(words, 0x11, 4096, fixture.stream));
		assert_hip(hip->hipEventRecord(event, fixture.stream));
		assert_int_equal(hip->hipStreamQuery(fixture.stream), hipErrorNotReady);
		assert_int_equal(hip->hipEventQuery(event), hipErrorNotReady);
		hipStream_t other = fixture_stream(&fixture, hipStreamNonBlocking);
		assert_hip(hip->hipStreamQuery(other));
		assert_hip(hip->hipEventRecord(late, other)); /* a record alone is work of its stream, too */
		assert_int_equal(hip->hipStreamQuery(other), hipErrorNotReady);
		assert_int_equal(hip->hipGetLastError(), hipSuccess); /* not being ready is no error */
		assert_int_equal(words[0], 0);
		atomic_store(&gate, 1);
		assert_hip(hip->hipEventSynchronize(event));
		assert_hip(hip->hipEventQuery(event));
		assert_hip(hip->hipStreamQuery(fixture.stream));
		for (uint32_t i = 0; i < 8; i++)
			assert_int_equal(host[i], test_mixed(0, 1, i));
		assert_int_equal(words[1023], 0x11111111);
		fixture_finish(&fixture);
	}
}

static void a_full_queue_blocks_and_goes_on(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 2, false);
	enum { LAUNCHES = 3000, BYTES = 4096 }; /* about 12 MB of arguments through a queue of 1 MB */
	uint32_t *words = fixture_malloc(&fixture, 64), expected = 0;
	union {
		struct test_mix mix;
		unsigned char bytes[BYTES];
	} args = { .bytes = { 0 } };
	for (uint32_t i = 0; i < LAUNCHES; i++) {
		args.mix = (struct test_mix){ words, i };
		assert_hip(fixture_launch(&fixture, "mix", 1, &args, i % 2 ? sizeof(args) : sizeof(args.mix),
		    fixture.stream));
		expected = test_mixed(expected, i, 0);
	}
	assert_hip(fixture.hip->hipStreamSynchronize(fixture.stream));
	assert_int_equal(words[0], expected);
	fixture_finish(&fixture);
}

static void events_order_streams(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 2, true);
	const struct greta_hip *hip = fixture.hip;
	hipStream_t other = fixture_stream(&fixture, hipStreamNonBlocking);
	hipEvent_t there = fixture_event(&fixture, hipEventDisableTiming), back = fixture_event(&fixture,
	    hipEventDisableTiming);
	uint32_t *words = fixture_malloc(&fixture, 64), expected = 0;
	for (uint32_t i = 0; i < 500; i++) {
		struct test_carry args = { words, 0, 0, i };
		assert_hip(fixture_launch(&fixture, "carry", 1, &args, sizeof(args), fixture.stream));
		assert_hip(hip->hipEventRecord(there, fixture.stream));
		assert_hip(hip->hipStreamWaitEvent(other, there, 0));
		args.key = ~i;
		assert_hip(fixture_launch(&fixture, "carry", 1, &args, sizeof(args), other));
		assert_hip(hip->hipEventRecord(back, other));
		assert_hip(hip->hipStreamWaitEvent(fixture.stream, back, 0));
		expected = test_mixed(test_mixed(expected, i, 0), ~i, 0);
	}
	assert_hip(hip->hipStreamSynchronize(other));
	assert_int_equal(words[0], expected);
	assert_hip(hip->hipStreamDestroy(other));
	fixture_finish(&fixture);
}

static void destroying_waits_for_what_is_under_way(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 2, true);
	const struct greta_hip *hip = fixture.hip;
	_Atomic uint32_t gate = 0;
	uint32_t *words = fixture_malloc(&fixture, 64);
	hipStream_t stream = fixture_stream(&fixture, hipStreamDefault);
	hipEvent_t event = fixture_event(&fixture, hipEventDefault);
	hold(&fixture, &gate, stream);
	struct test_carry args = { words, 0, 1, 7 };
	assert_hip(fixture_launch(&fixture, "carry", 1, &args, sizeof(args), stream));
	assert_hip(hip->hipEventRecord(event, stream));
	assert_hip(hip->hipEventDestroy(event));
	assert_hip(hip->hipStreamDestroy(stream));
	assert_hip(hip->hipModuleUnload(fixture.module));
	atomic_store(&gate, 1);
	assert_hip(hip->hipDeviceSynchronize());
	assert_int_equal(words[1], test_mixed(0, 7, 1));
	fixture_finish(&fixture);
}

static void events_measure_time(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 2, false);
	const struct greta_hip *hip = fixture.hip;
	hipEvent_t start = fixture_event(&fixture, hipEventDefault), stop = fixture_event(&fixture,
	    hipEventBlockingSync),
		   untimed = fixture_event(&fixture, hipEventDisableTiming);
	float ms = -1;
	_Atomic uint32_t gate = 0;
	assert_int_equal(hip->hipEventElapsedTime(&ms, start, stop), hipErrorInvalidHandle); /* never recorded */
	assert_hip(hip->hipEventRecord(start, fixture.stream));
	assert_hip(hip->hipEventSynchronize(start));
	hold(&fixture, &gate, fixture.stream);
	assert_hip(hip->hipEventRecord(stop, fixture.stream));
	assert_hip(hip->hipEventRecord(untimed, fixture.stream));
	assert_int_equal(hip->hipEventElapsedTime(&ms, start, stop), hipErrorNotReady);
	/* the gate opens 5 ms later by the same clock, so no less than that can have passed */
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	atomic_store(&gate, 1);
	assert_hip(hip->hipEventSynchronize(untimed));
	assert_hip(hip->hipEventElapsedTime(&ms, start, stop));
	assert_true(ms >= 5.0f && ms < 60000.0f);
	float reversed = 1;
	assert_hip(hip->hipEventElapsedTime(&reversed, stop, start));
	assert_true(reversed == -ms);
	assert_int_equal(hip->hipEventElapsedTime(&ms, start, untimed), hipErrorInvalidHandle);
	assert_int_equal(hip->hipEventElapsedTime(NULL, start, stop), hipErrorInvalidValue);
	fixture_finish(&fixture);
}

static void the_default_stream_is_ordered_with_others(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 2, true);
	const struct greta_hip *hip = fixture.hip;
	hipStream_t stream = fixture_stream(&fixture, hipStreamDefault);
	uint32_t *words = fixture_malloc(&fixture, 64), expected = 0;
	for (uint32_t i = 0; i < 100; i++) {
		struct test_carry args = { words, 0, 0, i };
		assert_hip(fixture_launch(&fixture, "carry", 1, &args, sizeof(args), i % 2 ? NULL : stream));
		expected = test_mixed(expected, i, 0);
	}
	assert_hip(hip->hipStreamSynchronize(NULL));
	assert_hip(hip->hipStreamQuery(NULL));
	assert_int_equal(words[0], expected);
	fixture_finish(&fixture);
}

static void wrong_handles_and_flags_are_refused(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 1, false);
	const struct greta_hip *hip = fixture.hip;
	hipEvent_t event = fixture_event(&fixture, hipEventDefault);
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): HIP's handle of the per-thread default stream is a number */
	hipStream_t no_stream = (hipStream_t)(void *)event, special = (hipStream_t)(uintptr_t)2;
	hipEvent_t no_event = (hipEvent_t)(void *)fixture.stream;
	assert_int_equal(hip->hipStreamSynchronize(no_stream), hipErrorInvalidHandle);
	assert_int_equal(hip->hipStreamSynchronize(special), hipErrorInvalidHandle);
	assert_int_equal(hip->hipStreamQuery(no_stream), hipErrorInvalidHandle);
	assert_int_equal(hip->hipStreamDestroy(no_stream), hipErrorInvalidHandle);
	assert_int_equal(hip->hipStreamDestroy(NULL), hipErrorInvalidHandle);
	assert_int_equal(hip->hipEventRecord(event, no_stream), hipErrorInvalidHandle);
	assert_int_equal(hip->hipEventRecord(no_event, fixture.stream), hipErrorInvalidHandle);
	assert_int_equal(hip->hipEventRecord(NULL, fixture.stream), hipErrorInvalidHandle);
	assert_int_equal(hip->hipEventQuery(no_event), hipErrorInvalidHandle);
	assert_int_equal(hip->hipEventSynchronize(no_event), hipErrorInvalidHandle);
	assert_int_equal(hip->hipEventDestroy(NULL), hipErrorInvalidHandle);
	assert_int_equal(hip->hipStreamWaitEvent(fixture.stream, no_event, 0), hipErrorInvalidHandle);
	assert_int_equal(hip->hipStreamWaitEvent(no_stream, event, 0), hipErrorInvalidHandle);
	assert_int_equal(hip->hipStreamWaitEvent(fixture.stream, event, 1), hipErrorInvalidValue);
	assert_int_equal(hip->hipStreamCreateWithFlags(NULL, 0), hipErrorInvalidValue);
	assert_int_equal(hip->hipStreamCreateWithFlags(&special, 2), hipErrorInvalidValue);
	assert_int_equal(hip->hipEventCreateWithFlags(&event, 4), hipErrorInvalidValue);
	assert_int_equal(hip->hipEventCreateWithFlags(NULL, 0), hipErrorInvalidValue);
	assert_int_equal((uintptr_t)special, 2);
	fixture_finish(&fixture);
}

struct producer {
	const struct fixture *fixture;
	hipStream_t stream;
	uint32_t *words;
	uint32_t expected;
};

static void *produce(void *argument)
{
	struct producer *producer = argument;
	const struct greta_hip *hip = producer->fixture->hip;
	hipEvent_t event;
	if (hip->hipEventCreateWithFlags(&event, hipEventDefault))
		return argument;
	for (uint32_t i = 0; i < 2000; i++) {
		struct test_carry args = { producer->words, 0, 0, i };
		if (fixture_launch(producer->fixture, "carry", 1, &args, sizeof(args), producer->stream))
			return argument;
		producer->expected = test_mixed(producer->expected, i, 0);
		if (i % 64 == 0 && (hip->hipEventRecord(event, producer->stream) || hip->hipEventSynchronize(event)))
			return argument;
		if (i % 100 == 0 && hip->hipStreamSynchronize(producer->stream))
			return argument;
	}
	if (hip->hipStreamSynchronize(producer->stream) || producer->words[0] != producer->expected)
		return argument;
	return hip->hipEventDestroy(event) ? argument : NULL;
}

static void threads_may_enqueue_at_once(void **state)
{
	(void)state;
	for (size_t t = 0; t < 3; t++) {
		struct fixture fixture;
		fixture_init(&fixture, fixture_threads[t], false);
		enum { PRODUCERS = 4 };
		struct producer producers[PRODUCERS];
		pthread_t threads[PRODUCERS];
		for (size_t i = 0; i < PRODUCERS; i++) {
			producers[i] = (struct producer){ &fixture, fixture_stream(&fixture, i % 2),
			    fixture_malloc(&fixture, 64), 0 };
			assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
		}
		for (size_t i = 0; i < PRODUCERS; i++) {
			void *failed;
			pthread_join(threads[i], &failed);
			assert_null(failed);
		}
		fixture_finish(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enqueueing_does_not_wait),
		cmocka_unit_test(a_full_queue_blocks_and_goes_on),
		cmocka_unit_test(events_order_streams),
		cmocka_unit_test(destroying_waits_for_what_is_under_way),
		cmocka_unit_test(events_measure_time),
		cmocka_unit_test(the_default_stream_is_ordered_with_others),
		cmocka_unit_test(wrong_handles_and_flags_are_refused),
		cmocka_unit_test(threads_may_enqueue_at_once),
	};
	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
