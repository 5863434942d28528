/* What one side computed for a run of positions: at every place of the model (points.h) one row of values a position.
 * Rows are fp32, or fp64 of a side that is the oracle; caches of f16 are widened to fp32, which loses nothing. */
#ifndef GRETA_BENCH_PARITY_TRACE_H
#define GRETA_BENCH_PARITY_TRACE_H

#include "bench/parity/points.h"
#include "models/error.h"

#include <stdint.h>

struct greta_parity_rows {
	uint32_t cols;     /* 0: nothing was recorded here yet */
	void *values;      /* [room][cols] */
	bool *have;        /* [room]: of this run of positions */
};

/* Which step computed a position. */
struct greta_parity_step {
	uint32_t number;      /* counted from 1 over the side's whole run */
	uint32_t program;     /* of the plan */
	size_t start, count;  /* positions */
};

struct greta_parity_trace {
	uint32_t layers;
	bool fp64;
	size_t start, count, room; /* positions [start, start + count), at most room of them */
	struct greta_parity_rows *places; /* greta_parity_places(layers) */
	struct greta_parity_step *steps;  /* [room]: of each position */
};

/* MEMORY. greta_parity_trace_finish also takes a zeroed trace. */
enum greta_status greta_parity_trace_init(struct greta_parity_trace *trace, uint32_t layers, bool fp64, size_t room,
					  struct greta_error *error);
void greta_parity_trace_finish(struct greta_parity_trace *trace);

/* Forgets what was recorded and expects positions [start, start + count), count <= room. */
void greta_parity_trace_start(struct greta_parity_trace *trace, size_t start, size_t count);

/* Where to write the row of a position (floats or doubles), which counts as recorded; NULL without memory, and for a
 * number of values other than before. */
void *greta_parity_trace_row(struct greta_parity_trace *trace, size_t place, size_t position, uint32_t cols);

/* The row of a position, or NULL; *out_cols values. */
const void *greta_parity_trace_at(const struct greta_parity_trace *trace, size_t place, size_t position,
				  uint32_t *out_cols);

static inline double greta_parity_value(const struct greta_parity_trace *trace, const void *row, uint32_t column)
{
	return trace->fp64 ? ((const double *)row)[column] : (double)((const float *)row)[column];
}

#endif
