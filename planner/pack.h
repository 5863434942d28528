/* The arena packer: gives every buffer of a schedule an offset so that buffers alive at the same time never share a
 * byte.
 *
 * Greedy placements come first; where their peak is above the lower bound (or the capacity), a search over canonical
 * packings follows, bounded by a number of nodes and never by a clock: the same input gives the same offsets
 * everywhere. */
#ifndef GRETA_PLANNER_PACK_H
#define GRETA_PLANNER_PACK_H

#include "models/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRETA_PACK_DEFAULT_EFFORT 2000000u
#define GRETA_PACK_ALIGNMENT_MAX ((uint64_t)1 << 32)

struct greta_pack_buffer {
	uint64_t size;         /* bytes; 0 conflicts with nothing */
	uint32_t lower, upper; /* alive in [lower, upper); empty when equal, and then in conflict with nothing */
	uint64_t alignment;    /* of the offset, in bytes: a power of two up to GRETA_PACK_ALIGNMENT_MAX; 0 means 1 */
	uint64_t offset;       /* out: bytes from the arena's start, a multiple of the alignment */
};

struct greta_pack_options {
	uint64_t capacity; /* bytes: any packing up to this peak will do; 0: the smallest peak that can be found */
	uint64_t effort;   /* search nodes in all; 0: GRETA_PACK_DEFAULT_EFFORT; 1 is as good as none */
};

struct greta_pack_result {
	uint64_t peak;        /* bytes: largest offset + size */
	uint64_t lower_bound; /* bytes: no packing has a smaller peak. The largest sum of bytes alive at one time
			       * (counting the padding that alignment forces between them), or more where a finished
			       * search refuted it */
	uint64_t naive_sum;   /* bytes: all buffers one behind the other, each aligned */
	uint64_t nodes;       /* search nodes visited; 0 when the greedy placements were enough */
	bool proven; /* nothing is left open: peak equals lower_bound, or with a capacity: peak is within it or
		      * lower_bound is above it */
};

/* Packs `count` buffers. On success every offset is set and *out filled, also when the peak found is above
 * options->capacity: then lower_bound > capacity says that no packing fits, lower_bound <= capacity that none was
 * found within the effort. Options may be NULL (all zero). Fails with GRETA_ERROR_ARGUMENT (lower > upper, an
 * alignment that is no power of two, sizes that add up beyond 64 bits; the message gives the buffer's index) and
 * GRETA_ERROR_MEMORY; offsets are untouched then.
 *
 * Time components are packed one by one. A component of more than GRETA_PACK_GREEDY_MAX buffers is only swept in time
 * order (n log n); up to that the greedy placements take n^2; the search is for up to GRETA_PACK_SEARCH_MAX buffers.
 */
enum greta_status greta_pack(struct greta_pack_buffer *buffers, size_t count, const struct greta_pack_options *options,
    struct greta_pack_result *out, struct greta_error *error);

#define GRETA_PACK_GREEDY_MAX 8192u
#define GRETA_PACK_SEARCH_MAX 2048u

#endif
