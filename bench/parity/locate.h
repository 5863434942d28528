/* Which launch made two sides differ. */
#ifndef GRETA_BENCH_PARITY_LOCATE_H
#define GRETA_BENCH_PARITY_LOCATE_H

#include "bench/parity/compare.h"
#include "bench/parity/side.h"

#define GRETA_PARITY_SYMBOL_MAX 96

/* A launch of b's plan. */
struct greta_parity_launch {
	bool found;
	char program[32];
	uint32_t index;     /* within its program, from 0 */
	char kernel[32];    /* as in the ABI */
	char symbol[GRETA_PARITY_SYMBOL_MAX]; /* in the module */
	uint32_t layer;     /* or GRETA_PLAN_NONE */
	enum greta_block block;
	bool takes_digits;  /* another launch made the digits of its input, unseen: it may have been that one */
};

struct greta_parity_cause {
	struct greta_parity_launch launch;   /* that wrote the difference, as the sides were planned */
	bool unfused;                        /* whether they were planned again, one kernel an operation, which gave: */
	struct greta_parity_difference first; /* not found: then they are equal, and the fused kernel alone is wrong */
	struct greta_parity_launch culprit;  /* that wrote it; as `launch` where nothing was planned again */
};

/* The launch of the side's plan that wrote last at the place of a difference, in the step given. */
struct greta_parity_launch greta_parity_writer(const struct greta_parity_side *side, size_t place,
					       const struct greta_parity_step *step);

/* Explains the first difference of two sides over `count` tokens. Opens both anew, unfused, and takes the text up to
 * the difference; where several launches write one buffer in turn, runs the step again only as far as each of them.
 * Errors as of greta_parity_side_open and _take. */
enum greta_status greta_parity_locate(const char *model, uint32_t context, size_t room,
				      const struct greta_parity_side *a, const struct greta_parity_side *b,
				      const int32_t *tokens, size_t count,
				      const struct greta_parity_difference *difference,
				      struct greta_parity_cause *out_cause, struct greta_error *error);

#endif
