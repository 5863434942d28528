#include "runtime/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES_MAX 4096

/* HIP writes 6.3.42134 as 60342134, CUDA 13.0 as 13000: the magnitude tells which of them it is. */
static void write_version(char *out, size_t size, int version)
{
	if (version >= 10000000)
		snprintf(out, size, "%d.%d.%d", version / 10000000, version / 100000 % 100, version % 100000);
	else
		snprintf(out, size, "%d.%d", version / 1000, version % 1000 / 10);
}

static enum greta_status ask_device(const struct greta_hip *hip, int number, struct greta_device_info *info,
    struct greta_error *error)
{
	hipError_t code = hip->hipDeviceGetName(info->name, (int)sizeof(info->name), number);
	if (code)
		return greta_hip_fail(hip, code, error, "hipDeviceGetName of device %d", number);
	enum greta_status status = greta_hip_architecture(hip, number, info->architecture, error);
	if (status)
		return status;
	code = hip->hipDeviceGetAttribute(&info->compute_units, hipDeviceAttributeMultiprocessorCount, number);
	if (code)
		return greta_hip_fail(hip, code, error, "hipDeviceGetAttribute of device %d", number);
	code = hip->hipSetDevice(number);
	if (code)
		return greta_hip_fail(hip, code, error, "hipSetDevice of device %d", number);
	code = hip->hipMemGetInfo(&info->free_bytes, &info->total_bytes);
	return code ? greta_hip_fail(hip, code, error, "hipMemGetInfo of device %d", number) : GRETA_OK;
}

static enum greta_status ask_devices(const struct greta_hip *hip, struct greta_provider_info *info, int count,
    struct greta_error *error)
{
	if (count < 1 || count > DEVICES_MAX)
		return greta_fail(
		    error, GRETA_ERROR_DEVICE, "hipGetDeviceCount of provider %s gives %d", hip->provider, count);
	info->devices = calloc((size_t)count, sizeof(*info->devices));
	if (!info->devices)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory to list %d devices", count);
	info->device_count = (size_t)count;
	for (int i = 0; i < count; i++) {
		struct greta_device_info *device = &info->devices[i];
		device->error.status = ask_device(hip, i, device, &device->error);
	}
	hip->hipSetDevice(0);
	return GRETA_OK;
}

static enum greta_status ask(const struct greta_hip *hip, struct greta_provider_info *info, struct greta_error *error)
{
	int driver = 0, runtime = 0, count = 0;
	hipError_t code = hip->hipDriverGetVersion(&driver);
	if (code)
		return greta_hip_fail(hip, code, error, "hipDriverGetVersion");
	code = hip->hipRuntimeGetVersion(&runtime);
	if (code)
		return greta_hip_fail(hip, code, error, "hipRuntimeGetVersion");
	code = hip->hipGetDeviceCount(&count);
	if (code)
		return greta_hip_fail(hip, code, error, "hipGetDeviceCount");
	write_version(info->driver, sizeof(info->driver), driver);
	write_version(info->runtime, sizeof(info->runtime), runtime);
	return ask_devices(hip, info, count, error);
}

enum greta_status greta_provider_info_init(struct greta_provider_info *info, const char *name,
    const struct greta_hip_options *options, struct greta_error *error)
{
	struct greta_provider_info made = { .error.status = GRETA_OK };
	struct greta_error reason = { .status = GRETA_OK };
	struct greta_hip *hip = NULL;
	for (size_t i = 0; greta_hip_provider_name(i) && !made.provider; i++) {
		if (name && !strcmp(name, greta_hip_provider_name(i)))
			made.provider = greta_hip_provider_name(i);
	}
	if (!made.provider)
		return greta_fail(
		    error, GRETA_ERROR_ARGUMENT, "no HIP provider is called \"%s\"", name ? name : "(null)");
	enum greta_status status = greta_hip_load(name, options, &hip, &reason);
	if (!status)
		status = ask(hip, &made, &reason);
	greta_hip_unload(hip);
	if (status == GRETA_ERROR_DEVICE)
		made.error = reason;
	else if (status) {
		greta_provider_info_finish(&made);
		if (error)
			*error = reason;
		return status;
	}
	*info = made;
	return GRETA_OK;
}

void greta_provider_info_finish(struct greta_provider_info *info)
{
	free(info->devices);
	*info = (struct greta_provider_info){ .provider = info->provider };
}
