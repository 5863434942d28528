/* Stream capture: what is enqueued on a capturing stream becomes a node of a graph instead.
 *
 * A capture begins on one stream and spreads to others by events: a stream that waits for an event recorded in a
 * capturing stream joins. Each capturing stream keeps the set of nodes that its next one comes after. A call that HIP
 * does not permit while a capture is on returns an error and invalidates the capture: until hipStreamEndCapture,
 * which then returns hipErrorStreamCaptureInvalidated and no graph, the streams in it refuse whatever is enqueued on
 * them. */
#ifndef GRETA_CPU_CAPTURE_H
#define GRETA_CPU_CAPTURE_H

#include "runtime/cpu/graph.h"

struct greta_cpu_capture {
	struct greta_cpu_capture *next, **link;
	uint64_t id; /* from 1; events name their capture by it, since they may outlive it */
	hipStreamCaptureMode mode;
	pthread_t thread;
	hipStream_t origin;
	struct ihipGraph *graph;
	bool invalid;
	bool blocking; /* some stream in it is ordered with the default stream */
};

/* All with the device's lock held. */

/* For calls that are unsafe during capture (allocating, freeing, synchronous copies):
 * hipErrorStreamCaptureUnsupported if a global capture is on, or a thread-local one of this thread, each of which is
 * invalidated; else hipSuccess. */
hipError_t greta_cpu_capture_refuse(struct greta_cpu_device *device, const char *call);

/* For calls that wait for the whole device: the same for every capture, whatever its mode. */
hipError_t greta_cpu_capture_refuse_all(struct greta_cpu_device *device, const char *call);

/* For work on the default stream: hipErrorStreamCaptureImplicit while a stream that is ordered with it captures. */
hipError_t greta_cpu_capture_refuse_default(struct greta_cpu_device *device, const char *call);

/* Invalidates, and returns `code` with its detail. */
hipError_t greta_cpu_capture_break(struct greta_cpu_capture *capture, hipError_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One launch on a stream that is capturing. */
hipError_t greta_cpu_capture_launch(hipStream_t stream, const struct greta_cpu_node *work, size_t args_size);

/* hipEventRecord on a capturing stream, hipStreamWaitEvent where stream or event has to do with a capture. */
hipError_t greta_cpu_capture_record(hipStream_t stream, hipEvent_t event);
hipError_t greta_cpu_capture_wait(struct greta_cpu_device *device, hipStream_t stream, hipEvent_t event);

/* The capture with this id, or NULL when it has ended. */
struct greta_cpu_capture *greta_cpu_capture_find(const struct greta_cpu_device *device, uint64_t id);

/* Takes the stream out of its capture, which it invalidates or, being its origin, ends. For hipStreamDestroy. */
void greta_cpu_capture_leave(struct greta_cpu_device *device, hipStream_t stream);

/* Ends a capture without a graph. */
void greta_cpu_capture_discard(struct greta_cpu_device *device, struct greta_cpu_capture *capture);

#endif
