// Atomics, buffer instructions, loads that go straight to LDS.
#include <hip/hip_runtime.h>
#define KERNEL extern "C" __global__
typedef _Float16 h2 __attribute__((ext_vector_type(2)));
#ifdef __GFX9__   // the last word of a descriptor
#define LINEAR 0x27000
#else
#define LINEAR 0x31004000
#endif
__device__ void two_halves(h2 *to, h2 add)
{
#ifdef __GFX11__   // has no such atomic
	unsigned *word = (unsigned *)to, seen = *word, was;
	do {
		was = seen;
		seen = atomicCAS(word, was, __builtin_bit_cast(unsigned, __builtin_bit_cast(h2, was) + add));
	} while (seen != was);
#else
	__builtin_amdgcn_flat_atomic_fadd_v2f16(to, add);
#endif
}

KERNEL void histogram(const unsigned char *in, unsigned *bins, int n)
{
	__shared__ unsigned local[256];
	for (int i = threadIdx.x; i < 256; i += blockDim.x)
		local[i] = 0;
	__syncthreads();
	for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
		atomicAdd(&local[in[i]], 1u);
	__syncthreads();
	for (int i = threadIdx.x; i < 256; i += blockDim.x)
		atomicAdd(&bins[i], local[i]);
}

KERNEL void atomics32(int *g, const int *in, int *seen)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x, x = in[i];
	atomicAdd(&g[0], x);
	atomicSub(&g[1], x);
	atomicMin(&g[2], x);
	atomicMax(&g[3], x);
	atomicMin((unsigned *)&g[4], (unsigned)x);
	atomicMax((unsigned *)&g[5], (unsigned)x);
	atomicAnd(&g[6], x | 0xff);
	atomicOr(&g[7], x & 0xff00);
	atomicXor(&g[8], x);
	__builtin_amdgcn_atomic_inc32((unsigned *)&g[9], 100u, __ATOMIC_RELAXED, "agent");
	__builtin_amdgcn_atomic_dec32((unsigned *)&g[10], 1000u, __ATOMIC_RELAXED, "agent");
	seen[atomicAdd(&g[11], 1)] = i;
	if (x == in[77])
		atomicExch(&g[12], x);
	int old = g[13], expected;
	do {   // add by compare and swap
		expected = old;
		old = atomicCAS(&g[13], expected, expected + x);
	} while (old != expected);
}
KERNEL void atomics64(unsigned long long *g, const unsigned long long *in)
{
	unsigned long long x = in[blockIdx.x * blockDim.x + threadIdx.x];
	atomicAdd(&g[0], x);
	atomicMin(&g[1], x);
	atomicMax(&g[2], x);
	atomicAnd(&g[3], x | 0xffff);
	atomicOr(&g[4], x & 0xff00ff00ff00ull);
	atomicXor(&g[5], x);
	unsigned long long old = g[6], expected;
	do {
		expected = old;
		old = atomicCAS(&g[6], expected, expected * 1 + x);
	} while (old != expected);
}
KERNEL void atomics_float(float *f, double *d, h2 *h, const float *in)
{
	__shared__ float lf;
	__shared__ double ld;
	__shared__ unsigned long long lu;
	float x = in[blockIdx.x * blockDim.x + threadIdx.x];
	if (threadIdx.x == 0) {
		lf = 0;
		ld = 0;
		lu = 0;
	}
	__syncthreads();
	unsafeAtomicAdd(&f[0], x);
	unsafeAtomicAdd(&d[0], (double)x);
	atomicAdd(&f[1], x);
	two_halves(h, (h2){ (_Float16)1.0f, (_Float16)2.0f });
	atomicAdd(&lf, x);
	atomicAdd(&ld, (double)x);
	atomicAdd(&lu, 3ull);
	atomicMax(&lu, 5ull);
	__syncthreads();
	if (threadIdx.x == 0) {
		unsafeAtomicAdd(&f[2], lf);
		unsafeAtomicAdd(&d[1], ld);
		unsafeAtomicAdd(&d[2], (double)lu);
	}
}

KERNEL void lds_atomics(const int *in, int *out)
{
	__shared__ int g[8];
	__shared__ unsigned long long w[4];
	int t = threadIdx.x, x = in[t];
	if (t < 8)
		g[t] = t == 2 ? 0x7fffffff : t == 3 ? (int)0x80000000 : t == 4 ? -1 : 0;
	if (t < 4)
		w[t] = t == 1 ? ~0ull : 0;
	__syncthreads();
	int ticket = atomicAdd(&g[0], 1);
	atomicSub(&g[1], x);
	atomicMin(&g[2], x);
	atomicMax(&g[3], x);
	atomicAnd(&g[4], x | 0xf0);
	atomicOr(&g[5], x & 0xff);
	atomicXor(&g[6], x);
	int old = g[7], expected;
	do {
		expected = old;
		old = atomicCAS(&g[7], expected, expected + x);
	} while (old != expected);
	atomicAdd(&w[0], (unsigned long long)x);
	atomicMin(&w[1], (unsigned long long)(unsigned)x);
	atomicOr(&w[2], 1ull << (t & 63));
	__syncthreads();
	out[16 + ticket] = t;
	if (t < 8)
		out[t] = g[t];
	if (t < 3) {
		out[8 + 2 * t] = (int)w[t];
		out[9 + 2 * t] = (int)(w[t] >> 32);
	}
}

typedef int i4 __attribute__((ext_vector_type(4)));
typedef int i2 __attribute__((ext_vector_type(2)));
// A raw buffer of n dwords: elements behind it read 0, and are not written.
KERNEL void raw_buffer(int *in, int *out, int n)
{
	__amdgpu_buffer_rsrc_t r = __builtin_amdgcn_make_buffer_rsrc(in, 0, n * 4, LINEAR);
	__amdgpu_buffer_rsrc_t o = __builtin_amdgcn_make_buffer_rsrc(out, 0, n * 4, LINEAR);
	int t = threadIdx.x;
	unsigned x = __builtin_amdgcn_raw_buffer_load_b32(r, t * 4, 0, 0);
	i2 y = __builtin_amdgcn_raw_buffer_load_b64(r, t * 4 + 4, 8, 0);
	i4 z = __builtin_amdgcn_raw_buffer_load_b128(r, t * 16, 0, 0);
	unsigned short s = __builtin_amdgcn_raw_buffer_load_b16(r, t * 2, 4, 0);
	unsigned char c = __builtin_amdgcn_raw_buffer_load_b8(r, t, 0, 0);
	__builtin_amdgcn_raw_buffer_store_b32(x + y.x * 3 + y.y * 5 + z.x * 7 + z.y * 11 + z.z * 13 + z.w * 17 + s + c, o,
			t * 4, 0, 0);
}

#if __clang_major__ >= 20 && defined(__GFX9__)   // clang 19 crashes on it
KERNEL void load_to_lds(const int *in, int *out)
{
	__shared__ int s[2 * 64];
	int t = threadIdx.x;
	__builtin_amdgcn_global_load_lds((__attribute__((address_space(1))) void *)(in + (t ^ 5)),
			(__attribute__((address_space(3))) void *)s, 4, 0, 0);
	__builtin_amdgcn_global_load_lds((__attribute__((address_space(1))) void *)(in + 64 + t),
			(__attribute__((address_space(3))) void *)(s + 64), 4, 0, 0);
	__builtin_amdgcn_s_waitcnt(0);
	__syncthreads();
	out[t] = s[63 - t] + 1000 * s[64 + (t ^ 1)];
}
#endif
