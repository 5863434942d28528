/* The command line of greta-stability. */
#ifndef GRETA_BENCH_STABILITY_ARGUMENTS_H
#define GRETA_BENCH_STABILITY_ARGUMENTS_H

#include <stdint.h>

struct greta_stability_arguments {
	const char *model, *file;
	const char *markdown, *html, *json; /* where to; NULL: no such report */
	const char *provider, *kernels;
	uint32_t context, top_k;            /* context 0: as much as the fp64 model has time for */
	unsigned pieces, buckets;           /* pieces 0: likewise */
	unsigned threads;                   /* 0: all processors */
};

/* -1 when there is something to do; else the exit status, after printing what --help, --version or a mistake asks for.
 * Strings stay argv's. */
int greta_stability_arguments_read(int argc, char **argv, struct greta_stability_arguments *out);

#endif
