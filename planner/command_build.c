#include "planner/commands.h"
#include "models/new_file.h"
#include "planner/planner.h"
#include "planner/target.h"
#include "kernels/abi.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFILL_MAX 16

static const char USAGE[] =
    "usage: greta-plan build MODEL [OPTION]...\n"
    "\n"
    "Plans a GGUF model: writes its launches, and where everything lies in memory, into one file.\n"
    "\n"
    "  -o, --output PLAN        where to (default: MODEL's name with .plan, in this folder)\n"
    "      --target NAME        device to plan for (default: cpu; greta-plan targets lists them)\n"
    "      --ctx N              tokens that the context holds (default: the model's, at most 4096)\n"
    "      --prefill N,N,...    prompt chunks to make programs for (default: 32,128,512; \"\": none)\n"
    "      --kv f16|f32         numbers of the KV cache (default: f16)\n"
    "      --fuse none|full     one kernel per operation, or as few as possible (default: full)\n"
    "      --activations x32|x24|x16|x8   bits of the activations in products (default: x32)\n"
    "      --keep-all           no value is written over before the step ends: for looking at values\n"
    "      --stamps none|blocks|launches  write time stamps after each logic block or launch (default: none)\n"
    "      --threads N          that read the weights (default: one per processor)\n"
    "  -h, --help\n";

struct request {
	struct greta_plan_options options;
	uint32_t prefill[PREFILL_MAX];
	const char *model, *output;
};

static int wrong(const char *option, const char *value, const char *wanted)
{
	fprintf(stderr, "greta-plan build: --%s %s: %s\n", option, value, wanted);
	return 2;
}

static bool parse_count(const char *text, uint32_t *out)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (end == text || *end || errno || value == 0 || value > INT_MAX || text[0] == '-')
		return false;
	*out = (uint32_t)value;
	return true;
}

/* Which of `count` words the text is; -1 for none. */
static int parse_word(const char *text, const char *const *words, int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(text, words[i]))
			return i;
	return -1;
}

static bool parse_prefill(char *text, struct request *request)
{
	request->options.prefill = request->prefill;
	request->options.prefill_count = 0;
	if (!*text)
		return true;
	for (char *next = text; next;) {
		char *item = strsep(&next, ",");
		if (request->options.prefill_count == PREFILL_MAX ||
		    !parse_count(item, &request->prefill[request->options.prefill_count++]))
			return false;
	}
	return true;
}

/* Returns 0, or the exit code plus one. */
static int parse(int argc, char **argv, struct request *request)
{
	enum { TARGET = 256, CTX, PREFILL, KV, FUSE, ACTIVATIONS, KEEP_ALL, STAMPS, THREADS };
	static const struct option options[] = {
	    {"output", required_argument, NULL, 'o'},         {"target", required_argument, NULL, TARGET},
	    {"ctx", required_argument, NULL, CTX},            {"prefill", required_argument, NULL, PREFILL},
	    {"kv", required_argument, NULL, KV},              {"fuse", required_argument, NULL, FUSE},
	    {"activations", required_argument, NULL, ACTIVATIONS}, {"threads", required_argument, NULL, THREADS},
	    {"keep-all", no_argument, NULL, KEEP_ALL},        {"stamps", required_argument, NULL, STAMPS},
	    {"help", no_argument, NULL, 'h'},                 {NULL, 0, NULL, 0},
	};
	static const char *const caches[] = {"f16", "f32"}, *const fuses[] = {"none", "full"},
			  *const widths[] = {"x8", "x16", "x24", "x32"}, *const stamps[] = {"none", "blocks", "launches"};
	int option, word;
	while ((option = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (option) {
		case 'o': request->output = optarg; break;
		case TARGET: request->options.target = optarg; break;
		case CTX:
			if (!parse_count(optarg, &request->options.context))
				return 1 + wrong("ctx", optarg, "a number of tokens");
			break;
		case PREFILL: {
			char *list = strdup(optarg);
			bool parsed = list && parse_prefill(list, request);
			free(list);
			if (!parsed)
				return 1 + wrong("prefill", optarg, "up to 16 numbers of tokens, with commas between");
			break;
		}
		case KV:
			if ((word = parse_word(optarg, caches, 2)) < 0)
				return 1 + wrong("kv", optarg, "f16 or f32");
			request->options.kv_type = (uint32_t)word;
			break;
		case FUSE:
			if ((word = parse_word(optarg, fuses, 2)) < 0)
				return 1 + wrong("fuse", optarg, "none or full");
			request->options.fuse = (uint32_t)word;
			break;
		case ACTIVATIONS:
			if ((word = parse_word(optarg, widths, 4)) < 0)
				return 1 + wrong("activations", optarg, "x32, x24, x16 or x8");
			request->options.activations = (uint32_t)word + 1;
			break;
		case KEEP_ALL: request->options.keep_all = true; break;
		case STAMPS:
			if ((word = parse_word(optarg, stamps, 3)) < 0)
				return 1 + wrong("stamps", optarg, "none, blocks or launches");
			request->options.stamps = (uint32_t)word;
			break;
		case THREADS:
			if (!parse_count(optarg, &request->options.threads))
				return 1 + wrong("threads", optarg, "a number of threads");
			break;
		case 'h': fputs(USAGE, stdout); return 1 + 0;
		default: fputs("greta-plan build --help says more\n", stderr); return 1 + 2;
		}
	}
	if (optind + 1 != argc) {
		fputs("greta-plan build: it takes one model; --help says more\n", stderr);
		return 1 + 2;
	}
	request->model = argv[optind];
	return 0;
}

/* One line that is written over, for people who wait. */
static void show_progress(void *user, uint64_t done, uint64_t total)
{
	int *last = user, percent = total ? (int)(done * 100 / total) : 100;
	if (percent == *last)
		return;
	*last = percent;
	fprintf(stderr, "\rreading scales: %3d%%%s", percent, percent == 100 ? "\r                     \r" : "");
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
	int percent = -1;
	struct request request = {.options = GRETA_PLAN_OPTIONS_DEFAULT};
	int code = parse(argc, argv, &request);
	if (code)
		return code - 1;
	if (isatty(STDERR_FILENO)) {
		request.options.progress = show_progress;
		request.options.user = &percent;
	}
	char *made = request.output ? NULL : default_output(request.model);
	const char *output = request.output ? request.output : made;
	struct greta_error error = {0};
	enum greta_status status = output ? build(&request, output, &error)
					  : greta_fail(&error, GRETA_ERROR_MEMORY, "out of memory");
	if (status == GRETA_OK)
		printf("%s\n", output);
	else
		fprintf(stderr, "greta-plan: %s\n", error.message);
	free(made);
	return status == GRETA_OK ? 0 : status == GRETA_ERROR_ARGUMENT ? 2 : 1;
}

int greta_plan_command_targets(int argc, char **argv)
{
	(void)argv;
	if (argc != 1) {
		fputs("usage: greta-plan targets\n", stderr);
		return 2;
	}
	const struct greta_target *target;
	for (size_t i = 0; (target = greta_target_at(i)); i++)
		printf("%-10s %s\n", target->name, target->description);
	return 0;
}
