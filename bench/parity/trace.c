#include "bench/parity/trace.h"

#include <stdlib.h>
#include <string.h>

enum greta_status greta_parity_trace_init(struct greta_parity_trace *trace, uint32_t layers, bool fp64, size_t room,
					  struct greta_error *error)
{
	struct greta_parity_trace made = {.layers = layers, .fp64 = fp64, .room = room};
	made.places = calloc(greta_parity_places(layers), sizeof(*made.places));
	made.steps = calloc(room, sizeof(*made.steps));
	if (!made.places || !made.steps) {
		greta_parity_trace_finish(&made);
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the values of %u layers", layers);
	}
	*trace = made;
	return GRETA_OK;
}

void greta_parity_trace_finish(struct greta_parity_trace *trace)
{
	for (size_t i = 0; trace->places && i < greta_parity_places(trace->layers); i++) {
		free(trace->places[i].values);
		free(trace->places[i].have);
	}
	free(trace->places);
	free(trace->steps);
	*trace = (struct greta_parity_trace){0};
}

void greta_parity_trace_start(struct greta_parity_trace *trace, size_t start, size_t count)
{
	trace->start = start;
	trace->count = count;
	memset(trace->steps, 0, trace->room * sizeof(*trace->steps));
	for (size_t i = 0; i < greta_parity_places(trace->layers); i++)
		if (trace->places[i].cols)
			memset(trace->places[i].have, 0, trace->room * sizeof(bool));
}

static size_t value_bytes(const struct greta_parity_trace *trace)
{
	return trace->fp64 ? sizeof(double) : sizeof(float);
}

static bool make_room(const struct greta_parity_trace *trace, struct greta_parity_rows *rows, uint32_t cols)
{
	size_t row_bytes = cols * value_bytes(trace), bytes;
	if (__builtin_mul_overflow(row_bytes, trace->room, &bytes))
		return false;
	rows->values = malloc(bytes);
	rows->have = calloc(trace->room, sizeof(bool));
	if (rows->values && rows->have) {
		rows->cols = cols;
		return true;
	}
	free(rows->values);
	free(rows->have);
	*rows = (struct greta_parity_rows){0};
	return false;
}

void *greta_parity_trace_row(struct greta_parity_trace *trace, size_t place, size_t position, uint32_t cols)
{
	struct greta_parity_rows *rows = &trace->places[place];
	size_t row = position - trace->start;
	if (!cols || row >= trace->count || (!rows->cols && !make_room(trace, rows, cols)) || rows->cols != cols)
		return NULL;
	rows->have[row] = true;
	return (uint8_t *)rows->values + row * cols * value_bytes(trace);
}

const void *greta_parity_trace_at(const struct greta_parity_trace *trace, size_t place, size_t position,
				  uint32_t *out_cols)
{
	const struct greta_parity_rows *rows = &trace->places[place];
	size_t row = position - trace->start;
	if (row >= trace->count || !rows->cols || !rows->have[row])
		return NULL;
	*out_cols = rows->cols;
	return (const uint8_t *)rows->values + row * rows->cols * value_bytes(trace);
}
