/* Reads the scales of every matrix, for its exponent: the one look that planning takes at the weights themselves. */
#ifndef GRETA_PLANNER_SCAN_H
#define GRETA_PLANNER_SCAN_H

#include "planner/weights.h"

/* Sets the exponents of the product weights, by `threads` threads (0: one per processor, at most 8). The result does
 * not depend on their number. `progress` may be NULL; it is called from the calling thread. FORMAT for a scale that is
 * not finite (the first in the order of the table); without threads to be had the caller does the work alone. */
enum greta_status greta_weights_scan(struct greta_weights *weights, uint32_t threads,
				     void (*progress)(void *user, uint64_t done, uint64_t total), void *user,
				     struct greta_error *error);

#endif
