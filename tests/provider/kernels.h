/* A module of small kernels for the provider's tests. */
#ifndef GRETA_TEST_KERNELS_H
#define GRETA_TEST_KERNELS_H

#include "kernels/cpu/module.h"
#include "runtime/hip.h"

#include <stdatomic.h>
#include <stdint.h>

extern const struct greta_cpu_module test_module;

/* "nothing": no arguments. */

/* "mix": every word at its block's position becomes a function of itself, the block and `key`, so that order matters
 * and a block that is run twice or not at all shows. One block per word. */
struct test_mix {
	uint32_t *words;
	uint32_t key;
};
uint32_t test_mixed(uint32_t word, uint32_t key, uint32_t index);

/* "carry": one block; words[to] = mix(words[from]). */
struct test_carry {
	uint32_t *words;
	uint32_t from, to, key;
};

/* "where": notes each block's index and count, and how many blocks were the first of their worker. */
struct test_where {
	_Atomic uint32_t *seen; /* one word per block: how often it was run */
	_Atomic uint32_t *fresh;
	_Atomic uint32_t *wrong; /* grid, worker or shared memory not as they should be */
	uint32_t grid_x, grid_y, grid_z, workers, shared_bytes;
};

/* "wait": one block; returns when *gate is not 0. For holding the queue from the host. */
struct test_wait {
	const _Atomic uint32_t *gate;
};

/* "rounding": out[block] = 1 if denormals are kept and rounding is to nearest. */
struct test_rounding {
	uint32_t *out;
};

#endif
