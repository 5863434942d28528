/* What the checker knows of each target: the functions of its module and what a launch of each must look like. */
#ifndef GRETA_VERIFY_TARGET_H
#define GRETA_VERIFY_TARGET_H

#include "kernels/abi.h"

#include <stdbool.h>

/* A function of the target's module. */
struct greta_target_function {
	const char *symbol;
	uint32_t kernel;      /* enum greta_kernel: which argument struct it takes */
	uint32_t types;       /* bit t: a matrix may have enum greta_type t */
	uint32_t threads;     /* of a block, exactly */
	uint32_t most_tokens; /* of the program; UINT32_MAX: any number */
	uint32_t tokens;      /* that a block takes, along y, where it is not one token: UINT32_MAX: all of them */
	uint32_t rows;        /* that a block takes, exactly; 0: any multiple of 16 up to most_rows */
	uint32_t most_rows;
	uint32_t bytes;       /* dynamic shared memory: of every block, … */
	uint32_t row_bytes;   /* … for each of its rows, … */
	uint32_t value_bytes; /* … and, besides the digits, for each value of an input that it makes them of itself */
	bool apart;           /* a block's rows are all of one matrix */
	bool given_digits;    /* it cannot make digits itself */
	bool splits;          /* attention: y splits the context, and it has counters; else y are tokens */
	bool one_head;        /* attention: heads_per_block is 1 */
};

struct greta_target_facts {
	const char *name;
	bool reads_model;            /* region MODEL may be used */
	uint32_t quantised_layout;   /* enum greta_layout of matrices of quantised types; the others are raw */
	uint32_t self_digits_tokens; /* of which a product may make the digits itself */
	uint32_t digits_bytes;       /* of a block of 256 values */
	uint32_t shared_most;        /* dynamic shared memory of a block */
	const struct greta_target_function *functions;
	size_t function_count;
};

/* The targets in the order of the table; NULL beyond the last. */
const struct greta_target_facts *greta_target_facts_at(size_t index);

/* NULL for a target that this build does not know. */
const struct greta_target_facts *greta_target_facts(const char *name);

/* The function named; NULL when the target has none of that name. */
const struct greta_target_function *greta_target_function(const struct greta_target_facts *facts, const char *symbol);

#endif
