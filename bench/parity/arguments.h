/* greta-parity's command line. */
#ifndef GRETA_BENCH_PARITY_ARGUMENTS_H
#define GRETA_BENCH_PARITY_ARGUMENTS_H

#include "bench/parity/run.h"

struct greta_parity_arguments {
	const char *model;
	const char *file, *prompt;   /* the text; both NULL: the built-in one */
	unsigned tokens;             /* at most so many of it */
	uint32_t context;            /* 0: as many as there are tokens */
	struct greta_parity_setup setups[GRETA_PARITY_SIDES_MAX];
	size_t sides;
	unsigned runs;
	uint32_t top_k;
	double tolerance;
	bool json, each_layer;
};

/* Returns -1, or the exit status when there is nothing more to do (0 after --help and --version, 2 after a line on
 * stderr that says what is wrong). */
int greta_parity_arguments_read(int argc, char **argv, struct greta_parity_arguments *out);

#endif
