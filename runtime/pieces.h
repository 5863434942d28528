/* The contents of a weights region, cut into pieces that can be made independently: a run of row groups in the plan's
 * layout, a part of a raw tensor, or a constant. */
#ifndef GRETA_PIECES_H
#define GRETA_PIECES_H

#include "runtime/plan.h"

struct greta_piece {
	const void *source; /* raw bytes in the model or in the plan */
	uint64_t offset;    /* in the region */
	uint64_t bytes;     /* there */
	uint32_t layout;    /* enum greta_layout */
	uint32_t type, rows, cols; /* not raw: of what `source` points at */
	uint32_t groups;    /* not raw: of 16 rows, from source's first */
};

struct greta_pieces {
	struct greta_piece *items;
	size_t count;
	uint64_t bytes;      /* of all */
	uint64_t most_bytes; /* of one */
};

/* Lists the pieces of `region` (WEIGHTS or MODEL). `model` are the `model_bytes` bytes of the GGUF file, which must
 * outlive the pieces, as must the plan. A piece has about `piece_bytes` bytes at most (one row group at least). FORMAT
 * when a tensor of the plan reaches outside the model or its region, or has not the size that its shape makes; MEMORY.
 */
enum greta_status greta_pieces_init(struct greta_pieces *pieces, const struct greta_plan *plan, uint32_t region,
				    const void *model, uint64_t model_bytes, uint64_t piece_bytes,
				    struct greta_error *error);
void greta_pieces_finish(struct greta_pieces *pieces);

/* Writes the piece's bytes to `out`, which is 8-byte aligned. Pieces may be written at the same time. */
void greta_piece_write(const struct greta_piece *piece, void *out);

#endif
