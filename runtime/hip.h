/* The HIP calls this project uses, as one table of functions that a provider fills.
 *
 * Types and numbers below are those of the HIP runtime API, ROCm 5 to 7 (libamdhip64.so.5 to .7), so that a table
 * filled from the real library works as it stands. What each call does is HIP's documentation's to say; what a
 * provider does where that leaves room is in runtime/cpu/provider.h, runtime/amd/provider.h and
 * runtime/nvidia/provider.h. The calls keep HIP's names, so that a reader of either knows both:
 * `hip->hipStreamCreateWithFlags(&stream, hipStreamNonBlocking)`. */
#ifndef GRETA_HIP_H
#define GRETA_HIP_H

#include "models/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Every code that a provider of this project returns by itself, with its number and what it means. */
#define GRETA_HIP_ERRORS(X) \
	X(hipSuccess, 0, "no error") \
	X(hipErrorInvalidValue, 1, "an argument is NULL or outside what the call takes") \
	X(hipErrorOutOfMemory, 2, "not enough memory") \
	X(hipErrorNotInitialized, 3, "the provider is not loaded") \
	X(hipErrorDeinitialized, 4, "the provider has been unloaded") \
	X(hipErrorInvalidConfiguration, 9, "a launch outside the device's limits") \
	X(hipErrorInvalidDevicePointer, 17, "not an address of device memory") \
	X(hipErrorInvalidMemcpyDirection, 21, "not a direction of copying") \
	X(hipErrorInsufficientDriver, 35, "the driver is older than the runtime needs") \
	X(hipErrorInvalidDeviceFunction, 98, "the function does not exist on this device") \
	X(hipErrorNoDevice, 100, "no device found") \
	X(hipErrorInvalidDevice, 101, "no device has this number") \
	X(hipErrorInvalidImage, 200, "not a code object that this device takes") \
	X(hipErrorInvalidContext, 201, "no usable context") \
	X(hipErrorNoBinaryForGpu, 209, "the code object has nothing for this device") \
	X(hipErrorFileNotFound, 301, "file not found") \
	X(hipErrorSharedObjectInitFailed, 303, "a shared library could not be set up") \
	X(hipErrorOperatingSystem, 304, "the operating system refused") \
	X(hipErrorInvalidHandle, 400, "a handle is NULL, destroyed or of another kind") \
	X(hipErrorIllegalState, 401, "the object is not in a state that allows this call") \
	X(hipErrorNotFound, 500, "nothing has this name") \
	X(hipErrorNotReady, 600, "work enqueued earlier has not finished") \
	X(hipErrorIllegalAddress, 700, "memory was accessed outside its allocation") \
	X(hipErrorLaunchOutOfResources, 701, "the launch needs more than the device has") \
	X(hipErrorLaunchTimeOut, 702, "the kernel took too long") \
	X(hipErrorAssert, 710, "an assertion failed in a kernel") \
	X(hipErrorHostMemoryAlreadyRegistered, 712, "the host memory is registered already") \
	X(hipErrorHostMemoryNotRegistered, 713, "the host memory is not registered") \
	X(hipErrorLaunchFailure, 719, "a kernel failed while it ran") \
	X(hipErrorNotSupported, 801, "not supported here") \
	X(hipErrorStreamCaptureUnsupported, 900, "not permitted while a stream is capturing") \
	X(hipErrorStreamCaptureInvalidated, 901, "an earlier error has invalidated the capture") \
	X(hipErrorStreamCaptureMerge, 902, "would merge two independent captures") \
	X(hipErrorStreamCaptureUnmatched, 903, "the capture did not begin in this stream") \
	X(hipErrorStreamCaptureUnjoined, 904, "the capture has a fork that was not joined to its first stream") \
	X(hipErrorStreamCaptureIsolation, 905, "would make captured work depend on work outside the capture") \
	X(hipErrorStreamCaptureImplicit, 906, "would order a capture after the default stream") \
	X(hipErrorCapturedEvent, 907, "the event was last recorded in a capturing stream") \
	X(hipErrorStreamCaptureWrongThread, 908, "only the thread that began the capture may end it") \
	X(hipErrorGraphExecUpdateFailure, 910, "the executable graph could not be updated") \
	X(hipErrorUnknown, 999, "unknown error")

typedef enum hipError_t {
#define GRETA_HIP_ERROR_VALUE(name, value, text) name = value,
	GRETA_HIP_ERRORS(GRETA_HIP_ERROR_VALUE)
#undef GRETA_HIP_ERROR_VALUE
	/* older names of the same numbers */
	hipErrorMemoryAllocation = hipErrorOutOfMemory,
	hipErrorInitializationError = hipErrorNotInitialized,
	hipErrorInvalidResourceHandle = hipErrorInvalidHandle,
} hipError_t;

typedef int hipDevice_t;
typedef struct ihipStream_t *hipStream_t;
typedef struct ihipEvent_t *hipEvent_t;
typedef struct ihipModule_t *hipModule_t;
typedef struct ihipModuleSymbol_t *hipFunction_t;
typedef struct ihipGraph *hipGraph_t;
typedef struct hipGraphNode *hipGraphNode_t;
typedef struct hipGraphExec *hipGraphExec_t;

typedef enum hipMemcpyKind {
	hipMemcpyHostToHost = 0,
	hipMemcpyHostToDevice = 1,
	hipMemcpyDeviceToHost = 2,
	hipMemcpyDeviceToDevice = 3,
	hipMemcpyDefault = 4, /* the direction follows from the addresses */
} hipMemcpyKind;

typedef enum hipStreamCaptureMode {
	hipStreamCaptureModeGlobal = 0,      /* unsafe calls of every thread are refused */
	hipStreamCaptureModeThreadLocal = 1, /* unsafe calls of the thread that began the capture are refused */
	hipStreamCaptureModeRelaxed = 2,     /* none is refused; any thread may end the capture */
} hipStreamCaptureMode;

typedef enum hipStreamCaptureStatus {
	hipStreamCaptureStatusNone = 0,
	hipStreamCaptureStatusActive = 1,
	hipStreamCaptureStatusInvalidated = 2, /* by an error; only hipStreamEndCapture gets the stream out of it */
} hipStreamCaptureStatus;

typedef enum hipFuncAttribute {
	hipFuncAttributeMaxDynamicSharedMemorySize = 8, /* bytes a launch of the function may ask for */
} hipFuncAttribute;

typedef enum hipDeviceAttribute_t {
	hipDeviceAttributeCanMapHostMemory = 3,
	hipDeviceAttributeClockRate = 5, /* kHz */
	hipDeviceAttributeConcurrentKernels = 8,
	hipDeviceAttributeCooperativeLaunch = 10,
	hipDeviceAttributeIntegrated = 16, /* 1: device memory is host memory */
	hipDeviceAttributeL2CacheSize = 19, /* bytes */
	hipDeviceAttributeComputeCapabilityMajor = 23,
	hipDeviceAttributeMaxBlockDimX = 26,
	hipDeviceAttributeMaxBlockDimY = 27,
	hipDeviceAttributeMaxBlockDimZ = 28,
	hipDeviceAttributeMaxGridDimX = 29,
	hipDeviceAttributeMaxGridDimY = 30,
	hipDeviceAttributeMaxGridDimZ = 31,
	hipDeviceAttributeMaxThreadsPerBlock = 56,
	hipDeviceAttributeMaxThreadsPerMultiProcessor = 57,
	hipDeviceAttributeMemoryBusWidth = 59, /* bits */
	hipDeviceAttributeMemoryClockRate = 60, /* kHz */
	hipDeviceAttributeComputeCapabilityMinor = 61,
	hipDeviceAttributeMultiprocessorCount = 63,
	hipDeviceAttributePageableMemoryAccess = 65, /* 1: kernels may read host memory that nobody registered */
	hipDeviceAttributeMaxSharedMemoryPerBlock = 74, /* bytes; the most that hipFuncSetAttribute can allow */
	hipDeviceAttributeUnifiedAddressing = 85,
	hipDeviceAttributeWarpSize = 87,
	hipDeviceAttributeMaxSharedMemoryPerMultiprocessor = 10002, /* bytes */
	hipDeviceAttributeWallClockRate = 10017, /* kHz, of the clock that kernels read; since ROCm 5.4 */
} hipDeviceAttribute_t;

/* Flags. Streams: */
#define hipStreamDefault     0x0u
#define hipStreamNonBlocking 0x1u /* no implied order with the default (NULL) stream */
/* events: */
#define hipEventDefault       0x0u
#define hipEventBlockingSync  0x1u /* hipEventSynchronize sleeps instead of spinning */
#define hipEventDisableTiming 0x2u /* no time stamp; cheaper */
/* hipHostMalloc: */
#define hipHostMallocDefault       0x0u
#define hipHostMallocPortable      0x1u
#define hipHostMallocMapped        0x2u
#define hipHostMallocWriteCombined 0x4u
#define hipHostMallocCoherent      0x40000000u
#define hipHostMallocNonCoherent   0x80000000u
/* hipHostRegister: */
#define hipHostRegisterDefault  0x0u
#define hipHostRegisterPortable 0x1u
#define hipHostRegisterMapped   0x2u

/* The keys of hipModuleLaunchKernel's `extra` list: { POINTER, args, SIZE, &size, END }. */
#define HIP_LAUNCH_PARAM_BUFFER_POINTER ((void *)1)
#define HIP_LAUNCH_PARAM_BUFFER_SIZE    ((void *)2)
#define HIP_LAUNCH_PARAM_END            ((void *)3)

/* The one list of calls: X(name, (parameters), (arguments)). Those of the first part return hipError_t, those of the
 * second const char *. The argument names let a wrapper pass a call on. */
#define GRETA_HIP_STATUS_CALLS(X) \
	X(hipInit, (unsigned int flags), (flags)) \
	X(hipDriverGetVersion, (int *out_version), (out_version)) \
	X(hipRuntimeGetVersion, (int *out_version), (out_version)) \
	X(hipGetDeviceCount, (int *out_count), (out_count)) \
	X(hipSetDevice, (int device), (device)) \
	X(hipDeviceGetName, (char *out_name, int size, hipDevice_t device), (out_name, size, device)) \
	X(hipDeviceGetAttribute, (int *out_value, hipDeviceAttribute_t attribute, int device), \
	  (out_value, attribute, device)) \
	X(hipDeviceSynchronize, (void), ()) \
	X(hipGetLastError, (void), ()) \
	X(hipMemGetInfo, (size_t *out_free, size_t *out_total), (out_free, out_total)) \
	X(hipMalloc, (void **out_address, size_t size), (out_address, size)) \
	X(hipFree, (void *address), (address)) \
	X(hipHostMalloc, (void **out_address, size_t size, unsigned int flags), (out_address, size, flags)) \
	X(hipHostFree, (void *address), (address)) \
	X(hipHostRegister, (void *address, size_t size, unsigned int flags), (address, size, flags)) \
	X(hipHostUnregister, (void *address), (address)) \
	X(hipHostGetDevicePointer, (void **out_device, void *host, unsigned int flags), (out_device, host, flags)) \
	X(hipMemcpy, (void *to, const void *from, size_t size, hipMemcpyKind kind), (to, from, size, kind)) \
	X(hipMemcpyAsync, (void *to, const void *from, size_t size, hipMemcpyKind kind, hipStream_t stream), \
	  (to, from, size, kind, stream)) \
	X(hipMemset, (void *to, int value, size_t size), (to, value, size)) \
	X(hipMemsetAsync, (void *to, int value, size_t size, hipStream_t stream), (to, value, size, stream)) \
	X(hipStreamCreateWithFlags, (hipStream_t *out_stream, unsigned int flags), (out_stream, flags)) \
	X(hipStreamDestroy, (hipStream_t stream), (stream)) \
	X(hipStreamSynchronize, (hipStream_t stream), (stream)) \
	X(hipStreamQuery, (hipStream_t stream), (stream)) \
	X(hipStreamWaitEvent, (hipStream_t stream, hipEvent_t event, unsigned int flags), (stream, event, flags)) \
	X(hipStreamBeginCapture, (hipStream_t stream, hipStreamCaptureMode mode), (stream, mode)) \
	X(hipStreamEndCapture, (hipStream_t stream, hipGraph_t *out_graph), (stream, out_graph)) \
	X(hipStreamIsCapturing, (hipStream_t stream, hipStreamCaptureStatus *out_status), (stream, out_status)) \
	X(hipEventCreateWithFlags, (hipEvent_t *out_event, unsigned int flags), (out_event, flags)) \
	X(hipEventDestroy, (hipEvent_t event), (event)) \
	X(hipEventRecord, (hipEvent_t event, hipStream_t stream), (event, stream)) \
	X(hipEventSynchronize, (hipEvent_t event), (event)) \
	X(hipEventQuery, (hipEvent_t event), (event)) \
	X(hipEventElapsedTime, (float *out_ms, hipEvent_t start, hipEvent_t stop), (out_ms, start, stop)) \
	X(hipGraphInstantiate, \
	  (hipGraphExec_t *out_exec, hipGraph_t graph, hipGraphNode_t *out_error_node, char *log, size_t log_size), \
	  (out_exec, graph, out_error_node, log, log_size)) \
	X(hipGraphGetNodes, (hipGraph_t graph, hipGraphNode_t *out_nodes, size_t *inout_count), \
	  (graph, out_nodes, inout_count)) \
	X(hipGraphLaunch, (hipGraphExec_t exec, hipStream_t stream), (exec, stream)) \
	X(hipGraphDestroy, (hipGraph_t graph), (graph)) \
	X(hipGraphExecDestroy, (hipGraphExec_t exec), (exec)) \
	X(hipModuleLoadData, (hipModule_t *out_module, const void *image), (out_module, image)) \
	X(hipModuleUnload, (hipModule_t module), (module)) \
	X(hipModuleGetFunction, (hipFunction_t *out_function, hipModule_t module, const char *name), \
	  (out_function, module, name)) \
	X(hipModuleLaunchKernel, \
	  (hipFunction_t function, unsigned int grid_x, unsigned int grid_y, unsigned int grid_z, \
	   unsigned int block_x, unsigned int block_y, unsigned int block_z, unsigned int shared_bytes, \
	   hipStream_t stream, void **params, void **extra), \
	  (function, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes, stream, params, extra)) \
	X(hipFuncSetAttribute, (const void *function, hipFuncAttribute attribute, int value), \
	  (function, attribute, value))

#define GRETA_HIP_TEXT_CALLS(X) \
	X(hipGetErrorName, (hipError_t code), (code)) \
	X(hipGetErrorString, (hipError_t code), (code))

#define GRETA_HIP_CALLS(X) GRETA_HIP_STATUS_CALLS(X) GRETA_HIP_TEXT_CALLS(X)

/* Room for what greta_hip_architecture says, its end included. */
#define GRETA_HIP_ARCHITECTURE_MAX 16

struct greta_hip {
	const char *provider; /* "amd", "nvidia" or "cpu", also where "auto" was asked for */
#define GRETA_HIP_MEMBER(name, parameters, arguments) hipError_t (*name) parameters;
	GRETA_HIP_STATUS_CALLS(GRETA_HIP_MEMBER)
#undef GRETA_HIP_MEMBER
#define GRETA_HIP_MEMBER(name, parameters, arguments) const char *(*name) parameters;
	GRETA_HIP_TEXT_CALLS(GRETA_HIP_MEMBER)
#undef GRETA_HIP_MEMBER
	/* Not a HIP call: one line on this thread's last failed call, saying what the code alone cannot (which
	 * allocation was overrun, which limit was exceeded). Never NULL, "" when there is nothing to say; valid until
	 * the thread's next call. */
	const char *(*detail)(void);
	/* Not a HIP call either: what greta_hip_architecture hands on. */
	hipError_t (*architecture)(int device, char out_name[GRETA_HIP_ARCHITECTURE_MAX]);
};

/* A provider reads those that its name stands beside and leaves the others alone. */
struct greta_hip_options {
	unsigned threads;    /* cpu: workers; 0: one for each processor that the process may run on */
	bool guard;          /* cpu: canaries around each allocation, checked by hipFree and hipDeviceSynchronize */
	const char *library; /* amd, nvidia: the shared library to open, as dlopen takes it; NULL: by its known names */
	bool overlap;        /* nvidia: kernels may start before the one ahead has ended (runtime/nvidia/provider.h) */
};

/* Opens a provider: "amd", "nvidia", "cpu", or "auto" for the first of these, in this order, that has a device; `auto`
 * takes no `library`. NULL options mean all zero. The table belongs to the caller until greta_hip_unload. The calls of
 * HIP that take no handle act on what the process has of a provider, so there is at most one set of options alive at a
 * time: loading again while it is loaded shares the devices and counts, if the options are the same, and is refused
 * with GRETA_ERROR_ARGUMENT if they differ. After the last unload it can be loaded anew with others.
 * Errors: GRETA_ERROR_ARGUMENT (no such provider, options), GRETA_ERROR_MEMORY, GRETA_ERROR_DEVICE (no library, and
 * which were tried; no device; too old a library). Any thread. */
enum greta_status greta_hip_load(const char *provider, const struct greta_hip_options *options,
    struct greta_hip **out_hip, struct greta_error *error);

/* Closes what greta_hip_load opened; NULL is allowed. The last unload waits for all enqueued work and releases
 * whatever is left of the device, memory included. No other thread may be inside a call of the table then. */
void greta_hip_unload(struct greta_hip *hip);

/* The names that greta_hip_load takes besides "auto", in the order in which "auto" tries them; NULL beyond the last. */
const char *greta_hip_provider_name(size_t index);

/* What device `device` is, in the words of plans' targets: "gfx942", "sm_90", "cpu". GRETA_ERROR_DEVICE when the device
 * does not exist or does not say. */
enum greta_status greta_hip_architecture(const struct greta_hip *hip, int device,
    char out_name[GRETA_HIP_ARCHITECTURE_MAX], struct greta_error *error);

/* Whether a device of that architecture takes code objects for `target`: those for itself and, on NVIDIA, text for an
 * architecture that is not newer ("compute_80"), which the driver compiles when it is loaded. False where no provider
 * is called that. */
bool greta_hip_takes(const char *provider, const char *architecture, const char *target);

/* The name and the meaning of a code; "hipErrorUnknown" and "unknown error" for numbers not in the list. Static. */
const char *greta_hip_error_name(hipError_t code);
const char *greta_hip_error_text(hipError_t code);

/* Tells a failed call: fills *error with `what`, the code's name and text and the provider's detail, and returns
 * GRETA_ERROR_MEMORY for hipErrorOutOfMemory, GRETA_ERROR_DEVICE for any other code. For use as
 * `if (code != hipSuccess) return greta_hip_fail(hip, code, error, "hipMalloc of the arena (%zu bytes)", size);` */
enum greta_status greta_hip_fail(const struct greta_hip *hip, hipError_t code, struct greta_error *error,
    const char *what, ...) __attribute__((format(printf, 4, 5)));

#endif
