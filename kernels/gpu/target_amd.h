/* target.h for AMD, on the compiler's builtins alone: no HIP header and no device library. */
#ifndef GRETA_GPU_TARGET_AMD_H
#define GRETA_GPU_TARGET_AMD_H

#define GRETA_FN static inline __attribute__((device, always_inline, unused))
#define GRETA_DEVICE static inline __attribute__((device, always_inline, unused))
#define GRETA_SHARED static __attribute__((shared))
#define GRETA_DYNAMIC_SHARED(type, name) extern __attribute__((shared, aligned(16))) type name[]
#define GRETA_GPU_KERNEL(name, threads)                                                                                \
	extern "C" __attribute__((global, amdgpu_flat_work_group_size(64, threads))) void greta_##name(               \
		const struct greta_##name##_args a)

#ifdef __GFX9__
#define GRETA_WAVE 64
#else
#define GRETA_WAVE 32
#endif

#define fmaf __builtin_fmaf
#define fma __builtin_fma
#define rintf __builtin_rintf
#define sqrt __builtin_sqrt
#define memcpy __builtin_memcpy

GRETA_DEVICE uint32_t greta_thread(void) { return __builtin_amdgcn_workitem_id_x(); }
GRETA_DEVICE uint32_t greta_threads(void) { return __builtin_amdgcn_workgroup_size_x(); }
GRETA_DEVICE uint32_t greta_block_x(void) { return __builtin_amdgcn_workgroup_id_x(); }
GRETA_DEVICE uint32_t greta_block_y(void) { return __builtin_amdgcn_workgroup_id_y(); }

/* Code objects of version 5 and later begin the hidden arguments with the grid in blocks. */
GRETA_DEVICE uint32_t greta_blocks_x(void)
{
	return ((const __attribute__((address_space(4))) uint32_t *)__builtin_amdgcn_implicitarg_ptr())[0];
}
GRETA_DEVICE uint32_t greta_blocks_y(void)
{
	return ((const __attribute__((address_space(4))) uint32_t *)__builtin_amdgcn_implicitarg_ptr())[1];
}

GRETA_DEVICE uint32_t greta_lane(void)
{
	uint32_t lane = __builtin_amdgcn_mbcnt_lo(~0u, 0);
	return GRETA_WAVE == 64 ? __builtin_amdgcn_mbcnt_hi(~0u, lane) : lane;
}

GRETA_DEVICE void greta_barrier(void)
{
	__builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
	__builtin_amdgcn_s_barrier();
	__builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}

GRETA_DEVICE uint32_t greta_shuffle(uint32_t v, uint32_t lane)
{
	return (uint32_t)__builtin_amdgcn_ds_bpermute((int)(lane << 2), (int)v);
}

GRETA_DEVICE uint32_t greta_shuffle_xor(uint32_t v, uint32_t mask) { return greta_shuffle(v, greta_lane() ^ mask); }

GRETA_DEVICE int32_t greta_dot4(uint32_t a, uint32_t b, int32_t c)
{
#if defined(__gfx11__) || defined(__GFX11__) || defined(__GFX12__)
	return __builtin_amdgcn_sudot4(true, (int)a, true, (int)b, c, false);
#else
	return __builtin_amdgcn_sdot4((int)a, (int)b, c, false);
#endif
}

#endif
