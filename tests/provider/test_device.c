/* A GPU as it is: memory, events, launches, capture, graphs and errors, on the first of amd and nvidia that answers.
 * Skips, saying why, where none does, and what needs kernels where this test has none for the device. */
#include "tests/provider/device_kernels.h"
#include "tests/provider/fixture.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 16384u /* threads of a mix */
#define NODES 1000u
#define SKIP_CODE 77

static char architecture[GRETA_HIP_ARCHITECTURE_MAX];
static const char *provider;

static struct greta_hip *load(bool overlap)
{
	struct greta_hip_options options = { .overlap = overlap };
	struct greta_hip *hip;
	struct greta_error error;
	if (greta_hip_load(provider, &options, &hip, &error))
		fail_msg("%s", error.message);
	return hip;
}

static void check(const struct greta_hip *hip, hipError_t code, const char *what, int line)
{
	if (code)
		fail_msg("line %d: %s: %s, %s (%s)", line, what, hip->hipGetErrorName(code),
		    hip->hipGetErrorString(code), hip->detail());
}

#define CHECK(call) check(hip, hip->call, #call, __LINE__)

static hipFunction_t function_of(const struct greta_hip *hip, hipModule_t module, const char *name)
{
	hipFunction_t function;
	CHECK(hipModuleGetFunction(&function, module, name));
	return function;
}

static hipModule_t load_kernels(const struct greta_hip *hip, bool overlap)
{
	hipModule_t module;
	if (strncmp(architecture, "sm_", 3) != 0 || (overlap && atoi(architecture + 3) < 90)) {
		print_message("no kernels of this test for %s%s\n", architecture, overlap ? " with overlap" : "");
		skip();
	}
	CHECK(hipModuleLoadData(&module, overlap ? device_ptx_overlap : device_ptx));
	return module;
}

static hipError_t launch(const struct greta_hip *hip, hipFunction_t function, unsigned blocks, unsigned threads,
    void *args, size_t size, hipStream_t stream)
{
	void *extra[] = { HIP_LAUNCH_PARAM_BUFFER_POINTER, args, HIP_LAUNCH_PARAM_BUFFER_SIZE, &size, HIP_LAUNCH_PARAM_END };
	return hip->hipModuleLaunchKernel(function, blocks, 1, 1, threads, 1, 1, 0, stream, NULL, extra);
}

static hipStream_t new_stream(const struct greta_hip *hip)
{
	hipStream_t stream;
	CHECK(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	return stream;
}

static void bytes_come_back(void **state)
{
	(void)state;
	enum { SIZE = 1 << 20 };
	struct greta_hip *hip = load(false);
	hipStream_t stream = new_stream(hip);
	unsigned char *sent = malloc(SIZE), *got = calloc(1, SIZE), *pinned;
	void *first, *second, *seen;
	assert_true(sent && got);
	for (size_t i = 0; i < SIZE; i++)
		sent[i] = (unsigned char)(i * 131 >> 3);
	CHECK(hipMalloc(&first, SIZE));
	CHECK(hipMalloc(&second, SIZE));
	CHECK(hipHostMalloc((void **)&pinned, SIZE, hipHostMallocMapped | hipHostMallocCoherent));
	CHECK(hipMemcpy(first, sent, SIZE, hipMemcpyHostToDevice));
	CHECK(hipMemcpy(second, first, SIZE, hipMemcpyDeviceToDevice));
	CHECK(hipMemset(first, 0x33, SIZE));
	CHECK(hipMemcpy(got, second, SIZE, hipMemcpyDefault));
	assert_memory_equal(sent, got, SIZE);
	CHECK(hipMemcpyAsync(pinned, first, SIZE, hipMemcpyDeviceToHost, stream));
	CHECK(hipMemsetAsync(second, 0x44, SIZE / 2, stream));
	CHECK(hipMemcpyAsync(pinned + 1, second, 1, hipMemcpyDefault, stream));
	CHECK(hipStreamSynchronize(stream));
	assert_true(pinned[0] == 0x33 && pinned[1] == 0x44 && pinned[2] == 0x33 && pinned[SIZE - 1] == 0x33);
	CHECK(hipHostGetDevicePointer(&seen, pinned, 0));
	CHECK(hipMemcpy(got, sent, SIZE, hipMemcpyHostToHost));
	void *pages = aligned_alloc(4096, SIZE);
	assert_non_null(pages);
	CHECK(hipHostRegister(pages, SIZE, hipHostRegisterMapped));
	CHECK(hipMemcpyAsync(pages, first, SIZE, hipMemcpyDeviceToHost, stream));
	CHECK(hipStreamSynchronize(stream));
	assert_int_equal(((unsigned char *)pages)[SIZE - 1], 0x33);
	CHECK(hipHostUnregister(pages));
	free(pages);
	CHECK(hipHostFree(pinned));
	CHECK(hipFree(first));
	CHECK(hipFree(second));
	CHECK(hipStreamDestroy(stream));
	free(sent);
	free(got);
	greta_hip_unload(hip);
}

static void the_device_describes_itself(void **state)
{
	(void)state;
	struct greta_hip *hip = load(false);
	static const hipDeviceAttribute_t positive[] = { hipDeviceAttributeMultiprocessorCount, hipDeviceAttributeWarpSize,
		hipDeviceAttributeMaxThreadsPerBlock, hipDeviceAttributeMaxSharedMemoryPerBlock,
		hipDeviceAttributeMaxSharedMemoryPerMultiprocessor, hipDeviceAttributeL2CacheSize,
		hipDeviceAttributeMemoryBusWidth, hipDeviceAttributeMaxGridDimX, hipDeviceAttributeCanMapHostMemory };
	int value;
	size_t free_bytes, total;
	for (size_t i = 0; i < sizeof(positive) / sizeof(positive[0]); i++) {
		CHECK(hipDeviceGetAttribute(&value, positive[i], 0));
		assert_true(value > 0);
	}
	CHECK(hipDeviceGetAttribute(&value, hipDeviceAttributeWarpSize, 0));
	assert_true(value == 32 || value == 64);
	CHECK(hipDeviceGetAttribute(&value, hipDeviceAttributeMaxSharedMemoryPerBlock, 0));
	assert_in_range(value, 64 << 10, 1 << 20);
	CHECK(hipMemGetInfo(&free_bytes, &total));
	assert_true(free_bytes > 0 && free_bytes <= total && total > (size_t)1 << 30);
	assert_int_equal(hip->hipSetDevice(1000), hipErrorInvalidDevice);
	greta_hip_unload(hip);
}

static void events_are_in_order_and_timed(void **state)
{
	(void)state;
	struct greta_hip *hip = load(false);
	hipStream_t stream = new_stream(hip);
	hipEvent_t start, stop;
	void *memory;
	float ms = -1;
	CHECK(hipMalloc(&memory, 1 << 24));
	CHECK(hipEventCreateWithFlags(&start, hipEventDefault));
	CHECK(hipEventCreateWithFlags(&stop, hipEventDefault));
	CHECK(hipEventRecord(start, stream));
	CHECK(hipMemsetAsync(memory, 1, 1 << 24, stream));
	CHECK(hipEventRecord(stop, stream));
	CHECK(hipEventSynchronize(stop));
	CHECK(hipEventQuery(start));
	CHECK(hipEventElapsedTime(&ms, start, stop));
	assert_true(isfinite(ms) && ms > 0);
	CHECK(hipEventDestroy(start));
	CHECK(hipEventDestroy(stop));
	CHECK(hipFree(memory));
	CHECK(hipStreamDestroy(stream));
	greta_hip_unload(hip);
}

/* Two rows of COUNT words, from[i] = i, mixed back and forth NODES times. */
struct chain {
	const struct greta_hip *hip;
	hipFunction_t mix;
	hipStream_t stream;
	uint32_t *rows;
};

static void chain_enqueue(const struct chain *chain)
{
	const struct greta_hip *hip = chain->hip;
	for (uint32_t i = 0; i < NODES; i++) {
		struct device_mix args = { .from = chain->rows + i % 2 * COUNT, .to = chain->rows + (i + 1) % 2 * COUNT,
			.key = i, .count = COUNT };
		check(hip, launch(hip, chain->mix, COUNT / 256, 256, &args, sizeof(args), chain->stream), "launch",
		    __LINE__);
	}
}

static void chain_start(const struct chain *chain)
{
	const struct greta_hip *hip = chain->hip;
	uint32_t first[COUNT];
	for (uint32_t i = 0; i < COUNT; i++)
		first[i] = i;
	CHECK(hipMemcpy(chain->rows, first, sizeof(first), hipMemcpyHostToDevice));
	CHECK(hipMemset(chain->rows + COUNT, 0xee, sizeof(first)));
	CHECK(hipDeviceSynchronize());
}

static void chain_expect(const struct chain *chain, unsigned times)
{
	const struct greta_hip *hip = chain->hip;
	uint32_t expected[2][COUNT], got[COUNT];
	for (uint32_t i = 0; i < COUNT; i++)
		expected[0][i] = i;
	for (uint32_t n = 0; n < NODES * times; n++) {
		for (uint32_t i = 0; i < COUNT; i++)
			expected[(n + 1) % 2][i] = test_mixed(expected[n % 2][(7 * i + 1) % COUNT], n % NODES, i);
	}
	CHECK(hipStreamSynchronize(chain->stream));
	CHECK(hipMemcpy(got, chain->rows, sizeof(got), hipMemcpyDeviceToHost));
	assert_memory_equal(got, expected[0], sizeof(got));
}

_Static_assert(NODES % 2 == 0, "the chain ends in the row where it starts");

static void a_long_chain_gives_the_same_bits_eager_and_replayed(void **state)
{
	bool overlap = *(const bool *)*state;
	struct greta_hip *hip = load(overlap);
	hipModule_t module = load_kernels(hip, overlap);
	struct chain chain = { .hip = hip, .mix = function_of(hip, module, "mix"), .stream = new_stream(hip) };
	hipGraph_t graph;
	hipGraphExec_t exec;
	size_t nodes = 0;
	CHECK(hipMalloc((void **)&chain.rows, 2 * COUNT * sizeof(uint32_t)));
	chain_start(&chain);
	chain_enqueue(&chain);
	chain_expect(&chain, 1);
	chain_start(&chain);
	CHECK(hipStreamBeginCapture(chain.stream, hipStreamCaptureModeThreadLocal));
	chain_enqueue(&chain);
	CHECK(hipStreamEndCapture(chain.stream, &graph));
	CHECK(hipGraphGetNodes(graph, NULL, &nodes));
	assert_int_equal(nodes, NODES);
	CHECK(hipGraphInstantiate(&exec, graph, NULL, NULL, 0));
	CHECK(hipGraphDestroy(graph));
	for (int i = 0; i < 3; i++)
		CHECK(hipGraphLaunch(exec, chain.stream));
	chain_expect(&chain, 3);
	CHECK(hipGraphExecDestroy(exec));
	CHECK(hipFree(chain.rows));
	CHECK(hipStreamDestroy(chain.stream));
	CHECK(hipModuleUnload(module));
	greta_hip_unload(hip);
}

static void work_in_flight_is_not_ready(void **state)
{
	(void)state;
	struct greta_hip *hip = load(false);
	hipModule_t module = load_kernels(hip, false);
	hipFunction_t wait = function_of(hip, module, "wait");
	hipStream_t stream = new_stream(hip), other = new_stream(hip);
	hipEvent_t event;
	uint32_t *shared, got = 0;
	void *seen;
	CHECK(hipHostMalloc((void **)&shared, 4096, hipHostMallocMapped | hipHostMallocCoherent));
	CHECK(hipHostGetDevicePointer(&seen, shared, 0));
	CHECK(hipEventCreateWithFlags(&event, hipEventDisableTiming));
	memset(shared, 0, 4096);
	struct device_wait args = { .gate = seen, .out = (uint32_t *)seen + 1 };
	check(hip, launch(hip, wait, 1, 1, &args, sizeof(args), stream), "launch", __LINE__);
	CHECK(hipEventRecord(event, stream));
	CHECK(hipStreamWaitEvent(other, event, 0));
	hipError_t on_stream = hip->hipStreamQuery(stream), on_event = hip->hipEventQuery(event),
	    on_other = hip->hipStreamQuery(other);
	__atomic_store_n(shared, 42, __ATOMIC_RELEASE); /* before any assertion: nothing may be left spinning */
	CHECK(hipStreamSynchronize(other));
	got = __atomic_load_n(shared + 1, __ATOMIC_ACQUIRE);
	assert_int_equal(on_stream, hipErrorNotReady);
	assert_int_equal(on_event, hipErrorNotReady);
	assert_int_equal(on_other, hipErrorNotReady);
	assert_int_equal(got, 42);
	CHECK(hipStreamQuery(stream));
	CHECK(hipEventQuery(event));
	assert_int_equal(hip->hipGetLastError(), hipSuccess);
	CHECK(hipEventDestroy(event));
	CHECK(hipHostFree(shared));
	greta_hip_unload(hip);
}

static void an_illegal_call_invalidates_the_capture(void **state)
{
	(void)state;
	struct greta_hip *hip = load(false);
	hipModule_t module = load_kernels(hip, false);
	struct chain chain = { .hip = hip, .mix = function_of(hip, module, "mix"), .stream = new_stream(hip) };
	struct device_mix args = { .count = 1 };
	hipStreamCaptureStatus status;
	hipGraph_t graph = NULL;
	CHECK(hipMalloc((void **)&chain.rows, 2 * COUNT * sizeof(uint32_t)));
	args.from = chain.rows;
	args.to = chain.rows + COUNT;
	CHECK(hipStreamBeginCapture(chain.stream, hipStreamCaptureModeThreadLocal));
	CHECK(hipStreamIsCapturing(chain.stream, &status));
	assert_int_equal(status, hipStreamCaptureStatusActive);
	assert_int_equal(hip->hipStreamSynchronize(chain.stream), hipErrorStreamCaptureUnsupported);
	CHECK(hipStreamIsCapturing(chain.stream, &status));
	assert_int_equal(status, hipStreamCaptureStatusInvalidated);
	assert_int_equal(
	    launch(hip, chain.mix, 1, 1, &args, sizeof(args), chain.stream), hipErrorStreamCaptureInvalidated);
	assert_int_equal(hip->hipStreamEndCapture(chain.stream, &graph), hipErrorStreamCaptureInvalidated);
	assert_null(graph);
	CHECK(hipStreamIsCapturing(chain.stream, &status));
	assert_int_equal(status, hipStreamCaptureStatusNone);
	chain_start(&chain); /* and the stream is as good as new */
	chain_enqueue(&chain);
	chain_expect(&chain, 1);
	CHECK(hipFree(chain.rows));
	greta_hip_unload(hip);
}

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	struct greta_hip *hip = load(false);
	void *address = NULL;
	hipModule_t module, none;
	hipFunction_t function;
	struct device_mix args = { .count = 0 };
	struct greta_error error;
	hipError_t code = hip->hipMalloc(&address, (size_t)1 << 50);
	assert_int_equal(code, hipErrorOutOfMemory);
	assert_int_equal(greta_hip_fail(hip, code, &error, "hipMalloc"), GRETA_ERROR_MEMORY);
	assert_null(address);
	module = load_kernels(hip, false);
	assert_int_equal(hip->hipModuleGetFunction(&function, module, "absent"), hipErrorNotFound);
	assert_int_not_equal(hip->hipModuleLoadData(&none, "no code object at all, but text"), hipSuccess);
	assert_true(strlen(hip->detail()) > 0);
	function = function_of(hip, module, "mix");
	assert_int_equal(launch(hip, function, 1, 4096, &args, sizeof(args), NULL), hipErrorInvalidConfiguration);
	assert_int_equal(launch(hip, function, 0, 1, &args, sizeof(args), NULL), hipErrorInvalidConfiguration);
	hip->hipGetLastError();
	CHECK(hipFuncSetAttribute(function, hipFuncAttributeMaxDynamicSharedMemorySize, 64 << 10));
	CHECK(hipDeviceSynchronize());
	greta_hip_unload(hip);
}

static void *run_chain(void *argument)
{
	chain_enqueue(argument);
	return NULL;
}

static void another_thread_can_enqueue(void **state)
{
	(void)state;
	struct greta_hip *hip = load(false);
	hipModule_t module = load_kernels(hip, false);
	struct chain chain = { .hip = hip, .mix = function_of(hip, module, "mix"), .stream = new_stream(hip) };
	pthread_t thread;
	CHECK(hipMalloc((void **)&chain.rows, 2 * COUNT * sizeof(uint32_t)));
	chain_start(&chain);
	assert_int_equal(pthread_create(&thread, NULL, run_chain, &chain), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	chain_expect(&chain, 1);
	greta_hip_unload(hip); /* with all that is left */
}

/* The first provider of a GPU that answers; the others' reasons on stdout. */
static bool find_provider(void)
{
	static const char *const names[] = { "amd", "nvidia" };
	for (size_t i = 0; i < 2; i++) {
		struct greta_hip *hip;
		struct greta_error error;
		if (greta_hip_load(names[i], NULL, &hip, &error)) {
			printf("%s: %s\n", names[i], error.message);
			continue;
		}
		provider = names[i];
		bool named = greta_hip_architecture(hip, 0, architecture, &error) == GRETA_OK;
		printf("%s: %s\n", names[i], named ? architecture : error.message);
		greta_hip_unload(hip);
		return true;
	}
	return false;
}

int main(void)
{
	static bool plain = false, overlap = true;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_back),
		cmocka_unit_test(the_device_describes_itself),
		cmocka_unit_test(events_are_in_order_and_timed),
		cmocka_unit_test_prestate(a_long_chain_gives_the_same_bits_eager_and_replayed, &plain),
		{ "the_same_with_launches_that_overlap", a_long_chain_gives_the_same_bits_eager_and_replayed, NULL, NULL,
		  &overlap },
		cmocka_unit_test(work_in_flight_is_not_ready),
		cmocka_unit_test(an_illegal_call_invalidates_the_capture),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(another_thread_can_enqueue),
	};
	if (!find_provider())
		return SKIP_CODE;
	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
