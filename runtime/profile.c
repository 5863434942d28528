#include "runtime/session.h"

#include <stdlib.h>

struct stamps {
	const struct greta_hip *hip;
	hipEvent_t *events;
	size_t count;
};

static void release(struct stamps *stamps)
{
	for (size_t i = 0; i < stamps->count; i++)
		if (stamps->events[i])
			stamps->hip->hipEventDestroy(stamps->events[i]);
	free(stamps->events);
}

static enum greta_status make(struct stamps *stamps, struct greta_error *error)
{
	stamps->events = calloc(stamps->count, sizeof(hipEvent_t));
	if (!stamps->events)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu time stamps", stamps->count);
	for (size_t i = 0; i < stamps->count; i++) {
		hipError_t code = stamps->hip->hipEventCreateWithFlags(&stamps->events[i], hipEventDefault);
		if (code != hipSuccess)
			return greta_hip_fail(stamps->hip, code, error, "hipEventCreateWithFlags of a time stamp");
	}
	return GRETA_OK;
}

/* Enqueues the decode program with a stamp before, between and after its launches, and waits for it. */
static enum greta_status run(struct greta *greta, const struct stamps *stamps, struct greta_error *error)
{
	const struct greta_hip *hip = greta->hip;
	const struct greta_plan_program *program = greta->programs.items[greta->decode].plan;
	enum greta_status status = GRETA_OK;
	hipError_t code = hip->hipEventRecord(stamps->events[0], greta->stream);
	for (uint32_t i = 0; i < program->launch_count && code == hipSuccess && status == GRETA_OK; i++) {
		status = greta_programs_launch_one(&greta->programs, program->first_launch + i, greta->stream, error);
		if (status == GRETA_OK)
			code = hip->hipEventRecord(stamps->events[i + 1], greta->stream);
	}
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipEventRecord of a time stamp");
	return status == GRETA_OK ? greta_session_drain(greta, error) : status;
}

enum greta_status greta_session_time_launches(struct greta *greta, double *out_ms, struct greta_error *error)
{
	struct greta_error reason;
	const float *logits;
	uint32_t token;
	struct stamps stamps = {
		.hip = greta->hip, .count = (size_t)greta->programs.items[greta->decode].plan->launch_count + 1};
	enum greta_status status = greta_logits(greta, &logits, error); /* from here on only the last token is to run */
	if (status != GRETA_OK)
		return status;
	status = make(&stamps, error);
	if (status == GRETA_OK)
		status = greta_session_write_state(greta, greta->length - 1, greta->length, error);
	if (status == GRETA_OK) {
		status = run(greta, &stamps, &reason);
		if (status != GRETA_OK) {
			if (error)
				*error = reason;
			greta_session_broke(greta, status, &reason);
		}
	}
	if (status == GRETA_OK) {
		greta->position = greta->length;
		status = greta_session_wait(greta, greta->length, &token, error);
	}
	for (size_t i = 0; i + 1 < stamps.count && status == GRETA_OK; i++) {
		float ms = 0;
		hipError_t code = greta->hip->hipEventElapsedTime(&ms, stamps.events[i], stamps.events[i + 1]);
		if (code != hipSuccess)
			status = greta_hip_fail(greta->hip, code, error, "hipEventElapsedTime of launch %zu", i);
		out_ms[i] = ms;
	}
	release(&stamps);
	return status;
}
