/* RDNA: waves of 32 lanes, pairs of instructions, lane moves, 16-bit results, masks, and the matrix instructions, whose
 * operands are laid out here as AMD's matrix instruction calculator prints them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "harness.h"

enum { LANES = 32, SIDE = 16 };

static bool rdna4(void) { return !strncmp(run_label, "gfx12", 5); }
static uint32_t *registers(size_t count)
{
	uint32_t *p = gpu_alloc(count * LANES * 4);
	for (size_t i = 0; i < count * LANES; i++)
		p[i] = random_bits();
	return p;
}
static float float_of(uint32_t u) { float f; memcpy(&f, &u, 4); return f; }
static uint32_t bits_of(float f) { uint32_t u; memcpy(&u, &f, 4); return u; }

/* Matrix instructions. */

enum { SIGNED_A = 1, SIGNED_B = 2, SIGNED = 3, CLAMP = 4, CONSTANT = 8, F16 = 16, BF16 = 32, FLOATS = F16 | BF16 };
struct product { const char *kernel; int bits, k, flags; };

/* Where element k of a line of A or B lies: register, lane, lowest bit. RDNA3 has it in two lanes, this and 16 above. */
static void place_of_element(const struct product *p, int line, int k, int *reg, int *lane, int *bit)
{
	int each = 32 / p->bits;
	*lane = line;
	if (!rdna4()) {
		*reg = k / each;
	} else if (p->bits == 16) {
		*lane += k / 4 % 2 * SIDE;
		*reg = k / 8 * 2 + k % 4 / 2;
	} else {
		*lane += k / (p->k / 2) * SIDE;
		*reg = k % (p->k / 2) / each;
	}
	*bit = k % each * p->bits;
}
static void place_of_result(int row, int column, int *reg, int *lane)
{
	*reg = rdna4() ? row % 8 : row / 2;
	*lane = (rdna4() ? row / 8 : row % 2) * SIDE + column;
}

static uint32_t random_element(const struct product *p)
{
	if (!(p->flags & FLOATS))
		return random_bits() & ((1u << p->bits) - 1);
	_Float16 h = (_Float16)random_float(-2, 2);
	uint16_t u;
	memcpy(&u, &h, 2);
	return p->flags & BF16 ? bits_of(random_float(-2, 2)) >> 16 : u;
}
static double value_of(const struct product *p, uint32_t element, bool is_signed)
{
	if (p->flags & BF16)
		return (double)float_of(element << 16);
	if (p->flags & FLOATS) {
		_Float16 h;
		uint16_t u = (uint16_t)element;
		memcpy(&h, &u, 2);
		return (double)h;
	}
	return is_signed && element >> (p->bits - 1) ? (double)element - (1 << p->bits) : (double)element;
}

/* Random lines in registers; their values in out[line][k]. */
static void fill_lines(const struct product *p, uint32_t *regs, bool is_signed, double *out)
{
	for (int line = 0; line < SIDE; line++)
		for (int k = 0; k < p->k; k++) {
			int reg, lane, bit;
			uint32_t x = random_element(p), mask = (p->bits == 16 ? 0xffffu : (1u << p->bits) - 1);
			place_of_element(p, line, k, &reg, &lane, &bit);
			for (int copy = 0; copy < (rdna4() ? 1 : 2); copy++) {
				uint32_t *to = &regs[reg * LANES + lane + copy * SIDE];
				*to = (*to & ~(mask << bit)) | x << bit;
			}
			out[line * p->k + k] = value_of(p, x, is_signed);
		}
}

static void product_test(const struct product *p)
{
	int count = p->bits * p->k / 32 / (rdna4() ? 2 : 1), reg, lane;
	uint32_t *a = registers((size_t)count), *b = registers((size_t)count), *c = registers(8), *d = registers(8);
	uint32_t want[8 * LANES];
	float wantf[8 * LANES];
	double va[SIDE * 32], vb[SIDE * 32];
	fill_lines(p, a, p->flags & SIGNED_A, va);
	fill_lines(p, b, p->flags & SIGNED_B, vb);
	for (int i = 0; i < 8 * LANES; i++)   /* near the ends of the range where the sum is to be clamped */
		c[i] = p->flags & FLOATS ? bits_of(random_float(-4, 4)) : p->flags & CLAMP ? (c[i] & 0xffff) + (i % 2 ? 0x7fff0000 : 0x80000000) : c[i];
	for (int row = 0; row < SIDE; row++)
		for (int column = 0; column < SIDE; column++) {
			place_of_result(row, column, &reg, &lane);
			int at = reg * LANES + lane;
			double sum = p->flags & FLOATS ? (double)float_of(c[at]) : p->flags & CONSTANT ? 3 : (double)(int32_t)c[at];
			for (int k = 0; k < p->k; k++)
				sum += va[row * p->k + k] * vb[column * p->k + k];
			if (p->flags & CLAMP)
				sum = fmin(fmax(sum, INT32_MIN), INT32_MAX);
			wantf[at] = (float)sum;
			want[at] = p->flags & FLOATS ? 0 : (uint32_t)(int64_t)sum;
		}
	if (!launch(p->kernel, p->kernel, D1(1), D1(LANES), 0, ARGS(ARG(a), ARG(b), ARG(c), ARG(d))))
		;
	else if (p->flags & FLOATS)
		check_floats(p->kernel, (float *)d, wantf, 8 * LANES, 1e-5, 1e-5);
	else
		check_words(p->kernel, d, want, 8 * LANES);
	gpu_free_all(p->kernel);
}

static void products(void)
{
	static const struct product all[] = {
		{ "wmma_i8_ss", 8, 16, SIGNED }, { "wmma_i8_su", 8, 16, SIGNED_A }, { "wmma_i8_us", 8, 16, SIGNED_B },
		{ "wmma_i8_uu", 8, 16, 0 }, { "wmma_i8_clamp", 8, 16, SIGNED | CLAMP }, { "wmma_i8_constant", 8, 16, SIGNED | CONSTANT },
		{ "wmma_i4_ss", 4, 16, SIGNED }, { "wmma_i4_us", 4, 16, SIGNED_B }, { "wmma_i4_deep", 4, 32, SIGNED },
		{ "wmma_f16", 16, 16, F16 }, { "wmma_bf16", 16, 16, BF16 },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (have_kernel(all[i].kernel))
			product_test(&all[i]);
}

static void bad_products(void)
{
	uint32_t *a = registers(4), *b = registers(4), *c = registers(8), *d = registers(8);
	for (int i = 0; i < 4 * LANES; i++)
		if (i % LANES >= SIDE) {
			a[i] = a[i - SIDE];
			b[i] = b[i - SIDE];
		}
	bool failed = try_launch("wmma_some_lanes", D1(1), D1(LANES), 0, ARGS(ARG(a), ARG(b), ARG(c), ARG(d))) != 0;
	report("a matrix instruction of some lanes is an error", failed && strstr(last_error, "all lanes"), "%s",
		failed ? last_error : "it ended");
	b[2 * LANES + 21] ^= 0x100;
	failed = try_launch("wmma_i8_ss", D1(1), D1(LANES), 0, ARGS(ARG(a), ARG(b), ARG(c), ARG(d))) != 0;
	if (!rdna4())
		report("halves of B that differ are an error", failed && strstr(last_error, "lane 21") && strstr(last_error, "same of B"),
			"%s", failed ? last_error : "it ended");
	gpu_free_all("bad products");
}

/* Dot products. */

static int32_t part(uint32_t x, int i, int bits, bool is_signed)
{
	int32_t v = (int32_t)(x >> bits * i & ((1u << bits) - 1));
	return is_signed && v >> (bits - 1) ? v - (1 << bits) : v;
}
static uint32_t dot(uint32_t x, uint32_t y, uint32_t z, int bits, bool x_signed, bool y_signed, bool clamp)
{
	int64_t sum = (int32_t)z;
	for (int i = 0; i < 32 / bits; i++)
		sum += part(x, i, bits, x_signed) * part(y, i, bits, y_signed);
	return (uint32_t)(clamp && sum > INT32_MAX ? INT32_MAX : clamp && sum < INT32_MIN ? INT32_MIN : sum);
}
static void dots(void)
{
	uint32_t *a = registers(1), *b = registers(1), *c = registers(1), *out = registers(7), want[7][LANES];
	for (int i = 0; i < LANES; i++) {
		c[i] = i % 4 == 1 ? 0x7fffff00 : i % 4 == 2 ? 0x80000100 : c[i];
		want[0][i] = dot(a[i], b[i], c[i], 8, true, true, false);
		want[1][i] = dot(a[i], b[i], c[i], 8, true, false, false);
		want[2][i] = dot(a[i], b[i], c[i], 8, false, true, false);
		want[3][i] = dot(a[i], b[i], c[i], 8, false, false, false);
		want[4][i] = dot(a[i], b[i], c[i], 8, true, true, true);
		want[5][i] = dot(a[i], b[i], c[i], 4, true, false, false);
		want[6][i] = dot(a[i], b[i], c[i], 4, true, true, true);
	}
	if (launch("dots", "dots", D1(1), D1(LANES), 0, ARGS(ARG(a), ARG(b), ARG(c), ARG(out))))
		check_words("dot products of signed and unsigned bytes and nibbles", out, want, 7 * LANES);
	gpu_free_all("dots");
}

/* Pairs: r is what both read, w what they write. */

static void expected_pair(int row, const uint32_t *r, uint32_t *w)
{
	float f[4];
	for (int i = 0; i < 4; i++)
		f[i] = float_of(r[i]);
	memcpy(w, r, 16);
	switch (row) {
	case 0: w[0] = r[1]; w[3] = r[2]; break;
	case 1: w[0] = r[1]; w[1] = r[0]; break;
	case 2: w[0] = bits_of(f[1] + f[2]); w[1] = bits_of(f[0] * f[3]); break;
	case 3: w[0] = bits_of(fmaf(f[1], f[2], f[0])); w[3] = bits_of(f[0] - f[1]); break;
	case 4: w[0] = bits_of(f[2] - f[1]); w[1] = r[2] + r[3]; break;
	case 5: w[0] = bits_of(fmaf(f[1], f[2], float_of(0x40490fdb))); w[3] = r[0] & r[1]; break;
	case 6: w[0] = bits_of(fmaf(f[1], 0.5f, f[2])); w[1] = r[0] << 3; break;
	case 7: w[0] = r[0] > r[1] ? r[2] : r[1]; w[3] = r[0] > r[1] ? r[1] : r[0]; break;
	default: w[2] = bits_of(f[1] * f[2]); w[3] = bits_of(fmaf(f[2], f[0], f[3]));
	}
}
static void pairs(void)
{
	enum { ROWS = 9 };
	uint32_t *in = gpu_alloc(4 * LANES * 4), *out = gpu_alloc(ROWS * 4 * LANES * 4), want[ROWS * 4 * LANES];
	for (int i = 0; i < 4 * LANES; i++)
		in[i] = bits_of(random_float(-10, 10));
	for (uint32_t mask = 0; mask < 3; mask++) {
		uint32_t off = mask == 0 ? 0 : mask == 1 ? 0x80000421 : random_bits();
		for (int row = 0; row < ROWS; row++)
			for (int i = 0; i < LANES; i++) {
				uint32_t r[4], w[4];
				for (int k = 0; k < 4; k++)
					r[k] = in[k * LANES + i];
				expected_pair(row, r, w);
				for (int k = 0; k < 4; k++)
					want[(row * 4 + k) * LANES + i] = off >> i & 1 ? r[k] : w[k];
			}
		const char *name = mask ? "pairs of instructions, some lanes off" : "pairs of instructions read before they write";
		if (launch(name, "pairs", D1(1), D1(LANES), 0, ARGS(ARG(in), ARG(out), ARG(off))))
			check_words(name, out, want, ROWS * 4 * LANES);
	}
	gpu_free_all("pairs");
}

static void dpp(void)
{
	int *in = (int *)registers(1), *out = (int *)registers(17), want[17][LANES];
	static const int eight[8] = { 7, 5, 3, 1, 0, 2, 4, 6 };
	for (int i = 0; i < LANES; i++) {
		int row = i / 16 * 16, at = i % 16;
		want[0][i] = in[i ^ 1];
		want[1][i] = at < 13 ? in[i + 3] : -1;
		want[2][i] = at >= 5 ? in[i - 5] : 0;
		want[3][i] = in[row + (at + 9) % 16];
		want[4][i] = in[row + 15 - at];
		want[5][i] = in[i / 8 * 8 + 7 - i % 8];
		want[6][i] = in[row + 5];
		want[7][i] = in[row + (at ^ 11)];
		want[8][i] = row == 16 && at ? in[i - 1] : -1;
		want[9][i] = at >= 4 && at < 12 ? in[i - 1] : -1;
		want[10][i] = in[i / 8 * 8 + eight[i % 8]];
		bool on = i % 5 != 2, left_on = at && (i - 1) % 5 != 2, beside_on = (i ^ 1) % 5 != 2;
		want[11][i] = !on ? -2 : left_on ? in[i - 1] : -1;
		want[12][i] = !on ? -2 : left_on ? in[i - 1] : 0;
		want[13][i] = !on ? -2 : at ? in[i - 1] : -1;
		want[14][i] = !on ? -2 : beside_on ? in[i ^ 1] : 0;
		want[15][i] = !on ? -2 : in[i ^ 1];
		want[16][i] = (int)((uint32_t)in[i ^ 1] + 7u * (uint32_t)in[i]);
	}
	if (launch("dpp", "dpp_of_rdna", D1(1), D1(LANES), 0, ARGS(ARG(in), ARG(out))))
		check_words("every DPP control of RDNA, with masks and switched-off lanes", out, want, 17 * LANES);
	gpu_free_all("dpp");
}

static int nibble(uint32_t low, uint32_t high, int at) { return (int)((at < 8 ? low : high) >> 4 * (at % 8) & 15); }
static void lanes(void)
{
	int *in = (int *)registers(1), *out = (int *)registers(15), want[15][LANES], far = 41;
	uint32_t odd = 0, on = 0;
	for (int i = 0; i < LANES; i++) {
		odd |= (uint32_t)(in[i] & 1) << i;
		on |= (uint32_t)(i % 3 != 0) << i;
	}
	memset(want[6], 0, sizeof want[6]);
	for (int i = 0; i < LANES; i++) {
		int row = i / 16 * 16, at = i % 16, other = row ^ 16;
		want[0][i] = in[row + nibble(0x76543210, 0x89abcdef, at)];
		want[1][i] = in[other + nibble(0x13579bdf, 0x02468ace, at)];
		want[2][i] = (int)odd;
		want[3][i] = in[far % LANES];
		want[4][i] = 100 + __builtin_popcount(0x12345678u & ((1u << i) - 1));
		want[5][i] = in[(i * 7 + 3) % LANES];
		want[6][(i * 5 + 33) % LANES] = in[i];
		want[7][i] = in[i ^ 1];
		want[8][i] = in[(i + 3) % LANES];
		int same = row + nibble(0x01234567, 0xfedcba98, at), across = other + nibble(0x01234567, 0xfedcba98, at);
		bool live = i % 3 != 0;
		want[9][i] = !live ? -2 : on >> same & 1 ? in[same] : -1;
		want[10][i] = !live ? -2 : on >> across & 1 ? in[across] : 0;
		want[11][i] = !live ? -2 : in[across];
		want[12][i] = !live ? -2 : in[1];
		want[13][i] = !live ? -2 : (int)on;
		want[14][i] = !live ? -2 : on >> (i ^ 1) & 1 ? in[i ^ 1] : 0;
	}
	if (launch("lanes", "lanes_of_rdna", D1(1), D1(LANES), 0, ARGS(ARG(in), ARG(out), ARG(far))))
		check_words("permlane, permutes, swizzles, votes of 32 lanes", out, want, 15 * LANES);
	gpu_free_all("lanes");
}

static void waves(void)
{
	uint32_t *out = gpu_alloc(3 * 80 * 4), want[3][80];
	for (uint32_t i = 0; i < 80; i++) {
		want[0][i] = i % LANES;
		want[1][i] = i < 64 ? 0xffffffff : 0xffff;
		want[2][i] = i / LANES * LANES;
	}
	if (launch("waves", "waves", D1(1), D1(80), 0, ARGS(ARG(out))))
		check_words("a block of 80 threads is three waves", out, want, 3 * 80);
	gpu_free_all("waves");
}

static _Float16 half(uint32_t x) { uint16_t u = (uint16_t)x; _Float16 h; memcpy(&h, &u, 2); return h; }
static uint32_t half_bits(_Float16 h) { uint16_t u; memcpy(&u, &h, 2); return u; }
static uint32_t random_halves(void)
{
	return half_bits((_Float16)random_float(-8, 8)) | half_bits((_Float16)random_float(-8, 8)) << 16;
}
static void halves(void)
{
	uint32_t *a = registers(1), *b = registers(1), *out = registers(9), want[9][LANES], kept = 0x7a7b7c7d;
	for (int i = 0; i < LANES; i++) {
		uint32_t x = a[i] = random_halves(), y = b[i] = random_halves(), high = kept & 0xffff0000, low = kept & 0xffff;
		want[0][i] = high | half_bits(half(x) + half(y));
		want[1][i] = low | half_bits((_Float16)((double)half(x >> 16) * (double)half(y) + (double)half(x))) << 16;
		want[2][i] = high | ((x + y) & 0xffff);
		want[3][i] = low | ((x & 0xffff) - (y >> 16)) << 16;
		want[4][i] = high | half_bits((_Float16)(x & 0xffff));
		want[5][i] = high | ((x ^ y) & 0xffff);
		want[6][i] = x & 0xffff;
		want[7][i] = (uint32_t)(int16_t)x;
		want[8][i] = high | (~x & 0xffff);
	}
	if (launch("halves", "halves_stay", D1(1), D1(LANES), 0, ARGS(ARG(a), ARG(b), ARG(out))))
		check_words("16-bit results keep the other half", out, want, 9 * LANES);
	gpu_free_all("halves");
}

static uint32_t min_u(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t max_u(uint32_t a, uint32_t b) { return a > b ? a : b; }
static void masks(void)
{
	uint32_t *a = registers(1), *b = registers(1), *out = registers(13), want[13][LANES], carries = 0, above = 0;
	for (int i = 0; i < LANES; i++) {
		carries |= (uint32_t)(a[i] + b[i] < a[i]) << i;
		above |= (uint32_t)(a[i] > b[i]) << i;
	}
	for (int i = 0; i < LANES; i++) {
		uint32_t x = a[i], y = b[i];
		int32_t s = (int32_t)x < (int32_t)y ? (int32_t)x : (int32_t)y;
		want[0][i] = 0x1234;
		want[1][i] = 0;
		want[2][i] = x + y;
		want[3][i] = carries;
		want[4][i] = 5 + (carries >> i & 1);
		want[5][i] = x > y ? 4 : 9;
		want[6][i] = x > y ? 4 : 5;
		want[7][i] = ~above;
		want[8][i] = 6;
		want[9][i] = x ^ y ^ 0x55;
		want[10][i] = min_u(max_u(x, y), 0x1000);
		want[11][i] = (uint32_t)(s > 0x1000 ? s : 0x1000);
		want[12][i] = (x > y ? y : x) & 0xffff;
	}
	if (launch("masks", "masks", D1(1), D1(LANES), 0, ARGS(ARG(a), ARG(b), ARG(out))))
		check_words("masks of one register, EXEC, null", out, want, 13 * LANES);
	gpu_free_all("masks");
}

static void indexed(void)
{
	int *in = gpu_alloc(LANES * 4), *out = gpu_alloc(3 * LANES * 4), want[3][LANES], from = 11, to = 6;
	for (int i = 0; i < LANES; i++)
		in[i] = (int)(random_bits() & 0xffffff);
	for (int i = 0; i < LANES; i++) {
		want[0][i] = in[i] * (from + 1);
		want[1][i] = i % 16 == to ? 77 : in[i] * (i % 16 + 1);
		want[2][i] = in[i];
	}
	if (launch("indexed", "indexed", D1(1), D1(LANES), 0, ARGS(ARG(in), ARG(out), ARG(from), ARG(to))))
		check_words("registers that M0 counts from", out, want, 3 * LANES);
	gpu_free_all("indexed");
}

static void clocks(void)
{
	uint64_t *out = gpu_alloc(2 * LANES * 8);
	if (launch("clock", "clock_of_rdna", D1(1), D1(LANES), 0, ARGS(ARG(out))))
		report("the clock goes on", out[1] >= out[0] && out[0], "from %llu to %llu", (unsigned long long)out[0],
			(unsigned long long)out[1]);
	gpu_free_all("clock");
}

TEST(rdna)
{
	products();
	bad_products();
	dots();
	pairs();
	dpp();
	lanes();
	waves();
	halves();
	masks();
	indexed();
	clocks();
}
