#include "bench/parity/tolerance.h"

/* Against the oracle, by digits a value and by the caches' type: about four times the most that was measured. */
static const struct greta_parity_tolerance AGAINST_ORACLE[5][2] = {
	/* f16, f32; relative, cosine, divergence */
	[1] = {{4, 0.1, 5e-3}, {4, 0.1, 5e-3}},
	[2] = {{4e-2, 6e-6, 1e-6}, {2e-2, 3e-6, 5e-8}},
	[3] = {{4e-2, 4e-6, 1e-6}, {6e-5, 3e-11, 2e-12}},
	[4] = {{4e-2, 4e-6, 1e-6}, {5e-5, 4e-12, 2e-12}},
};

struct greta_parity_tolerance greta_parity_tolerance_of(const struct greta_parity_setup *a,
							const struct greta_parity_setup *b)
{
	const struct greta_parity_setup *const sides[] = {a, b};
	struct greta_parity_tolerance sum = {0};
	for (int s = 0; s < 2; s++) {
		if (sides[s]->oracle)
			continue;
		const struct greta_parity_tolerance *one = &AGAINST_ORACLE[sides[s]->activations][sides[s]->kv_f32];
		sum.relative += one->relative;
		sum.cosine += one->cosine;
		sum.divergence += one->divergence;
	}
	return sum;
}

bool greta_parity_within(const struct greta_parity_tolerance *tolerance, const struct greta_parity_errors *errors,
			 size_t places, const struct greta_parity_logits *logits, size_t *out_place)
{
	for (size_t l = 0; l < places; l++) {
		const struct greta_parity_errors *e = &errors[l];
		bool good = e->max_relative <= tolerance->relative && 1 - e->min_cosine <= tolerance->cosine &&
			    !e->not_finite[0] && !e->not_finite[1];
		if (e->rows && !good) {
			*out_place = l;
			return false;
		}
	}
	if (logits->rows && !(logits->max_divergence <= tolerance->divergence)) {
		*out_place = places - 1; /* the logits */
		return false;
	}
	return true;
}
