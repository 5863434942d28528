/* greta-bench: the command line. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/version.h"

static const char HELP[] =
    "usage: greta-bench MODEL [options]\n"
    "\n"
    "Measures prefill and decode of a GGUF model, eager and as a graph, unfused and fused.\n"
    "\n"
    "  -p, --prompt N         tokens of the prompt that prefill is measured with (512; 0: no prefill)\n"
    "  -n, --generate N       tokens that decode is measured with, behind one token (128; 0: no decode)\n"
    "  -r, --runs N           runs; configurations take turns in each (5)\n"
    "      --modes LIST       of eager,graph (both)\n"
    "      --fuse LIST        of none,full (both)\n"
    "  -o, --output FORMAT    md, csv or json (md)\n"
    "  -t, --threads N        workers (one for each processor this process may use)\n"
    "      --provider NAME    auto, amd, nvidia, cpu (auto: a GPU that this build has kernels for, else the cpu)\n"
    "      --kernels FORM     auto, amx, avx512, avx2, portable, ref (auto)\n"
    "      --activations X    x32, x24, x16, x8 (x32)\n"
    "      --kv TYPE          f16 or f32 (f16)\n"
    "      --ctx N            positions (what the prompt and the tokens need)\n"
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

static bool parse_prefill(const char *list, unsigned out[GRETA_PREFILL_MAX])
{
	size_t count = 0;
	char copy[256];
	size_t length = strlen(list);
	if (length >= sizeof(copy))
		return false;
	memcpy(copy, list, length + 1);
	for (char *rest = copy, *part; (part = strsep(&rest, ",")) != NULL; count++)
		if (count == GRETA_PREFILL_MAX || !parse_number(part, 1, 1u << 20, &out[count]) ||
		    (count && out[count] <= out[count - 1]))
			return false;
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

static bool known_format(const char *name)
{
	return strcmp(name, "md") == 0 || strcmp(name, "csv") == 0 || strcmp(name, "json") == 0;
}

/* Returns -1 when the command line is good, else the exit status. */
static int parse(int argc, char **argv, struct bench_request *request, const char **format)
{
	enum { MODES = 256, FUSE, PROVIDER, KERNELS, ACTIVATIONS, KV, CTX, PREFILL, VERSION };
	static const struct option options[] = {
	    {"prompt", 1, NULL, 'p'},        {"generate", 1, NULL, 'n'}, {"runs", 1, NULL, 'r'},
	    {"modes", 1, NULL, MODES},       {"fuse", 1, NULL, FUSE},    {"output", 1, NULL, 'o'},
	    {"threads", 1, NULL, 't'},       {"provider", 1, NULL, PROVIDER}, {"kernels", 1, NULL, KERNELS},
	    {"activations", 1, NULL, ACTIVATIONS}, {"kv", 1, NULL, KV},  {"ctx", 1, NULL, CTX},
	    {"prefill", 1, NULL, PREFILL},   {"help", 0, NULL, 'h'},     {"version", 0, NULL, VERSION}, {NULL, 0, NULL, 0},
	};
	static const char *const modes[2] = {"graph", "eager"}, *const fuses[2] = {"none", "full"};
	for (int c; (c = getopt_long(argc, argv, "p:n:r:o:t:h", options, NULL)) != -1;) {
		bool good = true;
		switch (c) {
		case 'p': good = parse_number(optarg, 0, 1u << 20, &request->prompt); break;
		case 'n': good = parse_number(optarg, 0, 1u << 20, &request->generate); break;
		case 'r': good = parse_number(optarg, 1, BENCH_RUNS_MAX, &request->runs); break;
		case 't': good = parse_number(optarg, 1, 1024, &request->options.threads); break;
		case 'o': good = known_format(*format = optarg); break;
		case MODES: good = parse_choices(optarg, modes, request->eager); break;
		case FUSE: good = parse_choices(optarg, fuses, request->fuse); break;
		case PROVIDER: request->options.provider = optarg; break;
		case KERNELS: request->options.kernels = optarg; break;
		case ACTIVATIONS: good = parse_activations(optarg, &request->options.activations); break;
		case KV:
			good = strcmp(optarg, "f16") == 0 || strcmp(optarg, "f32") == 0;
			request->options.kv = strcmp(optarg, "f32") == 0 ? GRETA_OPEN_KV_F32 : GRETA_OPEN_KV_F16;
			break;
		case CTX: good = parse_number(optarg, 1, 1u << 30, &request->options.context); break;
		case PREFILL: good = parse_prefill(optarg, request->options.prefill); break;
		case 'h': fputs(HELP, stdout); return 0;
		case VERSION: puts("greta-bench " GRETA_BUILD); return 0;
		default: return 2;
		}
		if (!good)
			return usage("not a value that this option takes", optarg);
	}
	if (optind + 1 != argc)
		return usage(optind < argc ? "one model, please, not also" : "which model?",
		             optind < argc ? argv[optind + 1] : NULL);
	request->model = argv[optind];
	if (!request->prompt && !request->generate)
		return usage("nothing to measure with -p 0 -n 0", NULL);
	return -1;
}

int main(int argc, char **argv)
{
	struct bench_request request = {.prompt = 512, .generate = 128, .runs = 5, .eager = {true, true}, .fuse = {true, true}};
	const char *format = "md";
	int status = parse(argc, argv, &request, &format);
	if (status >= 0)
		return status;
	if (!request.options.context) {
		unsigned decode = request.generate ? request.generate + 1 : 0;
		request.options.context = request.prompt > decode ? request.prompt : decode;
	}

	struct bench_result result;
	struct greta_error error;
	status = 0;
	if (bench_run(&request, &result, &error)) {
		fprintf(stderr, "greta-bench: %s\n", error.message);
		status = 1;
	} else {
		bench_report(&result, format, stdout);
	}
	bench_finish(&result);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "greta-bench: cannot write the report: %s\n", strerror(errno));
		status = 1;
	}
	return status;
}
