/* Cooperative launches, alone and in capture. */
#include "harness.h"

static void expected(unsigned *out, unsigned n, unsigned rounds)
{
	unsigned *from = malloc(n * 4);
	for (unsigned i = 0; i < n; i++)
		out[i] = i * 3;
	for (unsigned r = 0; r < rounds; r++) {
		memcpy(from, out, n * 4);
		for (unsigned i = 0; i < n; i++)
			out[i] = from[(i + 1) % n] + 1;
	}
	free(from);
}

static void fill(unsigned *data, unsigned n)
{
	unsigned *host = calloc(2 * n, 4);
	for (unsigned i = 0; i < n; i++)
		host[i] = i * 3;
	upload(data, host, 2 * n * 4);
	free(host);
}

enum { threads = 128, rounds = 6 };

static void rotate(const char *kernel, unsigned blocks, bool cooperative)
{
	unsigned n = blocks * threads, *data = device_alloc(2 * n * 4), *counter = device_alloc(4), r = rounds;
	unsigned *got = malloc(2 * n * 4), *want = malloc(n * 4);
	void *by_hand[] = {&data, &counter, &r}, *by_group[] = {&data, &r};
	void **params = strcmp(kernel, "grid_rotate") ? by_group : by_hand;
	struct simhsa_counters before, difference;
	fill(data, n);
	HIP(hipMemset(counter, 0, 4));
	HIP(hipDeviceSynchronize());
	bool have = counters(&before);
	if (cooperative)
		HIP(hipModuleLaunchCooperativeKernel(test_kernel(kernel), blocks, 1, 1, threads, 1, 1, 0, NULL, params));
	else
		launch(test_kernel(kernel), blocks, threads, 0, NULL, params);
	HIP(hipDeviceSynchronize());
	difference = counters_since(&before);
	if (have && cooperative)
		test_note("%s: %lu of %lu kernel packets on a cooperative queue", kernel, difference.kernels_cooperative,
				difference.kernels);
	download(got, data, 2 * n * 4);
	expected(want, n, rounds);
	CHECK(!memcmp(got + (rounds & 1) * n, want, n * 4));
	free(got);
	free(want);
}

TEST(hand_made_barrier_normal_launch) { rotate("grid_rotate", 16, false); }
TEST(hand_made_barrier) { rotate("grid_rotate", 16, true); }
TEST(grid_sync) { rotate("grid_sync_rotate", 16, true); }
TEST(one_block_a_compute_unit) { rotate("grid_rotate", 304, true); }

TEST(too_large)
{
	unsigned *data = device_alloc(64), *counter = device_alloc(4), r = 1;
	hipError_t error = hipModuleLaunchCooperativeKernel(test_kernel("grid_rotate"), 304 * 16 + 1, 1, 1, 128, 1, 1, 0, NULL,
			(void *[]){&data, &counter, &r});
	test_note("a grid of one work-group too many: %s", hipGetErrorName(error));
	CHECK(error == hipErrorCooperativeLaunchTooLarge);
	(void)hipGetLastError();
}

static void captured(const char *kernel)
{
	enum { blocks = 8, n = blocks * threads };
	static unsigned got[2 * n], want[n];
	unsigned *data = device_alloc(2 * n * 4), *counter = device_alloc(4), r = rounds;
	void *by_hand[] = {&data, &counter, &r}, *by_group[] = {&data, &r};
	hipStream_t stream;
	hipGraph_t graph = NULL;
	hipGraphExec_t executable;
	hipStreamCaptureStatus status;
	struct simhsa_counters before, difference;
	HIP(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	HIP(hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal));
	HIP(hipMemsetAsync(counter, 0, 4, stream));
	hipError_t error = hipModuleLaunchCooperativeKernel(test_kernel(kernel), blocks, 1, 1, threads, 1, 1, 0, stream,
			strcmp(kernel, "grid_rotate") ? by_group : by_hand);
	HIP(hipStreamIsCapturing(stream, &status));
	hipError_t end = hipStreamEndCapture(stream, &graph);
	test_note("cooperative launch in capture: %s, capture status %d, end %s", hipGetErrorName(error), (int)status,
			hipGetErrorName(end));
	if (error == hipSuccess && end == hipSuccess) {
		size_t nodes = 0;
		HIP(hipGraphGetNodes(graph, NULL, &nodes));
		HIP(hipGraphInstantiate(&executable, graph, NULL, NULL, 0));
		expected(want, n, rounds);
		for (int i = 0; i < 3; i++) {
			fill(data, n);
			HIP(hipDeviceSynchronize());
			counters(&before);
			HIP(hipGraphLaunch(executable, stream));
			HIP(hipStreamSynchronize(stream));
			difference = counters_since(&before);
			download(got, data, sizeof got);
			CHECK(!memcmp(got + (rounds & 1) * n, want, n * 4));
		}
		test_note("%zu nodes; %lu of %lu kernel packets of a launch on a cooperative queue", nodes,
				difference.kernels_cooperative, difference.kernels);
		note_packets("memset and cooperative kernel", &difference);
		HIP(hipGraphExecDestroy(executable));
	}
	if (graph)
		HIP(hipGraphDestroy(graph));
	(void)hipGetLastError();
	HIP(hipStreamDestroy(stream));
}

TEST(in_capture) { captured("grid_rotate"); }

TEST(as_kernel_node_attribute)
{
	enum { blocks = 8, n = blocks * threads };
	static unsigned got[2 * n], want[n];
	unsigned *data = device_alloc(2 * n * 4), *counter = device_alloc(4), r = rounds;
	void *params[] = {&data, &counter, &r};
	hipKernelNodeParams kernel = {.func = test_kernel("grid_rotate"), .gridDim = {blocks, 1, 1},
			.blockDim = {threads, 1, 1},
			.kernelParams = params};
	hipKernelNodeAttrValue value = {.cooperative = 1};
	hipGraph_t graph;
	hipGraphNode_t node;
	hipGraphExec_t executable;
	struct simhsa_counters before, difference;
	HIP(hipGraphCreate(&graph, 0));
	HIP(hipGraphAddKernelNode(&node, graph, NULL, 0, &kernel));
	HIP(hipGraphKernelNodeSetAttribute(node, hipKernelNodeAttributeCooperative, &value));
	HIP(hipGraphInstantiate(&executable, graph, NULL, NULL, 0));
	fill(data, n);
	HIP(hipMemset(counter, 0, 4));
	HIP(hipDeviceSynchronize());
	counters(&before);
	HIP(hipGraphLaunch(executable, NULL));
	HIP(hipDeviceSynchronize());
	difference = counters_since(&before);
	test_note("%lu of %lu kernel packets on a cooperative queue", difference.kernels_cooperative, difference.kernels);
	download(got, data, sizeof got);
	expected(want, n, rounds);
	CHECK(!memcmp(got + (rounds & 1) * n, want, n * 4));
	HIP(hipGraphExecDestroy(executable));
	HIP(hipGraphDestroy(graph));
}

/* Last, since a failure would leave a queue dead. */
TEST(grid_sync_in_capture) { captured("grid_sync_rotate"); }

int main(int argc, char **argv)
{
	return run_tests(argc, argv, "cooperative");
}
