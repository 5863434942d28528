#include "bench/stability/arguments.h"
#include "models/new_file.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"greta-stability MODEL [options]: how the settings of the numbers drift from the fp64 model, by position\n"
	"\n"
	"Runs a text through the model with each of x32, x24, x16 and x8 activations, each with an F32 and an F16 KV cache,\n"
	"and compares the logits behind every token with those of the whole model in fp64: errors, KL divergence, top-1 and\n"
	"top-k, by position up to the context's end, and perplexity as llama-perplexity measures it. The table goes to\n"
	"standard output.\n"
	"\n"
	"Text\n"
	"  -f, --file FILE       the text (default: a built-in one of a few lines)\n"
	"  -c, --ctx N           tokens of a piece: the text is cut into pieces that begin anew, a rest is left out. Default:\n"
	"                        the model's context, or as much of it as the text has and as the fp64 model takes about a\n"
	"                        minute for\n"
	"      --pieces N        at most N pieces (default: as many as the text has, up to about a minute of the fp64 model)\n"
	"Comparison\n"
	"      --buckets N       ranges of positions (default: 16)\n"
	"      --top-k N         how many likeliest tokens are compared (default: 5)\n"
	"Who computes\n"
	"      --provider NAME   cpu (default), amd, nvidia, auto\n"
	"      --kernels FORM    of the cpu: auto (default), amx, avx512, avx2, portable, ref\n"
	"  -t, --threads N       of the cpu and of the fp64 model (default: all processors)\n"
	"Output\n"
	"      --markdown FILE   all tables, by position too\n"
	"      --html FILE       one page with charts, which loads nothing\n"
	"      --json FILE       all numbers\n"
	"  -h, --help            this text\n"
	"      --version         the version\n"
	"\n"
	"Exit code: 0 every setting ran to the end; 1 numbers stopped being finite in one, or something failed; 2 the command\n"
	"line is wrong.\n";

enum option_code {
	OPT_PIECES = 256, OPT_BUCKETS, OPT_TOP_K, OPT_PROVIDER, OPT_KERNELS, OPT_MARKDOWN, OPT_HTML, OPT_JSON, OPT_VERSION,
};

static const struct option long_options[] = {
	{"file", required_argument, NULL, 'f'},
	{"ctx", required_argument, NULL, 'c'},
	{"pieces", required_argument, NULL, OPT_PIECES},
	{"buckets", required_argument, NULL, OPT_BUCKETS},
	{"top-k", required_argument, NULL, OPT_TOP_K},
	{"provider", required_argument, NULL, OPT_PROVIDER},
	{"kernels", required_argument, NULL, OPT_KERNELS},
	{"threads", required_argument, NULL, 't'},
	{"markdown", required_argument, NULL, OPT_MARKDOWN},
	{"html", required_argument, NULL, OPT_HTML},
	{"json", required_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static bool number(const char *option, const char *text, size_t min, size_t max, size_t *out)
{
	char *end;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || n < min || n > max) {
		fprintf(stderr, "greta-stability: %s takes a number from %zu to %zu, not \"%s\"\n", option, min, max, text);
		return false;
	}
	*out = (size_t)n;
	return true;
}

static bool option(int code, struct greta_stability_arguments *a)
{
	size_t n = 0;
	bool good = true;
	switch (code) {
	case 'f': a->file = optarg; break;
	case OPT_PROVIDER: a->provider = optarg; break;
	case OPT_KERNELS: a->kernels = optarg; break;
	case OPT_MARKDOWN: a->markdown = optarg; break;
	case OPT_HTML: a->html = optarg; break;
	case OPT_JSON: a->json = optarg; break;
	case OPT_PIECES: return number("--pieces", optarg, 1, 1u << 20, &a->pieces);
	case OPT_BUCKETS: return number("--buckets", optarg, 1, 1024, &a->buckets);
	case 'c':
		good = number("--ctx", optarg, 8, 1u << 20, &n);
		a->context = (uint32_t)n;
		break;
	case OPT_TOP_K:
		good = number("--top-k", optarg, 1, 1000, &n);
		a->top_k = (uint32_t)n;
		break;
	case 't':
		good = number("--threads", optarg, 1, 4096, &n);
		a->threads = (unsigned)n;
		break;
	default: return false;
	}
	return good;
}

/* Reports replace neither what is read nor each other. */
static bool outputs_apart(const struct greta_stability_arguments *a)
{
	const char *outputs[] = {a->markdown, a->html, a->json};
	for (int i = 0; i < 3; i++) {
		if (greta_same_file(outputs[i], a->model) || greta_same_file(outputs[i], a->file)) {
			fprintf(stderr, "greta-stability: %s is read: the report would replace it\n", outputs[i]);
			return false;
		}
		for (int k = 0; outputs[i] && k < i; k++)
			if (outputs[k] && (!strcmp(outputs[i], outputs[k]) || greta_same_file(outputs[i], outputs[k]))) {
				fprintf(stderr, "greta-stability: %s cannot be two reports\n", outputs[i]);
				return false;
			}
	}
	return true;
}

int greta_stability_arguments_read(int argc, char **argv, struct greta_stability_arguments *out)
{
	struct greta_stability_arguments a = {.provider = "cpu", .top_k = 5, .buckets = 16};
	for (int c; (c = getopt_long(argc, argv, "f:c:t:h", long_options, NULL)) != -1;) {
		if (c == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (c == OPT_VERSION) {
			puts("greta-stability " GRETA_VERSION);
			return 0;
		}
		if (!option(c, &a))
			return 2;
	}
	if (optind + 1 != argc) {
		fputs("greta-stability: one MODEL is needed; --help says more\n", stderr);
		return 2;
	}
	a.model = argv[optind];
	if (!outputs_apart(&a))
		return 2;
	*out = a;
	return -1;
}
