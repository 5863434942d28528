/* The nvidia provider: what each HIP call becomes in CUDA's terms, seen by a fake driver that notes its calls. */
#include "tests/provider/cuda_fixture.h"

#include <string.h>

static const hipStream_t stream = (hipStream_t)0x5100;
static const hipEvent_t event = (hipEvent_t)0xe100, other_event = (hipEvent_t)0xe200;

static void codes_and_their_texts(void **state)
{
	(void)state;
	struct fake fake;
	void *address = &fake;
	fake_init(&fake, FAKE_CUDA, false);
	fake.state->failing = "cuMemAlloc_v2";
	/* a code of HIP's list keeps HIP's words, one beyond it has CUDA's */
	fake.state->result = 2;
	assert_int_equal(fake.hip->hipMalloc(&address, 4096), hipErrorOutOfMemory);
	assert_ptr_equal(address, &fake);
	assert_string_equal(fake.hip->detail(), "cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY, 4096 bytes");
	assert_string_equal(fake.hip->hipGetErrorName(hipErrorOutOfMemory), "hipErrorOutOfMemory");
	fake.state->result = 715;
	assert_int_equal(fake.hip->hipMalloc(&address, 4096), 715);
	assert_string_equal(fake.hip->hipGetErrorName((hipError_t)715), "CUDA_ERROR_ILLEGAL_INSTRUCTION");
	assert_string_equal(fake.hip->hipGetErrorString((hipError_t)715), "an illegal instruction was encountered");
	assert_string_equal(fake.hip->hipGetErrorName(hipErrorUnknown), "hipErrorUnknown");
	assert_int_equal(fake.hip->hipGetLastError(), 715);
	assert_int_equal(fake.hip->hipGetLastError(), hipSuccess);
	fake.state->result = 36;
	assert_int_equal(fake.hip->hipMalloc(&address, 4096), hipErrorInsufficientDriver);
	assert_int_equal(fake.hip->hipGetLastError(), hipErrorInsufficientDriver);
	fake.state->failing = "cuStreamQuery";
	fake.state->result = 600;
	assert_int_equal(fake.hip->hipStreamQuery(stream), hipErrorNotReady);
	assert_int_equal(fake.hip->hipGetLastError(), hipSuccess); /* an answer, no error */
	fake_finish(&fake);
}

static void attributes_have_cudas_numbers(void **state)
{
	(void)state;
	static const struct {
		hipDeviceAttribute_t hip;
		int cuda;
	} expected[] = {
		{ hipDeviceAttributeCanMapHostMemory, 19 }, { hipDeviceAttributeClockRate, 13 },
		{ hipDeviceAttributeConcurrentKernels, 31 }, { hipDeviceAttributeCooperativeLaunch, 95 },
		{ hipDeviceAttributeIntegrated, 18 }, { hipDeviceAttributeL2CacheSize, 38 },
		{ hipDeviceAttributeMaxBlockDimX, 2 }, { hipDeviceAttributeMaxBlockDimY, 3 },
		{ hipDeviceAttributeMaxBlockDimZ, 4 }, { hipDeviceAttributeMaxGridDimX, 5 },
		{ hipDeviceAttributeMaxGridDimY, 6 }, { hipDeviceAttributeMaxGridDimZ, 7 },
		{ hipDeviceAttributeMaxThreadsPerBlock, 1 }, { hipDeviceAttributeMaxThreadsPerMultiProcessor, 39 },
		{ hipDeviceAttributeMemoryBusWidth, 37 }, { hipDeviceAttributeMemoryClockRate, 36 },
		{ hipDeviceAttributeMultiprocessorCount, 16 }, { hipDeviceAttributePageableMemoryAccess, 88 },
		{ hipDeviceAttributeMaxSharedMemoryPerBlock, 97 }, { hipDeviceAttributeUnifiedAddressing, 41 },
		{ hipDeviceAttributeWarpSize, 10 }, { hipDeviceAttributeMaxSharedMemoryPerMultiprocessor, 81 },
	};
	struct fake fake;
	int value;
	char name[GRETA_HIP_ARCHITECTURE_MAX], text[64];
	struct greta_error error;
	fake_init(&fake, FAKE_CUDA, false);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_hip(fake.hip->hipDeviceGetAttribute(&value, expected[i].hip, 1));
		assert_int_equal(value, FAKE_ATTRIBUTE(1, expected[i].cuda));
	}
	assert_hip(fake.hip->hipDeviceGetAttribute(&value, hipDeviceAttributeComputeCapabilityMajor, 0));
	assert_int_equal(value, 9);
	assert_hip(fake.hip->hipDeviceGetAttribute(&value, hipDeviceAttributeWallClockRate, 0));
	assert_int_equal(value, 1000000);
	assert_int_equal(greta_hip_architecture(fake.hip, 1, name, &error), GRETA_OK);
	assert_string_equal(name, "sm_90");
	assert_int_equal(greta_hip_architecture(fake.hip, 2, name, &error), GRETA_ERROR_DEVICE);
	assert_non_null(strstr(error.message, "no device 2: there are 2"));
	assert_int_equal(fake.hip->hipDeviceGetAttribute(&value, (hipDeviceAttribute_t)9998, 0), hipErrorInvalidValue);
	assert_int_equal(fake.hip->hipDeviceGetAttribute(&value, hipDeviceAttributeWarpSize, 2), hipErrorInvalidDevice);
	assert_hip(fake.hip->hipDeviceGetName(text, sizeof(text), 1));
	CALLED(&fake, "cuDeviceGetName", 1, sizeof(text), 101);
	assert_hip(fake.hip->hipGetDeviceCount(&value));
	assert_int_equal(value, 2);
	assert_hip(fake.hip->hipDriverGetVersion(&value));
	assert_int_equal(value, 12040);
	assert_hip(fake.hip->hipInit(0));
	assert_int_equal(fake.state->retained, 0); /* asking takes no context */
	fake_finish(&fake);
}

static void memory_calls(void **state)
{
	(void)state;
	struct fake fake;
	void *address;
	size_t free_bytes, total;
	fake_init(&fake, FAKE_CUDA, false);
	assert_hip(fake.hip->hipMalloc(&address, 77));
	CALLED(&fake, "cuMemAlloc_v2", 1, 77);
	assert_ptr_equal(address, HANDLE(void *));
	assert_hip(fake.hip->hipFree(address));
	CALLED(&fake, "cuMemFree_v2", FAKE_HANDLE);
	assert_hip(fake.hip->hipHostMalloc(&address, 88, hipHostMallocMapped | hipHostMallocCoherent));
	CALLED(&fake, "cuMemHostAlloc", 1, 88, 2);
	assert_hip(fake.hip->hipHostGetDevicePointer(&address, &fake, 0));
	CALLED(&fake, "cuMemHostGetDevicePointer_v2", 1, P(&fake), 0);
	assert_ptr_equal(address, HANDLE(void *));
	assert_hip(fake.hip->hipHostFree(address));
	CALLED(&fake, "cuMemFreeHost", FAKE_HANDLE);
	assert_hip(fake.hip->hipHostRegister(&fake, 4096, hipHostRegisterPortable | hipHostRegisterMapped));
	CALLED(&fake, "cuMemHostRegister_v2", P(&fake), 4096, 3);
	assert_hip(fake.hip->hipHostUnregister(&fake));
	CALLED(&fake, "cuMemHostUnregister", P(&fake));
	assert_hip(fake.hip->hipMemGetInfo(&free_bytes, &total));
	assert_true(free_bytes == 3 && total == 4);
	assert_hip(fake.hip->hipMemset((void *)16, 0x1ff, 9));
	CALLED(&fake, "cuMemsetD8_v2", 16, 0xff, 9);
	assert_hip(fake.hip->hipMemsetAsync((void *)16, 3, 9, stream));
	CALLED(&fake, "cuMemsetD8Async", 16, 3, 9, P(stream));
	unsigned calls = fake.state->calls;
	assert_hip(fake.hip->hipMalloc(&address, 0));
	assert_null(address);
	assert_hip(fake.hip->hipFree(NULL));
	assert_hip(fake.hip->hipHostFree(NULL));
	assert_hip(fake.hip->hipMemset(NULL, 0, 0));
	assert_int_equal(fake.hip->hipMalloc(NULL, 8), hipErrorInvalidValue);
	assert_int_equal(fake.hip->hipHostMalloc(&address, 8, 0x100), hipErrorInvalidValue);
	assert_int_equal(fake.hip->hipHostRegister(&fake, 8, 8), hipErrorInvalidValue);
	assert_int_equal(fake.state->calls, calls);
	fake_finish(&fake);
}

static void copies_in_each_direction(void **state)
{
	(void)state;
	static const struct {
		hipMemcpyKind kind;
		const char *now, *later;
	} kinds[] = {
		{ hipMemcpyHostToHost, "cuMemcpy", "cuMemcpyAsync" },
		{ hipMemcpyHostToDevice, "cuMemcpyHtoD_v2", "cuMemcpyHtoDAsync_v2" },
		{ hipMemcpyDeviceToHost, "cuMemcpyDtoH_v2", "cuMemcpyDtoHAsync_v2" },
		{ hipMemcpyDeviceToDevice, "cuMemcpyDtoD_v2", "cuMemcpyDtoDAsync_v2" },
		{ hipMemcpyDefault, "cuMemcpy", "cuMemcpyAsync" },
	};
	struct fake fake;
	fake_init(&fake, FAKE_CUDA, false);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		assert_hip(fake.hip->hipMemcpy((void *)0x100, (void *)0x200, 30, kinds[i].kind));
		CALLED(&fake, kinds[i].now, 0x100, 0x200, 30);
		assert_hip(fake.hip->hipMemcpyAsync((void *)0x100, (void *)0x200, 30, kinds[i].kind, stream));
		CALLED(&fake, kinds[i].later, 0x100, 0x200, 30, P(stream));
	}
	unsigned calls = fake.state->calls;
	assert_hip(fake.hip->hipMemcpy(NULL, NULL, 0, hipMemcpyDefault));
	assert_int_equal(
	    fake.hip->hipMemcpy((void *)1, (void *)2, 3, (hipMemcpyKind)5), hipErrorInvalidMemcpyDirection);
	assert_int_equal(fake.hip->hipMemcpyAsync((void *)1, (void *)2, 3, (hipMemcpyKind)5, stream),
	    hipErrorInvalidMemcpyDirection);
	assert_int_equal(fake.state->calls, calls);
	fake_finish(&fake);
}

static void streams_and_events(void **state)
{
	(void)state;
	struct fake fake;
	hipStream_t new_stream;
	hipEvent_t new_event;
	float ms;
	fake_init(&fake, FAKE_CUDA, false);
	assert_hip(fake.hip->hipStreamCreateWithFlags(&new_stream, hipStreamNonBlocking));
	CALLED(&fake, "cuStreamCreate", 1, 1);
	assert_ptr_equal(new_stream, HANDLE(hipStream_t));
	assert_hip(fake.hip->hipStreamSynchronize(stream));
	CALLED(&fake, "cuStreamSynchronize", P(stream));
	assert_hip(fake.hip->hipStreamQuery(stream));
	CALLED(&fake, "cuStreamQuery", P(stream));
	assert_hip(fake.hip->hipStreamWaitEvent(stream, event, 0));
	CALLED(&fake, "cuStreamWaitEvent", P(stream), P(event), 0);
	assert_hip(fake.hip->hipStreamDestroy(stream));
	CALLED(&fake, "cuStreamDestroy_v2", P(stream));
	assert_int_equal(fake.hip->hipStreamDestroy(NULL), hipErrorInvalidHandle);
	assert_hip(fake.hip->hipEventCreateWithFlags(&new_event, hipEventDisableTiming));
	CALLED(&fake, "cuEventCreate", 1, 2);
	assert_hip(fake.hip->hipEventRecord(event, stream));
	CALLED(&fake, "cuEventRecord", P(event), P(stream));
	assert_hip(fake.hip->hipEventQuery(event));
	CALLED(&fake, "cuEventQuery", P(event));
	assert_hip(fake.hip->hipEventSynchronize(event));
	CALLED(&fake, "cuEventSynchronize", P(event));
	assert_hip(fake.hip->hipEventElapsedTime(&ms, event, other_event));
	CALLED(&fake, "cuEventElapsedTime", 1, P(event), P(other_event));
	assert_true(ms == 1.5f);
	assert_hip(fake.hip->hipEventDestroy(event));
	CALLED(&fake, "cuEventDestroy_v2", P(event));
	fake_finish(&fake);
}

static void capture_and_graphs(void **state)
{
	(void)state;
	struct fake fake;
	hipGraph_t graph = NULL;
	hipGraphExec_t exec;
	hipGraphNode_t node = (hipGraphNode_t)1;
	hipStreamCaptureStatus status;
	char log[8] = "old";
	size_t count = 0;
	fake_init(&fake, FAKE_CUDA, false);
	assert_hip(fake.hip->hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal));
	CALLED(&fake, "cuStreamBeginCapture_v2", P(stream), 1);
	fake.state->capture_status = 2;
	assert_hip(fake.hip->hipStreamIsCapturing(stream, &status));
	CALLED(&fake, "cuStreamIsCapturing", P(stream), 1);
	assert_int_equal(status, hipStreamCaptureStatusInvalidated);
	fake.state->failing = "cuStreamEndCapture";
	fake.state->result = 901;
	assert_int_equal(fake.hip->hipStreamEndCapture(stream, &graph), hipErrorStreamCaptureInvalidated);
	assert_null(graph);
	fake.state->failing = NULL;
	assert_hip(fake.hip->hipStreamEndCapture(stream, &graph));
	assert_ptr_equal(graph, HANDLE(hipGraph_t));
	assert_hip(fake.hip->hipGraphGetNodes(graph, NULL, &count));
	assert_int_equal(count, 12);
	assert_hip(fake.hip->hipGraphInstantiate(&exec, graph, &node, log, sizeof(log)));
	CALLED(&fake, "cuGraphInstantiateWithFlags", 1, FAKE_HANDLE, 0);
	assert_null(node);
	assert_string_equal(log, "");
	assert_hip(fake.hip->hipGraphLaunch(exec, stream));
	CALLED(&fake, "cuGraphLaunch", FAKE_HANDLE, P(stream));
	assert_hip(fake.hip->hipGraphExecDestroy(exec));
	CALLED(&fake, "cuGraphExecDestroy", FAKE_HANDLE);
	assert_hip(fake.hip->hipGraphDestroy(graph));
	CALLED(&fake, "cuGraphDestroy", FAKE_HANDLE);
	fake_finish(&fake);
}

static void modules(void **state)
{
	(void)state;
	struct fake fake;
	hipModule_t module;
	hipFunction_t function;
	static const char image[] = "image";
	fake_init(&fake, FAKE_CUDA, false);
	assert_hip(fake.hip->hipModuleLoadData(&module, image));
	CALLED(&fake, "cuModuleLoadDataEx", 1, P(image), 2);
	assert_hip(fake.hip->hipModuleGetFunction(&function, module, "name"));
	assert_int_equal(fake.state->loaded, 1); /* nothing is left to load lazily */
	CALLED(&fake, "cuFuncLoad", FAKE_HANDLE);
	assert_hip(fake.hip->hipFuncSetAttribute(function, hipFuncAttributeMaxDynamicSharedMemorySize, 99999));
	CALLED(&fake, "cuFuncSetAttribute", FAKE_HANDLE, 8, 99999);
	assert_int_equal(fake.hip->hipFuncSetAttribute(function, (hipFuncAttribute)9, 1), hipErrorInvalidValue);
	assert_hip(fake.hip->hipModuleUnload(module));
	CALLED(&fake, "cuModuleUnload", FAKE_HANDLE);
	fake.state->failing = "cuModuleLoadDataEx";
	fake.state->result = 209;
	fake.state->log = "ptxas, line 3: no such thing\nmore";
	assert_int_equal(fake.hip->hipModuleLoadData(&module, image), hipErrorNoBinaryForGpu);
	assert_non_null(strstr(fake.hip->detail(), "line 3: no such thing"));
	assert_null(strstr(fake.hip->detail(), "more"));
	fake.state->failing = "cuModuleGetFunction";
	fake.state->result = 500;
	assert_int_equal(fake.hip->hipModuleGetFunction(&function, module, "absent"), hipErrorNotFound);
	assert_non_null(strstr(fake.hip->detail(), "absent"));
	fake_finish(&fake);
}

static void launches(void **state)
{
	(void)state;
	struct fake fake;
	char args[24];
	size_t size = sizeof(args);
	void *params[1], *bad[] = { (void *)7, args, HIP_LAUNCH_PARAM_END };
	void *extra[] = { HIP_LAUNCH_PARAM_BUFFER_POINTER, args, HIP_LAUNCH_PARAM_BUFFER_SIZE, &size, HIP_LAUNCH_PARAM_END };
	hipFunction_t function = HANDLE(hipFunction_t);
	fake_init(&fake, FAKE_CUDA, false);
	assert_hip(fake.hip->hipModuleLaunchKernel(function, 1, 2, 3, 4, 5, 6, 7, stream, NULL, extra));
	CALLED(&fake, "cuLaunchKernel", FAKE_HANDLE, 1, 2, 3, 4, 5, 6, 7, P(stream), 0);
	assert_ptr_equal(fake.state->extra[0], (void *)1);
	assert_ptr_equal(fake.state->extra[1], args);
	assert_ptr_equal(fake.state->extra[2], (void *)2);
	assert_ptr_equal(fake.state->extra[3], &size);
	assert_null(fake.state->extra[4]); /* CUDA's end is not HIP's */
	assert_hip(fake.hip->hipModuleLaunchKernel(function, 1, 2, 3, 4, 5, 6, 7, stream, params, NULL));
	CALLED(&fake, "cuLaunchKernel", FAKE_HANDLE, 1, 2, 3, 4, 5, 6, 7, P(stream), P(params));
	assert_int_equal(fake.hip->hipModuleLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, stream, NULL, bad),
	    hipErrorInvalidValue);
	assert_int_equal(fake.hip->hipModuleLaunchKernel(NULL, 1, 1, 1, 1, 1, 1, 0, stream, NULL, extra),
	    hipErrorInvalidHandle);
	/* CUDA calls a bad shape an invalid argument; attribute N of the fake device is 1000 + N */
	fake.state->failing = "cuLaunchKernel";
	fake.state->result = 1;
	assert_int_equal(fake.hip->hipModuleLaunchKernel(function, 0, 1, 1, 1, 1, 1, 0, stream, NULL, extra),
	    hipErrorInvalidConfiguration);
	assert_int_equal(fake.hip->hipModuleLaunchKernel(function, 1, 1, 1, 1002, 1, 1, 0, stream, NULL, extra),
	    hipErrorInvalidConfiguration);
	assert_non_null(strstr(fake.hip->detail(), "1002"));
	assert_int_equal(fake.hip->hipModuleLaunchKernel(function, 1, 1, 1, 1001, 1, 1, 0, stream, NULL, extra),
	    hipErrorInvalidValue);
	fake_finish(&fake);
}

static void overlapping_launches_are_marked(void **state)
{
	(void)state;
	struct fake fake;
	char args[24];
	size_t size = sizeof(args);
	void *extra[] = { HIP_LAUNCH_PARAM_BUFFER_POINTER, args, HIP_LAUNCH_PARAM_BUFFER_SIZE, &size, HIP_LAUNCH_PARAM_END };
	fake_init(&fake, FAKE_CUDA, true);
	fake.state->architecture = 90;
	assert_hip(fake.hip->hipModuleLaunchKernel(HANDLE(hipFunction_t), 1, 2, 3, 4, 5, 6, 7, stream, NULL, extra));
	CALLED(&fake, "cuLaunchKernelEx", 1, FAKE_HANDLE, 0);
	const struct greta_cuda_launch_config *config = &fake.state->config;
	assert_true(config->grid_x == 1 && config->grid_y == 2 && config->grid_z == 3 && config->block_x == 4 &&
	    config->block_y == 5 && config->block_z == 6 && config->shared_bytes == 7 && config->stream == stream);
	assert_int_equal(config->attribute_count, 1);
	assert_int_equal(fake.state->attribute.id, 6);
	assert_int_equal(fake.state->attribute.value.allowed, 1);
	assert_ptr_equal(fake.state->extra[3], &size);
	assert_null(fake.state->extra[4]);
	/* a kernel that cannot wait by itself is waited for */
	fake.state->architecture = 89;
	assert_hip(fake.hip->hipModuleLaunchKernel(HANDLE(hipFunction_t), 1, 2, 3, 4, 5, 6, 7, stream, NULL, extra));
	CALLED(&fake, "cuLaunchKernel", FAKE_HANDLE, 1, 2, 3, 4, 5, 6, 7, P(stream), 0);
	fake.state->failing = "cuFuncGetAttribute";
	fake.state->result = 1;
	fake.state->architecture = 90;
	assert_hip(fake.hip->hipModuleLaunchKernel(HANDLE(hipFunction_t), 1, 2, 3, 4, 5, 6, 7, stream, NULL, extra));
	CALLED(&fake, "cuLaunchKernel", FAKE_HANDLE, 1, 2, 3, 4, 5, 6, 7, P(stream), 0);
	fake_finish(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_and_their_texts),
		cmocka_unit_test(attributes_have_cudas_numbers),
		cmocka_unit_test(memory_calls),
		cmocka_unit_test(copies_in_each_direction),
		cmocka_unit_test(streams_and_events),
		cmocka_unit_test(capture_and_graphs),
		cmocka_unit_test(modules),
		cmocka_unit_test(launches),
		cmocka_unit_test(overlapping_launches_are_marked),
	};
	return cmocka_run_group_tests_name("nvidia", tests, NULL, NULL);
}
