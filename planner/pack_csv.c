#include "planner/pack_csv.h"
#include "models/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COLUMNS_MAX 6
#define TEXT_MAX ((size_t)1 << 30) /* bytes of a CSV file; a device may have no end */
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

struct request {
	struct greta_pack_options options;
	const char *input, *output;
};

static enum greta_status read_all(
    FILE *file, const char *name, char **out_text, size_t *out_length, struct greta_error *error)
{
	size_t length = 0, room = 1 << 16;
	char *text = malloc(room);
	while (text) {
		length += fread(text + length, 1, room - length, file);
		if (length < room)
			break;
		if (room == TEXT_MAX) {
			free(text);
			return greta_fail(error, GRETA_ERROR_FORMAT, "%s: longer than %zu bytes", name, TEXT_MAX);
		}
		char *larger = realloc(text, room * 2);
		if (!larger)
			free(text);
		text = larger;
		room *= 2;
	}
	if (!text)
		return greta_fail(error, GRETA_ERROR_MEMORY, "%s: no memory for its contents", name);
	if (ferror(file)) {
		free(text);
		return greta_fail(error, GRETA_ERROR_IO, "cannot read %s: %s", name, strerror(errno));
	}
	*out_text = text;
	*out_length = length;
	return GRETA_OK;
}

static enum greta_status read_input(const char *path, char **out_text, size_t *out_length, struct greta_error *error)
{
	if (strcmp(path, "-") == 0)
		return read_all(stdin, "standard input", out_text, out_length, error);
	FILE *file = fopen(path, "re");
	if (!file)
		return greta_fail(error, GRETA_ERROR_IO, "cannot open %s: %s", path, strerror(errno));
	enum greta_status status = read_all(file, path, out_text, out_length, error);
	fclose(file);
	return status;
}

static enum greta_status write_file(const struct greta_pack_table *table, const char *path, struct greta_error *error)
{
	struct greta_new_file new;
	enum greta_status status = greta_new_file_init(&new, path, error);
	if (status)
		return status;
	int fd = fcntl(new.fd, F_DUPFD_CLOEXEC, 0);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool good = file && greta_pack_csv_print(table, file);
	int reason = errno;
	if (file ? fclose(file) != 0 : fd >= 0 && close(fd) != 0) {
		reason = good ? errno : reason;
		good = false;
	}
	status = good ? greta_new_file_commit(&new, error)
		      : greta_fail(error, GRETA_ERROR_IO, "cannot write %s: %s", path, strerror(reason));
	greta_new_file_finish(&new);
	return status;
}

static enum greta_status write_output(
    const struct greta_pack_table *table, const char *path, struct greta_error *error)
{
	if (path)
		return write_file(table, path, error);
	if (!greta_pack_csv_print(table, stdout))
		return greta_fail(error, GRETA_ERROR_IO, "cannot write to the standard output: %s", strerror(errno));
	return GRETA_OK;
}

static void print_summary(const struct greta_pack_result *result, const struct request *request, size_t count)
{
	uint64_t capacity = request->options.capacity;
	if (capacity && result->lower_bound > capacity)
		fprintf(stderr, "no packing exists: lower bound %" PRIu64 " > capacity %" PRIu64 "\n",
		    result->lower_bound, capacity);
	else if (capacity && result->peak > capacity)
		fprintf(stderr,
		    "no packing found within %" PRIu64 " search nodes (capacity %" PRIu64 "; --effort sets the "
		    "nodes)\n",
		    result->nodes, capacity);
	fprintf(stderr,
	    "%zu buffers: peak %" PRIu64 ", lower bound %" PRIu64 ", naive sum %" PRIu64 ", %s, %" PRIu64
	    " search nodes\n",
	    count, result->peak, result->lower_bound, result->naive_sum,
	    result->peak == result->lower_bound ? "proven minimal" : "not proven minimal", result->nodes);
}

static const char usage[] =
    "usage: greta-plan pack [--capacity N] [--effort N] [-o FILE] FILE.csv\n"
    "Packs the buffers of a CSV file (columns id,lower,upper,size; - reads the standard input) into one arena and writes\n"
    "them with their offsets. Lifetimes are half-open: [lower, upper).\n"
    "  --capacity N   any packing within N bytes will do; without it the peak is minimised\n"
    "  --effort N     search nodes to spend (default %u)\n"
    "  -o, --output FILE\n"
    "Exit status: 0 packed, 1 no packing found or none exists, 2 bad input.\n";

static bool parse_option(const char *option, const char *text, uint64_t *out)
{
	struct field field = {text, strlen(text)};
	if (parse_number(&field, INT64_MAX, out) && *out > 0)
		return true;
	fprintf(stderr, "greta-plan pack: %s '%s' is not a number from 1 to %" PRId64 "\n", option, text, INT64_MAX);
	return false;
}

/* Returns -1 to go on, or the exit status. */
static int parse_arguments(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {{"capacity", required_argument, NULL, 'c'},
	    {"effort", required_argument, NULL, 'e'}, {"output", required_argument, NULL, 'o'},
	    {"help", no_argument, NULL, 'h'}, {0}};
	int option;
	optind = 0; /* main may have used getopt before */
	while ((option = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		if (option == 'h') {
			printf(usage, GRETA_PACK_DEFAULT_EFFORT);
			return 0;
		}
		bool good = option != '?';
		if (option == 'o')
			request->output = optarg;
		else if (option == 'c')
			good = parse_option("--capacity", optarg, &request->options.capacity);
		else if (option == 'e')
			good = parse_option("--effort", optarg, &request->options.effort);
		if (!good)
			return 2;
	}
	if (optind + 1 != argc) {
		fprintf(stderr, usage, GRETA_PACK_DEFAULT_EFFORT);
		return 2;
	}
	request->input = argv[optind];
	return -1;
}

static enum greta_status run(const struct request *request, bool *out_packed, struct greta_error *error)
{
	char *text = NULL;
	size_t length = 0;
	struct greta_pack_table table = {0};
	struct greta_pack_result result = {0};
	enum greta_status status = read_input(request->input, &text, &length, error);
	if (!status)
		status = greta_pack_csv_parse(text, length, request->input, &table, error);
	if (!status)
		status = greta_pack(table.buffers, table.count, &request->options, &result, error);
	if (!status) {
		*out_packed = !request->options.capacity || result.peak <= request->options.capacity;
		if (*out_packed)
			status = write_output(&table, request->output, error);
	}
	if (!status)
		print_summary(&result, request, table.count);
	greta_pack_table_finish(&table);
	free(text);
	return status;
}

int greta_pack_command(int argc, char **argv)
{
	struct request request = {0};
	struct greta_error error = {0};
	bool packed = false;
	int status = parse_arguments(argc, argv, &request);
	if (status >= 0)
		return status;
	if (run(&request, &packed, &error)) {
		fprintf(stderr, "greta-plan pack: %s\n", error.message);
		return 2;
	}
	return packed ? 0 : 1;
}
