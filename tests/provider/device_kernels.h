/* Kernels for the tests on a GPU, as code that its driver compiles, with their argument structs. */
#ifndef GRETA_TEST_DEVICE_KERNELS_H
#define GRETA_TEST_DEVICE_KERNELS_H

#include <stdint.h>

/* `mix`: every thread i of `count` does to[i] = mixed(from[(7 * i + 1) % count], key, i), so that each depends on
 * another block's work in the launch before. count is a power of two. */
struct device_mix {
	const uint32_t *from;
	uint32_t *to;
	uint32_t key, count;
};

/* `wait`: one thread spins until *gate is not 0, then writes it to *out. */
struct device_wait {
	const uint32_t *gate;
	uint32_t *out;
};

/* PTX of both. With `overlap` each kernel lets the next one start at once and waits itself for the one before
 * (sm_90 and newer). */
extern const char device_ptx[], device_ptx_overlap[];

#endif
