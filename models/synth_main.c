/* greta-synth: writes a synthetic model. */
#include "models/command_line.h"
#include "models/synth.h"

#include <signal.h>
#include <stdio.h>
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
    "      --version       the version\n"
    "\n"
    "Exit status: 0 written, 1 failed, 2 the command line is wrong.\n";

static volatile sig_atomic_t interrupted; /* by this signal */

static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP};

static void on_interrupt(int signal_number)
{
	interrupted = signal_number;
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

/* Returns -1 to go on, or the exit status. */
static int parse_arguments(int argc, char **argv, struct greta_synth_options *options, const char **shape,
			   const char **path, unsigned *layers)
{
	char help[sizeof(HELP) + 400], **operands;
	snprintf(help, sizeof(help), HELP, greta_synth_shape_names());
	const struct greta_option table[] = {
	    {'o', "output", .text = path},
	    {'t', "type", .text = &options->mix},
	    {'l', "layers", .number = layers, .least = 1, .most = 1024},
	    {'s', "seed", .large = &options->seed},
	    {'S', "shape", .text = shape},
	    {0},
	};
	const struct greta_command_line line = {
	    .tool = "greta-synth", .help = help, .version = GRETA_VERSION, .options = table, .operands = "one shape", .most = 1};
	int status = greta_command_line_read(&line, argc, argv, &operands);
	if (status >= 0)
		return status;
	if (*shape && *operands)
		return greta_command_line_wrong(&line, "two shapes: %s, %s", *shape, *operands);
	if (*operands)
		*shape = *operands;
	if (!*shape)
		return greta_command_line_wrong(&line, "which shape? %s", greta_synth_shape_names());
	if (!*path)
		return greta_command_line_wrong(&line, "where to? -o FILE is missing");
	return -1;
}

int main(int argc, char **argv)
{
	struct greta_error error;
	struct display display = {.terminal = isatty(STDERR_FILENO), .started = now()};
	struct greta_synth_options options = {
	    .mix = "Q4_K_M", .seed = 1, .progress = show_progress, .user = &display};
	const char *shape = NULL, *path = NULL;
	unsigned layers = 0;
	uint64_t bytes = 0;
	int code = parse_arguments(argc, argv, &options, &shape, &path, &layers);
	if (code >= 0)
		return code;

	struct sigaction action = {.sa_handler = on_interrupt};
	for (size_t i = 0; i < sizeof(SIGNALS) / sizeof(SIGNALS[0]); i++)
		if (signal(SIGNALS[i], SIG_IGN) != SIG_IGN) /* as nohup wants it */
			sigaction(SIGNALS[i], &action, NULL);
	enum greta_status status = greta_synth_parse_shape(shape, &options.shape, &error);
	if (!status && layers)
		options.shape.n_layer = layers;
	if (!status)
		status = greta_synth_size(&options, &bytes, &error);
	if (!status)
		status = greta_synth_write(&options, path, &error);
	if (display.terminal && display.shown > 0)
		fprintf(stderr, "\r\033[K");
	if (interrupted) { /* nothing is left, so end as if nobody had been there to tidy up */
		signal(interrupted, SIG_DFL);
		raise(interrupted);
	}
	if (status)
		return greta_command_failed("greta-synth", &error);
	if (display.terminal)
		fprintf(stderr, "%s: %s, %s, %u layers, %.2f GB in %.1f s\n", path, options.shape.name, options.mix,
			options.shape.n_layer, (double)bytes * 1e-9, now() - display.started);
	return 0;
}
