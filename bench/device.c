#include "bench/device.h"

#include <string.h>

#include "kernels/cpu/module.h"
#include "kernels/gpu/image_table.h"
#include "runtime/target.h"

static void empty(const struct greta_cpu_block *block, const void *args)
{
	(void)block;
	(void)args;
}

static const struct greta_cpu_function CPU_FUNCTIONS[] = {{"greta_empty", empty}};
static const struct greta_cpu_module CPU_MODULE = {GRETA_CPU_MODULE_MAGIC, "bench", 1, CPU_FUNCTIONS};

static const void *image_for(const char *target)
{
	if (strcmp(target, "cpu") == 0)
		return &CPU_MODULE;
	for (size_t i = 0; i < greta_bench_image_count; i++)
		if (strcmp(greta_bench_images[i].target, target) == 0)
			return greta_bench_images[i].data;
	return NULL;
}

static enum greta_status open_module(struct bench_device *device, struct greta_error *error)
{
	const struct greta_hip *hip = device->hip;
	const void *image = image_for(device->target);
	if (!image)
		return greta_fail(error, GRETA_ERROR_MISMATCH, "this build has no kernels for target %s",
		                  device->target);
	hipError_t code = hip->hipSetDevice(0);
	if (code == hipSuccess)
		code = hip->hipDeviceGetName(device->name, (int)sizeof(device->name), 0);
	if (code == hipSuccess)
		code = hip->hipDeviceGetAttribute(&device->units, hipDeviceAttributeMultiprocessorCount, 0);
	if (code == hipSuccess)
		code = hip->hipModuleLoadData(&device->module, image);
	return code == hipSuccess ? GRETA_OK
	                          : greta_hip_fail(hip, code, error, "opening device 0 of %s", hip->provider);
}

enum greta_status bench_device_open(const struct greta_options *options, struct bench_device *out_device,
                                    struct greta_error *error)
{
	struct greta_target_device found;
	struct bench_device device = {.hip = NULL};
	enum greta_status status = greta_target_device_open(options, NULL, "", &found, error);
	if (status != GRETA_OK)
		return status;
	device.hip = found.hip;
	memcpy(device.target, found.target, sizeof(device.target));
	status = open_module(&device, error);
	if (status == GRETA_OK)
		*out_device = device;
	else
		greta_hip_unload(device.hip);
	return status;
}

void bench_device_close(struct bench_device *device)
{
	device->hip->hipModuleUnload(device->module);
	greta_hip_unload(device->hip);
}

enum greta_status bench_device_function(const struct bench_device *device, const char *name,
                                        hipFunction_t *out_function, struct greta_error *error)
{
	hipError_t code = device->hip->hipModuleGetFunction(out_function, device->module, name);
	return code == hipSuccess ? GRETA_OK
	                          : greta_hip_fail(device->hip, code, error, "hipModuleGetFunction of %s", name);
}

enum greta_status bench_device_launch(const struct bench_device *device, hipFunction_t function, unsigned blocks,
                                      unsigned threads, void *args, size_t bytes, hipStream_t stream,
                                      struct greta_error *error)
{
	void *extra[] = {HIP_LAUNCH_PARAM_BUFFER_POINTER, args, HIP_LAUNCH_PARAM_BUFFER_SIZE, &bytes,
	                 HIP_LAUNCH_PARAM_END};
	hipError_t code =
	    device->hip->hipModuleLaunchKernel(function, blocks, 1, 1, threads, 1, 1, 0, stream, NULL, extra);
	return code == hipSuccess ? GRETA_OK : greta_hip_fail(device->hip, code, error, "hipModuleLaunchKernel");
}
