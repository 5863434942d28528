#include "planner/commands.h"
#include "models/command_line.h"
#include "models/new_file.h"
#include "planner/show.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char USAGE[] =
    "usage: greta-plan show PLAN [OPTION]...\n"
    "\n"
    "Shows what a plan decided. Without options: a summary.\n"
    "\n"
    "      --launches       every launch with its arguments\n"
    "      --arena          the arena over time, as characters: downwards addresses, to the right launches\n"
    "      --program NAME   show launches, arena and picture of this program (default: all; the picture: decode)\n"
    "      --json           everything, as JSON\n"
    "      --svg FILE       a picture of the schedule and the arena over time (-: standard output)\n"
    "  -h, --help\n"
    "\n"
    "Exit status: 0 shown, 1 failed, 2 the command line is wrong.\n";

struct request {
	bool launches, arena, json;
	const char *program, *svg, *plan;
};

static uint32_t terminal_columns(void)
{
	struct winsize size;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 100;
}

static bool selected(const struct request *request, const struct greta_plan *plan, size_t program)
{
	return !request->program || !strcmp(request->program, greta_plan_string(plan, plan->programs[program].name));
}

static enum greta_status draw_to(const struct greta_plan *plan, uint32_t program, FILE *file, const char *path,
				 struct greta_error *error)
{
	if (!file)
		return greta_fail(error, GRETA_ERROR_IO, "cannot write %s: %s", path, strerror(errno));
	greta_show_svg(plan, program, file);
	bool failed = fflush(file) != 0 || ferror(file);
	int reason = errno;
	if (file != stdout && fclose(file) != 0 && !failed) {
		failed = true;
		reason = errno;
	}
	return failed ? greta_fail(error, GRETA_ERROR_IO, "cannot write %s: %s", path, strerror(reason)) : GRETA_OK;
}

/* A pipe or a device takes the picture as it is drawn; a file appears whole or not at all. */
static bool is_in_place(const char *path)
{
	struct stat there;
	return stat(path, &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode);
}

static enum greta_status draw(const struct greta_plan *plan, const char *name, uint32_t program, const char *path,
			      struct greta_error *error)
{
	struct greta_new_file new;
	if (greta_same_file(name, path))
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "%s is the plan: the picture would replace it", path);
	if (!strcmp(path, "-"))
		return draw_to(plan, program, stdout, "standard output", error);
	if (is_in_place(path))
		return draw_to(plan, program, fopen(path, "we"), path, error);
	enum greta_status status = greta_new_file_init(&new, path, error);
	if (status != GRETA_OK)
		return status;
	status = draw_to(plan, program, greta_new_file_stream(&new), path, error);
	if (status == GRETA_OK)
		status = greta_new_file_commit(&new, error);
	greta_new_file_finish(&new);
	return status;
}

/* The text that was asked for. False, with errno, when it did not arrive. */
static bool print(const struct greta_plan *plan, const struct request *request, size_t first)
{
	uint32_t columns = terminal_columns();
	greta_show_summary(plan, request->plan, stdout);
	for (size_t p = first; p < plan->program_count; p++) {
		if (request->launches && selected(request, plan, p))
			greta_show_launches(plan, &plan->programs[p], stdout);
		if (request->arena && selected(request, plan, p))
			greta_show_arena(plan, (uint32_t)p, columns, stdout);
	}
	return fflush(stdout) == 0 && !ferror(stdout);
}

static int show(const struct greta_plan *plan, const struct request *request)
{
	size_t first = 0;
	while (first < plan->program_count && !selected(request, plan, first))
		first++;
	if (first == plan->program_count) {
		fprintf(stderr, "greta-plan show: the plan has no program %s\n", request->program);
		return 2;
	}
	if (request->json && !greta_show_json(plan, request->plan, stdout)) {
		fprintf(stderr, "greta-plan show: cannot write JSON: %s\n",
			ferror(stdout) ? strerror(errno) : "out of memory");
		return 1;
	}
	bool alone = request->json || (request->svg && !request->launches && !request->arena);
	if (!alone && !print(plan, request, first)) {
		fprintf(stderr, "greta-plan show: cannot write: %s\n", strerror(errno));
		return 1;
	}
	struct greta_error error;
	if (!request->svg || draw(plan, request->plan, (uint32_t)first, request->svg, &error) == GRETA_OK)
		return 0;
	return greta_command_failed("greta-plan show", &error);
}

int greta_plan_command_show(int argc, char **argv)
{
	struct request request = {0};
	const struct greta_option options[] = {
	    {0, "launches", .flag = &request.launches}, {0, "arena", .flag = &request.arena},
	    {0, "program", .text = &request.program},   {0, "json", .flag = &request.json},
	    {0, "svg", .text = &request.svg},           {0},
	};
	const struct greta_command_line line = {
	    .tool = "greta-plan show", .help = USAGE, .options = options, .operands = "one plan", .least = 1, .most = 1};
	char **operands;
	struct greta_plan plan;
	struct greta_error error = {0};
	int code = greta_command_line_read(&line, argc, argv, &operands);
	if (code >= 0)
		return code;
	request.plan = operands[0];
	if (request.svg && !strcmp(request.svg, "-") && (request.json || request.launches || request.arena))
		return greta_command_line_wrong(&line,
						"--svg - and what else is asked for would both go to standard output");
	if (greta_plan_open(request.plan, &plan, &error) != GRETA_OK)
		return greta_command_failed(line.tool, &error);
	code = show(&plan, &request);
	greta_plan_close(&plan);
	return code;
}
