/* The host's steady clock. */
#ifndef GRETA_BENCH_CLOCK_H
#define GRETA_BENCH_CLOCK_H

#include <time.h>

static inline double greta_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#endif
