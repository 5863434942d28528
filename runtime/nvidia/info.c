/* What the driver and its devices say of themselves, and which device a thread is on. */
#include "runtime/nvidia/calls.h"
#include "runtime/nvidia/driver.h"

static hipError_t put_int(int *out, int (*value)(void), const char *call)
{
	if (!greta_nvidia_cuda())
		return hipErrorNotInitialized;
	if (!out)
		return greta_nvidia_error(hipErrorInvalidValue, "%s: nowhere to write to", call);
	*out = value();
	return hipSuccess;
}

hipError_t greta_nvidia_hipInit(unsigned int flags)
{
	const struct greta_cuda *cuda = greta_nvidia_cuda();
	return cuda ? greta_nvidia_status(cuda, cuda->init(flags), "cuInit") : hipErrorNotInitialized;
}

hipError_t greta_nvidia_hipDriverGetVersion(int *out_version)
{
	return put_int(out_version, greta_nvidia_version, "hipDriverGetVersion");
}

hipError_t greta_nvidia_hipRuntimeGetVersion(int *out_version)
{
	return put_int(out_version, greta_nvidia_version, "hipRuntimeGetVersion");
}

hipError_t greta_nvidia_hipGetDeviceCount(int *out_count)
{
	return put_int(out_count, greta_nvidia_device_count, "hipGetDeviceCount");
}

static hipError_t check_device(int device)
{
	if (device >= 0 && device < greta_nvidia_device_count())
		return hipSuccess;
	return greta_nvidia_error(hipErrorInvalidDevice, "no device %d: there are %d, from 0", device,
	    greta_nvidia_device_count());
}

hipError_t greta_nvidia_hipSetDevice(int device)
{
	hipError_t code = greta_nvidia_cuda() ? check_device(device) : hipErrorNotInitialized;
	if (!code)
		greta_nvidia_set_device(device);
	return code;
}

/* CUDA's handle of a device by its number. */
static hipError_t find_device(const struct greta_cuda *cuda, int number, int *out_device)
{
	hipError_t code = check_device(number);
	return code ? code : greta_nvidia_result(cuda, cuda->device_get(out_device, number), "cuDeviceGet", "device %d",
	    number);
}

hipError_t greta_nvidia_hipDeviceGetName(char *out_name, int size, hipDevice_t number)
{
	const struct greta_cuda *cuda = greta_nvidia_cuda();
	int device;
	if (!cuda)
		return hipErrorNotInitialized;
	if (!out_name || size < 1)
		return greta_nvidia_error(hipErrorInvalidValue, "hipDeviceGetName: nowhere to write to");
	hipError_t code = find_device(cuda, number, &device);
	if (code)
		return code;
	return greta_nvidia_result(cuda, cuda->device_get_name(out_name, size, device), "cuDeviceGetName", "device %d",
	    number);
}

static const struct {
	hipDeviceAttribute_t hip;
	enum greta_cuda_attribute cuda;
} attributes[] = {
	{ hipDeviceAttributeCanMapHostMemory, GRETA_CUDA_CAN_MAP_HOST_MEMORY },
	{ hipDeviceAttributeClockRate, GRETA_CUDA_CLOCK_RATE },
	{ hipDeviceAttributeConcurrentKernels, GRETA_CUDA_CONCURRENT_KERNELS },
	{ hipDeviceAttributeCooperativeLaunch, GRETA_CUDA_COOPERATIVE_LAUNCH },
	{ hipDeviceAttributeIntegrated, GRETA_CUDA_INTEGRATED },
	{ hipDeviceAttributeL2CacheSize, GRETA_CUDA_L2_CACHE_SIZE },
	{ hipDeviceAttributeComputeCapabilityMajor, GRETA_CUDA_COMPUTE_CAPABILITY_MAJOR },
	{ hipDeviceAttributeMaxBlockDimX, GRETA_CUDA_MAX_BLOCK_DIM_X },
	{ hipDeviceAttributeMaxBlockDimY, GRETA_CUDA_MAX_BLOCK_DIM_Y },
	{ hipDeviceAttributeMaxBlockDimZ, GRETA_CUDA_MAX_BLOCK_DIM_Z },
	{ hipDeviceAttributeMaxGridDimX, GRETA_CUDA_MAX_GRID_DIM_X },
	{ hipDeviceAttributeMaxGridDimY, GRETA_CUDA_MAX_GRID_DIM_Y },
	{ hipDeviceAttributeMaxGridDimZ, GRETA_CUDA_MAX_GRID_DIM_Z },
	{ hipDeviceAttributeMaxThreadsPerBlock, GRETA_CUDA_MAX_THREADS_PER_BLOCK },
	{ hipDeviceAttributeMaxThreadsPerMultiProcessor, GRETA_CUDA_MAX_THREADS_PER_MULTIPROCESSOR },
	{ hipDeviceAttributeMemoryBusWidth, GRETA_CUDA_GLOBAL_MEMORY_BUS_WIDTH },
	{ hipDeviceAttributeMemoryClockRate, GRETA_CUDA_MEMORY_CLOCK_RATE },
	{ hipDeviceAttributeComputeCapabilityMinor, GRETA_CUDA_COMPUTE_CAPABILITY_MINOR },
	{ hipDeviceAttributeMultiprocessorCount, GRETA_CUDA_MULTIPROCESSOR_COUNT },
	{ hipDeviceAttributePageableMemoryAccess, GRETA_CUDA_PAGEABLE_MEMORY_ACCESS },
	{ hipDeviceAttributeMaxSharedMemoryPerBlock, GRETA_CUDA_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN },
	{ hipDeviceAttributeUnifiedAddressing, GRETA_CUDA_UNIFIED_ADDRESSING },
	{ hipDeviceAttributeWarpSize, GRETA_CUDA_WARP_SIZE },
	{ hipDeviceAttributeMaxSharedMemoryPerMultiprocessor, GRETA_CUDA_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR },
};

hipError_t greta_nvidia_hipDeviceGetAttribute(int *out_value, hipDeviceAttribute_t attribute, int number)
{
	const struct greta_cuda *cuda = greta_nvidia_cuda();
	int device;
	if (!cuda)
		return hipErrorNotInitialized;
	if (!out_value)
		return greta_nvidia_error(hipErrorInvalidValue, "hipDeviceGetAttribute: nowhere to write to");
	hipError_t code = find_device(cuda, number, &device);
	if (code)
		return code;
	if (attribute == hipDeviceAttributeWallClockRate) {
		*out_value = 1000000; /* %globaltimer counts nanoseconds */
		return hipSuccess;
	}
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (attributes[i].hip == attribute)
			return greta_nvidia_result(cuda,
			    cuda->device_get_attribute(out_value, (int)attributes[i].cuda, device),
			    "cuDeviceGetAttribute", "attribute %d of device %d", (int)attributes[i].cuda, number);
	}
	return greta_nvidia_error(hipErrorInvalidValue, "attribute %d has no counterpart in CUDA here", (int)attribute);
}

hipError_t greta_nvidia_hipDeviceSynchronize(void)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->context_synchronize(), "cuCtxSynchronize") : code;
}
