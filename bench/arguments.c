#include "bench/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/formats.h"
#include "bench/version.h"
#include "models/new_file.h"

static const char HELP[] =
    "usage: greta-bench MODEL [options]\n"
    "       greta-bench --node-cost [options]\n"
    "\n"
    "Measures prefill and decode of a GGUF model, eager and as a graph, unfused and fused, and what the device could "
    "do.\n"
    "\n"
    "  -p, --prompt N         tokens of the prompt that prefill is measured with (512; 0: no prefill)\n"
    "  -n, --generate N       decode steps that are measured (128; 0: no decode)\n"
    "  -d, --depth LIST       positions already in the KV cache when a test begins (0); ascending, as 0,512,2048\n"
    "  -r, --runs N           runs; configurations take turns in each (5)\n"
    "      --modes LIST       of eager,graph (both)\n"
    "      --fuse LIST        of none,full (both)\n"
    "      --spawns N         measure in N fresh processes and tell how far they differ\n"
    "      --blocks[=BY]      a decode step's time by logic block, too, and BY layers or launches: stamped on the device\n"
    "      --node-cost        chains of 1 to 1,000 empty launches, too: eager and as a graph, serial and forked\n"
    "  -o, --output FORMAT    md, csv, json or jsonl (md); fields as llama-bench names them, and more\n"
    "      --html FILE        a page with charts, too\n"
    "      --against FILE     compare with what llama-bench -o json (or jsonl), or greta-bench, wrote there\n"
    "  -t, --threads N        workers (one for each processor this process may use)\n"
    "      --provider NAME    auto, amd, nvidia, cpu (auto: a GPU that this build has kernels for, else the cpu)\n"
    "      --kernels FORM     auto, amx, avx512, avx2, portable, ref (auto)\n"
    "      --activations X    x32, x24, x16, x8 (x32)\n"
    "      --kv TYPE          f16 or f32 (f16)\n"
    "      --ctx N            positions (what the tests need)\n"
    "      --prefill LIST     chunk lengths to plan (the target's)\n"
    "  -h, --help             this text\n"
    "      --version          the build\n"
    "\n"
    "Exit status: 0 measured, 1 failed, 2 wrong usage.\n";

static int usage(const char *message, const char *what)
{
	fprintf(stderr, "greta-bench: %s%s%s (--help tells more)\n", message, what ? ": " : "", what ? what : "");
	return 2;
}

static bool parse_number(const char *text, unsigned low, unsigned high, unsigned *out)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || value < low || value > high)
		return false;
	*out = (unsigned)value;
	return true;
}

/* Marks in `on` which of two names stand in a comma-separated list; false when another one does, or none. */
static bool parse_choices(const char *list, const char *const names[2], bool on[2])
{
	on[0] = on[1] = false;
	while (*list) {
		size_t length = strcspn(list, ",");
		bool known = false;
		for (int i = 0; i < 2; i++)
			if (strlen(names[i]) == length && strncmp(list, names[i], length) == 0)
				on[i] = known = true;
		if (!known)
			return false;
		list += length + (list[length] == ',');
	}
	return on[0] || on[1];
}

/* Ascending numbers from `low` on, at most `room`. */
static bool parse_ascending(const char *list, unsigned low, size_t room, unsigned *out, size_t *out_count)
{
	size_t count = 0;
	char copy[256];
	size_t length = strlen(list);
	if (length >= sizeof(copy))
		return false;
	memcpy(copy, list, length + 1);
	for (char *rest = copy, *part; (part = strsep(&rest, ",")) != NULL; count++)
		if (count == room || !parse_number(part, low, 1u << 20, &out[count]) ||
		    (count && out[count] <= out[count - 1]))
			return false;
	*out_count = count;
	return true;
}

static bool parse_activations(const char *text, unsigned *out)
{
	static const char *const names[] = {"x8", "x16", "x24", "x32"};
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(text, names[i]) == 0) {
			*out = i + 1;
			return true;
		}
	return false;
}

/* NULL: the option has no value. */
static bool parse_blocks(const char *text, enum bench_blocks *out)
{
	*out = !text                             ? BENCH_BLOCKS_SUMMED
	       : strcmp(text, "layers") == 0   ? BENCH_BLOCKS_LAYERS
	       : strcmp(text, "launches") == 0 ? BENCH_BLOCKS_LAUNCHES
					       : BENCH_BLOCKS_NONE;
	return *out != BENCH_BLOCKS_NONE;
}

static bool parse_kv(const char *text, enum greta_choice_kv *out)
{
	*out = strcmp(text, "f32") == 0 ? GRETA_OPEN_KV_F32 : GRETA_OPEN_KV_F16;
	return *out == GRETA_OPEN_KV_F32 || strcmp(text, "f16") == 0;
}

enum { MODES = 256, FUSE, PROVIDER, KERNELS, ACTIVATIONS, KV, CTX, PREFILL, VERSION, SPAWNS, SPAWNED, NODE_COST, BLOCKS, HTML,
       AGAINST };

static const struct option OPTIONS[] = {
    {"prompt", 1, NULL, 'p'},
    {"generate", 1, NULL, 'n'},
    {"depth", 1, NULL, 'd'},
    {"runs", 1, NULL, 'r'},
    {"modes", 1, NULL, MODES},
    {"fuse", 1, NULL, FUSE},
    {"output", 1, NULL, 'o'},
    {"threads", 1, NULL, 't'},
    {"provider", 1, NULL, PROVIDER},
    {"kernels", 1, NULL, KERNELS},
    {"activations", 1, NULL, ACTIVATIONS},
    {"kv", 1, NULL, KV},
    {"ctx", 1, NULL, CTX},
    {"prefill", 1, NULL, PREFILL},
    {"spawns", 1, NULL, SPAWNS},
    {"spawned", 0, NULL, SPAWNED}, /* processes.h: not for people */
    {"node-cost", 0, NULL, NODE_COST}, {"blocks", 2, NULL, BLOCKS},
    {"html", 1, NULL, HTML},
    {"against", 1, NULL, AGAINST},
    {"help", 0, NULL, 'h'},
    {"version", 0, NULL, VERSION},
    {NULL, 0, NULL, 0},
};

/* One option; false for a value that it does not take. */
static bool take(int option, const char *value, struct bench_arguments *arguments)
{
	static const char *const modes[2] = {"graph", "eager"}, *const fuses[2] = {"none", "full"};
	struct bench_request *request = &arguments->request;
	size_t unused;
	switch (option) {
	case 'p': return parse_number(value, 0, 1u << 20, &request->prompt);
	case 'n': return parse_number(value, 0, 1u << 20, &request->generate);
	case 'd': return parse_ascending(value, 0, BENCH_DEPTHS_MAX, request->depths, &request->depth_count);
	case 'r': return parse_number(value, 1, BENCH_RUNS_MAX, &request->runs);
	case 't': return parse_number(value, 1, 1024, &request->options.threads);
	case 'o': return bench_format_known(arguments->format = value);
	case MODES: return parse_choices(value, modes, request->eager);
	case FUSE: return parse_choices(value, fuses, request->fuse);
	case PROVIDER: request->options.provider = value; return true;
	case KERNELS: request->options.kernels = value; return true;
	case ACTIVATIONS: return parse_activations(value, &request->options.activations);
	case KV: return parse_kv(value, &request->options.kv);
	case CTX: return parse_number(value, 1, 1u << 30, &request->options.context);
	case PREFILL: return parse_ascending(value, 1, GRETA_PREFILL_MAX, request->options.prefill, &unused);
	case SPAWNS: return parse_number(value, 1, BENCH_SPAWNS_MAX, &arguments->spawns);
	case SPAWNED: return arguments->spawned = true;
	case BLOCKS: return parse_blocks(value, &request->blocks);
	case NODE_COST: return request->node_cost = true;
	case HTML: arguments->html = value; return true;
	default: arguments->against = value; return true;
	}
}

int bench_arguments_parse(int argc, char **argv, struct bench_arguments *out_arguments)
{
	struct bench_arguments arguments = {.request = {.prompt = 512,
	                                                .generate = 128,
	                                                .depth_count = 1,
	                                                .runs = 5,
	                                                .eager = {true, true},
	                                                .fuse = {true, true}},
	                                    .format = "md"};
	struct bench_request *request = &arguments.request;
	for (int c; (c = getopt_long(argc, argv, "p:n:d:r:o:t:h", OPTIONS, NULL)) != -1;) {
		if (c == 'h') {
			fputs(HELP, stdout);
			return 0;
		}
		if (c == VERSION) {
			puts("greta-bench " GRETA_BUILD);
			return 0;
		}
		if (c == '?')
			return 2;
		if (!take(c, optarg, &arguments))
			return usage("not a value that this option takes", optarg);
	}
	if (optind + 1 < argc)
		return usage("one model, please, not also", argv[optind + 1]);
	if (optind == argc && !request->node_cost)
		return usage("which model?", NULL);
	request->model = argv[optind];
	if (!request->model && arguments.against)
		return usage("without a model there is nothing to compare with", arguments.against);
	if (request->model && !request->prompt && !request->generate)
		return usage("nothing to measure with -p 0 -n 0", NULL);
	if (greta_same_file(arguments.html, request->model) || greta_same_file(arguments.html, arguments.against))
		return usage("is read, and the page would replace it", arguments.html);
	request->picture = arguments.html && request->model;
	*out_arguments = arguments;
	return -1;
}
