/* Random weight matrices for kernel checks. */
#ifndef GRETA_TESTS_WEIGHTS_H
#define GRETA_TESTS_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

struct check_weights {
	uint32_t type, layout, rows, cols;
	int exponent;
	void *raw;    /* in GGUF's order */
	void *data;   /* in the layout; the same as `raw` where that is raw */
	size_t bytes; /* of data */
};

/* Every type, in the order of GGUF's ids. */
#define CHECK_TYPES 8
extern const uint32_t check_types[CHECK_TYPES];

/* A matrix of random blocks, for check_weights_free. Scales are sane (`nasty` 0), or anything finite: signs, zeros,
 * denormals, extremes. Types that a layout does not have are raw. */
struct check_weights check_weights(uint32_t type, uint32_t layout, uint32_t rows, uint32_t cols, int nasty);

void check_weights_free(struct check_weights *weights);

#endif
