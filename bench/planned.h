/* greta-bench given a plan in the place of a model: it is measured as it is. */
#ifndef GRETA_BENCH_PLANNED_H
#define GRETA_BENCH_PLANNED_H

#include "bench/request.h"

/* If request->model is a plan, takes fusion and context from it, so that what is opened is this plan and nothing is
 * planned. ARGUMENT when the request excludes what the plan is or needs another plan; CONTEXT when its tests do not
 * fit; what greta_plan_open fails with. Anything but a plan is left to be opened. */
enum greta_status bench_planned(struct bench_request *request, struct greta_error *error);

#endif
