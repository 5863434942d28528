/* Reading sources and writing results of vector instructions, 64 lanes at a time.
 *
 * The inline parts are the common case: a source that is a register or a constant, a result that goes to a register as
 * computed. Everything else (SGPRs, neg/abs, SDWA, DPP, clamp, omod) takes the functions of operand.c.
 */
#ifndef SIM942_LANES_H
#define SIM942_LANES_H
#include "half.h"
#include "state.h"

#define IVDEP _Pragma("GCC ivdep")
#define EACH_LANE(i) IVDEP for (int i = 0; i < LANES; i++)
typedef uint32_t lanes32[LANES] __attribute__((aligned(64)));
typedef uint64_t lanes64[LANES] __attribute__((aligned(64)));
typedef float lanesf[LANES] __attribute__((aligned(64)));
typedef double lanesd[LANES] __attribute__((aligned(64)));

/* operand.c */
const uint32_t *src32_slow(struct wave *w, const struct insn *in, int n, uint32_t *tmp);
const uint64_t *src64_slow(struct wave *w, const struct insn *in, int n, uint64_t *tmp);
const float *src16f(struct wave *w, const struct insn *in, int n, float *tmp);      /* f16 sources, widened */
const uint32_t *src16(struct wave *w, const struct insn *in, int n, uint32_t *tmp); /* 16-bit integers, zero-extended */
const float *src_packed_f16(struct wave *w, const struct insn *in, int n, int half, float *tmp);
const uint32_t *src_packed_16(struct wave *w, const struct insn *in, int n, int half, uint32_t *tmp);
const float *src_packed_f32(struct wave *w, const struct insn *in, int n, int half, float *tmp);
void put32_slow(struct wave *w, const struct insn *in, uint32_t *r);
void put16_slow(struct wave *w, const struct insn *in, uint32_t *r);
void put64_slow(struct wave *w, const struct insn *in, uint64_t *r);
void expand_exec(struct wave *w);
uint32_t special_value(struct wave *w, unsigned which);
uint64_t dpp_lanes(struct wave *w, const struct dpp *dpp);   /* lanes a DPP instruction writes, EXEC included */

static inline uint32_t *vector_register(struct wave *w, const struct operand *o)
{
	return (o->kind == K_AGPR ? w->a : w->v) + o->reg;
}

static inline const uint32_t *exec_words(struct wave *w)
{
	if (w->exec_key != *exec_of(w))
		expand_exec(w);
	return w->exec_words;
}

/* Scalar reads; also for vector instructions that take one value for all lanes. */
static inline uint32_t scalar32(struct wave *w, const struct operand *o)
{
	switch (o->base) {
	case K_SGPR: return w->s[o->reg];
	case K_IMM: return (uint32_t)o->imm;
	case K_SPLAT: return o->splat[0];
	default: return special_value(w, o->reg);
	}
}
static inline uint64_t scalar64(struct wave *w, const struct operand *o)
{
	switch (o->base) {
	case K_SGPR: return w->s64[o->reg / 2];
	case K_IMM: return o->imm;
	case K_SPLAT: return *(const uint64_t *)o->splat;
	default:
		if (o->reg >= SP_SHARED_BASE && o->reg <= SP_PRIVATE_LIMIT)   /* the apertures are upper words */
			return (uint64_t)special_value(w, o->reg) << 32;
		return special_value(w, o->reg);
	}
}

static inline const uint32_t *src32(struct wave *w, const struct insn *in, int n, uint32_t *tmp)
{
	const struct operand *o = &in->src[n];
	if (o->kind == K_VGPR)
		return w->v + o->reg;
	if (o->kind == K_SPLAT)
		return o->splat;
	return src32_slow(w, in, n, tmp);
}

static inline const uint64_t *src64(struct wave *w, const struct insn *in, int n, uint64_t *tmp)
{
	const struct operand *o = &in->src[n];
	if (o->kind == K_VGPR) {
		const uint32_t *p = w->v + o->reg;
		EACH_LANE(i)
			tmp[i] = p[i] | (uint64_t)p[LANES + i] << 32;
		return tmp;
	}
	if (o->kind == K_SPLAT)
		return (const uint64_t *)o->splat;
	return src64_slow(w, in, n, tmp);
}

/* Where a handler may write its 32-bit results: straight into the register, or into r, which then goes to put32. */
static inline uint32_t *dst32(struct wave *w, const struct insn *in, uint32_t *r)
{
	return in->plain_dst && *exec_of(w) == w->all ? vector_register(w, &in->dst) : r;
}

static inline void blend32(struct wave *w, uint32_t *d, const uint32_t *r)
{
	const uint32_t *m = exec_words(w);
	EACH_LANE(i)
		d[i] = (r[i] & m[i]) | (d[i] & ~m[i]);
}

static inline void put32(struct wave *w, const struct insn *in, uint32_t *r)
{
	if (in->plain_dst)
		blend32(w, vector_register(w, &in->dst), r);
	else
		put32_slow(w, in, r);
}

static inline void put16(struct wave *w, const struct insn *in, uint32_t *r)   /* r zero-extended */
{
	if (in->plain_dst)
		blend32(w, vector_register(w, &in->dst), r);
	else
		put16_slow(w, in, r);
}

static inline void put64(struct wave *w, const struct insn *in, uint64_t *r)
{
	if (!in->plain_dst) {
		put64_slow(w, in, r);
		return;
	}
	uint32_t *d = vector_register(w, &in->dst);
	if (*exec_of(w) == w->all) {
		EACH_LANE(i) {
			d[i] = (uint32_t)r[i];
			d[LANES + i] = (uint32_t)(r[i] >> 32);
		}
	} else {
		const uint32_t *m = exec_words(w);
		EACH_LANE(i) {
			d[i] = ((uint32_t)r[i] & m[i]) | (d[i] & ~m[i]);
			d[LANES + i] = ((uint32_t)(r[i] >> 32) & m[i]) | (d[LANES + i] & ~m[i]);
		}
	}
}

/* Bit n set where r[n] is not 0. */
static inline uint64_t pack_mask(const uint32_t *r)
{
	uint64_t mask = 0;
#if defined(__AVX512F__)
	for (int c = 0; c < 4; c++) {
		__m512i x = _mm512_loadu_si512(r + 16 * c);
		mask |= (uint64_t)_mm512_test_epi32_mask(x, x) << 16 * c;
	}
#else
	for (int i = 0; i < LANES; i++)
		mask |= (uint64_t)(r[i] != 0) << i;
#endif
	return mask;
}

/* All ones where bit n is set. */
static inline void unpack_mask(uint64_t mask, uint32_t *r)
{
	for (int c = 0; c < 4; c++) {
		uint32_t part = (uint32_t)(mask >> 16 * c) & 0xffff;
		for (int i = 0; i < 16; i++)
			r[16 * c + i] = -(part >> i & 1);
	}
}

static inline uint64_t read_mask(struct wave *w, const struct operand *o)
{
	return o->regs == 1 ? w->s[o->reg] : scalar64(w, o);
}
static inline void write_mask(struct wave *w, const struct operand *o, uint64_t mask)
{
	if (o->regs == 1)
		w->s[o->reg] = (uint32_t)mask;
	else
		w->s64[o->reg / 2] = mask;
}
#endif
