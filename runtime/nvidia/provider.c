#include "runtime/nvidia/provider.h"
#include "runtime/nvidia/calls.h"
#include "runtime/nvidia/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum greta_status greta_nvidia_provider_open(const struct greta_hip_options *options, struct greta_hip *out_hip,
    struct greta_error *error)
{
	enum greta_status status = greta_nvidia_acquire(options, error);
	if (status)
		return status;
	*out_hip = (struct greta_hip){
		.provider = "nvidia",
#define GRETA_NVIDIA_ENTRY(name, parameters, arguments) .name = greta_nvidia_##name,
		GRETA_HIP_CALLS(GRETA_NVIDIA_ENTRY)
#undef GRETA_NVIDIA_ENTRY
		.detail = greta_nvidia_detail,
	};
	return GRETA_OK;
}

void greta_nvidia_provider_close(void)
{
	greta_nvidia_release();
}

hipError_t greta_nvidia_architecture(int device, char out_name[GRETA_HIP_ARCHITECTURE_MAX])
{
	int major = 0, minor = 0;
	hipError_t code = greta_nvidia_hipDeviceGetAttribute(&major, hipDeviceAttributeComputeCapabilityMajor, device);
	if (!code)
		code = greta_nvidia_hipDeviceGetAttribute(&minor, hipDeviceAttributeComputeCapabilityMinor, device);
	if (code)
		return code;
	if (major < 1 || major > 999 || minor < 0 || minor > 99)
		return greta_nvidia_error(hipErrorNotSupported, "compute capability %d.%d has no name", major, minor);
	snprintf(out_name, GRETA_HIP_ARCHITECTURE_MAX, "sm_%d%d", major, minor);
	return hipSuccess;
}

/* The number behind a prefix, as compute capabilities are written: 80, 120; 0 where it is not that. */
static unsigned long capability(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);
	char *end;
	if (strncmp(name, prefix, length) != 0 || name[length] < '0' || name[length] > '9')
		return 0;
	unsigned long number = strtoul(name + length, &end, 10);
	return *end ? 0 : number;
}

bool greta_nvidia_takes(const char *architecture, const char *target)
{
	unsigned long text = capability(target, "compute_");
	return text && text <= capability(architecture, "sm_");
}
