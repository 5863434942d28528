/* Two traces of the same positions against each other: to the bit, and by how much. */
#ifndef GRETA_BENCH_PARITY_COMPARE_H
#define GRETA_BENCH_PARITY_COMPARE_H

#include "bench/parity/trace.h"

/* At one place, over all positions compared.
 * A value's error is |b - a|; relative to the root mean square of a's row. */
struct greta_parity_errors {
	uint64_t rows, values;
	uint64_t differing;     /* values whose bits differ (fp64 against fp32: whose values do); NaNs are all alike */
	double max_error, sum_error;
	double max_relative, sum_relative;
	double min_cosine;      /* of a row of one with that of the other */
	uint64_t not_finite[2]; /* values of a and of b that are NaN or infinite */
};

/* Of the logits, softmax taken, over the positions where both have them. */
struct greta_parity_logits {
	uint64_t rows;
	double max_divergence, sum_divergence; /* Kullback-Leibler, of b from a, in nats */
	uint64_t top1;          /* positions whose largest logit is the same token */
	double sum_overlap;     /* share of the top_k largest that are the same tokens, summed */
	uint32_t top_k;
};

struct greta_parity_difference {
	bool found;
	size_t place, position;
	uint32_t column, differing; /* the first one, and how many of the row */
	double a, b;
	uint32_t a_bits, b_bits;    /* of fp32 */
	struct greta_parity_step a_step, b_step;
};

/* Adds up. `errors` is [greta_parity_places]; places and positions that only one of them has are passed over.
 * *difference, unless it has one already, becomes the first: at the lowest place, there at the first position.
 * MEMORY. */
enum greta_status greta_parity_compare(const struct greta_parity_trace *a, const struct greta_parity_trace *b,
				       struct greta_parity_errors *errors, struct greta_parity_logits *logits,
				       struct greta_parity_difference *difference, struct greta_error *error);

/* The first difference alone, of the place given or, SIZE_MAX, of any. */
void greta_parity_first_difference(const struct greta_parity_trace *a, const struct greta_parity_trace *b, size_t place,
				   struct greta_parity_difference *difference);

#endif
