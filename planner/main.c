/* greta-plan: makes, shows and checks plans. */
#include "planner/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} COMMANDS[] = {
    {"build", greta_plan_command_build, "MODEL -> plan file"},
    {"show", greta_plan_command_show, "a plan in words, as a table, JSON or a picture"},
    {"verify", greta_plan_command_verify, "check a plan, and that it fits a model"},
    {"diff", greta_plan_command_diff, "what differs between two plans"},
    {"pack", greta_plan_command_pack, "pack buffers of a CSV file into an arena"},
    {"devices", greta_plan_command_devices, "list the devices of this machine that could run plans"},
    {"targets", greta_plan_command_targets, "list the targets that plans can be made for"},
};

static void usage(FILE *out)
{
	fputs("usage: greta-plan COMMAND [OPTION]... [FILE]...\n\n", out);
	for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
		fprintf(out, "  %-8s %s\n", COMMANDS[i].name, COMMANDS[i].what);
	fputs("\ngreta-plan COMMAND --help says more; greta-plan --version.\n"
	      "Exit status: 0 done, 1 failed or not so, 2 the command line is wrong.\n", out);
}

/* The exit status of a command that ended with `code`: what it has printed must have arrived. */
static int finish(int code)
{
	if (!ferror(stdout) && fflush(stdout) == 0)
		return code;
	if (code == 0)
		fprintf(stderr, "greta-plan: cannot write: %s\n", strerror(errno));
	return code ? code : 1;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return finish(0);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("greta-plan " GRETA_VERSION);
		return finish(0);
	}
	for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
		if (!strcmp(argv[1], COMMANDS[i].name))
			return finish(COMMANDS[i].run(argc - 1, argv + 1));
	fprintf(stderr, "greta-plan: no command '%s'; greta-plan --help lists them\n", argv[1]);
	return 2;
}
