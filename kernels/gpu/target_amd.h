/* target.h for AMD, on the compiler's builtins alone: no HIP header and no device library. */
#ifndef GRETA_GPU_TARGET_AMD_H
#define GRETA_GPU_TARGET_AMD_H

#define GRETA_FN static inline __attribute__((device, always_inline, unused))
#define GRETA_DEVICE static inline __attribute__((device, always_inline, unused))
#define GRETA_MEMBER __attribute__((device, always_inline))
#define GRETA_OUTLINED GRETA_DEVICE
#define GRETA_SHARED static __attribute__((shared))
#define GRETA_DYNAMIC_SHARED(type, name) extern __attribute__((shared, aligned(16))) type name[]
#ifdef __GFX9__
#define GRETA_WAVE 64
#define GRETA_AMD_LAUNCHED(threads) amdgpu_flat_work_group_size(64, threads)
#else
#define GRETA_WAVE 32
/* Of blocks of 512 threads, two are to fit the two compute units (four times 1,536 registers) that a block runs on. */
#define GRETA_AMD_LAUNCHED(threads)                                                                                    \
	amdgpu_flat_work_group_size(64, threads), amdgpu_waves_per_eu((threads) == 512 ? 8 : 1)
#endif

#define GRETA_GPU_KERNEL(name, threads)                                                                                \
	extern "C" __attribute__((global, GRETA_AMD_LAUNCHED(threads))) void greta_##name(                             \
		const struct greta_##name##_args a)

#define GRETA_GPU_KERNEL_OF(name, suffix, threads)                                                                     \
	extern "C" __attribute__((global, GRETA_AMD_LAUNCHED(threads))) void greta_##name##suffix(                     \
		const struct greta_##name##_args a)

#define GRETA_INFINITY __builtin_inff()

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

GRETA_DEVICE void greta_wave_sync(void)
{
	__builtin_amdgcn_fence(__ATOMIC_ACQ_REL, "wavefront");
	__builtin_amdgcn_wave_barrier();
}

#define GRETA_TEAM GRETA_WAVE
GRETA_DEVICE void greta_team_begin(uint64_t *) {}
GRETA_DEVICE void greta_team_wait(uint64_t *, uint32_t) {}

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

GRETA_DEVICE uint64_t greta_mad_wide(uint64_t c, int32_t a, int32_t b) { return c + (uint64_t)((int64_t)a * b); }

GRETA_DEVICE uint32_t greta_keep(uint32_t v)
{
	asm volatile("" : "+v"(v));
	return v;
}

GRETA_DEVICE uint32_t greta_uniform(uint32_t v) { return (uint32_t)__builtin_amdgcn_readfirstlane((int)v); }

/* v_perm counts the bytes of its second operand first and takes a selector of bytes. */
GRETA_DEVICE uint32_t greta_bytes(uint32_t a, uint32_t b, uint32_t selector)
{
	uint32_t wide = (selector & 7) | (selector & 0x70) << 4 | (selector & 0x700) << 8 | (selector & 0x7000) << 12;
	return __builtin_amdgcn_perm(b, a, wide);
}

/* p, which is an address in the device's memory; a compiler that does not see that makes loads that may also be of
 * shared memory, and wait for both. */
GRETA_DEVICE const uint8_t *greta_in_memory(const uint8_t *p)
{
	return (const uint8_t *)(const __attribute__((address_space(1))) uint8_t *)(uintptr_t)p;
}

struct greta_vector4 {
	uint32_t w[4];
};
typedef uint32_t greta_amd_u32x4 __attribute__((ext_vector_type(4)));

GRETA_DEVICE struct greta_vector4 greta_load4(const void *p)
{
	greta_amd_u32x4 v = *(const greta_amd_u32x4 *)p;
	return {{v.x, v.y, v.z, v.w}};
}

GRETA_DEVICE struct greta_vector4 greta_fetch4(const void *p) { return greta_load4(p); }

GRETA_DEVICE struct greta_vector4 greta_stream4(const void *p)
{
	greta_amd_u32x4 v = __builtin_nontemporal_load((const greta_amd_u32x4 *)p);
	return {{v.x, v.y, v.z, v.w}};
}

struct greta_copy {
	struct greta_vector4 v;
};
GRETA_DEVICE struct greta_copy greta_copy_start(void *, const void *p) { return {greta_load4(p)}; }
GRETA_DEVICE void greta_copy_end(struct greta_copy c, void *shared)
{
	memcpy(__builtin_assume_aligned(shared, 16), &c.v, 16);
}
GRETA_DEVICE void greta_copies_started(void) {}
template <uint32_t LATER> GRETA_DEVICE void greta_copies_wait(void) {}

#define GRETA_PRODUCT_THREADS 512 /* of a block that multiplies one token, as the planner launches it */
#define GRETA_BULK 0
#define GRETA_ATTEND_SHARED_BYTES 32768 /* of attention's block: values */
GRETA_DEVICE void greta_bulk_begin(uint64_t *) {}
GRETA_DEVICE void greta_bulk_copy(void *, const void *, uint32_t, uint64_t *) {}
GRETA_DEVICE void greta_bulk_wait(uint64_t *, uint32_t) {}
GRETA_DEVICE void greta_keep_order(void) { __builtin_amdgcn_sched_barrier(0); }
GRETA_DEVICE void greta_next_may_start(void) {}
GRETA_DEVICE void greta_wait_for_previous(void) {}
GRETA_DEVICE uint64_t greta_clock(void) { return __builtin_readsteadycounter(); }

template <uint32_t MASK> GRETA_DEVICE uint32_t greta_swap(uint32_t v)
{
	if (MASK < 4)
		return (uint32_t)__builtin_amdgcn_mov_dpp(
		    (int)v, (0 ^ MASK) | (1 ^ MASK) << 2 | (2 ^ MASK) << 4 | (3 ^ MASK) << 6, 15, 15, true);
	if (MASK == 8) /* a rotation of the 16 lanes of a row by 8 */
		return (uint32_t)__builtin_amdgcn_mov_dpp((int)v, 0x128, 15, 15, true);
	return (uint32_t)__builtin_amdgcn_ds_swizzle((int)v, (int)(MASK << 10 | 31));
}

GRETA_DEVICE uint32_t greta_max32(uint32_t v)
{
	uint32_t other = greta_swap<16>(v);
	v = other > v ? other : v;
	other = greta_swap<8>(v);
	v = other > v ? other : v;
	other = greta_swap<4>(v);
	v = other > v ? other : v;
	other = greta_swap<2>(v);
	v = other > v ? other : v;
	other = greta_swap<1>(v);
	return other > v ? other : v;
}

GRETA_DEVICE float greta_half(uint32_t h)
{
	uint16_t bits = (uint16_t)h;
	_Float16 x;
	memcpy(&x, &bits, sizeof(x));
	return (float)x;
}

/* The rounding of fp64 is a mode of the wave. The fused multiply-add is volatile so that it stays inside. */
GRETA_DEVICE void greta_round_down_begin(void)
{
	asm volatile("s_setreg_imm32_b32 hwreg(HW_REG_MODE, 2, 2), 2" ::: "memory");
}
GRETA_DEVICE void greta_round_down_end(void)
{
	asm volatile("s_setreg_imm32_b32 hwreg(HW_REG_MODE, 2, 2), 0" ::: "memory");
}
GRETA_DEVICE double greta_fma_down(double x, double y, double z)
{
	double r;
	asm volatile("v_fma_f64 %0, %1, %2, %3" : "=v"(r) : "v"(x), "v"(y), "v"(z));
	return r;
}

GRETA_DEVICE void greta_publish(void) { __builtin_amdgcn_fence(__ATOMIC_RELEASE, "agent"); }
GRETA_DEVICE uint32_t greta_count_one(uint32_t *counter)
{
	return __hip_atomic_fetch_add(counter, 1u, __ATOMIC_ACQ_REL, __HIP_MEMORY_SCOPE_AGENT);
}
GRETA_DEVICE void greta_wave_barrier(void)
{
	__builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
	__builtin_amdgcn_wave_barrier();
	__builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
}
GRETA_DEVICE void greta_shared_add(uint64_t *p, uint64_t v)
{
	__hip_atomic_fetch_add(p, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_WORKGROUP);
}
GRETA_DEVICE uint32_t greta_shared_add(uint32_t *p, uint32_t v)
{
	return __hip_atomic_fetch_add(p, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_WORKGROUP);
}
GRETA_DEVICE uint32_t greta_lowest_bit(uint32_t v) { return (uint32_t)__builtin_ctz(v); }
GRETA_DEVICE uint32_t greta_load_fresh(const uint32_t *p)
{
	return __hip_atomic_load(p, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
GRETA_DEVICE float greta_load_fresh(const float *p)
{
	return __hip_atomic_load(p, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
GRETA_DEVICE void greta_store_system(uint32_t *p, uint32_t v)
{
	__hip_atomic_store(p, v, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_SYSTEM);
}

#endif
