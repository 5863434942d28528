#include "runtime/exec/arguments.h"
#include "models/command_line.h"
#include "models/new_file.h"

#include <errno.h>
#include <float.h>
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
	"  -f, --file FILE       the prompt is in a file (-: stdin, as without -p and -f).\n"
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
	"      --seed N|random   the same seed gives the same text, everywhere (default: 0); random: one\n"
	"                        that is drawn, and told on a terminal and by --stats and --json\n"
	"Planning (for a model)\n"
	"  -c, --ctx N           context in tokens (default: the model's, at most 4096)\n"
	"      --prefill LIST    chunk lengths of the prompt programs (default: 32,128,512; \"\": none)\n"
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
	"      --cache-limit SIZE   how much of the disk it may take, as in 800M or 20G (default: 32G): what was not used for\n"
	"                        the longest goes when something is added, but never what was added last\n"
	"      --no-cache        no cache: plan and pack anew, keep nothing\n"
	"      --check           compare all of the cached weights with their checksum, as --hash does; else only their\n"
	"                        file's header is. What is damaged is packed again\n"
	"      --guard           guard bands around device memory, checked at the end\n"
	"Output\n"
	"      --stats           what it took, on stderr\n"
	"      --hash            last on stderr: \"logits HEX\", the XXH3-128 of the logits (little-endian fp32)\n"
	"                        of the prompt's last position and of every token generated\n"
	"      --json            one JSON object on stdout instead of the text\n"
	"      --trace FILE      what host and device did when, for ui.perfetto.dev: of the last 256 steps\n"
	"                        (launches are stamped for it; a plan must have been made with --stamps)\n"
	"  -h, --help            this text\n"
	"      --version         the version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 the command line is wrong, 130 interrupted.\n";

/* What the table cannot put in its place. */
struct values {
	double temperature, top_p, min_p;
	unsigned random;
	bool chunk, prefill;
};

/* The library checks them, too, but does not know how they are called here. */
static int check_sampling(const struct greta_command_line *line, const struct values *v)
{
	if (v->temperature < 0)
		return greta_command_line_wrong(line, "--temp: expected 0 or more, got %g", v->temperature);
	if (v->temperature > FLT_MAX)
		return greta_command_line_wrong(line, "--temp: %g is more than a number of 32 bits holds", v->temperature);
	if (!(v->top_p > 0 && v->top_p <= 1))
		return greta_command_line_wrong(line, "--top-p: expected a number above 0 and at most 1, got %g", v->top_p);
	if (!((float)v->top_p > 0))
		return greta_command_line_wrong(line, "--top-p: %g is less than a number of 32 bits holds", v->top_p);
	if (!(v->min_p >= 0 && (float)v->min_p < 1))
		return greta_command_line_wrong(line, "--min-p: expected a number from 0 to below 1, got %g", v->min_p);
	return -1;
}

static int finish(const struct greta_command_line *line, struct greta_exec_arguments *a, const struct values *values)
{
	a->sampling.temperature = (float)values->temperature;
	a->sampling.top_p = (float)values->top_p;
	a->sampling.min_p = (float)values->min_p;
	if (values->chunk && !a->options.chunk_tokens)
		a->options.chunk_tokens = 1; /* a piece of one token is a token */
	a->options.no_prefill = values->prefill && !a->options.prefill[0];
	a->draws_seed = values->random;
	int wrong = check_sampling(line, values);
	if (wrong >= 0)
		return wrong;
	if (a->json && a->echo)
		return greta_command_line_wrong(line, "--json has the prompt as tokens alone: leave out --echo");
	if (a->options.no_cache && (a->options.cache || a->options.cache_bytes || a->options.check_weights))
		return greta_command_line_wrong(line, "--no-cache leaves nothing to say of the cache with %s",
						a->options.cache ? "--cache" : a->options.cache_bytes ? "--cache-limit" : "--check");
	if (a->hash)
		a->options.check_weights = true; /* the hash is the model's, so the weights must be */
	if (a->trace)
		a->options.stamps = GRETA_OPEN_STAMPS_LAUNCHES;
	if (a->prompt && a->prompt_file)
		return greta_command_line_wrong(line, "-p and -f exclude each other");
	if (greta_same_file(a->trace, a->path) || greta_same_file(a->trace, a->prompt_file) ||
	    greta_same_file(a->trace, a->options.model))
		return greta_command_line_wrong(line, "%s is read: the trace would replace it", a->trace);
	if (values->random && getrandom(&a->sampling.seed, sizeof(a->sampling.seed), 0) != sizeof(a->sampling.seed))
		return greta_command_line_wrong(line, "no random seed: %s", strerror(errno));
	return -1;
}

int greta_exec_arguments_read(int argc, char **argv, struct greta_exec_arguments *out_arguments)
{
	static const struct greta_word kv[] = {{"f16", GRETA_OPEN_KV_F16}, {"f32", GRETA_OPEN_KV_F32}, {0}};
	static const struct greta_word fuse[] = {{"none", GRETA_OPEN_FUSE_NONE}, {"full", GRETA_OPEN_FUSE_FULL}, {0}};
	static const struct greta_word seeds[] = {{"random", 1}, {0}};
	struct greta_exec_arguments a = {.limit = 256, .sampling = GRETA_SAMPLING_DEFAULT};
	struct greta_sampling *sampling = &a.sampling;
	struct greta_options *options = &a.options;
	struct values values = {.temperature = sampling->temperature, .top_p = sampling->top_p, .min_p = sampling->min_p};
	const struct greta_option table[] = {
		{'p', "prompt", .text = &a.prompt},
		{'f', "file", .text = &a.prompt_file},
		{0, "special", .flag = &a.special},
		{0, "echo", .flag = &a.echo},
		{'n', "tokens", .number = &a.limit, .given = &a.limit_given},
		{0, "ignore-end", .flag = &a.ignore_end},
		{0, "temp", .real = &values.temperature},
		{0, "top-k", .number = &sampling->top_k},
		{0, "top-p", .real = &values.top_p},
		{0, "min-p", .real = &values.min_p},
		{0, "seed", .large = &sampling->seed, .word = &values.random, .words = seeds},
		{'c', "ctx", .number = &options->context, .least = 1, .most = 1u << 24},
		{0, "prefill", .list = options->prefill, .room = GRETA_PREFILL_MAX, .least = 2, .most = 65536, .empty = true,
		 .given = &values.prefill},
		{0, "kv", .word = &options->kv, .words = kv},
		{0, "fuse", .word = &options->fuse, .words = fuse},
		{0, "activations", .word = &options->activations, .words = GRETA_ACTIVATION_WORDS},
		{'m', "model", .text = &options->model},
		{'t', "threads", .number = &options->threads, .least = 1, .most = 1024},
		{0, "provider", .text = &options->provider},
		{0, "kernels", .text = &options->kernels},
		{0, "eager", .flag = &options->eager},
		{0, "chunk", .number = &options->chunk_tokens, .most = 1u << 24, .given = &values.chunk},
		{0, "cache", .text = &options->cache},
		{0, "cache-limit", .bytes = &options->cache_bytes, .least = 1},
		{0, "no-cache", .flag = &options->no_cache},
		{0, "check", .flag = &options->check_weights},
		{0, "guard", .flag = &options->guard},
		{0, "force-upload", .flag = &options->force_upload},
		{0, "stats", .flag = &a.stats},
		{0, "hash", .flag = &a.hash},
		{0, "json", .flag = &a.json},
		{0, "trace", .text = &a.trace},
		{0},
	};
	const struct greta_command_line line = {.tool = "greta-exec", .help = help, .version = GRETA_VERSION, .options = table,
						.operands = "one model or plan", .least = 1, .most = 1};
	char **operands;
	int status = greta_command_line_read(&line, argc, argv, &operands);
	if (status >= 0)
		return status;
	a.path = operands[0];
	status = finish(&line, &a, &values);
	if (status < 0)
		*out_arguments = a;
	return status;
}
