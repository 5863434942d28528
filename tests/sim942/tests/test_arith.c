/* Arithmetic against the host's: libm for functions, the same C expressions for what has to be exact. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "harness.h"

enum { N = 1024 };
static const struct dims blocks = { N / 256, 1, 1 }, threads = { 256, 1, 1 };
static int n = N;

static float edge_f32(void)
{
	static const float edges[] = { 0.0f, -0.0f, 1.0f, -1.0f, INFINITY, -INFINITY, NAN, 0x1p-126f, 0x1p-149f,
			0x1.fffffep127f, 0x1.fffffep-127f, 3.5f, 2.5f, 0x1p24f, 0x1p31f, -0x1p31f, 0.5f, 1.5f, -0.5f };
	switch (random_bits() % 4) {
	case 0: return edges[random_bits() % (sizeof edges / sizeof *edges)];
	/* no signalling NaNs: C leaves them open */
	case 1: { uint32_t u = random_bits(); float f; memcpy(&f, &u, 4); return f != f ? NAN : f; }
	default: return random_float(-100, 100);
	}
}
static double edge_f64(void)
{
	if (random_bits() % 3 == 0) {
		uint64_t u = (uint64_t)random_bits() << 32 | random_bits();
		double f;
		memcpy(&f, &u, 8);
		return f != f ? (double)NAN : f;
	}
	return random_bits() % 4 ? (double)random_float(-1000, 1000) + (double)random_float(-1e-5f, 1e-5f) :
			(double)edge_f32();
}

static void functions(void)
{
	static const char *const names[16] = { "expf", "logf", "sinf", "cosf", "powf", "tanhf", "erff", "exp2f", "log2f",
			"rsqrtf", "atan2f", "sinf of large angles", "cbrtf", "hypotf", "expm1f", "log1pf" };
	float *a = gpu_alloc(4 * N), *b = gpu_alloc(4 * N), *out = gpu_alloc(16 * 4 * N), want[N];
	for (int i = 0; i < N; i++) {
		a[i] = random_float(-20, 20);
		b[i] = random_float(-5, 5);
	}
	if (launch("functions of f32", "math_f32", blocks, threads, 0, ARGS(ARG(a), ARG(b), ARG(out), ARG(n))))
		for (int f = 0; f < 16; f++) {
			for (int i = 0; i < N; i++) {
				double x = (double)a[i], y = (double)b[i];
				double r[16] = { exp(x), log(fabs(x)), sin(x), cos(x), pow(fabs(x), y), tanh(x), erf(x), exp2(x), log2(fabs(x)),
						1 / sqrt(fabs(x)),
					atan2(x, y), sin((double)(a[i] * 10000.0f)), cbrt(x), hypot(x, y), expm1((double)(a[i] * 0.1f)), log1p(fabs(x)) };
				want[i] = (float)r[f];
			}
			check_floats(names[f], out + f * N, want, N, 1e-7, f == 4 ? 2e-6 : 4e-7);
		}
	gpu_free_all("functions of f32");
	double *da = gpu_alloc(8 * N), *dout = gpu_alloc(5 * 8 * N), dwant[N];
	static const char *const dnames[5] = { "exp", "log", "sin", "cos", "pow" };
	for (int i = 0; i < N; i++)
		da[i] = i % 8 ? (double)random_float(-30, 30) : (double)random_float(-1e9f, 1e9f);
	if (launch("functions of f64", "math_f64", blocks, threads, 0, ARGS(ARG(da), ARG(dout), ARG(n))))
		for (int f = 0; f < 5; f++) {
			for (int i = 0; i < N; i++) {
				double x = da[i], r[5] = { exp(x), log(fabs(x)), sin(x), cos(x), pow(fabs(x), 1.5) };
				dwant[i] = r[f];
			}
			check_doubles(dnames[f], dout + f * N, dwant, N, 1e-15, 2e-15);
		}
	gpu_free_all("functions of f64");
}

static void exact(void)
{
	static const char *const names[16] = { "f32 division", "sqrtf", "fmaf", "truncf", "floorf", "ceilf", "rintf", "fminf",
			"fmaxf", "ldexpf", "frexpf, mantissa", "frexpf, exponent", "f32 to int", "f32 to unsigned", "fmodf",
			"f32 multiply and subtract" };
	float *a = gpu_alloc(4 * N), *b = gpu_alloc(4 * N), *out = gpu_alloc(16 * 4 * N), want[16][N];
	for (int i = 0; i < N; i++) {
		a[i] = edge_f32();
		b[i] = edge_f32();
		float x = a[i], y = b[i], r[16] = { x / y, sqrtf(fabsf(x)), fmaf(x, y, x), truncf(x), floorf(x), ceilf(x), rintf(x),
				fminf(x, y), fmaxf(x, y) };
		int e = 0;
		float big = fabsf(y * 4) < 0x1p31f ? y * 4 : y > 0 ? 0x1p31f : -0x1p31f;
		int whole = y != y ? 0 : big >= 0x1p31f ? INT32_MAX : big <= -0x1p31f ? INT32_MIN : (int)big;
		r[9] = ldexpf(x, whole & 15);
		r[10] = frexpf(x, &e);
		r[11] = x - x != 0 ? out[11 * N + i] : (float)e;
		r[12] = x != x ? 0 : x >= 0x1p31f ? 0x1p31f : x < -0x1p31f ? -0x1p31f : (float)(int)x;
		r[13] = x != x ? 0 : fabsf(x) >= 0x1p32f ? 0x1p32f : (float)(unsigned)fabsf(x);
		r[14] = fmodf(x, y);
		r[15] = NAN;
		for (int f = 0; f < 16; f++)
			want[f][i] = r[f];
	}
	if (launch("exact f32", "exact_f32", blocks, threads, 0, ARGS(ARG(a), ARG(b), ARG(out), ARG(n)))) {
		for (int i = 0; i < N; i++) {   /* what C leaves open */
			float x = a[i], fused = fmaf(x, b[i], -x), apart = x * b[i] - x;   /* the compiler may contract */
			want[15][i] = !memcmp(&out[15 * N + i], &fused, 4) ? fused : apart;
			if (x - x != 0)
				want[11][i] = out[11 * N + i];
			if (!(fabsf(x) < 0x1p32f))   /* out of range, the conversions may be dropped */
				want[13][i] = out[13 * N + i];
			if (!(fabsf(x) < 0x1p31f))
				want[12][i] = out[12 * N + i];
			for (int f = 7; f <= 8; f++)
				if (x == b[i] || x != x || b[i] != b[i])
					want[f][i] = x == b[i] ? out[f * N + i] == x ? out[f * N + i] : x : want[f][i];
		}
		for (int f = 0; f < 16; f++)
			check_bits_f32(names[f], out + f * N, want[f], N);
	}
	gpu_free_all("exact f32");
}

static void exact_wide(void)
{
	static const char *const names[14] = { "f64 division", "sqrt", "fma", "trunc", "floor", "rint", "fmin", "fmax",
			"ldexp", "f64 to f32 and back", "f64 to int", "f64 to long", "f64 to unsigned", "f64 sum" };
	double *a = gpu_alloc(8 * N), *b = gpu_alloc(8 * N), *out = gpu_alloc(14 * 8 * N), want[14][N];
	for (int i = 0; i < N; i++) {
		a[i] = edge_f64();
		b[i] = edge_f64();
		double x = a[i], y = b[i], size = fabs(x);
		double r[14] = { x / y, sqrt(size), fma(x, y, x), trunc(x), floor(x), rint(x), fmin(x, y), fmax(x, y), ldexp(x, 7),
				(double)(float)x,
			x != x ? 0 : x >= 0x1p31 ? 2147483647.0 : x <= -0x1p31 ? -0x1p31 : (double)(int)x,
			0, x != x ? 0 : size >= 0x1p32 ? 4294967295.0 : (double)(unsigned)size, x + y };
		for (int f = 0; f < 14; f++)
			want[f][i] = r[f];
	}
	if (launch("exact f64", "exact_f64", blocks, threads, 0, ARGS(ARG(a), ARG(b), ARG(out), ARG(n)))) {
		for (int i = 0; i < N; i++) {
			want[11][i] = fabs(a[i]) < 0x1p62 ? (double)(long long)a[i] : out[11 * N + i];
			if (!(fabs(a[i]) < 0x1p32))
				want[12][i] = out[12 * N + i];
			if (!(fabs(a[i]) < 0x1p31))
				want[10][i] = out[10 * N + i];
			for (int f = 6; f <= 7; f++)
				if (a[i] == b[i] && out[f * N + i] == a[i])
					want[f][i] = out[f * N + i];
		}
		for (int f = 0; f < 14; f++)
			check_bits_f64(names[f], out + f * N, want[f], N);
	}
	gpu_free_all("exact f64");
}

/* f16 */
typedef _Float16 half;
static half random_half(void)
{
	uint16_t u = (uint16_t)random_bits();
	half h;
	if (random_bits() % 3)
		return (half)random_float(-8, 8);
	memcpy(&h, &u, 2);
	return h;
}
static void check_halves(const char *test, const half *got, const half *want, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(&got[i], &want[i], 2) && !(got[i] != got[i] && want[i] != want[i])) {
			report(test, false, "element %zu of %zu is %a, not %a", i, count, (double)got[i], (double)want[i]);
			return;
		}
	report(test, true, "%zu values, equal to the bit", count);
}
/* One rounding: the exact sum of a product of halves and a half fits in 80 bits of long double where it matters. */
static half fma_half(half x, half y, half z)
{
	long double s = (long double)x * (long double)y + (long double)z;
	return (half)s;
}
static half min_half(half x, half y)
{
	return x != x ? y : y != y ? x : x < y ? x : y < x ? y : __builtin_signbit((float)x) ? x : y;
}
static half max_half(half x, half y)
{
	return x != x ? y : y != y ? x : x > y ? x : y > x ? y : __builtin_signbit((float)x) ? y : x;
}
static half toward_zero(float f)
{
	half h = (half)f;
	if (isinf((float)h) && !isinf(f)) {
		uint16_t u = f < 0 ? 0xfbff : 0x7bff;
		memcpy(&h, &u, 2);
	} else if (fabsf((float)h) > fabsf(f)) {
		uint16_t u;
		memcpy(&u, &h, 2);
		u--;
		memcpy(&h, &u, 2);
	}
	return h;
}

static void halves(void)
{
	static const char *const names[12] = { "f16 sum", "f16 difference", "f16 product", "f16 quotient", "f16 fma",
			"f16 minimum", "f16 maximum", "f16 by way of f32", "f16 to int and back", "f16 floor", "f16 comparison",
			"f16 negation" };
	half *a = gpu_alloc(2 * N), *b = gpu_alloc(2 * N), *c = gpu_alloc(2 * N), *out = gpu_alloc(12 * 2 * N), want[12][N];
	for (int i = 0; i < N; i++) {
		half x = a[i] = random_half(), y = b[i] = random_half(), z = c[i] = random_half();
		float product = fmaf((float)x, (float)y, 1.0f);
		half r[12] = { x + y, x - y, x * y, x / y, fma_half(x, y, z), min_half(x, y), max_half(x, y), (half)product, (half)0,
				(half)floorf((float)x), x < y ? z : x, -x };
		for (int f = 0; f < 12; f++)
			want[f][i] = r[f];
	}
	if (launch("f16", "half_ops", blocks, threads, 0, ARGS(ARG(a), ARG(b), ARG(c), ARG(out), ARG(n)))) {
		for (int i = 0; i < N; i++)
			want[8][i] = fabsf((float)a[i]) < 65500.0f ? (half)(int)a[i] : out[8 * N + i];
		for (int f = 0; f < 12; f++)
			check_halves(names[f], out + f * N, want[f], N);
	}
	gpu_free_all("f16");
}
static void half_pairs(void)
{
	static const char *const names[8] = { "packed f16 sum", "packed f16 product", "packed f16 fma", "packed f16 minimum",
			"packed f16 maximum", "packed f16 fma, halves swapped", "packed f16 with constants", "cvt_pkrtz" };
	half *a = gpu_alloc(2 * N), *b = gpu_alloc(2 * N), *c = gpu_alloc(2 * N), *out = gpu_alloc(8 * 2 * N), want[8][N];
	int pairs = N / 2;
	for (int i = 0; i < N; i++) {
		a[i] = random_half();
		b[i] = random_half();
		c[i] = random_half();
	}
	for (int i = 0; i < N; i++) {
		half x = a[i], y = b[i], z = c[i], first = c[i & ~1];
		half r[8] = { x + y, x * y, fma_half(x, y, z), min_half(x, y), max_half(x, y), fma_half(x, b[i ^ 1], -z), 0,
			toward_zero(i & 1 ? (float)y * 0.01f : (float)x * 3.7f) };
		r[6] = x * (half)1.5 + first;
		for (int f = 0; f < 8; f++)
			want[f][i] = r[f];
	}
	if (launch("packed f16", "half2_ops", D1(N / 512), threads, 0, ARGS(ARG(a), ARG(b), ARG(c), ARG(out), ARG(pairs)))) {
		for (int i = 0; i < N; i++) {   /* contracted or not */
			half fused = fma_half(a[i], (half)1.5, c[i & ~1]);
			if (!memcmp(&fused, &out[6 * N + i], 2))
				want[6][i] = fused;
			if (want[3][i] == 0 && out[3 * N + i] == 0)
				want[3][i] = out[3 * N + i];
			if (want[4][i] == 0 && out[4 * N + i] == 0)
				want[4][i] = out[4 * N + i];
		}
		for (int f = 0; f < 8; f++)
			check_halves(names[f], out + f * N, want[f], N);
	}
	gpu_free_all("packed f16");
	float *cf = gpu_alloc(4 * N), *outf = gpu_alloc(4 * 4 * N), wantf[4][N];
	a = gpu_alloc(4 * N);
	b = gpu_alloc(4 * N);
	for (int i = 0; i < 2 * N; i++) {
		a[i] = (half)random_float(-8, 8);
		b[i] = (half)random_float(-8, 8);
	}
	for (int i = 0; i < N; i++) {
		cf[i] = random_float(-100, 100);
		float x0 = (float)a[2 * i], x1 = (float)a[2 * i + 1], y0 = (float)b[2 * i], y1 = (float)b[2 * i + 1];
		wantf[0][i] = fmaf(x0, y1, cf[i]);
		wantf[1][i] = fmaf(x1, cf[i], -y0);
		wantf[2][i] = (float)((double)x0 * (double)y0 + (double)x1 * (double)y1 + (double)cf[i]);
		wantf[3][i] = (float)(half)fmaf(x0, y0, x1);
	}
	if (launch("mixed", "mixed", blocks, threads, 0, ARGS(ARG(a), ARG(b), ARG(cf), ARG(outf), ARG(n)))) {
		check_bits_f32("fma of halves into f32", outf, wantf[0], N);
		check_bits_f32("fma of a half and floats", outf + N, wantf[1], N);
		check_floats("dot2 of f16", outf + 2 * N, wantf[2], N, 2e-5, 1e-6);
		check_floats("fma rounded to f16", outf + 3 * N, wantf[3], N, 0, 1e-3);
	}
	gpu_free_all("mixed");
}

static void packed_floats(void)
{
	static const char *const names[6] = { "packed f32 sum", "packed f32 product", "packed f32 fma",
			"packed f32 fma, swapped and negated", "packed f32 with a constant", "packed f32 with a broadcast" };
	float *a = gpu_alloc(8 * N), *b = gpu_alloc(8 * N), *c = gpu_alloc(8 * N), *out = gpu_alloc(6 * 8 * N), want[6][2 * N];
	for (int i = 0; i < 2 * N; i++) {
		a[i] = random_float(-9, 9);
		b[i] = random_float(-9, 9);
		c[i] = random_float(-9, 9);
	}
	for (int i = 0; i < 2 * N; i++) {
		want[0][i] = a[i] + b[i];
		want[1][i] = a[i] * b[i];
		want[2][i] = fmaf(a[i], b[i], c[i]);
		want[3][i] = fmaf(a[i], b[i ^ 1], -c[i]);
		want[4][i] = fmaf(a[i], 3.0f, c[i | 1]);
		want[5][i] = fmaf(a[i & ~1], b[i], c[i]);
	}
	if (launch("packed f32", "packed_f32", blocks, threads, 0, ARGS(ARG(a), ARG(b), ARG(c), ARG(out), ARG(n))))
		for (int f = 0; f < 6; f++)
			check_floats(names[f], out + f * 2 * N, want[f], 2 * N, f == 4 ? 1e-5 : 0, 1e-7);
	gpu_free_all("packed f32");
}

/* Integers */
static int dot(uint32_t x, uint32_t y, int bits, bool is_signed)
{
	int sum = 0;
	for (int b = 0; b < 32; b += bits)
		sum += is_signed ? ((int32_t)(x << (32 - bits - b)) >> (32 - bits)) * ((int32_t)(y << (32 - bits - b)) >> (32 - bits))
			: (int)((x >> b & ((1u << bits) - 1)) * (y >> b & ((1u << bits) - 1)));
	return sum;
}
static uint32_t permute(uint32_t u, uint32_t v, uint32_t sel)
{
	uint8_t from[8], r[4];
	memcpy(from, &v, 4);
	memcpy(from + 4, &u, 4);
	for (int i = 0; i < 4; i++) {
		unsigned s = sel >> 8 * i & 255;
		r[i] = s < 8 ? from[s] : s == 8 ? -(from[1] >> 7) : s == 9 ? -(from[3] >> 7) : s == 10 ? -(from[5] >> 7) : s == 11 ?
				-(from[7] >> 7) : s == 12 ? 0 : 255;
	}
	memcpy(&sel, r, 4);
	return sel;
}
static uint32_t random_int(void)
{
	static const uint32_t edges[] = { 0, 1, ~0u, 0x7fffffff, 0x80000000, 0xffff, 0x10000, 31, 32 };
	return random_bits() % 4 ? random_bits() >> random_bits() % 32 : edges[random_bits() % (sizeof edges / sizeof *edges)];
}
static int64_t saturate(int64_t x, int64_t low, int64_t high) { return x < low ? low : x > high ? high : x; }

static void integers(void)
{
	enum { COLUMNS = 28 };
	static const char *const names[COLUMNS] = { "sdot4", "udot4", "sdot8", "udot8", "sdot4, saturated", "perm", "alignbit",
			"alignbyte", "ubfe", "sbfe", "mul24", "umulhi", "mulhi", "clz", "ffs", "brev", "popc", "int division",
			"unsigned remainder", "min and max", "sad_u8", "bitfield insert", "shift and add", "saturated sum",
			"saturated difference", "xor and add", "cvt_pk_u16", "rotate" };
	int32_t *a = gpu_alloc(4 * N), *b = gpu_alloc(4 * N), *c = gpu_alloc(4 * N), *out = gpu_alloc(COLUMNS * 4 * N),
			want[COLUMNS][N];
	for (int i = 0; i < N; i++) {
		uint32_t u = random_int(), v = random_int(), w = random_int();
		int32_t x = a[i] = (int32_t)u, y = b[i] = (int32_t)v, z = c[i] = (int32_t)w;
		uint32_t sad = w, rev = 0;
		for (int k = 0; k < 32; k += 8)
			sad += (uint32_t)abs((int)(u >> k & 255) - (int)(v >> k & 255));
		for (int k = 0; k < 32; k++)
			rev |= (u >> k & 1) << (31 - k);
		unsigned offset = v & 31, width = w & 31;
		uint64_t both = (uint64_t)u << 32 | v;
		uint32_t field = width ? u >> offset & ((1u << width) - 1) : 0;
		int32_t sfield = width ? (int32_t)(((int64_t)((uint64_t)((int64_t)x >> offset) << (64 - width))) >> (64 - width)) : 0;
		int least = x < y ? x : y;
		int32_t r[COLUMNS] = { (int32_t)((uint32_t)dot(u, v, 8, true) + w), (int32_t)((uint32_t)dot(u, v, 8, false) + w),
				(int32_t)((uint32_t)dot(u, v, 4, true) + w),
			(int32_t)((uint32_t)dot(u, v, 4, false) + w),
					(int32_t)saturate((int64_t)dot(u, v, 8, true) + z, INT32_MIN, INT32_MAX),
			(int32_t)permute(u, v, w & 0x0f0f0f0f), (int32_t)(both >> (w & 31)), (int32_t)(both >> 8 * (w & 3)), (int32_t)field,
					sfield,
			(int32_t)((uint32_t)((int32_t)(u << 8) >> 8) * (uint32_t)((int32_t)(v << 8) >> 8)), (int32_t)((uint64_t)u * v >> 32),
					(int32_t)((int64_t)x * y >> 32),
			u ? __builtin_clz(u) : 32, __builtin_ffs(x), (int32_t)rev, __builtin_popcount(u),
			y == 0 ? 0 : y == -1 ? (int32_t)-u : x / y, v ? (int32_t)(u % v) : 0, least > z ? least : z, (int32_t)sad,
					(x & y) | (~x & z),
			(int32_t)((u << (v & 7)) + w), (int32_t)saturate((int64_t)x + y, INT32_MIN, INT32_MAX), (int32_t)(u < v ? 0 : u - v),
			(int32_t)((u ^ v) + w), (v & 0x1ffff) > 0xffff ? 0xffff : (int32_t)(v & 0x1ffff),
					(int32_t)(u << (w & 31) | u >> (-w & 31)) };
		for (int f = 0; f < COLUMNS; f++)
			want[f][i] = r[f];
	}
	if (launch("integers", "ints", blocks, threads, 0, ARGS(ARG(a), ARG(b), ARG(c), ARG(out), ARG(n))))
		for (int f = 0; f < COLUMNS; f++)
			check_words(names[f], out + f * N, want[f], N);
	gpu_free_all("integers");
}

static void shorts(void)
{
	static const char *const names[12] = { "i16 sum", "i16 difference", "i16 mad", "i16 minimum", "i16 maximum",
			"i16 shift right", "i16 shift left", "i16 saturated sum", "u16 shift right", "u16 saturated difference",
			"u16 maximum", "i16 halves apart" };
	int16_t *a = gpu_alloc(2 * N), *b = gpu_alloc(2 * N), *c = gpu_alloc(2 * N), *out = gpu_alloc(12 * 2 * N), want[12][N];
	int pairs = N / 2;
	for (int i = 0; i < N; i++) {
		a[i] = (int16_t)random_int();
		b[i] = (int16_t)random_int();
		c[i] = (int16_t)random_int();
	}
	for (int i = 0; i < N; i++) {
		int x = a[i], y = b[i], z = c[i];
		uint16_t u = (uint16_t)x, v = (uint16_t)y;
		int first = a[i & ~1], second = a[i | 1];
		int r[12] = { x + y, x - y, (int)((unsigned)x * (unsigned)y + (unsigned)z), x < y ? x : y, x > y ? x : y, x >> 3,
				(int)((unsigned)x << (y & 15)), (int)saturate(x + y, -32768, 32767), u >> 5,
			u > v ? u - v : 0, u > v ? u : v, i & 1 ? (second > b[i & ~1] ? c[i & ~1] : c[i | 1]) :
					(int)((unsigned)first * (unsigned)b[i | 1]) };
		for (int f = 0; f < 12; f++)
			want[f][i] = (int16_t)r[f];
	}
	if (launch("16-bit integers", "shorts", D1(N / 512), threads, 0, ARGS(ARG(a), ARG(b), ARG(c), ARG(out), ARG(pairs))))
		for (int f = 0; f < 12; f++)
			check_words(names[f], out + f * N, want[f], N / 2);
	gpu_free_all("16-bit integers");
}

static void longs(void)
{
	enum { COLUMNS = 19 };
	static const char *const names[COLUMNS] = { "i64 sum", "i64 difference", "i64 product", "i64 division",
			"u64 remainder", "i64 shift right", "u64 shift right", "i64 shift left", "i64 minimum", "u64 comparison",
			"u64 high product", "i64 clz", "i64 ffs", "i64 popc", "i64 brev", "i64 mad", "u64 mad", "i64 equality",
			"i64 logic" };
	int64_t *a = gpu_alloc(8 * N), *b = gpu_alloc(8 * N), *out = gpu_alloc(COLUMNS * 8 * N), want[COLUMNS][N];
	for (int i = 0; i < N; i++) {
		uint64_t u = (uint64_t)random_int() << 32 | random_int(),
				v = random_bits() % 3 ? (uint64_t)random_int() << 32 | random_int() : random_int();
		if (random_bits() % 9 == 0)
			v = u;
		int64_t x = a[i] = (int64_t)u, y = b[i] = (int64_t)v;
		uint64_t rev = 0;
		for (int k = 0; k < 64; k++)
			rev |= (u >> k & 1) << (63 - k);
		int64_t r[COLUMNS] = { (int64_t)(u + v), (int64_t)(u - v), (int64_t)(u * v),
				y == 0 ? 0 : y == -1 ? (int64_t)-u : x / y, v ? (int64_t)(u % v) : 0, x >> (y & 63), (int64_t)(u >> (y & 63)),
			(int64_t)(u << (y & 63)), x < y ? x : y, u < v ? 1 : 2, (int64_t)((unsigned __int128)u * v >> 64),
					u ? __builtin_clzll(u) : 64, __builtin_ffsll(x), __builtin_popcountll(u),
			(int64_t)rev, (int64_t)((uint64_t)((int64_t)(int)x * (int)y) + u),
					(int64_t)((uint64_t)(unsigned)x * (unsigned)y + v), x == y, (x & ~y) ^ (x | y) };
		for (int f = 0; f < COLUMNS; f++)
			want[f][i] = r[f];
	}
	if (launch("64-bit integers", "longs", blocks, threads, 0, ARGS(ARG(a), ARG(b), ARG(out), ARG(n))))
		for (int f = 0; f < COLUMNS; f++)
			check_words(names[f], out + f * N, want[f], 2 * N);
	gpu_free_all("64-bit integers");
}

static void bytes(void)
{
	uint32_t *a = gpu_alloc(4 * N), *b = gpu_alloc(4 * N);
	float *f = gpu_alloc(5 * 4 * N), wantf[5][N];
	int *out = gpu_alloc(6 * 4 * N), want[6][N];
	for (int i = 0; i < N; i++) {
		uint32_t x = a[i] = random_bits() ^ random_bits() << 16, y = b[i] = random_bits();
		for (int k = 0; k < 4; k++)
			wantf[k][i] = (float)(x >> 8 * k & 255);
		wantf[4][i] = (float)(int8_t)(x >> 8);
		want[0][i] = (int)((x >> 8 & 255) + (y >> 16 & 255));
		want[1][i] = (int8_t)(x >> 16) + (int16_t)y;
		want[2][i] = (int)((x & 0xffff) * (y >> 16));
		want[3][i] = (int)((x >> 24) << (y & 7));
		want[4][i] = (uint8_t)x == (uint8_t)(y >> 8);
		want[5][i] = (int16_t)(x >> 16) < (int16_t)y;
	}
	if (launch("bytes", "bytes", blocks, threads, 0, ARGS(ARG(a), ARG(b), ARG(f), ARG(out), ARG(n)))) {
		check_bits_f32("bytes to floats", f, wantf[0], 5 * N);
		check_words("arithmetic on bytes and halves of words", out, want, 6 * N);
	}
	gpu_free_all("bytes");
}

/* FNUZ formats by searching the nearest of all values. */
static float small_value(unsigned code, int mantissa_bits, int bias)
{
	int exponent = (int)(code & 127) >> mantissa_bits, mantissa = (int)code & ((1 << mantissa_bits) - 1);
	float m = (float)mantissa / (float)(1 << mantissa_bits);
	if (code == 0x80)
		return NAN;
	float v = exponent ? ldexpf(1 + m, exponent - bias) : ldexpf(m, 1 - bias);
	return code & 128 ? -v : v;
}
static unsigned nearest_small(float x, int mantissa_bits, int bias)
{
	unsigned best = 0x80;
	double distance = INFINITY, top = (double)small_value(127, mantissa_bits, bias),
			step = top - (double)small_value(126, mantissa_bits, bias);
	if (x != x || fabs((double)x) >= top + step / 2)
		return 0x80;
	for (unsigned c = 0; c < 256; c++) {
		double d = c == 0x80 ? INFINITY : fabs((double)small_value(c, mantissa_bits, bias) - (double)x);
		if (d < distance || (d == distance && (c & 1) == 0)) {
			distance = d;
			best = c;
		}
	}
	if (small_value(best, mantissa_bits, bias) == 0)
		return 0;
	return best;
}
static void small_floats(void)
{
	float *a = gpu_alloc(8 * N), *back = gpu_alloc(4 * 4 * N), want_back[4][N];
	uint32_t *packed = gpu_alloc(4 * N), want[N];
	for (int i = 0; i < 2 * N; i++) {
		a[i] = random_bits() % 3 ? random_float(-4, 4) : random_float(-300, 300) * (random_bits() % 2 ? 1 : 1e-4f);
		if (i % 50 == 0)
			a[i] = i % 100 ? 1e6f : NAN;
	}
	for (int i = 0; i < N; i++) {
		unsigned p[4] = { nearest_small(a[2 * i], 3, 8), nearest_small(a[2 * i + 1], 3, 8), nearest_small(a[2 * i], 2, 16),
				nearest_small(a[2 * i + 1], 2, 16) };
		want[i] = p[0] | p[1] << 8 | p[2] << 16 | p[3] << 24;
		for (int k = 0; k < 4; k++)
			want_back[k][i] = k < 2 ? small_value(p[k], 3, 8) : small_value(p[k], 2, 16);
	}
	if (have_kernel("fp8") && launch("fp8", "fp8", blocks, threads, 0, ARGS(ARG(a), ARG(packed), ARG(back), ARG(n)))) {
		check_words("f32 to fp8 and bf8", packed, want, N);
		check_bits_f32("fp8 and bf8 to f32", back, want_back[0], 4 * N);
	}
	gpu_free_all("fp8");
}

TEST(arith)
{
	functions();
	exact();
	exact_wide();
	halves();
	half_pairs();
	packed_floats();
	integers();
	shorts();
	longs();
	bytes();
	small_floats();
}
