/* The programs of a plan, ready to run on a device: functions resolved, pointers relocated once, graphs captured and
 * instantiated. From then on running a program is one call (or, eagerly, one per launch) with constant arguments. */
#ifndef GRETA_PROGRAMS_H
#define GRETA_PROGRAMS_H

#include "runtime/hip.h"
#include "runtime/plan.h"

struct greta_program {
	const struct greta_plan_program *plan;
	hipGraphExec_t exec; /* NULL until captured */
	size_t nodes;        /* of the graph */
};

struct greta_programs {
	const struct greta_hip *hip;
	const struct greta_plan *plan;
	struct greta_program *items;  /* as many as the plan has, in its order */
	uint8_t *args;                /* the plan's ARGS with addresses in place of offsets */
	hipFunction_t *functions;     /* of each launch */
	double capture_ms, instantiate_ms; /* so far */
};

/* `bases` are the device addresses of the regions (NULL for one that the plan does not use). `module` holds the
 * functions; it and the plan must outlive the programs. MISMATCH (the module lacks a function), MEMORY, DEVICE. */
enum greta_status greta_programs_init(struct greta_programs *programs, const struct greta_hip *hip,
				      const struct greta_plan *plan, hipModule_t module,
				      void *const bases[GRETA_REGION_COUNT], struct greta_error *error);

/* Captures program `index` in `stream` (work enqueued there goes on) and instantiates its graph; nothing when it has
 * one. After an error the stream is not capturing. */
enum greta_status greta_programs_capture(struct greta_programs *programs, size_t index, hipStream_t stream,
					 struct greta_error *error);

/* Enqueues program `index`: its graph, which must have been captured, or each of its launches. */
enum greta_status greta_programs_replay(const struct greta_programs *programs, size_t index, hipStream_t stream,
					struct greta_error *error);
enum greta_status greta_programs_launch(const struct greta_programs *programs, size_t index, hipStream_t stream,
					struct greta_error *error);

/* Enqueues one launch, by its number in the plan. */
enum greta_status greta_programs_launch_one(const struct greta_programs *programs, size_t launch, hipStream_t stream,
					    struct greta_error *error);

/* Nothing of it may be enqueued any more. */
void greta_programs_finish(struct greta_programs *programs);

#endif
