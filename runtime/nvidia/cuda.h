/* What this project uses of the CUDA driver API, declared anew: functions with the names under which libcuda exports
 * the version meant, and numbers (CUDA 11.4 to 13). CUDA's handles are pointers like HIP's and travel as those, and so
 * do its device addresses, which it declares as integers of that size; a device is an int, a result as well.
 * tests/provider/check_cuda.c holds this against CUDA's own header where there is one. */
#ifndef GRETA_NVIDIA_CUDA_H
#define GRETA_NVIDIA_CUDA_H

#include "runtime/hip.h"

#include <stdint.h>

struct greta_cuda_context;

/* Results that are treated by name. */
enum greta_cuda_result {
	GRETA_CUDA_SUCCESS = 0,
	GRETA_CUDA_INVALID_VALUE = 1,
	GRETA_CUDA_STUB_LIBRARY = 34, /* the library for linking where there is no driver, found at run time */
	GRETA_CUDA_NEWER_DRIVER_NEEDED = 36,
	GRETA_CUDA_NOT_READY = 600,
};

enum greta_cuda_attribute {
	GRETA_CUDA_MAX_THREADS_PER_BLOCK = 1,
	GRETA_CUDA_MAX_BLOCK_DIM_X = 2,
	GRETA_CUDA_MAX_BLOCK_DIM_Y = 3,
	GRETA_CUDA_MAX_BLOCK_DIM_Z = 4,
	GRETA_CUDA_MAX_GRID_DIM_X = 5,
	GRETA_CUDA_MAX_GRID_DIM_Y = 6,
	GRETA_CUDA_MAX_GRID_DIM_Z = 7,
	GRETA_CUDA_WARP_SIZE = 10,
	GRETA_CUDA_CLOCK_RATE = 13,
	GRETA_CUDA_MULTIPROCESSOR_COUNT = 16,
	GRETA_CUDA_INTEGRATED = 18,
	GRETA_CUDA_CAN_MAP_HOST_MEMORY = 19,
	GRETA_CUDA_CONCURRENT_KERNELS = 31,
	GRETA_CUDA_MEMORY_CLOCK_RATE = 36,
	GRETA_CUDA_GLOBAL_MEMORY_BUS_WIDTH = 37,
	GRETA_CUDA_L2_CACHE_SIZE = 38,
	GRETA_CUDA_MAX_THREADS_PER_MULTIPROCESSOR = 39,
	GRETA_CUDA_UNIFIED_ADDRESSING = 41,
	GRETA_CUDA_COMPUTE_CAPABILITY_MAJOR = 75,
	GRETA_CUDA_COMPUTE_CAPABILITY_MINOR = 76,
	GRETA_CUDA_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR = 81,
	GRETA_CUDA_PAGEABLE_MEMORY_ACCESS = 88,
	GRETA_CUDA_COOPERATIVE_LAUNCH = 95,
	GRETA_CUDA_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97,
};

enum greta_cuda_jit_option {
	GRETA_CUDA_JIT_ERROR_LOG_BUFFER = 5,
	GRETA_CUDA_JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 6,
};

enum greta_cuda_function_attribute {
	GRETA_CUDA_PTX_VERSION = 5,
	GRETA_CUDA_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8,
};

/* Keys of a launch's `extra` list. The first two are HIP's; the end is 0 here and 3 in HIP. */
#define GRETA_CUDA_LAUNCH_PARAM_BUFFER_POINTER ((void *)1)
#define GRETA_CUDA_LAUNCH_PARAM_BUFFER_SIZE    ((void *)2)
#define GRETA_CUDA_LAUNCH_PARAM_END            ((void *)0)

enum greta_cuda_launch_attribute_id {
	GRETA_CUDA_PROGRAMMATIC_STREAM_SERIALIZATION = 6,
};

struct greta_cuda_launch_attribute {
	int id; /* enum greta_cuda_launch_attribute_id */
	int unused;
	union {
		char room[64];
		int allowed; /* of PROGRAMMATIC_STREAM_SERIALIZATION: 1 */
	} value;
};

struct greta_cuda_launch_config {
	unsigned grid_x, grid_y, grid_z;
	unsigned block_x, block_y, block_z;
	unsigned shared_bytes;
	hipStream_t stream;
	struct greta_cuda_launch_attribute *attributes;
	unsigned attribute_count;
};

/* The one list of functions: X(member, exported name, (parameters)). All return a result. */
#define GRETA_CUDA_CALLS(X) \
	X(init, cuInit, (unsigned flags)) \
	X(driver_get_version, cuDriverGetVersion, (int *out_version)) \
	X(get_error_name, cuGetErrorName, (int result, const char **out_text)) \
	X(get_error_string, cuGetErrorString, (int result, const char **out_text)) \
	X(device_get_count, cuDeviceGetCount, (int *out_count)) \
	X(device_get, cuDeviceGet, (int *out_device, int ordinal)) \
	X(device_get_name, cuDeviceGetName, (char *out_name, int size, int device)) \
	X(device_get_attribute, cuDeviceGetAttribute, (int *out_value, int attribute, int device)) \
	X(primary_context_retain, cuDevicePrimaryCtxRetain, (struct greta_cuda_context **out_context, int device)) \
	X(primary_context_release, cuDevicePrimaryCtxRelease_v2, (int device)) \
	X(context_set_current, cuCtxSetCurrent, (struct greta_cuda_context *context)) \
	X(context_synchronize, cuCtxSynchronize, (void)) \
	X(mem_get_info, cuMemGetInfo_v2, (size_t *out_free, size_t *out_total)) \
	X(mem_alloc, cuMemAlloc_v2, (void **out_address, size_t size)) \
	X(mem_free, cuMemFree_v2, (void *address)) \
	X(mem_host_alloc, cuMemHostAlloc, (void **out_address, size_t size, unsigned flags)) \
	X(mem_free_host, cuMemFreeHost, (void *address)) \
	X(mem_host_register, cuMemHostRegister_v2, (void *address, size_t size, unsigned flags)) \
	X(mem_host_unregister, cuMemHostUnregister, (void *address)) \
	X(mem_host_get_device_pointer, cuMemHostGetDevicePointer_v2, \
	  (void **out_address, void *host, unsigned flags)) \
	X(memcpy_any, cuMemcpy, (void *to, const void *from, size_t size)) \
	X(memcpy_to_device, cuMemcpyHtoD_v2, (void *to, const void *from, size_t size)) \
	X(memcpy_to_host, cuMemcpyDtoH_v2, (void *to, const void *from, size_t size)) \
	X(memcpy_device, cuMemcpyDtoD_v2, (void *to, const void *from, size_t size)) \
	X(memcpy_any_async, cuMemcpyAsync, (void *to, const void *from, size_t size, hipStream_t stream)) \
	X(memcpy_to_device_async, cuMemcpyHtoDAsync_v2, \
	  (void *to, const void *from, size_t size, hipStream_t stream)) \
	X(memcpy_to_host_async, cuMemcpyDtoHAsync_v2, (void *to, const void *from, size_t size, hipStream_t stream)) \
	X(memcpy_device_async, cuMemcpyDtoDAsync_v2, (void *to, const void *from, size_t size, hipStream_t stream)) \
	X(memset_bytes, cuMemsetD8_v2, (void *to, unsigned char value, size_t size)) \
	X(memset_bytes_async, cuMemsetD8Async, \
	  (void *to, unsigned char value, size_t size, hipStream_t stream)) \
	X(stream_create, cuStreamCreate, (hipStream_t *out_stream, unsigned flags)) \
	X(stream_destroy, cuStreamDestroy_v2, (hipStream_t stream)) \
	X(stream_synchronize, cuStreamSynchronize, (hipStream_t stream)) \
	X(stream_query, cuStreamQuery, (hipStream_t stream)) \
	X(stream_wait_event, cuStreamWaitEvent, (hipStream_t stream, hipEvent_t event, unsigned flags)) \
	X(stream_begin_capture, cuStreamBeginCapture_v2, (hipStream_t stream, int mode)) \
	X(stream_end_capture, cuStreamEndCapture, (hipStream_t stream, hipGraph_t *out_graph)) \
	X(stream_is_capturing, cuStreamIsCapturing, (hipStream_t stream, int *out_status)) \
	X(event_create, cuEventCreate, (hipEvent_t *out_event, unsigned flags)) \
	X(event_destroy, cuEventDestroy_v2, (hipEvent_t event)) \
	X(event_record, cuEventRecord, (hipEvent_t event, hipStream_t stream)) \
	X(event_synchronize, cuEventSynchronize, (hipEvent_t event)) \
	X(event_query, cuEventQuery, (hipEvent_t event)) \
	X(event_elapsed_time, cuEventElapsedTime, (float *out_ms, hipEvent_t start, hipEvent_t stop)) \
	X(graph_instantiate, cuGraphInstantiateWithFlags, \
	  (hipGraphExec_t *out_exec, hipGraph_t graph, unsigned long long flags)) \
	X(graph_get_nodes, cuGraphGetNodes, (hipGraph_t graph, hipGraphNode_t *out_nodes, size_t *inout_count)) \
	X(graph_launch, cuGraphLaunch, (hipGraphExec_t exec, hipStream_t stream)) \
	X(graph_destroy, cuGraphDestroy, (hipGraph_t graph)) \
	X(graph_exec_destroy, cuGraphExecDestroy, (hipGraphExec_t exec)) \
	X(module_load_data, cuModuleLoadDataEx, \
	  (hipModule_t *out_module, const void *image, unsigned option_count, int *options, void **values)) \
	X(module_unload, cuModuleUnload, (hipModule_t module)) \
	X(module_get_function, cuModuleGetFunction, \
	  (hipFunction_t *out_function, hipModule_t module, const char *name)) \
	X(function_get_attribute, cuFuncGetAttribute, (int *out_value, int attribute, hipFunction_t function)) \
	X(function_set_attribute, cuFuncSetAttribute, (hipFunction_t function, int attribute, int value)) \
	X(launch_kernel, cuLaunchKernel, \
	  (hipFunction_t function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, \
	   unsigned block_y, unsigned block_z, unsigned shared_bytes, hipStream_t stream, void **params, void **extra))

/* Those that older drivers lack; NULL there. */
#define GRETA_CUDA_LATER_CALLS(X) \
	X(function_load, cuFuncLoad, (hipFunction_t function)) \
	X(launch_kernel_ex, cuLaunchKernelEx, \
	  (const struct greta_cuda_launch_config *config, hipFunction_t function, void **params, void **extra))

struct greta_cuda {
#define GRETA_CUDA_MEMBER(member, name, parameters) int (*member) parameters;
	GRETA_CUDA_CALLS(GRETA_CUDA_MEMBER)
	GRETA_CUDA_LATER_CALLS(GRETA_CUDA_MEMBER)
#undef GRETA_CUDA_MEMBER
};

#endif
