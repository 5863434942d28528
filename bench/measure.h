/* Runs a request in this process. */
#ifndef GRETA_BENCH_MEASURE_H
#define GRETA_BENCH_MEASURE_H

#include <jansson.h>

#include "bench/request.h"

struct bench_outcome {
	json_t *document; /* document.h; not finished yet */
	char *arena;      /* request->picture: an SVG of the decode program's arena; NULL: none. From malloc */
};

/* The device's read rate first, then every test in every configuration, run by run, after one run that does not count;
 * the cost of launches last. Progress goes to stderr when it is a terminal. Errors as of greta_open and greta_feed;
 * MEMORY, DEVICE. */
enum greta_status bench_measure(const struct bench_request *request, struct bench_outcome *out_outcome,
                                struct greta_error *error);
void bench_outcome_finish(struct bench_outcome *outcome);

#endif
