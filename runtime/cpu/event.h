/* Events: a place in a stream, with the time at which it was reached; or a place in a capture. */
#ifndef GRETA_CPU_EVENT_H
#define GRETA_CPU_EVENT_H

#include "runtime/cpu/graph.h"

struct ihipEvent_t {
	struct greta_cpu_object object;
	unsigned flags;
	_Atomic uint64_t ticket;     /* of the newest record; 0: never recorded */
	_Atomic int64_t nanoseconds; /* CLOCK_MONOTONIC at the newest record that was reached */
	uint64_t capture_id;         /* 0: last recorded outside captures */
	struct greta_cpu_set after;  /* in that capture */
};

#endif
