/* target.h for NVIDIA, on what nvcc knows without an include. */
#ifndef GRETA_GPU_TARGET_NVIDIA_H
#define GRETA_GPU_TARGET_NVIDIA_H

#define GRETA_FN static __device__ __forceinline__ __attribute__((unused))
#define GRETA_DEVICE static __device__ __forceinline__ __attribute__((unused))
#define GRETA_MEMBER __device__ __forceinline__
#define GRETA_OUTLINED static __device__ __noinline__ __attribute__((unused))
#define GRETA_SHARED static __shared__
#define GRETA_DYNAMIC_SHARED(type, name) extern __shared__ __align__(16) type name[]
#define GRETA_GPU_KERNEL(name, threads)                                                                                \
	extern "C" __global__ void __launch_bounds__(threads, 1) greta_##name(                                          \
		const __grid_constant__ struct greta_##name##_args a)

#define GRETA_GPU_KERNEL_OF(name, suffix, threads)                                                                     \
	extern "C" __global__ void __launch_bounds__(threads) greta_##name##suffix(                                    \
		const __grid_constant__ struct greta_##name##_args a)

#define GRETA_WAVE 32
#define GRETA_INFINITY __int_as_float(0x7f800000)

GRETA_DEVICE uint32_t greta_thread(void) { return threadIdx.x; }
GRETA_DEVICE uint32_t greta_threads(void) { return blockDim.x; }
GRETA_DEVICE uint32_t greta_block_x(void) { return blockIdx.x; }
GRETA_DEVICE uint32_t greta_block_y(void) { return blockIdx.y; }
GRETA_DEVICE uint32_t greta_blocks_x(void) { return gridDim.x; }
GRETA_DEVICE uint32_t greta_blocks_y(void) { return gridDim.y; }
GRETA_DEVICE uint32_t greta_lane(void) { return threadIdx.x & 31; }
GRETA_DEVICE void greta_barrier(void) { __syncthreads(); }
GRETA_DEVICE void greta_wave_sync(void) { __syncwarp(); }

GRETA_DEVICE uint32_t greta_shuffle(uint32_t v, uint32_t lane) { return __shfl_sync(0xffffffffu, v, (int)lane); }
GRETA_DEVICE uint32_t greta_shuffle_xor(uint32_t v, uint32_t mask)
{
	return __shfl_xor_sync(0xffffffffu, v, (int)mask);
}

GRETA_DEVICE int32_t greta_dot4(uint32_t a, uint32_t b, int32_t c) { return __dp4a((int)a, (int)b, c); }

/* As an instruction of its own: the compiler makes shifts of it. */
GRETA_DEVICE uint64_t greta_mad_wide(uint64_t c, int32_t a, int32_t b)
{
	uint64_t r;
	asm("mad.wide.s32 %0, %1, %2, %3;" : "=l"(r) : "r"(a), "r"(b), "l"(c));
	return r;
}

GRETA_DEVICE uint32_t greta_keep(uint32_t v)
{
	asm volatile("" : "+r"(v));
	return v;
}

GRETA_DEVICE uint32_t greta_uniform(uint32_t v) { return v; }

GRETA_DEVICE uint32_t greta_bytes(uint32_t a, uint32_t b, uint32_t selector) { return __byte_perm(a, b, selector); }

struct greta_vector4 {
	uint32_t w[4];
};

GRETA_DEVICE struct greta_vector4 greta_load4(const void *p)
{
	uint4 v = __ldg((const uint4 *)p);
	return {{v.x, v.y, v.z, v.w}};
}

GRETA_DEVICE struct greta_vector4 greta_fetch4(const void *p)
{
	uint4 v = *(const uint4 *)p;
	return {{v.x, v.y, v.z, v.w}};
}

GRETA_DEVICE struct greta_vector4 greta_stream4(const void *p)
{
	struct greta_vector4 v;
	asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
	             : "=r"(v.w[0]), "=r"(v.w[1]), "=r"(v.w[2]), "=r"(v.w[3])
	             : "l"(p));
	return v;
}

struct greta_copy {};
GRETA_DEVICE struct greta_copy greta_copy_start(void *shared, const void *p)
{
	asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"((uint32_t)__cvta_generic_to_shared(shared)), "l"(p)
	             : "memory");
	return {};
}
GRETA_DEVICE void greta_copy_end(struct greta_copy, void *) {}
GRETA_DEVICE void greta_copies_started(void) { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <uint32_t LATER> GRETA_DEVICE void greta_copies_wait(void)
{
	asm volatile("cp.async.wait_group %0;" ::"n"(LATER) : "memory");
}

GRETA_DEVICE uint32_t greta_shared_address(const void *p) { return (uint32_t)__cvta_generic_to_shared(p); }

GRETA_DEVICE void greta_keep_order(void) {}

#if __CUDA_ARCH__ >= 900
#include "kernels/gpu/nvidia_90.h"
#else
#include "kernels/gpu/nvidia_80.h"
#endif

/* Nanoseconds, in steps that differ from chip to chip. */
GRETA_DEVICE uint64_t greta_clock(void)
{
	uint64_t now;
	asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now)::"memory");
	return now;
}

template <uint32_t MASK> GRETA_DEVICE uint32_t greta_swap(uint32_t v)
{
	return __shfl_xor_sync(0xffffffffu, v, (int)MASK);
}

GRETA_DEVICE uint32_t greta_max32(uint32_t v) { return __reduce_max_sync(0xffffffffu, v); }

GRETA_DEVICE float greta_half(uint32_t h)
{
	float x;
	asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"((uint16_t)h));
	return x;
}

GRETA_DEVICE void greta_round_down_begin(void) {}
GRETA_DEVICE void greta_round_down_end(void) {}
GRETA_DEVICE double greta_fma_down(double x, double y, double z) { return __fma_rd(x, y, z); }

GRETA_DEVICE void greta_publish(void) {} /* the fence of who counts is enough */
GRETA_DEVICE uint32_t greta_count_one(uint32_t *counter)
{
	asm volatile("fence.acq_rel.gpu;" ::: "memory");
	uint32_t before = atomicAdd(counter, 1u);
	asm volatile("fence.acq_rel.gpu;" ::: "memory");
	return before;
}
GRETA_DEVICE void greta_wave_barrier(void) { __syncwarp(); }
GRETA_DEVICE uint32_t greta_shared_add(uint32_t *p, uint32_t v) { return atomicAdd(p, v); }
/* In halves: of 64 bits at once the compiler makes a loop that compares and swaps. Each wrap of the lower half is seen by
 * the one addition that makes it. */
GRETA_DEVICE void greta_shared_add(uint64_t *p, uint64_t v)
{
	uint32_t *half = (uint32_t *)p, low = (uint32_t)v;
	uint32_t high = (uint32_t)(v >> 32) + (atomicAdd(half, low) + low < low);
	if (high)
		atomicAdd(half + 1, high);
}
GRETA_DEVICE uint32_t greta_lowest_bit(uint32_t v) { return (uint32_t)__ffs((int)v) - 1; }
GRETA_DEVICE float greta_load_fresh(const float *p) { return __ldcg(p); }
GRETA_DEVICE uint32_t greta_load_fresh(const uint32_t *p) { return __ldcg(p); }
GRETA_DEVICE void greta_store_system(uint32_t *p, uint32_t v)
{
	asm volatile("st.release.sys.global.u32 [%0], %1;" ::"l"(p), "r"(v) : "memory");
}

#endif
