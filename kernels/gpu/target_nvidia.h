/* target.h for NVIDIA, on what nvcc knows without an include. */
#ifndef GRETA_GPU_TARGET_NVIDIA_H
#define GRETA_GPU_TARGET_NVIDIA_H

#define GRETA_FN static __device__ __forceinline__ __attribute__((unused))
#define GRETA_DEVICE static __device__ __forceinline__ __attribute__((unused))
#define GRETA_SHARED static __shared__
#define GRETA_DYNAMIC_SHARED(type, name) extern __shared__ __align__(16) type name[]
#define GRETA_GPU_KERNEL(name, threads)                                                                                \
	extern "C" __global__ void __launch_bounds__(threads) greta_##name(                                            \
		const __grid_constant__ struct greta_##name##_args a)

#define GRETA_WAVE 32

GRETA_DEVICE uint32_t greta_thread(void) { return threadIdx.x; }
GRETA_DEVICE uint32_t greta_threads(void) { return blockDim.x; }
GRETA_DEVICE uint32_t greta_block_x(void) { return blockIdx.x; }
GRETA_DEVICE uint32_t greta_block_y(void) { return blockIdx.y; }
GRETA_DEVICE uint32_t greta_blocks_x(void) { return gridDim.x; }
GRETA_DEVICE uint32_t greta_blocks_y(void) { return gridDim.y; }
GRETA_DEVICE uint32_t greta_lane(void) { return threadIdx.x & 31; }
GRETA_DEVICE void greta_barrier(void) { __syncthreads(); }

GRETA_DEVICE uint32_t greta_shuffle(uint32_t v, uint32_t lane) { return __shfl_sync(0xffffffffu, v, (int)lane); }
GRETA_DEVICE uint32_t greta_shuffle_xor(uint32_t v, uint32_t mask)
{
	return __shfl_xor_sync(0xffffffffu, v, (int)mask);
}

GRETA_DEVICE int32_t greta_dot4(uint32_t a, uint32_t b, int32_t c) { return __dp4a((int)a, (int)b, c); }

#endif
