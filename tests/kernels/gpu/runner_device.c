/* Device 0 of a HIP provider, through the calls that a session makes. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cpu/module.h"
#include "kernels/gpu/image.h"
#include "runtime/target.h"
#include "tests/kernels/gpu/device.h"

#define SHARED_UNASKED (32u << 10) /* as in runtime/programs.c */

static struct device_runner *device_of(struct gpu_runner *runner) { return (struct device_runner *)runner; }

int device_told(struct device_runner *device, hipError_t code, const char *call)
{
	if (code == hipSuccess)
		return 0;
	snprintf(device->base.error, sizeof(device->base.error), "%s: %s (%s) %s", call, greta_hip_error_name(code),
	         greta_hip_error_text(code), device->hip->detail());
	return -1;
}

static void *allocate(struct gpu_runner *runner, size_t band, size_t bytes)
{
	struct device_runner *device = device_of(runner);
	void *start = NULL;
	if (device_told(device, device->hip->hipMalloc(&start, band + bytes + band), "hipMalloc"))
		return NULL;
	return (uint8_t *)start + band;
}

static void release(struct gpu_runner *runner, size_t band, void *data)
{
	(void)device_of(runner)->hip->hipFree((uint8_t *)data - band);
}

static int write_memory(struct gpu_runner *runner, void *to, const void *from, size_t bytes)
{
	struct device_runner *device = device_of(runner);
	return device_told(device, device->hip->hipMemcpy(to, from, bytes, hipMemcpyHostToDevice), "hipMemcpy");
}

static int read_memory(struct gpu_runner *runner, void *to, const void *from, size_t bytes)
{
	struct device_runner *device = device_of(runner);
	return device_told(device, device->hip->hipMemcpy(to, from, bytes, hipMemcpyDeviceToHost), "hipMemcpy");
}

int device_enqueue(struct device_runner *device, const struct gpu_launch *l, hipStream_t stream)
{
	struct greta_hip *hip = device->hip;
	const struct gpu_grid *grid = &l->grid;
	hipFunction_t found;
	if (device_told(device, hip->hipModuleGetFunction(&found, device->module, l->function), l->function))
		return -1;
	if (grid->shared_bytes > SHARED_UNASKED &&
	    device_told(device,
	                hip->hipFuncSetAttribute(found, hipFuncAttributeMaxDynamicSharedMemorySize,
	                                         (int)grid->shared_bytes),
	                "hipFuncSetAttribute"))
		return -1;
	uint8_t *copy = malloc(l->args_bytes);
	if (!copy)
		return device_told(device, hipErrorOutOfMemory, "malloc");
	size_t bytes = l->args_bytes;
	memcpy(copy, l->args, bytes);
	void *extra[] = {HIP_LAUNCH_PARAM_BUFFER_POINTER, copy, HIP_LAUNCH_PARAM_BUFFER_SIZE, &bytes, HIP_LAUNCH_PARAM_END};
	hipError_t code = hip->hipModuleLaunchKernel(found, grid->x, grid->y, 1, grid->threads, 1, 1, grid->shared_bytes,
	                                             stream, NULL, extra);
	free(copy);
	return device_told(device, code, "hipModuleLaunchKernel");
}

static int launch(struct gpu_runner *runner, const struct gpu_launch *l)
{
	struct device_runner *device = device_of(runner);
	if (device_enqueue(device, l, NULL))
		return -1;
	return device_told(device, device->hip->hipDeviceSynchronize(), "hipDeviceSynchronize");
}

static void finish(struct gpu_runner *runner)
{
	struct device_runner *device = device_of(runner);
	if (device->module)
		(void)device->hip->hipModuleUnload(device->module);
	greta_hip_unload(device->hip);
	free(device);
}

static const struct gpu_backend BACKEND = {
    .allocate = allocate, .release = release, .write = write_memory, .read = read_memory, .launch = launch,
    .time = device_time, .read_rate = device_read_rate, .close = finish};

/* The code object for the device, or NULL with the reason told. */
static const void *image_for(struct device_runner *device)
{
	if (strcmp(device->base.target, "cpu") == 0)
		return greta_cpu_module("auto");
	const struct greta_gpu_image *image = greta_gpu_image(device->base.target);
	if (!image)
		snprintf(device->base.error, sizeof(device->base.error),
		         "this build has no kernels for %s (option gpu_targets)", device->base.target);
	return image ? image->data : NULL;
}

/* The target named, or the best for the device. */
static int choose_target(struct device_runner *device, const char *target)
{
	struct gpu_runner *base = &device->base;
	struct greta_error error;
	if (!target && greta_target_of(device->hip, base->target, &error) == GRETA_OK)
		return 0;
	if (target && greta_target_match(device->hip, target, "of these checks", &error) == GRETA_OK) {
		snprintf(base->target, sizeof(base->target), "%s", target);
		return 0;
	}
	snprintf(base->error, sizeof(base->error), "%s", error.message);
	return -1;
}

static int start(struct device_runner *device, const char *target)
{
	struct greta_hip *hip = device->hip;
	int count = 0;
	if (device_told(device, hip->hipInit(0), "hipInit") ||
	    device_told(device, hip->hipGetDeviceCount(&count), "hipGetDeviceCount") ||
	    device_told(device, hip->hipSetDevice(0), "hipSetDevice"))
		return -1;
	if (choose_target(device, target))
		return -1;
	char name[64] = "";
	(void)hip->hipDeviceGetName(name, sizeof(name), 0);
	snprintf(device->base.name, sizeof(device->base.name), "%s on %s", device->base.target, name);
	const void *image = image_for(device);
	return image ? device_told(device, hip->hipModuleLoadData(&device->module, image), "hipModuleLoadData") : -1;
}

struct gpu_runner *gpu_runner_open_device(const char *provider, const char *target, char *why, size_t why_bytes)
{
	struct greta_hip_options options = {.guard = strcmp(provider, "cpu") == 0, .overlap = true};
	struct greta_error error;
	struct device_runner *device = calloc(1, sizeof(*device));
	if (!device) {
		snprintf(why, why_bytes, "out of memory");
		return NULL;
	}
	if (greta_hip_load(provider, &options, &device->hip, &error) != GRETA_OK) {
		snprintf(why, why_bytes, "%s", error.message);
		free(device);
		return NULL;
	}
	device->base.backend = &BACKEND;
	if (start(device, target)) {
		snprintf(why, why_bytes, "%s", device->base.error);
		finish(&device->base);
		return NULL;
	}
	return &device->base;
}
