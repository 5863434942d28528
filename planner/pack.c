#include "planner/pack.h"
#include "planner/pack_greedy.h"
#include "planner/pack_search.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct component {
	struct greta_pack_buffer *buffers; /* sorted by (lower, upper); a slice of packing.buffers */
	size_t count;
	uint64_t unit;  /* every canonical packing's peak is a multiple of it */
	uint64_t bound; /* no packing of this component has a smaller peak */
	uint64_t peak;  /* of the offsets in `buffers` */
};

struct member {
	uint32_t lower, upper;
	size_t index; /* in the caller's array */
};

struct packing {
	struct member *members;            /* buffers that take room, sorted by time */
	struct greta_pack_buffer *buffers; /* copies in the same order */
	struct component *components;
	size_t count, component_count;
	uint64_t bound;  /* the largest component's */
	uint64_t effort; /* nodes not yet spent */
	uint64_t nodes;
};

static uint64_t divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

static int compare_members(const void *left, const void *right)
{
	const struct member *a = left, *b = right;
	if (a->lower != b->lower)
		return a->lower < b->lower ? -1 : 1;
	if (a->upper != b->upper)
		return a->upper < b->upper ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static enum greta_status check(const struct greta_pack_buffer *buffers, size_t count, struct greta_error *error)
{
	uint64_t total = 0; /* with the worst padding: what any placement stays within */
	if (count >= UINT32_MAX / 8)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "%zu buffers are more than the packer takes", count);
	for (size_t i = 0; i < count; i++) {
		const struct greta_pack_buffer *buffer = &buffers[i];
		if (buffer->lower > buffer->upper)
			return greta_fail(error, GRETA_ERROR_ARGUMENT,
			    "buffer %zu ends at %" PRIu32 " before it starts at %" PRIu32, i, buffer->upper,
			    buffer->lower);
		if (buffer->alignment > GRETA_PACK_ALIGNMENT_MAX || (buffer->alignment & (buffer->alignment - 1)) != 0)
			return greta_fail(error, GRETA_ERROR_ARGUMENT,
			    "buffer %zu: alignment %" PRIu64 " is not a power of two up to %" PRIu64, i,
			    buffer->alignment, GRETA_PACK_ALIGNMENT_MAX);
		/* A buffer is padded to its own alignment and, in the search and the sweep, to the smallest one. */
		if (buffer->size > INT64_MAX - total || 2 * buffer->alignment > INT64_MAX - total - buffer->size)
			return greta_fail(
			    error, GRETA_ERROR_ARGUMENT, "buffer %zu: the sizes add up to more than 63 bits hold", i);
		total += buffer->size + 2 * buffer->alignment;
	}
	return GRETA_OK;
}

static uint64_t sum_naively(const struct greta_pack_buffer *buffers, size_t count)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t mask = buffers[i].alignment ? buffers[i].alignment - 1 : 0;
		if (buffers[i].size)
			sum = ((sum + mask) & ~mask) + buffers[i].size;
	}
	return sum;
}

static void copy_members(struct packing *packing, const struct greta_pack_buffer *buffers, size_t count)
{
	packing->count = 0;
	for (size_t i = 0; i < count; i++)
		if (buffers[i].size && buffers[i].lower < buffers[i].upper)
			packing->members[packing->count++] = (struct member){buffers[i].lower, buffers[i].upper, i};
	qsort(packing->members, packing->count, sizeof(*packing->members), compare_members);
	for (size_t i = 0; i < packing->count; i++) {
		packing->buffers[i] = buffers[packing->members[i].index];
		packing->buffers[i].offset = 0;
		if (!packing->buffers[i].alignment)
			packing->buffers[i].alignment = 1;
	}
}

static void split_components(struct packing *packing)
{
	packing->component_count = 0;
	for (size_t start = 0, end; start < packing->count; start = end) {
		uint32_t reach = packing->buffers[start].upper;
		for (end = start + 1; end < packing->count && packing->buffers[end].lower < reach; end++)
			if (packing->buffers[end].upper > reach)
				reach = packing->buffers[end].upper;
		packing->components[packing->component_count++] =
		    (struct component){.buffers = packing->buffers + start, .count = end - start};
	}
}

struct ending {
	uint32_t upper;
	uint64_t size, padded;
};

static int compare_endings(const void *left, const void *right)
{
	const struct ending *a = left, *b = right;
	return a->upper < b->upper ? -1 : a->upper > b->upper;
}

/* The most bytes alive at once. With alignments, every buffer but the topmost fills a multiple of the smallest
 * alignment: the padded sum, less the largest padding, bounds as well. */
static void bound_component(struct component *component, struct ending *endings)
{
	uint64_t least = UINT64_MAX, spare = 0, alive = 0, padded = 0, unit = 0;
	for (size_t i = 0; i < component->count; i++)
		if (component->buffers[i].alignment < least)
			least = component->buffers[i].alignment;
	for (size_t i = 0; i < component->count; i++) {
		const struct greta_pack_buffer *buffer = &component->buffers[i];
		endings[i] = (struct ending){buffer->upper, buffer->size, (buffer->size + least - 1) & ~(least - 1)};
		if (endings[i].padded - buffer->size > spare)
			spare = endings[i].padded - buffer->size;
		unit = divisor(unit, buffer->size);
		if (buffer->alignment > 1)
			unit = divisor(unit, buffer->alignment);
	}
	qsort(endings, component->count, sizeof(*endings), compare_endings);
	for (size_t i = 0, ended = 0; i < component->count; i++) {
		const struct greta_pack_buffer *buffer = &component->buffers[i];
		for (; endings[ended].upper <= buffer->lower; ended++) {
			alive -= endings[ended].size;
			padded -= endings[ended].padded;
		}
		alive += buffer->size;
		padded += (buffer->size + least - 1) & ~(least - 1);
		if (alive > component->bound)
			component->bound = alive;
		if (padded - spare > component->bound && padded > spare)
			component->bound = padded - spare;
	}
	component->unit = unit ? unit : 1;
	component->bound = (component->bound + component->unit - 1) / component->unit * component->unit;
}

static enum greta_status search(struct packing *packing, struct component *component, uint64_t capacity,
    uint64_t effort, enum greta_pack_verdict *out_verdict, struct greta_error *error)
{
	uint64_t before = packing->nodes;
	enum greta_status status = greta_pack_search(component->buffers, component->count,
	    capacity / component->unit * component->unit, effort, &packing->nodes, out_verdict, error);
	if (status)
		return status;
	packing->effort -= packing->nodes - before;
	if (*out_verdict == GRETA_PACK_NONE)
		component->bound = (capacity / component->unit + 1) * component->unit;
	if (*out_verdict != GRETA_PACK_FOUND)
		return GRETA_OK;
	component->peak = 0;
	for (size_t i = 0; i < component->count; i++)
		if (component->buffers[i].offset + component->buffers[i].size > component->peak)
			component->peak = component->buffers[i].offset + component->buffers[i].size;
	return GRETA_OK;
}

/* Narrows the gap between `floor` and the component's peak: tries the floor itself, then the middle of what is open.
 * Each attempt gets half of what is left of `effort`. */
static enum greta_status tighten(
    struct packing *packing, struct component *component, uint64_t floor, uint64_t effort, struct greta_error *error)
{
	uint64_t unit = component->unit, spent = packing->nodes + effort;
	uint64_t tried = (floor + unit - 1) / unit; /* peaks below are refuted or not worth a search, in units */
	uint64_t target = tried;
	while (component->peak > target * unit && packing->nodes < spent) {
		uint64_t rest = spent - packing->nodes;
		enum greta_pack_verdict verdict;
		enum greta_status status = search(packing, component, target * unit, rest - rest / 2, &verdict, error);
		if (status)
			return status;
		tried = verdict == GRETA_PACK_FOUND ? tried : target + 1;
		uint64_t top = (component->peak + unit - 1) / unit;
		if (tried >= top)
			break;
		target = tried + (top - tried) / 2;
	}
	return GRETA_OK;
}

static bool wants_search(const struct packing *packing, const struct component *component, uint64_t target)
{
	return component->peak > target && component->count <= GRETA_PACK_SEARCH_MAX && packing->effort > 0;
}

/* The components that keep the peak above `target` share the effort evenly. With a capacity one search each is enough.
 */
static enum greta_status search_components(struct packing *packing, uint64_t capacity, struct greta_error *error)
{
	uint64_t target = capacity ? capacity : packing->bound;
	size_t left = 0;
	for (size_t i = 0; i < packing->component_count; i++)
		left += wants_search(packing, &packing->components[i], target);
	for (size_t i = 0; i < packing->component_count && packing->bound <= target; i++) {
		struct component *component = &packing->components[i];
		if (left == 0 || !wants_search(packing, component, target))
			continue;
		uint64_t effort = packing->effort / left + (packing->effort % left != 0);
		left--;
		enum greta_pack_verdict verdict;
		enum greta_status status = capacity ? search(packing, component, capacity, effort, &verdict, error)
						    : tighten(packing, component, target, effort, error);
		if (status)
			return status;
		if (component->bound > packing->bound)
			packing->bound = component->bound;
		if (!capacity && packing->bound > target)
			target = packing->bound;
	}
	return GRETA_OK;
}

static enum greta_status pack(struct packing *packing, const struct greta_pack_buffer *buffers, size_t count,
    const struct greta_pack_options *options, struct ending *endings, struct greta_error *error)
{
	copy_members(packing, buffers, count);
	split_components(packing);
	for (size_t i = 0; i < packing->component_count; i++) {
		bound_component(&packing->components[i], endings);
		if (packing->components[i].bound > packing->bound)
			packing->bound = packing->components[i].bound;
	}
	uint64_t target = options->capacity > packing->bound ? options->capacity : packing->bound;
	for (size_t i = 0; i < packing->component_count; i++) {
		struct component *component = &packing->components[i];
		enum greta_status status =
		    greta_pack_greedy(component->buffers, component->count, target, &component->peak, error);
		if (status)
			return status;
	}
	return search_components(packing, options->capacity, error);
}

static void deliver(const struct packing *packing, struct greta_pack_buffer *buffers, size_t count, uint64_t capacity,
    struct greta_pack_result *out)
{
	*out = (struct greta_pack_result){.naive_sum = sum_naively(buffers, count), .nodes = packing->nodes};
	for (size_t i = 0; i < count; i++)
		buffers[i].offset = 0;
	for (size_t i = 0; i < packing->count; i++)
		buffers[packing->members[i].index].offset = packing->buffers[i].offset;
	for (size_t i = 0; i < packing->component_count; i++)
		if (packing->components[i].peak > out->peak)
			out->peak = packing->components[i].peak;
	out->lower_bound = packing->bound;
	out->proven = out->peak == out->lower_bound;
	if (capacity && (out->peak <= capacity || out->lower_bound > capacity))
		out->proven = true;
}

enum greta_status greta_pack(struct greta_pack_buffer *buffers, size_t count, const struct greta_pack_options *options,
    struct greta_pack_result *out, struct greta_error *error)
{
	static const struct greta_pack_options defaults;
	options = options ? options : &defaults;
	enum greta_status status = check(buffers, count, error);
	if (status)
		return status;
	struct packing packing = {.effort = options->effort ? options->effort : GRETA_PACK_DEFAULT_EFFORT};
	packing.members = malloc((count + 1) * sizeof(*packing.members));
	packing.buffers = malloc((count + 1) * sizeof(*packing.buffers));
	packing.components = malloc((count + 1) * sizeof(*packing.components));
	struct ending *endings = malloc((count + 1) * sizeof(*endings));
	if (packing.members && packing.buffers && packing.components && endings)
		status = pack(&packing, buffers, count, options, endings, error);
	else
		status = greta_fail(error, GRETA_ERROR_MEMORY, "no memory to pack %zu buffers", count);
	if (!status)
		deliver(&packing, buffers, count, options->capacity, out);
	free(endings);
	free(packing.components);
	free(packing.buffers);
	free(packing.members);
	return status;
}
