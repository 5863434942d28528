/* What a GPU kernel may ask of its target, so that one source serves every vendor and wave width. A kernel file
 * includes this first, then abi.h and numbers.h, which are compiled for the device through it. Each vendor's file
 * defines the same names:
 *
 *   GRETA_GPU_KERNEL(name, threads)  opens the definition of kernel `greta_name`, whose argument struct is `a`;
 *                                    launched with at most `threads` threads a block, a multiple of 64, in x only
 *   GRETA_GPU_KERNEL_OF(name, suffix, threads)  the same for a form of the kernel, `greta_name` with a suffix
 *   GRETA_DEVICE                     a function of the device, inlined
 *   GRETA_MEMBER                     the same, a struct's
 *   GRETA_OUTLINED                   a large function of the device, compiled once where the target calls functions cheaply
 *   GRETA_SHARED                     a variable in the block's shared memory, of a size known when compiled
 *   GRETA_DYNAMIC_SHARED(type, name) the array of shared memory whose size the launch says; 16-byte aligned, one a
 *       kernel
 *   GRETA_WAVE                       lanes of a wave: 64 or 32
 *   greta_thread(), greta_threads()  this thread's index in its block; the block's threads
 *   greta_block_x(), greta_block_y() this block's index in the grid
 *   greta_blocks_x(), _y()           the grid
 *   greta_lane()                     this thread's index in its wave
 *   greta_wave_sync()                what the wave's lanes stored in shared memory before is seen by them after
 *   greta_barrier()                  the block waits for itself; what was stored before is seen after
 *   greta_shuffle_xor(v, mask)       v (u32, i32, float, u64, double) of lane ^ mask, below GRETA_WAVE; all lanes take
 *                                    part
 *   greta_shuffle(v, lane)           v of that lane; all lanes take part
 *   greta_swap<MASK>(v)              greta_shuffle_xor of a u32 by a constant, as cheap as the target has it
 *   greta_max32(v)                   the largest u32 among the lane's group of 32; all lanes take part
 *   greta_dot4(a, b, c)              c + the products of four signed bytes
 *   greta_mad_wide(c, a, b)          c + a b of two signed 32-bit numbers in 64 bits
 *   greta_keep(v)                    v, which the compiler shall not work out again where it is needed
 *   greta_bytes(a, b, selector)      four bytes of the eight of a (0 to 3) and b (4 to 7), named by the selector's
 *                                    nibbles
 *   greta_load4(p), greta_stream4(p) 16 aligned bytes of what no kernel in flight writes, as four words; the second for
 *                                    what is read once
 *   greta_fetch4(p)                  the same of what another kernel wrote
 *   GRETA_BULK                       1 where one thread can have a run of memory copied to shared memory while it does
 *                                    other things: greta_bulk_copy(shared, p, bytes, barrier), 16-byte aligned, after
 *                                    greta_bulk_begin(barrier) by the same thread, once; greta_bulk_wait(barrier,
 *                                    phase) by who reads it, phase being 0 for the barrier's first copy, 1 for the
 *                                    next, and so on in turns. Where it is 0, these do nothing
 *   GRETA_TEAM                       the most threads that can wait for each other alone: GRETA_WAVE, or those of several
 *                                    waves, by greta_team_barrier<TEAM>(barrier, phase), TEAM being as many or GRETA_WAVE,
 *                                    after greta_team_begin(barrier) by one of them: what they stored before is seen by
 *                                    them after; phase begins with 0, and is turned
 *   GRETA_ATTEND_SHARED_BYTES        dynamic shared memory of a block of attention of one token, as the planner gives
 *                                    it
 *   greta_copy_start(shared, p)      begins to bring 16 aligned bytes to shared memory; greta_copy_end(what it gave,
 *                                    shared) after it, as late as can be. greta_copies_started() ends a batch of them,
 *                                    greta_copies_wait<N>() waits for all of this thread's batches but the last N;
 *                                    others see them after a barrier
 *   greta_keep_order()               a hint: what stands after shall not be moved before, to save registers
 *   greta_next_may_start()           a hint: the next kernel may be started, up to its greta_wait_for_previous
 *   greta_wait_for_previous()        what earlier kernels wrote may be read from here on. Before it a kernel reads
 *                                    weights, and of a decode step also the state, and what earlier steps wrote: no
 *                                    kernel that ends a step (sample, advance) calls greta_next_may_start
 *   greta_clock()                    the clock that all compute units share, in ticks of
 *                                    hipDeviceAttributeWallClockRate
 *   greta_half(bits)                 an f16 as fp32
 *   greta_fma_down(x, y, z)          fp64 xy + z rounded towards -infinity, between greta_round_down_begin() and
 *                                    _end(); other fp64 arithmetic there must be exact
 *   greta_shared_add(p, v)           adds to a u64 or a u32 of shared memory, atomically; of a u32, gives what was there
 *   greta_lowest_bit(v)              the index of the lowest bit set of a u32 that is not 0
 *   greta_publish()                  what this thread wrote goes out to the device: each thread of a block calls it
 *                                    before a barrier, after which one of them calls greta_count_one
 *   greta_count_one(counter)         adds one atomically, gives what was there; what the block has published is visible
 *                                    to who counts after, and to its block after a barrier
 *   greta_wave_barrier()             what the wave's lanes stored in shared memory before is seen by all of them after
 *   greta_uniform(v)                 v, which is the same in all lanes of the wave
 *   greta_load_fresh(p)              reads what other blocks of this launch, or an earlier kernel that is not over, wrote
 *   greta_store_system(p, v)         stores for the host to see, after all stores before
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

template <bool SHARED> GRETA_DEVICE struct greta_vector4 greta_tile4(const void *p)
{
	if (!SHARED)
		return greta_stream4(p);
	struct greta_vector4 v;
	memcpy(&v, __builtin_assume_aligned(p, 16), sizeof(v));
	return v;
}

GRETA_DEVICE constexpr uint32_t greta_max(uint32_t a, uint32_t b) { return a > b ? a : b; }
GRETA_DEVICE constexpr uint32_t greta_min(uint32_t a, uint32_t b) { return a < b ? a : b; }

template <uint32_t TEAM> GRETA_DEVICE void greta_team_barrier(uint64_t *barrier, uint32_t &phase)
{
	greta_wave_sync();
	if (TEAM == GRETA_WAVE)
		return;
	greta_team_wait(barrier, phase);
	phase ^= 1;
}

/* Eight floats of a 16-byte aligned place. */
GRETA_DEVICE void greta_load_floats8(const float *p, float out[8])
{
	struct greta_float4 {
		float v[4];
	} __attribute__((aligned(16)));
	struct greta_float4 low = ((const struct greta_float4 *)p)[0], high = ((const struct greta_float4 *)p)[1];
	for (int i = 0; i < 4; i++) {
		out[i] = low.v[i];
		out[4 + i] = high.v[i];
	}
}

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
