#include "runtime/cpu/event.h"
#include "runtime/cpu/calls.h"
#include "runtime/cpu/capture.h"
#include "runtime/cpu/stream.h"

#include <stdlib.h>
#include <time.h>

static void release_event(void *object)
{
	hipEvent_t event = object;
	greta_cpu_set_finish(&event->after);
	free(event);
}

/* Runs on the executor when the stream gets there. */
static void stamp(void *object)
{
	hipEvent_t event = object;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	/* relaxed: readers look only after the item has finished, which orders it */
	atomic_store_explicit(&event->nanoseconds, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
	    memory_order_relaxed);
}

static void pass(void *object)
{
	(void)object;
}

hipError_t greta_cpu_hipEventCreateWithFlags(hipEvent_t *out_event, unsigned int flags)
{
	/* the two high bits choose cache flushes on AMD devices; there is nothing to flush here */
	const unsigned known = hipEventBlockingSync | hipEventDisableTiming | 0x40000000u | 0x80000000u;
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!out_event || flags & ~known)
		return greta_cpu_reject(device, hipErrorInvalidValue,
		    "hipEventCreateWithFlags: nowhere to write to, or flags 0x%x unknown", flags);
	hipEvent_t event = calloc(1, sizeof(*event));
	if (!event)
		return greta_cpu_reject(device, hipErrorOutOfMemory, "no memory for an event");
	event->flags = flags;
	greta_cpu_object_add(device, event, GRETA_CPU_EVENT, release_event);
	*out_event = event;
	return greta_cpu_unlock(device, hipSuccess);
}

hipError_t greta_cpu_hipEventDestroy(hipEvent_t event)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!greta_cpu_object_is(event, GRETA_CPU_EVENT))
		return greta_cpu_reject(device, hipErrorInvalidHandle, "hipEventDestroy: no event");
	greta_cpu_object_remove(event);
	greta_cpu_unlock(device, hipSuccess);
	greta_cpu_queue_call(device->queue, release_event, event, NULL,
	    NULL); /* after the records that are on their way */
	return hipSuccess;
}

hipError_t greta_cpu_hipEventRecord(hipEvent_t event, hipStream_t stream)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!greta_cpu_object_is(event, GRETA_CPU_EVENT))
		return greta_cpu_reject(device, hipErrorInvalidHandle, "hipEventRecord: no event");
	hipError_t code = greta_cpu_stream_check(device, stream, "hipEventRecord");
	if (code)
		return greta_cpu_unlock(device, code);
	if (stream && stream->capture)
		return greta_cpu_unlock(device, greta_cpu_capture_record(stream, event));
	event->capture_id = 0;
	greta_cpu_unlock(device, hipSuccess);
	greta_cpu_queue_call(device->queue, event->flags & hipEventDisableTiming ? pass : stamp, event, &event->ticket,
	    stream ? &stream->ticket : NULL);
	return hipSuccess;
}

hipError_t greta_cpu_hipStreamWaitEvent(hipStream_t stream, hipEvent_t event, unsigned int flags)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!greta_cpu_object_is(event, GRETA_CPU_EVENT))
		return greta_cpu_reject(device, hipErrorInvalidHandle, "hipStreamWaitEvent: no event");
	if (flags)
		return greta_cpu_reject(device, hipErrorInvalidValue, "hipStreamWaitEvent: flags must be 0");
	hipError_t code = greta_cpu_stream_check(device, stream, "hipStreamWaitEvent");
	if (!code && (event->capture_id || (stream && stream->capture)))
		code = greta_cpu_capture_wait(device, stream, event);
	/* Outside captures nothing is left to do: whatever was recorded stands ahead in the device's one queue. */
	return greta_cpu_unlock(device, code);
}

/* With the lock held: whether the event is one, and was last recorded outside captures. */
static hipError_t check_outside_capture(struct greta_cpu_device *device, hipEvent_t event, const char *call)
{
	if (!greta_cpu_object_is(event, GRETA_CPU_EVENT))
		return greta_cpu_error(hipErrorInvalidHandle, "%s: no event", call);
	if (!event->capture_id)
		return hipSuccess;
	struct greta_cpu_capture *capture = greta_cpu_capture_find(device, event->capture_id);
	if (capture)
		capture->invalid = true;
	return greta_cpu_error(hipErrorCapturedEvent, "%s: the event was last recorded in a capture", call);
}

/* The queue, and the ticket of the newest record to look at there. NULL: the call fails with *out_code. */
static struct greta_cpu_queue *newest_record(hipEvent_t event, const char *call, uint64_t *out_ticket,
    hipError_t *out_code)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	*out_code = hipErrorNotInitialized;
	if (!device)
		return NULL;
	hipError_t code = check_outside_capture(device, event, call);
	if (!code)
		*out_ticket = atomic_load_explicit(&event->ticket, memory_order_acquire);
	*out_code = greta_cpu_unlock(device, code);
	return code ? NULL : device->queue;
}

hipError_t greta_cpu_hipEventSynchronize(hipEvent_t event)
{
	uint64_t ticket = 0;
	hipError_t code;
	struct greta_cpu_queue *queue = newest_record(event, "hipEventSynchronize", &ticket, &code);
	if (queue)
		greta_cpu_queue_wait(queue, ticket);
	return code;
}

hipError_t greta_cpu_hipEventQuery(hipEvent_t event)
{
	uint64_t ticket = 0;
	hipError_t code;
	struct greta_cpu_queue *queue = newest_record(event, "hipEventQuery", &ticket, &code);
	return queue && !greta_cpu_queue_finished(queue, ticket) ? hipErrorNotReady : code;
}

hipError_t greta_cpu_hipEventElapsedTime(float *out_ms, hipEvent_t start, hipEvent_t stop)
{
	uint64_t from = 0, to = 0;
	hipError_t code;
	struct greta_cpu_queue *queue = newest_record(start, "hipEventElapsedTime", &from, &code);
	if (queue)
		queue = newest_record(stop, "hipEventElapsedTime", &to, &code);
	if (!queue)
		return code;
	if (!out_ms)
		return greta_cpu_error(hipErrorInvalidValue, "hipEventElapsedTime: nowhere to write to");
	if (!from || !to || (start->flags | stop->flags) & hipEventDisableTiming)
		return greta_cpu_error(hipErrorInvalidHandle,
		    "hipEventElapsedTime: an event was never recorded or was made without timing");
	if (!greta_cpu_queue_finished(queue, from) || !greta_cpu_queue_finished(queue, to))
		return hipErrorNotReady;
	int64_t begun = atomic_load_explicit(&start->nanoseconds, memory_order_relaxed);
	int64_t ended = atomic_load_explicit(&stop->nanoseconds, memory_order_relaxed);
	*out_ms = (float)((double)(ended - begun) / 1e6);
	return hipSuccess;
}
