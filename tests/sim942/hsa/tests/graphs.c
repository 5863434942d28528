/* Capture, instantiation, replay. */
#include "harness.h"
#include <time.h>

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

struct chain {
	unsigned n, nodes;
	unsigned *state, *position, *history;
	float *state_float;
};

static struct chain new_chain(unsigned n, unsigned nodes)
{
	struct chain chain = {n, nodes, device_alloc(n * 4), device_alloc(4), device_alloc(4096), device_alloc(n * 4)};
	return chain;
}

static void reset(const struct chain *chain)
{
	HIP(hipMemset(chain->state, 0, chain->n * 4));
	HIP(hipMemset(chain->state_float, 0, chain->n * 4));
	HIP(hipMemset(chain->position, 0, 4));
	HIP(hipMemset(chain->history, 0, 4096));
	HIP(hipDeviceSynchronize());
}

/* As a decoder's token does: many dependent kernels that read the position from device memory, then a step on. */
static void enqueue(const struct chain *chain, hipStream_t stream)
{
	unsigned blocks = (chain->n + 255) / 256;
	for (unsigned node = 0; node < chain->nodes; node++) {
		float value = (float)node;
		int n = (int)chain->n;
		if (node % 3 == 2)
			LAUNCH("step_float", blocks, 256, stream, (void *)&chain->state_float, (void *)&chain->position, &value, &n);
		else
			LAUNCH("step", blocks, 256, stream, (void *)&chain->state, (void *)&chain->position, &node, (void *)&chain->n);
	}
	LAUNCH("append", 1, 1, stream, (void *)&chain->history, (void *)&chain->position, (void *)&chain->state);
	LAUNCH("advance", 1, 1, stream, (void *)&chain->position);
}

struct result { unsigned state[1024], position, history[1024]; float state_float[1024]; };

static void collect(const struct chain *chain, struct result *result)
{
	memset(result, 0, sizeof *result);
	download(result->state, chain->state, chain->n * 4);
	download(result->state_float, chain->state_float, chain->n * 4);
	download(&result->position, chain->position, 4);
	download(result->history, chain->history, 4096);
}

static hipGraphExec_t capture(void (*body)(const struct chain *, hipStream_t), const struct chain *chain,
		hipStream_t stream,
		size_t *nodes)
{
	hipGraph_t graph;
	hipGraphExec_t executable;
	HIP(hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal));
	body(chain, stream);
	HIP(hipStreamEndCapture(stream, &graph));
	HIP(hipGraphGetNodes(graph, NULL, nodes));
	HIP(hipGraphInstantiate(&executable, graph, NULL, NULL, 0));
	HIP(hipGraphDestroy(graph));
	return executable;
}

/* Replays against as many eager passes; every bit of the results must agree. */
static void replay(unsigned nodes, unsigned replays)
{
	static struct result eager, replayed;
	struct simhsa_counters before, difference;
	struct chain chain = new_chain(600, nodes - 2);
	hipStream_t stream;
	size_t node_count = 0;
	char what[64];
	HIP(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	reset(&chain);
	for (unsigned i = 0; i < replays; i++)
		enqueue(&chain, stream);
	HIP(hipStreamSynchronize(stream));
	collect(&chain, &eager);
	CHECK(eager.position == replays);
	double start = now();
	hipGraphExec_t executable = capture(enqueue, &chain, stream, &node_count);
	double captured = now();
	CHECK(node_count == nodes);
	reset(&chain);
	for (unsigned i = 0; i < replays; i++) {
		bool have = counters(&before);
		HIP(hipGraphLaunch(executable, stream));
		HIP(hipStreamSynchronize(stream));
		difference = counters_since(&before);
		snprintf(what, sizeof what, "%u nodes, launch %u", nodes, i);
		if (have && i < 2)
			note_packets(what, &difference);
		if (have)
			CHECK(difference.kernels == nodes);
	}
	collect(&chain, &replayed);
	CHECK(!memcmp(&eager, &replayed, sizeof eager));
	/* the same without waiting in between */
	reset(&chain);
	bool have = counters(&before);
	double enqueue_start = now();
	for (unsigned i = 0; i < replays; i++)
		HIP(hipGraphLaunch(executable, stream));
	double enqueued = now();
	HIP(hipStreamSynchronize(stream));
	difference = counters_since(&before);
	snprintf(what, sizeof what, "%u nodes, %u launches back to back", nodes, replays);
	if (have)
		note_packets(what, &difference);
	collect(&chain, &replayed);
	CHECK(!memcmp(&eager, &replayed, sizeof eager));
	test_note("%u nodes: capture and instantiation %.1f ms, a launch call %.3f ms", nodes, (captured - start) * 1e3,
			(enqueued - enqueue_start) * 1e3 / replays);
	HIP(hipGraphExecDestroy(executable));
	HIP(hipStreamDestroy(stream));
}

TEST(nodes_5) { replay(5, 40); }
TEST(nodes_50) { replay(50, 10); }
TEST(nodes_160) { replay(160, 10); }
TEST(nodes_300) { replay(300, 5); }
TEST(nodes_1000) { replay(1000, 3); }

/* Copies, sets and events between the kernels. */
static hipEvent_t inner_event;
static unsigned host_in[1024], *pinned_out;

static void mixed(const struct chain *chain, hipStream_t stream)
{
	unsigned node = 5;
	HIP(hipMemsetAsync(chain->state, 0x11, chain->n * 4, stream));
	HIP(hipMemcpyAsync(chain->history, host_in, chain->n * 4, hipMemcpyHostToDevice, stream));
	LAUNCH("step", 3, 256, stream, (void *)&chain->state, (void *)&chain->position, &node, (void *)&chain->n);
	HIP(hipEventRecord(inner_event, stream));
	HIP(hipStreamWaitEvent(stream, inner_event, 0));
	HIP(hipMemcpyAsync(chain->state_float, chain->state, chain->n * 4, hipMemcpyDeviceToDevice, stream));
	HIP(hipMemsetD32Async((hipDeviceptr_t)chain->state, 9, 10, stream));
	LAUNCH("advance", 1, 1, stream, (void *)&chain->position);
	HIP(hipMemcpyAsync(pinned_out, chain->state_float, chain->n * 4, hipMemcpyDeviceToHost, stream));
}

TEST(copies_sets_events)
{
	static struct result eager, replayed;
	struct simhsa_counters before, difference;
	struct chain chain = new_chain(600, 0);
	hipStream_t stream;
	size_t nodes;
	HIP(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	HIP(hipEventCreateWithFlags(&inner_event, hipEventDisableTiming));
	HIP(hipHostMalloc((void **)&pinned_out, 4096, hipHostMallocDefault));
	for (unsigned i = 0; i < 1024; i++)
		host_in[i] = i * 7;
	reset(&chain);
	for (int i = 0; i < 4; i++)
		mixed(&chain, stream);
	HIP(hipStreamSynchronize(stream));
	collect(&chain, &eager);
	hipGraphExec_t executable = capture(mixed, &chain, stream, &nodes);
	test_note("captured as %zu nodes", nodes);
	reset(&chain);
	memset(pinned_out, 0, 4096);
	for (int i = 0; i < 4; i++) {
		counters(&before);
		HIP(hipGraphLaunch(executable, stream));
		HIP(hipStreamSynchronize(stream));
		difference = counters_since(&before);
	}
	note_packets("2 kernels, 2 memsets, 3 copies", &difference);
	collect(&chain, &replayed);
	CHECK(!memcmp(&eager, &replayed, sizeof eager));
	CHECK(!memcmp(pinned_out, replayed.state_float, chain.n * 4));
	HIP(hipGraphExecDestroy(executable));
	HIP(hipHostFree(pinned_out));
	HIP(hipEventDestroy(inner_event));
	HIP(hipStreamDestroy(stream));
}

/* A fork to three streams and their join, three times over. */
static hipStream_t side[3];
static hipEvent_t forked, joined[3];
static unsigned *lane[3];

static void forks(const struct chain *chain, hipStream_t stream)
{
	for (unsigned round = 0; round < 3; round++) {
		LAUNCH("step", 3, 256, stream, (void *)&chain->state, (void *)&chain->position, &round, (void *)&chain->n);
		HIP(hipEventRecord(forked, stream));
		for (unsigned i = 0; i < 3; i++) {
			unsigned node = 10 * round + i;
			HIP(hipStreamWaitEvent(side[i], forked, 0));
			HIP(hipMemcpyAsync(lane[i], chain->state, chain->n * 4, hipMemcpyDeviceToDevice, side[i]));
			LAUNCH("step", 3, 256, side[i], &lane[i], (void *)&chain->position, &node, (void *)&chain->n);
			LAUNCH("step", 3, 256, side[i], &lane[i], (void *)&chain->position, &round, (void *)&chain->n);
			HIP(hipEventRecord(joined[i], side[i]));
		}
		for (unsigned i = 0; i < 3; i++)
			HIP(hipStreamWaitEvent(stream, joined[i], 0));
		HIP(hipMemcpyAsync(chain->state, lane[round], chain->n * 4, hipMemcpyDeviceToDevice, stream));
	}
	LAUNCH("append", 1, 1, stream, (void *)&chain->history, (void *)&chain->position, (void *)&chain->state);
	LAUNCH("advance", 1, 1, stream, (void *)&chain->position);
}

TEST(fork_join)
{
	static struct result eager, replayed;
	struct simhsa_counters before, difference;
	struct chain chain = new_chain(600, 0);
	hipStream_t stream;
	size_t nodes;
	HIP(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	HIP(hipEventCreateWithFlags(&forked, hipEventDisableTiming));
	for (int i = 0; i < 3; i++) {
		HIP(hipStreamCreateWithFlags(&side[i], hipStreamNonBlocking));
		HIP(hipEventCreateWithFlags(&joined[i], hipEventDisableTiming));
		lane[i] = device_alloc(4096);
	}
	reset(&chain);
	for (int i = 0; i < 20; i++)
		forks(&chain, stream);
	HIP(hipStreamSynchronize(stream));
	collect(&chain, &eager);
	hipGraphExec_t executable = capture(forks, &chain, stream, &nodes);
	reset(&chain);
	for (int i = 0; i < 20; i++) {
		counters(&before);
		HIP(hipGraphLaunch(executable, stream));
		HIP(hipStreamSynchronize(stream));
		difference = counters_since(&before);
	}
	test_note("%zu nodes", nodes);
	note_packets("fork and join", &difference);
	collect(&chain, &replayed);
	CHECK(!memcmp(&eager, &replayed, sizeof eager));
	HIP(hipGraphExecDestroy(executable));
	for (int i = 0; i < 3; i++) {
		HIP(hipStreamDestroy(side[i]));
		HIP(hipEventDestroy(joined[i]));
	}
	HIP(hipEventDestroy(forked));
	HIP(hipStreamDestroy(stream));
}

TEST(set_kernel_node_params)
{
	enum { n = 512 };
	hipGraph_t graph;
	hipGraphExec_t executable;
	hipGraphNode_t node;
	hipStream_t stream;
	unsigned first = 100, count = n, *one = device_alloc(n * 4), *two = device_alloc(n * 4), out[n];
	void *params[] = {&one, &first, &count};
	hipKernelNodeParams kernel = {.func = test_kernel("iota"), .gridDim = {2, 1, 1}, .blockDim = {256, 1, 1},
			.kernelParams = params};
	HIP(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	HIP(hipGraphCreate(&graph, 0));
	HIP(hipGraphAddKernelNode(&node, graph, NULL, 0, &kernel));
	HIP(hipGraphInstantiate(&executable, graph, NULL, NULL, 0));
	HIP(hipGraphLaunch(executable, stream));
	HIP(hipStreamSynchronize(stream));
	download(out, one, sizeof out);
	CHECK(out[0] == 100 && out[n - 1] == 100 + n - 1);
	HIP(hipMemset(two, 0, n * 4));
	HIP(hipMemset(one, 0, n * 4));
	HIP(hipDeviceSynchronize());       /* hipMemset does not wait, and a non-blocking stream does not wait for it */
	params[0] = &two;
	first = 777;
	HIP(hipGraphExecKernelNodeSetParams(executable, node, &kernel));
	for (int i = 0; i < 3; i++)
		HIP(hipGraphLaunch(executable, stream));
	HIP(hipStreamSynchronize(stream));
	download(out, two, sizeof out);
	CHECK(out[0] == 777 && out[n - 1] == 777 + n - 1);
	download(out, one, sizeof out);
	CHECK(out[0] == 0 && out[n - 1] == 0);
	/* changed while launches are under way: those already enqueued must keep the old values */
	first = 1;
	HIP(hipGraphExecKernelNodeSetParams(executable, node, &kernel));
	HIP(hipGraphLaunch(executable, stream));
	HIP(hipMemcpyAsync(one, two, n * 4, hipMemcpyDeviceToDevice, stream));
	first = 2;
	HIP(hipGraphExecKernelNodeSetParams(executable, node, &kernel));
	HIP(hipGraphLaunch(executable, stream));
	HIP(hipStreamSynchronize(stream));
	download(out, one, sizeof out);
	test_note("a launch enqueued before hipGraphExecKernelNodeSetParams used %s parameters",
			out[0] == 1 ? "its own" : "the NEW");
	download(out, two, sizeof out);
	CHECK(out[0] == 2);
	HIP(hipGraphExecDestroy(executable));
	HIP(hipGraphDestroy(graph));
	HIP(hipStreamDestroy(stream));
}

TEST(upload_and_update)
{
	static struct result first_result, second_result;
	struct chain chain = new_chain(600, 20), other = new_chain(600, 20);
	hipStream_t stream;
	hipGraph_t graph;
	hipGraphExec_t executable;
	hipGraphNode_t bad = NULL;
	hipGraphExecUpdateResult outcome;
	size_t nodes;
	HIP(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	executable = capture(enqueue, &chain, stream, &nodes);
	HIP(hipGraphUpload(executable, stream));
	reset(&chain);
	reset(&other);
	HIP(hipGraphLaunch(executable, stream));
	HIP(hipStreamSynchronize(stream));
	collect(&chain, &first_result);
	HIP(hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal));
	enqueue(&other, stream);
	HIP(hipStreamEndCapture(stream, &graph));
	HIP(hipGraphExecUpdate(executable, graph, &bad, &outcome));
	CHECK(outcome == hipGraphExecUpdateSuccess);
	HIP(hipGraphLaunch(executable, stream));
	HIP(hipStreamSynchronize(stream));
	collect(&other, &second_result);
	CHECK(!memcmp(&first_result, &second_result, sizeof first_result));
	HIP(hipGraphDestroy(graph));
	HIP(hipGraphExecDestroy(executable));
	HIP(hipStreamDestroy(stream));
}

static void bump(void *data)
{
	__atomic_fetch_add((int *)data, 1, __ATOMIC_SEQ_CST);
}

TEST(host_nodes)
{
	hipStream_t stream;
	hipGraph_t graph;
	hipGraphExec_t executable;
	int calls = 0;
	unsigned *position = device_alloc(4), out = 0;
	HIP(hipMemset(position, 0, 4));
	HIP(hipDeviceSynchronize());
	HIP(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	HIP(hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal));
	LAUNCH("advance", 1, 1, stream, &position);
	HIP(hipLaunchHostFunc(stream, bump, &calls));
	LAUNCH("advance", 1, 1, stream, &position);
	HIP(hipStreamEndCapture(stream, &graph));
	HIP(hipGraphInstantiate(&executable, graph, NULL, NULL, 0));
	for (int i = 0; i < 10; i++)
		HIP(hipGraphLaunch(executable, stream));
	HIP(hipStreamSynchronize(stream));
	download(&out, position, 4);
	int called = __atomic_load_n(&calls, __ATOMIC_SEQ_CST);
	if (out != 20 || called != 10)
		test_failed(__FILE__, __LINE__, "%u advances of 20, %d calls of 10", out, called);
	HIP(hipGraphExecDestroy(executable));
	HIP(hipGraphDestroy(graph));
	HIP(hipStreamDestroy(stream));
}

TEST(two_executables_alternate)
{
	static struct result eager, replayed;
	struct chain chain = new_chain(300, 30), shorter = chain;
	hipStream_t stream;
	size_t nodes;
	shorter.nodes = 7;
	HIP(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	reset(&chain);
	for (int i = 0; i < 16; i++)
		enqueue(i % 2 ? &shorter : &chain, stream);
	HIP(hipStreamSynchronize(stream));
	collect(&chain, &eager);
	hipGraphExec_t one = capture(enqueue, &chain, stream, &nodes), two = capture(enqueue, &shorter, stream, &nodes);
	reset(&chain);
	for (int i = 0; i < 16; i++)
		HIP(hipGraphLaunch(i % 2 ? two : one, stream));
	HIP(hipStreamSynchronize(stream));
	collect(&chain, &replayed);
	CHECK(!memcmp(&eager, &replayed, sizeof eager));
	HIP(hipGraphExecDestroy(one));
	HIP(hipGraphExecDestroy(two));
	HIP(hipStreamDestroy(stream));
}

int main(int argc, char **argv)
{
	return run_tests(argc, argv, "graphs");
}
