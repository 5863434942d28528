/* RDNA's matrix instructions: D = A B + C, 16 x 16 x 16 over the 32 lanes of a wave.
 *
 * RDNA3: lane l holds row l % 16 of A with all of its k, in their order from the lowest bits of the lowest register, and
 * column l % 16 of B likewise; both halves of the wave hold the same, or the run ends here. Register i of lane l of C and D
 * is row 2 i + l / 16, column l % 16. RDNA4: lanes 0 to 15 hold the first half of k, the others the second, of 16 bits four
 * k in turns; register i of C and D is row i + 8 (l / 16). As AMD's matrix instruction calculator has them.
 *
 * Integers are signed where neg_lo says so, and their sum is saturated where clamp does. Floats are accumulated in the
 * order of k by fused multiply-adds in f32; the device's order is not published. EXEC must have every lane on. */
#include <math.h>
#include "code.h"
#include "lanes.h"

enum { SIDE = 16, MOST_K = 32 };
enum element { E_I8, E_I4, E_F16, E_BF16 };
static const uint8_t element_bits[] = { [E_I8] = 8, [E_I4] = 4, [E_F16] = 16, [E_BF16] = 16 };

union value { int32_t i; float f; };

static union value value_of(enum element type, uint32_t bits, bool is_signed)
{
	union value v;
	switch (type) {
	case E_I8: v.i = is_signed ? (int8_t)bits : (uint8_t)bits; break;
	case E_I4: v.i = is_signed && bits & 8 ? (int32_t)bits - 16 : (int32_t)bits; break;
	case E_F16: v.f = half_to_float(bits); break;
	default: v.f = bf16_to_float(bits);
	}
	return v;
}

/* A lane of RDNA3 has a whole line of A or B, one of RDNA4 half of it. */
static bool whole_lines(struct wave *w) { return w->worker->launch->code->isa == ISA_RDNA3; }
static unsigned elements_of_lane(const struct insn *in, int n, enum element type)
{
	return 32u / element_bits[type] * in->src[n].regs;
}

/* Lines of A (rows) or B (columns): out[k][line]. */
static void unpack(struct wave *w, const struct insn *in, int n, enum element type, union value out[MOST_K][SIDE])
{
	const uint32_t *reg = vector_register(w, &in->src[n]);
	bool whole = whole_lines(w), is_signed = in->neg_lo >> n & 1;
	unsigned bits = element_bits[type], each = 32 / bits, of_lane = elements_of_lane(in, n, type);
	unsigned run = bits == 16 ? 4 : of_lane;   /* that one half of the wave has */
	for (unsigned half = 0; half < (whole ? 1 : 2); half++)
		for (unsigned j = 0; j < of_lane; j++) {
			const uint32_t *from = reg + j / each * LANES + half * SIDE;
			unsigned k = whole ? j : j / run * 2 * run + half * run + j % run, shift = bits * (j % each);
			for (unsigned line = 0; line < SIDE; line++)
				out[k][line] = value_of(type, from[line] >> shift & ((1u << bits) - 1), is_signed);
		}
	for (unsigned r = 0; whole && r < in->src[n].regs; r++)
		for (unsigned lane = 0; lane < SIDE; lane++)
			if (reg[r * LANES + lane] != reg[r * LANES + lane + SIDE])
				fault(w, in, (int)(lane + SIDE), "the upper half of the wave does not hold the same of %c as the lower half",
					n ? 'B' : 'A');
}

/* One row of the result; what is added to C has no more than 32 bits. */
static void integer_row(const struct insn *in, union value (*a)[SIDE], union value (*b)[SIDE], unsigned row, unsigned count,
		uint32_t c[SIDE])
{
	uint32_t sum[SIDE] = {0};
	for (unsigned k = 0; k < count; k++)
		for (unsigned column = 0; column < SIDE; column++)
			sum[column] += (uint32_t)a[k][row].i * (uint32_t)b[k][column].i;
	for (unsigned column = 0; column < SIDE; column++) {
		int64_t x = (int64_t)(int32_t)c[column] + (int32_t)sum[column];
		if (in->clamp)
			x = x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : x;
		c[column] = (uint32_t)x;
	}
}
static void float_row(union value (*a)[SIDE], union value (*b)[SIDE], unsigned row, unsigned count, uint32_t c[SIDE])
{
	float sum[SIDE];
	memcpy(sum, c, sizeof sum);
	for (unsigned k = 0; k < count; k++)
		for (unsigned column = 0; column < SIDE; column++)
			sum[column] = fmaf(a[k][row].f, b[k][column].f, sum[column]);
	memcpy(c, sum, sizeof sum);
}

/* Where a row of C or D begins; its columns lie side by side. */
static unsigned place_of_row(struct wave *w, unsigned row)
{
	return whole_lines(w) ? row / 2 * LANES + row % 2 * SIDE : row % 8 * LANES + row / 8 * SIDE;
}

static int wmma(struct wave *w, const struct insn *in)
{
	union value a[MOST_K][SIDE], b[MOST_K][SIDE];
	uint32_t d[SIDE][SIDE];
	enum element type = in->arg;
	bool integers = type == E_I8 || type == E_I4;
	unsigned count = elements_of_lane(in, 0, type) * (whole_lines(w) ? 1 : 2);
	if (*exec_of(w) != w->all)
		fault(w, in, -1, "a matrix instruction needs all lanes of the wave (EXEC is %08x)", (unsigned)*exec_of(w));
	if (in->neg_hi || (in->neg_lo && !integers) || in->src[0].regs != in->src[1].regs || in->dst.regs != 8 ||
			count > MOST_K)
		return insn_unsupported(w, in);
	unpack(w, in, 0, type, a);
	unpack(w, in, 1, type, b);
	const uint32_t *c = in->src[2].kind == K_VGPR ? vector_register(w, &in->src[2]) : NULL;
	for (unsigned row = 0; row < SIDE; row++) {
		for (unsigned column = 0; column < SIDE; column++)
			d[row][column] = c ? c[place_of_row(w, row) + column] : scalar32(w, &in->src[2]);
		if (integers)
			integer_row(in, a, b, row, count, d[row]);
		else
			float_row(a, b, row, count, d[row]);
	}
	for (unsigned row = 0; row < SIDE; row++)
		memcpy(vector_register(w, &in->dst) + place_of_row(w, row), d[row], sizeof d[row]);
	return GO_ON;
}

#define X(name, type) { "v_wmma_" name, wmma, "", F_WMMA, C_MFMA, type },
const struct opdef ops_wmma[] = {
	X("i32_16x16x16_iu8", E_I8) X("i32_16x16x16_iu4", E_I4) X("i32_16x16x32_iu4", E_I4) X("f32_16x16x16_f16", E_F16)
	X("f32_16x16x16_bf16", E_BF16)
	{ 0 }
};
