/* What a launch of a plan points at. */
#ifndef GRETA_BENCH_PARITY_LAUNCHES_H
#define GRETA_BENCH_PARITY_LAUNCHES_H

#include "runtime/plan.h"

/* The object (index in TENSORS or BUFFERS) that the pointer at byte `field` of its arguments leads to;
 * GRETA_PLAN_NONE for a NULL pointer. */
uint32_t greta_parity_object_at(const struct greta_plan *plan, const struct greta_plan_launch *launch, uint32_t field);

/* The buffer of digits that it reads; GRETA_PLAN_NONE for none. */
uint32_t greta_parity_digits_read(const struct greta_plan *plan, const struct greta_plan_launch *launch);

#endif
