/* Graphs of the cpu provider: what capture records is what eager does, bit for bit, however it is forked and
 * replayed. */
#include "tests/provider/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* xorshift; main prints the seed and takes one as its argument. */
static uint64_t seed;

static uint32_t draw(uint64_t *random, uint32_t below)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (uint32_t)(*random >> 32) % below;
}

enum { WORDS = 301, STEPS = 1000 };

/* A thousand operations of all kinds, in which every result depends on those before it. */
static void enqueue_chain(const struct fixture *fixture, uint32_t *words, hipStream_t stream)
{
	const struct greta_hip *hip = fixture->hip;
	uint64_t random = seed;
	for (uint32_t i = 0; i < STEPS; i++) {
		uint32_t from = draw(&random, WORDS / 2), to = WORDS / 2 + draw(&random, WORDS / 2),
		    kind = draw(&random, 8);
		uint32_t copy_max = WORDS - to < to - from ? WORDS - to : to - from; /* ends inside, no overlap */
		struct test_mix mix = { words, i };
		struct test_carry carry = { words, from, to, i };
		if (kind < 4)
			assert_hip(fixture_launch(fixture, "mix", 1 + draw(&random, WORDS), &mix, sizeof(mix), stream));
		else if (kind < 6)
			assert_hip(fixture_launch(fixture, "carry", 1, &carry, sizeof(carry), stream));
		else if (kind == 6)
			assert_hip(hip->hipMemcpyAsync(words + from, words + to, 4 * (1 + draw(&random, copy_max)),
			    hipMemcpyDeviceToDevice, stream));
		else
			assert_hip(hip->hipMemsetAsync(words + to, (int)i, 4, stream));
	}
}

static hipGraphExec_t capture_chain(const struct fixture *fixture, uint32_t *words)
{
	const struct greta_hip *hip = fixture->hip;
	hipGraph_t graph;
	hipGraphExec_t exec;
	size_t count = 0;
	assert_hip(hip->hipStreamBeginCapture(fixture->stream, hipStreamCaptureModeGlobal));
	enqueue_chain(fixture, words, fixture->stream);
	assert_hip(hip->hipStreamEndCapture(fixture->stream, &graph));
	assert_hip(hip->hipGraphGetNodes(graph, NULL, &count));
	assert_int_equal(count, STEPS);
	assert_hip(hip->hipGraphInstantiate(&exec, graph, NULL, NULL, 0));
	assert_hip(hip->hipGraphDestroy(graph)); /* the executable graph stands alone */
	return exec;
}

static void a_graph_of_1000_nodes_equals_eager_at_every_step(void **state)
{
	(void)state;
	uint32_t first[WORDS] = { 0 };
	for (size_t t = 0; t < 3; t++) {
		struct fixture fixture;
		fixture_init(&fixture, fixture_threads[t], true);
		const struct greta_hip *hip = fixture.hip;
		uint32_t *eager = fixture_malloc(&fixture, sizeof(first)), *replayed = fixture_malloc(&fixture,
		    sizeof(first));
		hipGraphExec_t exec = capture_chain(&fixture, replayed);
		uint32_t untouched[WORDS] = { 0 };
		assert_memory_equal(replayed, untouched, sizeof(untouched)); /* capturing runs nothing */
		for (unsigned step = 0; step < 20; step++) {
			enqueue_chain(&fixture, eager, fixture.stream);
			assert_hip(hip->hipGraphLaunch(exec, fixture.stream));
			assert_hip(hip->hipStreamSynchronize(fixture.stream));
			assert_memory_equal(replayed, eager, sizeof(first));
		}
		if (t == 0)
			memcpy(first, eager, sizeof(first));
		assert_memory_equal(first, eager, sizeof(first)); /* whatever the number of threads */
		assert_hip(hip->hipGraphExecDestroy(exec));
		fixture_finish(&fixture);
	}
}

static void replays_may_be_enqueued_ahead(void **state)
{
	(void)state;
	for (size_t t = 0; t < 3; t++) {
		struct fixture fixture;
		fixture_init(&fixture, fixture_threads[t], true);
		const struct greta_hip *hip = fixture.hip;
		uint32_t *eager = fixture_malloc(&fixture, 4 * WORDS), *replayed = fixture_malloc(&fixture, 4 * WORDS);
		hipGraphExec_t exec = capture_chain(&fixture, replayed);
		for (unsigned step = 0; step < 10; step++)
			assert_hip(hip->hipGraphLaunch(exec, fixture.stream));
		assert_hip(hip->hipGraphExecDestroy(exec)); /* those on their way still run */
		for (unsigned step = 0; step < 10; step++)
			enqueue_chain(&fixture, eager, fixture.stream);
		assert_hip(hip->hipStreamSynchronize(fixture.stream));
		assert_memory_equal(replayed, eager, 4 * WORDS);
		fixture_finish(&fixture);
	}
}

static void a_fork_joins_and_keeps_its_order(void **state)
{
	(void)state;
	for (size_t t = 0; t < 3; t++) {
		struct fixture fixture;
		fixture_init(&fixture, fixture_threads[t], true);
		const struct greta_hip *hip = fixture.hip;
		hipStream_t other = fixture_stream(&fixture, hipStreamNonBlocking);
		hipEvent_t fork = fixture_event(&fixture, hipEventDisableTiming), join = fixture_event(&fixture,
		    hipEventDisableTiming);
		uint32_t *words = fixture_malloc(&fixture, 64);
		hipStreamCaptureStatus status;
		hipGraph_t graph;
		hipGraphExec_t exec;
		/* words[0] -> words[1] here and words[2] there, both -> words[3] and [4] after the join */
		assert_hip(hip->hipStreamBeginCapture(fixture.stream, hipStreamCaptureModeThreadLocal));
		struct test_carry root = { words, 0, 0, 1 }, here = { words, 0, 1, 2 }, there = { words, 0, 2, 3 },
				  left = { words, 1, 3, 4 }, right = { words, 2, 4, 5 };
		assert_hip(fixture_launch(&fixture, "carry", 1, &root, sizeof(root), fixture.stream));
		assert_hip(hip->hipEventRecord(fork, fixture.stream));
		assert_hip(hip->hipStreamIsCapturing(other, &status));
		assert_int_equal(status, hipStreamCaptureStatusNone);
		assert_hip(hip->hipStreamWaitEvent(other, fork, 0));
		assert_hip(hip->hipStreamIsCapturing(other, &status));
		assert_int_equal(status, hipStreamCaptureStatusActive);
		assert_hip(fixture_launch(&fixture, "carry", 1, &there, sizeof(there), other));
		assert_hip(fixture_launch(&fixture, "carry", 1, &here, sizeof(here), fixture.stream));
		assert_hip(hip->hipEventRecord(join, other));
		assert_hip(hip->hipStreamWaitEvent(fixture.stream, join, 0));
		assert_hip(fixture_launch(&fixture, "carry", 1, &left, sizeof(left), fixture.stream));
		assert_hip(fixture_launch(&fixture, "carry", 1, &right, sizeof(right), fixture.stream));
		assert_hip(hip->hipStreamEndCapture(fixture.stream, &graph));
		assert_hip(hip->hipStreamIsCapturing(other, &status));
		assert_int_equal(status, hipStreamCaptureStatusNone); /* the forked stream is free again */
		hipGraphNode_t nodes[7];
		size_t count = 7;
		assert_hip(hip->hipGraphGetNodes(graph, nodes, &count));
		assert_int_equal(count, 5);
		assert_non_null(nodes[4]);
		assert_null(nodes[5]);
		assert_hip(hip->hipGraphInstantiate(&exec, graph, NULL, NULL, 0));
		uint32_t expected[5] = { 0 };
		for (unsigned step = 0; step < 50; step++) {
			assert_hip(hip->hipGraphLaunch(exec, other));
			expected[0] = test_mixed(expected[0], 1, 0);
			expected[1] = test_mixed(expected[0], 2, 1);
			expected[2] = test_mixed(expected[0], 3, 2);
			expected[3] = test_mixed(expected[1], 4, 3);
			expected[4] = test_mixed(expected[2], 5, 4);
		}
		assert_hip(hip->hipStreamSynchronize(other));
		assert_memory_equal(words, expected, sizeof(expected));
		fixture_finish(&fixture);
	}
}

/* Hundreds of thousands of launches, most of them smaller than the pool: some worker's range stays empty for long. */
static void long_runs_lose_no_block(void **state)
{
	(void)state;
	for (size_t t = 0; t < 3; t++) {
		struct fixture fixture;
		fixture_init(&fixture, fixture_threads[t], true);
		const struct greta_hip *hip = fixture.hip;
		enum { REPLAYS = 100, BLOCKS = 7 };
		uint32_t *words = fixture_malloc(&fixture, 4 * BLOCKS), expected[BLOCKS] = { 0 };
		hipGraph_t graph;
		hipGraphExec_t exec;
		assert_hip(hip->hipStreamBeginCapture(fixture.stream, hipStreamCaptureModeRelaxed));
		for (uint32_t i = 0; i < STEPS; i++) {
			struct test_mix args = { words, i };
			assert_hip(fixture_launch(&fixture, "mix", i + 1 == STEPS ? BLOCKS : 2, &args, sizeof(args),
			    fixture.stream));
		}
		assert_hip(hip->hipStreamEndCapture(fixture.stream, &graph));
		assert_hip(hip->hipGraphInstantiate(&exec, graph, NULL, NULL, 0));
		for (uint32_t step = 0; step < REPLAYS; step++) {
			assert_hip(hip->hipGraphLaunch(exec, fixture.stream));
			for (uint32_t i = 0; i < STEPS; i++) {
				for (uint32_t k = 0; k < (i + 1 == STEPS ? BLOCKS : 2); k++)
					expected[k] = test_mixed(expected[k], i, k);
			}
		}
		assert_hip(hip->hipStreamSynchronize(fixture.stream));
		assert_memory_equal(words, expected, sizeof(expected));
		fixture_finish(&fixture);
	}
}

static void an_empty_graph_replays(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 2, false);
	const struct greta_hip *hip = fixture.hip;
	hipGraph_t graph;
	hipGraphExec_t exec;
	hipGraphNode_t node = (hipGraphNode_t)(void *)fixture.stream;
	char log[8] = "unset";
	size_t count = 1;
	assert_hip(hip->hipStreamBeginCapture(fixture.stream, hipStreamCaptureModeRelaxed));
	assert_hip(hip->hipStreamEndCapture(fixture.stream, &graph));
	assert_hip(hip->hipGraphInstantiate(&exec, graph, &node, log, sizeof(log)));
	assert_null(node);
	assert_string_equal(log, "");
	assert_hip(hip->hipGraphGetNodes(graph, &node, &count));
	assert_int_equal(count, 0);
	assert_hip(hip->hipGraphLaunch(exec, fixture.stream));
	assert_hip(hip->hipStreamSynchronize(fixture.stream));
	fixture_finish(&fixture);
}

static void large_copies_and_fills_are_shared_out_exactly(void **state)
{
	(void)state;
	for (size_t t = 0; t < 3; t++) {
		struct fixture fixture;
		fixture_init(&fixture, fixture_threads[t], true);
		const struct greta_hip *hip = fixture.hip;
		static const size_t sizes[] = { 1, 262143, 262144, 262145, 3000001 };
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			unsigned char *from = fixture_malloc(&fixture, sizes[i]), *to = fixture_malloc(&fixture,
			    sizes[i]);
			for (size_t k = 0; k < sizes[i]; k++)
				from[k] = (unsigned char)(k * 31 + k / 4096);
			hipGraph_t graph;
			hipGraphExec_t exec;
			assert_hip(hip->hipStreamBeginCapture(fixture.stream, hipStreamCaptureModeRelaxed));
			assert_hip(hip->hipMemcpyAsync(to, from, sizes[i], hipMemcpyDefault, fixture.stream));
			assert_hip(hip->hipMemsetAsync(from, 0x1ab, sizes[i], fixture.stream));
			assert_hip(hip->hipStreamEndCapture(fixture.stream, &graph));
			assert_hip(hip->hipGraphInstantiate(&exec, graph, NULL, NULL, 0));
			assert_hip(hip->hipGraphLaunch(exec, fixture.stream));
			assert_hip(hip->hipStreamSynchronize(fixture.stream));
			for (size_t k = 0; k < sizes[i]; k++) {
				if (to[k] != (unsigned char)(k * 31 + k / 4096) || from[k] != 0xab)
					fail_msg("byte %zu of %zu", k, sizes[i]);
			}
			assert_hip(hip->hipFree(from)); /* looks at the guard bands */
			assert_hip(hip->hipFree(to));
		}
		fixture_finish(&fixture);
	}
}

static void wrong_graph_handles_are_refused(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 1, false);
	const struct greta_hip *hip = fixture.hip;
	hipGraphExec_t exec = NULL;
	hipGraph_t no_graph = (hipGraph_t)(void *)fixture.stream;
	size_t count;
	assert_int_equal(hip->hipGraphInstantiate(&exec, NULL, NULL, NULL, 0), hipErrorInvalidValue);
	assert_int_equal(hip->hipGraphInstantiate(&exec, no_graph, NULL, NULL, 0), hipErrorInvalidValue);
	assert_int_equal(hip->hipGraphLaunch(NULL, fixture.stream), hipErrorInvalidValue);
	assert_int_equal(hip->hipGraphGetNodes(no_graph, NULL, &count), hipErrorInvalidValue);
	assert_int_equal(hip->hipGraphDestroy(no_graph), hipErrorInvalidValue);
	assert_int_equal(hip->hipGraphExecDestroy(NULL), hipErrorInvalidValue);
	assert_null(exec);
	fixture_finish(&fixture);
}

int main(int argument_count, char **arguments)
{
	seed = argument_count > 1 ? strtoull(arguments[1], NULL, 0) : 0x6772657461;
	if (!seed)
		seed = 1;
	printf("seed %llu\n", (unsigned long long)seed);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_graph_of_1000_nodes_equals_eager_at_every_step),
		cmocka_unit_test(replays_may_be_enqueued_ahead),
		cmocka_unit_test(a_fork_joins_and_keeps_its_order),
		cmocka_unit_test(long_runs_lose_no_block),
		cmocka_unit_test(an_empty_graph_replays),
		cmocka_unit_test(large_copies_and_fills_are_shared_out_exactly),
		cmocka_unit_test(wrong_graph_handles_are_refused),
	};
	return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
