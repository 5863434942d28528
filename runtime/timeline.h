/* What the host does for a session and when: the last of it is kept for a trace. */
#ifndef GRETA_TIMELINE_H
#define GRETA_TIMELINE_H

#include "models/error.h"

#include <stddef.h>
#include <stdint.h>

enum greta_timeline_kind {
	GRETA_TIMELINE_ENQUEUE, /* a step is given to the device */
	GRETA_TIMELINE_WAIT,    /* for a token */
};

struct greta_timeline_event {
	enum greta_timeline_kind kind;
	uint32_t program;  /* enqueue: index in the plan … */
	uint64_t step;     /* … and which of its steps since the session was opened */
	uint32_t position; /* enqueue: of the step's first token; wait: of the token waited for */
	uint32_t token;    /* wait: that came */
	uint64_t begin_ns, end_ns; /* greta_clock_ns */
};

struct greta_timeline {
	struct greta_timeline_event *events; /* event i is at i % room */
	size_t room;
	uint64_t count;    /* so far: the last `room` of them are kept */
	uint64_t *steps;   /* of each program, enqueued so far */
};

/* Of a plan with that many programs. MEMORY. */
enum greta_status greta_timeline_init(struct greta_timeline *timeline, size_t room, size_t programs,
				      struct greta_error *error);
void greta_timeline_finish(struct greta_timeline *timeline);

void greta_timeline_add(struct greta_timeline *timeline, const struct greta_timeline_event *event);

#endif
