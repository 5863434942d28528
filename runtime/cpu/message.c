#include "runtime/cpu/message.h"
#include "runtime/cpu/calls.h"

#include <stdio.h>

/* HIP's interface leaves no other place for these than the thread. */
static _Thread_local hipError_t last;
static _Thread_local char line[320];

hipError_t greta_cpu_error_list(hipError_t code, const char *format, va_list list)
{
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): every caller has started it */
	if (vsnprintf(line, sizeof(line), format, list) < 0)
		line[0] = '\0';
	last = code;
	return code;
}

hipError_t greta_cpu_error(hipError_t code, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	greta_cpu_error_list(code, format, list);
	va_end(list);
	return code;
}

const char *greta_cpu_detail(void)
{
	return line;
}

hipError_t greta_cpu_hipGetLastError(void)
{
	hipError_t code = last;
	last = hipSuccess;
	return code;
}

const char *greta_cpu_hipGetErrorName(hipError_t code)
{
	return greta_hip_error_name(code);
}

const char *greta_cpu_hipGetErrorString(hipError_t code)
{
	return greta_hip_error_text(code);
}
