// Kernels of the kind language models are made of.
#include <hip/hip_runtime.h>
#define KERNEL extern "C" __global__
#ifdef __GFX9__   // lanes of a wave, as these targets have it by default
#define WAVE 64
#define SDOT4 __builtin_amdgcn_sdot4
#else
#define WAVE 32
#define SDOT4(x, y, z, clamp) __builtin_amdgcn_sudot4(true, x, true, y, z, clamp)
#endif

__device__ float wave_sum(float x) { for (int d = WAVE / 2; d; d >>= 1) x += __shfl_xor(x, d); return x; }
__device__ float wave_max(float x) { for (int d = WAVE / 2; d; d >>= 1) x = fmaxf(x, __shfl_xor(x, d)); return x; }
template <typename F> __device__ float block_reduce(float x, float *lds, F wave)
{
	x = wave(x);
	if (threadIdx.x % WAVE == 0)
		lds[threadIdx.x / WAVE] = x;
	__syncthreads();
	x = lds[threadIdx.x % (blockDim.x / WAVE)];
	__syncthreads();
	return wave(x);
}

KERNEL void softmax(const float *in, float *out, int n)
{
	__shared__ float part[32];
	const float *row = in + blockIdx.x * n;
	float most = -INFINITY, sum = 0;
	for (int i = threadIdx.x; i < n; i += blockDim.x)
		most = fmaxf(most, row[i]);
	most = block_reduce(most, part, wave_max);
	for (int i = threadIdx.x; i < n; i += blockDim.x)
		sum += __expf(row[i] - most);
	sum = wave_sum(sum);
	if (threadIdx.x % WAVE == 0)
		part[threadIdx.x / WAVE] = sum;
	__syncthreads();
	sum = 0;
	for (unsigned w = 0; w < blockDim.x / WAVE; w++)
		sum += part[w];
	for (int i = threadIdx.x; i < n; i += blockDim.x)
		out[blockIdx.x * n + i] = __expf(row[i] - most) / sum;
}

KERNEL void rmsnorm(const float *in, const float *weight, float *out, int n, float epsilon)
{
	__shared__ float part[32];
	float s = 0;
	for (int i = threadIdx.x; i < n; i += blockDim.x) {
		float x = in[blockIdx.x * n + i];
		s += x * x;
	}
	s = wave_sum(s);
	if (threadIdx.x % WAVE == 0)
		part[threadIdx.x / WAVE] = s;
	__syncthreads();
	s = 0;
	for (unsigned w = 0; w < blockDim.x / WAVE; w++)
		s += part[w];
	float scale = rsqrtf(s / (float)n + epsilon);
	for (int i = threadIdx.x; i < n; i += blockDim.x)
		out[blockIdx.x * n + i] = in[blockIdx.x * n + i] * scale * weight[i];
}

// 256 weights: two f16, twelve bytes of 6-bit scales and minima, 128 bytes of nibbles.
struct q4_k { _Float16 d, dmin; unsigned char scales[12]; unsigned char qs[128]; };
__device__ void scale_min(int j, const unsigned char *q, int *d, int *m)
{
	if (j < 4) {
		*d = q[j] & 63;
		*m = q[j + 4] & 63;
	} else {
		*d = (q[j + 4] & 15) | (q[j - 4] >> 6) << 4;
		*m = (q[j + 4] >> 4) | (q[j] >> 6) << 4;
	}
}
// One wave a row; lane l takes eight weights of each block.
KERNEL void matvec_q4_k(const q4_k *w, const float *x, float *y, int rows, int blocks)
{
	int row = blockIdx.x * (blockDim.x / WAVE) + threadIdx.x / WAVE, lane = threadIdx.x % WAVE;
	if (row >= rows)
		return;
	float sum = 0;
	for (int b = lane / 32; b < blocks; b += WAVE / 32) {
		const q4_k *q = w + (size_t)row * blocks + b;
		int l = lane % 32, pair = l / 8, at = l % 8 * 4, d0, m0, d1, m1;   // pair of sub-blocks, four bytes in it
		scale_min(2 * pair, q->scales, &d0, &m0);
		scale_min(2 * pair + 1, q->scales, &d1, &m1);
		unsigned n = *(const unsigned *)(q->qs + 32 * pair + at);
		const float *v = x + b * 256 + 64 * pair + at;
		float lo = 0, hi = 0, slo = 0, shi = 0;
		for (int k = 0; k < 4; k++) {
			lo += (float)(n >> 8 * k & 15) * v[k];
			hi += (float)(n >> (8 * k + 4) & 15) * v[k + 32];
			slo += v[k];
			shi += v[k + 32];
		}
		sum += (float)q->d * ((float)d0 * lo + (float)d1 * hi) - (float)q->dmin * ((float)m0 * slo + (float)m1 * shi);
	}
	sum = wave_sum(sum);
	if (lane == 0)
		y[row] = sum;
}

// The same weights against activations quantised to int8, by dot products of four.
KERNEL void matvec_q4_k_dot4(const q4_k *w, const int *xq, const float *xd, const int *xs, float *y, int rows,
		int blocks)
{
	int row = blockIdx.x * (blockDim.x / WAVE) + threadIdx.x / WAVE, lane = threadIdx.x % WAVE;
	if (row >= rows)
		return;
	float sum = 0;
	for (int s = lane; s < blocks * 8; s += WAVE) {   // a sub-block of 32 a lane
		const q4_k *q = w + (size_t)row * blocks + s / 8;
		int j = s % 8, d, m, dot = 0;
		scale_min(j, q->scales, &d, &m);
		const int *n = (const int *)(q->qs + 32 * (j / 2)), *v = xq + s * 8;
		for (int k = 0; k < 8; k++)
			dot = SDOT4((n[k] >> 4 * (j & 1)) & 0x0f0f0f0f, v[k], dot, false);
		sum += xd[s] * ((float)q->d * (float)(d * dot) - (float)q->dmin * (float)(m * xs[s]));
	}
	sum = wave_sum(sum);
	if (lane == 0)
		y[row] = sum;
}

KERNEL void rope(float *x, int heads, int dim, int position)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i >= heads * dim / 2)
		return;
	int k = i % (dim / 2);
	float angle = (float)position * powf(10000.0f, -2.0f * (float)k / (float)dim), c = cosf(angle), s = sinf(angle);
	float a = x[2 * i], b = x[2 * i + 1];
	x[2 * i] = a * c - b * s;
	x[2 * i + 1] = a * s + b * c;
}

KERNEL void silu_mul(const float *gate, const float *up, _Float16 *out, int n)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i < n)
		out[i] = (_Float16)(gate[i] / (1.0f + __expf(-gate[i])) * up[i]);
}

// Attention of one query a head over a cache in f16, the keys split over blocks; grid (heads, splits).
// Each block leaves its maximum, its sum, and its weighted values.
template <int DIM> __device__ void attend(const float *q, const _Float16 *keys, const _Float16 *values, float *part,
		int length, int groups)
{
	__shared__ float score[256], red[256 / WAVE];
	int head = blockIdx.x, split = blockIdx.y, t = threadIdx.x;
	int per = (length + gridDim.y - 1) / gridDim.y, begin = split * per, end = min(length, begin + per),
			kv = head / groups;
	int kv_heads = gridDim.x / groups;
	float most = -INFINITY, sum = 0, value = 0;
	for (int base = begin; base < end; base += 256) {
		int i = base + t, count = min(256, end - base);
		float s = -INFINITY;
		if (i < end) {
			s = 0;
			const _Float16 *k = keys + ((size_t)i * kv_heads + kv) * DIM;
			for (int d = 0; d < DIM; d++)
				s = fmaf(q[head * DIM + d], (float)k[d], s);
			s *= rsqrtf((float)DIM);
		}
		float m = wave_max(s);
		if (t % WAVE == 0)
			red[t / WAVE] = m;
		__syncthreads();
		m = most;
		for (int w = 0; w < 256 / WAVE; w++)
			m = fmaxf(m, red[w]);
		float p = i < end ? __expf(s - m) : 0, shrink = __expf(most - m);
		score[t] = p;
		p = wave_sum(p);
		__syncthreads();
		if (t % WAVE == 0)
			red[t / WAVE] = p;
		__syncthreads();
		sum *= shrink;
		for (int w = 0; w < 256 / WAVE; w++)
			sum += red[w];
		if (t < DIM) {
			value *= shrink;
			for (int j = 0; j < count; j++)
				value = fmaf(score[j], (float)values[((size_t)(base + j) * kv_heads + kv) * DIM + t], value);
		}
		most = m;
		__syncthreads();
	}
	float *o = part + ((size_t)head * gridDim.y + split) * (DIM + 2);
	if (t < DIM)
		o[2 + t] = value;
	if (t == 0) {
		o[0] = most;
		o[1] = sum;
	}
}
KERNEL void attention_split(const float *q, const _Float16 *keys, const _Float16 *values, float *part, int length,
		int groups)
{
	attend<128>(q, keys, values, part, length, groups);
}
KERNEL void attention_combine(const float *part, float *out, int splits, int dim)
{
	int head = blockIdx.x, t = threadIdx.x;
	const float *p = part + (size_t)head * splits * (dim + 2);
	float most = -INFINITY, sum = 0, value = 0;
	for (int s = 0; s < splits; s++)
		most = fmaxf(most, p[s * (dim + 2)]);
	for (int s = 0; s < splits; s++) {
		float k = __expf(p[s * (dim + 2)] - most);
		sum += k * p[s * (dim + 2) + 1];
		value += k * p[s * (dim + 2) + 2 + t];
	}
	out[head * dim + t] = value / sum;
}

// Index of the largest logit; ties go to the lowest index.
KERNEL void argmax(const float *x, int *out, int n)
{
	__shared__ unsigned long long best[32];
	unsigned long long mine = 0;
	for (int i = threadIdx.x; i < n; i += blockDim.x) {
		unsigned u = __float_as_uint(x[i]);
		u = u & 0x80000000 ? ~u : u | 0x80000000;
		unsigned long long key = (unsigned long long)u << 32 | (0xffffffffu - (unsigned)i);
		mine = key > mine ? key : mine;
	}
	for (int d = WAVE / 2; d; d >>= 1) {
		unsigned long long other = __shfl_xor(mine, d);
		mine = other > mine ? other : mine;
	}
	if (threadIdx.x % WAVE == 0)
		best[threadIdx.x / WAVE] = mine;
	__syncthreads();
	if (threadIdx.x == 0) {
		for (unsigned w = 1; w < blockDim.x / WAVE; w++)
			mine = best[w] > mine ? best[w] : mine;
		out[0] = (int)(0xffffffffu - (unsigned)mine);
	}
}
