/* First fit in time order: what an allocator would do that sees the buffers come and go, larger ones first among those
 * that start together. n log n, for the packer's large inputs; a decent first placement for the others. */
#ifndef GRETA_PLANNER_PACK_SWEEP_H
#define GRETA_PLANNER_PACK_SWEEP_H

#include "planner/pack.h"

/* Buffers: sizes > 0, lower < upper, alignments >= 1, all sizes and paddings together within 63 bits. Sets every
 * offset; `backward` walks from the last time to the first. Fails with GRETA_ERROR_MEMORY; offsets are untouched then.
 */
enum greta_status greta_pack_sweep(
    struct greta_pack_buffer *buffers, size_t count, bool backward, struct greta_error *error);

#endif
