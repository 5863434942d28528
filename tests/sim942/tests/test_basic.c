/* Elementwise work, lane exchange, LDS, widths of access, generic pointers, divergence, globals, faults. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "harness.h"

static int *random_ints(size_t n, int mask)
{
	int *p = gpu_alloc(n * 4);
	for (size_t i = 0; i < n; i++)
		p[i] = (int)(random_bits() & (uint32_t)mask);
	return p;
}
static float *random_floats(size_t n, float low, float high)
{
	float *p = gpu_alloc(n * 4);
	for (size_t i = 0; i < n; i++)
		p[i] = random_float(low, high);
	return p;
}

static void vectors(void)
{
	int n = 1000;
	float *a = random_floats(1000, -5, 5), *b = random_floats(1000, -5, 5), *c = gpu_alloc(4000), k = 1.5f;
	float want[1000];
	for (int i = 0; i < n; i++)
		want[i] = a[i] + b[i];
	if (launch("vadd", "vadd", D1(4), D1(256), 0, ARGS(ARG(a), ARG(b), ARG(c), ARG(n))))
		check_bits_f32("vadd", c, want, 1000);
	for (int i = 0; i < n; i++)
		want[i] = fmaf(k, a[i], b[i]);
	if (launch("saxpy", "saxpy_strided", D1(2), D1(128), 0, ARGS(ARG(b), ARG(a), ARG(k), ARG(n))))
		check_floats("saxpy with a grid stride", b, want, 1000, 1e-6, 1e-6);
	gpu_free_all("vectors");
}

static void indices(void)
{
	unsigned *out = gpu_alloc(3 * 2 * 2 * 60 * 4), want[3 * 2 * 2 * 60], at = 0;
	for (unsigned bz = 0; bz < 2; bz++) for (unsigned by = 0; by < 2; by++) for (unsigned bx = 0; bx < 3; bx++)
		for (unsigned tz = 0; tz < 3; tz++) for (unsigned ty = 0; ty < 4; ty++) for (unsigned tx = 0; tx < 5; tx++)
			want[at++] = tx | ty << 4 | tz << 8 | bx << 12 | by << 16 | bz << 20 | 5u << 24 | 2u << 28;
	if (launch("ids", "ids", D3(3, 2, 2), D3(5, 4, 3), 0, ARGS(ARG(out))))
		check_words("work-item and work-group ids in three dimensions", out, want, at);
	gpu_free_all("ids");
}

static void tiles(void)
{
	int width = 100, height = 70;
	float *in = random_floats(7000, -1, 1), *out = gpu_alloc(28000), *want = malloc(28000);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			want[x * height + y] = in[y * width + x];
	if (launch("transpose", "transpose", D2(4, 3), D2(32, 8), 0, ARGS(ARG(in), ARG(out), ARG(width), ARG(height))))
		check_bits_f32("transpose through LDS tiles", out, want, 7000);
	free(want);
	gpu_free_all("transpose");
}

static void reductions(void)
{
	int n = 777, *ints = random_ints(5 * 64, 0xffff), *sums = gpu_alloc((5 + 5 * 64) * 4), want[5 + 5 * 64];
	float *in = random_floats(3 * 777, -1, 1), *out = gpu_alloc(12), wantf[3] = {0};
	for (int b = 0; b < 3; b++) {
		double s = 0;
		for (int i = 0; i < n; i++)
			s += (double)in[b * n + i];
		wantf[b] = (float)s;
	}
	if (launch("reduce_shuffle", "reduce_shuffle", D1(3), D1(256), 0, ARGS(ARG(in), ARG(out), ARG(n))))
		check_floats("reduction by shuffles", out, wantf, 3, 1e-4, 1e-5);
	for (int b = 0, s = 0; b < 5; b++, s = 0) {
		for (int i = 0; i < 64; i++)
			want[5 + b * 64 + i] = s += ints[b * 64 + i];
		want[b] = s;
	}
	if (have_kernel("reduce_dpp") && launch("reduce_dpp", "reduce_dpp", D1(5), D1(64), 0, ARGS(ARG(ints), ARG(sums))))
		check_words("scan and reduction by DPP", sums, want, 5 + 5 * 64);
	gpu_free_all("reductions");
}

static void dpp(void)
{
	int *in = random_ints(64, 0xffffff), *out = gpu_alloc(18 * 64 * 4), want[18][64];
	for (int i = 0; i < 64; i++) {
		int row = i / 16 * 16, at = i % 16;
		want[0][i] = in[i ^ 1];
		want[1][i] = in[i ^ 3];
		want[2][i] = at < 13 ? in[i + 3] : -1;
		want[3][i] = at >= 5 ? in[i - 5] : 0;
		want[4][i] = in[row + (at + 9) % 16];
		want[5][i] = i < 63 ? in[i + 1] : -1;
		want[6][i] = in[(i + 1) % 64];
		want[7][i] = i ? in[i - 1] : 0;
		want[8][i] = in[(i + 63) % 64];
		want[9][i] = in[row + 15 - at];
		want[10][i] = in[i / 8 * 8 + 7 - i % 8];
		want[11][i] = row ? in[row - 1] : -1;
		want[12][i] = i >= 32 ? in[31] : -1;
		want[13][i] = in[row + 5];
		want[14][i] = (row == 0 || row == 32) && at ? in[i - 1] : -1;
		want[15][i] = at >= 4 && at < 12 ? in[i - 1] : -1;
		bool on = i % 5 != 2, source_on = at && (i - 1) % 5 != 2;
		want[16][i] = !on ? -2 : source_on ? in[i - 1] : -1;
		want[17][i] = !on ? -2 : source_on ? in[i - 1] : 0;
	}
	if (have_kernel("dpp_controls") && launch("dpp_controls", "dpp_controls", D1(1), D1(64), 0, ARGS(ARG(in), ARG(out))))
		check_words("every DPP control, with masks and switched-off lanes", out, want, 18 * 64);
	gpu_free_all("dpp");
}

static void lanes(void)
{
	int *in = random_ints(64, 0xffffff), *out = gpu_alloc(12 * 64 * 4), want[12][64];
	uint64_t odd = 0;
	for (int i = 0; i < 64; i++)
		odd |= (uint64_t)(in[i] & 1) << i;
	memset(want[1], 0, sizeof want[1]);
	for (int i = 0; i < 64; i++) {
		uint64_t mask = 0xf0f0f0f012345678ull & ((1ull << i) - 1);
		want[0][i] = in[(i * 7 + 3) & 63];
		want[1][(i * 5 + 1) & 63] = in[i];
		want[2][i] = in[i ^ 1];
		want[3][i] = in[i ^ 3];
		want[4][i] = in[0];
		want[5][i] = in[41];
		want[6][i] = 100 + __builtin_popcountll(mask);
		want[7][i] = (int)(uint32_t)odd;
		want[8][i] = (int)(uint32_t)(odd >> 32);
		want[9][i] = __builtin_popcountll(odd) + 3000;
		want[10][i] = in[i / 3];
		want[11][i] = i >= 3 ? in[i - 3] : in[i];
	}
	if (have_kernel("lane_moves") && launch("lane_moves", "lane_moves", D1(1), D1(64), 0, ARGS(ARG(in), ARG(out))))
		check_words("permutes, swizzles, readlane, ballot, mbcnt", out, want, 12 * 64);
	gpu_free_all("lanes");
}

static void scans(void)
{
	int *in = random_ints(3 * 512, 0xffff), *out = gpu_alloc(3 * 512 * 4), want[3 * 512];
	for (int b = 0, s = 0; b < 3; b++, s = 0)
		for (int i = 0; i < 512; i++)
			want[b * 512 + i] = s += in[b * 512 + i];
	if (launch("scan_block", "scan_block", D1(3), D1(512), 2048, ARGS(ARG(in), ARG(out))))
		check_words("block scan in dynamic LDS", out, want, 3 * 512);
	gpu_free_all("scan");
}

#pragma pack(push, 1)
struct loose { uint8_t c; uint32_t u; uint16_t s; };
#pragma pack(pop)

static void widths(void)
{
	uint8_t *in = gpu_alloc(1024), *out = gpu_alloc(6400);
	struct loose *packed = gpu_alloc(64 * sizeof *packed);
	uint32_t *sums = gpu_alloc(256), want[64];
	uint8_t image[6400];
	for (int i = 0; i < 1024; i++)
		in[i] = (uint8_t)random_bits();
	for (size_t i = 0; i < 64 * sizeof *packed; i++)
		((uint8_t *)packed)[i] = (uint8_t)random_bits();
	memset(image, 0xa5, sizeof image);
	for (int t = 0; t < 64; t++) {
		uint32_t w[4], b[3], a[2];
		int16_t ss;
		uint16_t us;
		memcpy(a, in + 8 * t, 8);
		memcpy(b, in + 12 * t, 12);
		memcpy(w, in + 16 * t, 16);
		memcpy(&ss, in + 2 * t, 2);
		memcpy(&us, in + 2 * t + 2, 2);
		uint32_t sum = in[t] + 3u * (uint32_t)(int8_t)in[t] + 5u * (uint32_t)ss + 7u * us;
		sum += a[0] ^ a[1] ^ (b[0] + b[1] * 3 + b[2] * 5) ^ (w[0] + w[1] * 3 + w[2] * 5 + w[3] * 7);
		sum += packed[t].c + packed[t].u * 3 + packed[t].s * 5u;
		want[t] = sum;
		memcpy(image + 16 * t, (uint32_t[]){ sum, a[0], b[2], w[3] }, 16);
		memcpy(image + 2048 + 12 * t, (uint32_t[]){ sum, sum + 1, sum + 2 }, 12);
		memcpy(image + 4096 + 8 * t, (uint32_t[]){ a[1], a[0] }, 8);
		memcpy(image + 5120 + 2 * t, (uint16_t[]){ (uint16_t)sum }, 2);
		image[5632 + t] = (uint8_t)(sum >> 8);
		memcpy(image + 6144 + 2 * t, (uint16_t[]){ (uint16_t)(w[0] >> 16) }, 2);
	}
	if (launch("widths", "widths", D1(1), D1(64), 0, ARGS(ARG(in), ARG(out), ARG(packed), ARG(sums)))) {
		check_words("loads of every width", sums, want, 64);
		check_words("stores of every width", out, image, 6400 / 4);
	}
	gpu_free_all("widths");
}

static void generic(void)
{
	int *in = random_ints(80, 0xfff), *out = gpu_alloc(192 * 4), want[192];
	for (int i = 0; i < 192; i++)
		want[i] = (int)0xa5a5a5a5;
	int lds[67];
	for (int i = 0; i < 64; i++)
		lds[i] = i * 3;
	lds[64] = lds[65] = lds[66] = 7;
	for (int t = 0; t < 64; t++) {
		int mine[8], q = 5 + t, sum;
		for (int i = 0; i < 8; i++)
			mine[i] = in[(t + i) & 63];
		if (t % 3 == 2)
			mine[5] = q;
		const int *p = t % 3 == 0 ? &lds[t] : t % 3 == 1 ? &in[t] : &mine[t & 3];
		sum = p[0] + 10 * p[1] + 100 * p[2];
		want[t] = sum + q;
		want[64 + t] = mine[5];
		if (t % 3 == 1)
			want[128 + t] = q;
	}
	if (launch("generic_pointers", "generic_pointers", D1(1), D1(64), 0, ARGS(ARG(in), ARG(out))))
		check_words("pointers to LDS, scratch and memory in one wave", out, want, 192);
	gpu_free_all("generic");
}

static void lds(void)
{
	unsigned *in = (unsigned *)random_ints(64, 0x7ffffff), *out = gpu_alloc(1024), want[256];
	static uint8_t b[8192];
	memset(b, 0, sizeof b);
	for (unsigned t = 0; t < 64; t++) {
		memcpy(b + 16 * t, (uint32_t[]){ in[t], in[t] * 3, in[t] * 5, in[t] * 7 }, 16);
		memcpy(b + 1024 + 8 * t, (uint32_t[]){ in[t] + 1, in[t] + 2 }, 8);
		memcpy(b + 1536 + 4 * t, (uint32_t[]){ in[t] ^ 0x55 }, 4);
		memcpy(b + 1792 + 2 * t, (uint16_t[]){ (uint16_t)(in[t] >> 3) }, 2);
		b[1920 + t] = (uint8_t)(in[t] >> 5);
	}
	uint32_t w[1024];
	memcpy(w, b, 4096);
	for (unsigned t = 0; t < 64; t++) {
		unsigned u = 63 - t;
		uint16_t hu, ht;
		memcpy(&hu, b + 1792 + 2 * u, 2);
		memcpy(&ht, b + 1792 + 2 * t, 2);
		want[t] = in[u] + in[u] * 9 + in[u] * 25 + in[u] * 49 + (in[u] + 1) * 11 + (in[u] + 2) * 13 + u + (u + 1) * 2 +
				(u + 2) * 4;
		want[64 + t] = w[t] + w[t + 64] * 3 + w[t + 2] * 5 + w[384 + u];
		want[128 + t] = (uint32_t)(hu + (int16_t)ht + b[1920 + u] * 3 + (int8_t)b[1920 + t]);
		want[192 + t] = in[u] * 3;
	}
	if (launch("lds_widths", "lds_widths", D1(1), D1(64), 0, ARGS(ARG(in), ARG(out))))
		check_words("LDS loads and stores of every width", out, want, 256);
	gpu_free_all("lds");
}

static void divergence(void)
{
	int n = 500, *in = random_ints(500, 0xffff), *out = gpu_alloc(2000), want[500];
	for (int i = 0; i < n; i++) {
		in[i]++;
		int x = in[i], steps = 0;
		while (x != 1 && steps < 200) {
			x = x & 1 ? 3 * x + 1 : x >> 1;
			steps++;
		}
		switch (in[i] % 5) {
		case 0: steps += 1000; break;
		case 1: steps *= 3; break;
		case 2: steps = -steps; break;
		default: steps ^= 0x55;
		}
		want[i] = steps;
	}
	if (launch("divergent", "divergent", D1(2), D1(256), 0, ARGS(ARG(in), ARG(out), ARG(n))))
		check_words("divergent loops and switches", out, want, 500);
	gpu_free_all("divergent");
}

static void globals(void)
{
	float *out = gpu_alloc(256), want[64];
	static const int table[8] = { 3, 1, 4, 1, 5, 9, 2, 6 };
	float weights[4] = { 0.5f, 0.25f, 2.0f, -1.0f };
	size_t size = 0;
	int *device_table = symbol_address("table", &size);
	float *device_weights = symbol_address("weights", &size);
	if (device_weights)
		device_weights[1] = weights[1] = 8;   /* as a copy to a symbol does */
	(void)device_table;
	for (int i = 0; i < 64; i++)
		want[i] = (float)table[i & 7] * weights[i & 3];
	if (launch("globals", "globals", D1(1), D1(64), 0, ARGS(ARG(out))))
		check_bits_f32("device and constant variables", out, want, 64);
	gpu_free_all("globals");
}

static void faults(void)
{
	float *p = gpu_alloc(1024);
	int at = 250, one = 1;
	bool failed = try_launch("out_of_bounds", D1(1), D1(64), 0, ARGS(ARG(p), ARG(at))) != 0;
	bool named = strstr(last_error, "out_of_bounds") && strstr(last_error, "lane 6") &&
			strstr(last_error, wave_lanes() == 64 ? "_store_dword" : "_store_b32") && strstr(last_error, "write of 4 bytes");
	report("a write outside tracked memory names kernel, instruction and lane", failed && named, "%s", failed &&
			named ? "" : last_error);
	failed = try_launch("trap_if", D1(1), D1(64), 0, ARGS(ARG(one))) != 0;
	report("a trap is an error", failed && strstr(last_error, "trap"), "%s", failed ? "" : "the launch succeeded");
	struct argument too_small[] = { ARG(one), { 0, 0 } };
	failed = try_launch("scan_block", D1(1), D1(64), 0, too_small) != 0;
	report("a launch of wrong arguments is refused", failed, "%s", "");
	failed = try_launch("trap_if", D1(1), D1(2048), 0, ARGS(ARG(one))) != 0;
	report("a work-group of 2048 is refused", failed, "%s", "");
	gpu_free_all("faults");
}

TEST(basic)
{
	vectors();
	indices();
	tiles();
	reductions();
	dpp();
	lanes();
	scans();
	widths();
	generic();
	lds();
	divergence();
	globals();
	faults();
}
