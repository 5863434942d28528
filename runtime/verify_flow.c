#include "runtime/verify_flow.h"

#include "kernels/abi.h"

#include <stdlib.h>
#include <string.h>

enum greta_status greta_flow_init(struct greta_flow *flow, const struct greta_plan *plan, struct greta_error *error)
{
	size_t buffers = plan->buffer_count ? plan->buffer_count : 1;
	*flow = (struct greta_flow){
	    .plan = plan,
	    .first = calloc(buffers, sizeof(uint32_t)),
	    .last = calloc(buffers, sizeof(uint32_t)),
	};
	if (flow->first && flow->last)
		return GRETA_OK;
	greta_flow_finish(flow);
	return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory for %zu buffers", buffers);
}

void greta_flow_finish(struct greta_flow *flow)
{
	free(flow->ranges);
	free(flow->first);
	free(flow->last);
	*flow = (struct greta_flow){0};
}

void greta_flow_start(struct greta_flow *flow) { flow->count = 0; }

static const char *name_of(const struct greta_flow *flow, uint32_t buffer)
{
	return greta_plan_string(flow->plan, flow->plan->buffers[buffer].name);
}

/* The first range that ends behind `at`. */
static size_t find(const struct greta_flow *flow, uint64_t at)
{
	size_t low = 0, high = flow->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (flow->ranges[middle].end > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static enum greta_status read(const struct greta_flow *flow, size_t index, const struct greta_access *access,
			      struct greta_error *error)
{
	const char *kernel = greta_kernel_info(flow->plan->launches[index].kernel)->name;
	uint64_t at = access->begin;
	for (size_t r = find(flow, at); at < access->end; r++) {
		if (r == flow->count || flow->ranges[r].begin > at)
			return greta_fail(error, GRETA_ERROR_FORMAT,
					  "unsound plan: launch %zu (%s) reads byte %llu of %s, which nothing has written", index,
					  kernel, (unsigned long long)(at - flow->plan->buffers[access->buffer].offset),
					  name_of(flow, access->buffer));
		if (flow->ranges[r].buffer != access->buffer)
			return greta_fail(error, GRETA_ERROR_FORMAT, "unsound plan: launch %zu (%s) reads %s, which %s has overwritten",
					  index, kernel, name_of(flow, access->buffer), name_of(flow, flow->ranges[r].buffer));
		at = flow->ranges[r].end;
	}
	return GRETA_OK;
}

/* Puts `replacement` in the place of ranges [from, to); there is room. */
static void splice(struct greta_flow *flow, size_t from, size_t to, const struct greta_flow_range *replacement,
		   size_t count)
{
	memmove(&flow->ranges[from + count], &flow->ranges[to], (flow->count - to) * sizeof(*flow->ranges));
	memcpy(&flow->ranges[from], replacement, count * sizeof(*replacement));
	flow->count = flow->count - (to - from) + count;
}

static enum greta_status write(struct greta_flow *flow, const struct greta_access *access, struct greta_error *error)
{
	if (flow->room - flow->count < 2) {
		size_t room = flow->room ? flow->room * 2 : 64;
		void *larger = reallocarray(flow->ranges, room, sizeof(*flow->ranges));
		if (!larger)
			return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory for %zu ranges", room);
		flow->ranges = larger;
		flow->room = room;
	}
	size_t from = find(flow, access->begin), to = from;
	while (to < flow->count && flow->ranges[to].begin < access->end)
		to++;
	struct greta_flow_range pieces[3];
	size_t count = 0;
	if (from < to && flow->ranges[from].begin < access->begin)
		pieces[count++] =
		    (struct greta_flow_range){flow->ranges[from].begin, access->begin, flow->ranges[from].buffer};
	pieces[count++] = (struct greta_flow_range){access->begin, access->end, access->buffer};
	if (from < to && flow->ranges[to - 1].end > access->end)
		pieces[count++] =
		    (struct greta_flow_range){access->end, flow->ranges[to - 1].end, flow->ranges[to - 1].buffer};
	splice(flow, from, to, pieces, count);
	return GRETA_OK;
}

/* An output shares no byte with another access of the launch, except a sum with what it is added to. */
static bool apart(const struct greta_access *output, const struct greta_access *other)
{
	if (output->end <= other->begin || other->end <= output->begin)
		return true;
	return output->in_place && other->in_place && !other->write && output->buffer == other->buffer &&
	       output->begin == other->begin && output->end == other->end;
}

enum greta_status greta_flow_launch(struct greta_flow *flow, uint32_t program, size_t index, uint32_t step,
				    const struct greta_launch_use *use, struct greta_error *error)
{
	const char *kernel = greta_kernel_info(flow->plan->launches[index].kernel)->name;
	for (uint32_t i = 0; i < use->count; i++) {
		const struct greta_access *access = &use->accesses[i];
		if (flow->plan->buffers[access->buffer].program != program)
			return greta_fail(error, GRETA_ERROR_FORMAT,
					  "unsound plan: launch %zu (%s) uses %s of another program", index, kernel,
					  name_of(flow, access->buffer));
		for (uint32_t j = 0; access->write && j < use->count; j++)
			if (j != i && !apart(access, &use->accesses[j]))
				return greta_fail(error, GRETA_ERROR_FORMAT,
						  "unsound plan: launch %zu (%s) writes %s over %s, which it uses",
						  index, kernel, name_of(flow, access->buffer),
						  name_of(flow, use->accesses[j].buffer));
		if (flow->last[access->buffer] == 0)
			flow->first[access->buffer] = step;
		flow->last[access->buffer] = step + 1;
	}
	enum greta_status status = GRETA_OK;
	for (uint32_t i = 0; status == GRETA_OK && i < use->count; i++)
		if (use->accesses[i].read)
			status = read(flow, index, &use->accesses[i], error);
	for (uint32_t i = 0; status == GRETA_OK && i < use->count; i++)
		if (use->accesses[i].write)
			status = write(flow, &use->accesses[i], error);
	return status;
}

enum greta_status greta_flow_lifetimes(const struct greta_flow *flow, struct greta_error *error)
{
	for (size_t b = 0; b < flow->plan->buffer_count; b++) {
		const struct greta_plan_buffer *buffer = &flow->plan->buffers[b];
		if (buffer->region == GRETA_REGION_ARENA &&
		    (buffer->first != flow->first[b] || buffer->last != flow->last[b]))
			return greta_fail(error, GRETA_ERROR_FORMAT,
					  "unsound plan: %s is said to live in [%u, %u), its launches say [%u, %u)",
					  name_of(flow, (uint32_t)b), buffer->first, buffer->last, flow->first[b],
					  flow->last[b]);
	}
	return GRETA_OK;
}
