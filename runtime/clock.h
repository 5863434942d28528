/* The host's clock for statistics. */
#ifndef GRETA_CLOCK_H
#define GRETA_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since some fixed moment; never goes back. */
static inline double greta_clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

/* The same in nanoseconds. */
static inline uint64_t greta_clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
