#include "runtime/cpu/capture.h"
#include "runtime/cpu/calls.h"
#include "runtime/cpu/event.h"
#include "runtime/cpu/stream.h"

#include <stdarg.h>
#include <stdlib.h>

static bool concerns_this_thread(const struct greta_cpu_capture *capture)
{
	return capture->mode == hipStreamCaptureModeGlobal ||
	    (capture->mode == hipStreamCaptureModeThreadLocal && pthread_equal(capture->thread, pthread_self()));
}

static hipError_t refuse(struct greta_cpu_device *device, const char *call, bool all)
{
	bool found = false;
	for (struct greta_cpu_capture *at = device->captures; at; at = at->next) {
		if (all || concerns_this_thread(at))
			found = at->invalid = true;
	}
	if (!found)
		return hipSuccess;
	return greta_cpu_error(hipErrorStreamCaptureUnsupported,
	    "%s is not permitted during a capture and has ended it", call);
}

hipError_t greta_cpu_capture_refuse(struct greta_cpu_device *device, const char *call)
{
	return refuse(device, call, false);
}

hipError_t greta_cpu_capture_refuse_all(struct greta_cpu_device *device, const char *call)
{
	return refuse(device, call, true);
}

hipError_t greta_cpu_capture_refuse_default(struct greta_cpu_device *device, const char *call)
{
	bool found = false;
	for (struct greta_cpu_capture *at = device->captures; at; at = at->next) {
		if (at->blocking)
			found = at->invalid = true;
	}
	if (!found)
		return hipSuccess;
	return greta_cpu_error(hipErrorStreamCaptureImplicit,
	    "%s on the default stream while a stream made without hipStreamNonBlocking captures", call);
}

hipError_t greta_cpu_capture_break(struct greta_cpu_capture *capture, hipError_t code, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	greta_cpu_error_list(code, format, list);
	va_end(list);
	capture->invalid = true;
	return code;
}

hipError_t greta_cpu_capture_launch(hipStream_t stream, const struct greta_cpu_node *work, size_t args_size)
{
	struct greta_cpu_capture *capture = stream->capture;
	if (!greta_cpu_graph_add(capture->graph, work, args_size, &stream->after))
		return greta_cpu_capture_break(capture, hipErrorOutOfMemory, "no memory for node %zu of a graph",
		    capture->graph->count);
	return hipSuccess;
}

struct greta_cpu_capture *greta_cpu_capture_find(const struct greta_cpu_device *device, uint64_t id)
{
	struct greta_cpu_capture *at = device->captures;
	while (at && at->id != id)
		at = at->next;
	return at;
}

hipError_t greta_cpu_capture_record(hipStream_t stream, hipEvent_t event)
{
	event->capture_id = stream->capture->id; /* also on failure, which invalidates what it then names */
	event->after.count = 0;
	if (!greta_cpu_set_add_all(&event->after, &stream->after))
		return greta_cpu_capture_break(stream->capture, hipErrorOutOfMemory,
		    "no memory to record an event in a capture");
	return hipSuccess;
}

hipError_t greta_cpu_capture_wait(struct greta_cpu_device *device, hipStream_t stream, hipEvent_t event)
{
	struct greta_cpu_capture *from = event->capture_id ? greta_cpu_capture_find(device, event->capture_id) : NULL;
	struct greta_cpu_capture *to = stream ? stream->capture : NULL;
	if (!from && to)
		return greta_cpu_capture_break(to, hipErrorStreamCaptureIsolation,
		    "a capturing stream was to wait for an event that was not recorded in its capture");
	if (!from)
		return greta_cpu_error(hipErrorCapturedEvent,
		    "the event was last recorded in a capture that has ended");
	if (from->invalid)
		return greta_cpu_error(hipErrorStreamCaptureInvalidated, "the event's capture is invalid");
	if (!stream)
		return greta_cpu_capture_break(from, hipErrorStreamCaptureImplicit,
		    "the default stream cannot join a capture");
	if (to && to != from) {
		to->invalid = true;
		return greta_cpu_capture_break(from, hipErrorStreamCaptureMerge, "two captures cannot become one");
	}
	if (!greta_cpu_set_add_all(&stream->after, &event->after))
		return greta_cpu_capture_break(from, hipErrorOutOfMemory, "no memory for a fork in a capture");
	stream->capture = from;
	if (!(stream->flags & hipStreamNonBlocking))
		from->blocking = true;
	return hipSuccess;
}

static void leave(hipStream_t stream)
{
	stream->capture = NULL;
	greta_cpu_set_finish(&stream->after);
}

/* Frees the capture, its graph left to the caller. */
static void end(struct greta_cpu_device *device, struct greta_cpu_capture *capture)
{
	for (struct greta_cpu_object *at = device->objects; at; at = at->next) {
		hipStream_t stream = (void *)at;
		if (at->kind == GRETA_CPU_STREAM && stream->capture == capture)
			leave(stream);
	}
	*capture->link = capture->next;
	if (capture->next)
		capture->next->link = capture->link;
	free(capture);
}

void greta_cpu_capture_discard(struct greta_cpu_device *device, struct greta_cpu_capture *capture)
{
	greta_cpu_graph_destroy(capture->graph);
	end(device, capture);
}

void greta_cpu_capture_leave(struct greta_cpu_device *device, hipStream_t stream)
{
	struct greta_cpu_capture *capture = stream->capture;
	if (!capture)
		return;
	capture->invalid = true;
	if (capture->origin == stream)
		greta_cpu_capture_discard(device, capture);
	else
		leave(stream);
}

hipError_t greta_cpu_hipStreamBeginCapture(hipStream_t stream, hipStreamCaptureMode mode)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!stream)
		return greta_cpu_reject(device, hipErrorStreamCaptureUnsupported, "the default stream cannot capture");
	if (!greta_cpu_object_is(stream, GRETA_CPU_STREAM))
		return greta_cpu_reject(device, hipErrorInvalidHandle, "hipStreamBeginCapture: no stream");
	if ((unsigned)mode > hipStreamCaptureModeRelaxed)
		return greta_cpu_reject(device, hipErrorInvalidValue, "%d is no capture mode", (int)mode);
	if (stream->capture)
		return greta_cpu_reject(device, hipErrorIllegalState, "the stream is capturing already");
	struct greta_cpu_capture *capture = calloc(1, sizeof(*capture));
	struct ihipGraph *graph = greta_cpu_graph_create();
	if (!capture || !graph) {
		free(capture);
		free(graph);
		return greta_cpu_reject(device, hipErrorOutOfMemory, "no memory for a capture");
	}
	*capture = (struct greta_cpu_capture){ .next = device->captures, .link = &device->captures,
		.id = ++device->capture_count, .mode = mode, .thread = pthread_self(), .origin = stream, .graph = graph,
		.blocking = !(stream->flags & hipStreamNonBlocking) };
	if (capture->next)
		capture->next->link = &capture->next;
	device->captures = capture;
	stream->capture = capture;
	return greta_cpu_unlock(device, hipSuccess);
}

/* Whether every branch has come back: no node is last of its branch but those the first stream would go on after. */
static bool joined(const struct greta_cpu_capture *capture)
{
	const struct ihipGraph *graph = capture->graph;
	for (size_t i = 0; i < graph->count; i++) {
		if (!graph->nodes[i]->followed && !greta_cpu_set_has(&capture->origin->after, (uint32_t)i))
			return false;
	}
	return true;
}

hipError_t greta_cpu_hipStreamEndCapture(hipStream_t stream, hipGraph_t *out_graph)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!greta_cpu_object_is(stream, GRETA_CPU_STREAM) || !out_graph)
		return greta_cpu_reject(device, stream && out_graph ? hipErrorInvalidHandle : hipErrorInvalidValue,
		    "hipStreamEndCapture: no stream, or nowhere to put the graph");
	struct greta_cpu_capture *capture = stream->capture;
	if (!capture)
		return greta_cpu_reject(device, hipErrorIllegalState, "the stream is not capturing");
	if (capture->origin != stream)
		return greta_cpu_unlock(device, greta_cpu_capture_break(capture, hipErrorStreamCaptureUnmatched,
		    "the capture did not begin in this stream"));
	if (capture->mode != hipStreamCaptureModeRelaxed && !pthread_equal(capture->thread, pthread_self()))
		return greta_cpu_reject(device, hipErrorStreamCaptureWrongThread,
		    "the capture was begun by another thread, and not in relaxed mode");
	*out_graph = NULL;
	hipError_t code = hipSuccess;
	if (capture->invalid)
		code = greta_cpu_error(hipErrorStreamCaptureInvalidated,
		    "an earlier error has invalidated the capture");
	else if (!joined(capture))
		code = greta_cpu_error(hipErrorStreamCaptureUnjoined,
		    "work of a forked stream was not joined before the end");
	if (code) {
		greta_cpu_capture_discard(device, capture);
		return greta_cpu_unlock(device, code);
	}
	*out_graph = capture->graph;
	greta_cpu_graph_publish(device, capture->graph);
	end(device, capture);
	return greta_cpu_unlock(device, hipSuccess);
}

hipError_t greta_cpu_hipStreamIsCapturing(hipStream_t stream, hipStreamCaptureStatus *out_status)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!out_status)
		return greta_cpu_reject(device, hipErrorInvalidValue, "hipStreamIsCapturing: nowhere to write to");
	if (!stream) {
		hipError_t code = greta_cpu_capture_refuse_default(device, "hipStreamIsCapturing");
		if (!code)
			*out_status = hipStreamCaptureStatusNone;
		return greta_cpu_unlock(device, code);
	}
	if (!greta_cpu_object_is(stream, GRETA_CPU_STREAM))
		return greta_cpu_reject(device, hipErrorInvalidHandle, "hipStreamIsCapturing: no stream");
	if (!stream->capture)
		*out_status = hipStreamCaptureStatusNone;
	else if (stream->capture->invalid)
		*out_status = hipStreamCaptureStatusInvalidated;
	else
		*out_status = hipStreamCaptureStatusActive;
	return greta_cpu_unlock(device, hipSuccess);
}
