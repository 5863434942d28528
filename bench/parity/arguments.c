#include "bench/parity/arguments.h"
#include "models/command_line.h"
#include "models/terminal.h"

#include <stdio.h>
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
	"  -f, --file FILE       the text (default: a built-in one; -: stdin)\n"
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
	"Exit status: 0 equal or within the tolerance, 1 not so or something failed, 2 the command line is wrong.\n";

/* What the command line says of sides; the settings hold for all, wherever they stand. */
struct sides {
	const char *a;
	unsigned against;             /* 1 ref, 2 oracle */
	const char *b[GRETA_PARITY_SIDES_MAX], *targets[GRETA_PARITY_SIDES_MAX];
	size_t count, target_count;   /* of b, of targets */
	unsigned fuse, kv;
	struct greta_parity_setup settings;
};

static const char *set_a(void *to, const char *text)
{
	struct sides *sides = to;
	if (sides->a)
		return "one side";
	sides->a = text;
	return NULL;
}

static const char *add_b(void *to, const char *text)
{
	struct sides *sides = to;
	if (sides->count == GRETA_PARITY_SIDES_MAX - 1)
		return "no more than 15 sides";
	sides->b[sides->count++] = text;
	return NULL;
}

static const char *add_target(void *to, const char *text)
{
	struct sides *sides = to;
	if (sides->target_count == GRETA_PARITY_SIDES_MAX - 1)
		return "no more than 15 targets";
	sides->targets[sides->target_count++] = text;
	return NULL;
}

/* Who is A is said once: by -a, by --against or by the first of several --target. Returns -1, or the exit status. */
static int choose_a(const struct greta_command_line *line, struct sides *sides)
{
	static const char *const against[] = {NULL, "ref,fuse=none,eager,decode", "oracle"};
	if (sides->a && sides->against)
		return greta_command_line_wrong(line, "who is A: the side of -a, or that of --against?");
	if (sides->against)
		sides->a = against[sides->against];
	if (sides->a && sides->target_count > 1)
		return greta_command_line_wrong(line, "who is A: %s, or %s as the first --target? Say -b for those compared with A",
						sides->against ? "that of --against" : sides->a, sides->targets[0]);
	size_t first = sides->target_count > 1;
	if (first)
		sides->a = sides->targets[0];
	for (size_t t = first; t < sides->target_count; t++)
		if (add_b(sides, sides->targets[t]))
			return greta_command_line_wrong(line, "more than %d sides", GRETA_PARITY_SIDES_MAX);
	return -1;
}

static enum greta_status read_side(struct greta_parity_arguments *a, const struct sides *sides, const char *text,
				   struct greta_error *error)
{
	struct greta_parity_setup setup = sides->settings;
	enum greta_status status = greta_parity_setup_read(&setup, text, error);
	if (status == GRETA_OK)
		a->setups[a->sides++] = setup;
	return status;
}

/* What is compared when nothing is said. A setting stays in force, but for what makes the ways different. */
static enum greta_status read_sides(struct greta_parity_arguments *a, const struct sides *sides,
				    struct greta_error *error)
{
	static const char *const ways[] = {"cpu", "cpu,fuse=none,decode", "cpu,eager,chunk=32", "cpu,plain,mixed"};
	enum greta_status status = read_side(a, sides, sides->a ? sides->a : "ref,fuse=none,eager,decode", error);
	for (size_t b = 0; b < sides->count && status == GRETA_OK; b++)
		status = read_side(a, sides, sides->b[b], error);
	size_t few = sides->count ? 0 : sides->a ? 1 : sizeof(ways) / sizeof(ways[0]);
	for (size_t w = 0; w < few && status == GRETA_OK; w++)
		status = read_side(a, sides, ways[w], error);
	return status;
}

static int finish(const struct greta_command_line *line, struct greta_parity_arguments *a, struct sides *sides)
{
	struct greta_error error;
	sides->settings.fuse_none = sides->fuse;
	sides->settings.kv_f32 = sides->kv;
	if (a->file && a->prompt)
		return greta_command_line_wrong(line, "the text is either in a file (-f) or here (-p)");
	int status = choose_a(line, sides);
	if (status < 0 && read_sides(a, sides, &error) != GRETA_OK)
		status = greta_command_failed(line->tool, &error);
	return status;
}

int greta_parity_arguments_read(int argc, char **argv, struct greta_parity_arguments *out)
{
	static const struct greta_word against[] = {{"ref", 1}, {"oracle", 2}, {0}};
	static const struct greta_word fuse[] = {{"full", 0}, {"none", 1}, {0}}, kv[] = {{"f16", 0}, {"f32", 1}, {0}};
	struct greta_parity_arguments a = {.tokens = 80, .runs = 1, .top_k = 10};
	struct sides sides = {.settings = greta_parity_setup_default()};
	sides.settings.progress = greta_terminal_progress;
	struct greta_parity_setup *settings = &sides.settings;
	const struct greta_option table[] = {
		{'a', "a", .read = set_a, .to = &sides},
		{'b', "b", .read = add_b, .to = &sides},
		{0, "target", .read = add_target, .to = &sides},
		{0, "against", .word = &sides.against, .words = against},
		{0, "fuse", .word = &sides.fuse, .words = fuse},
		{0, "eager", .flag = &settings->eager},
		{0, "chunk", .number = &settings->chunk, .least = 1, .most = 65536},
		{0, "activations", .word = &settings->activations, .words = GRETA_ACTIVATION_WORDS},
		{0, "kv", .word = &sides.kv, .words = kv},
		{0, "threads", .number = &settings->threads, .least = 1, .most = 1024},
		{'f', "file", .text = &a.file},
		{'p', "prompt", .text = &a.prompt},
		{'n', "tokens", .number = &a.tokens, .least = 1, .most = 1u << 24},
		{'c', "ctx", .number = &a.context, .least = 1, .most = 1u << 24},
		{0, "runs", .number = &a.runs, .least = 1, .most = 1000000},
		{0, "tolerance", .real = &a.tolerance, .positive = true},
		{0, "top-k", .number = &a.top_k, .least = 1, .most = 10000},
		{0, "layers", .flag = &a.each_layer},
		{0, "json", .flag = &a.json},
		{0},
	};
	const struct greta_command_line line = {.tool = "greta-parity", .help = help, .version = GRETA_VERSION,
						.options = table, .operands = "one model", .least = 1, .most = 1};
	char **operands;
	int status = greta_command_line_read(&line, argc, argv, &operands);
	if (status >= 0)
		return status;
	a.model = operands[0];
	status = finish(&line, &a, &sides);
	if (status < 0)
		*out = a;
	return status;
}
