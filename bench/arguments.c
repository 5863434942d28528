#include "bench/arguments.h"

#include "bench/configs.h"
#include "bench/version.h"
#include "models/command_line.h"
#include "models/new_file.h"

static const char HELP[] =
    "usage: greta-bench MODEL-or-PLAN [options]\n"
    "       greta-bench --node-cost [options]\n"
    "\n"
    "Measures prefill and decode of a GGUF model, eager and as a graph, unfused and fused, or of a plan as it is; and what "
    "the\n"
    "device could do.\n"
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
    "  -m, --model FILE       the model of a plan, when it is not where it was\n"
    "  -t, --threads N        workers (one for each processor this process may use)\n"
    "      --provider NAME    auto, amd, nvidia, cpu (auto: a GPU that this build has kernels for, else the cpu)\n"
    "      --kernels FORM     auto, amx, avx512, avx2, portable, ref (auto)\n"
    "      --activations X    x32, x24, x16, x8 (x32)\n"
    "      --kv TYPE          f16 or f32 (f16)\n"
    "      --ctx N            positions (what the tests need)\n"
    "      --prefill LIST     chunk lengths to plan (the target's; \"\": none)\n"
    "  -h, --help             this text\n"
    "      --version          the build\n"
    "\n"
    "Exit status: 0 measured, 1 failed, 2 the command line is wrong.\n";

/* What the table cannot put in its place. */
struct values {
	unsigned modes[2], fuse[2]; /* places in the request's arrays, plus one */
	bool prefill;
};

/* A line or an object a row has no room for what is no row; a page has. */
static int check_format(const struct greta_command_line *line, const struct bench_arguments *a)
{
	const struct bench_request *request = &a->request;
	const char *format = a->format == BENCH_CSV ? "csv" : "jsonl";
	if (a->format != BENCH_CSV && a->format != BENCH_JSONL)
		return -1;
	if (!request->model)
		return greta_command_line_wrong(line, "-o %s has the tests alone, and without a model there are none: -o md or json",
		                                format);
	if (!a->html && (request->node_cost || request->blocks || a->against))
		return greta_command_line_wrong(line, "-o %s has no place for %s: -o md or json, or --html", format,
		                                request->node_cost ? "--node-cost" : request->blocks ? "--blocks" : "--against");
	return -1;
}

static int finish(const struct greta_command_line *line, struct bench_arguments *a, const struct values *values)
{
	struct bench_request *request = &a->request;
	const struct greta_options *options = &request->options;
	for (int i = 0; i < 2; i++) {
		request->eager[i] = values->modes[0] == i + 1u || values->modes[1] == i + 1u;
		request->fuse[i] = values->fuse[0] == i + 1u || values->fuse[1] == i + 1u;
	}
	request->options.no_prefill = values->prefill && !options->prefill[0];
	if (!request->model && !request->node_cost)
		return greta_command_line_wrong(line, "expected one model or plan, got nothing");
	if (!request->model && a->against)
		return greta_command_line_wrong(
		    line, "without a model there is nothing to compare with %s", a->against);
	if (request->model && !request->prompt && !request->generate)
		return greta_command_line_wrong(line, "nothing to measure with -p 0 -n 0");
	if (request->model && options->context && bench_context(request) > options->context)
		return greta_command_line_wrong(line, "the tests need %u positions, --ctx %u has fewer", bench_context(request),
		                                options->context);
	if (greta_same_file(a->html, request->model) || greta_same_file(a->html, a->against) ||
	    greta_same_file(a->html, options->model))
		return greta_command_line_wrong(line, "%s is read: the page would replace it", a->html);
	request->picture = a->html && request->model;
	return check_format(line, a);
}

int bench_arguments_parse(int argc, char **argv, struct bench_arguments *out_arguments)
{
	static const struct greta_word modes[] = {{"graph", 1}, {"eager", 2}, {0}}, fuses[] = {{"none", 1}, {"full", 2}, {0}};
	static const struct greta_word kv[] = {{"f16", GRETA_OPEN_KV_F16}, {"f32", GRETA_OPEN_KV_F32}, {0}};
	static const struct greta_word blocks[] = {{"layers", BENCH_BLOCKS_LAYERS}, {"launches", BENCH_BLOCKS_LAUNCHES}, {0}};
	static const struct greta_word formats[] = {
	    {"md", BENCH_MD}, {"csv", BENCH_CSV}, {"json", BENCH_JSON}, {"jsonl", BENCH_JSONL}, {0}};
	struct bench_arguments a = {.request = {.prompt = 512, .generate = 128, .depth_count = 1, .runs = 5}};
	struct bench_request *request = &a.request;
	struct greta_options *options = &request->options;
	struct values values = {.modes = {1, 2}, .fuse = {1, 2}};
	const struct greta_option table[] = {
	    {'p', "prompt", .number = &request->prompt, .most = 1u << 20},
	    {'n', "generate", .number = &request->generate, .most = 1u << 20},
	    {'d', "depth", .list = request->depths, .room = BENCH_DEPTHS_MAX, .most = 1u << 20, .count = &request->depth_count},
	    {'r', "runs", .number = &request->runs, .least = 1, .most = BENCH_RUNS_MAX},
	    {0, "modes", .list = values.modes, .room = 2, .words = modes},
	    {0, "fuse", .list = values.fuse, .room = 2, .words = fuses},
	    {'o', "output", .word = &a.format, .words = formats},
	    {'t', "threads", .number = &options->threads, .least = 1, .most = 1024},
	    {'m', "model", .text = &options->model},
	    {0, "provider", .text = &options->provider},
	    {0, "kernels", .text = &options->kernels},
	    {0, "activations", .word = &options->activations, .words = GRETA_ACTIVATION_WORDS},
	    {0, "kv", .word = &options->kv, .words = kv},
	    {0, "ctx", .number = &options->context, .least = 1, .most = 1u << 30},
	    {0, "prefill", .list = options->prefill, .room = GRETA_PREFILL_MAX, .least = 2, .most = 65536, .empty = true,
	     .given = &values.prefill},
	    {0, "spawns", .number = &a.spawns, .least = 1, .most = BENCH_SPAWNS_MAX},
	    {0, "spawned", .flag = &a.spawned}, /* processes.h: not for people */
	    {0, "node-cost", .flag = &request->node_cost},
	    {0, "blocks", .word = &request->blocks, .words = blocks, .bare = BENCH_BLOCKS_SUMMED},
	    {0, "html", .text = &a.html},
	    {0, "against", .text = &a.against},
	    {0},
	};
	const struct greta_command_line line = {.tool = "greta-bench", .help = HELP, .version = GRETA_BUILD, .options = table,
	                                        .operands = "one model or plan", .most = 1};
	char **operands;
	int status = greta_command_line_read(&line, argc, argv, &operands);
	if (status >= 0)
		return status;
	request->model = operands[0];
	status = finish(&line, &a, &values);
	if (status < 0)
		*out_arguments = a;
	return status;
}
