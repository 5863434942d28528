#include "runtime/cpu/provider.h"
#include "runtime/cpu/calls.h"
#include "runtime/cpu/device.h"

enum greta_status greta_cpu_provider_open(const struct greta_hip_options *options, struct greta_hip *out_hip,
    struct greta_error *error)
{
	enum greta_status status = greta_cpu_device_acquire(options, error);
	if (status)
		return status;
	*out_hip = (struct greta_hip){
		.provider = "cpu",
#define GRETA_CPU_ENTRY(name, parameters, arguments) .name = greta_cpu_##name,
		GRETA_HIP_CALLS(GRETA_CPU_ENTRY)
#undef GRETA_CPU_ENTRY
		.detail = greta_cpu_detail,
	};
	return GRETA_OK;
}

void greta_cpu_provider_close(void)
{
	greta_cpu_device_release();
}
