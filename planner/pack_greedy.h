/* The packer's greedy placements: the buffers of one time component in several orders, each buffer into the first or
 * the tightest gap among those that it overlaps. */
#ifndef GRETA_PLANNER_PACK_GREEDY_H
#define GRETA_PLANNER_PACK_GREEDY_H

#include "planner/pack.h"

/* Buffers as greta_pack_sweep takes them. Tries placements until one has a peak of at most `target` bytes or all have
 * been tried; sets every offset to the best one's and *out_peak to its peak. Fails with GRETA_ERROR_MEMORY. */
enum greta_status greta_pack_greedy(
    struct greta_pack_buffer *buffers, size_t count, uint64_t target, uint64_t *out_peak, struct greta_error *error);

#endif
