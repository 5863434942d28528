/* The command line of greta-bench. */
#ifndef GRETA_BENCH_ARGUMENTS_H
#define GRETA_BENCH_ARGUMENTS_H

#include "bench/formats.h"
#include "bench/request.h"

struct bench_arguments {
	struct bench_request request;
	enum bench_format format;
	const char *html;    /* NULL: no page */
	const char *against; /* NULL: nothing to compare with */
	unsigned spawns;     /* 0: measure in this process */
	bool spawned;        /* this is one of those processes */
};

/* Returns -1 when the command line is good, else the exit status; has said then what is wrong with it, or answered. */
int bench_arguments_parse(int argc, char **argv, struct bench_arguments *out_arguments);

#endif
