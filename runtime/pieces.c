#include "runtime/pieces.h"

#include "kernels/abi.h"
#include "kernels/layout.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool inside(uint64_t offset, uint64_t bytes, uint64_t size)
{
	return offset <= size && bytes <= size - offset;
}

/* Bytes of the tensor in its layout; 0 when the plan's numbers make no sense. */
static uint64_t layout_bytes(const struct greta_plan_tensor *tensor, uint64_t *out_group_bytes)
{
	const struct greta_type_info *type = greta_type_info(tensor->type);
	*out_group_bytes = 0;
	if (tensor->constant || tensor->layout == GRETA_LAYOUT_RAW)
		return tensor->source_bytes;
	if (!type || tensor->cols % 256 || !tensor->cols)
		return 0;
	uint64_t row_bytes = (uint64_t)tensor->cols / type->block_values * type->block_bytes;
	if (row_bytes * tensor->rows != tensor->source_bytes)
		return 0;
	*out_group_bytes = greta_layout_group_bytes(tensor->layout, tensor->type, tensor->cols);
	return ((uint64_t)tensor->rows + 15) / 16 * *out_group_bytes;
}

static enum greta_status check(const struct greta_plan *plan, const struct greta_plan_tensor *tensor,
                               uint64_t model_bytes, uint64_t *out_group_bytes, struct greta_error *error)
{
	uint64_t bytes = layout_bytes(tensor, out_group_bytes);
	uint64_t from = tensor->constant ? plan->header->sections[GRETA_PLAN_CONSTANTS].count : model_bytes;
	if (!inside(tensor->source, tensor->source_bytes, from))
		return greta_fail(error, GRETA_ERROR_FORMAT,
		                  "the plan takes %s from bytes %" PRIu64 " to %" PRIu64 " of a %s of %" PRIu64
		                  " bytes",
		                  greta_plan_string(plan, tensor->name), tensor->source,
		                  tensor->source + tensor->source_bytes, tensor->constant ? "section" : "model", from);
	if (!bytes || bytes != tensor->bytes ||
	    !inside(tensor->offset, bytes, plan->header->region_bytes[tensor->region]))
		return greta_fail(error, GRETA_ERROR_FORMAT,
		                  "the plan gives %s %" PRIu64 " bytes at %" PRIu64 " where its shape makes %" PRIu64,
		                  greta_plan_string(plan, tensor->name), tensor->bytes, tensor->offset, bytes);
	return GRETA_OK;
}

/* How many pieces a tensor becomes; with `out`, also writes them there. */
static size_t cut(const struct greta_plan_tensor *tensor, const uint8_t *source, uint64_t group_bytes,
                  uint64_t piece_bytes, struct greta_piece *out)
{
	bool raw = group_bytes == 0;
	uint64_t unit = raw ? 1 : group_bytes;
	uint64_t units = tensor->bytes / unit;
	uint64_t step = piece_bytes / unit ? piece_bytes / unit : 1;
	uint64_t raw_unit = raw ? 1 : tensor->rows ? tensor->source_bytes / tensor->rows * 16 : 0;
	size_t count = 0;
	for (uint64_t first = 0; first < units; first += step, count++) {
		if (!out)
			continue;
		uint64_t n = units - first < step ? units - first : step;
		out[count] = (struct greta_piece){
			.source = source + first * raw_unit,
			.offset = tensor->offset + first * unit,
			.bytes = n * unit,
			.layout = raw ? GRETA_LAYOUT_RAW : tensor->layout,
			.type = tensor->type,
			.rows = raw ? 0 : tensor->rows - (uint32_t)first * 16,
			.cols = tensor->cols,
			.groups = raw ? 0 : (uint32_t)n,
		};
	}
	return count;
}

enum greta_status greta_pieces_init(struct greta_pieces *pieces, const struct greta_plan *plan, uint32_t region,
				    const void *model, uint64_t model_bytes, uint64_t piece_bytes,
				    struct greta_error *error)
{
	struct greta_pieces made = {0};
	/* Twice over the tensors: to count, then to write. */
	for (int pass = 0; pass < 2; pass++) {
		size_t count = 0;
		for (size_t i = 0; i < plan->tensor_count; i++) {
			const struct greta_plan_tensor *tensor = &plan->tensors[i];
			uint64_t group_bytes;
			if (tensor->region != region)
				continue;
			enum greta_status status = check(plan, tensor, model_bytes, &group_bytes, error);
			if (status != GRETA_OK) {
				free(made.items);
				return status;
			}
			const uint8_t *from = tensor->constant ? plan->constants : model;
			count += cut(tensor, from + tensor->source, group_bytes, piece_bytes,
				     made.items ? made.items + count : NULL);
		}
		made.count = count;
		if (pass == 0) {
			made.items = calloc(count + 1, sizeof(*made.items));
			if (!made.items)
				return greta_fail(error, GRETA_ERROR_MEMORY,
				                  "no memory for a list of %zu pieces of weights", count);
		}
	}
	for (size_t i = 0; i < made.count; i++) {
		made.bytes += made.items[i].bytes;
		if (made.items[i].bytes > made.most_bytes)
			made.most_bytes = made.items[i].bytes;
	}
	*pieces = made;
	return GRETA_OK;
}

void greta_pieces_finish(struct greta_pieces *pieces)
{
	free(pieces->items);
	*pieces = (struct greta_pieces){0};
}

void greta_piece_write(const struct greta_piece *piece, void *out)
{
	if (piece->layout == GRETA_LAYOUT_RAW)
		memcpy(out, piece->source, piece->bytes);
	else
		greta_layout_pack(piece->layout, piece->type, piece->rows, piece->cols, piece->source, piece->groups,
		                  out);
}
