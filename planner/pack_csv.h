/* A CSV file of anybody's buffers, for the arena packer (`greta-plan pack`).
 *
 * The file is what the public benchmarks of static memory allocation use. The first line names the columns, in any
 * order: id, lower, upper, size, and if wanted alignment (bytes; 1 where the column is missing) and offset (not read,
 * so that an output can be packed again). Any other column is refused, for it may change what a packing has to
 * respect. One buffer a line; ids are carried along, not interpreted; lifetimes are half-open; no quotes; LF or CRLF;
 * empty lines are skipped. */
#ifndef GRETA_PLANNER_PACK_CSV_H
#define GRETA_PLANNER_PACK_CSV_H

#include "planner/pack.h"

#include <stdio.h>

struct greta_pack_table {
	struct greta_pack_buffer *buffers;
	struct greta_pack_name {
		const char *start; /* in the text that was parsed; not terminated */
		size_t length;
	} * names;
	size_t count;
	bool has_alignment;
};

/* Reads `length` bytes of `text`, which must outlive the table. Fails with GRETA_ERROR_FORMAT, the message beginning
 * with `name:line: `, and GRETA_ERROR_MEMORY. greta_pack_table_finish releases the table (all zero is fine). */
enum greta_status greta_pack_csv_parse(
    const char *text, size_t length, const char *name, struct greta_pack_table *out_table, struct greta_error *error);
void greta_pack_table_finish(struct greta_pack_table *table);

/* Writes the buffers in the order read, columns id,lower,upper,size[,alignment],offset. False when the stream failed.
 */
bool greta_pack_csv_print(const struct greta_pack_table *table, FILE *stream);

#endif
