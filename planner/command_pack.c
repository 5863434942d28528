#include "planner/commands.h"
#include "models/command_line.h"
#include "models/new_file.h"
#include "models/read_file.h"
#include "planner/pack_csv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 30) /* bytes of a CSV file; a device may have no end */

static const char usage[] =
    "usage: greta-plan pack [--capacity N] [--effort N] [-o FILE] FILE.csv\n"
    "\n"
    "Packs the buffers of a CSV file (- reads the standard input) into one arena and writes them with their offsets.\n"
    "The first line names the columns, in any order: id,lower,upper,size; lifetimes are half-open: [lower, upper).\n"
    "There may be two more: alignment (bytes, a power of two; 1 without it), and offset, which is not read, so that an\n"
    "output can be packed again.\n"
    "\n"
    "  --capacity N   any packing within N bytes will do; without it the peak is minimised\n"
    "  --effort N     search nodes to spend (default 2000000)\n"
    "  -o, --output FILE\n"
    "  -h, --help\n"
    "\n"
    "Exit status: 0 packed, 1 no packing found, none exists or something failed, 2 the command line is wrong.\n";

_Static_assert(GRETA_PACK_DEFAULT_EFFORT == 2000000, "the text above says so");

struct request {
	struct greta_pack_options options;
	const char *input, *output;
};

static enum greta_status write_file(const struct greta_pack_table *table, const char *path, struct greta_error *error)
{
	struct greta_new_file new;
	enum greta_status status = greta_new_file_init(&new, path, error);
	if (status)
		return status;
	FILE *file = greta_new_file_stream(&new);
	bool good = file && greta_pack_csv_print(table, file);
	int reason = errno;
	if (file && fclose(file) != 0) {
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
		fprintf(stderr, "greta-plan pack: no packing exists: lower bound %" PRIu64 " > capacity %" PRIu64 "\n",
		    result->lower_bound, capacity);
	else if (capacity && result->peak > capacity)
		fprintf(stderr,
		    "greta-plan pack: no packing found within %" PRIu64 " search nodes (capacity %" PRIu64 "; --effort sets the "
		    "nodes)\n",
		    result->nodes, capacity);
	fprintf(stderr,
	    "%zu buffers: peak %" PRIu64 ", lower bound %" PRIu64 ", naive sum %" PRIu64 ", %s, %" PRIu64
	    " search nodes\n",
	    count, result->peak, result->lower_bound, result->naive_sum,
	    result->peak == result->lower_bound ? "proven minimal" : "not proven minimal", result->nodes);
}

static enum greta_status run(const struct request *request, bool *out_packed, struct greta_error *error)
{
	char *text = NULL;
	size_t length = 0;
	struct greta_pack_table table = {0};
	struct greta_pack_result result = {0};
	const char *name = greta_read_file_name(request->input);
	if (strcmp(request->input, "-") != 0 && greta_same_file(request->input, request->output))
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "%s is the input: the packing would replace it",
				  request->output);
	enum greta_status status = greta_read_file(request->input, TEXT_MAX, &text, &length, error);
	if (!status && length == TEXT_MAX)
		status = greta_fail(error, GRETA_ERROR_FORMAT, "%s has %zu bytes or more", name, TEXT_MAX);
	if (!status)
		status = greta_pack_csv_parse(text, length, name, &table, error);
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

int greta_plan_command_pack(int argc, char **argv)
{
	struct request request = {0};
	struct greta_error error = {0};
	bool packed = false;
	const struct greta_option options[] = {
	    {0, "capacity", .large = &request.options.capacity, .least = 1, .most = INT64_MAX},
	    {0, "effort", .large = &request.options.effort, .least = 1, .most = INT64_MAX},
	    {'o', "output", .text = &request.output},
	    {0},
	};
	const struct greta_command_line line = {
	    .tool = "greta-plan pack", .help = usage, .options = options, .operands = "one CSV file", .least = 1, .most = 1};
	char **operands;
	int status = greta_command_line_read(&line, argc, argv, &operands);
	if (status >= 0)
		return status;
	request.input = operands[0];
	if (run(&request, &packed, &error))
		return greta_command_failed(line.tool, &error);
	return packed ? 0 : 1;
}
