/* Row by row what isa.s should leave. */
#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "harness.h"

enum { ROWS = 81 };
static uint32_t *got;
static int row;

static uint32_t bits(float f) { uint32_t u; memcpy(&u, &f, 4); return u; }
static float real(uint32_t u) { float f; memcpy(&f, &u, 4); return f; }
static bool same(uint32_t x, uint32_t y) { return x == y; }

/* Checks the next row against an expression of the lane i. */
#define ROW(name, expression) \
	do { \
		int bad_ = -1; \
		uint32_t wanted_ = 0; \
		for (int i = 0; i < 64; i++) { \
			uint32_t w_ = (uint32_t)(expression); \
			if (!same(got[row * 64 + i], w_) && bad_ < 0) { \
				bad_ = i; \
				wanted_ = w_; \
			} \
		} \
		if (bad_ < 0) \
			report(name, true, "%s", ""); \
		else \
			report(name, false, "row %d lane %d is 0x%08x, not 0x%08x", row, bad_, got[row * 64 + bad_], wanted_); \
		row++; \
	} while (0)

static float clamp01(float x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
static int64_t limit(int64_t x, int64_t low, int64_t high) { return x < low ? low : x > high ? high : x; }
static float rounded(double x, int mode)   /* 0 nearest, 1 up, 3 toward zero */
{
	static const int modes[4] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
	volatile double v = x;
	fesetround(modes[mode]);
	volatile float f = (float)v;
	fesetround(FE_TONEAREST);
	return f;
}
static uint32_t class_of(float x)
{
	bool negative = signbit(x);
	if (x != x)
		return bits(x) & 0x400000 ? 2 : 1;
	if (isinf(x))
		return negative ? 4 : 512;
	if (x == 0)
		return negative ? 32 : 64;
	return fabsf(x) < 0x1p-126f ? (negative ? 16 : 128) : negative ? 8 : 256;
}
static uint32_t permute(uint32_t u, uint32_t v, uint32_t sel)
{
	uint8_t from[8], r[4];
	memcpy(from, &v, 4);
	memcpy(from + 4, &u, 4);
	for (int i = 0; i < 4; i++) {
		unsigned s = sel >> 8 * i & 255;
		r[i] = s < 8 ? from[s] : s < 12 ? -(from[2 * (s - 8) + 1] >> 7) : s == 12 ? 0 : 255;
	}
	memcpy(&sel, r, 4);
	return sel;
}

static void vector_rows(const uint32_t *a, const uint32_t *b, const uint32_t *c, const uint32_t *d, const uint32_t *s)
{
	float f[64], g[64];
	for (int i = 0; i < 64; i++) {
		f[i] = (float)(int32_t)a[i] * real(0x2f000000);
		g[i] = (float)(int32_t)b[i] * real(0x2f000000);
	}
	ROW("SDWA: byte and word into a byte, the rest kept",
	(b[i] & 0xff00ffff) | (((a[i] >> 8 & 255) + (b[i] >> 16)) & 255) << 16);
	ROW("SDWA: sign-extended sources into a padded word", (uint32_t)((int8_t)(a[i] >> 24) - (int16_t)b[i]) << 16);
	ROW("SDWA: word sign-extended into the register", (int16_t)((a[i] >> 16) << (b[i] & 31)));
	ROW("SDWA: a signed byte to float", bits((float)(int8_t)(a[i] >> 16)));
	ROW("SDWA: comparison of bytes", (a[i] & 255) < b[i] >> 24 ? a[i] : 7);
	ROW("clamp of a float", bits(clamp01(f[i] + g[i])));
	ROW("neg, abs and omod *4", bits(f[i] * -fabsf(g[i]) * 4));
	ROW("omod /2", bits((f[i] + g[i]) / 2));
	ROW("clamp of an unsigned sum", a[i] + b[i] < a[i] ? ~0u : a[i] + b[i]);
	ROW("clamp of a signed difference", limit((int64_t)(int32_t)a[i] - (int32_t)b[i], INT32_MIN, INT32_MAX));
	ROW("clamp of a 16-bit sum", (got[row * 64 + i] & 0xffff0000) | (uint16_t)limit((int16_t)a[i] + (int16_t)b[i], -32768,
	32767));
	ROW("op_sel of sources and destination", (c[i] & 0xffff) | ((a[i] >> 16) * (b[i] & 0xffff) + (c[i] >> 16)) << 16);
	uint64_t negative = 0;
	for (int i = 0; i < 64; i++)
		negative |= (uint64_t)((int32_t)a[i] < 0) << i;
	ROW("v_cmpx switches lanes off", (int32_t)a[i] < 0 ? 2 : 1);
	ROW("EXEC after v_cmpx", (uint32_t)negative);
	ROW("VCC after v_cmpx", negative >> 32);
	ROW("rounding to nearest", bits((float)a[i]));
	ROW("rounding toward zero", bits(rounded((double)a[i], 3)));
	ROW("rounding toward zero of a sum", bits(rounded((double)f[i] + (double)g[i], 3)));
	ROW("rounding up", bits(rounded((double)a[i], 1)));
	ROW("denormals flushed", 0);
	ROW("MODE as read", 0xc0);
	ROW("denormals kept", (a[i] & 0x7fffff) * 2);
	ROW("relative source register", a[i]);
	ROW("relative destination register", b[i]);
	ROW("register beside a relative one", 20);
	ROW("v_writelane", i == 5 ? s[0] : i == 12 ? b[9] : a[i]);
	ROW("v_swap, one side", b[i]);
	ROW("v_swap, other side", a[i]);
	uint32_t carry[64], carry2[64];
	for (int i = 0; i < 64; i++) {
		carry[i] = a[i] + b[i] < a[i];
		carry2[i] = (uint64_t)c[i] + d[i] + carry[i] > 0xffffffffu;
	}
	ROW("sum with carry out", a[i] + b[i]);
	ROW("sum with carry in", c[i] + d[i] + carry[i]);
	ROW("difference with borrow", a[i] - b[i] - carry2[i]);
	unsigned __int128 wide[64];
	for (int i = 0; i < 64; i++)
		wide[i] = (unsigned __int128)((uint64_t)a[i] * b[i]) + (c[i] | (uint64_t)d[i] << 32);
	ROW("v_mad_u64_u32, low", (uint32_t)wide[i]);
	ROW("v_mad_u64_u32, high", (uint32_t)(wide[i] >> 32));
	ROW("v_mad_u64_u32, carry", (uint32_t)(wide[i] >> 64));
	ROW("v_cvt_off_f32_i4", bits((float)((int32_t)(a[i] << 28) >> 28) / 16));
	ROW("v_cvt_pk_u8_f32", (b[i] & 0xff00ffff) | (uint32_t)limit(llrint((double)((float)(int32_t)a[i] * real(0x34000000))),
	0, 255) << 16);
	ROW("v_cmp_class_f32", (class_of(real(a[i])) & b[i]) != 0);
	ROW("v_perm with signs and constants", permute(a[i], b[i], s[1]));
	ROW("v_mbcnt", 5 + __builtin_popcountll((s[0] | (uint64_t)s[1] << 32) & ((1ull << i) - 1)));
	ROW("v_bfe_i32", (int32_t)(a[i] << 15) >> 20);
}

static void scalar_rows(const uint32_t *s)
{
	uint64_t both = s[0] | (uint64_t)s[1] << 32;
	int64_t field = (int64_t)(both << (64 - 9 - 28)) >> (64 - 28), x = (int32_t)s[0], y = (int32_t)s[1];
	uint32_t sum = s[0] + s[1] + 1, carry = (uint64_t)s[0] + s[1] + 1 > 0xffffffffu, sub = s[0] - s[1] - carry;
	uint32_t rep = 0, k;
	uint32_t magnitude = (int32_t)s[2] < 0 ? ~s[2] : s[2];
	for (int i = 16; i < 32; i++)
		rep |= (s[0] >> i & 1) * 3 << 2 * (i - 16);
	k = (uint32_t)(((int32_t)0xffff8765 + 0x1234) * -7);
	ROW("s_bfe_i64, low", (uint32_t)field);
	ROW("s_bfe_i64, high", (uint32_t)(field >> 32));
	ROW("s_bfm_b64", (uint32_t)(((1ull << 20) - 1) << 9 >> 32));
	ROW("s_flbit_i32", magnitude ? __builtin_clz(magnitude) : -1);
	ROW("s_absdiff_i32", abs((int32_t)(s[0] - s[1])));
	ROW("s_pack_lh", (s[0] & 0xffff) | (s[1] & 0xffff0000));
	ROW("s_mul_hi_i32", (uint32_t)(x * y >> 32));
	ROW("s_addc_u32", sum);
	ROW("s_subb_u32", sub);
	ROW("s_lshl3_add_u32", (s[0] << 3) + s[1]);
	ROW("s_bitreplicate, high", rep);
	ROW("s_movk, s_addk, s_mulk", k);
	ROW("s_cmpk and s_cselect", k < 0xfff0 ? 11 : 22);
}

static void memory_rows(const uint32_t *a, const uint32_t *b, const uint32_t *c, const uint32_t *d, const uint32_t *in)
{
	float f[64], g[64];
	uint32_t mskor[64];
	for (int i = 0; i < 64; i++) {
		f[i] = (float)(int32_t)a[i] * real(0x2f000000);
		g[i] = (float)(int32_t)b[i] * real(0x2f000000);
		mskor[i] = (b[i] & ~c[i]) | a[i];
	}
	ROW("s_swappc and back", (uint32_t)((int32_t)(a[i] << 15) >> 20) + 1000);
	ROW("s_call and back", (uint32_t)((int32_t)(a[i] << 15) >> 20) + 2000);
	ROW("ds_read_u16_d16_hi", (c[i] & 0xffff) | (a[i] & 0xffff0000));
	ROW("ds_read_i8_d16", (c[i] & 0xffff0000) | (uint16_t)(int8_t)(a[i] >> 24));
	ROW("ds_add_rtn_f32, before", bits(f[i]));
	ROW("ds_add_rtn_f32, after", bits(f[i] + g[i]));
	ROW("ds_cmpst, before", a[i]);
	ROW("ds_cmpst, after", d[i]);
	ROW("ds_read2st64, first", d[i]);
	ROW("ds_mskor and ds_read2st64, second", mskor[i]);
	ROW("ds_inc", mskor[i] >= c[i] ? 0 : mskor[i] + 1);
	ROW("ds_swizzle, bit mask", a[(i & 32) | ((((i & 7) | 8) ^ 2) & 31)]);
	ROW("ds_swizzle, broadcast", a[(i & ~7) | 3]);
	uint32_t word[64][4], bytes[64], half[64], after[64];
	for (int i = 0; i < 64; i++) {
		uint8_t m[24] = {0};
		uint16_t h = (uint16_t)(c[i] >> 16), l;
		memcpy(m, &a[i], 4);
		memcpy(m + 12, &a[i], 4);
		memcpy(m + 16, &b[i], 4);
		m[5] = (uint8_t)c[i];
		memcpy(m + 7, &h, 2);
		memcpy(word[i], m, 16);
		bytes[i] = (uint32_t)(int8_t)m[13];
		memcpy(&l, m + 13, 2);
		half[i] = l;
		memcpy(&after[i], m + 12, 4);
	}
	ROW("scratch, first word", word[i][0]);
	ROW("scratch, a byte and half a word", (word[i][1] & 0xff00ff00) | (got[row * 64 + i] & 0x00ff00ff));
	ROW("scratch, last word", word[i][3]);
	ROW("scratch, signed byte by vector and scalar offset", bytes[i]);
	ROW("scratch through a flat address", half[i]);
	ROW("flat atomic on scratch, before", after[i]);
	ROW("flat atomic on scratch, after", after[i] + b[i]);
	ROW("LDS through a flat address", bits(f[i] + g[i]));
	ROW("raw buffer", i < 40 ? in[i] : 0);
	ROW("raw buffer, second of two words", i + 2 < 40 ? in[i + 2] : 0);
	uint16_t wanted[64];
	for (int i = 0; i < 64; i++) {
		wanted[i] = 0;
		if (i < 13)
			memcpy(&wanted[i], (const char *)in + 12 * i + 6, 2);
	}
	ROW("structured buffer by index", wanted[i]);
	ROW("s_buffer_load", in[37]);
	ROW("s_buffer_load past the end", 0);
	ROW("global_load_short_d16_hi", (c[i] & 0xffff) | (a[i] & 0xffff0000));
	ROW("global_store_short_d16_hi", b[i] >> 16);
}

static void preload(void)
{
	uint32_t *out = gpu_alloc(768), first = 1234, second = 0xabcdef01, want[192];
	uint64_t third = 5;
	for (int i = 0; i < 192; i++)
		want[i] = i < 64 ? first : i < 128 ? second : 0;
	if (launch("preloaded arguments", "isa_preload", D1(1), D1(64), 0,
			ARGS(ARG(out), ARG(first), ARG(second), ARG(third))))
		check_words("kernel arguments preloaded into SGPRs", out, want, 192);
	gpu_free_all("preloaded arguments");
}

TEST(isa)
{
	static const uint32_t edges[] = { 0, 1, ~0u, 0x80000000, 0x7fffffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x00000345,
			0x80000345, 0x3f800000 };
	uint32_t *in = gpu_alloc(1024 + 32);
	got = gpu_alloc((ROWS + 1) * 256);
	row = 0;
	for (int i = 0; i < 256 + 8; i++)
		in[i] = random_bits() ^ random_bits() << 16;
	for (int i = 0; i < 11; i++)
		in[20 + i] = edges[i];
	in[256 + 1] = 0x0c0809f0 | (in[256 + 1] & 7);   /* a selector with every kind of byte */
	memset(got, 0, (ROWS + 1) * 256);
	const uint32_t *a = in, *b = in + 64, *c = in + 128, *d = in + 192, *s = in + 256;
	if (launch("isa_probe", "isa_probe", D1(1), D1(64), 0, ARGS(ARG(in), ARG(got)))) {
		vector_rows(a, b, c, d, s);
		scalar_rows(s);
		memory_rows(a, b, c, d, in);
		report("every row of isa.s is checked", row == ROWS, "%d of %d", row, ROWS);
	}
	gpu_free_all("isa_probe");
	preload();
}
