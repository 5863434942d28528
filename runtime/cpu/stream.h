/* Streams. NULL, the default stream, is accepted wherever HIP accepts it and is ordered with every stream: the
 * device's one queue makes it so. */
#ifndef GRETA_CPU_STREAM_H
#define GRETA_CPU_STREAM_H

#include "runtime/cpu/capture.h"
#include "runtime/cpu/graph.h"

struct ihipStream_t {
	struct greta_cpu_object object;
	unsigned flags;
	_Atomic uint64_t ticket; /* of the newest item enqueued on it */
	struct greta_cpu_capture *capture;
	struct greta_cpu_set after; /* while capturing: what the next node comes after */
};

/* With the device's lock held: hipErrorInvalidHandle if this is no stream; and what capture has against new work on it:
 * hipErrorStreamCaptureInvalidated, or hipErrorStreamCaptureImplicit on the default stream. */
hipError_t greta_cpu_stream_check(struct greta_cpu_device *device, hipStream_t stream, const char *call);

/* Without the lock: captures or enqueues one launch; `args_size` bytes at work->args are copied. */
hipError_t greta_cpu_stream_submit(hipStream_t stream, const struct greta_cpu_node *work, size_t args_size,
    const char *call);

#endif
