#include "tests/provider/fake_cuda.h"

#include <string.h>

extern struct fake_cuda fake_cuda;
struct fake_cuda fake_cuda = { .version = 12040, .devices = 2 };

#define FAKE_DECLARE(member, name, parameters) int name parameters;
GRETA_CUDA_CALLS(FAKE_DECLARE)
GRETA_CUDA_LATER_CALLS(FAKE_DECLARE)
#undef FAKE_DECLARE

static int note(const char *name, size_t count, const uint64_t *args)
{
	fake_cuda.calls++;
	fake_cuda.name = name;
	memset(fake_cuda.args, 0, sizeof(fake_cuda.args));
	memcpy(fake_cuda.args, args, count * sizeof(*args));
	return fake_cuda.failing && !strcmp(fake_cuda.failing, name) ? fake_cuda.result : GRETA_CUDA_SUCCESS;
}

#define NOTE(...) \
	note(__func__, sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t), (uint64_t[]){ __VA_ARGS__ })
#define P(pointer) ((uint64_t)(uintptr_t)(pointer))
/* A call that creates: gives out the handle unless it fails. */
#define CREATE(out, ...) \
	int result = NOTE(__VA_ARGS__); \
	if (!result) \
		*(out) = (void *)FAKE_HANDLE; \
	return result

int cuInit(unsigned flags)
{
	return NOTE(flags);
}

int cuDriverGetVersion(int *out_version)
{
	*out_version = fake_cuda.version;
	return NOTE(1);
}

int cuGetErrorName(int result, const char **out_text)
{
	*out_text = result == 715 ? "CUDA_ERROR_ILLEGAL_INSTRUCTION" : result == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR";
	return GRETA_CUDA_SUCCESS;
}

int cuGetErrorString(int result, const char **out_text)
{
	*out_text = result == 715 ? "an illegal instruction was encountered" : "a text of CUDA's";
	return GRETA_CUDA_SUCCESS;
}

int cuDeviceGetCount(int *out_count)
{
	*out_count = fake_cuda.devices;
	return NOTE(1);
}

int cuDeviceGet(int *out_device, int ordinal)
{
	*out_device = 100 + ordinal;
	return NOTE(1, (uint64_t)ordinal);
}

int cuDeviceGetName(char *out_name, int size, int device)
{
	strncpy(out_name, "Fake GPU", (size_t)size);
	return NOTE(1, (uint64_t)size, (uint64_t)device);
}

int cuDeviceGetAttribute(int *out_value, int attribute, int device)
{
	int value = FAKE_ATTRIBUTE(device - 100, attribute);
	*out_value = attribute == GRETA_CUDA_COMPUTE_CAPABILITY_MAJOR ? 9 :
	    attribute == GRETA_CUDA_COMPUTE_CAPABILITY_MINOR ? 0 : value;
	return NOTE(1, (uint64_t)attribute, (uint64_t)device);
}

int cuDevicePrimaryCtxRetain(struct greta_cuda_context **out_context, int device)
{
	static char contexts[64];
	fake_cuda.retained++;
	*out_context = (struct greta_cuda_context *)(void *)&contexts[device - 100];
	return NOTE(1, (uint64_t)device);
}

int cuDevicePrimaryCtxRelease_v2(int device)
{
	fake_cuda.released++;
	return NOTE((uint64_t)device);
}

int cuCtxSetCurrent(struct greta_cuda_context *context)
{
	fake_cuda.set_current++;
	return NOTE(P(context));
}

int cuCtxSynchronize(void)
{
	fake_cuda.synchronized++;
	return NOTE(0);
}

int cuMemGetInfo_v2(size_t *out_free, size_t *out_total)
{
	*out_free = 3;
	*out_total = 4;
	return NOTE(1, 1);
}

int cuMemAlloc_v2(void **out_address, size_t size)
{
	CREATE(out_address, 1, size);
}

int cuMemFree_v2(void *address)
{
	return NOTE(P(address));
}

int cuMemHostAlloc(void **out_address, size_t size, unsigned flags)
{
	CREATE(out_address, 1, size, flags);
}

int cuMemFreeHost(void *address)
{
	return NOTE(P(address));
}

int cuMemHostRegister_v2(void *address, size_t size, unsigned flags)
{
	return NOTE(P(address), size, flags);
}

int cuMemHostUnregister(void *address)
{
	return NOTE(P(address));
}

int cuMemHostGetDevicePointer_v2(void **out_address, void *host, unsigned flags)
{
	CREATE(out_address, 1, P(host), flags);
}

int cuMemcpy(void *to, const void *from, size_t size)
{
	return NOTE(P(to), P(from), size);
}

int cuMemcpyHtoD_v2(void *to, const void *from, size_t size)
{
	return NOTE(P(to), P(from), size);
}

int cuMemcpyDtoH_v2(void *to, const void *from, size_t size)
{
	return NOTE(P(to), P(from), size);
}

int cuMemcpyDtoD_v2(void *to, const void *from, size_t size)
{
	return NOTE(P(to), P(from), size);
}

int cuMemcpyAsync(void *to, const void *from, size_t size, hipStream_t stream)
{
	return NOTE(P(to), P(from), size, P(stream));
}

int cuMemcpyHtoDAsync_v2(void *to, const void *from, size_t size, hipStream_t stream)
{
	return NOTE(P(to), P(from), size, P(stream));
}

int cuMemcpyDtoHAsync_v2(void *to, const void *from, size_t size, hipStream_t stream)
{
	return NOTE(P(to), P(from), size, P(stream));
}

int cuMemcpyDtoDAsync_v2(void *to, const void *from, size_t size, hipStream_t stream)
{
	return NOTE(P(to), P(from), size, P(stream));
}

int cuMemsetD8_v2(void *to, unsigned char value, size_t size)
{
	return NOTE(P(to), value, size);
}

int cuMemsetD8Async(void *to, unsigned char value, size_t size, hipStream_t stream)
{
	return NOTE(P(to), value, size, P(stream));
}

int cuStreamCreate(hipStream_t *out_stream, unsigned flags)
{
	CREATE(out_stream, 1, flags);
}

int cuStreamDestroy_v2(hipStream_t stream)
{
	return NOTE(P(stream));
}

int cuStreamSynchronize(hipStream_t stream)
{
	return NOTE(P(stream));
}

int cuStreamQuery(hipStream_t stream)
{
	return NOTE(P(stream));
}

int cuStreamWaitEvent(hipStream_t stream, hipEvent_t event, unsigned flags)
{
	return NOTE(P(stream), P(event), flags);
}

int cuStreamBeginCapture_v2(hipStream_t stream, int mode)
{
	return NOTE(P(stream), (uint64_t)mode);
}

int cuStreamEndCapture(hipStream_t stream, hipGraph_t *out_graph)
{
	CREATE(out_graph, P(stream), 1);
}

int cuStreamIsCapturing(hipStream_t stream, int *out_status)
{
	*out_status = fake_cuda.capture_status;
	return NOTE(P(stream), 1);
}

int cuEventCreate(hipEvent_t *out_event, unsigned flags)
{
	CREATE(out_event, 1, flags);
}

int cuEventDestroy_v2(hipEvent_t event)
{
	return NOTE(P(event));
}

int cuEventRecord(hipEvent_t event, hipStream_t stream)
{
	return NOTE(P(event), P(stream));
}

int cuEventSynchronize(hipEvent_t event)
{
	return NOTE(P(event));
}

int cuEventQuery(hipEvent_t event)
{
	return NOTE(P(event));
}

int cuEventElapsedTime(float *out_ms, hipEvent_t start, hipEvent_t stop)
{
	*out_ms = 1.5f;
	return NOTE(1, P(start), P(stop));
}

int cuGraphInstantiateWithFlags(hipGraphExec_t *out_exec, hipGraph_t graph, unsigned long long flags)
{
	CREATE(out_exec, 1, P(graph), flags);
}

int cuGraphGetNodes(hipGraph_t graph, hipGraphNode_t *out_nodes, size_t *inout_count)
{
	*inout_count = 12;
	return NOTE(P(graph), P(out_nodes), 1);
}

int cuGraphLaunch(hipGraphExec_t exec, hipStream_t stream)
{
	return NOTE(P(exec), P(stream));
}

int cuGraphDestroy(hipGraph_t graph)
{
	return NOTE(P(graph));
}

int cuGraphExecDestroy(hipGraphExec_t exec)
{
	return NOTE(P(exec));
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the signature is CUDA's */
int cuModuleLoadDataEx(hipModule_t *out_module, const void *image, unsigned option_count, int *options, void **values)
{
	for (unsigned i = 0; fake_cuda.log && i < option_count; i++) {
		if (options[i] == GRETA_CUDA_JIT_ERROR_LOG_BUFFER)
			memcpy(values[i], fake_cuda.log, strlen(fake_cuda.log) + 1);
	}
	CREATE(out_module, 1, P(image), option_count);
}

int cuModuleUnload(hipModule_t module)
{
	return NOTE(P(module));
}

int cuModuleGetFunction(hipFunction_t *out_function, hipModule_t module, const char *name)
{
	CREATE(out_function, 1, P(module), P(name));
}

int cuFuncGetAttribute(int *out_value, int attribute, hipFunction_t function)
{
	*out_value = attribute == GRETA_CUDA_PTX_VERSION ? fake_cuda.architecture : 1000;
	return NOTE(1, (uint64_t)attribute, P(function));
}

int cuFuncSetAttribute(hipFunction_t function, int attribute, int value)
{
	return NOTE(P(function), (uint64_t)attribute, (uint64_t)value);
}

static void keep_extra(void **extra)
{
	memset(fake_cuda.extra, 0xff, sizeof(fake_cuda.extra));
	for (size_t i = 0; extra && i < 5; i++) {
		fake_cuda.extra[i] = extra[i];
		if (i % 2 == 0 && extra[i] == GRETA_CUDA_LAUNCH_PARAM_END)
			break;
	}
}

int cuLaunchKernel(hipFunction_t function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
    unsigned block_y, unsigned block_z, unsigned shared_bytes, hipStream_t stream, void **params, void **extra)
{
	keep_extra(extra);
	return NOTE(P(function), grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes, P(stream), P(params));
}

#ifndef FAKE_CUDA_11
int cuFuncLoad(hipFunction_t function)
{
	fake_cuda.loaded++;
	return NOTE(P(function));
}

int cuLaunchKernelEx(const struct greta_cuda_launch_config *config, hipFunction_t function, void **params, void **extra)
{
	keep_extra(extra);
	fake_cuda.config = *config;
	if (config->attribute_count == 1)
		fake_cuda.attribute = *config->attributes;
	return NOTE(1, P(function), P(params));
}
#endif
