/* The command line of greta-exec. */
#ifndef GRETA_EXEC_ARGUMENTS_H
#define GRETA_EXEC_ARGUMENTS_H

#include "runtime/greta.h"

struct greta_exec_arguments {
	const char *path;             /* model or plan */
	const char *prompt;           /* -p; NULL: from prompt_file, or stdin when that is NULL too */
	const char *prompt_file;      /* -f */
	bool limit_given;
	unsigned limit;               /* -n */
	const char *trace;            /* --trace; NULL: none */
	bool special, echo, ignore_end, stats, hash, json;
	bool draws_seed;              /* sampling.seed was drawn */
	struct greta_sampling sampling;
	struct greta_options options;
};

/* Reads the command line; strings stay argv's.
 * Returns -1, or the exit status after printing what was asked for or what is wrong. */
int greta_exec_arguments_read(int argc, char **argv, struct greta_exec_arguments *out_arguments);

#endif
