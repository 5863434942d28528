/* Random weight matrices for kernel checks. */
#ifndef GRETA_TESTS_WEIGHTS_H
#define GRETA_TESTS_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

struct check_weights {
	uint32_t type, layout, rows, cols;
	int exponent;
	void *data;   /* in the layout, of check_alloc; release with check_free */
	size_t bytes; /* of data */
};

/* Every type, in the order of GGUF's ids. */
#define CHECK_TYPES 8
extern const uint32_t check_types[CHECK_TYPES];

/* A matrix of random blocks. Scales are sane (`nasty` 0), or anything finite: signs, zeros, denormals, extremes. Unquantised
 * types are raw whatever `layout` says. */
struct check_weights check_weights(uint32_t type, uint32_t layout, uint32_t rows, uint32_t cols, int nasty);

#endif
