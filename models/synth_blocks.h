/* Random blocks of every weight type, made directly in their stored form: a few hundred megabytes a second, the
 * same bytes on every machine. */
#ifndef GRETA_SYNTH_BLOCKS_H
#define GRETA_SYNTH_BLOCKS_H

#include "models/types.h"

#include <stddef.h>
#include <stdint.h>

/* A stream of random numbers (splitmix64): the state is a counter, any value may start it. */
static inline uint64_t greta_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* What the blocks of one tensor share. */
struct greta_synth_filler {
	enum greta_type type;
	uint64_t random;
	float deviation;
	uint16_t scales[16], mins[16]; /* f16 d and dmin that a block picks from */
	union {
		uint16_t narrow[511];
		float wide[511];
	} values; /* F16, BF16, F32: what a value may be */
};

/* Prepares a tensor whose values are to have this standard deviation and mean 0. */
void greta_synth_filler_init(struct greta_synth_filler *filler, enum greta_type type, float deviation, uint64_t seed);

/* Writes the next `blocks` blocks; filling in several calls gives the same bytes as in one. */
void greta_synth_fill(struct greta_synth_filler *filler, void *out, size_t blocks);

/* f16 bits of a value, rounded to nearest even; beyond its range infinity. */
uint16_t greta_synth_f16(float value);

#endif
