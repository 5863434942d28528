#include "runtime/exec/arguments.h"
#include "models/new_file.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char help[] =
	"greta-exec MODEL-or-PLAN [options]: text from a model\n"
	"\n"
	"A GGUF model is planned on its first use; plan and packed weights are kept in $XDG_CACHE_HOME/greta (else\n"
	"~/.cache/greta), which may be deleted at any time.\n"
	"\n"
	"Prompt\n"
	"  -p, --prompt TEXT     the prompt; empty: the model begins by itself\n"
	"  -f, --file FILE       the prompt is in a file; without -p and -f it is read from stdin.\n"
	"                        One newline at the end of FILE or stdin is dropped\n"
	"      --special         control tokens written in the prompt (\"</s>\") are those tokens\n"
	"      --echo            print the prompt, too\n"
	"Text\n"
	"  -n, --tokens N        at most N tokens (default: 256, or what is left of the context)\n"
	"      --ignore-end      go on where the model would end\n"
	"      --temp T          temperature; 0: always the likeliest token (default: 0.8)\n"
	"      --top-k K         of the K likeliest; 0: of all (default: 40)\n"
	"      --top-p P         of the likeliest that together have probability P (default: 0.95)\n"
	"      --min-p P         of those with P times the best one's probability (default: 0.05)\n"
	"      --seed N|random   the same seed gives the same text, everywhere (default: 0)\n"
	"Planning (for a model)\n"
	"  -c, --ctx N           context in tokens (default: the model's, at most 4096)\n"
	"      --prefill LIST    chunk lengths of the prompt programs (default: 32,128,512)\n"
	"      --kv f16|f32      KV cache (default: f16)\n"
	"      --fuse none|full  how many operations a launch does (default: full)\n"
	"      --activations x32|x24|x16|x8   bits of the activations in products (default: x32)\n"
	"Running\n"
	"  -m, --model FILE      the model of a plan, when it is not where it was\n"
	"  -t, --threads N       threads of the cpu provider (default: all processors)\n"
	"      --provider NAME   auto (default): a GPU that this build has kernels for, else the cpu; amd, nvidia, cpu\n"
	"      --kernels FORM    auto (default), amx, avx512, avx2, portable, ref\n"
	"      --eager           launch kernels one by one instead of replaying a graph\n"
	"      --chunk N         take the prompt in pieces of at most N tokens; 0: token by token\n"
	"      --cache DIR       another cache folder\n"
	"      --no-cache        no cache: plan and pack anew, keep nothing\n"
	"      --guard           guard bands around device memory, checked at the end\n"
	"Output\n"
	"      --stats           what it took, on stderr\n"
	"      --hash            last on stderr: \"logits HEX\", the XXH3-128 of the logits (little-endian fp32)\n"
	"                        of the prompt's last position and of every token generated\n"
	"      --json            one JSON object on stdout instead of the text\n"
	"      --trace FILE      what host and device did when, for ui.perfetto.dev: of the last 256 steps\n"
	"                        (launches are stamped for it; a plan must have been made with --stamps)\n"
	"  -h, --help            this text\n"
	"      --version         the version\n";

enum option_code {
	OPT_SPECIAL = 256, OPT_ECHO, OPT_IGNORE_END, OPT_TEMP, OPT_TOP_K, OPT_TOP_P, OPT_MIN_P, OPT_SEED,
	OPT_PREFILL, OPT_KV, OPT_FUSE, OPT_ACTIVATIONS, OPT_PROVIDER, OPT_KERNELS, OPT_EAGER, OPT_CHUNK,
	OPT_CACHE, OPT_NO_CACHE, OPT_GUARD, OPT_STATS, OPT_HASH, OPT_JSON, OPT_TRACE, OPT_VERSION, OPT_UPLOAD,
};

static const struct option long_options[] = {
	{"prompt", required_argument, NULL, 'p'},
	{"file", required_argument, NULL, 'f'},
	{"special", no_argument, NULL, OPT_SPECIAL},
	{"echo", no_argument, NULL, OPT_ECHO},
	{"tokens", required_argument, NULL, 'n'},
	{"ignore-end", no_argument, NULL, OPT_IGNORE_END},
	{"temp", required_argument, NULL, OPT_TEMP},
	{"top-k", required_argument, NULL, OPT_TOP_K},
	{"top-p", required_argument, NULL, OPT_TOP_P},
	{"min-p", required_argument, NULL, OPT_MIN_P},
	{"seed", required_argument, NULL, OPT_SEED},
	{"ctx", required_argument, NULL, 'c'},
	{"prefill", required_argument, NULL, OPT_PREFILL},
	{"kv", required_argument, NULL, OPT_KV},
	{"fuse", required_argument, NULL, OPT_FUSE},
	{"activations", required_argument, NULL, OPT_ACTIVATIONS},
	{"model", required_argument, NULL, 'm'},
	{"threads", required_argument, NULL, 't'},
	{"provider", required_argument, NULL, OPT_PROVIDER},
	{"kernels", required_argument, NULL, OPT_KERNELS},
	{"eager", no_argument, NULL, OPT_EAGER},
	{"chunk", required_argument, NULL, OPT_CHUNK},
	{"cache", required_argument, NULL, OPT_CACHE},
	{"no-cache", no_argument, NULL, OPT_NO_CACHE},
	{"guard", no_argument, NULL, OPT_GUARD},
	{"force-upload", no_argument, NULL, OPT_UPLOAD},
	{"stats", no_argument, NULL, OPT_STATS},
	{"hash", no_argument, NULL, OPT_HASH},
	{"json", no_argument, NULL, OPT_JSON},
	{"trace", required_argument, NULL, OPT_TRACE},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static bool wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool wrong(const char *format, ...)
{
	va_list list;
	fputs("greta-exec: ", stderr);
	va_start(list, format);
	vfprintf(stderr, format, list); /* NOLINT(clang-analyzer-valist.Uninitialized): it is, one line above */
	va_end(list);
	fputs(" (greta-exec --help lists the options)\n", stderr);
	return false;
}

static bool read_number(const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < least || value > most)
		return wrong("%s takes a number from %llu to %llu, not \"%s\"", option, (unsigned long long)least,
			     (unsigned long long)most, text);
	*out = value;
	return true;
}

static bool read_unsigned(const char *option, const char *text, unsigned least, unsigned most, unsigned *out)
{
	uint64_t value = 0;
	if (!read_number(option, text, least, most, &value))
		return false;
	*out = (unsigned)value;
	return true;
}

static bool read_real(const char *option, const char *text, float *out)
{
	char *end;
	float value = strtof(text, &end);
	if (end == text || *end || !isfinite(value))
		return wrong("%s takes a number, not \"%s\"", option, text);
	*out = value;
	return true;
}

/* One of `count` words; *out is its place. */
static bool read_word(const char *option, const char *text, const char *const *words, unsigned count, unsigned *out)
{
	char list[128] = "";
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(text, words[i]) == 0) {
			*out = i;
			return true;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "", words[i]);
	}
	return wrong("%s takes one of %s, not \"%s\"", option, list, text);
}

static bool read_prefill(const char *text, unsigned out[GRETA_PREFILL_MAX])
{
	unsigned lengths[GRETA_PREFILL_MAX] = {0};
	size_t count = 0;
	for (const char *rest = text;; rest++) {
		char *end;
		unsigned long value = strtoul(rest, &end, 10);
		if (*rest < '0' || *rest > '9' || value < 1 || value > 65536 || count == GRETA_PREFILL_MAX ||
		    (count && value <= lengths[count - 1]) || (*end && *end != ','))
			return wrong("--prefill takes up to %d chunk lengths, ascending, as in 32,128,512, not \"%s\"",
				     GRETA_PREFILL_MAX, text);
		lengths[count++] = (unsigned)value;
		rest = end;
		if (!*rest)
			break;
	}
	memcpy(out, lengths, sizeof(lengths));
	return true;
}

static bool read_seed(const char *text, uint64_t *out)
{
	if (strcmp(text, "random") != 0)
		return read_number("--seed", text, 0, UINT64_MAX, out);
	if (getrandom(out, sizeof(*out), 0) != (ssize_t)sizeof(*out))
		return wrong("no random seed: %s", strerror(errno));
	return true;
}

static bool read_choice(int code, const char *text, struct greta_options *options)
{
	static const char *const kv[] = {"f16", "f32"}, *const fuse[] = {"none", "full"};
	static const char *const activations[] = {"x8", "x16", "x24", "x32"};
	unsigned place = 0;
	switch (code) {
	case OPT_KV:
		if (!read_word("--kv", text, kv, 2, &place))
			return false;
		options->kv = place ? GRETA_OPEN_KV_F32 : GRETA_OPEN_KV_F16;
		return true;
	case OPT_FUSE:
		if (!read_word("--fuse", text, fuse, 2, &place))
			return false;
		options->fuse = place ? GRETA_OPEN_FUSE_FULL : GRETA_OPEN_FUSE_NONE;
		return true;
	default:
		if (!read_word("--activations", text, activations, 4, &place))
			return false;
		options->activations = place + 1;
		return true;
	}
}

/* Options with a value; false when it is wrong, which has been said. */
static bool read_value(int code, const char *text, struct greta_exec_arguments *arguments)
{
	struct greta_options *options = &arguments->options;
	uint64_t number = 0;
	switch (code) {
	case 'p': arguments->prompt = text; return true;
	case 'f': arguments->prompt_file = text; return true;
	case 'm': options->model = text; return true;
	case OPT_PROVIDER: options->provider = text; return true;
	case OPT_KERNELS: options->kernels = text; return true;
	case OPT_CACHE: options->cache = text; return true;
	case OPT_TRACE:
		arguments->trace = text;
		options->stamps = GRETA_OPEN_STAMPS_LAUNCHES;
		return true;
	case 'n':
		if (!read_number("-n", text, 0, UINT32_MAX, &number))
			return false;
		arguments->limit = (size_t)number;
		arguments->limit_given = true;
		return true;
	case 'c': return read_unsigned("--ctx", text, 1, 1u << 24, &options->context);
	case 't': return read_unsigned("--threads", text, 1, 1024, &options->threads);
	case OPT_CHUNK:
		if (!read_unsigned("--chunk", text, 0, 1u << 24, &options->chunk_tokens))
			return false;
		options->chunk_tokens += options->chunk_tokens == 0; /* a piece of one token is a token */
		return true;
	case OPT_TEMP: return read_real("--temp", text, &arguments->sampling.temperature);
	case OPT_TOP_K: return read_unsigned("--top-k", text, 0, UINT32_MAX, &arguments->sampling.top_k);
	case OPT_TOP_P: return read_real("--top-p", text, &arguments->sampling.top_p);
	case OPT_MIN_P: return read_real("--min-p", text, &arguments->sampling.min_p);
	case OPT_SEED: return read_seed(text, &arguments->sampling.seed);
	case OPT_PREFILL: return read_prefill(text, options->prefill);
	default: return read_choice(code, text, options);
	}
}

/* Options without a value; false when `code` is none. */
static bool read_flag(int code, struct greta_exec_arguments *arguments)
{
	struct greta_options *options = &arguments->options;
	switch (code) {
	case OPT_SPECIAL: return arguments->special = true;
	case OPT_ECHO: return arguments->echo = true;
	case OPT_IGNORE_END: return arguments->ignore_end = true;
	case OPT_STATS: return arguments->stats = true;
	case OPT_HASH: return arguments->hash = true;
	case OPT_JSON: return arguments->json = true;
	case OPT_EAGER: return options->eager = true;
	case OPT_NO_CACHE: return options->no_cache = true;
	case OPT_GUARD: return options->guard = true;
	case OPT_UPLOAD: return options->force_upload = true;
	default: return false;
	}
}

static enum greta_exec_request check(int argc, char **argv, const struct greta_exec_arguments *arguments)
{
	bool good = true;
	if (optind == argc)
		good = wrong("name a model or a plan");
	else if (optind + 1 < argc)
		good = wrong("one model or plan at a time: what is \"%s\"? A prompt is given with -p",
		             argv[optind + 1]);
	else if (arguments->prompt && arguments->prompt_file)
		good = wrong("-p and -f exclude each other");
	else if (greta_same_file(arguments->trace, argv[optind]))
		good = wrong("%s is the model or plan: the trace would replace it", arguments->trace);
	else if (greta_same_file(arguments->trace, arguments->prompt_file) ||
	         greta_same_file(arguments->trace, arguments->options.model))
		good = wrong("%s is read: the trace would replace it", arguments->trace);
	return good ? GRETA_EXEC_RUN : GRETA_EXEC_USAGE;
}

enum greta_exec_request greta_exec_arguments_read(int argc, char **argv, struct greta_exec_arguments *out_arguments)
{
	struct greta_exec_arguments arguments = {.limit = 256, .sampling = GRETA_SAMPLING_DEFAULT};
	int code;
	opterr = 0;
	while ((code = getopt_long(argc, argv, ":p:f:n:c:m:t:h", long_options, NULL)) != -1) {
		if (code == 'h') {
			fputs(help, stdout);
			return GRETA_EXEC_HELP;
		}
		if (code == OPT_VERSION) {
			puts("greta-exec " GRETA_VERSION);
			return GRETA_EXEC_VERSION;
		}
		if (code == ':' || code == '?') {
			wrong(code == ':' ? "%s needs a value" : "%s is no option", argv[optind - 1]);
			return GRETA_EXEC_USAGE;
		}
		if (!read_flag(code, &arguments) && (!optarg || !read_value(code, optarg, &arguments)))
			return GRETA_EXEC_USAGE;
	}
	enum greta_exec_request request = check(argc, argv, &arguments);
	if (request != GRETA_EXEC_RUN)
		return request;
	arguments.path = argv[optind];
	*out_arguments = arguments;
	return GRETA_EXEC_RUN;
}
