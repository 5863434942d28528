/* A packing is canonical when no buffer can sink: each lies at offset 0 or (aligned) on top of one it overlaps in
 * time. If any packing fits the capacity, one with the least sum of offsets does, and that one is canonical and can be
 * built by placing buffers from low offsets to high, each at its support: the top of what is placed below it. The
 * search walks those sequences, after M. D. Moffitt, "MiniMalloc: a lightweight memory allocator for
 * hardware-accelerated machine learning" (ASPLOS 2023), whose ideas are: offsets never decrease along a branch; a step
 * that leaves room in which another buffer could still sink is dominated; what each stretch of time must still hold
 * bounds the branch.
 *
 * Added here: time is reduced to the maximal cliques of the interval graph. A clique must hold, above each height, all
 * open blocks that cannot go below it. Blocks below the current offset must find a support among those still open. A
 * clique without slack gets its next block now, so the one with the fewest candidates is branched on. Equal buffers go
 * in one order. Whenever the buffers left fall apart in time, the parts are solved by themselves.
 *
 * A node holds its open blocks as a slice sorted by first clique, with each one's support beside it; a child's slice
 * is a copy without the block placed, so there is nothing to undo, and a part is a sub-slice. */
#include "planner/pack_search.h"

#include <stdlib.h>
#include <string.h>

#define UNBOUNDED UINT64_MAX
#define NO_CLIQUE UINT32_MAX
#define RAISE_PASSES 3
#define FIRST_RUN 2000u /* nodes of the first restart of each order; doubled from round to round */

struct block {
	uint64_t size, pad;   /* pad: size rounded up to the smallest alignment, what it takes below another one */
	uint64_t mask;        /* alignment - 1 */
	uint32_t first, last; /* cliques [first, last) */
	uint32_t index;       /* in the caller's array */
	uint32_t rank;        /* in the order of this run */
	uint64_t contention;  /* bytes of the fullest clique it is in */
	uint64_t weight;      /* how often it was open in a clique that overflowed */
};

struct open {
	uint64_t support; /* lowest offset that the blocks placed allow */
	uint32_t block;
	bool barred; /* from standing at its support: that branch has been visited */
};

struct choice {
	uint64_t offset, slack;
	uint32_t rank, at; /* at: position in the slice */
};

struct clique {
	uint64_t limit;          /* capacity, plus the padding that the topmost block does not need */
	uint64_t left;           /* bytes still to be placed in it */
	uint64_t lowest, second; /* lowest tops that open blocks can have, and whose the lowest is */
	uint32_t lowest_block;
	uint32_t ways; /* open blocks that may stand at the highest step in it */
};

struct bottom {
	uint64_t offset;
	uint32_t at;
};

struct search {
	struct block *blocks;
	struct clique *cliques;
	uint64_t *offsets;      /* by block: of the branch being walked */
	struct open *open;      /* slices of all nodes of the branch, one behind the other */
	struct choice *choices; /* likewise */
	uint64_t *bottoms;      /* of the node: lowest offset each open block can get */
	struct bottom *sorted;  /* the same, highest first */
	uint64_t capacity;
	uint64_t nodes, budget; /* of this run */
	uint32_t count, clique_count;
	bool by_offset, by_slack; /* how children are sorted: offset, slack, rank; without what is false */
	bool by_clique;           /* a clique that cannot wait is branched on by itself */
};

/* A node: open blocks that hang together in time, to be placed at `level` or above. */
struct node {
	const struct open *open;
	uint32_t count;
	uint32_t first, last; /* the cliques they touch */
	uint64_t level;
};

static uint64_t align(uint64_t offset, uint64_t mask)
{
	return (offset + mask) & ~mask;
}

static bool may_stand(const struct open *open, uint64_t level)
{
	return open->support > level || (open->support == level && !open->barred);
}

static void sort_bottoms(struct search *search, uint32_t count)
{
	struct bottom *sorted = search->sorted;
	for (uint32_t i = 0; i < count; i++)
		sorted[i] = (struct bottom){search->bottoms[i], i};
	uint32_t gap = 1;
	while (gap < count / 3)
		gap = 3 * gap + 1;
	for (; gap > 0; gap /= 3)
		for (uint32_t i = gap; i < count; i++) {
			struct bottom moved = sorted[i];
			uint32_t to = i;
			for (; to >= gap && sorted[to - gap].offset < moved.offset; to -= gap)
				sorted[to] = sorted[to - gap];
			sorted[to] = moved;
		}
}

static void blame(struct search *search, const struct node *node, uint32_t clique)
{
	for (uint32_t i = 0; i < node->count; i++) {
		struct block *block = &search->blocks[node->open[i].block];
		if (block->first <= clique && clique < block->last)
			block->weight++;
	}
}

/* Whether every clique can hold, above each bottom, all open blocks that cannot go below it. Sets each clique's
 * `left`. */
static bool fits(struct search *search, const struct node *node)
{
	sort_bottoms(search, node->count);
	for (uint32_t c = node->first; c < node->last; c++)
		search->cliques[c].left = 0;
	for (uint32_t i = 0; i < node->count; i++) {
		struct block *block = &search->blocks[node->open[search->sorted[i].at].block];
		uint64_t bottom = search->sorted[i].offset;
		if (bottom > search->capacity || block->size > search->capacity - bottom) {
			block->weight++;
			return false;
		}
		for (uint32_t c = block->first; c < block->last; c++) {
			struct clique *clique = &search->cliques[c];
			clique->left += block->pad;
			if (bottom + clique->left > clique->limit) {
				blame(search, node, c);
				return false;
			}
		}
	}
	return true;
}

static void find_lowest_tops(struct search *search, const struct node *node)
{
	for (uint32_t c = node->first; c < node->last; c++) {
		search->cliques[c].lowest = search->cliques[c].second = UNBOUNDED;
		search->cliques[c].lowest_block = UINT32_MAX;
	}
	for (uint32_t i = 0; i < node->count; i++) {
		const struct block *block = &search->blocks[node->open[i].block];
		uint64_t top = search->bottoms[i] + block->size;
		for (uint32_t c = block->first; c < block->last; c++) {
			struct clique *clique = &search->cliques[c];
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

/* The lowest offset that open block i can get on top of another one: UNBOUNDED when it overlaps none. */
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

/* Blocks that may not stand at their support any more must come to lie on an open one: raises their bottoms to where
 * the lowest of those could end. Each pass may raise others again; a few find most of it. True when anything rose. */
static bool raise_waiting(struct search *search, const struct node *node)
{
	bool raised = false, again = true;
	for (int pass = 0; again && pass < RAISE_PASSES; pass++) {
		bool surveyed = false;
		again = false;
		for (uint32_t i = 0; i < node->count; i++) {
			if (may_stand(&node->open[i], node->level))
				continue;
			if (!surveyed)
				find_lowest_tops(search, node);
			surveyed = true;
			uint64_t bottom = later_support(search, &search->blocks[node->open[i].block], i);
			if (bottom <= search->bottoms[i])
				continue;
			search->bottoms[i] = bottom;
			raised = again = true;
		}
	}
	return raised;
}

/* The highest offset at which the next block may stand, or UNBOUNDED when the node is dead. */
static uint64_t highest_step(struct search *search, const struct node *node)
{
	for (uint32_t i = 0; i < node->count; i++)
		search->bottoms[i] = node->open[i].support > node->level ? node->open[i].support : node->level;
	if (!fits(search, node) || (raise_waiting(search, node) && !fits(search, node)))
		return UNBOUNDED;
	uint64_t high = UNBOUNDED;
	for (uint32_t c = node->first; c < node->last; c++)
		if (search->cliques[c].limit - search->cliques[c].left < high)
			high = search->cliques[c].limit - search->cliques[c].left;
	for (uint32_t i = 0; i < node->count; i++) {
		uint64_t top = node->open[i].support + search->blocks[node->open[i].block].size;
		if (top - 1 < high)
			high = top - 1;
	}
	return high;
}

/* A clique that cannot wait beyond `high` gets its next block exactly there. Of those cliques, the one with the fewest
 * blocks to choose from: what stands at one offset can be placed in any order. NO_CLIQUE when no clique is that tight.
 */
static uint32_t tightest_clique(struct search *search, const struct node *node, uint64_t high)
{
	uint32_t tightest = NO_CLIQUE;
	for (uint32_t c = node->first; c < node->last; c++)
		search->cliques[c].ways = 0;
	for (uint32_t i = 0; i < node->count; i++) {
		const struct block *block = &search->blocks[node->open[i].block];
		if (node->open[i].support == high && may_stand(&node->open[i], node->level))
			for (uint32_t c = block->first; c < block->last; c++)
				search->cliques[c].ways++;
	}
	for (uint32_t c = node->first; c < node->last; c++)
		if (search->cliques[c].limit - search->cliques[c].left == high &&
		    (tightest == NO_CLIQUE || search->cliques[c].ways < search->cliques[tightest].ways))
			tightest = c;
	return tightest;
}

static bool before(const struct choice *a, const struct choice *b)
{
	if (a->offset != b->offset)
		return a->offset < b->offset;
	return a->slack != b->slack ? a->slack < b->slack : a->rank < b->rank;
}

static bool equal(const struct block *a, const struct block *b)
{
	return a->first == b->first && a->last == b->last && a->size == b->size && a->mask == b->mask;
}

static struct choice describe_choice(const struct search *search, const struct node *node, uint32_t at)
{
	const struct block *block = &search->blocks[node->open[at].block];
	struct choice choice = {.rank = block->rank, .at = at};
	if (search->by_offset)
		choice.offset = node->open[at].support;
	if (search->by_slack)
		choice.slack = UNBOUNDED;
	for (uint32_t c = block->first; c < block->last; c++)
		if (search->cliques[c].limit - search->cliques[c].left < choice.slack)
			choice.slack = search->cliques[c].limit - search->cliques[c].left;
	return choice;
}

/* The children of a node, best first. Insertion sort: there are few, and mostly in order. */
static uint32_t list_choices(struct search *search, const struct node *node, uint64_t high, struct choice *choices)
{
	uint32_t found = 0, forced = search->by_clique ? tightest_clique(search, node, high) : NO_CLIQUE;
	for (uint32_t i = 0; i < node->count; i++) {
		const struct open *open = &node->open[i];
		const struct block *block = &search->blocks[open->block];
		if (open->support > high || !may_stand(open, node->level))
			continue;
		if (forced != NO_CLIQUE && open->support == high && (forced < block->first || block->last <= forced))
			continue;
		if (i > 0 && equal(&search->blocks[open[-1].block], block))
			continue;
		struct choice choice = describe_choice(search, node, i);
		uint32_t to = found++;
		for (; to > 0 && before(&choice, &choices[to - 1]); to--)
			choices[to] = choices[to - 1];
		choices[to] = choice;
	}
	return found;
}

/* Makes the child's slice: the block chosen is gone and those it overlaps have risen. Choices visited before at the
 * same offset are barred from it now, so that what stands at one offset is placed in one order only. */
static void place(
    struct search *search, const struct node *node, const struct choice *choices, uint32_t chosen, struct open *child)
{
	const struct open *open = node->open;
	uint32_t at = choices[chosen].at;
	const struct block *placed = &search->blocks[open[at].block];
	uint64_t top = open[at].support + placed->size;
	search->offsets[open[at].block] = open[at].support;
	for (uint32_t i = 0; i < node->count; i++)
		if (i != at)
			child[i - (i > at)] = open[i];
	for (uint32_t k = 0; k < chosen; k++)
		if (open[choices[k].at].support == open[at].support)
			child[choices[k].at - (choices[k].at > at)].barred = true;
	for (uint32_t i = 0; i + 1 < node->count; i++) {
		const struct block *block = &search->blocks[child[i].block];
		if (block->first < placed->last && placed->first < block->last && child[i].support < top) {
			child[i].support = align(top, block->mask);
			child[i].barred = false;
		}
	}
}

static enum greta_pack_verdict walk_parts(struct search *search, const struct open *open, uint32_t count,
    uint64_t level, struct open *free_open, struct choice *free_choices);

static enum greta_pack_verdict walk(
    struct search *search, const struct node *node, struct open *free_open, struct choice *free_choices)
{
	if (search->nodes == search->budget)
		return GRETA_PACK_GAVE_UP;
	search->nodes++;
	uint64_t high = highest_step(search, node);
	if (high == UNBOUNDED)
		return GRETA_PACK_NONE;
	uint32_t found = list_choices(search, node, high, free_choices);
	enum greta_pack_verdict verdict = GRETA_PACK_NONE;
	for (uint32_t i = 0; i < found && verdict == GRETA_PACK_NONE; i++) {
		place(search, node, free_choices, i, free_open);
		verdict = walk_parts(search, free_open, node->count - 1, node->open[free_choices[i].at].support,
		    free_open + node->count - 1, free_choices + found);
	}
	return verdict;
}

/* Splits the slice where no open block crosses from one clique to the next; all parts must succeed. */
static enum greta_pack_verdict walk_parts(struct search *search, const struct open *open, uint32_t count,
    uint64_t level, struct open *free_open, struct choice *free_choices)
{
	enum greta_pack_verdict verdict = GRETA_PACK_FOUND;
	for (uint32_t start = 0, end; start < count && verdict == GRETA_PACK_FOUND; start = end) {
		const struct block *block = &search->blocks[open[start].block];
		struct node node = {open + start, 0, block->first, block->last, level};
		for (end = start + 1; end < count && search->blocks[open[end].block].first < node.last; end++)
			if (search->blocks[open[end].block].last > node.last)
				node.last = search->blocks[open[end].block].last;
		node.count = end - start;
		verdict = walk(search, &node, free_open, free_choices);
	}
	return verdict;
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

enum order { ORDER_LENGTH, ORDER_AREA, ORDER_CONTENTION, ORDER_SIZE, ORDER_CONTENTION_LENGTH, ORDER_WEIGHT };

/* One run each in a round. Chosen on the challenging instances that the MiniMalloc paper published and on rectangles
 * cut at random: no row solves all of them, each solves some that others do not. */
static const struct plan {
	enum order order;
	bool by_offset, by_slack, by_clique;
} plans[] = {
    {ORDER_LENGTH, true, true, true},
    {ORDER_LENGTH, false, true, true},
    {ORDER_AREA, true, false, true},
    {ORDER_AREA, false, false, true},
    {ORDER_CONTENTION, true, true, true},
    {ORDER_CONTENTION, false, true, true},
    {ORDER_SIZE, true, false, true},
    {ORDER_SIZE, false, false, true},
    {ORDER_CONTENTION_LENGTH, true, false, false},
    {ORDER_CONTENTION_LENGTH, false, false, true},
    {ORDER_WEIGHT, true, false, true},
    {ORDER_WEIGHT, false, false, true},
};

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

static struct key key_of(const struct block *block, const struct greta_pack_buffer *buffer, enum order order)
{
	double length = buffer->upper - buffer->lower, contention = (double)block->contention;
	double size = (double)block->size, area = size * length;
	switch (order) {
	case ORDER_LENGTH: return (struct key){.major = length, .minor = area};
	case ORDER_AREA: return (struct key){.major = area, .minor = contention};
	case ORDER_CONTENTION: return (struct key){.major = contention, .minor = area};
	case ORDER_SIZE: return (struct key){.major = size, .minor = length};
	case ORDER_CONTENTION_LENGTH: return (struct key){.major = contention, .minor = length};
	case ORDER_WEIGHT: break;
	}
	return (struct key){.major = (double)block->weight, .minor = area};
}

/* With a `random` state each major key is halved at most, or raised by half: other branches, yet the same everywhere.
 */
static void rank_blocks(struct search *search, const struct greta_pack_buffer *buffers, enum order order,
    uint64_t *random, struct key *keys)
{
	for (uint32_t i = 0; i < search->count; i++) {
		keys[i] = key_of(&search->blocks[i], &buffers[search->blocks[i].index], order);
		keys[i].block = i;
		if (!random)
			continue;
		*random = *random * 6364136223846793005u + 1442695040888963407u;
		keys[i].major *= 0.5 + (double)(*random >> 33) / 2147483648.0;
	}
	qsort(keys, search->count, sizeof(*keys), compare_keys);
	for (uint32_t i = 0; i < search->count; i++)
		search->blocks[keys[i].block].rank = i;
}

/* Rounds of runs, until one ends by itself. Even rounds take the orders as they are and double their nodes, so that a
 * space small enough is exhausted; odd rounds shake them and grow slowly: what a short run misses, another one finds.
 */
static enum greta_pack_verdict restart(
    struct search *search, const struct greta_pack_buffer *buffers, uint64_t budget, struct key *keys, uint64_t *nodes)
{
	enum greta_pack_verdict verdict = GRETA_PACK_GAVE_UP;
	const uint64_t plan_count = sizeof(plans) / sizeof(plans[0]);
	uint64_t random = 1;
	for (uint64_t turn = 0; budget > 0 && verdict == GRETA_PACK_GAVE_UP; turn++) {
		const struct plan *plan = &plans[turn % plan_count];
		uint64_t round = turn / plan_count;
		uint64_t run =
		    round % 2 ? FIRST_RUN * (round / 2 + 1) : FIRST_RUN << (round / 2 < 40 ? round / 2 : 40);
		rank_blocks(search, buffers, plan->order, round % 2 ? &random : NULL, keys);
		search->by_offset = plan->by_offset;
		search->by_slack = plan->by_slack;
		search->by_clique = plan->by_clique;
		search->nodes = 0;
		search->budget = run < budget ? run : budget;
		for (uint32_t i = 0; i < search->count; i++)
			search->open[i] = (struct open){.block = i};
		/* The analyzer loses sight of the arrays in the recursion; greta_pack_search releases them.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		verdict = walk_parts(search, search->open, search->count, 0, search->open + search->count,
		    search->choices);
		budget -= search->nodes;
		*nodes += search->nodes;
	}
	return verdict;
}

static bool allocate(struct search *search, size_t count)
{
	size_t triangle = count * (count + 1) / 2;
	search->blocks = calloc(count, sizeof(*search->blocks));
	search->cliques = calloc(count, sizeof(*search->cliques));
	search->offsets = calloc(count, sizeof(*search->offsets));
	search->open = malloc(triangle * sizeof(*search->open));
	search->choices = malloc(triangle * sizeof(*search->choices));
	search->bottoms = malloc(count * sizeof(*search->bottoms));
	search->sorted = malloc(count * sizeof(*search->sorted));
	return search->blocks && search->cliques && search->offsets && search->open && search->choices &&
	       search->bottoms && search->sorted;
}

static void release(struct search *search)
{
	free(search->blocks);
	free(search->cliques);
	free(search->offsets);
	free(search->open);
	free(search->choices);
	free(search->bottoms);
	free(search->sorted);
}

enum greta_status greta_pack_search(struct greta_pack_buffer *buffers, size_t count, uint64_t capacity,
    uint64_t budget, uint64_t *nodes, enum greta_pack_verdict *out_verdict, struct greta_error *error)
{
	struct search search = {.capacity = capacity, .count = (uint32_t)count};
	struct key *keys = malloc(count * sizeof(*keys));
	struct end *ends = malloc(count * sizeof(*ends));
	bool enough = allocate(&search, count) && keys && ends;
	if (enough) {
		describe_blocks(&search, buffers, ends);
		*out_verdict = restart(&search, buffers, budget, keys, nodes);
		for (uint32_t i = 0; i < count && *out_verdict == GRETA_PACK_FOUND; i++)
			buffers[search.blocks[i].index].offset = search.offsets[i];
	}
	release(&search);
	free(ends);
	free(keys);
	if (enough)
		return GRETA_OK;
	return greta_fail(error, GRETA_ERROR_MEMORY, "no memory to search for a packing of %zu buffers", count);
}
