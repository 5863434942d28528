/* What the checks' --bench prints of a target: a line a launch, as a plan makes it. */
#ifndef GRETA_TESTS_GPU_SPEED_H
#define GRETA_TESTS_GPU_SPEED_H

#include "kernels/abi.h"

/* Measures and prints the target's read rate.
 * 0; or the status of a skipped test, the reason printed, where no target with a clock is given. */
int speed_start(void);

/* Times a launch among many in a graph, each over memory of its own, and prints `what`, microseconds, `bytes` (what it
 * must read and write) over the time, their share of the read rate, and `macs` products a second if there are any. The
 * pointers in `args` are of check_alloc, but for the state. */
void speed_of(const char *what, enum greta_kernel kernel, const void *args, double bytes, double macs);

#endif
