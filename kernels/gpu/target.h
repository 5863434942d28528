/* What a GPU kernel may ask of its target, so that one source serves every vendor and wave width. A kernel file
 * includes this first, then abi.h and numbers.h, which are compiled for the device through it. Each vendor's file
 * defines the same names:
 *
 *   GRETA_GPU_KERNEL(name, threads)  opens the definition of kernel `greta_name`, whose argument struct is `a`;
 *                                    launched with at most `threads` threads a block, a multiple of 64, in x only
 *   GRETA_DEVICE                     a function of the device, inlined
 *   GRETA_SHARED                     a variable in the block's shared memory, of a size known when compiled
 *   GRETA_DYNAMIC_SHARED(type, name) the array of shared memory whose size the launch says; 16-byte aligned,
 *                                    one a kernel
 *   GRETA_WAVE                       lanes of a wave: 64 or 32
 *   greta_thread(), greta_threads()  this thread's index in its block; the block's threads
 *   greta_block_x(), greta_block_y() this block's index in the grid
 *   greta_blocks_x(), _y()           the grid
 *   greta_lane()                     this thread's index in its wave
 *   greta_barrier()                  the block waits for itself; what was stored before is seen after
 *   greta_shuffle_xor(v, mask)       v (u32, i32, float, u64, double) of lane ^ mask, below GRETA_WAVE; all lanes
 *                                    take part
 *   greta_shuffle(v, lane)           v of that lane; all lanes take part
 *   greta_dot4(a, b, c)              c + the products of four signed bytes
 *
 * Also fmaf, fma, rintf, sqrt, memcpy as in C. Everything is IEEE: division and square root are correctly rounded,
 * denormals are kept, nothing is contracted (kernels/gpu/meson.build has the options). What is equal to the bit in
 * waves of 32 and of 64 is the kernel's business: groups of 32 lanes, whose xor masks are below 32, exist in both. */
#ifndef GRETA_GPU_TARGET_H
#define GRETA_GPU_TARGET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __HIP__
#include "kernels/gpu/target_amd.h"
#else
#include "kernels/gpu/target_nvidia.h"
#endif

#define GRETA_ABI_FN GRETA_FN

/* 64-bit values go through the 32-bit lanes in two halves. */
GRETA_DEVICE uint64_t greta_shuffle_xor(uint64_t v, uint32_t mask)
{
	return (uint64_t)greta_shuffle_xor((uint32_t)(v >> 32), mask) << 32 | greta_shuffle_xor((uint32_t)v, mask);
}

GRETA_DEVICE uint64_t greta_shuffle(uint64_t v, uint32_t lane)
{
	return (uint64_t)greta_shuffle((uint32_t)(v >> 32), lane) << 32 | greta_shuffle((uint32_t)v, lane);
}

/* Types other than the unsigned ones go as their bits. */
#define GRETA_SHUFFLE_AS(type, bits)                                                                                   \
	GRETA_DEVICE type greta_shuffle_xor(type v, uint32_t mask)                                                     \
	{                                                                                                              \
		bits u;                                                                                                \
		memcpy(&u, &v, sizeof(u));                                                                             \
		u = greta_shuffle_xor(u, mask);                                                                        \
		memcpy(&v, &u, sizeof(v));                                                                             \
		return v;                                                                                              \
	}                                                                                                              \
	GRETA_DEVICE type greta_shuffle(type v, uint32_t lane)                                                         \
	{                                                                                                              \
		bits u;                                                                                                \
		memcpy(&u, &v, sizeof(u));                                                                             \
		u = greta_shuffle(u, lane);                                                                            \
		memcpy(&v, &u, sizeof(v));                                                                             \
		return v;                                                                                              \
	}
GRETA_SHUFFLE_AS(int32_t, uint32_t)
GRETA_SHUFFLE_AS(float, uint32_t)
GRETA_SHUFFLE_AS(int64_t, uint64_t)
GRETA_SHUFFLE_AS(double, uint64_t)
#undef GRETA_SHUFFLE_AS

#endif
