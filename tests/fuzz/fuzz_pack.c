/* CSV files of buffers, sound and damaged: parsing never reads outside the text, and what parses packs without
 * overlap. The first byte chooses the effort and whether there is a capacity. */
#include "planner/pack_csv.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct greta_pack_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct greta_pack_buffer *a = &table->buffers[i];
		if (a->offset % a->alignment)
			abort();
		for (size_t k = 0; k < i && a->size > 0 && a->lower < a->upper; k++) {
			const struct greta_pack_buffer *b = &table->buffers[k];
			if (b->size > 0 && b->lower < b->upper && a->lower < b->upper && b->lower < a->upper &&
			    a->offset < b->offset + b->size && b->offset < a->offset + a->size)
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct greta_pack_table table = {0};
	struct greta_pack_result result;
	struct greta_error error;
	if (size == 0)
		return 0;
	struct greta_pack_options options = {.capacity = data[0] & 1 ? data[0] : 0, .effort = 1 + data[0] * 4u};
	if (greta_pack_csv_parse((const char *)data + 1, size - 1, "fuzz", &table, &error))
		return 0;
	if (!greta_pack(table.buffers, table.count, &options, &result, &error)) {
		check(&table);
		if (result.lower_bound > result.peak || result.nodes > options.effort)
			abort();
	}
	greta_pack_table_finish(&table);
	return 0;
}
