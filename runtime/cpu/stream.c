#include "runtime/cpu/stream.h"
#include "runtime/cpu/calls.h"
#include "runtime/cpu/memory.h"

#include <stdlib.h>

hipError_t greta_cpu_stream_check(struct greta_cpu_device *device, hipStream_t stream, const char *call)
{
	if (!stream)
		return greta_cpu_capture_refuse_default(device, call);
	if (!greta_cpu_object_is(stream, GRETA_CPU_STREAM))
		return greta_cpu_error(hipErrorInvalidHandle, "%s: no stream", call);
	if (stream->capture && stream->capture->invalid)
		return greta_cpu_error(hipErrorStreamCaptureInvalidated,
		    "%s: an earlier error has invalidated the stream's capture; hipStreamEndCapture frees the stream",
		    call);
	return hipSuccess;
}

hipError_t greta_cpu_stream_submit(hipStream_t stream, const struct greta_cpu_node *work, size_t args_size,
    const char *call)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	hipError_t code = greta_cpu_stream_check(device, stream, call);
	if (code)
		return greta_cpu_unlock(device, code);
	if (stream && stream->capture)
		return greta_cpu_unlock(device, greta_cpu_capture_launch(stream, work, args_size));
	greta_cpu_unlock(device, hipSuccess);
	greta_cpu_queue_launch(device->queue, work, args_size, stream ? &stream->ticket : NULL);
	return hipSuccess;
}

static void release_stream(void *object)
{
	hipStream_t stream = object;
	greta_cpu_set_finish(&stream->after);
	free(stream);
}

hipError_t greta_cpu_hipStreamCreateWithFlags(hipStream_t *out_stream, unsigned int flags)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!out_stream || flags & ~hipStreamNonBlocking)
		return greta_cpu_reject(device, hipErrorInvalidValue,
		    "hipStreamCreateWithFlags: nowhere to write to, or flags 0x%x unknown", flags);
	hipStream_t stream = calloc(1, sizeof(*stream));
	if (!stream)
		return greta_cpu_reject(device, hipErrorOutOfMemory, "no memory for a stream");
	stream->flags = flags;
	greta_cpu_object_add(device, stream, GRETA_CPU_STREAM, release_stream);
	*out_stream = stream;
	return greta_cpu_unlock(device, hipSuccess);
}

hipError_t greta_cpu_hipStreamDestroy(hipStream_t stream)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!greta_cpu_object_is(stream, GRETA_CPU_STREAM))
		return greta_cpu_reject(device, hipErrorInvalidHandle, "hipStreamDestroy: no stream");
	greta_cpu_capture_leave(device, stream);
	greta_cpu_object_remove(stream);
	release_stream(stream); /* what was enqueued on it runs on: no item refers to its stream */
	return greta_cpu_unlock(device, hipSuccess);
}

/* What hipStreamSynchronize and hipStreamQuery have in common: the queue and the ticket to look at there. The default
 * stream's is the newest of all. NULL: the call fails with *out_code. */
static struct greta_cpu_queue *newest_ticket(hipStream_t stream, const char *call, uint64_t *out_ticket,
    hipError_t *out_code)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	*out_code = hipErrorNotInitialized;
	if (!device)
		return NULL;
	hipError_t code = hipSuccess;
	if (!stream) {
		code = greta_cpu_capture_refuse_default(device, call);
	} else if (!greta_cpu_object_is(stream, GRETA_CPU_STREAM)) {
		code = greta_cpu_error(hipErrorInvalidHandle, "%s: no stream", call);
	} else if (stream->capture) {
		code = greta_cpu_capture_break(stream->capture, hipErrorStreamCaptureUnsupported,
		    "%s of a capturing stream has ended the capture", call);
	}
	if (!code)
		*out_ticket = stream ? atomic_load_explicit(&stream->ticket, memory_order_acquire)
				     : greta_cpu_queue_newest(device->queue);
	*out_code = greta_cpu_unlock(device, code);
	return code ? NULL : device->queue;
}

hipError_t greta_cpu_hipStreamSynchronize(hipStream_t stream)
{
	uint64_t ticket = 0;
	hipError_t code;
	struct greta_cpu_queue *queue = newest_ticket(stream, "hipStreamSynchronize", &ticket, &code);
	if (queue)
		greta_cpu_queue_wait(queue, ticket);
	return code;
}

hipError_t greta_cpu_hipStreamQuery(hipStream_t stream)
{
	uint64_t ticket = 0;
	hipError_t code;
	struct greta_cpu_queue *queue = newest_ticket(stream, "hipStreamQuery", &ticket, &code);
	return queue && !greta_cpu_queue_finished(queue, ticket) ? hipErrorNotReady : code;
}

hipError_t greta_cpu_hipDeviceSynchronize(void)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	hipError_t code = greta_cpu_capture_refuse_all(device, "hipDeviceSynchronize");
	greta_cpu_unlock(device, code);
	if (code)
		return code;
	greta_cpu_queue_wait(device->queue, greta_cpu_queue_newest(device->queue));
	device = greta_cpu_lock();
	return device ? greta_cpu_unlock(device, greta_cpu_memory_check_guards(device)) : hipErrorNotInitialized;
}
