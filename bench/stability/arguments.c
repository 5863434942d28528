#include "bench/stability/arguments.h"
#include "models/command_line.h"
#include "models/new_file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char help[] =
	"greta-stability MODEL [options]: how the settings of the numbers drift from the fp64 model, by position\n"
	"\n"
	"Runs a text through the model with each of x32, x24, x16 and x8 activations, each with an F32 and an F16 KV cache,\n"
	"and compares the logits behind every token with those of the whole model in fp64: errors, KL divergence, top-1 and\n"
	"top-k, by position up to the context's end, and perplexity as llama-perplexity measures it. The table goes to\n"
	"standard output.\n"
	"\n"
	"Text\n"
	"  -f, --file FILE       the text (default: a built-in one of a few lines; -: stdin)\n"
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
	"Exit status: 0 every setting ran to the end, 1 numbers stopped being finite in one or something failed, 2 the command\n"
	"line is wrong.\n";

/* Whether both are one name in one folder, however they are spelled: the file need not be there. */
static bool same_place(const char *a, const char *b)
{
	const char *paths[] = {a, b}, *names[2];
	struct stat folders[2];
	for (int i = 0; i < 2; i++) {
		char folder[PATH_MAX];
		const char *slash = strrchr(paths[i], '/');
		names[i] = slash ? slash + 1 : paths[i];
		int length = slash ? (int)(slash - paths[i]) + 1 : 0;
		if (snprintf(folder, sizeof(folder), "%.*s.", length, paths[i]) >= (int)sizeof(folder) ||
		    stat(folder, &folders[i]) != 0)
			return false;
	}
	return !strcmp(names[0], names[1]) && folders[0].st_dev == folders[1].st_dev &&
	       folders[0].st_ino == folders[1].st_ino;
}

/* Reports replace neither what is read nor each other. Returns -1, or the exit status. */
static int check_outputs(const struct greta_command_line *line, const struct greta_stability_arguments *a)
{
	const char *outputs[] = {a->markdown, a->html, a->json};
	for (int i = 0; i < 3; i++) {
		if (greta_same_file(outputs[i], a->model) || greta_same_file(outputs[i], a->file))
			return greta_command_line_wrong(line, "%s is read: the report would replace it", outputs[i]);
		for (int k = 0; outputs[i] && k < i; k++)
			if (outputs[k] && (same_place(outputs[i], outputs[k]) || greta_same_file(outputs[i], outputs[k])))
				return greta_command_line_wrong(line, "%s cannot be two reports", outputs[i]);
	}
	return -1;
}

int greta_stability_arguments_read(int argc, char **argv, struct greta_stability_arguments *out)
{
	struct greta_stability_arguments a = {.provider = "cpu", .top_k = 5, .buckets = 16};
	const struct greta_option table[] = {
		{'f', "file", .text = &a.file},
		{'c', "ctx", .number = &a.context, .least = 8, .most = 1u << 20},
		{0, "pieces", .number = &a.pieces, .least = 1, .most = 1u << 20},
		{0, "buckets", .number = &a.buckets, .least = 1, .most = 1024},
		{0, "top-k", .number = &a.top_k, .least = 1, .most = 1000},
		{0, "provider", .text = &a.provider},
		{0, "kernels", .text = &a.kernels},
		{'t', "threads", .number = &a.threads, .least = 1, .most = 1024},
		{0, "markdown", .text = &a.markdown},
		{0, "html", .text = &a.html},
		{0, "json", .text = &a.json},
		{0},
	};
	const struct greta_command_line line = {.tool = "greta-stability", .help = help, .version = GRETA_VERSION,
						.options = table, .operands = "one model", .least = 1, .most = 1};
	char **operands;
	int status = greta_command_line_read(&line, argc, argv, &operands);
	if (status >= 0)
		return status;
	a.model = operands[0];
	status = check_outputs(&line, &a);
	if (status < 0)
		*out = a;
	return status;
}
