/* One walk of the packer's search: depth first over the canonical packings of one time component, until one fits the
 * capacity, all have been visited or the budget of nodes is spent. Which order to branch in is the caller's choice
 * (planner/pack_search.h makes several); pack_walk.c says what is canonical and what bounds a branch. */
#ifndef GRETA_PLANNER_PACK_WALK_H
#define GRETA_PLANNER_PACK_WALK_H

#include <stdbool.h>
#include <stdint.h>

enum greta_pack_verdict {
	GRETA_PACK_FOUND,   /* offsets are set, every offset + size <= capacity */
	GRETA_PACK_NONE,    /* no such packing exists */
	GRETA_PACK_GAVE_UP, /* the budget was spent first */
};

/* A buffer, its time given in cliques: the maximal sets of buffers alive together, numbered in time order. */
struct greta_pack_block {
	uint64_t size, pad;   /* pad: size rounded up to the smallest alignment, what it takes below another one */
	uint64_t mask;        /* alignment - 1 */
	uint32_t first, last; /* cliques [first, last) */
	uint32_t index;       /* in the caller's array; not interpreted */
	uint32_t rank;        /* in the order of this walk, smaller first */
	uint64_t contention;  /* bytes of the fullest clique it is in; not interpreted */
	uint64_t weight;      /* how often it was open in a clique that overflowed: counted by all walks so far */
};

struct greta_pack_clique {
	uint64_t limit;          /* capacity, plus the padding that the topmost block does not need */
	uint64_t left;           /* bytes still to be placed in it */
	uint64_t lowest, second; /* lowest tops that open blocks can have, and whose the lowest is */
	uint32_t lowest_block;
	uint32_t ways; /* open blocks that may stand at the highest step in it */
};

struct greta_pack_walk {
	/* The problem, for the caller to fill in after greta_pack_walk_init: blocks, sorted by first clique, equal ones
	 * side by side; each clique's limit; the budget; how children are sorted. */
	struct greta_pack_block *blocks;
	struct greta_pack_clique *cliques;
	uint64_t capacity;
	uint64_t budget; /* nodes */
	uint32_t count, clique_count;
	bool by_offset, by_slack; /* children in the order offset, slack, rank; without what is false */
	bool by_clique;           /* a clique that cannot wait is branched on by itself */

	/* The answer. */
	uint64_t *offsets; /* by block: of the branch being walked */
	uint64_t nodes;    /* visited, at most the budget */

	/* The walk's own. */
	struct greta_pack_open *open;      /* slices of all nodes of the branch, one behind the other */
	struct greta_pack_choice *choices; /* likewise */
	uint64_t *bottoms;                 /* of the node: lowest offset each open block can get */
	struct greta_pack_bottom *sorted;  /* the same, highest first */
};

/* Memory for `count` blocks and as many cliques, both zero. False when there is none; greta_pack_walk_finish is due in
 * either case. */
bool greta_pack_walk_init(struct greta_pack_walk *walk, uint32_t count, uint64_t capacity);
void greta_pack_walk_finish(struct greta_pack_walk *walk);

/* Walks from the start, as often as wanted. GRETA_PACK_NONE holds for every order. */
enum greta_pack_verdict greta_pack_walk_run(struct greta_pack_walk *walk);

#endif
