/* greta-exec --trace: a run as a trace for Perfetto (ui.perfetto.dev) or chrome://tracing: what the host enqueued and
 * waited for, and on the device every step, logic block and launch, by the time stamps that its launches left.
 *
 * The file is Chrome's JSON: {"displayTimeUnit", "otherData", "traceEvents"}. Host: pid 1, ranges (B, E) and tokens
 * (i): each where it is first seen (--hash makes one more than the text has: the last logits come with it).
 * Device: pid 2, complete events (X) on one track for steps, blocks and launches each. A flow (s, t, f) leads from
 * where a step is enqueued over the step to the end of the wait for its token. Of a long run the last 256 steps of each
 * program are there. */
#ifndef GRETA_EXEC_TRACE_H
#define GRETA_EXEC_TRACE_H

#include "runtime/greta.h"

struct greta_exec_trace;

/* Begins the file and records from now on; before anything runs in the session, which outlives the trace. ARGUMENT (its
 * plan writes no stamps), IO, MEMORY, DEVICE. */
enum greta_status greta_exec_trace_begin(struct greta *greta, const char *path, struct greta_exec_trace **out_trace,
                                         struct greta_error *error);

/* Writes the file, which appears whole or not at all; once. IO, MEMORY, DEVICE. */
enum greta_status greta_exec_trace_write(struct greta_exec_trace *trace, struct greta_error *error);

/* NULL is allowed. */
void greta_exec_trace_end(struct greta_exec_trace *trace);

#endif
