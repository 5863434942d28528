/* The ceiling that a decode step is measured against: how fast this machine's threads read memory. */
#ifndef GRETA_BENCH_READ_RATE_H
#define GRETA_BENCH_READ_RATE_H

#include <stddef.h>

#include "models/error.h"

/* Bytes per second at which `threads` threads together read a buffer of `bytes` once, from front to back, each its own
 * part: the best of `passes` passes after one that is not counted. The buffer should be larger than the caches. MEMORY
 * on failure. */
enum greta_status greta_read_rate(unsigned threads, size_t bytes, unsigned passes, double *out_rate,
                                  struct greta_error *error);

#endif
