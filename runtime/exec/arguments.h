/* The command line of greta-exec. */
#ifndef GRETA_EXEC_ARGUMENTS_H
#define GRETA_EXEC_ARGUMENTS_H

#include "runtime/greta.h"

struct greta_exec_arguments {
	const char *path;             /* model or plan */
	const char *prompt;           /* -p; NULL: from prompt_file, or stdin when that is NULL too */
	const char *prompt_file;      /* -f */
	bool limit_given;
	size_t limit;                 /* -n */
	const char *trace;            /* --trace; NULL: none */
	bool special, echo, ignore_end, stats, hash, json;
	struct greta_sampling sampling;
	struct greta_options options;
};

enum greta_exec_request {
	GRETA_EXEC_RUN,
	GRETA_EXEC_HELP,    /* printed on stdout */
	GRETA_EXEC_VERSION, /* likewise */
	GRETA_EXEC_USAGE,   /* the line on what is wrong is printed on stderr */
};

/* Reads the command line; strings stay argv's. Prints only what the enumeration says. */
enum greta_exec_request greta_exec_arguments_read(int argc, char **argv, struct greta_exec_arguments *out_arguments);

#endif
