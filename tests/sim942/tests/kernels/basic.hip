// Elementwise work, lane exchange, LDS, scans, and the ways memory is read and written.
#include <hip/hip_runtime.h>
#define KERNEL extern "C" __global__
#ifdef __GFX9__   // lanes of a wave, as these targets have it by default
#define WAVE 64
#else
#define WAVE 32
#endif

KERNEL void vadd(const float *a, const float *b, float *c, int n)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i < n)
		c[i] = a[i] + b[i];
}

KERNEL void saxpy_strided(float *y, const float *x, float k, int n)
{
	for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
		y[i] = k * x[i] + y[i];
}

KERNEL void ids(unsigned *out)
{
	unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
	unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
	out[block * blockDim.x * blockDim.y * blockDim.z + thread] =
		threadIdx.x | threadIdx.y << 4 | threadIdx.z << 8 | blockIdx.x << 12 | blockIdx.y << 16 | blockIdx.z << 20 |
		blockDim.x << 24 | gridDim.y << 28;
}

KERNEL void transpose(const float *in, float *out, int width, int height)
{
	__shared__ float tile[32][33];
	int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
	for (int k = 0; k < 32; k += 8)
		if (x < width && y + k < height)
			tile[threadIdx.y + k][threadIdx.x] = in[(y + k) * width + x];
	__syncthreads();
	x = blockIdx.y * 32 + threadIdx.x;
	y = blockIdx.x * 32 + threadIdx.y;
	for (int k = 0; k < 32; k += 8)
		if (x < height && y + k < width)
			out[(y + k) * height + x] = tile[threadIdx.x][threadIdx.y + k];
}

KERNEL void reduce_shuffle(const float *in, float *out, int n)
{
	__shared__ float part[16];
	float s = 0;
	for (int i = threadIdx.x; i < n; i += blockDim.x)
		s += in[blockIdx.x * n + i];
	for (int d = WAVE / 2; d; d >>= 1)
		s += __shfl_xor(s, d);
	if (threadIdx.x % WAVE == 0)
		part[threadIdx.x / WAVE] = s;
	__syncthreads();
	if (threadIdx.x < 64) {
		s = threadIdx.x < blockDim.x / WAVE ? part[threadIdx.x] : 0;
		for (int d = 8; d; d >>= 1)
			s += __shfl_down(s, d);
		if (threadIdx.x == 0)
			out[blockIdx.x] = s;
	}
}

#ifdef __GFX9__   // RDNA's ways to move lanes are rdna.hip's
template <int control, int rows, int banks, bool bound> __device__ int moved(int old, int x)
{
	return __builtin_amdgcn_update_dpp(old, x, control, rows, banks, bound);
}
KERNEL void reduce_dpp(const int *in, int *out)
{
	int x = in[blockIdx.x * 64 + threadIdx.x];
	x += moved<0x111, 15, 15, true>(0, x);    // row_shr:1
	x += moved<0x112, 15, 15, true>(0, x);
	x += moved<0x114, 15, 14, true>(0, x);
	x += moved<0x118, 15, 12, true>(0, x);
	x += moved<0x142, 10, 15, false>(0, x);   // row_bcast:15
	x += moved<0x143, 12, 15, false>(0, x);   // row_bcast:31
	int last = __builtin_amdgcn_readlane(x, 63);
	if (threadIdx.x == 0)
		out[blockIdx.x] = last;
	out[gridDim.x + blockIdx.x * 64 + threadIdx.x] = x;
}

// Every control, with a lane switched off; the host knows what each should give.
KERNEL void dpp_controls(const int *in, int *out)
{
	int t = threadIdx.x, x = in[t];
	int *o = out + t;
	o[0 * 64] = moved<0xb1, 15, 15, false>(-1, x);      // quad_perm:[1,0,3,2]
	o[1 * 64] = moved<0x1b, 15, 15, false>(-1, x);      // quad_perm:[3,2,1,0]
	o[2 * 64] = moved<0x103, 15, 15, false>(-1, x);     // row_shl:3
	o[3 * 64] = moved<0x115, 15, 15, true>(-1, x);      // row_shr:5
	o[4 * 64] = moved<0x127, 15, 15, false>(-1, x);     // row_ror:7
	o[5 * 64] = moved<0x130, 15, 15, false>(-1, x);     // wave_shl:1
	o[6 * 64] = moved<0x134, 15, 15, false>(-1, x);     // wave_rol:1
	o[7 * 64] = moved<0x138, 15, 15, true>(-1, x);      // wave_shr:1
	o[8 * 64] = moved<0x13c, 15, 15, false>(-1, x);     // wave_ror:1
	o[9 * 64] = moved<0x140, 15, 15, false>(-1, x);     // row_mirror
	o[10 * 64] = moved<0x141, 15, 15, false>(-1, x);    // row_half_mirror
	o[11 * 64] = moved<0x142, 15, 15, false>(-1, x);    // row_bcast:15
	o[12 * 64] = moved<0x143, 15, 15, false>(-1, x);    // row_bcast:31
	o[13 * 64] = moved<0x155, 15, 15, false>(-1, x);    // row_newbcast:5
	o[14 * 64] = moved<0x111, 5, 15, false>(-1, x);     // row_shr:1 row_mask:0x5
	o[15 * 64] = moved<0x111, 15, 6, false>(-1, x);     // row_shr:1 bank_mask:0x6
	o[16 * 64] = -2;
	o[17 * 64] = -2;
	if (t % 5 != 2) {
		o[16 * 64] = moved<0x111, 15, 15, false>(-1, x);
		o[17 * 64] = moved<0x111, 15, 15, true>(-1, x);
	}
}

KERNEL void lane_moves(const int *in, int *out)
{
	int t = threadIdx.x, x = in[t];
	out[t] = __builtin_amdgcn_ds_bpermute(((t * 7 + 3) & 63) * 4, x);
	out[64 + t] = __builtin_amdgcn_ds_permute(((t * 5 + 1) & 63) * 4, x);
	out[128 + t] = __builtin_amdgcn_ds_swizzle(x, 0x041f);     // xor 1
	out[192 + t] = __builtin_amdgcn_ds_swizzle(x, 0x8000 | 0x1b);
	out[256 + t] = __builtin_amdgcn_readfirstlane(x);
	out[320 + t] = __builtin_amdgcn_readlane(x, 41);
	out[384 + t] = __builtin_amdgcn_mbcnt_hi(0xf0f0f0f0u, __builtin_amdgcn_mbcnt_lo(0x12345678u, 100));
	unsigned long long odd = __ballot(x & 1);
	out[448 + t] = (int)(unsigned)odd;
	out[512 + t] = (int)(unsigned)(odd >> 32);
	out[576 + t] = __popcll(odd) + 1000 * __any(x == in[17]) + 2000 * __all(x >= -1000000);
	out[640 + t] = __shfl(x, t / 3);
	out[704 + t] = __shfl_up(x, 3);
}
#endif

KERNEL void scan_block(const int *in, int *out)
{
	extern __shared__ int s[];
	int t = threadIdx.x;
	s[t] = in[blockIdx.x * blockDim.x + t];
	__syncthreads();
	for (int d = 1; d < (int)blockDim.x; d *= 2) {
		int x = t >= d ? s[t - d] : 0;
		__syncthreads();
		s[t] += x;
		__syncthreads();
	}
	out[blockIdx.x * blockDim.x + t] = s[t];
}

// All widths of global access, aligned and not.
struct __attribute__((packed)) loose { unsigned char c; unsigned u; unsigned short s; };
KERNEL void widths(const unsigned char *in, unsigned char *out, const loose *packed, unsigned *sums)
{
	int t = threadIdx.x;
	const signed char *sc = (const signed char *)in;
	const short *ss = (const short *)in;
	const unsigned short *us = (const unsigned short *)in;
	unsigned sum = in[t] + 3 * sc[t] + 5 * ss[t] + 7 * us[t + 1];
	uint2 a = ((const uint2 *)in)[t];
	uint3 b = ((const uint3 *)in)[t];
	uint4 c = ((const uint4 *)in)[t];
	sum += a.x ^ a.y ^ (b.x + b.y * 3 + b.z * 5) ^ (c.x + c.y * 3 + c.z * 5 + c.w * 7);
	sum += packed[t].c + packed[t].u * 3 + packed[t].s * 5;
	sums[t] = sum;
	((uint4 *)out)[t] = make_uint4(sum, a.x, b.z, c.w);
	uint3 *out3 = (uint3 *)(out + 2048);
	out3[t] = make_uint3(sum, sum + 1, sum + 2);
	((uint2 *)(out + 4096))[t] = make_uint2(a.y, a.x);
	((unsigned short *)(out + 5120))[t] = (unsigned short)sum;
	out[5632 + t] = (unsigned char)(sum >> 8);
	((unsigned short *)(out + 6144))[t] = (unsigned short)(c.x >> 16);
}

// A pointer that may lead to LDS, scratch or memory.
__device__ __attribute__((noinline)) int sum3(const int *p) { return p[0] + 10 * p[1] + 100 * p[2]; }
__device__ __attribute__((noinline)) void bump(int *p, int by) { *p += by; }
KERNEL void generic_pointers(const int *in, int *out)
{
	__shared__ int l[256 + 3];
	int mine[8];
	int t = threadIdx.x;
	for (int i = 0; i < 8; i++)
		mine[i] = in[(t + i) & 63];
	l[t] = t * 3;
	if (t < 3)
		l[64 + t] = 7;
	__syncthreads();
	const int *p = t % 3 == 0 ? &l[t] : t % 3 == 1 ? &in[t] : &mine[t & 3];
	int *q = t % 3 == 0 ? &l[128 + t] : t % 3 == 1 ? &out[128 + t] : &mine[5];
	*q = 5;
	bump(q, t);
	out[t] = sum3(p) + *q;
	out[64 + t] = mine[5];
}

// LDS by every width, and two elements at a time.
KERNEL void lds_widths(const unsigned *in, unsigned *out)
{
	__shared__ __attribute__((aligned(16))) unsigned char b[8192];
	int t = threadIdx.x;
	((uint4 *)b)[t] = make_uint4(in[t], in[t] * 3, in[t] * 5, in[t] * 7);
	((uint2 *)(b + 1024))[t] = make_uint2(in[t] + 1, in[t] + 2);
	((unsigned *)(b + 1536))[t] = in[t] ^ 0x55;
	((unsigned short *)(b + 1792))[t] = (unsigned short)(in[t] >> 3);
	b[1920 + t] = (unsigned char)(in[t] >> 5);
	uint3 *three = (uint3 *)(b + 2048);
	three[t] = make_uint3(t, t + 1, t + 2);
	__syncthreads();
	int u = 63 - t;
	uint4 x = ((uint4 *)b)[u];
	uint2 y = ((uint2 *)(b + 1024))[u];
	uint3 z = three[u];
	const unsigned *w = (const unsigned *)b;
	out[t] = x.x + x.y * 3 + x.z * 5 + x.w * 7 + y.x * 11 + y.y * 13 + z.x + z.y * 2 + z.z * 4;
	out[64 + t] = w[t] + w[t + 64] * 3 + w[t + 2] * 5 + w[384 + u];
	out[128 + t] = ((unsigned short *)(b + 1792))[u] + ((short *)(b + 1792))[t] + b[1920 + u] * 3 +
			(signed char)b[1920 + t];
	double *d = (double *)(b + 4096);
	d[t] = (double)in[t];
	d[t + 64] = (double)in[t] * 2;
	__syncthreads();
	out[192 + t] = (unsigned)(d[u] + d[u + 64]);
}

KERNEL void divergent(const int *in, int *out, int n)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i >= n)
		return;
	int x = in[i], steps = 0;
	while (x != 1 && steps < 200) {   // Collatz: every lane leaves the loop at its own time
		if (x & 1)
			x = 3 * x + 1;
		else
			x >>= 1;
		steps++;
	}
	switch (in[i] % 5) {
	case 0: steps += 1000; break;
	case 1: steps *= 3; break;
	case 2: steps = -steps; break;
	default: steps ^= 0x55;
	}
	out[i] = steps;
}

__device__ int table[8] = { 3, 1, 4, 1, 5, 9, 2, 6 };
__constant__ float weights[4] = { 0.5f, 0.25f, 2.0f, -1.0f };
KERNEL void globals(float *out) { out[threadIdx.x] = (float)table[threadIdx.x & 7] * weights[threadIdx.x & 3]; }

KERNEL void out_of_bounds(float *p, int at) { p[at + threadIdx.x] = 1; }
KERNEL void trap_if(int x) { if (x) __builtin_trap(); }
