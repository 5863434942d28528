/* Kernels of language models, against the host in double precision. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "harness.h"

static float *random_floats(size_t n, float low, float high)
{
	float *p = gpu_alloc(n * 4);
	for (size_t i = 0; i < n; i++)
		p[i] = random_float(low, high);
	return p;
}

static void norms(void)
{
	enum { ROWS = 3, LENGTH = 1000 };
	int n = LENGTH;
	float *in = random_floats(ROWS * LENGTH, -10, 10), *weight = random_floats(LENGTH, 0, 2),
			*out = gpu_alloc(ROWS * LENGTH * 4), want[ROWS * LENGTH], epsilon = 1e-5f;
	for (int r = 0; r < ROWS; r++) {
		double most = -INFINITY, sum = 0;
		for (int i = 0; i < n; i++)
			most = fmax(most, (double)in[r * n + i]);
		for (int i = 0; i < n; i++)
			sum += exp((double)in[r * n + i] - most);
		for (int i = 0; i < n; i++)
			want[r * n + i] = (float)(exp((double)in[r * n + i] - most) / sum);
	}
	if (launch("softmax", "softmax", D1(ROWS), D1(256), 0, ARGS(ARG(in), ARG(out), ARG(n))))
		check_floats("softmax", out, want, ROWS * LENGTH, 1e-9, 5e-6);
	for (int r = 0; r < ROWS; r++) {
		double sum = 0;
		for (int i = 0; i < n; i++)
			sum += (double)in[r * n + i] * (double)in[r * n + i];
		for (int i = 0; i < n; i++)
			want[r * n + i] = (float)((double)in[r * n + i] / sqrt(sum / n + (double)epsilon) * (double)weight[i]);
	}
	if (launch("rmsnorm", "rmsnorm", D1(ROWS), D1(512), 0, ARGS(ARG(in), ARG(weight), ARG(out), ARG(n), ARG(epsilon))))
		check_floats("rmsnorm", out, want, ROWS * LENGTH, 1e-7, 2e-6);
	gpu_free_all("norms");
}

#pragma pack(push, 1)
struct q4_k { _Float16 d, dmin; uint8_t scales[12], qs[128]; };
#pragma pack(pop)

static void weight_of(const struct q4_k *q, int i, double *w)
{
	int j = i / 32, scale, least, nibble = q->qs[j / 2 * 32 + i % 32] >> 4 * (j & 1) & 15;
	if (j < 4) {
		scale = q->scales[j] & 63;
		least = q->scales[j + 4] & 63;
	} else {
		scale = (q->scales[j + 4] & 15) | (q->scales[j - 4] >> 6 & 3) << 4;
		least = (q->scales[j + 4] >> 4) | (q->scales[j] >> 6 & 3) << 4;
	}
	*w = (double)q->d * scale * nibble - (double)q->dmin * least;
}
static void matvec(void)
{
	enum { ROWS = 37, BLOCKS = 5, COLUMNS = BLOCKS * 256 };
	int rows = ROWS, blocks = BLOCKS;
	struct q4_k *w = gpu_alloc(ROWS * BLOCKS * sizeof *w);
	float *x = random_floats(COLUMNS, -1, 1), *y = gpu_alloc(ROWS * 4), *xd = gpu_alloc(COLUMNS / 32 * 4), want[ROWS],
			want_dot[ROWS];
	int8_t *xq = gpu_alloc(COLUMNS);
	int *xs = gpu_alloc(COLUMNS / 32 * 4);
	for (size_t i = 0; i < ROWS * BLOCKS * sizeof *w; i++)
		((uint8_t *)w)[i] = (uint8_t)random_bits();
	for (int i = 0; i < ROWS * BLOCKS; i++) {
		w[i].d = (_Float16)random_float(0.001f, 0.02f);
		w[i].dmin = (_Float16)random_float(0.001f, 0.02f);
	}
	for (int s = 0; s < COLUMNS / 32; s++) {
		float most = 0;
		xs[s] = 0;
		for (int i = 0; i < 32; i++)
			most = fmaxf(most, fabsf(x[s * 32 + i]));
		xd[s] = most / 127;
		for (int i = 0; i < 32; i++)
			xs[s] += xq[s * 32 + i] = (int8_t)lrintf(x[s * 32 + i] / xd[s]);
	}
	for (int r = 0; r < ROWS; r++) {
		double sum = 0, sum_dot = 0, v;
		for (int i = 0; i < COLUMNS; i++) {
			weight_of(&w[r * BLOCKS + i / 256], i % 256, &v);
			sum += v * (double)x[i];
			sum_dot += v * (double)xq[i] * (double)xd[i / 32];
		}
		want[r] = (float)sum;
		want_dot[r] = (float)sum_dot;
	}
	if (launch("Q4_K", "matvec_q4_k", D1((ROWS + 3) / 4), D1(256), 0,
			ARGS(ARG(w), ARG(x), ARG(y), ARG(rows), ARG(blocks))))
		check_floats("Q4_K matrix-vector product", y, want, ROWS, 2e-4, 1e-5);
	if (launch("Q4_K by dot4", "matvec_q4_k_dot4", D1((ROWS + 3) / 4), D1(256), 0,
			ARGS(ARG(w), ARG(xq), ARG(xd), ARG(xs), ARG(y), ARG(rows), ARG(blocks))))
		check_floats("Q4_K matrix-vector product by integer dot products", y, want_dot, ROWS, 2e-4, 1e-5);
	gpu_free_all("Q4_K");
}

static void small_ones(void)
{
	int heads = 8, dim = 64, position = 1234, n = 1000;
	float *x = random_floats(512, -1, 1), want[512], *gate = random_floats(1000, -6, 6), *up = random_floats(1000, -2, 2),
			wants[1000], gots[1000];
	_Float16 *out = gpu_alloc(2000);
	for (int i = 0; i < 256; i++) {
		double angle = (double)((float)position * powf(10000.0f, -2.0f * (float)(i % 32) / 64.0f)), c = cos(angle),
				s = sin(angle);
		want[2 * i] = (float)((double)x[2 * i] * c - (double)x[2 * i + 1] * s);
		want[2 * i + 1] = (float)((double)x[2 * i] * s + (double)x[2 * i + 1] * c);
	}
	if (launch("rope", "rope", D1(1), D1(256), 0, ARGS(ARG(x), ARG(heads), ARG(dim), ARG(position))))
		check_floats("rope", x, want, 512, 5e-4, 0);   /* the angle itself is rounded */
	for (int i = 0; i < n; i++)
		wants[i] = (float)((double)gate[i] / (1 + exp(-(double)gate[i])) * (double)up[i]);
	if (launch("silu_mul", "silu_mul", D1(4), D1(256), 0, ARGS(ARG(gate), ARG(up), ARG(out), ARG(n)))) {
		for (int i = 0; i < n; i++)
			gots[i] = (float)out[i];
		check_floats("silu times up", gots, wants, 1000, 1e-6, 6e-4);
	}
	gpu_free_all("small ones");
	int count = 32000, *best = gpu_alloc(4), want_best = 0;
	float *logits = random_floats(32000, -20, 20);
	logits[777] = logits[31000] = 21;
	want_best = 777;
	if (launch("argmax", "argmax", D1(1), D1(1024), 0, ARGS(ARG(logits), ARG(best), ARG(count))))
		check_words("argmax, ties to the lowest", best, &want_best, 1);
	gpu_free_all("argmax");
}

static void attention(void)
{
	enum { HEADS = 8, KV = 2, DIM = 128, LENGTH = 700, SPLITS = 3 };
	int length = LENGTH, groups = HEADS / KV, splits = SPLITS, dim = DIM;
	float *q = random_floats(HEADS * DIM, -1, 1), *part = gpu_alloc(HEADS * SPLITS * (DIM + 2) * 4),
			*out = gpu_alloc(HEADS * DIM * 4), want[HEADS * DIM];
	_Float16 *k = gpu_alloc(LENGTH * KV * DIM * 2), *v = gpu_alloc(LENGTH * KV * DIM * 2);
	for (int i = 0; i < LENGTH * KV * DIM; i++) {
		k[i] = (_Float16)random_float(-1, 1);
		v[i] = (_Float16)random_float(-1, 1);
	}
	for (int h = 0; h < HEADS; h++) {
		double score[LENGTH], most = -INFINITY, sum = 0;
		for (int i = 0; i < LENGTH; i++) {
			score[i] = 0;
			for (int d = 0; d < DIM; d++)
				score[i] += (double)q[h * DIM + d] * (double)k[(i * KV + h / groups) * DIM + d];
			score[i] /= sqrt(DIM);
			most = fmax(most, score[i]);
		}
		for (int i = 0; i < LENGTH; i++)
			sum += score[i] = exp(score[i] - most);
		for (int d = 0; d < DIM; d++) {
			double x = 0;
			for (int i = 0; i < LENGTH; i++)
				x += score[i] * (double)v[(i * KV + h / groups) * DIM + d];
			want[h * DIM + d] = (float)(x / sum);
		}
	}
	if (launch("attention", "attention_split", D2(HEADS, SPLITS), D1(256), 0,
			ARGS(ARG(q), ARG(k), ARG(v), ARG(part), ARG(length), ARG(groups)))
			&& launch("attention", "attention_combine", D1(HEADS), D1(DIM), 0, ARGS(ARG(part), ARG(out), ARG(splits), ARG(dim))))
		check_floats("attention over a split f16 cache", out, want, HEADS * DIM, 1e-6, 1e-5);
	gpu_free_all("attention");
}

TEST(llm)
{
	norms();
	matvec();
	small_ones();
	attention();
}
