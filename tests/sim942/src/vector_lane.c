/* Instructions that move values between lanes, or between lanes and SGPRs, or choose between sources by a lane mask. */
#include "vector_ops.h"

VECTOR_HANDLER(v_cndmask_b32)
{
	lanes32 t0, t1, m, r;
	const uint32_t *a = src32(w, in, 0, t0), *b = src32(w, in, 1, t1);
	unpack_mask(read_mask(w, &in->src[2]), m);
	uint32_t *d = dst32(w, in, r);
	EACH_LANE(i)
		d[i] = (b[i] & m[i]) | (a[i] & ~m[i]);
	if (d == r)
		put32(w, in, r);
	return GO_ON;
}

static const uint32_t *whole_register(struct wave *w, const struct operand *o, uint32_t *tmp)
{
	if (o->base == K_VGPR)
		return w->v + o->reg;
	if (o->base == K_AGPR)
		return w->a + o->reg;
	uint32_t x = scalar32(w, o);
	for (int i = 0; i < LANES; i++)
		tmp[i] = x;
	return tmp;
}
VECTOR_HANDLER(v_readfirstlane_b32)
{
	lanes32 t;
	uint64_t exec = *exec_of(w);
	w->s[in->dst.reg] = whole_register(w, &in->src[0], t)[exec ? __builtin_ctzll(exec) : 0];
	return GO_ON;
}
VECTOR_HANDLER(v_readlane_b32)
{
	lanes32 t;
	w->s[in->dst.reg] = whole_register(w, &in->src[0], t)[scalar32(w, &in->src[1]) & (w->lanes - 1)];
	return GO_ON;
}
VECTOR_HANDLER(v_writelane_b32)
{
	vector_register(w, &in->dst)[scalar32(w, &in->src[1]) & (w->lanes - 1)] = scalar32(w, &in->src[0]);
	return GO_ON;
}
VECTOR_HANDLER(v_swap_b32)
{
	uint32_t *a = vector_register(w, &in->dst), *b = w->v + in->src[0].reg;
	const uint32_t *m = exec_words(w);
	for (int i = 0; i < LANES; i++) {
		uint32_t both = (a[i] ^ b[i]) & m[i];
		a[i] ^= both;
		b[i] ^= both;
	}
	return GO_ON;
}
static int mbcnt(struct wave *w, const struct insn *in, int first)
{
	lanes32 t0, t1, r;
	const uint32_t *a = src32(w, in, 0, t0), *b = src32(w, in, 1, t1);
	for (int i = 0; i < LANES; i++) {
		int below = i - first;   /* mask bits that belong to lower lanes */
		uint32_t mask = below <= 0 ? 0 : below >= 32 ? ~0u : (1u << below) - 1;
		r[i] = b[i] + (uint32_t)__builtin_popcount(a[i] & mask);
	}
	put32(w, in, r);
	return GO_ON;
}
VECTOR_HANDLER(v_mbcnt_lo_u32_b32) { return mbcnt(w, in, 0); }
VECTOR_HANDLER(v_mbcnt_hi_u32_b32) { return mbcnt(w, in, 32); }
VECTOR_HANDLER(v_nop) { (void)w, (void)in; return GO_ON; }

const struct opdef ops_vector_lane[] = {
	OP(v_cndmask_b32, "Dffm") OP(v_readfirstlane_b32, "Su") OP(v_readlane_b32, "Suu") OP(v_writelane_b32, "Duu")
	OP(v_swap_b32, "Du") OP(v_mbcnt_lo_u32_b32, "Duu") OP(v_mbcnt_hi_u32_b32, "Duu") OP(v_nop, "")
	{ "v_clrexcp", v_nop, "", F_VALU, C_VALU, 0 },
	{ 0 }
};
