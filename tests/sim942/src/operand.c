/* The less common ways to read a source and write a result: SGPRs and constants spread over the lanes, neg, abs, sext,
 * SDWA selections, DPP gathers, op_sel; clamp, omod and partial writes. */
#include "lanes.h"

void expand_exec(struct wave *w)
{
	w->exec_key = *exec_of(w);
	unpack_mask(w->exec_key, w->exec_words);
}

uint32_t special_value(struct wave *w, unsigned which)
{
	switch (which) {
	case SP_SHARED_BASE: return SHARED_APERTURE;
	case SP_SHARED_LIMIT: return SHARED_APERTURE;
	case SP_PRIVATE_BASE: return PRIVATE_APERTURE;
	case SP_PRIVATE_LIMIT: return PRIVATE_APERTURE;
	case SP_VCCZ: return vcc_is_zero(w);
	case SP_EXECZ: return *exec_of(w) == 0;
	case SP_SCC: return w->scc;
	default: return 0;
	}
}

uint64_t dpp_lanes(struct wave *w, const struct dpp *dpp)
{
	uint64_t exec = *exec_of(w), live = dpp->in_range;
	if (dpp->zero_fill)
		return exec & dpp->rows;
	if (exec != w->all && !dpp->fetch_inactive)
		for (int i = 0; i < LANES; i++)
			if (dpp->from[i] < LANES && !(exec >> dpp->from[i] & 1))
				live &= ~(1ull << i);
	return exec & dpp->rows & live;
}

static void dpp_gather(struct wave *w, const struct dpp *dpp, const uint32_t *from, uint32_t *to)
{
	lanes32 copy;
	uint64_t exec = *exec_of(w);
	memcpy(copy, from, sizeof copy);
	for (int i = 0; i < LANES; i++) {
		unsigned s = dpp->from[i];
		to[i] = s < LANES && (exec >> s & 1 || dpp->fetch_inactive) ? copy[s] : 0;
	}
}

static uint32_t select_part(uint32_t x, unsigned sel, bool sign_extend)
{
	switch (sel) {
	case SEL_BYTE0: case SEL_BYTE1: case SEL_BYTE2: case SEL_BYTE3:
		x >>= 8 * sel;
		return sign_extend ? (uint32_t)(int8_t)x : (uint8_t)x;
	case SEL_WORD0: case SEL_WORD1:
		x >>= 16 * (sel - SEL_WORD0);
		return sign_extend ? (uint32_t)(int16_t)x : (uint16_t)x;
	default:
		return x;
	}
}

const uint32_t *src32_slow(struct wave *w, const struct insn *in, int n, uint32_t *tmp)
{
	const struct operand *o = &in->src[n];
	const uint32_t *p = tmp;
	switch (o->base) {
	case K_VGPR: p = w->v + o->reg; break;
	case K_AGPR: p = w->a + o->reg; break;
	case K_SPLAT: p = o->splat; break;
	default: {
		uint32_t x = scalar32(w, o);
		EACH_LANE(i)
			tmp[i] = x;
	}
	}
	if (in->dpp && n == 0) {
		dpp_gather(w, in->dpp, p, tmp);
		p = tmp;
	}
	if (o->sel != SEL_DWORD) {
		for (int i = 0; i < LANES; i++)
			tmp[i] = select_part(p[i], o->sel, o->mods & MOD_SEXT);
		p = tmp;
	} else if (o->mods & MOD_SEXT && (o->type == T_B16)) {
		EACH_LANE(i)
			tmp[i] = (uint32_t)(int16_t)p[i];
		p = tmp;
	}
	if (o->mods & (MOD_ABS | MOD_NEG) && o->type == T_F32) {
		uint32_t keep = o->mods & MOD_ABS ? 0x7fffffff : ~0u, flip = o->mods & MOD_NEG ? 0x80000000 : 0;
		EACH_LANE(i)
			tmp[i] = (p[i] & keep) ^ flip;
		p = tmp;
	}
	return p;
}

const uint64_t *src64_slow(struct wave *w, const struct insn *in, int n, uint64_t *tmp)
{
	const struct operand *o = &in->src[n];
	if (o->base == K_VGPR || o->base == K_AGPR) {
		const uint32_t *p = (o->base == K_VGPR ? w->v : w->a) + o->reg;
		lanes32 lo, hi;
		const uint32_t *l = p, *h = p + LANES;
		if (in->dpp && n == 0) {
			dpp_gather(w, in->dpp, p, lo);
			dpp_gather(w, in->dpp, p + LANES, hi);
			l = lo;
			h = hi;
		}
		EACH_LANE(i)
			tmp[i] = l[i] | (uint64_t)h[i] << 32;
	} else {
		uint64_t x = scalar64(w, o);
		EACH_LANE(i)
			tmp[i] = x;
	}
	if (o->mods & (MOD_ABS | MOD_NEG)) {
		uint64_t keep = o->mods & MOD_ABS ? ~0ull >> 1 : ~0ull, flip = o->mods & MOD_NEG ? 1ull << 63 : 0;
		EACH_LANE(i)
			tmp[i] = (tmp[i] & keep) ^ flip;
	}
	return tmp;
}

static void float_mods(float *x, bool absolute, bool negate)
{
	uint32_t *u = (uint32_t *)x, keep = absolute ? 0x7fffffff : ~0u, flip = negate ? 0x80000000 : 0;
	if (absolute || negate)
		EACH_LANE(i)
			u[i] = (u[i] & keep) ^ flip;
}

const float *src16f(struct wave *w, const struct insn *in, int n, float *tmp)
{
	lanes32 raw;
	const struct operand *o = &in->src[n];
	halves_to_floats(src32(w, in, n, raw), in->op_sel >> n & 1, tmp);
	float_mods(tmp, o->mods & MOD_ABS, o->mods & MOD_NEG);
	return tmp;
}

const uint32_t *src16(struct wave *w, const struct insn *in, int n, uint32_t *tmp)
{
	const uint32_t *p = src32(w, in, n, tmp);
	unsigned shift = in->op_sel >> n & 1 ? 16 : 0;
	EACH_LANE(i)
		tmp[i] = p[i] >> shift & 0xffff;
	return tmp;
}

const float *src_packed_f16(struct wave *w, const struct insn *in, int n, int half, float *tmp)
{
	lanes32 raw;
	halves_to_floats(src32(w, in, n, raw), (half ? in->op_sel_hi : in->op_sel) >> n & 1, tmp);
	float_mods(tmp, false, (half ? in->neg_hi : in->neg_lo) >> n & 1);
	return tmp;
}

const uint32_t *src_packed_16(struct wave *w, const struct insn *in, int n, int half, uint32_t *tmp)
{
	const uint32_t *p = src32(w, in, n, tmp);
	unsigned shift = (half ? in->op_sel_hi : in->op_sel) >> n & 1 ? 16 : 0;
	EACH_LANE(i)
		tmp[i] = p[i] >> shift & 0xffff;
	return tmp;
}

const float *src_packed_f32(struct wave *w, const struct insn *in, int n, int half, float *tmp)
{
	const struct operand *o = &in->src[n];
	unsigned word = (half ? in->op_sel_hi : in->op_sel) >> n & 1;
	const uint32_t *p = (const uint32_t *)tmp;
	switch (o->base) {
	case K_VGPR: p = w->v + o->reg + word * LANES; break;
	case K_AGPR: p = w->a + o->reg + word * LANES; break;
	case K_SPLAT: p = o->splat; break;   /* decode lets the upper word of a constant through only where it is 0 */
	default: {
		uint32_t x = o->base == K_SGPR ? w->s[o->reg + word] : scalar32(w, o);
		uint32_t *t = (uint32_t *)tmp;
		EACH_LANE(i)
			t[i] = x;
	}
	}
	memmove(tmp, p, sizeof(lanes32));
	float_mods(tmp, o->mods & MOD_ABS, !!(o->mods & MOD_NEG) ^ ((half ? in->neg_hi : in->neg_lo) >> n & 1));
	return tmp;
}

static float output_float(struct wave *w, const struct insn *in, float x)
{
	if (in->omod)
		x = in->omod == 1 ? x * 2 : in->omod == 2 ? x * 4 : x / 2;
	if (in->clamp) {
		if (x != x)
			x = w->mode & MODE_DX10_CLAMP ? 0 : x;
		else
			x = x < 0 ? 0 : x > 1 ? 1 : x;
		x += 0.0f;   /* -0 becomes +0 */
	}
	return x;
}

static uint64_t written_lanes(struct wave *w, const struct insn *in)
{
	return in->dpp ? dpp_lanes(w, in->dpp) : *exec_of(w);
}

static uint32_t merge_part(uint32_t old, uint32_t x, unsigned sel, unsigned unused)
{
	if (sel == SEL_DWORD)
		return x;
	unsigned width = sel <= SEL_BYTE3 ? 8 : 16, shift = sel <= SEL_BYTE3 ? 8 * sel : 16 * (sel - SEL_WORD0);
	uint32_t mask = (width == 8 ? 0xffu : 0xffffu) << shift;
	x = x << shift & mask;
	if (unused == UNUSED_PRESERVE)
		return (old & ~mask) | x;
	if (unused == UNUSED_SEXT)
		return (uint32_t)((int32_t)(x << (32 - width - shift)) >> (32 - width - shift));
	return x;
}

void put32_slow(struct wave *w, const struct insn *in, uint32_t *r)
{
	uint32_t *d = vector_register(w, &in->dst);
	uint64_t lanes = written_lanes(w, in);
	bool packed = in->dtype == T_PKF16;
	for (int i = 0; i < LANES; i++) {
		uint32_t x = r[i];
		if (in->dtype == T_F32 && (in->clamp || in->omod))
			x = bits_of_float(output_float(w, in, float_of_bits(x)));
		else if (packed && in->clamp)
			x = float_to_half(output_float(w, in, half_to_float(x & 0xffff)))
				| float_to_half(output_float(w, in, half_to_float(x >> 16))) << 16;
		if (lanes >> i & 1)
			d[i] = merge_part(d[i], x, in->dst_sel, in->dst_unused);
	}
}

void put16_slow(struct wave *w, const struct insn *in, uint32_t *r)
{
	uint32_t *d = vector_register(w, &in->dst);
	uint64_t lanes = written_lanes(w, in);
	for (int i = 0; i < LANES; i++) {
		uint32_t x = r[i];
		if (in->dtype == T_F16 && (in->clamp || in->omod))
			x = float_to_half(output_float(w, in, half_to_float(x)));
		if (!(lanes >> i & 1))
			continue;
		if (in->dst_sel != SEL_DWORD)
			d[i] = merge_part(d[i], x, in->dst_sel, in->dst_unused);
		else if (!in->dst_keep)
			d[i] = x;
		else if (in->dst_hi)
			d[i] = (d[i] & 0xffff) | x << 16;
		else
			d[i] = (d[i] & 0xffff0000) | x;
	}
}

void put64_slow(struct wave *w, const struct insn *in, uint64_t *r)
{
	uint32_t *d = vector_register(w, &in->dst);
	uint64_t lanes = written_lanes(w, in);
	for (int i = 0; i < LANES; i++) {
		uint64_t x = r[i];
		if (in->dtype == T_F64 && (in->clamp || in->omod)) {
			double f = double_of_bits(x);
			if (in->omod)
				f = in->omod == 1 ? f * 2 : in->omod == 2 ? f * 4 : f / 2;
			if (in->clamp)
				f = f != f ? (w->mode & MODE_DX10_CLAMP ? 0 : f) : f < 0 ? 0 : f > 1 ? 1 : f + 0.0;
			x = bits_of_double(f);
		} else if (in->dtype == T_PKF32 && in->clamp) {
			x = bits_of_float(output_float(w, in, float_of_bits((uint32_t)x)))
				| (uint64_t)bits_of_float(output_float(w, in, float_of_bits((uint32_t)(x >> 32)))) << 32;
		}
		if (lanes >> i & 1) {
			d[i] = (uint32_t)x;
			d[LANES + i] = (uint32_t)(x >> 32);
		}
	}
}
