#include "planner/pack_search.h"

#include "planner/pack_walk.h"

#include <stdlib.h>

#define FIRST_RUN 2000u /* nodes of the first walk of each order; doubled from round to round */

/* ---- The problem, as a walk takes it ---- */

static int compare_blocks(const void *left, const void *right)
{
	const struct greta_pack_block *a = left, *b = right;
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
    struct greta_pack_block *blocks, const struct greta_pack_buffer *buffers, uint32_t count, struct end *ends)
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

static void describe_blocks(struct greta_pack_walk *walk, const struct greta_pack_buffer *buffers, struct end *ends)
{
	uint64_t least = UINT64_MAX;
	for (uint32_t i = 0; i < walk->count; i++)
		if (buffers[i].alignment < least)
			least = buffers[i].alignment;
	for (uint32_t i = 0; i < walk->count; i++) {
		walk->blocks[i].index = i;
		walk->blocks[i].size = buffers[i].size;
		walk->blocks[i].pad = (buffers[i].size + least - 1) & ~(least - 1);
		walk->blocks[i].mask = buffers[i].alignment - 1;
	}
	walk->clique_count = find_cliques(walk->blocks, buffers, walk->count, ends);
	qsort(walk->blocks, walk->count, sizeof(*walk->blocks), compare_blocks);
	for (uint32_t i = 0; i < walk->count; i++) {
		const struct greta_pack_block *block = &walk->blocks[i];
		for (uint32_t c = block->first; c < block->last; c++) {
			struct greta_pack_clique *clique = &walk->cliques[c];
			clique->left += block->pad;
			if (block->pad - block->size > clique->limit)
				clique->limit = block->pad - block->size;
		}
	}
	for (uint32_t i = 0; i < walk->count; i++) {
		struct greta_pack_block *block = &walk->blocks[i];
		for (uint32_t c = block->first; c < block->last; c++)
			if (walk->cliques[c].left > block->contention)
				block->contention = walk->cliques[c].left;
	}
	for (uint32_t c = 0; c < walk->clique_count; c++)
		walk->cliques[c].limit += walk->capacity;
}

/* ---- Walks in several orders ---- */

/* What ranks the blocks. */
enum order { ORDER_LENGTH, ORDER_AREA, ORDER_CONTENTION, ORDER_SIZE, ORDER_CONTENTION_LENGTH, ORDER_WEIGHT };

/* One walk each in a round. Chosen on the challenging instances that the MiniMalloc paper published and on rectangles
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

static struct key key_of(const struct greta_pack_block *block, const struct greta_pack_buffer *buffer, enum order order)
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
static void rank_blocks(struct greta_pack_walk *walk, const struct greta_pack_buffer *buffers, enum order order,
    uint64_t *random, struct key *keys)
{
	for (uint32_t i = 0; i < walk->count; i++) {
		keys[i] = key_of(&walk->blocks[i], &buffers[walk->blocks[i].index], order);
		keys[i].block = i;
		if (!random)
			continue;
		*random = *random * 6364136223846793005u + 1442695040888963407u;
		keys[i].major *= 0.5 + (double)(*random >> 33) / 2147483648.0;
	}
	qsort(keys, walk->count, sizeof(*keys), compare_keys);
	for (uint32_t i = 0; i < walk->count; i++)
		walk->blocks[keys[i].block].rank = i;
}

/* Rounds of walks, until one ends by itself. Even rounds take the orders as they are and double their nodes, so that a
 * space small enough is exhausted; odd rounds shake them and grow slowly: what a short walk misses, another one finds.
 */
static enum greta_pack_verdict restart(struct greta_pack_walk *walk, const struct greta_pack_buffer *buffers,
    uint64_t budget, struct key *keys, uint64_t *nodes)
{
	enum greta_pack_verdict verdict = GRETA_PACK_GAVE_UP;
	const uint64_t plan_count = sizeof(plans) / sizeof(plans[0]);
	uint64_t random = 1;
	for (uint64_t turn = 0; budget > 0 && verdict == GRETA_PACK_GAVE_UP; turn++) {
		const struct plan *plan = &plans[turn % plan_count];
		uint64_t round = turn / plan_count;
		uint64_t nodes_here =
		    round % 2 ? FIRST_RUN * (round / 2 + 1) : FIRST_RUN << (round / 2 < 40 ? round / 2 : 40);
		rank_blocks(walk, buffers, plan->order, round % 2 ? &random : NULL, keys);
		walk->by_offset = plan->by_offset;
		walk->by_slack = plan->by_slack;
		walk->by_clique = plan->by_clique;
		walk->budget = nodes_here < budget ? nodes_here : budget;
		verdict = greta_pack_walk_run(walk);
		budget -= walk->nodes;
		*nodes += walk->nodes;
	}
	return verdict;
}

enum greta_status greta_pack_search(struct greta_pack_buffer *buffers, size_t count, uint64_t capacity,
    uint64_t budget, uint64_t *nodes, enum greta_pack_verdict *out_verdict, struct greta_error *error)
{
	struct greta_pack_walk walk;
	struct key *keys = malloc(count * sizeof(*keys));
	struct end *ends = malloc(count * sizeof(*ends));
	bool enough = greta_pack_walk_init(&walk, (uint32_t)count, capacity) && keys && ends;
	if (enough) {
		describe_blocks(&walk, buffers, ends);
		*out_verdict = restart(&walk, buffers, budget, keys, nodes);
		for (uint32_t i = 0; i < count && *out_verdict == GRETA_PACK_FOUND; i++)
			buffers[walk.blocks[i].index].offset = walk.offsets[i];
	}
	greta_pack_walk_finish(&walk);
	free(ends);
	free(keys);
	if (enough)
		return GRETA_OK;
	return greta_fail(error, GRETA_ERROR_MEMORY, "no memory to search for a packing of %zu buffers", count);
}
