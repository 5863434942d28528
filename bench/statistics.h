/* What is said about a list of samples. */
#ifndef GRETA_BENCH_STATISTICS_H
#define GRETA_BENCH_STATISTICS_H

#include <stddef.h>

struct bench_statistics {
	double mean, stddev; /* of the sample: divided by count - 1; 0 for one value */
	double median, min, max;
};

/* Of `count` >= 1 values, which are reordered. */
struct bench_statistics bench_statistics_of(double *values, size_t count);

#endif
