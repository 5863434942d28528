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
#include "planner/pack_walk.h"

#include <stdlib.h>

#define UNBOUNDED UINT64_MAX
#define NO_CLIQUE UINT32_MAX
#define RAISE_PASSES 3

struct greta_pack_open {
	uint64_t support; /* lowest offset that the blocks placed allow */
	uint32_t block;
	bool barred; /* from standing at its support: that branch has been visited */
};

struct greta_pack_choice {
	uint64_t offset, slack;
	uint32_t rank, at; /* at: position in the slice */
};

struct greta_pack_bottom {
	uint64_t offset;
	uint32_t at;
};

/* A node: open blocks that hang together in time, to be placed at `level` or above. */
struct node {
	const struct greta_pack_open *open;
	uint32_t count;
	uint32_t first, last; /* the cliques they touch */
	uint64_t level;
};

static uint64_t align(uint64_t offset, uint64_t mask)
{
	return (offset + mask) & ~mask;
}

static bool may_stand(const struct greta_pack_open *open, uint64_t level)
{
	return open->support > level || (open->support == level && !open->barred);
}

static void sort_bottoms(struct greta_pack_walk *walk, uint32_t count)
{
	struct greta_pack_bottom *sorted = walk->sorted;
	for (uint32_t i = 0; i < count; i++)
		sorted[i] = (struct greta_pack_bottom){walk->bottoms[i], i};
	uint32_t gap = 1;
	while (gap < count / 3)
		gap = 3 * gap + 1;
	for (; gap > 0; gap /= 3)
		for (uint32_t i = gap; i < count; i++) {
			struct greta_pack_bottom moved = sorted[i];
			uint32_t to = i;
			for (; to >= gap && sorted[to - gap].offset < moved.offset; to -= gap)
				sorted[to] = sorted[to - gap];
			sorted[to] = moved;
		}
}

static void blame(struct greta_pack_walk *walk, const struct node *node, uint32_t clique)
{
	for (uint32_t i = 0; i < node->count; i++) {
		struct greta_pack_block *block = &walk->blocks[node->open[i].block];
		if (block->first <= clique && clique < block->last)
			block->weight++;
	}
}

/* Whether every clique can hold, above each bottom, all open blocks that cannot go below it. Sets each clique's
 * `left`. */
static bool fits(struct greta_pack_walk *walk, const struct node *node)
{
	sort_bottoms(walk, node->count);
	for (uint32_t c = node->first; c < node->last; c++)
		walk->cliques[c].left = 0;
	for (uint32_t i = 0; i < node->count; i++) {
		struct greta_pack_block *block = &walk->blocks[node->open[walk->sorted[i].at].block];
		uint64_t bottom = walk->sorted[i].offset;
		if (bottom > walk->capacity || block->size > walk->capacity - bottom) {
			block->weight++;
			return false;
		}
		for (uint32_t c = block->first; c < block->last; c++) {
			struct greta_pack_clique *clique = &walk->cliques[c];
			clique->left += block->pad;
			if (bottom + clique->left > clique->limit) {
				blame(walk, node, c);
				return false;
			}
		}
	}
	return true;
}

static void find_lowest_tops(struct greta_pack_walk *walk, const struct node *node)
{
	for (uint32_t c = node->first; c < node->last; c++) {
		walk->cliques[c].lowest = walk->cliques[c].second = UNBOUNDED;
		walk->cliques[c].lowest_block = UINT32_MAX;
	}
	for (uint32_t i = 0; i < node->count; i++) {
		const struct greta_pack_block *block = &walk->blocks[node->open[i].block];
		uint64_t top = walk->bottoms[i] + block->size;
		for (uint32_t c = block->first; c < block->last; c++) {
			struct greta_pack_clique *clique = &walk->cliques[c];
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
static uint64_t later_support(const struct greta_pack_walk *walk, const struct greta_pack_block *block, uint32_t i)
{
	uint64_t low = UNBOUNDED;
	for (uint32_t c = block->first; c < block->last; c++) {
		const struct greta_pack_clique *clique = &walk->cliques[c];
		uint64_t top = clique->lowest_block == i ? clique->second : clique->lowest;
		if (top < low)
			low = top;
	}
	return low == UNBOUNDED ? low : align(low, block->mask);
}

/* Blocks that may not stand at their support any more must come to lie on an open one: raises their bottoms to where
 * the lowest of those could end. Each pass may raise others again; a few find most of it. True when anything rose. */
static bool raise_waiting(struct greta_pack_walk *walk, const struct node *node)
{
	bool raised = false, again = true;
	for (int pass = 0; again && pass < RAISE_PASSES; pass++) {
		bool surveyed = false;
		again = false;
		for (uint32_t i = 0; i < node->count; i++) {
			if (may_stand(&node->open[i], node->level))
				continue;
			if (!surveyed)
				find_lowest_tops(walk, node);
			surveyed = true;
			uint64_t bottom = later_support(walk, &walk->blocks[node->open[i].block], i);
			if (bottom <= walk->bottoms[i])
				continue;
			walk->bottoms[i] = bottom;
			raised = again = true;
		}
	}
	return raised;
}

/* The highest offset at which the next block may stand, or UNBOUNDED when the node is dead. */
static uint64_t highest_step(struct greta_pack_walk *walk, const struct node *node)
{
	for (uint32_t i = 0; i < node->count; i++)
		walk->bottoms[i] = node->open[i].support > node->level ? node->open[i].support : node->level;
	if (!fits(walk, node) || (raise_waiting(walk, node) && !fits(walk, node)))
		return UNBOUNDED;
	uint64_t high = UNBOUNDED;
	for (uint32_t c = node->first; c < node->last; c++)
		if (walk->cliques[c].limit - walk->cliques[c].left < high)
			high = walk->cliques[c].limit - walk->cliques[c].left;
	for (uint32_t i = 0; i < node->count; i++) {
		uint64_t top = node->open[i].support + walk->blocks[node->open[i].block].size;
		if (top - 1 < high)
			high = top - 1;
	}
	return high;
}

/* A clique that cannot wait beyond `high` gets its next block exactly there. Of those cliques, the one with the fewest
 * blocks to choose from: what stands at one offset can be placed in any order. NO_CLIQUE when no clique is that tight.
 */
static uint32_t tightest_clique(struct greta_pack_walk *walk, const struct node *node, uint64_t high)
{
	uint32_t tightest = NO_CLIQUE;
	for (uint32_t c = node->first; c < node->last; c++)
		walk->cliques[c].ways = 0;
	for (uint32_t i = 0; i < node->count; i++) {
		const struct greta_pack_block *block = &walk->blocks[node->open[i].block];
		if (node->open[i].support == high && may_stand(&node->open[i], node->level))
			for (uint32_t c = block->first; c < block->last; c++)
				walk->cliques[c].ways++;
	}
	for (uint32_t c = node->first; c < node->last; c++)
		if (walk->cliques[c].limit - walk->cliques[c].left == high &&
		    (tightest == NO_CLIQUE || walk->cliques[c].ways < walk->cliques[tightest].ways))
			tightest = c;
	return tightest;
}

static bool before(const struct greta_pack_choice *a, const struct greta_pack_choice *b)
{
	if (a->offset != b->offset)
		return a->offset < b->offset;
	return a->slack != b->slack ? a->slack < b->slack : a->rank < b->rank;
}

static bool equal(const struct greta_pack_block *a, const struct greta_pack_block *b)
{
	return a->first == b->first && a->last == b->last && a->size == b->size && a->mask == b->mask;
}

static struct greta_pack_choice describe_choice(
    const struct greta_pack_walk *walk, const struct node *node, uint32_t at)
{
	const struct greta_pack_block *block = &walk->blocks[node->open[at].block];
	struct greta_pack_choice choice = {.rank = block->rank, .at = at};
	if (walk->by_offset)
		choice.offset = node->open[at].support;
	if (walk->by_slack)
		choice.slack = UNBOUNDED;
	for (uint32_t c = block->first; c < block->last; c++)
		if (walk->cliques[c].limit - walk->cliques[c].left < choice.slack)
			choice.slack = walk->cliques[c].limit - walk->cliques[c].left;
	return choice;
}

/* The children of a node, best first. Insertion sort: there are few, and mostly in order. */
static uint32_t list_choices(
    struct greta_pack_walk *walk, const struct node *node, uint64_t high, struct greta_pack_choice *choices)
{
	uint32_t found = 0, forced = walk->by_clique ? tightest_clique(walk, node, high) : NO_CLIQUE;
	for (uint32_t i = 0; i < node->count; i++) {
		const struct greta_pack_open *open = &node->open[i];
		const struct greta_pack_block *block = &walk->blocks[open->block];
		if (open->support > high || !may_stand(open, node->level))
			continue;
		if (forced != NO_CLIQUE && open->support == high && (forced < block->first || block->last <= forced))
			continue;
		if (i > 0 && equal(&walk->blocks[open[-1].block], block))
			continue;
		struct greta_pack_choice choice = describe_choice(walk, node, i);
		uint32_t to = found++;
		for (; to > 0 && before(&choice, &choices[to - 1]); to--)
			choices[to] = choices[to - 1];
		choices[to] = choice;
	}
	return found;
}

/* Makes the child's slice: the block chosen is gone and those it overlaps have risen. Choices visited before at the
 * same offset are barred from it now, so that what stands at one offset is placed in one order only. */
static void place(struct greta_pack_walk *walk, const struct node *node, const struct greta_pack_choice *choices,
    uint32_t chosen, struct greta_pack_open *child)
{
	const struct greta_pack_open *open = node->open;
	uint32_t at = choices[chosen].at;
	const struct greta_pack_block *placed = &walk->blocks[open[at].block];
	uint64_t top = open[at].support + placed->size;
	walk->offsets[open[at].block] = open[at].support;
	for (uint32_t i = 0; i < node->count; i++)
		if (i != at)
			child[i - (i > at)] = open[i];
	for (uint32_t k = 0; k < chosen; k++)
		if (open[choices[k].at].support == open[at].support)
			child[choices[k].at - (choices[k].at > at)].barred = true;
	for (uint32_t i = 0; i + 1 < node->count; i++) {
		const struct greta_pack_block *block = &walk->blocks[child[i].block];
		if (block->first < placed->last && placed->first < block->last && child[i].support < top) {
			child[i].support = align(top, block->mask);
			child[i].barred = false;
		}
	}
}

static enum greta_pack_verdict visit_parts(struct greta_pack_walk *walk, const struct greta_pack_open *open,
    uint32_t count, uint64_t level, struct greta_pack_open *free_open, struct greta_pack_choice *free_choices);

static enum greta_pack_verdict visit(struct greta_pack_walk *walk, const struct node *node,
    struct greta_pack_open *free_open, struct greta_pack_choice *free_choices)
{
	if (walk->nodes == walk->budget)
		return GRETA_PACK_GAVE_UP;
	walk->nodes++;
	uint64_t high = highest_step(walk, node);
	if (high == UNBOUNDED)
		return GRETA_PACK_NONE;
	uint32_t found = list_choices(walk, node, high, free_choices);
	enum greta_pack_verdict verdict = GRETA_PACK_NONE;
	for (uint32_t i = 0; i < found && verdict == GRETA_PACK_NONE; i++) {
		place(walk, node, free_choices, i, free_open);
		verdict = visit_parts(walk, free_open, node->count - 1, node->open[free_choices[i].at].support,
		    free_open + node->count - 1, free_choices + found);
	}
	return verdict;
}

/* Splits the slice where no open block crosses from one clique to the next; all parts must succeed. */
static enum greta_pack_verdict visit_parts(struct greta_pack_walk *walk, const struct greta_pack_open *open,
    uint32_t count, uint64_t level, struct greta_pack_open *free_open, struct greta_pack_choice *free_choices)
{
	enum greta_pack_verdict verdict = GRETA_PACK_FOUND;
	for (uint32_t start = 0, end; start < count && verdict == GRETA_PACK_FOUND; start = end) {
		const struct greta_pack_block *block = &walk->blocks[open[start].block];
		struct node node = {open + start, 0, block->first, block->last, level};
		for (end = start + 1; end < count && walk->blocks[open[end].block].first < node.last; end++)
			if (walk->blocks[open[end].block].last > node.last)
				node.last = walk->blocks[open[end].block].last;
		node.count = end - start;
		verdict = visit(walk, &node, free_open, free_choices);
	}
	return verdict;
}

enum greta_pack_verdict greta_pack_walk_run(struct greta_pack_walk *walk)
{
	walk->nodes = 0;
	for (uint32_t i = 0; i < walk->count; i++)
		walk->open[i] = (struct greta_pack_open){.block = i};
	return visit_parts(walk, walk->open, walk->count, 0, walk->open + walk->count, walk->choices);
}

bool greta_pack_walk_init(struct greta_pack_walk *walk, uint32_t count, uint64_t capacity)
{
	size_t triangle = (size_t)count * ((size_t)count + 1) / 2;
	*walk = (struct greta_pack_walk){.capacity = capacity, .count = count};
	walk->blocks = calloc(count, sizeof(*walk->blocks));
	walk->cliques = calloc(count, sizeof(*walk->cliques));
	walk->offsets = calloc(count, sizeof(*walk->offsets));
	walk->open = malloc(triangle * sizeof(*walk->open));
	walk->choices = malloc(triangle * sizeof(*walk->choices));
	walk->bottoms = malloc(count * sizeof(*walk->bottoms));
	walk->sorted = malloc(count * sizeof(*walk->sorted));
	return walk->blocks && walk->cliques && walk->offsets && walk->open && walk->choices && walk->bottoms &&
	       walk->sorted;
}

void greta_pack_walk_finish(struct greta_pack_walk *walk)
{
	free(walk->blocks);
	free(walk->cliques);
	free(walk->offsets);
	free(walk->open);
	free(walk->choices);
	free(walk->bottoms);
	free(walk->sorted);
}
