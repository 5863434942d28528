/* How far two sides may be apart that differ in a setting which changes numbers.
 * docs/parity.md has the measurements that the bounds come from. */
#ifndef GRETA_BENCH_PARITY_TOLERANCE_H
#define GRETA_BENCH_PARITY_TOLERANCE_H

#include "bench/parity/compare.h"
#include "bench/parity/setup.h"

struct greta_parity_tolerance {
	double relative;   /* max_relative, at every place */
	double cosine;     /* 1 - min_cosine, at every place */
	double divergence; /* max_divergence of the logits */
};

/* The sum of what the oracle allows each of them by its activations and caches; nothing for the oracle itself. */
struct greta_parity_tolerance greta_parity_tolerance_of(const struct greta_parity_setup *a,
							const struct greta_parity_setup *b);

/* Do the errors keep to it, and are all values finite? `errors` is [places]; *out_place is the first that does not. */
bool greta_parity_within(const struct greta_parity_tolerance *tolerance, const struct greta_parity_errors *errors,
			 size_t places, const struct greta_parity_logits *logits, size_t *out_place);

#endif
