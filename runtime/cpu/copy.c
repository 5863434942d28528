#include "runtime/cpu/copy.h"
#include "runtime/cpu/calls.h"
#include "runtime/cpu/memory.h"
#include "runtime/cpu/stream.h"

#include <string.h>

static void copy_kernel(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_cpu_copy *copy = args;
	size_t start = block->x * GRETA_CPU_COPY_BLOCK, size = copy->size - start;
	if (size > GRETA_CPU_COPY_BLOCK)
		size = GRETA_CPU_COPY_BLOCK;
	if (copy->from)
		memcpy(copy->to + start, copy->from + start, size);
	else
		memset(copy->to + start, copy->value, size);
}

struct greta_cpu_node greta_cpu_copy_node(const struct greta_cpu_copy *copy)
{
	uint32_t blocks = (uint32_t)((copy->size - 1) / GRETA_CPU_COPY_BLOCK) + 1;
	return (struct greta_cpu_node){ .kernel = copy_kernel, .args = copy, .grid_x = blocks, .grid_y = 1, .grid_z = 1,
		.blocks = blocks };
}

/* With the lock held. */
static hipError_t check(const struct greta_cpu_device *device, const struct greta_cpu_copy *copy, bool fill,
    const char *call)
{
	if (!copy->to || (!copy->from && !fill))
		return greta_cpu_error(hipErrorInvalidValue, "%s: NULL for %zu bytes", call, copy->size);
	uintptr_t to = (uintptr_t)copy->to, from = (uintptr_t)copy->from;
	if (!fill && (to > from ? to - from : from - to) < copy->size)
		return greta_cpu_error(hipErrorInvalidValue, "%s: %zu bytes at %p and at %p overlap", call, copy->size,
		    (void *)copy->to, (const void *)copy->from);
	if (copy->size / GRETA_CPU_COPY_BLOCK >= 0x7fffffff)
		return greta_cpu_error(hipErrorInvalidValue, "%s: %zu bytes are too many", call, copy->size);
	if (!greta_cpu_memory_range_fits(device, copy->to, copy->size) ||
	    (!fill && !greta_cpu_memory_range_fits(device, copy->from, copy->size)))
		return hipErrorInvalidValue;
	return hipSuccess;
}

/* `fill` tells a fill from a copy whose source is NULL; `wait` is for the calls that return when it is done. */
static hipError_t transfer(const struct greta_cpu_copy *copy, bool fill, bool wait, hipMemcpyKind kind,
    hipStream_t stream, const char *call)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	hipError_t code = hipSuccess;
	if (wait)
		code = greta_cpu_capture_refuse(device, call);
	if (!code && (unsigned)kind > hipMemcpyDefault)
		code = greta_cpu_error(hipErrorInvalidMemcpyDirection, "%s: %d is no direction", call, (int)kind);
	if (!code && copy->size)
		code = check(device, copy, fill, call);
	greta_cpu_unlock(device, code);
	if (code || !copy->size)
		return code;
	struct greta_cpu_node node = greta_cpu_copy_node(copy);
	code = greta_cpu_stream_submit(stream, &node, sizeof(*copy), call);
	if (!code && wait)
		greta_cpu_queue_wait(device->queue, greta_cpu_queue_newest(device->queue));
	return code;
}

hipError_t greta_cpu_hipMemcpy(void *to, const void *from, size_t size, hipMemcpyKind kind)
{
	struct greta_cpu_copy copy = { .to = to, .from = from, .size = size };
	return transfer(&copy, false, true, kind, NULL, "hipMemcpy");
}

hipError_t greta_cpu_hipMemcpyAsync(void *to, const void *from, size_t size, hipMemcpyKind kind, hipStream_t stream)
{
	struct greta_cpu_copy copy = { .to = to, .from = from, .size = size };
	return transfer(&copy, false, false, kind, stream, "hipMemcpyAsync");
}

hipError_t greta_cpu_hipMemset(void *to, int value, size_t size)
{
	struct greta_cpu_copy copy = { .to = to, .size = size, .value = (unsigned char)value };
	return transfer(&copy, true, true, hipMemcpyDefault, NULL, "hipMemset");
}

hipError_t greta_cpu_hipMemsetAsync(void *to, int value, size_t size, hipStream_t stream)
{
	struct greta_cpu_copy copy = { .to = to, .size = size, .value = (unsigned char)value };
	return transfer(&copy, true, false, hipMemcpyDefault, stream, "hipMemsetAsync");
}
