/* The views of a plan. Each prints to `out`; a failing stream is the caller's to notice (ferror). The plan has been
 * opened, not necessarily verified. */
#ifndef GRETA_PLANNER_SHOW_H
#define GRETA_PLANNER_SHOW_H

#include "runtime/plan.h"

#include <stdbool.h>
#include <stdio.h>

/* Model, options, programs, memory: a screen. `path` names the plan. */
void greta_show_summary(const struct greta_plan *plan, const char *path, FILE *out);

/* One line a launch: number, layer, logic block, kernel, grid, shared memory, and every argument by name. */
void greta_show_launches(const struct greta_plan *plan, const struct greta_plan_program *program, FILE *out);

/* The arena as a picture of characters: a line for each range of addresses between beginnings and ends of buffers, a
 * column for each launch, in panels at most `columns` wide. */
void greta_show_arena(const struct greta_plan *plan, uint32_t program, uint32_t columns, FILE *out);

/* Everything, as one JSON object. False when memory or the stream failed. */
bool greta_show_json(const struct greta_plan *plan, const char *path, FILE *out);

/* A picture of a program: its launches in order, the arena over time, and the launches of each logic block. XML in any
 * case: what is no character in a name becomes U+FFFD. */
void greta_show_svg(const struct greta_plan *plan, uint32_t program, FILE *out);

#endif
