/* Atomics on memory and LDS, buffer instructions, loads to LDS. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "harness.h"

static void histogram(void)
{
	int n = 10000;
	uint8_t *in = gpu_alloc((size_t)n);
	uint32_t *bins = gpu_alloc(1024), want[256] = {0};
	memset(bins, 0, 1024);
	for (int i = 0; i < n; i++)
		want[in[i] = (uint8_t)(random_bits() & random_bits())]++;
	if (launch("histogram", "histogram", D1(7), D1(256), 0, ARGS(ARG(in), ARG(bins), ARG(n))))
		check_words("histogram by LDS and global atomics", bins, want, 256);
	gpu_free_all("histogram");
}

static void words(void)
{
	enum { ITEMS = 4 * 256 };
	int *g = gpu_alloc(14 * 4), *in = gpu_alloc(4 * ITEMS), *seen = gpu_alloc(4 * ITEMS);
	int first[14] = { 5, 6, 1 << 30, -(1 << 30), -1, 0, -1, 0, 0x1234, 3, 7, 0, 0, 9 }, want[14];
	memcpy(g, first, sizeof first);
	memcpy(want, first, sizeof first);
	for (int i = 0; i < ITEMS; i++)
		in[i] = (int)random_bits();
	for (int i = 0; i < ITEMS; i++) {
		uint32_t x = (uint32_t)in[i];
		want[0] = (int)((uint32_t)want[0] + x);
		want[1] = (int)((uint32_t)want[1] - x);
		want[2] = in[i] < want[2] ? in[i] : want[2];
		want[3] = in[i] > want[3] ? in[i] : want[3];
		want[4] = (int)(x < (uint32_t)want[4] ? x : (uint32_t)want[4]);
		want[5] = (int)(x > (uint32_t)want[5] ? x : (uint32_t)want[5]);
		want[6] &= in[i] | 0xff;
		want[7] |= in[i] & 0xff00;
		want[8] ^= in[i];
		want[9] = want[9] >= 100 ? 0 : want[9] + 1;
		want[10] = want[10] == 0 || want[10] > 1000 ? 1000 : want[10] - 1;
		want[11]++;
		want[13] = (int)((uint32_t)want[13] + x);
	}
	want[12] = in[77];
	if (launch("atomics32", "atomics32", D1(4), D1(256), 0, ARGS(ARG(g), ARG(in), ARG(seen)))) {
		check_words("32-bit atomics", g, want, 14);
		bool *hit = calloc(ITEMS, 1);
		int distinct = 0;
		for (int i = 0; i < ITEMS; i++)
			if (seen[i] >= 0 && seen[i] < ITEMS && !hit[seen[i]]) {
				hit[seen[i]] = true;
				distinct++;
			}
		report("values that atomics return", distinct == ITEMS, "%d tickets of %d are distinct", distinct, ITEMS);
		free(hit);
	}
	gpu_free_all("atomics32");
}

static void wide(void)
{
	enum { ITEMS = 512 };
	uint64_t *g = gpu_alloc(7 * 8), *in = gpu_alloc(8 * ITEMS), want[7] = { 1, ~0ull, 0, ~0ull, 0, 77, 3 };
	memcpy(g, want, sizeof want);
	for (int i = 0; i < ITEMS; i++) {
		uint64_t x = in[i] = (uint64_t)random_bits() << 32 | random_bits();
		want[0] += x;
		want[1] = x < want[1] ? x : want[1];
		want[2] = x > want[2] ? x : want[2];
		want[3] &= x | 0xffff;
		want[4] |= x & 0xff00ff00ff00ull;
		want[5] ^= x;
		want[6] += x;
	}
	if (launch("atomics64", "atomics64", D1(2), D1(256), 0, ARGS(ARG(g), ARG(in))))
		check_words("64-bit atomics", g, want, 14);
	gpu_free_all("atomics64");
}

static void floats(void)
{
	enum { ITEMS = 512 };
	float *f = gpu_alloc(12), *in = gpu_alloc(4 * ITEMS), wantf[3];
	double *d = gpu_alloc(24), sum = 0, wantd[3];
	_Float16 *h = gpu_alloc(4);
	memset(f, 0, 12);
	memset(d, 0, 24);
	memset(h, 0, 4);
	for (int i = 0; i < ITEMS; i++)
		sum += (double)(in[i] = (float)((int)(random_bits() % 2000) - 1000) * 0.25f);   /* sums are exact in any order */
	wantf[0] = wantf[1] = wantf[2] = (float)sum;
	wantd[0] = wantd[1] = sum;
	wantd[2] = 2 * 3 * 256;
	if (launch("float atomics", "atomics_float", D1(2), D1(256), 0, ARGS(ARG(f), ARG(d), ARG(h), ARG(in)))) {
		check_bits_f32("f32 atomic sums", f, wantf, 3);
		check_bits_f64("f64 atomic sums", d, wantd, 3);
		report("packed f16 atomic sums", (float)h[0] == 512 && (float)h[1] == 1024, "%g and %g", (double)h[0], (double)h[1]);
	}
	gpu_free_all("float atomics");
}

static void lds(void)
{
	int *in = gpu_alloc(256 * 4), *out = gpu_alloc((16 + 256) * 4),
			want[14] = { 256, 0, 0x7fffffff, (int)0x80000000, -1, 0, 0, 0 };
	uint64_t w0 = 0, w1 = ~0ull;
	for (int i = 0; i < 256; i++) {
		int x = in[i] = (int)random_bits();
		want[1] = (int)((uint32_t)want[1] - (uint32_t)x);
		want[2] = x < want[2] ? x : want[2];
		want[3] = x > want[3] ? x : want[3];
		want[4] &= x | 0xf0;
		want[5] |= x & 0xff;
		want[6] ^= x;
		want[7] = (int)((uint32_t)want[7] + (uint32_t)x);
		w0 += (uint64_t)(int64_t)x;
		w1 = (uint32_t)x < w1 ? (uint32_t)x : w1;
	}
	memcpy(want + 8, (uint64_t[]){ w0, w1, ~0ull }, 24);
	if (launch("LDS atomics", "lds_atomics", D1(1), D1(256), 0, ARGS(ARG(in), ARG(out)))) {
		bool hit[256] = { false };
		int distinct = 0;
		check_words("LDS atomics", out, want, 14);
		for (int i = 0; i < 256; i++)
			if (out[16 + i] >= 0 && out[16 + i] < 256 && !hit[out[16 + i]]) {
				hit[out[16 + i]] = true;
				distinct++;
			}
		report("values that LDS atomics return", distinct == 256, "%d tickets of 256 are distinct", distinct);
	}
	gpu_free_all("LDS atomics");
}

static void buffers(void)
{
	int n = 50, *in = gpu_alloc(50 * 4), *out = gpu_alloc(64 * 4), image[64 * 8] = {0}, want[64];
	for (int i = 0; i < n; i++)
		image[i] = in[i] = (int)(random_bits() & 0xffffff);
	for (unsigned t = 0; t < 64; t++) {
		uint16_t s;
		uint8_t c;
		memcpy(&s, (char *)image + 2 * t + 4, 2);
		memcpy(&c, (char *)image + t, 1);
		const int *z = image + 4 * t;
		uint32_t sum = (uint32_t)image[t] + (uint32_t)image[t + 3] * 3 + (uint32_t)image[t + 4] * 5 + (uint32_t)z[0] * 7 +
				(uint32_t)z[1] * 11 + (uint32_t)z[2] * 13 + (uint32_t)z[3] * 17 + s + c;
		want[t] = t < (unsigned)n ? (int)sum : (int)0xa5a5a5a5;
	}
	if (launch("raw buffers", "raw_buffer", D1(1), D1(64), 0, ARGS(ARG(in), ARG(out), ARG(n))))
		check_words("buffer loads and stores, past the end too", out, want, 64);
	gpu_free_all("raw buffers");
}

static void to_lds(void)
{
	if (!have_kernel("load_to_lds"))
		return;
	int *in = gpu_alloc(128 * 4), *out = gpu_alloc(256), want[64];
	for (int i = 0; i < 128; i++)
		in[i] = (int)(random_bits() % 1000);
	for (int t = 0; t < 64; t++)
		want[t] = in[(63 - t) ^ 5] + 1000 * in[64 + (t ^ 1)];
	if (launch("loads to LDS", "load_to_lds", D1(1), D1(64), 0, ARGS(ARG(in), ARG(out))))
		check_words("loads that go straight to LDS", out, want, 64);
	gpu_free_all("loads to LDS");
}

TEST(memory)
{
	histogram();
	words();
	wide();
	floats();
	lds();
	buffers();
	to_lds();
}
