/* Matrix instructions: random asymmetric matrices laid out in registers by the formulas of AMD's matrix instruction
 * calculator, products compared with the host's; then products of whole matrices. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "harness.h"

enum type { F32, F16, BF16, I8, XF32, F64, FP8, BF8 };
struct shape { const char *kernel; int m, n, k, blocks; enum type a, b; int cbsz, abid, blgp; };

static const struct shape shapes[] = {
	{ "mfma_f32_32x32x1_2b", 32, 32, 1, 2, F32, F32, 0, 0, 0 }, { "mfma_f32_16x16x1_4b", 16, 16, 1, 4, F32, F32, 0, 0, 0 },
	{ "mfma_f32_4x4x1_16b", 4, 4, 1, 16, F32, F32, 0, 0, 0 }, { "mfma_f32_32x32x2", 32, 32, 2, 1, F32, F32, 0, 0, 0 },
	{ "mfma_f32_16x16x4", 16, 16, 4, 1, F32, F32, 0, 0, 0 },
	{ "mfma_f16_32x32x4_2b", 32, 32, 4, 2, F16, F16, 0, 0, 0 }, { "mfma_f16_16x16x4_4b", 16, 16, 4, 4, F16, F16, 0, 0, 0 },
	{ "mfma_f16_4x4x4_16b", 4, 4, 4, 16, F16, F16, 0, 0, 0 }, { "mfma_f16_32x32x8", 32, 32, 8, 1, F16, F16, 0, 0, 0 },
	{ "mfma_f16_16x16x16", 16, 16, 16, 1, F16, F16, 0, 0, 0 },
	{ "mfma_bf16_32x32x4_2b", 32, 32, 4, 2, BF16, BF16, 0, 0, 0 },
	{ "mfma_bf16_16x16x4_4b", 16, 16, 4, 4, BF16, BF16, 0, 0, 0 },
	{ "mfma_bf16_4x4x4_16b", 4, 4, 4, 16, BF16, BF16, 0, 0, 0 },
	{ "mfma_bf16_32x32x8", 32, 32, 8, 1, BF16, BF16, 0, 0, 0 },
	{ "mfma_bf16_16x16x16", 16, 16, 16, 1, BF16, BF16, 0, 0, 0 },
	{ "mfma_i8_32x32x4_2b", 32, 32, 4, 2, I8, I8, 0, 0, 0 }, { "mfma_i8_16x16x4_4b", 16, 16, 4, 4, I8, I8, 0, 0, 0 },
	{ "mfma_i8_4x4x4_16b", 4, 4, 4, 16, I8, I8, 0, 0, 0 }, { "mfma_i8_32x32x16", 32, 32, 16, 1, I8, I8, 0, 0, 0 },
	{ "mfma_i8_16x16x32", 16, 16, 32, 1, I8, I8, 0, 0, 0 },
	{ "mfma_i8_32x32x8", 32, 32, 8, 1, I8, I8, 0, 0, 0 }, { "mfma_i8_16x16x16", 16, 16, 16, 1, I8, I8, 0, 0, 0 },
	{ "mfma_xf32_32x32x4", 32, 32, 4, 1, XF32, XF32, 0, 0, 0 }, { "mfma_xf32_16x16x8", 16, 16, 8, 1, XF32, XF32, 0, 0, 0 },
	{ "mfma_f64_16x16x4", 16, 16, 4, 1, F64, F64, 0, 0, 0 }, { "mfma_f64_4x4x4_4b", 4, 4, 4, 4, F64, F64, 0, 0, 0 },
	{ "mfma_bf8_bf8_16x16x32", 16, 16, 32, 1, BF8, BF8, 0, 0, 0 },
	{ "mfma_bf8_fp8_16x16x32", 16, 16, 32, 1, BF8, FP8, 0, 0, 0 },
	{ "mfma_fp8_bf8_16x16x32", 16, 16, 32, 1, FP8, BF8, 0, 0, 0 },
	{ "mfma_fp8_fp8_16x16x32", 16, 16, 32, 1, FP8, FP8, 0, 0, 0 },
	{ "mfma_bf8_bf8_32x32x16", 32, 32, 16, 1, BF8, BF8, 0, 0, 0 },
	{ "mfma_bf8_fp8_32x32x16", 32, 32, 16, 1, BF8, FP8, 0, 0, 0 },
	{ "mfma_fp8_bf8_32x32x16", 32, 32, 16, 1, FP8, BF8, 0, 0, 0 },
	{ "mfma_fp8_fp8_32x32x16", 32, 32, 16, 1, FP8, FP8, 0, 0, 0 },
	{ "mfma_f32_16x16x1_4b_cbsz1_abid1", 16, 16, 1, 4, F32, F32, 1, 1, 0 },
	{ "mfma_f32_16x16x1_4b_cbsz2_abid3", 16, 16, 1, 4, F32, F32, 2, 3, 0 },
	{ "mfma_f16_4x4x4_16b_cbsz4_abid5", 4, 4, 4, 16, F16, F16, 4, 5, 0 },
	{ "mfma_f32_32x32x2_blgp1", 32, 32, 2, 1, F32, F32, 0, 0, 1 },
	{ "mfma_f32_32x32x2_blgp2", 32, 32, 2, 1, F32, F32, 0, 0, 2 },
	{ "mfma_f32_16x16x4_blgp3", 16, 16, 4, 1, F32, F32, 0, 0, 3 },
	{ "mfma_f32_16x16x4_blgp6", 16, 16, 4, 1, F32, F32, 0, 0, 6 },
};

static int bits_of(enum type t) { return t == F64 ? 64 : t == F32 || t == XF32 ? 32 : t == F16 || t == BF16 ? 16 : 8; }

static double small_value(unsigned c, int mantissa_bits, int bias)
{
	int exponent = (int)(c & 127) >> mantissa_bits, mantissa = (int)c & ((1 << mantissa_bits) - 1);
	double m = (double)mantissa / (1 << mantissa_bits), v = exponent ? ldexp(1 + m, exponent - bias) : ldexp(m, 1 - bias);
	return c & 128 ? -v : v;
}

/* A random element: its bits, and in *value what they stand for (for XF32, after rounding to 10 bits of mantissa). */
static uint64_t element(enum type t, double *value)
{
	float f = random_float(-2, 2), g;
	uint32_t u;
	uint64_t w;
	_Float16 h;
	uint16_t s;
	switch (t) {
	case F64: *value = (double)f * 1.000000001; memcpy(&w, value, 8); return w;
	case F32: *value = (double)f; memcpy(&u, &f, 4); return u;
	case XF32:
		*value = (double)(float)ldexp(nearbyint(ldexp((double)f, 10 - ilogbf(f))), ilogbf(f) - 10);
		memcpy(&u, &f, 4);
		return u;
	case F16: h = (_Float16)f; *value = (double)h; memcpy(&s, &h, 2); return s;
	case BF16: memcpy(&u, &f, 4); u &= 0xffff0000; memcpy(&g, &u, 4); *value = (double)g; return u >> 16;
	case I8: *value = (int8_t)(u = random_bits() & 255); return u;
	case FP8: u = random_bits() & 0xbf; u = u == 0x80 ? 1 : u; *value = small_value(u, 3, 8); return u;
	default: u = (random_bits() & 0x83) | (0x38 + random_bits() % 3 * 4); *value = small_value(u, 2, 16); return u;
	}
}

static void set_bits(uint32_t *regs, int lane, int item, int bits, uint64_t value)
{
	if (bits == 64) {
		regs[(2 * item) * 64 + lane] = (uint32_t)value;
		regs[(2 * item + 1) * 64 + lane] = (uint32_t)(value >> 32);
		return;
	}
	int per = 32 / bits, shift = item % per * bits;
	uint32_t mask = bits == 32 ? ~0u : ((1u << bits) - 1) << shift, *r = &regs[item / per * 64 + lane];
	*r = (*r & ~mask) | (uint32_t)value << shift;
}

/* Lane and item of element (row i, depth k) of a block of A; B is alike with its column for i. */
static void input_place(const struct shape *s, int side, int i, int k, int block, int *lane, int *item)
{
	int per_lane = side * s->k * s->blocks / 64;
	*item = k % per_lane;
	*lane = i + side * (block + s->blocks * (k / per_lane));
}
/* Lane and item of D[i][j]. */
static void output_place(const struct shape *s, int i, int j, int block, int *lane, int *item)
{
	if (s->a == F64 && s->m == 4) {
		*item = 0;
		*lane = 16 * i + 4 * block + j;
	} else if (s->a == F64) {
		*item = i / 4;
		*lane = 16 * (i % 4) + j;
	} else if (s->m == 32) {
		*item = 16 * block + 4 * (i / 8) + i % 4;
		*lane = 32 * (i / 4) % 64 + j;
	} else if (s->m == 16) {
		*item = 4 * block + i % 4;
		*lane = 16 * (i / 4) + j;
	} else {
		*item = i;
		*lane = 4 * block + j;
	}
}
static int permuted_lane(int lane, int blgp)
{
	switch (blgp) {
	case 1: return lane % 32;
	case 2: return lane % 32 + 32;
	case 3: return (lane + 16) % 64;
	case 4: case 5: case 6: case 7: return lane % 16 + 16 * (blgp - 4);
	default: return lane;
	}
}

static void shape_test(const struct shape *s)
{
	static double a[16][32 * 32], b_lane[64][32], want[16][32 * 32];
	static uint32_t ra[16 * 64], rb[16 * 64];
	uint32_t *ga = gpu_alloc(4096), *gb = gpu_alloc(4096), *gc = gpu_alloc(32 * 256), *gd = gpu_alloc(32 * 256);
	int lane, item, wide = s->a == F64, count = s->m * s->n * s->blocks;
	memset(ra, 0, sizeof ra);
	memset(rb, 0, sizeof rb);
	for (int block = 0; block < s->blocks; block++)
		for (int k = 0; k < s->k; k++) {
			for (int i = 0; i < s->m; i++) {
				input_place(s, s->m, i, k, block, &lane, &item);
				set_bits(ra, lane, item, bits_of(s->a), element(s->a, &a[block][i * s->k + k]));
			}
			for (int j = 0; j < s->n; j++) {
				input_place(s, s->n, j, k, block, &lane, &item);
				set_bits(rb, lane, item, bits_of(s->b), element(s->b, &b_lane[lane][item]));
			}
		}
	memcpy(ga, ra, 4096);
	memcpy(gb, rb, 4096);
	for (int i = 0; i < 32 * 64; i++) {
		float f = random_float(-2, 2);
		gc[i] = s->a == I8 ? random_bits() : wide ? random_bits() : 0;
		if (s->a != I8 && !wide)
			memcpy(&gc[i], &f, 4);
		if (wide && i / 64 % 2)
			gc[i] = 0x3ff00000 | (gc[i] & 0xfffff);   /* doubles between 1 and 2 */
	}
	for (int block = 0; block < s->blocks; block++)
		for (int i = 0; i < s->m; i++)
			for (int j = 0; j < s->n; j++) {
				double sum;
				int from = s->cbsz ? (block >> s->cbsz << s->cbsz) + s->abid : block;
				output_place(s, i, j, block, &lane, &item);
				if (wide) {
					uint64_t u = gc[2 * item * 64 + lane] | (uint64_t)gc[(2 * item + 1) * 64 + lane] << 32;
					memcpy(&sum, &u, 8);
				} else if (s->a == I8) {
					sum = (int32_t)gc[item * 64 + lane];
				} else {
					float f;
					memcpy(&f, &gc[item * 64 + lane], 4);
					sum = (double)f;
				}
				for (int k = 0; k < s->k; k++) {
					int lane_b, item_b;
					input_place(s, s->n, j, k, block, &lane_b, &item_b);
					sum += a[from][i * s->k + k] * b_lane[permuted_lane(lane_b, s->blgp)][item_b];
				}
				want[block][i * s->n + j] = sum;
			}
	if (launch(s->kernel, s->kernel, D1(1), D1(64), 0, ARGS(ARG(ga), ARG(gb), ARG(gc), ARG(gd)))) {
		double *got = malloc((size_t)count * 16), *expected = got + count;
		for (int at = 0; at < count; at++) {
			int block = at / (s->m * s->n), i = at / s->n % s->m, j = at % s->n;
			output_place(s, i, j, block, &lane, &item);
			expected[at] = want[block][i * s->n + j];
			if (wide) {
				uint64_t u = gd[2 * item * 64 + lane] | (uint64_t)gd[(2 * item + 1) * 64 + lane] << 32;
				memcpy(&got[at], &u, 8);
			} else if (s->a == I8) {
				got[at] = (int32_t)gd[item * 64 + lane];
				expected[at] = (int32_t)(uint32_t)(int64_t)expected[at];
			} else {
				float f;
				memcpy(&f, &gd[item * 64 + lane], 4);
				got[at] = (double)f;
			}
		}
		check_doubles(s->kernel, got, expected, (size_t)count, wide ? 1e-14 : s->a == I8 ? 0 : 1e-5,
				s->a == I8 ? 0 : wide ? 1e-15 : 1e-6);
		free(got);
	}
	gpu_free_all(s->kernel);
}

static uint16_t bf16_of(float f)
{
	uint32_t u;
	memcpy(&u, &f, 4);
	return (uint16_t)(u >> 16);
}
static double bf16_value(uint16_t b)
{
	uint32_t u = (uint32_t)b << 16;
	float f;
	memcpy(&f, &u, 4);
	return (double)f;
}

static void products(void)
{
	enum { M = 128, N = 192, K = 80 };
	int n = N, k = K;
	uint16_t *a = gpu_alloc(M * K * 2), *b = gpu_alloc(K * N * 2);
	float *c = gpu_alloc(M * N * 4), *want = malloc(M * N * 4);
	for (int bf = 0; bf < 2; bf++) {
		for (int i = 0; i < M * K + K * N; i++) {
			uint16_t *to = i < M * K ? &a[i] : &b[i - M * K];
			float f = random_float(-1, 1);
			_Float16 h = (_Float16)f;
			if (bf)
				*to = bf16_of(f);
			else
				memcpy(to, &h, 2);
		}
		for (int i = 0; i < M; i++)
			for (int j = 0; j < N; j++) {
				double sum = 0;
				for (int p = 0; p < K; p++) {
					_Float16 x, y;
					memcpy(&x, &a[i * K + p], 2);
					memcpy(&y, &b[p * N + j], 2);
					sum += bf ? bf16_value(a[i * K + p]) * bf16_value(b[p * N + j]) : (double)x * (double)y;
				}
				want[i * N + j] = (float)sum;
			}
		const char *name = bf ? "bf16 product of 128x80 and 80x192" : "f16 product of 128x80 and 80x192";
		if (launch(name, bf ? "gemm_bf16" : "gemm_f16", D2(N / 64, M / 64), D1(256), 0,
				ARGS(ARG(a), ARG(b), ARG(c), ARG(n), ARG(k))))
			check_floats(name, c, want, M * N, 1e-5, 1e-5);
	}
	free(want);
	gpu_free_all("products");
}

static void integer_product(void)
{
	enum { M = 48, N = 64, K = 96 };
	int n = N, k = K, want[M * N];
	int8_t *a = gpu_alloc(M * K), *bt = gpu_alloc(N * K);
	int *c = gpu_alloc(M * N * 4);
	for (int i = 0; i < M * K; i++)
		a[i] = (int8_t)random_bits();
	for (int i = 0; i < N * K; i++)
		bt[i] = (int8_t)random_bits();
	for (int i = 0; i < M; i++)
		for (int j = 0; j < N; j++) {
			want[i * N + j] = 0;
			for (int p = 0; p < K; p++)
				want[i * N + j] += a[i * K + p] * bt[j * K + p];
		}
	if (launch("int8 product", "gemm_i8", D2(N / 16, M / 16), D1(64), 0, ARGS(ARG(a), ARG(bt), ARG(c), ARG(n), ARG(k))))
		check_words("int8 product of 48x96 and 96x64", c, want, M * N);
	gpu_free_all("int8 product");
}

static void wide_product(void)
{
	enum { K = 20 };
	int k = K;
	float *a = gpu_alloc(128 * K * 4), *b = gpu_alloc(128 * K * 4), *c = gpu_alloc(128 * 128 * 4),
			*want = malloc(128 * 128 * 4);
	for (int i = 0; i < 128 * K; i++) {
		a[i] = random_float(-1, 1);
		b[i] = random_float(-1, 1);
	}
	for (int i = 0; i < 128; i++)
		for (int j = 0; j < 128; j++) {
			double sum = 0;
			for (int p = 0; p < K; p++)
				sum += (double)a[i * K + p] * (double)b[p * 128 + j];
			want[i * 128 + j] = (float)sum;
		}
	if (launch("f32 product", "gemm_f32_wide", D1(1), D1(64), 0, ARGS(ARG(a), ARG(b), ARG(c), ARG(k))))
		check_floats("f32 product in 256 accumulators", c, want, 128 * 128, 1e-5, 1e-5);
	free(want);
	gpu_free_all("f32 product");
}

static void shapes_there(void)
{
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (have_kernel(shapes[i].kernel))
			shape_test(&shapes[i]);
}

static float flushed(float x) { return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x; }

/* Product and sum rounded each, without denormals. */
static void mad(void)
{
	float *x = gpu_alloc(256), *y = gpu_alloc(256), *z = gpu_alloc(256), *out = gpu_alloc(256), want[64];
	for (int i = 0; i < 64; i++) {
		x[i] = random_float(-2, 2) * (i % 8 == 3 ? 0x1p-127f : 1);
		y[i] = random_float(-2, 2) * (i % 8 == 5 ? 0x1p-126f : 1);
		z[i] = random_float(-2, 2) * (i % 8 == 5 ? 0x1p-126f : i % 8 == 6 ? 0x1p-128f : 1);
		volatile float product = flushed(-flushed(x[i]) * flushed(y[i]));
		want[i] = flushed(product + flushed(z[i]));
	}
	if (launch("v_mad_f32", "mad_f32", D1(1), D1(64), 0, ARGS(ARG(x), ARG(y), ARG(z), ARG(out))))
		check_words("v_mad_f32", out, want, 64);
	gpu_free_all("v_mad_f32");
}

static void pairs(void)
{
	int *out = gpu_alloc(64 * 16), want[64 * 4];
	for (int i = 0; i < 64 * 4; i++)
		want[i] = i % 4 == 2 ? 0 : -1;
	if (launch("v_pk_mov_b32", "pair_of_constants", D1(1), D1(64), 0, ARGS(ARG(out))))
		check_words("v_pk_mov_b32", out, want, 64 * 4);
	gpu_free_all("v_pk_mov_b32");
}

TEST(cdna2)
{
	shapes_there();
	mad();
	pairs();
}

TEST(mfma)
{
	shapes_there();
	products();
	integer_product();
	wide_product();
}
