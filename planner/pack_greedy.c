#include "planner/pack_greedy.h"
#include "planner/pack_sweep.h"

#include <stdlib.h>

enum order { ORDER_SIZE, ORDER_AREA, ORDER_CONTENTION, ORDER_LENGTH, ORDER_START, ORDERS };

struct key {
	double major, minor; /* larger first */
	uint32_t buffer;
};

struct placed {
	uint64_t start, end;
	uint32_t lower, upper;
};

struct greedy {
	struct greta_pack_buffer *buffers;
	size_t count;
	uint64_t *contention; /* bytes alive at the fullest time of each buffer's life */
	uint64_t *best;       /* offsets of the best placement so far */
	uint64_t best_peak;
	struct placed *placed; /* by start */
	struct key *keys;
};

static int compare_keys(const void *left, const void *right)
{
	const struct key *a = left, *b = right;
	if (a->major != b->major)
		return a->major > b->major ? -1 : 1;
	if (a->minor != b->minor)
		return a->minor > b->minor ? -1 : 1;
	return a->buffer < b->buffer ? -1 : a->buffer > b->buffer;
}

static void sort(struct greedy *greedy, enum order order)
{
	for (size_t i = 0; i < greedy->count; i++) {
		const struct greta_pack_buffer *buffer = &greedy->buffers[i];
		double size = (double)buffer->size, length = buffer->upper - buffer->lower;
		struct key *key = &greedy->keys[i];
		*key = (struct key){size, length, (uint32_t)i};
		if (order == ORDER_AREA)
			*key = (struct key){size * length, size, (uint32_t)i};
		else if (order == ORDER_CONTENTION)
			*key = (struct key){(double)greedy->contention[i], size * length, (uint32_t)i};
		else if (order == ORDER_LENGTH)
			*key = (struct key){length, size, (uint32_t)i};
		else if (order == ORDER_START)
			*key = (struct key){-(double)buffer->lower, size, (uint32_t)i};
	}
	qsort(greedy->keys, greedy->count, sizeof(*greedy->keys), compare_keys);
}

/* The bytes alive when buffer i starts count for it and for all that are alive then; the fullest time of a life is the
 * start of some buffer. */
static void measure_contention(struct greedy *greedy)
{
	for (size_t i = 0; i < greedy->count; i++)
		greedy->contention[i] = 0;
	for (size_t i = 0; i < greedy->count; i++) {
		uint32_t time = greedy->buffers[i].lower;
		uint64_t alive = 0;
		for (size_t k = 0; k < greedy->count; k++)
			if (greedy->buffers[k].lower <= time && time < greedy->buffers[k].upper)
				alive += greedy->buffers[k].size;
		for (size_t k = 0; k < greedy->count; k++)
			if (greedy->buffers[k].lower <= time && time < greedy->buffers[k].upper &&
			    greedy->contention[k] < alive)
				greedy->contention[k] = alive;
	}
}

/* The offset of the first gap that holds `buffer`, or of the smallest one; on top of everything where none does. */
static uint64_t find_gap(
    const struct placed *placed, size_t count, const struct greta_pack_buffer *buffer, bool tightest)
{
	uint64_t offset = 0, mask = buffer->alignment - 1, best = UINT64_MAX, best_gap = UINT64_MAX;
	for (size_t i = 0; i < count; i++) {
		const struct placed *other = &placed[i];
		if (other->upper <= buffer->lower || buffer->upper <= other->lower)
			continue;
		if (other->start >= offset && other->start - offset >= buffer->size &&
		    other->start - offset < best_gap) {
			best_gap = other->start - offset;
			best = offset;
			if (!tightest)
				break;
		}
		if (other->end > offset)
			offset = (other->end + mask) & ~mask;
	}
	return best != UINT64_MAX ? best : offset;
}

static void keep_if_better(struct greedy *greedy)
{
	uint64_t peak = 0;
	for (size_t i = 0; i < greedy->count; i++)
		if (greedy->buffers[i].offset + greedy->buffers[i].size > peak)
			peak = greedy->buffers[i].offset + greedy->buffers[i].size;
	if (peak >= greedy->best_peak)
		return;
	greedy->best_peak = peak;
	for (size_t i = 0; i < greedy->count; i++)
		greedy->best[i] = greedy->buffers[i].offset;
}

static void place_all(struct greedy *greedy, bool tightest)
{
	for (size_t i = 0; i < greedy->count; i++) {
		struct greta_pack_buffer *buffer = &greedy->buffers[greedy->keys[i].buffer];
		buffer->offset = find_gap(greedy->placed, i, buffer, tightest);
		size_t at = i;
		for (; at > 0 && greedy->placed[at - 1].start > buffer->offset; at--)
			greedy->placed[at] = greedy->placed[at - 1];
		greedy->placed[at] =
		    (struct placed){buffer->offset, buffer->offset + buffer->size, buffer->lower, buffer->upper};
	}
	keep_if_better(greedy);
}

static enum greta_status try_placements(struct greedy *greedy, uint64_t target, struct greta_error *error)
{
	for (int backward = 0; backward < 2 && greedy->best_peak > target; backward++) {
		enum greta_status status = greta_pack_sweep(greedy->buffers, greedy->count, backward, error);
		if (status)
			return status;
		keep_if_better(greedy);
	}
	if (greedy->count > GRETA_PACK_GREEDY_MAX || greedy->best_peak <= target)
		return GRETA_OK;
	measure_contention(greedy);
	for (int order = 0; order < ORDERS; order++) {
		sort(greedy, (enum order)order);
		for (int tightest = 0; tightest < 2 && greedy->best_peak > target; tightest++)
			place_all(greedy, tightest);
	}
	return GRETA_OK;
}

enum greta_status greta_pack_greedy(
    struct greta_pack_buffer *buffers, size_t count, uint64_t target, uint64_t *out_peak, struct greta_error *error)
{
	struct greedy greedy = {.buffers = buffers, .count = count, .best_peak = UINT64_MAX};
	enum greta_status status;
	greedy.contention = malloc(count * sizeof(*greedy.contention));
	greedy.best = calloc(count, sizeof(*greedy.best));
	greedy.placed = malloc(count * sizeof(*greedy.placed));
	greedy.keys = malloc(count * sizeof(*greedy.keys));
	bool enough = greedy.contention && greedy.best && greedy.placed && greedy.keys;
	if (enough)
		status = try_placements(&greedy, target, error);
	else
		status = greta_fail(error, GRETA_ERROR_MEMORY, "no memory to pack %zu buffers", count);
	if (enough && !status) {
		for (size_t i = 0; i < count; i++)
			buffers[i].offset = greedy.best[i];
		*out_peak = greedy.best_peak;
	}
	free(greedy.keys);
	free(greedy.placed);
	free(greedy.best);
	free(greedy.contention);
	return status;
}
