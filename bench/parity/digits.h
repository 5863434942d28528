/* Whether digits (activations in fixed point) that a launch of their own made are right: the definition, applied to
 * what that launch read, must give the same integers, whatever the layout that the target keeps them in. */
#ifndef GRETA_BENCH_PARITY_DIGITS_H
#define GRETA_BENCH_PARITY_DIGITS_H

#include "bench/parity/side.h"

struct greta_parity_digits {
	bool checked;    /* false: the launch takes none that another launch made of a buffer,
			  * or their layout is not known */
	bool right;      /* at the position asked for */
	uint32_t maker;  /* the launch that made them, within the program */
};

/* Of launch `index` of the step's program. Runs the step again as far as that launch: the side is behind the step then.
 * Errors as of greta_parity_side_take_part. */
enum greta_status greta_parity_digits_check(struct greta_parity_side *side, const int32_t *tokens,
					    const struct greta_parity_step *step, uint32_t index, size_t position,
					    struct greta_parity_digits *out_digits, struct greta_error *error);

#endif
