/* The holes of the arena are a treap by address, each node knowing the largest hole below it, so that the first hole
 * that is large enough is found in log n. Sizes are rounded up to the smallest alignment: holes then begin and end at
 * multiples of it, and buffers with that alignment lose nothing to it. */
#include "planner/pack_sweep.h"

#include <stdlib.h>

#define NONE UINT32_MAX

struct hole {
	uint64_t start, end;
	uint64_t largest; /* of the subtree */
	uint32_t left, right;
	uint32_t priority;
};

struct holes {
	struct hole *nodes;
	uint32_t *unused; /* stack of nodes not in the tree */
	uint32_t unused_count;
	uint32_t root;
	uint32_t seed;
};

struct visit {
	uint32_t time; /* counted from the end of the walk's direction */
	uint32_t buffer;
	uint64_t size;
	bool starts;
};

static uint64_t largest(const struct holes *holes, uint32_t node)
{
	return node == NONE ? 0 : holes->nodes[node].largest;
}

static void update(struct holes *holes, uint32_t node)
{
	struct hole *hole = &holes->nodes[node];
	uint64_t size = hole->end - hole->start;
	uint64_t left = largest(holes, hole->left), right = largest(holes, hole->right);
	hole->largest = left > right ? left : right;
	if (size > hole->largest)
		hole->largest = size;
}

static uint32_t merge(struct holes *holes, uint32_t low, uint32_t high)
{
	if (low == NONE)
		return high;
	if (high == NONE)
		return low;
	if (holes->nodes[low].priority > holes->nodes[high].priority) {
		holes->nodes[low].right = merge(holes, holes->nodes[low].right, high);
		update(holes, low);
		return low;
	}
	holes->nodes[high].left = merge(holes, low, holes->nodes[high].left);
	update(holes, high);
	return high;
}

/* Holes that start below `address` go to *low, the others to *high. */
static void split(struct holes *holes, uint32_t node, uint64_t address, uint32_t *low, uint32_t *high)
{
	if (node == NONE) {
		*low = *high = NONE;
	} else if (holes->nodes[node].start < address) {
		*low = node;
		split(holes, holes->nodes[node].right, address, &holes->nodes[node].right, high);
		update(holes, node);
	} else {
		*high = node;
		split(holes, holes->nodes[node].left, address, low, &holes->nodes[node].left);
		update(holes, node);
	}
}

static void insert(struct holes *holes, uint64_t start, uint64_t end)
{
	uint32_t low, high, node = holes->unused[--holes->unused_count];
	holes->seed = holes->seed * 1664525u + 1013904223u;
	holes->nodes[node] = (struct hole){start, end, end - start, NONE, NONE, holes->seed};
	split(holes, holes->root, start, &low, &high);
	holes->root = merge(holes, merge(holes, low, node), high);
}

/* Takes the hole that starts at `start` out of the tree. */
static void extract(struct holes *holes, uint64_t start)
{
	uint32_t low, mid, high;
	split(holes, holes->root, start, &low, &high);
	split(holes, high, start + 1, &mid, &high);
	holes->unused[holes->unused_count++] = mid;
	holes->root = merge(holes, low, high);
}

/* The first hole of at least `size`: there is one, the last being endless. */
static struct hole first_hole(const struct holes *holes, uint64_t size)
{
	uint32_t node = holes->root;
	for (;;) {
		const struct hole *hole = &holes->nodes[node];
		if (largest(holes, hole->left) >= size)
			node = hole->left;
		else if (hole->end - hole->start >= size)
			return *hole;
		else
			node = hole->right;
	}
}

static uint64_t take(struct holes *holes, uint64_t size, uint64_t slack, uint64_t mask)
{
	struct hole hole = first_hole(holes, size + slack);
	uint64_t offset = (hole.start + mask) & ~mask;
	extract(holes, hole.start);
	if (hole.start < offset)
		insert(holes, hole.start, offset);
	if (offset + size < hole.end)
		insert(holes, offset + size, hole.end);
	return offset;
}

static void give(struct holes *holes, uint64_t start, uint64_t end)
{
	uint32_t low, high, below, above;
	uint64_t below_start = start, above_start = end;
	bool joins_below = false, joins_above = false;
	split(holes, holes->root, start, &low, &high);
	for (below = low; below != NONE && holes->nodes[below].right != NONE;)
		below = holes->nodes[below].right;
	for (above = high; above != NONE && holes->nodes[above].left != NONE;)
		above = holes->nodes[above].left;
	if (below != NONE && holes->nodes[below].end == start) {
		joins_below = true;
		below_start = holes->nodes[below].start;
	}
	if (above != NONE && holes->nodes[above].start == end) {
		joins_above = true;
		above_start = end;
		end = holes->nodes[above].end;
	}
	holes->root = merge(holes, low, high);
	if (joins_below)
		extract(holes, below_start);
	if (joins_above)
		extract(holes, above_start);
	insert(holes, below_start, end);
}

static int compare_visits(const void *left, const void *right)
{
	const struct visit *a = left, *b = right;
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if (a->starts != b->starts)
		return a->starts ? 1 : -1;
	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	return a->buffer < b->buffer ? -1 : a->buffer > b->buffer;
}

static void list_visits(struct visit *visits, const struct greta_pack_buffer *buffers, uint32_t count, bool backward)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t start = backward ? UINT32_MAX - buffers[i].upper : buffers[i].lower;
		uint32_t end = backward ? UINT32_MAX - buffers[i].lower : buffers[i].upper;
		visits[2 * (size_t)i] = (struct visit){start, i, buffers[i].size, true};
		visits[2 * (size_t)i + 1] = (struct visit){end, i, buffers[i].size, false};
	}
	qsort(visits, 2 * (size_t)count, sizeof(*visits), compare_visits);
}

enum greta_status greta_pack_sweep(
    struct greta_pack_buffer *buffers, size_t count, bool backward, struct greta_error *error)
{
	/* Taking a hole leaves one more at most, or two where alignment leaves a gap; giving one back leaves one more.
	 */
	size_t most = 3 * count + 2;
	uint64_t least = UINT64_MAX;
	enum greta_status status = GRETA_OK;
	struct holes holes = {.root = NONE, .unused_count = (uint32_t)most, .seed = 1};
	struct visit *visits = malloc(2 * (count + 1) * sizeof(*visits));
	holes.nodes = malloc(most * sizeof(*holes.nodes));
	holes.unused = malloc(most * sizeof(*holes.unused));
	if (!visits || !holes.nodes || !holes.unused) {
		status = greta_fail(error, GRETA_ERROR_MEMORY, "no memory to pack %zu buffers", count);
		goto done;
	}
	for (size_t i = 0; i < most; i++)
		holes.unused[i] = (uint32_t)(most - 1 - i);
	for (size_t i = 0; i < count; i++)
		if (buffers[i].alignment < least)
			least = buffers[i].alignment;
	list_visits(visits, buffers, (uint32_t)count, backward);
	insert(&holes, 0, UINT64_MAX);
	for (size_t i = 0; i < 2 * count; i++) {
		struct greta_pack_buffer *buffer = &buffers[visits[i].buffer];
		uint64_t size = (buffer->size + least - 1) & ~(least - 1);
		if (visits[i].starts)
			buffer->offset = take(&holes, size, buffer->alignment - least, buffer->alignment - 1);
		else
			give(&holes, buffer->offset, buffer->offset + size);
	}
done:
	free(holes.unused);
	free(holes.nodes);
	free(visits);
	return status;
}
