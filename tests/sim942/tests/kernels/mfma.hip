// Matrix instructions: each shape by its raw registers, and whole products built on them.
#include <hip/hip_runtime.h>
#define KERNEL extern "C" __global__
typedef float f4 __attribute__((ext_vector_type(4)));
typedef float f2 __attribute__((ext_vector_type(2)));
typedef float f16v __attribute__((ext_vector_type(16)));
typedef float f32v __attribute__((ext_vector_type(32)));
typedef int i4 __attribute__((ext_vector_type(4)));
typedef int i16v __attribute__((ext_vector_type(16)));
typedef int i32v __attribute__((ext_vector_type(32)));
typedef double d4 __attribute__((ext_vector_type(4)));
typedef _Float16 h4 __attribute__((ext_vector_type(4)));
typedef short s4 __attribute__((ext_vector_type(4)));
typedef int i2 __attribute__((ext_vector_type(2)));

// Registers as the host laid them out: a[register][lane] and so on.
template <typename T> __device__ T take(const unsigned *p)
{
	union { T value; unsigned words[sizeof(T) / 4]; } u;
	for (unsigned i = 0; i < sizeof(T) / 4; i++)
		u.words[i] = p[i * 64 + threadIdx.x];
	return u.value;
}
template <typename T> __device__ void give(unsigned *p, T value)
{
	union { T value; unsigned words[sizeof(T) / 4]; } u;
	u.value = value;
	for (unsigned i = 0; i < sizeof(T) / 4; i++)
		p[i * 64 + threadIdx.x] = u.words[i];
}
#define SHAPE(name, A, C, builtin, cbsz, abid, blgp) \
	KERNEL void name(const unsigned *a, const unsigned *b, const unsigned *c, unsigned *d) \
	{ \
		give<C>(d, builtin(take<A>(a), take<A>(b), take<C>(c), cbsz, abid, blgp)); \
	}
SHAPE(mfma_f32_32x32x1_2b, float, f32v, __builtin_amdgcn_mfma_f32_32x32x1f32, 0, 0, 0)
SHAPE(mfma_f32_16x16x1_4b, float, f16v, __builtin_amdgcn_mfma_f32_16x16x1f32, 0, 0, 0)
SHAPE(mfma_f32_4x4x1_16b, float, f4, __builtin_amdgcn_mfma_f32_4x4x1f32, 0, 0, 0)
SHAPE(mfma_f32_32x32x2, float, f16v, __builtin_amdgcn_mfma_f32_32x32x2f32, 0, 0, 0)
SHAPE(mfma_f32_16x16x4, float, f4, __builtin_amdgcn_mfma_f32_16x16x4f32, 0, 0, 0)
SHAPE(mfma_f16_32x32x4_2b, h4, f32v, __builtin_amdgcn_mfma_f32_32x32x4f16, 0, 0, 0)
SHAPE(mfma_f16_16x16x4_4b, h4, f16v, __builtin_amdgcn_mfma_f32_16x16x4f16, 0, 0, 0)
SHAPE(mfma_f16_4x4x4_16b, h4, f4, __builtin_amdgcn_mfma_f32_4x4x4f16, 0, 0, 0)
SHAPE(mfma_f16_32x32x8, h4, f16v, __builtin_amdgcn_mfma_f32_32x32x8f16, 0, 0, 0)
SHAPE(mfma_f16_16x16x16, h4, f4, __builtin_amdgcn_mfma_f32_16x16x16f16, 0, 0, 0)
SHAPE(mfma_bf16_32x32x4_2b, s4, f32v, __builtin_amdgcn_mfma_f32_32x32x4bf16_1k, 0, 0, 0)
SHAPE(mfma_bf16_16x16x4_4b, s4, f16v, __builtin_amdgcn_mfma_f32_16x16x4bf16_1k, 0, 0, 0)
SHAPE(mfma_bf16_4x4x4_16b, s4, f4, __builtin_amdgcn_mfma_f32_4x4x4bf16_1k, 0, 0, 0)
SHAPE(mfma_bf16_32x32x8, s4, f16v, __builtin_amdgcn_mfma_f32_32x32x8bf16_1k, 0, 0, 0)
SHAPE(mfma_bf16_16x16x16, s4, f4, __builtin_amdgcn_mfma_f32_16x16x16bf16_1k, 0, 0, 0)
SHAPE(mfma_i8_32x32x4_2b, int, i32v, __builtin_amdgcn_mfma_i32_32x32x4i8, 0, 0, 0)
SHAPE(mfma_i8_16x16x4_4b, int, i16v, __builtin_amdgcn_mfma_i32_16x16x4i8, 0, 0, 0)
SHAPE(mfma_i8_4x4x4_16b, int, i4, __builtin_amdgcn_mfma_i32_4x4x4i8, 0, 0, 0)
SHAPE(mfma_i8_32x32x16, long, i16v, __builtin_amdgcn_mfma_i32_32x32x16_i8, 0, 0, 0)
SHAPE(mfma_i8_16x16x32, long, i4, __builtin_amdgcn_mfma_i32_16x16x32_i8, 0, 0, 0)
SHAPE(mfma_xf32_32x32x4, f2, f16v, __builtin_amdgcn_mfma_f32_32x32x4_xf32, 0, 0, 0)
SHAPE(mfma_xf32_16x16x8, f2, f4, __builtin_amdgcn_mfma_f32_16x16x8_xf32, 0, 0, 0)
SHAPE(mfma_f64_16x16x4, double, d4, __builtin_amdgcn_mfma_f64_16x16x4f64, 0, 0, 0)
SHAPE(mfma_f64_4x4x4_4b, double, double, __builtin_amdgcn_mfma_f64_4x4x4f64, 0, 0, 0)
SHAPE(mfma_bf8_bf8_16x16x32, long, f4, __builtin_amdgcn_mfma_f32_16x16x32_bf8_bf8, 0, 0, 0)
SHAPE(mfma_bf8_fp8_16x16x32, long, f4, __builtin_amdgcn_mfma_f32_16x16x32_bf8_fp8, 0, 0, 0)
SHAPE(mfma_fp8_bf8_16x16x32, long, f4, __builtin_amdgcn_mfma_f32_16x16x32_fp8_bf8, 0, 0, 0)
SHAPE(mfma_fp8_fp8_16x16x32, long, f4, __builtin_amdgcn_mfma_f32_16x16x32_fp8_fp8, 0, 0, 0)
SHAPE(mfma_bf8_bf8_32x32x16, long, f16v, __builtin_amdgcn_mfma_f32_32x32x16_bf8_bf8, 0, 0, 0)
SHAPE(mfma_bf8_fp8_32x32x16, long, f16v, __builtin_amdgcn_mfma_f32_32x32x16_bf8_fp8, 0, 0, 0)
SHAPE(mfma_fp8_bf8_32x32x16, long, f16v, __builtin_amdgcn_mfma_f32_32x32x16_fp8_bf8, 0, 0, 0)
SHAPE(mfma_fp8_fp8_32x32x16, long, f16v, __builtin_amdgcn_mfma_f32_32x32x16_fp8_fp8, 0, 0, 0)
// Broadcasts: a block of A to its neighbours, lane groups of B to others.
SHAPE(mfma_f32_16x16x1_4b_cbsz1_abid1, float, f16v, __builtin_amdgcn_mfma_f32_16x16x1f32, 1, 1, 0)
SHAPE(mfma_f32_16x16x1_4b_cbsz2_abid3, float, f16v, __builtin_amdgcn_mfma_f32_16x16x1f32, 2, 3, 0)
SHAPE(mfma_f16_4x4x4_16b_cbsz4_abid5, h4, f4, __builtin_amdgcn_mfma_f32_4x4x4f16, 4, 5, 0)
SHAPE(mfma_f32_32x32x2_blgp1, float, f16v, __builtin_amdgcn_mfma_f32_32x32x2f32, 0, 0, 1)
SHAPE(mfma_f32_32x32x2_blgp2, float, f16v, __builtin_amdgcn_mfma_f32_32x32x2f32, 0, 0, 2)
SHAPE(mfma_f32_16x16x4_blgp3, float, f4, __builtin_amdgcn_mfma_f32_16x16x4f32, 0, 0, 3)
SHAPE(mfma_f32_16x16x4_blgp6, float, f4, __builtin_amdgcn_mfma_f32_16x16x4f32, 0, 0, 6)
KERNEL void mfma_constant_c(const unsigned *a, const unsigned *b, unsigned *d)
{
	f4 one = { 1, 1, 1, 1 };
	give<f4>(d, __builtin_amdgcn_mfma_f32_16x16x16f16(take<h4>(a), take<h4>(b), one, 0, 0, 0));
}

// C[M][N] = A[M][K] B[K][N], all row-major, f16 in and f32 out; one block of four waves for 64 x 64, tiles through LDS.
template <typename T, typename V, typename MUL> __device__ void gemm64(const T *a, const T *b, float *c, int n, int k,
		MUL multiply)
{
	__shared__ T as[64][24], bs[64][24];   // 16 of k each, padded; B is kept transposed
	int t = threadIdx.x, lane = t % 64, wave = t / 64, row0 = blockIdx.y * 64, col0 = blockIdx.x * 64;
	int wr = wave / 2 * 32, wc = wave % 2 * 32;
	f16v acc = { 0 };
	for (int k0 = 0; k0 < k; k0 += 16) {
		for (int i = t; i < 64 * 16; i += 256) {
			as[i / 16][i % 16] = a[(size_t)(row0 + i / 16) * k + k0 + i % 16];
			bs[i % 64][i / 64] = b[(size_t)(k0 + i / 64) * n + col0 + i % 64];
		}
		__syncthreads();
		for (int kk = 0; kk < 16; kk += 8) {
			V x = *(V *)&as[wr + lane % 32][kk + 4 * (lane / 32)], y = *(V *)&bs[wc + lane % 32][kk + 4 * (lane / 32)];
			acc = multiply(x, y, acc);
		}
		__syncthreads();
	}
	for (int i = 0; i < 16; i++)
		c[(size_t)(row0 + wr + 8 * (i / 4) + 4 * (lane / 32) + i % 4) * n + col0 + wc + lane % 32] = acc[i];
}
KERNEL void __launch_bounds__(256) gemm_f16(const _Float16 *a, const _Float16 *b, float *c, int n, int k)
{
	gemm64<_Float16, h4>(a, b, c, n, k, [](h4 x, h4 y,
			f16v z) { return __builtin_amdgcn_mfma_f32_32x32x8f16(x, y, z, 0, 0, 0); });
}
KERNEL void __launch_bounds__(256) gemm_bf16(const short *a, const short *b, float *c, int n, int k)
{
	gemm64<short, s4>(a, b, c, n, k, [](s4 x, s4 y,
			f16v z) { return __builtin_amdgcn_mfma_f32_32x32x8bf16_1k(x, y, z, 0, 0, 0); });
}
// int8, one wave a 16 x 16 tile, k in steps of 32; B given transposed (N x K).
KERNEL void gemm_i8(const signed char *a, const signed char *bt, int *c, int n, int k)
{
	int lane = threadIdx.x, row0 = blockIdx.y * 16, col0 = blockIdx.x * 16;
	i4 acc = { 0 };
	for (int k0 = 0; k0 < k; k0 += 32) {
		long x = *(const long *)(a + (size_t)(row0 + lane % 16) * k + k0 + 8 * (lane / 16));
		long y = *(const long *)(bt + (size_t)(col0 + lane % 16) * k + k0 + 8 * (lane / 16));
		acc = __builtin_amdgcn_mfma_i32_16x16x32_i8(x, y, acc, 0, 0, 0);
	}
	for (int i = 0; i < 4; i++)
		c[(size_t)(row0 + 4 * (lane / 16) + i) * n + col0 + lane % 16] = acc[i];
}
// Many accumulators, so that the compiler needs AGPRs: one wave, 128 x 128 by 32x32x2 f32.
KERNEL void __launch_bounds__(64) gemm_f32_wide(const float *a, const float *b, float *c, int k)
{
	int lane = threadIdx.x;
	f16v acc[4][4] = {};
	for (int k0 = 0; k0 < k; k0 += 2) {
		float x[4], y[4];
		for (int i = 0; i < 4; i++) {
			x[i] = a[(size_t)(32 * i + lane % 32) * k + k0 + lane / 32];
			y[i] = b[(size_t)(k0 + lane / 32) * 128 + 32 * i + lane % 32];
		}
		for (int i = 0; i < 4; i++)
			for (int j = 0; j < 4; j++)
				acc[i][j] = __builtin_amdgcn_mfma_f32_32x32x2f32(x[i], y[j], acc[i][j], 0, 0, 0);
	}
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++)
			for (int r = 0; r < 16; r++)
				c[(32 * i + 8 * (r / 4) + 4 * (lane / 32) + r % 4) * 128 + 32 * j + lane % 32] = acc[i][j][r];
}
