#include "runtime/exec/trace.h"

#include "kernels/abi.h"
#include "models/new_file.h"
#include "runtime/session.h"
#include "runtime/stamps.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMELINE_EVENTS 4096 /* an enqueueing and a wait for each of many more steps than stamps are kept of */

enum { HOST = 1, DEVICE = 2 };                        /* pid */
enum { SESSION = 1, STEPS = 1, BLOCKS = 2, LAUNCHES = 3 }; /* tid */

struct greta_exec_trace {
	struct greta *greta;
	struct greta_timeline timeline;
	struct greta_stamp_moment first, last;
	struct greta_stamps stamps;
	uint64_t origin_ns; /* of the trace */
	struct greta_new_file file;
	FILE *out;
	bool begun, failed;
	uint64_t told; /* positions whose token has its event; one may be waited for twice */
};

/* ---- Events ---- */

/* Takes the event over. */
static void put(struct greta_exec_trace *trace, json_t *event)
{
	if (!event) {
		trace->failed = true;
		return;
	}
	fputs(trace->begun ? ",\n" : "\n", trace->out);
	trace->begun = true;
	if (json_dumpf(event, trace->out, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15)) != 0)
		trace->failed = true;
	json_decref(event);
}

/* Microseconds since the trace began. */
static double us(const struct greta_exec_trace *trace, uint64_t ns)
{
	return ((double)ns - (double)trace->origin_ns) * 1e-3;
}

static void name_track(struct greta_exec_trace *trace, const char *what, int pid, int tid, const char *name)
{
	put(trace, json_pack("{s:s, s:s, s:i, s:i, s:{s:s}}", "ph", "M", "name", what, "pid", pid, "tid", tid, "args", "name",
	                     name));
}

/* Flow: 's' where it starts, 't' on its way, 'f' at its end; it belongs to the range around the moment. */
static void put_flow(struct greta_exec_trace *trace, const char *phase, int pid, int tid, uint64_t ns, uint64_t id)
{
	json_t *event = json_pack("{s:s, s:s, s:s, s:I, s:i, s:i, s:f}", "ph", phase, "cat", "step", "name", "step", "id",
	                          (json_int_t)id, "pid", pid, "tid", tid, "ts", us(trace, ns));
	if (event && *phase == 'f' && json_object_set_new(event, "bp", json_string("e")))
		trace->failed = true;
	put(trace, event);
}

/* ---- The host ---- */

static const struct greta_timeline_event *event_at(const struct greta_timeline *timeline, uint64_t i)
{
	return &timeline->events[i % timeline->room];
}

static uint64_t first_event(const struct greta_timeline *timeline)
{
	return timeline->count > timeline->room ? timeline->count - timeline->room : 0;
}

static const char *program_name(const struct greta_exec_trace *trace, size_t program)
{
	const struct greta_plan *plan = greta_session_plan(trace->greta);
	return greta_plan_string(plan, plan->programs[program].name);
}

/* The device's step that an enqueueing made is in the trace. */
static const uint64_t *row_of(const struct greta_exec_trace *trace, const struct greta_timeline_event *event)
{
	const struct greta_program_stamps *stamps = &trace->stamps.programs[event->program];
	uint64_t first = stamps->steps - stamps->kept;
	if (event->step < first || event->step >= stamps->steps)
		return NULL;
	return greta_stamps_row(stamps, event->step - first);
}

static void put_begin(struct greta_exec_trace *trace, const char *name, const struct greta_timeline_event *event,
                      json_t *args)
{
	put(trace, json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:o}", "ph", "B", "cat", "host", "name", name, "pid", HOST, "tid",
	                     SESSION, "ts", us(trace, event->begin_ns), "args", args));
}

static void put_end(struct greta_exec_trace *trace, const struct greta_timeline_event *event)
{
	put(trace, json_pack("{s:s, s:i, s:i, s:f}", "ph", "E", "pid", HOST, "tid", SESSION, "ts", us(trace, event->end_ns)));
}

static void put_enqueue(struct greta_exec_trace *trace, const struct greta_timeline_event *event, uint64_t flow)
{
	char name[64];
	snprintf(name, sizeof(name), "enqueue %.40s", program_name(trace, event->program));
	put_begin(trace, name, event,
	          json_pack("{s:i, s:I}", "position", (int)event->position, "step", (json_int_t)event->step));
	if (row_of(trace, event))
		put_flow(trace, "s", HOST, SESSION, event->begin_ns, flow);
	put_end(trace, event);
}

static void put_wait(struct greta_exec_trace *trace, const struct greta_timeline_event *event)
{
	put_begin(trace, "wait", event, json_pack("{s:i}", "position", (int)event->position));
	put_end(trace, event);
	if (event->position < trace->told)
		return;
	trace->told = (uint64_t)event->position + 1;
	put(trace, json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:f, s:{s:i, s:i}}", "ph", "i", "cat", "ring", "name",
	                     "token", "s", "t", "pid", HOST, "tid", SESSION, "ts", us(trace, event->end_ns), "args", "position",
	                     (int)event->position, "token", (int)event->token));
}

/* ---- The device ---- */

/* When a tick was, on the host's clock. Where one clock may be the other, it is. Where the moments are too near each
 * other to tell how fast the two clocks go, one moment serves. */
static uint64_t host_ns(const struct greta_exec_trace *trace, uint64_t tick)
{
	const struct greta_stamp_moment *a = &trace->first, *b = &trace->last;
	double tick_ns = trace->stamps.tick_ns;
	if (fabs((double)(int64_t)(b->host_ns - (uint64_t)((double)b->device * tick_ns))) <= (double)b->unsure_ns)
		return (uint64_t)((double)tick * tick_ns);
	if (b->device > a->device && (double)(b->device - a->device) * tick_ns > 1e8)
		tick_ns = (double)(b->host_ns - a->host_ns) / (double)(b->device - a->device);
	return b->host_ns + (uint64_t)(int64_t)llround((double)(int64_t)(tick - b->device) * tick_ns);
}

static void put_span(struct greta_exec_trace *trace, int track, const char *category, const char *name, uint64_t begin,
                     uint64_t end, json_t *args)
{
	uint64_t begin_ns = host_ns(trace, begin), end_ns = host_ns(trace, end);
	put(trace, json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:o}", "ph", "X", "cat", category, "name", name, "pid",
	                     DEVICE, "tid", track, "ts", us(trace, begin_ns), "dur",
	                     (double)(end_ns - begin_ns) * 1e-3, "args", args));
}

static json_t *layer_of(const struct greta_plan_launch *launch)
{
	return launch->layer == GRETA_PLAN_NONE ? json_null() : json_integer(launch->layer);
}

static void put_launch(struct greta_exec_trace *trace, const struct greta_plan *plan, uint32_t launch,
                       const uint64_t *clock)
{
	const struct greta_plan_launch *l = &plan->launches[launch];
	uint64_t bytes = greta_launch_weight_bytes(plan, launch);
	double ns = (double)(clock[1] - clock[0]) * trace->stamps.tick_ns;
	put_span(trace, LAUNCHES, "launch", greta_plan_string(plan, l->symbol), clock[0], clock[1],
	         json_pack("{s:i, s:o, s:s, s:I, s:f}", "launch", (int)launch, "layer", layer_of(l), "block",
	                   greta_block_name(l->logic_block), "weight_bytes", (json_int_t)bytes,
	                   "weight_bytes_per_second", ns > 0 ? (double)bytes * 1e9 / ns : 0.0));
}

/* Blocks: intervals of one layer and logic block that follow each other. */
static void put_step(struct greta_exec_trace *trace, size_t program, const struct greta_stamp_interval *intervals,
                     const uint64_t *row)
{
	const struct greta_plan *plan = greta_session_plan(trace->greta);
	uint32_t slots = trace->stamps.programs[program].slots;
	const uint64_t *clock = row + 1;
	put_span(trace, STEPS, "step", program_name(trace, program), clock[0], clock[slots - 1],
	         json_pack("{s:i, s:i}", "position", (int)(uint32_t)row[0], "tokens", (int)(row[0] >> 32)));
	for (uint32_t i = 0, next; i + 1 < slots; i = next) {
		next = i + 1;
		if (!intervals[i].count) {
			put_span(trace, BLOCKS, "stamp", "stamp", clock[i], clock[i + 1], json_object());
			continue;
		}
		const struct greta_plan_launch *launch = &plan->launches[intervals[i].first];
		uint64_t bytes = 0;
		for (; next + 1 < slots; next++) {
			const struct greta_plan_launch *other = &plan->launches[intervals[next].first];
			if (!intervals[next].count || other->layer != launch->layer ||
			    other->logic_block != launch->logic_block)
				break;
		}
		for (uint32_t k = i; k < next; k++)
			for (uint32_t l = 0; l < intervals[k].count; l++)
				bytes += greta_launch_weight_bytes(plan, intervals[k].first + l);
		put_span(trace, BLOCKS, "block", greta_block_name(launch->logic_block), clock[i], clock[next],
		         json_pack("{s:o, s:I}", "layer", layer_of(launch), "weight_bytes", (json_int_t)bytes));
		for (uint32_t k = i; k < next; k++)
			if (intervals[k].count == 1)
				put_launch(trace, plan, intervals[k].first, &clock[k]);
	}
}

/* Where a program's steps are in the making of the trace. */
struct progress {
	struct greta_stamp_interval *intervals;
	uint32_t next; /* row */
};

/* The program whose next step began first; the number of programs when all are through. */
static size_t earliest(const struct greta_stamps *stamps, const struct progress *progress)
{
	size_t found = stamps->count;
	uint64_t first = UINT64_MAX;
	for (size_t p = 0; p < stamps->count; p++) {
		if (progress[p].next >= stamps->programs[p].kept)
			continue;
		uint64_t begin = greta_stamps_row(&stamps->programs[p], progress[p].next)[1];
		if (begin < first) {
			first = begin;
			found = p;
		}
	}
	return found;
}

static enum greta_status put_steps(struct greta_exec_trace *trace, struct greta_error *error)
{
	const struct greta_stamps *stamps = &trace->stamps;
	struct progress *progress = calloc(stamps->count + 1, sizeof(*progress));
	bool memory = progress != NULL;
	for (size_t p = 0; p < stamps->count && memory; p++) {
		progress[p].intervals = calloc((size_t)stamps->programs[p].slots + 1, sizeof(*progress[p].intervals));
		memory = progress[p].intervals != NULL;
		if (memory && stamps->programs[p].slots)
			greta_stamp_intervals(greta_session_plan(trace->greta), p, progress[p].intervals);
	}
	for (size_t p; memory && (p = earliest(stamps, progress)) < stamps->count; progress[p].next++)
		put_step(trace, p, progress[p].intervals, greta_stamps_row(&stamps->programs[p], progress[p].next));
	for (size_t p = 0; p < stamps->count && progress; p++)
		free(progress[p].intervals);
	free(progress);
	return memory ? GRETA_OK : greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the trace");
}

/* ---- The file ---- */

/* Flow i leads from enqueueing i to the step, and to the wait that the next token came with, if there is one. */
static void put_flow_ends(struct greta_exec_trace *trace, uint64_t i)
{
	const struct greta_timeline *timeline = &trace->timeline;
	const struct greta_timeline_event *event = event_at(timeline, i);
	const uint64_t *row = row_of(trace, event);
	if (!row)
		return;
	uint64_t begin = host_ns(trace, row[1]);
	uint32_t after = (uint32_t)row[0] + (uint32_t)(row[0] >> 32);
	for (uint64_t k = i + 1; k < timeline->count; k++) {
		const struct greta_timeline_event *wait = event_at(timeline, k);
		if (wait->kind != GRETA_TIMELINE_WAIT || wait->position != after)
			continue;
		put_flow(trace, "t", DEVICE, STEPS, begin, i);
		put_flow(trace, "f", HOST, SESSION, wait->end_ns > wait->begin_ns ? wait->end_ns - 1 : wait->begin_ns, i);
		return;
	}
	put_flow(trace, "f", DEVICE, STEPS, begin, i);
}

static void put_tracks(struct greta_exec_trace *trace)
{
	const struct greta_info *info = greta_get_info(trace->greta);
	json_t *name = json_string(info->device);
	name_track(trace, "process_name", HOST, 0, "greta-exec");
	name_track(trace, "thread_name", HOST, SESSION, "session");
	name_track(trace, "process_name", DEVICE, 0, name ? info->device : info->target);
	name_track(trace, "thread_name", DEVICE, STEPS, info->eager ? "steps" : "replays");
	name_track(trace, "thread_name", DEVICE, BLOCKS, "blocks");
	name_track(trace, "thread_name", DEVICE, LAUNCHES, "launches");
	json_decref(name);
}

/* What the trace is of, and how far it can be trusted. */
static json_t *describe(const struct greta_exec_trace *trace)
{
	const struct greta_info *info = greta_get_info(trace->greta);
	uint64_t steps = 0, kept = 0;
	for (size_t p = 0; p < trace->stamps.count; p++) {
		steps += trace->stamps.programs[p].steps;
		kept += trace->stamps.programs[p].kept;
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:f, s:f, s:s}", "tool", "greta-exec", "target", info->target,
	                 "provider", info->provider, "kernels", info->kernels, "eager", info->eager, "steps_run",
	                 (json_int_t)steps, "steps_kept", (json_int_t)kept, "device_clock_tick_ns", trace->stamps.tick_ns,
	                 "clocks_agree_within_us", (double)trace->last.unsure_ns * 1e-3, "note",
	                 "the launches are stamped, which takes time: greta-bench --blocks says how much");
}

static enum greta_status put_all(struct greta_exec_trace *trace, struct greta_error *error)
{
	const struct greta_timeline *timeline = &trace->timeline;
	json_t *about = describe(trace);
	fputs("{\"displayTimeUnit\": \"ns\",\n\"otherData\": ", trace->out);
	if (!about || json_dumpf(about, trace->out, JSON_COMPACT | JSON_PRESERVE_ORDER) != 0)
		trace->failed = true;
	json_decref(about);
	fputs(",\n\"traceEvents\": [", trace->out);
	put_tracks(trace);
	for (uint64_t i = first_event(timeline); i < timeline->count; i++) {
		if (event_at(timeline, i)->kind == GRETA_TIMELINE_ENQUEUE)
			put_enqueue(trace, event_at(timeline, i), i);
		else
			put_wait(trace, event_at(timeline, i));
	}
	enum greta_status status = put_steps(trace, error);
	for (uint64_t i = first_event(timeline); i < timeline->count; i++)
		if (event_at(timeline, i)->kind == GRETA_TIMELINE_ENQUEUE)
			put_flow_ends(trace, i);
	fputs("\n]}\n", trace->out);
	return status;
}

static enum greta_status write_file(struct greta_exec_trace *trace, struct greta_error *error)
{
	trace->out = greta_new_file_stream(&trace->file);
	if (!trace->out)
		return greta_fail(error, GRETA_ERROR_IO, "cannot write %s: %s", trace->file.path, strerror(errno));
	enum greta_status status = put_all(trace, error);
	bool broken = ferror(trace->out) != 0;
	broken = fclose(trace->out) != 0 || broken;
	if (status == GRETA_OK && broken)
		status = greta_fail(error, GRETA_ERROR_IO, "cannot write %s: %s", trace->file.path, strerror(errno));
	else if (status == GRETA_OK && trace->failed)
		status = greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the trace");
	return status == GRETA_OK ? greta_new_file_commit(&trace->file, error) : status;
}

enum greta_status greta_exec_trace_begin(struct greta *greta, const char *path, struct greta_exec_trace **out_trace,
                                         struct greta_error *error)
{
	struct greta_exec_trace *trace = calloc(1, sizeof(*trace));
	if (!trace)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for a trace");
	trace->greta = greta;
	trace->file.fd = -1;
	enum greta_status status = greta_new_file_init(&trace->file, path, error);
	if (status == GRETA_OK)
		status = greta_timeline_init(&trace->timeline, TIMELINE_EVENTS,
		                             greta_session_plan(greta)->program_count, error);
	if (status == GRETA_OK)
		status = greta_stamps_now(greta, &trace->first, error);
	if (status != GRETA_OK) {
		greta_exec_trace_end(trace);
		return status;
	}
	greta_session_set_timeline(greta, &trace->timeline);
	*out_trace = trace;
	return GRETA_OK;
}

enum greta_status greta_exec_trace_write(struct greta_exec_trace *trace, struct greta_error *error)
{
	enum greta_status status = greta_stamps_read(trace->greta, &trace->stamps, error);
	if (status == GRETA_OK)
		status = greta_stamps_now(trace->greta, &trace->last, error);
	if (status != GRETA_OK)
		return status;
	trace->origin_ns = trace->first.host_ns;
	return write_file(trace, error);
}

void greta_exec_trace_end(struct greta_exec_trace *trace)
{
	if (!trace)
		return;
	greta_session_set_timeline(trace->greta, NULL);
	greta_new_file_finish(&trace->file);
	greta_timeline_finish(&trace->timeline);
	greta_stamps_finish(&trace->stamps);
	free(trace);
}
