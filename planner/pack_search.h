/* The packer's exact part: is there a packing of one time component within a capacity?
 *
 * Walks over the canonical packings (planner/pack_walk.h), restarted with several branching orders until one of them
 * finds a packing, one has visited everything, or the budget of nodes is spent. See planner/pack.h for what the packer
 * is. */
#ifndef GRETA_PLANNER_PACK_SEARCH_H
#define GRETA_PLANNER_PACK_SEARCH_H

#include "planner/pack.h"
#include "planner/pack_walk.h"

/* Buffers: sizes > 0, lower < upper, alignments >= 1, sorted by (lower, upper), at most GRETA_PACK_SEARCH_MAX of them;
 * size and padding together fit 63 bits. Offsets are written only when the verdict is GRETA_PACK_FOUND. *nodes is
 * increased by the nodes visited, at most `budget`. Fails with GRETA_ERROR_MEMORY only. */
enum greta_status greta_pack_search(struct greta_pack_buffer *buffers, size_t count, uint64_t capacity,
    uint64_t budget, uint64_t *nodes, enum greta_pack_verdict *out_verdict, struct greta_error *error);

#endif
