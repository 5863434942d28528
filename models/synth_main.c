/* greta-synth: writes a synthetic model. */
#include "models/synth.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char HELP[] =
    "usage: greta-synth SHAPE [-t TYPE] [--seed S] [--layers N] -o FILE\n"
    "\n"
    "Writes a GGUF model of a known shape with random weights: it computes like the real one, as fast,\n"
    "and says nothing sensible. The same arguments give the same bytes on every machine.\n"
    "\n"
    "SHAPE: %s\n"
    "   or: --shape embd=512,layers=2,heads=8,kv=2,ffn=1024,vocab=512,ctx=512 (these are the values of what is not\n"
    "       given; rope=BASE, tied=1 and freqs=1 may be added)\n"
    "\n"
    "  -o, --output FILE   where to write; FILE appears when it is whole\n"
    "  -t, --type TYPE     Q4_K_M (default: the mix of types that llama.cpp chooses), or one type for all matrices:\n"
    "                      Q8_0 F16 BF16 F32 Q4_0 Q4_K Q5_K Q6_K\n"
    "  -l, --layers N      so many layers instead of the shape's\n"
    "  -s, --seed S        of the random weights (default 1)\n"
    "  -S, --shape SHAPE   the same as the argument SHAPE\n"
    "  -h, --help          this text\n"
    "      --version       the version\n";

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

struct display {
	bool terminal;
	double started, shown;
};

static bool show_progress(void *user, uint64_t done, uint64_t total)
{
	struct display *display = user;
	double time = now();
	if (display->terminal && (time - display->shown > 0.2 || done == total)) {
		double seconds = time - display->started;
		fprintf(stderr, "\r%3d%%  %.2f of %.2f GB  %.0f MB/s ", (int)(100 * (double)done / (double)total),
			(double)done * 1e-9, (double)total * 1e-9, seconds > 0 ? (double)done * 1e-6 / seconds : 0);
		display->shown = time;
	}
	return !interrupted;
}

static bool parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	char *end = NULL;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 0);
	if (errno || end == text || *end || text[0] == '-' || value < least || value > most)
		return false;
	*out = value;
	return true;
}

static int usage(const char *problem, const char *what)
{
	fprintf(stderr, "greta-synth: %s%s; see greta-synth --help\n", problem, what);
	return 2;
}

/* 0 to go on; otherwise main's result plus one. */
static int parse_arguments(int argc, char **argv, struct greta_synth_options *options, const char **shape,
			   const char **path, uint64_t *layers)
{
	static const struct option LONG[] = {
	    {"output", required_argument, NULL, 'o'}, {"type", required_argument, NULL, 't'},
	    {"layers", required_argument, NULL, 'l'}, {"seed", required_argument, NULL, 's'},
	    {"shape", required_argument, NULL, 'S'},  {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},      {NULL, 0, NULL, 0},
	};
	int option;
	while ((option = getopt_long(argc, argv, ":o:t:l:s:S:h", LONG, NULL)) >= 0) {
		switch (option) {
		case 'o':
			*path = optarg;
			break;
		case 't':
			options->mix = optarg;
			break;
		case 'l':
			if (!parse_number(optarg, 1, 1024, layers))
				return usage("--layers takes a number from 1 to 1024, not ", optarg) + 1;
			break;
		case 's':
			if (!parse_number(optarg, 0, UINT64_MAX, &options->seed))
				return usage("--seed takes a number, not ", optarg) + 1;
			break;
		case 'S':
			*shape = optarg;
			break;
		case 'h':
			printf(HELP, greta_synth_shape_names());
			return 1;
		case 'v':
			puts("greta-synth " GRETA_VERSION);
			return 1;
		case ':':
			return usage("a value is missing after ", argv[optind - 1]) + 1;
		default:
			return usage("unknown option: ", argv[optind - 1]) + 1;
		}
	}
	if (optind < argc && !*shape)
		*shape = argv[optind++];
	if (optind < argc)
		return usage("one argument too many: ", argv[optind]) + 1;
	if (!*shape)
		return usage("which shape? ", greta_synth_shape_names()) + 1;
	if (!*path)
		return usage("where to? -o FILE is missing", "") + 1;
	return 0;
}

int main(int argc, char **argv)
{
	struct greta_error error;
	struct display display = {.terminal = isatty(STDERR_FILENO), .started = now()};
	struct greta_synth_options options = {
	    .mix = "Q4_K_M", .seed = 1, .progress = show_progress, .user = &display};
	const char *shape = NULL, *path = NULL;
	uint64_t layers = 0, bytes = 0;
	opterr = 0;
	int result = parse_arguments(argc, argv, &options, &shape, &path, &layers);
	if (result)
		return result - 1;

	struct sigaction action = {.sa_handler = on_interrupt};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is then an error like a full disk */
	enum greta_status status = greta_synth_parse_shape(shape, &options.shape, &error);
	if (!status && layers)
		options.shape.n_layer = (uint32_t)layers;
	if (!status)
		status = greta_synth_size(&options, &bytes, &error);
	if (!status)
		status = greta_synth_write(&options, path, &error);
	if (display.terminal && display.shown > 0)
		fprintf(stderr, "\r\033[K");
	if (status) {
		fprintf(stderr, "greta-synth: %s\n", error.message);
		return status == GRETA_ERROR_ARGUMENT && !interrupted ? 2 : 1;
	}
	if (display.terminal)
		fprintf(stderr, "%s: %s, %s, %u layers, %.2f GB in %.1f s\n", path, options.shape.name, options.mix,
			options.shape.n_layer, (double)bytes * 1e-9, now() - display.started);
	return 0;
}
