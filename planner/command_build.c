#include "planner/commands.h"
#include "models/command_line.h"
#include "models/new_file.h"
#include "models/terminal.h"
#include "planner/planner.h"
#include "kernels/abi.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFILL_MAX 8 /* as of GRETA_PREFILL_MAX (runtime/greta.h) */

static const char USAGE[] =
    "usage: greta-plan build MODEL [OPTION]...\n"
    "\n"
    "Plans a GGUF model: writes its launches, and where everything lies in memory, into one file.\n"
    "\n"
    "  -o, --output PLAN        where to (default: MODEL's name with .plan, in this folder)\n"
    "      --target NAME        device to plan for (default: cpu; greta-plan targets lists them)\n"
    "      --ctx N              tokens that the context holds (default: the model's, at most 4096)\n"
    "      --prefill LIST       prompt chunks to make programs for (default: 32,128,512; \"\": none)\n"
    "      --kv f16|f32         numbers of the KV cache (default: f16)\n"
    "      --fuse none|full     one kernel per operation, or as few as possible (default: full)\n"
    "      --activations x32|x24|x16|x8   bits of the activations in products (default: x32)\n"
    "      --keep-all           no value is written over before the step ends: for looking at values\n"
    "      --stamps none|blocks|launches  write time stamps after each logic block or launch (default: none)\n"
    "      --threads N          that read the weights (default: one per processor)\n"
    "  -h, --help\n"
    "\n"
    "Exit status: 0 written, 1 failed, 2 the command line is wrong.\n";

struct request {
	struct greta_plan_options options;
	uint32_t prefill[PREFILL_MAX];
	const char *model, *output;
};

/* Returns -1, or the exit status. */
static int parse(int argc, char **argv, struct request *request)
{
	static const struct greta_word kv[] = {{"f16", GRETA_KV_F16}, {"f32", GRETA_KV_F32}, {0}};
	static const struct greta_word fuse[] = {{"none", GRETA_FUSE_NONE}, {"full", GRETA_FUSE_FULL}, {0}};
	static const struct greta_word stamps[] = {{"none", GRETA_PLAN_STAMPS_NONE}, {"blocks", GRETA_PLAN_STAMPS_BLOCKS},
						   {"launches", GRETA_PLAN_STAMPS_LAUNCHES}, {0}};
	struct greta_plan_options *options = &request->options;
	bool listed = false;
	const struct greta_option table[] = {
	    {'o', "output", .text = &request->output},
	    {0, "target", .text = &options->target},
	    {0, "ctx", .number = &options->context, .least = 1, .most = INT_MAX},
	    {0, "prefill", .list = request->prefill, .room = PREFILL_MAX, .least = 2, .most = 65536, .empty = true,
	     .count = &options->prefill_count, .given = &listed},
	    {0, "kv", .word = &options->kv_type, .words = kv},
	    {0, "fuse", .word = &options->fuse, .words = fuse},
	    {0, "activations", .word = &options->activations, .words = GRETA_ACTIVATION_WORDS},
	    {0, "keep-all", .flag = &options->keep_all},
	    {0, "stamps", .word = &options->stamps, .words = stamps},
	    {0, "threads", .number = &options->threads, .least = 1, .most = 1024},
	    {0},
	};
	const struct greta_command_line line = {
	    .tool = "greta-plan build", .help = USAGE, .options = table, .operands = "one model", .least = 1, .most = 1};
	char **operands;
	int status = greta_command_line_read(&line, argc, argv, &operands);
	if (status >= 0)
		return status;
	if (listed)
		options->prefill = request->prefill;
	request->model = operands[0];
	return -1;
}

static void show_progress(void *user, uint64_t done, uint64_t total)
{
	greta_terminal_progress(user, "reading scales", done, total);
}

/* MODEL's last part, with .plan in the place of .gguf; the caller's to free. */
static char *default_output(const char *model)
{
	const char *name = strrchr(model, '/') ? strrchr(model, '/') + 1 : model;
	size_t length = strlen(name);
	if (length > 5 && !strcmp(name + length - 5, ".gguf"))
		length -= 5;
	char *output;
	return asprintf(&output, "%.*s.plan", (int)length, name) < 0 ? NULL : output;
}

/* Strings of a plan hold none. */
static void warn_of_path(const char *model)
{
	char absolute[PATH_MAX];
	const char *path = realpath(model, absolute) ? absolute : model;
	while (*path && (unsigned char)*path >= 32 && *path != 127)
		path++;
	if (*path)
		greta_command_warn("greta-plan build", "the model's path has control characters, which the plan cannot hold: "
						       "who uses the plan must name the model (greta-exec -m)");
}

static enum greta_status build(const struct request *request, const char *output, struct greta_error *error)
{
	struct greta_gguf *gguf;
	if (greta_same_file(request->model, output))
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "%s is the model: the plan would replace it", output);
	enum greta_status status = greta_gguf_open(request->model, &gguf, error);
	if (status != GRETA_OK)
		return status;
	struct greta_llama model;
	struct greta_plan_image image;
	status = greta_llama_init(&model, gguf, error);
	if (status == GRETA_OK) {
		status = greta_plan_build(&model, &request->options, &image, error);
		greta_llama_finish(&model);
	}
	if (status == GRETA_OK) {
		status = greta_plan_write(output, &image, error);
		greta_plan_image_finish(&image);
	}
	greta_gguf_close(gguf);
	return status;
}

int greta_plan_command_build(int argc, char **argv)
{
	struct request request = {.options = GRETA_PLAN_OPTIONS_DEFAULT};
	int code = parse(argc, argv, &request);
	if (code >= 0)
		return code;
	request.options.progress = show_progress;
	char *made = request.output ? NULL : default_output(request.model);
	const char *output = request.output ? request.output : made;
	struct greta_error error = {0};
	enum greta_status status = output ? build(&request, output, &error)
					  : greta_fail(&error, GRETA_ERROR_MEMORY, "out of memory");
	if (status == GRETA_OK) {
		warn_of_path(request.model);
		printf("%s\n", output);
	}
	code = status == GRETA_OK ? 0 : greta_command_failed("greta-plan build", &error);
	free(made);
	return code;
}
