#include "planner/pack_csv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 6
#define SHOWN 40 /* characters of a bad field that a message quotes */

enum column { COLUMN_ID, COLUMN_LOWER, COLUMN_UPPER, COLUMN_SIZE, COLUMN_ALIGNMENT, COLUMN_OFFSET, COLUMNS };

static const char *const column_names[COLUMNS] = {"id", "lower", "upper", "size", "alignment", "offset"};

struct field {
	const char *start;
	size_t length;
};

struct parser {
	const char *at, *end;
	const char *name;
	size_t line; /* of the line read last */
	enum column columns[COLUMNS_MAX];
	size_t column_count;
	struct field fields[COLUMNS_MAX]; /* of the line read last */
	size_t field_count;
	uint64_t total; /* of sizes and paddings so far */
	struct greta_error *error;
};

static int shown(const struct field *field)
{
	return field->length < SHOWN ? (int)field->length : SHOWN;
}

/* The next line that is not empty, cut at its commas; false at the end. field_count is COLUMNS_MAX + 1 if it has more.
 */
static bool next_line(struct parser *parser)
{
	while (parser->at < parser->end) {
		const char *start = parser->at, *stop = memchr(start, '\n', (size_t)(parser->end - start));
		stop = stop ? stop : parser->end;
		parser->at = stop < parser->end ? stop + 1 : stop;
		parser->line++;
		if (stop > start && stop[-1] == '\r')
			stop--;
		if (stop == start)
			continue;
		for (parser->field_count = 0; parser->field_count < COLUMNS_MAX; start++) {
			const char *comma = memchr(start, ',', (size_t)(stop - start));
			parser->fields[parser->field_count++] =
			    (struct field){start, (size_t)((comma ? comma : stop) - start)};
			if (!comma)
				return true;
			start = comma;
		}
		parser->field_count++;
		return true;
	}
	return false;
}

static enum greta_status parse_header(struct parser *parser)
{
	static const char mark[] = "\xef\xbb\xbf";
	unsigned seen = 0;
	if (parser->end - parser->at >= 3 && memcmp(parser->at, mark, 3) == 0)
		parser->at += 3;
	if (!next_line(parser))
		return greta_fail(parser->error, GRETA_ERROR_FORMAT,
		    "%s:1: the file is empty; its first line must name the "
		    "columns id,lower,upper,size",
		    parser->name);
	if (parser->field_count > COLUMNS_MAX)
		return greta_fail(parser->error, GRETA_ERROR_FORMAT, "%s:%zu: more than %d columns", parser->name,
		    parser->line, COLUMNS_MAX);
	for (size_t i = 0; i < parser->field_count; i++) {
		const struct field *field = &parser->fields[i];
		unsigned c = 0;
		while (c < COLUMNS && (strlen(column_names[c]) != field->length ||
					  memcmp(column_names[c], field->start, field->length) != 0))
			c++;
		if (c == COLUMNS)
			return greta_fail(parser->error, GRETA_ERROR_FORMAT,
			    "%s:%zu: unknown column '%.*s'; the first line must name "
			    "id,lower,upper,size and may name alignment,offset",
			    parser->name, parser->line, shown(field), field->start);
		if (seen & 1u << c)
			return greta_fail(parser->error, GRETA_ERROR_FORMAT, "%s:%zu: column '%s' appears twice",
			    parser->name, parser->line, column_names[c]);
		seen |= 1u << c;
		parser->columns[i] = (enum column)c;
	}
	for (unsigned c = 0; c <= COLUMN_SIZE; c++)
		if (!(seen & 1u << c))
			return greta_fail(parser->error, GRETA_ERROR_FORMAT, "%s:%zu: column '%s' is missing",
			    parser->name, parser->line, column_names[c]);
	parser->column_count = parser->field_count;
	return GRETA_OK;
}

/* Decimal digits only: no sign, no blank, no exponent. */
static bool parse_number(const struct field *field, uint64_t most, uint64_t *out)
{
	uint64_t value = 0;
	for (size_t i = 0; i < field->length; i++) {
		unsigned digit = (unsigned)(unsigned char)field->start[i] - '0';
		if (digit > 9 || value > (most - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return field->length > 0;
}

static enum greta_status parse_field(struct parser *parser, enum column column, const struct field *field,
    struct greta_pack_buffer *buffer, struct greta_pack_name *name)
{
	static const uint64_t most[COLUMNS] = {0, UINT32_MAX, UINT32_MAX, INT64_MAX, GRETA_PACK_ALIGNMENT_MAX, 0};
	uint64_t value = 0;
	if (memchr(field->start, '"', field->length) || memchr(field->start, '\0', field->length))
		return greta_fail(parser->error, GRETA_ERROR_FORMAT, "%s:%zu: %s holds a quote or a zero byte",
		    parser->name, parser->line, column_names[column]);
	if (column == COLUMN_ID) {
		*name = (struct greta_pack_name){field->start, field->length};
		return GRETA_OK;
	}
	if (column == COLUMN_OFFSET)
		return GRETA_OK;
	if (!parse_number(field, most[column], &value))
		return greta_fail(parser->error, GRETA_ERROR_FORMAT,
		    "%s:%zu: %s '%.*s' is not a number from 0 to %" PRIu64, parser->name, parser->line,
		    column_names[column], shown(field), field->start, most[column]);
	if (column == COLUMN_LOWER)
		buffer->lower = (uint32_t)value;
	else if (column == COLUMN_UPPER)
		buffer->upper = (uint32_t)value;
	else if (column == COLUMN_SIZE)
		buffer->size = value;
	else
		buffer->alignment = value;
	if (column == COLUMN_ALIGNMENT && (value == 0 || (value & (value - 1)) != 0))
		return greta_fail(parser->error, GRETA_ERROR_FORMAT,
		    "%s:%zu: alignment %" PRIu64 " is not a power of two", parser->name, parser->line, value);
	return GRETA_OK;
}

static enum greta_status parse_buffer(struct parser *parser, struct greta_pack_table *table)
{
	struct greta_pack_buffer *buffer = &table->buffers[table->count];
	if (parser->field_count != parser->column_count)
		return greta_fail(parser->error, GRETA_ERROR_FORMAT,
		    "%s:%zu: %s than the %zu fields that the first line names", parser->name, parser->line,
		    parser->field_count > parser->column_count ? "more" : "fewer", parser->column_count);
	*buffer = (struct greta_pack_buffer){.alignment = 1};
	for (size_t i = 0; i < parser->column_count; i++) {
		enum greta_status status =
		    parse_field(parser, parser->columns[i], &parser->fields[i], buffer, &table->names[table->count]);
		if (status)
			return status;
	}
	if (buffer->lower > buffer->upper)
		return greta_fail(parser->error, GRETA_ERROR_FORMAT,
		    "%s:%zu: upper %" PRIu32 " is before lower %" PRIu32, parser->name, parser->line, buffer->upper,
		    buffer->lower);
	if (buffer->size > INT64_MAX - parser->total ||
	    2 * buffer->alignment > INT64_MAX - parser->total - buffer->size)
		return greta_fail(parser->error, GRETA_ERROR_FORMAT,
		    "%s:%zu: the sizes add up to more than 63 bits hold", parser->name, parser->line);
	parser->total += buffer->size + 2 * buffer->alignment;
	table->count++;
	return GRETA_OK;
}

enum greta_status greta_pack_csv_parse(
    const char *text, size_t length, const char *name, struct greta_pack_table *out_table, struct greta_error *error)
{
	struct parser parser = {.at = text, .end = text + length, .name = name, .error = error};
	struct greta_pack_table table = {0};
	size_t lines = 1;
	enum greta_status status = parse_header(&parser);
	if (status)
		return status;
	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n';
	table.buffers = calloc(lines, sizeof(*table.buffers));
	table.names = calloc(lines, sizeof(*table.names));
	if (!table.buffers || !table.names) {
		greta_pack_table_finish(&table);
		return greta_fail(error, GRETA_ERROR_MEMORY, "%s: no memory for %zu lines", name, lines);
	}
	while (!status && next_line(&parser))
		status = parse_buffer(&parser, &table);
	for (size_t i = 0; i < parser.column_count; i++)
		table.has_alignment |= parser.columns[i] == COLUMN_ALIGNMENT;
	if (status)
		greta_pack_table_finish(&table);
	else
		*out_table = table;
	return status;
}

void greta_pack_table_finish(struct greta_pack_table *table)
{
	free(table->buffers);
	free(table->names);
	*table = (struct greta_pack_table){0};
}

bool greta_pack_csv_print(const struct greta_pack_table *table, FILE *stream)
{
	fprintf(stream, "id,lower,upper,size,%soffset\n", table->has_alignment ? "alignment," : "");
	for (size_t i = 0; i < table->count; i++) {
		const struct greta_pack_buffer *buffer = &table->buffers[i];
		fwrite(table->names[i].start, 1, table->names[i].length, stream);
		fprintf(stream, ",%" PRIu32 ",%" PRIu32 ",%" PRIu64, buffer->lower, buffer->upper, buffer->size);
		if (table->has_alignment)
			fprintf(stream, ",%" PRIu64, buffer->alignment);
		fprintf(stream, ",%" PRIu64 "\n", buffer->offset);
	}
	return fflush(stream) == 0 && !ferror(stream);
}
