/* A packing is canonical when no buffer can sink: each lies at offset 0 or (aligned) on top of one it overlaps in
 * time. If any packing fits the capacity, one with the least sum of offsets does, and that one is canonical and can be
 * built by placing buffers in order of (offset, rank), each at its support: the top of what is already placed below
 * it. The search walks exactly those sequences, after M. D. Moffitt, "MiniMalloc: a lightweight memory allocator for
 * hardware-accelerated machine learning" (ASPLOS 2023), whose ideas are: offsets never decrease along a branch; a step
 * that leaves room in which another buffer could still sink is dominated; the floor of each stretch of time plus what
 * it still must hold bounds the branch. Added here: time is reduced to the maximal cliques of the interval graph,
 * buffers below the current offset must find a support among those still to be placed, equal buffers go in one order,
 * and whenever the buffers left fall apart in time the parts are solved by themselves.
 *
 * A node holds its open buffers as a slice sorted by first clique, with each one's support beside it; a child's slice
 * is a copy without the buffer placed, so there is nothing to undo, and a part is a sub-slice. */
#include "planner/pack_search.h"

#include <stdlib.h>
#include <string.h>

#define UNBOUNDED UINT64_MAX
#define FIRST_RUN 2000u /* nodes of the first restart of each order; doubled from round to round */

struct block {
	uint64_t size, pad;   /* pad: size rounded up to the smallest alignment, what it takes below another one */
	uint64_t mask;        /* alignment - 1 */
	uint32_t first, last; /* cliques [first, last) */
	uint32_t index;       /* in the caller's array */
	uint32_t rank;        /* in the order of this restart */
	uint64_t contention;  /* bytes of the fullest clique it is in */
	uint64_t weight;      /* how often it was open in a clique that overflowed */
};

struct open {
	uint64_t support; /* lowest offset allowed by what is placed */
	uint32_t block;
};

struct choice {
	uint64_t offset;
	uint32_t rank, at; /* at: position in the slice */
};

struct clique {
	uint64_t limit;          /* capacity, plus the padding that the topmost block does not need */
	uint64_t left;           /* bytes still to be placed in it */
	uint64_t floor;          /* lowest offset of any open block */
	uint64_t lowest, second; /* lowest tops that open blocks can have, and whose the lowest is */
	uint32_t lowest_block;
};

struct search {
	struct block *blocks;
	struct clique *cliques;
	uint64_t *offsets;      /* by block: of the branch being walked */
	struct open *open;      /* slices of all nodes of the branch, one behind the other */
	struct choice *choices; /* likewise */
	uint64_t capacity;
	uint64_t nodes, budget; /* of this restart */
	uint32_t count, clique_count;
	bool offset_first; /* children by offset, then rank; else by rank alone */
};

static uint64_t align(uint64_t offset, uint64_t mask)
{
	return (offset + mask) & ~mask;
}

static void survey(struct search *search, const struct open *open, uint32_t count, uint64_t level)
{
	uint32_t end = 0;
	for (uint32_t i = 0; i < count; i++)
		if (search->blocks[open[i].block].last > end)
			end = search->blocks[open[i].block].last;
	for (uint32_t c = search->blocks[open[0].block].first; c < end; c++) {
		struct clique *clique = &search->cliques[c];
		clique->left = 0;
		clique->floor = clique->lowest = clique->second = UNBOUNDED;
		clique->lowest_block = UINT32_MAX;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct block *block = &search->blocks[open[i].block];
		uint64_t top = (open[i].support > level ? open[i].support : level) + block->size;
		for (uint32_t c = block->first; c < block->last; c++) {
			struct clique *clique = &search->cliques[c];
			clique->left += block->pad;
			if (top < clique->lowest) {
				clique->second = clique->lowest;
				clique->lowest = top;
				clique->lowest_block = i;
			} else if (top < clique->second) {
				clique->second = top;
			}
		}
	}
}

/* The lowest offset that an open block below `level` can still get: the top of an open block that it overlaps. */
static uint64_t later_support(const struct search *search, const struct block *block, uint32_t i)
{
	uint64_t low = UNBOUNDED;
	for (uint32_t c = block->first; c < block->last; c++) {
		const struct clique *clique = &search->cliques[c];
		uint64_t top = clique->lowest_block == i ? clique->second : clique->lowest;
		if (top < low)
			low = top;
	}
	return low == UNBOUNDED ? low : align(low, block->mask);
}

static void blame(struct search *search, const struct open *open, uint32_t count, uint32_t c)
{
	for (uint32_t i = 0; i < count; i++) {
		struct block *block = &search->blocks[open[i].block];
		if (block->first <= c && c < block->last)
			block->weight++;
	}
}

static bool may_stand_at(const struct search *search, const struct open *open, uint64_t level, uint32_t last)
{
	return open->support > level || (open->support == level && search->blocks[open->block].rank >= last);
}

/* Bounds the node and returns the highest offset at which the next block may stand, or UNBOUNDED when the node is
 * dead. */
static uint64_t highest_step(
    struct search *search, const struct open *open, uint32_t count, uint64_t level, uint32_t last)
{
	uint64_t high = UNBOUNDED - 1;
	survey(search, open, count, level);
	for (uint32_t i = 0; i < count; i++) {
		const struct block *block = &search->blocks[open[i].block];
		uint64_t bottom = open[i].support;
		if (!may_stand_at(search, &open[i], level, last))
			bottom = later_support(search, block, i);
		if (bottom > search->capacity || block->size > search->capacity - bottom) {
			search->blocks[open[i].block].weight++;
			return UNBOUNDED;
		}
		if (open[i].support + block->size - 1 < high)
			high = open[i].support + block->size - 1;
		for (uint32_t c = block->first; c < block->last; c++)
			if (bottom < search->cliques[c].floor)
				search->cliques[c].floor = bottom;
	}
	uint32_t c = search->blocks[open[0].block].first;
	for (uint32_t i = 0; i < count; i++) {
		for (; c < search->blocks[open[i].block].last; c++) {
			const struct clique *clique = &search->cliques[c];
			if (clique->left > clique->limit || clique->floor > clique->limit - clique->left) {
				blame(search, open, count, c);
				return UNBOUNDED;
			}
			if (clique->limit - clique->left < high)
				high = clique->limit - clique->left;
		}
	}
	return high;
}

static bool before(const struct choice *a, const struct choice *b)
{
	return a->offset != b->offset ? a->offset < b->offset : a->rank < b->rank;
}

static bool equal(const struct block *a, const struct block *b)
{
	return a->first == b->first && a->last == b->last && a->size == b->size && a->mask == b->mask;
}

/* The children of a node, best first. Insertion sort: there are few, and mostly in order. */
static uint32_t list_choices(struct search *search, const struct open *open, uint32_t count, uint64_t level,
    uint32_t last, uint64_t high, struct choice *choices)
{
	uint32_t found = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct block *block = &search->blocks[open[i].block];
		if (open[i].support > high || !may_stand_at(search, &open[i], level, last))
			continue;
		if (i > 0 && equal(&search->blocks[open[i - 1].block], block))
			continue;
		struct choice choice = {search->offset_first ? open[i].support : 0, block->rank, i};
		uint32_t to = found++;
		for (; to > 0 && before(&choice, &choices[to - 1]); to--)
			choices[to] = choices[to - 1];
		choices[to] = choice;
	}
	return found;
}

static void place(struct search *search, const struct open *open, uint32_t count, uint32_t at, struct open *child)
{
	const struct block *placed = &search->blocks[open[at].block];
	uint64_t top = open[at].support + placed->size;
	search->offsets[open[at].block] = open[at].support;
	for (uint32_t i = 0; i < count; i++) {
		if (i == at)
			continue;
		const struct block *block = &search->blocks[open[i].block];
		*child = open[i];
		if (block->first < placed->last && placed->first < block->last && child->support < top)
			child->support = align(top, block->mask);
		child++;
	}
}

static enum greta_pack_verdict walk(struct search *search, const struct open *open, uint32_t count, uint64_t level,
    uint32_t last, struct open *free_open, struct choice *free_choices);

static enum greta_pack_verdict walk_connected(struct search *search, const struct open *open, uint32_t count,
    uint64_t level, uint32_t last, struct open *free_open, struct choice *free_choices)
{
	if (search->nodes == search->budget)
		return GRETA_PACK_GAVE_UP;
	search->nodes++;
	uint64_t high = highest_step(search, open, count, level, last);
	if (high == UNBOUNDED)
		return GRETA_PACK_NONE;
	uint32_t found = list_choices(search, open, count, level, last, high, free_choices);
	for (uint32_t i = 0; i < found; i++) {
		uint32_t at = free_choices[i].at;
		place(search, open, count, at, free_open);
		enum greta_pack_verdict verdict = walk(search, free_open, count - 1, open[at].support,
		    search->blocks[open[at].block].rank, free_open + count - 1, free_choices + found);
		if (verdict != GRETA_PACK_NONE)
			return verdict;
	}
	return GRETA_PACK_NONE;
}

/* Splits the slice where no open block crosses from one clique to the next; all parts must succeed. */
static enum greta_pack_verdict walk(struct search *search, const struct open *open, uint32_t count, uint64_t level,
    uint32_t last, struct open *free_open, struct choice *free_choices)
{
	uint32_t start = 0;
	while (start < count) {
		uint32_t reach = search->blocks[open[start].block].last, end = start + 1;
		for (; end < count && search->blocks[open[end].block].first < reach; end++)
			if (search->blocks[open[end].block].last > reach)
				reach = search->blocks[open[end].block].last;
		enum greta_pack_verdict verdict =
		    walk_connected(search, open + start, end - start, level, last, free_open, free_choices);
		if (verdict != GRETA_PACK_FOUND)
			return verdict;
		start = end;
	}
	return GRETA_PACK_FOUND;
}

static int compare_blocks(const void *left, const void *right)
{
	const struct block *a = left, *b = right;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->last != b->last)
		return a->last < b->last ? -1 : 1;
	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	if (a->mask != b->mask)
		return a->mask > b->mask ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

struct end {
	uint32_t time, cliques; /* cliques complete once everything that ends then has ended */
};

static int compare_ends(const void *left, const void *right)
{
	const struct end *a = left, *b = right;
	return a->time < b->time ? -1 : a->time > b->time;
}

/* Numbers the maximal cliques in time order (one is complete when something ends after something has started) and
 * gives each block its range of them. Two lifetimes overlap exactly when their ranges do. `ends` is scratch for
 * `count`. */
static uint32_t find_cliques(
    struct block *blocks, const struct greta_pack_buffer *buffers, uint32_t count, struct end *ends)
{
	for (uint32_t i = 0; i < count; i++)
		ends[i] = (struct end){buffers[i].upper, 0};
	qsort(ends, count, sizeof(*ends), compare_ends);
	uint32_t complete = 0, started = 0;
	for (uint32_t e = 0; e < count; e++) {
		bool grew = false;
		for (; started < count && buffers[started].lower < ends[e].time; started++) {
			blocks[started].first = complete;
			grew = true;
		}
		complete += grew;
		ends[e].cliques = complete;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct end key = {buffers[i].upper, 0};
		const struct end *end = bsearch(&key, ends, count, sizeof(*ends), compare_ends);
		blocks[i].last = end->cliques;
	}
	return complete;
}

static void describe_blocks(struct search *search, const struct greta_pack_buffer *buffers, struct end *ends)
{
	uint64_t least = UINT64_MAX;
	for (uint32_t i = 0; i < search->count; i++)
		if (buffers[i].alignment < least)
			least = buffers[i].alignment;
	for (uint32_t i = 0; i < search->count; i++) {
		search->blocks[i].index = i;
		search->blocks[i].size = buffers[i].size;
		search->blocks[i].pad = align(buffers[i].size, least - 1);
		search->blocks[i].mask = buffers[i].alignment - 1;
	}
	search->clique_count = find_cliques(search->blocks, buffers, search->count, ends);
	qsort(search->blocks, search->count, sizeof(*search->blocks), compare_blocks);
	for (uint32_t i = 0; i < search->count; i++) {
		const struct block *block = &search->blocks[i];
		for (uint32_t c = block->first; c < block->last; c++) {
			struct clique *clique = &search->cliques[c];
			clique->left += block->pad;
			if (block->pad - block->size > clique->limit)
				clique->limit = block->pad - block->size;
		}
	}
	for (uint32_t i = 0; i < search->count; i++) {
		struct block *block = &search->blocks[i];
		for (uint32_t c = block->first; c < block->last; c++)
			if (search->cliques[c].left > block->contention)
				block->contention = search->cliques[c].left;
	}
	for (uint32_t c = 0; c < search->clique_count; c++)
		search->cliques[c].limit += search->capacity;
}

enum order { ORDER_LENGTH, ORDER_AREA, ORDER_CONTENTION, ORDER_SIZE, ORDER_CONTENTION_LENGTH, ORDER_WEIGHT, ORDERS };

struct key {
	double major, minor; /* larger first */
	uint32_t block;
};

static int compare_keys(const void *left, const void *right)
{
	const struct key *a = left, *b = right;
	if (a->major != b->major)
		return a->major > b->major ? -1 : 1;
	if (a->minor != b->minor)
		return a->minor > b->minor ? -1 : 1;
	return a->block < b->block ? -1 : a->block > b->block;
}

static void rank_blocks(
    struct search *search, const struct greta_pack_buffer *buffers, enum order order, struct key *keys)
{
	for (uint32_t i = 0; i < search->count; i++) {
		const struct block *block = &search->blocks[i];
		double length = buffers[block->index].upper - buffers[block->index].lower;
		double size = (double)block->size, area = size * length, contention = (double)block->contention;
		switch (order) {
		case ORDER_LENGTH: keys[i] = (struct key){length, area, i}; break;
		case ORDER_AREA: keys[i] = (struct key){area, contention, i}; break;
		case ORDER_CONTENTION: keys[i] = (struct key){contention, area, i}; break;
		case ORDER_SIZE: keys[i] = (struct key){size, length, i}; break;
		case ORDER_CONTENTION_LENGTH: keys[i] = (struct key){contention, length, i}; break;
		default: keys[i] = (struct key){(double)block->weight, area, i}; break;
		}
	}
	qsort(keys, search->count, sizeof(*keys), compare_keys);
	for (uint32_t i = 0; i < search->count; i++)
		search->blocks[keys[i].block].rank = i;
}

/* Runs the orders in turn, each with twice the nodes of its last turn, until one of them ends by itself. */
static enum greta_pack_verdict restart(
    struct search *search, const struct greta_pack_buffer *buffers, uint64_t budget, struct key *keys, uint64_t *nodes)
{
	enum greta_pack_verdict verdict = GRETA_PACK_GAVE_UP;
	uint64_t run = FIRST_RUN;
	while (budget > 0 && verdict == GRETA_PACK_GAVE_UP) {
		for (uint32_t order = 0; order < 2 * ORDERS && budget > 0 && verdict == GRETA_PACK_GAVE_UP; order++) {
			rank_blocks(search, buffers, (enum order)(order / 2), keys);
			search->offset_first = order % 2 == 0;
			search->nodes = 0;
			search->budget = run < budget ? run : budget;
			for (uint32_t i = 0; i < search->count; i++)
				search->open[i] = (struct open){0, i};
			verdict = walk(
			    search, search->open, search->count, 0, 0, search->open + search->count, search->choices);
			budget -= search->nodes;
			*nodes += search->nodes;
		}
		run = run > UINT64_MAX / 2 ? run : 2 * run;
	}
	return verdict;
}

enum greta_status greta_pack_search(struct greta_pack_buffer *buffers, size_t count, uint64_t capacity,
    uint64_t budget, uint64_t *nodes, enum greta_pack_verdict *out_verdict, struct greta_error *error)
{
	size_t triangle = count * (count + 1) / 2;
	struct search search = {.capacity = capacity, .count = (uint32_t)count};
	search.blocks = calloc(count, sizeof(*search.blocks));
	search.cliques = calloc(count, sizeof(*search.cliques));
	search.offsets = malloc(count * sizeof(*search.offsets));
	search.open = malloc(triangle * sizeof(*search.open));
	search.choices = malloc(triangle * sizeof(*search.choices));
	struct key *keys = malloc(count * sizeof(*keys));
	struct end *ends = malloc(count * sizeof(*ends));
	enum greta_status status = GRETA_OK;
	if (search.blocks && search.cliques && search.offsets && search.open && search.choices && keys && ends) {
		describe_blocks(&search, buffers, ends);
		*out_verdict = restart(&search, buffers, budget, keys, nodes);
		for (uint32_t i = 0; i < count && *out_verdict == GRETA_PACK_FOUND; i++)
			buffers[search.blocks[i].index].offset = search.offsets[i];
	} else {
		status =
		    greta_fail(error, GRETA_ERROR_MEMORY, "no memory to search for a packing of %zu buffers", count);
	}
	free(ends);
	free(keys);
	free(search.choices);
	free(search.open);
	free(search.offsets);
	free(search.cliques);
	free(search.blocks);
	return status;
}
