/* Plans in words: the pieces from which `show` and `diff` are made. */
#ifndef GRETA_PLANNER_DESCRIBE_H
#define GRETA_PLANNER_DESCRIBE_H

#include "kernels/abi.h"
#include "runtime/plan.h"

#define GRETA_TEXT_MAX 160 /* of what a function below writes; longer names are cut */

/* "weights", "model", ... */
const char *greta_region_name(uint32_t region);

/* "none", "full"; "f16", "f32"; "x8" to "x32"; "raw", "rows16", "tile16". */
const char *greta_fuse_name(uint32_t fuse);
const char *greta_kv_name(uint32_t kv_type);
const char *greta_activations_name(uint32_t activations);
const char *greta_layout_name(uint32_t layout);

/* "17 B", "4.1 kB", "3.9 GB": thousands, three digits. Returns `out`. */
const char *greta_bytes_text(uint64_t bytes, char out[GRETA_TEXT_MAX]);

/* Launches of `program` that belong to a layer, in the layer that has most. */
uint32_t greta_launches_per_layer(const struct greta_plan *plan, const struct greta_plan_program *program);

/* The addresses at which buffers of the program's arena begin or end, ascending, from 0 to its size; with more than
 * `room` - 1 of them, `room` at equal distances. Returns how many. */
uint32_t greta_arena_points(const struct greta_plan *plan, uint32_t program, uint32_t room, uint64_t *out);

/* The most bytes that are alive at one time in the program's arena, as its lifetimes say, with the padding that an
 * alignment of 64 bytes forces between them: no packing is smaller. */
uint64_t greta_arena_bound(const struct greta_plan *plan, uint32_t program);

/* The value of an argument: a name for a pointer ("x", "blk.0.attn_q.weight", with "+64" where it does not point at the
 * start, "-" for NULL), a type's, layout's or cache's name, else the number. Returns `out`. */
const char *greta_argument_text(const struct greta_plan *plan, const struct greta_plan_launch *launch,
				const struct greta_field *field, char out[GRETA_TEXT_MAX]);

#endif
