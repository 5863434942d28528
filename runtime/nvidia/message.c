/* What each thread is told about its last failed call; codes and their texts. */
#include "runtime/nvidia/calls.h"
#include "runtime/nvidia/driver.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* HIP's interface leaves no other place for these than the thread. */
static _Thread_local hipError_t last;
static _Thread_local char line[320];

static hipError_t keep(hipError_t code)
{
	last = code;
	return code;
}

/* Writes into the line from `used` on. */
static void say(size_t used, const char *format, va_list list)
{
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): both callers have started it */
	if (vsnprintf(line + used, sizeof(line) - used, format, list) < 0)
		line[used] = '\0';
}

hipError_t greta_nvidia_error(hipError_t code, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	say(0, format, list);
	va_end(list);
	return keep(code);
}

static const char *cuda_name(const struct greta_cuda *cuda, int result)
{
	const char *name = NULL;
	return !cuda->get_error_name(result, &name) && name ? name : "no name for it";
}

hipError_t greta_nvidia_status(const struct greta_cuda *cuda, int result, const char *call)
{
	if (result == GRETA_CUDA_SUCCESS || result == GRETA_CUDA_NOT_READY)
		return (hipError_t)result;
	snprintf(line, sizeof(line), "%s: %s", call, cuda_name(cuda, result));
	return keep(result == GRETA_CUDA_NEWER_DRIVER_NEEDED ? hipErrorInsufficientDriver : (hipError_t)result);
}

hipError_t greta_nvidia_result(const struct greta_cuda *cuda, int result, const char *call, const char *format, ...)
{
	hipError_t code = greta_nvidia_status(cuda, result, call);
	size_t used = strlen(line);
	if (code == hipSuccess || code == hipErrorNotReady || used + sizeof(", ") > sizeof(line))
		return code;
	va_list list;
	va_start(list, format);
	memcpy(line + used, ", ", sizeof(", "));
	say(used + 2, format, list);
	va_end(list);
	return code;
}

void greta_nvidia_forget(void)
{
	last = hipSuccess;
	line[0] = '\0';
}

const char *greta_nvidia_detail(void)
{
	return line;
}

hipError_t greta_nvidia_hipGetLastError(void)
{
	if (!greta_nvidia_cuda())
		return hipErrorNotInitialized;
	hipError_t code = last;
	last = hipSuccess;
	return code;
}

/* HIP's list first; what it does not have is CUDA's, while the driver is open. */
static bool in_list(hipError_t code)
{
	return code == hipErrorUnknown || strcmp(greta_hip_error_name(code), "hipErrorUnknown") != 0;
}

const char *greta_nvidia_hipGetErrorName(hipError_t code)
{
	const char *text = NULL;
	const struct greta_cuda *cuda = in_list(code) ? NULL : greta_nvidia_cuda();
	return cuda && !cuda->get_error_name((int)code, &text) && text ? text : greta_hip_error_name(code);
}

const char *greta_nvidia_hipGetErrorString(hipError_t code)
{
	const char *text = NULL;
	const struct greta_cuda *cuda = in_list(code) ? NULL : greta_nvidia_cuda();
	return cuda && !cuda->get_error_string((int)code, &text) && text ? text : greta_hip_error_text(code);
}
