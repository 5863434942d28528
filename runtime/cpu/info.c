/* What the device says of itself. */
#include "runtime/cpu/calls.h"
#include "runtime/cpu/device.h"
#include "runtime/cpu/limits.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The HIP whose behaviour this provider follows, as HIP writes versions: 6.0.0. */
#define VERSION 60000000

static hipError_t put_int(int *out, int value, const char *call)
{
	if (!out)
		return greta_cpu_error(hipErrorInvalidValue, "%s: nowhere to write to", call);
	*out = value;
	return hipSuccess;
}

hipError_t greta_cpu_hipInit(unsigned int flags)
{
	return flags ? greta_cpu_error(hipErrorInvalidValue, "hipInit: flags must be 0") : hipSuccess;
}

hipError_t greta_cpu_hipDriverGetVersion(int *out_version)
{
	return put_int(out_version, VERSION, "hipDriverGetVersion");
}

hipError_t greta_cpu_hipRuntimeGetVersion(int *out_version)
{
	return put_int(out_version, VERSION, "hipRuntimeGetVersion");
}

hipError_t greta_cpu_hipGetDeviceCount(int *out_count)
{
	return put_int(out_count, 1, "hipGetDeviceCount");
}

static hipError_t check_device(int device)
{
	return device ? greta_cpu_error(hipErrorInvalidDevice, "no cpu device %d: there is device 0",
	    device) : hipSuccess;
}

hipError_t greta_cpu_hipSetDevice(int device)
{
	return check_device(device);
}

hipError_t greta_cpu_hipDeviceGetName(char *out_name, int size, hipDevice_t device)
{
	hipError_t code = check_device(device);
	if (code)
		return code;
	if (!out_name || size < 1)
		return greta_cpu_error(hipErrorInvalidValue, "hipDeviceGetName: nowhere to write to");
	char model[192] = "unknown processor";
	FILE *file = fopen("/proc/cpuinfo", "re");
	if (file) {
		char text[256];
		while (fgets(text, sizeof(text), file)) {
			if (sscanf(text, "model name : %191[^\n]", model) == 1)
				break;
		}
		fclose(file);
	}
	snprintf(out_name, (size_t)size, "cpu: %s", model);
	return hipSuccess;
}

static hipError_t attribute_of(const struct greta_cpu_device *device, hipDeviceAttribute_t attribute, int *out)
{
	switch (attribute) {
	case hipDeviceAttributeMultiprocessorCount:
		*out = (int)device->workers;
		return hipSuccess;
	case hipDeviceAttributeWarpSize:
	case hipDeviceAttributeCanMapHostMemory:
	case hipDeviceAttributeIntegrated:
	case hipDeviceAttributePageableMemoryAccess:
	case hipDeviceAttributeUnifiedAddressing:
		*out = 1;
		return hipSuccess;
	case hipDeviceAttributeConcurrentKernels:
	case hipDeviceAttributeCooperativeLaunch:
		*out = 0;
		return hipSuccess;
	case hipDeviceAttributeMaxThreadsPerBlock:
	case hipDeviceAttributeMaxThreadsPerMultiProcessor:
	case hipDeviceAttributeMaxBlockDimX:
	case hipDeviceAttributeMaxBlockDimY:
	case hipDeviceAttributeMaxBlockDimZ:
		*out = GRETA_CPU_BLOCK_MAX;
		return hipSuccess;
	case hipDeviceAttributeMaxGridDimX:
		*out = GRETA_CPU_GRID_X_MAX;
		return hipSuccess;
	case hipDeviceAttributeMaxGridDimY:
	case hipDeviceAttributeMaxGridDimZ:
		*out = GRETA_CPU_GRID_YZ_MAX;
		return hipSuccess;
	case hipDeviceAttributeMaxSharedMemoryPerBlock:
	case hipDeviceAttributeMaxSharedMemoryPerMultiprocessor:
		*out = GRETA_CPU_SHARED_MAX;
		return hipSuccess;
	case hipDeviceAttributeWallClockRate:
		*out = 1000000; /* the host's steady clock, in nanoseconds */
		return hipSuccess;
	case hipDeviceAttributeL2CacheSize: {
		long size = sysconf(_SC_LEVEL2_CACHE_SIZE);
		*out = size > 0 && size <= 0x7fffffff ? (int)size : 0;
		return hipSuccess;
	}
	default:
		return greta_cpu_error(hipErrorInvalidValue, "the cpu device has no attribute %d", (int)attribute);
	}
}

hipError_t greta_cpu_hipDeviceGetAttribute(int *out_value, hipDeviceAttribute_t attribute, int device_number)
{
	hipError_t code = check_device(device_number);
	if (code)
		return code;
	if (!out_value)
		return greta_cpu_error(hipErrorInvalidValue, "hipDeviceGetAttribute: nowhere to write to");
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	return greta_cpu_unlock(device, attribute_of(device, attribute, out_value));
}
