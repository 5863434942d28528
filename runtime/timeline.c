#include "runtime/timeline.h"

#include <stdlib.h>

enum greta_status greta_timeline_init(struct greta_timeline *timeline, size_t room, size_t programs,
				      struct greta_error *error)
{
	struct greta_timeline made = {
		.events = calloc(room, sizeof(*made.events)), .room = room, .steps = calloc(programs, sizeof(*made.steps))};
	if (!made.events || !made.steps) {
		greta_timeline_finish(&made);
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for a timeline of %zu events", room);
	}
	*timeline = made;
	return GRETA_OK;
}

void greta_timeline_finish(struct greta_timeline *timeline)
{
	free(timeline->events);
	free(timeline->steps);
	*timeline = (struct greta_timeline){0};
}

void greta_timeline_add(struct greta_timeline *timeline, const struct greta_timeline_event *event)
{
	struct greta_timeline_event *to = &timeline->events[timeline->count++ % timeline->room];
	*to = *event;
	if (event->kind == GRETA_TIMELINE_ENQUEUE)
		to->step = timeline->steps[event->program]++;
}
