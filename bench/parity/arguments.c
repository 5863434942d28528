#include "bench/parity/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"greta-parity MODEL [options]: runs one text through several plans and compares every value\n"
	"\n"
	"Without options: the cpu kernels that this machine runs, as greta-exec plans them and in three other ways, against\n"
	"the definition (cpu:ref). After every step the values behind each norm, product, rotation, attention and layer, the\n"
	"new rows of the KV cache and the logits are compared.\n"
	"\n"
	"Sides that differ in nothing but how they compute owe each other the same bits: the answer is equal or not, with\n"
	"the first tensor, position and step that differ, both values, and the launch that wrote it; fused kernels are\n"
	"planned again, one an operation, to find it. Sides that differ in activations or KV cache, and the oracle, are\n"
	"compared by error, against a stated tolerance.\n"
	"\n"
	"Sides\n"
	"  -a, --a SIDE          what the others are compared with (default: cpu:ref,fuse=none,eager,decode)\n"
	"  -b, --b SIDE          compared with it; up to 15 times\n"
	"      --target NAME     a side, by target or provider; the first of two is A\n"
	"      --against ref|oracle   A: the definition, or the whole model in fp64\n"
	"A SIDE is WHO[:KERNELS][,WORD]...:\n"
	"  WHO                   cpu, amd, nvidia, auto; gfx942, sm_90, ... (who runs that target); ref (cpu:ref); oracle\n"
	"  KERNELS               of the cpu: amx, avx512, avx2, portable, ref\n"
	"  fuse=full|none        launches as few as possible (default), or one an operation\n"
	"  graph|eager           graphs replayed (default), or kernels launched one by one\n"
	"  mixed|decode|chunk=N  how the text is taken: the first half in steps of 32, the rest token by token (default);\n"
	"                        token by token; in steps of N\n"
	"  x32|x24|x16|x8        bits of the activations in products (default: x32)\n"
	"  kv=f16|f32            KV cache (default: f16)\n"
	"  plain                 the very plan that greta-exec runs: only caches and logits can be seen\n"
	"Settings for the sides that do not name them\n"
	"      --fuse full|none, --eager, --chunk N (1: decode), --activations x32|x24|x16|x8, --kv f16|f32\n"
	"      --threads N       of the cpu, for all sides (default: all processors)\n"
	"Text\n"
	"  -f, --file FILE       the text (default: a built-in one)\n"
	"  -p, --prompt TEXT     likewise\n"
	"  -n, --tokens N        at most N tokens of it (default: 80)\n"
	"  -c, --ctx N           positions of the context (default: as many as tokens)\n"
	"Judging\n"
	"      --runs N          take every step N times: repetitions must give the same bits (default: 1)\n"
	"      --tolerance X     the largest error relative to a row's root mean square (default: by the settings)\n"
	"      --top-k N         how many likeliest tokens are compared (default: 10)\n"
	"Output\n"
	"      --layers          a line for each layer\n"
	"      --json            one JSON object\n"
	"  -h, --help            this text\n"
	"      --version         the version\n"
	"\n"
	"Exit code: 0 equal, or within the tolerance; 1 not so, or something failed; 2 the command line is wrong.\n";

enum option_code {
	OPT_TARGET = 256, OPT_AGAINST, OPT_FUSE, OPT_EAGER, OPT_CHUNK, OPT_ACTIVATIONS, OPT_KV, OPT_THREADS, OPT_RUNS,
	OPT_TOLERANCE, OPT_TOP_K, OPT_LAYERS, OPT_JSON, OPT_VERSION,
};

static const struct option long_options[] = {
	{"a", required_argument, NULL, 'a'},
	{"b", required_argument, NULL, 'b'},
	{"target", required_argument, NULL, OPT_TARGET},
	{"against", required_argument, NULL, OPT_AGAINST},
	{"fuse", required_argument, NULL, OPT_FUSE},
	{"eager", no_argument, NULL, OPT_EAGER},
	{"chunk", required_argument, NULL, OPT_CHUNK},
	{"activations", required_argument, NULL, OPT_ACTIVATIONS},
	{"kv", required_argument, NULL, OPT_KV},
	{"threads", required_argument, NULL, OPT_THREADS},
	{"file", required_argument, NULL, 'f'},
	{"prompt", required_argument, NULL, 'p'},
	{"tokens", required_argument, NULL, 'n'},
	{"ctx", required_argument, NULL, 'c'},
	{"runs", required_argument, NULL, OPT_RUNS},
	{"tolerance", required_argument, NULL, OPT_TOLERANCE},
	{"top-k", required_argument, NULL, OPT_TOP_K},
	{"layers", no_argument, NULL, OPT_LAYERS},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

/* What the command line says of sides; the settings hold for all, wherever they stand. */
struct sides {
	const char *a;
	const char *b[GRETA_PARITY_SIDES_MAX];
	size_t count;                 /* of b */
	size_t targets;
	struct greta_parity_setup settings;
};

__attribute__((format(printf, 1, 2))) static bool wrong(const char *format, ...)
{
	va_list list;
	fputs("greta-parity: ", stderr);
	va_start(list, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is one line up */
	vfprintf(stderr, format, list);
	va_end(list);
	fputc('\n', stderr);
	return false;
}

static bool number(const char *option, const char *text, size_t min, size_t max, size_t *out)
{
	char *end;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || n < min || n > max)
		return wrong("%s takes a number from %zu to %zu, not \"%s\"", option, min, max, text);
	*out = (size_t)n;
	return true;
}

static bool set_a(struct sides *sides, const char *text)
{
	if (sides->a)
		return wrong("two sides are A: %s and %s", sides->a, text);
	sides->a = text;
	return true;
}

static bool add_b(struct sides *sides, const char *text)
{
	if (sides->count == GRETA_PARITY_SIDES_MAX - 1)
		return wrong("more than %d sides", GRETA_PARITY_SIDES_MAX);
	sides->b[sides->count++] = text;
	return true;
}

/* The first of two targets is A. */
static bool add_target(struct sides *sides, const char *text)
{
	if (sides->targets++ == 1 && sides->count && !sides->a) {
		sides->a = sides->b[sides->count - 1];
		sides->b[sides->count - 1] = text;
		return true;
	}
	return add_b(sides, text);
}

/* A setting is a word of a side. */
static bool set(struct sides *sides, const char *prefix, const char *value)
{
	struct greta_error error;
	char text[64];
	snprintf(text, sizeof(text), "cpu,%s%s", prefix, value);
	struct greta_parity_setup made = sides->settings;
	if (strchr(value, ',') || greta_parity_setup_read(&made, text, &error) != GRETA_OK)
		return wrong("a setting of \"%s\" is not understood: --help lists what there is", value);
	memcpy(made.provider, sides->settings.provider, sizeof(made.provider));
	sides->settings = made;
	return true;
}

static bool option(int code, struct greta_parity_arguments *a, struct sides *sides)
{
	size_t n = 0;
	bool good = true;
	switch (code) {
	case 'a': return set_a(sides, optarg);
	case 'b': return add_b(sides, optarg);
	case OPT_TARGET: return add_target(sides, optarg);
	case OPT_AGAINST:
		if (strcmp(optarg, "ref") != 0 && strcmp(optarg, "oracle") != 0)
			return wrong("--against takes ref or oracle, not \"%s\"", optarg);
		return set_a(sides, optarg[0] == 'o' ? "oracle" : "ref,fuse=none,eager,decode");
	case OPT_FUSE: return set(sides, "fuse=", optarg);
	case OPT_EAGER: return set(sides, "", "eager");
	case OPT_CHUNK: return set(sides, "chunk=", optarg);
	case OPT_ACTIVATIONS: return set(sides, "", optarg);
	case OPT_KV: return set(sides, "kv=", optarg);
	case OPT_THREADS: return set(sides, "threads=", optarg);
	case 'f': a->file = optarg; return true;
	case 'p': a->prompt = optarg; return true;
	case 'n': return number("-n", optarg, 1, 1u << 24, &a->tokens);
	case 'c':
		good = number("-c", optarg, 1, 1u << 24, &n);
		a->context = (uint32_t)n;
		return good;
	case OPT_RUNS:
		good = number("--runs", optarg, 1, 1000000, &n);
		a->runs = (unsigned)n;
		return good;
	case OPT_TOP_K:
		good = number("--top-k", optarg, 1, 10000, &n);
		a->top_k = (uint32_t)n;
		return good;
	case OPT_TOLERANCE: {
		char *end;
		a->tolerance = strtod(optarg, &end);
		return (*optarg && !*end && a->tolerance > 0 && isfinite(a->tolerance)) ||
		       wrong("--tolerance takes a number above 0, not \"%s\"", optarg);
	}
	case OPT_LAYERS: return a->each_layer = true;
	case OPT_JSON: return a->json = true;
	default: return false;
	}
}

static bool read_side(struct greta_parity_arguments *a, const struct sides *sides, const char *text)
{
	struct greta_error error;
	struct greta_parity_setup setup = sides->settings;
	if (greta_parity_setup_read(&setup, text, &error) != GRETA_OK)
		return wrong("%s", error.message);
	a->setups[a->sides++] = setup;
	return true;
}

/* What is compared when nothing is said. A setting stays in force, but for what makes the ways different. */
static bool read_sides(struct greta_parity_arguments *a, const struct sides *sides)
{
	static const char *const ways[] = {"cpu", "cpu,fuse=none,decode", "cpu,eager,chunk=32", "cpu,plain,mixed"};
	if (!read_side(a, sides, sides->a ? sides->a : "ref,fuse=none,eager,decode"))
		return false;
	for (size_t b = 0; b < sides->count; b++)
		if (!read_side(a, sides, sides->b[b]))
			return false;
	for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]) && !sides->count && a->sides < (sides->a ? 2 : 9); w++)
		if (!read_side(a, sides, ways[w]))
			return false;
	return true;
}

int greta_parity_arguments_read(int argc, char **argv, struct greta_parity_arguments *out)
{
	struct greta_parity_arguments a = {.tokens = 80, .runs = 1, .top_k = 10};
	struct sides sides = {.settings = greta_parity_setup_default()};
	for (int c; (c = getopt_long(argc, argv, "a:b:f:p:n:c:h", long_options, NULL)) != -1;) {
		if (c == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (c == OPT_VERSION) {
			puts("greta-parity " GRETA_VERSION);
			return 0;
		}
		if (!option(c, &a, &sides))
			return 2;
	}
	if (optind + 1 != argc) {
		wrong("one MODEL is needed; --help says more");
		return 2;
	}
	if (a.file && a.prompt) {
		wrong("the text is either in a file (-f) or here (-p)");
		return 2;
	}
	a.model = argv[optind];
	if (!read_sides(&a, &sides))
		return 2;
	*out = a;
	return -1;
}
