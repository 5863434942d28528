/* Scalar arithmetic, comparison, control flow and wave control (SOP1, SOP2, SOPC, SOPK, SOPP). */
#include <time.h>
#include "code.h"
#include "lanes.h"

/* Sources a and b and the destination d, 32 or 64 bits wide. A missing second source reads as 0. */
#define ALU(name, D, A, B, body) \
	static int name(struct wave *w, const struct insn *in) \
	{ \
		uint##A##_t a = scalar##A(w, &in->src[0]); \
		uint##B##_t b = scalar##B(w, &in->src[1]); \
		uint##D##_t d = 0; \
		(void)a, (void)b; \
		body; \
		put##D##s(w, in, d); \
		return GO_ON; \
	}
#define ALU32(name, body) ALU(name, 32, 32, 32, body)
#define ALU64(name, body) ALU(name, 64, 64, 64, body)
#define SCC(x) (w->scc = (x) != 0)
#define COMPARE(name, bits, condition) \
	static int name(struct wave *w, const struct insn *in) \
	{ \
		uint##bits##_t a = scalar##bits(w, &in->src[0]); \
		uint##bits##_t b = scalar##bits(w, &in->src[1]); \
		SCC(condition); \
		return GO_ON; \
	}

static inline void put32s(struct wave *w, const struct insn *in, uint32_t x) { w->s[in->dst.reg] = x; }
static inline void put64s(struct wave *w, const struct insn *in, uint64_t x) { w->s64[in->dst.reg / 2] = x; }

static int leading_zeros32(uint32_t x) { return x ? __builtin_clz(x) : -1; }
static int leading_zeros64(uint64_t x) { return x ? __builtin_clzll(x) : -1; }
static uint32_t reverse32(uint32_t x)
{
	x = (x >> 1 & 0x55555555) | (x & 0x55555555) << 1;
	x = (x >> 2 & 0x33333333) | (x & 0x33333333) << 2;
	x = (x >> 4 & 0x0f0f0f0f) | (x & 0x0f0f0f0f) << 4;
	return __builtin_bswap32(x);
}
static uint64_t field_mask(unsigned bits) { return bits >= 64 ? ~0ull : (1ull << bits) - 1; }
static uint64_t sign_extend(uint64_t x, unsigned bits)
{
	return bits == 0 ? 0 : bits >= 64 ? x : (uint64_t)((int64_t)(x << (64 - bits)) >> (64 - bits));
}
static uint64_t whole_quads(uint64_t x)
{
	uint64_t any = (x | x >> 1 | x >> 2 | x >> 3) & 0x1111111111111111ull;
	return any * 15;
}
static uint64_t quad_mask(uint64_t x, int quads)
{
	uint64_t r = 0;
	for (int i = 0; i < quads; i++)
		r |= (uint64_t)((x >> 4 * i & 15) != 0) << i;
	return r;
}

ALU32(s_mov_b32, d = a)
ALU64(s_mov_b64, d = a)
ALU32(s_not_b32, d = ~a; SCC(d))
ALU64(s_not_b64, d = ~a; SCC(d))
ALU32(s_wqm_b32, d = (uint32_t)whole_quads(a); SCC(d))
ALU64(s_wqm_b64, d = whole_quads(a); SCC(d))
ALU32(s_brev_b32, d = reverse32(a))
ALU64(s_brev_b64, d = (uint64_t)reverse32((uint32_t)a) << 32 | reverse32((uint32_t)(a >> 32)))
ALU32(s_bcnt0_i32_b32, d = (uint32_t)__builtin_popcount(~a); SCC(d))
ALU(s_bcnt0_i32_b64, 32, 64, 64, d = (uint32_t)__builtin_popcountll(~a); SCC(d))
ALU32(s_bcnt1_i32_b32, d = (uint32_t)__builtin_popcount(a); SCC(d))
ALU(s_bcnt1_i32_b64, 32, 64, 64, d = (uint32_t)__builtin_popcountll(a); SCC(d))
ALU32(s_ff0_i32_b32, d = ~a ? (uint32_t)__builtin_ctz(~a) : ~0u)
ALU(s_ff0_i32_b64, 32, 64, 64, d = ~a ? (uint32_t)__builtin_ctzll(~a) : ~0u)
ALU32(s_ff1_i32_b32, d = a ? (uint32_t)__builtin_ctz(a) : ~0u)
ALU(s_ff1_i32_b64, 32, 64, 64, d = a ? (uint32_t)__builtin_ctzll(a) : ~0u)
ALU32(s_flbit_i32_b32, d = (uint32_t)leading_zeros32(a))
ALU(s_flbit_i32_b64, 32, 64, 64, d = (uint32_t)leading_zeros64(a))
ALU32(s_flbit_i32, d = (uint32_t)leading_zeros32((int32_t)a < 0 ? ~a : a))
ALU(s_flbit_i32_i64, 32, 64, 64, d = (uint32_t)leading_zeros64((int64_t)a < 0 ? ~a : a))
ALU32(s_sext_i32_i8, d = (uint32_t)(int8_t)a)
ALU32(s_sext_i32_i16, d = (uint32_t)(int16_t)a)
ALU32(s_bitset0_b32, d = w->s[in->dst.reg] & ~(1u << (a & 31)))
ALU32(s_bitset1_b32, d = w->s[in->dst.reg] | 1u << (a & 31))
ALU(s_bitset0_b64, 64, 32, 32, d = w->s64[in->dst.reg / 2] & ~(1ull << (a & 63)))
ALU(s_bitset1_b64, 64, 32, 32, d = w->s64[in->dst.reg / 2] | 1ull << (a & 63))
ALU32(s_quadmask_b32, d = (uint32_t)quad_mask(a, 8); SCC(d))
ALU64(s_quadmask_b64, d = quad_mask(a, 16); SCC(d))
ALU32(s_abs_i32, d = (int32_t)a < 0 ? -a : a; SCC(d))
ALU(s_bitreplicate_b64_b32, 64, 32, 32, for (int i = 0; i < 32; i++) d |= (uint64_t)(a >> i & 1) * 3 << 2 * i)
ALU32(s_cmov_b32, d = w->scc ? a : w->s[in->dst.reg])
ALU64(s_cmov_b64, d = w->scc ? a : w->s64[in->dst.reg / 2])

#define SAVEEXEC(name, value) \
	static int name(struct wave *w, const struct insn *in) \
	{ \
		uint64_t a = scalar64(w, &in->src[0]), exec = *exec_of(w); \
		put64s(w, in, exec); \
		*exec_of(w) = (value); \
		SCC(*exec_of(w)); \
		return GO_ON; \
	}
SAVEEXEC(s_and_saveexec_b64, a & exec)
SAVEEXEC(s_or_saveexec_b64, a | exec)
SAVEEXEC(s_xor_saveexec_b64, a ^ exec)
SAVEEXEC(s_andn2_saveexec_b64, a & ~exec)
SAVEEXEC(s_orn2_saveexec_b64, a | ~exec)
SAVEEXEC(s_nand_saveexec_b64, ~(a & exec))
SAVEEXEC(s_nor_saveexec_b64, ~(a | exec))
SAVEEXEC(s_xnor_saveexec_b64, ~(a ^ exec))
SAVEEXEC(s_andn1_saveexec_b64, ~a & exec)
SAVEEXEC(s_orn1_saveexec_b64, ~a | exec)
ALU64(s_andn1_wrexec_b64, d = ~a & *exec_of(w); *exec_of(w) = d; SCC(d))
ALU64(s_andn2_wrexec_b64, d = a & ~*exec_of(w); *exec_of(w) = d; SCC(d))

ALU32(s_add_u32, d = a + b; SCC(d < a))
ALU32(s_sub_u32, d = a - b; SCC(b > a))
ALU32(s_add_i32, d = a + b; SCC(~(a ^ b) & (a ^ d) & 0x80000000))
ALU32(s_sub_i32, d = a - b; SCC((a ^ b) & (a ^ d) & 0x80000000))
ALU32(s_addc_u32, uint64_t sum = (uint64_t)a + b + w->scc; d = (uint32_t)sum; SCC(sum >> 32))
ALU32(s_subb_u32, uint64_t sub = (uint64_t)b + w->scc; d = a - (uint32_t)sub; SCC(sub > a))
ALU32(s_min_i32, SCC((int32_t)a < (int32_t)b); d = w->scc ? a : b)
ALU32(s_min_u32, SCC(a < b); d = w->scc ? a : b)
ALU32(s_max_i32, SCC((int32_t)a >= (int32_t)b); d = w->scc ? a : b)
ALU32(s_max_u32, SCC(a >= b); d = w->scc ? a : b)
ALU32(s_cselect_b32, d = w->scc ? a : b)
ALU64(s_cselect_b64, d = w->scc ? a : b)
ALU32(s_and_b32, d = a & b; SCC(d))
ALU64(s_and_b64, d = a & b; SCC(d))
ALU32(s_or_b32, d = a | b; SCC(d))
ALU64(s_or_b64, d = a | b; SCC(d))
ALU32(s_xor_b32, d = a ^ b; SCC(d))
ALU64(s_xor_b64, d = a ^ b; SCC(d))
ALU32(s_andn2_b32, d = a & ~b; SCC(d))
ALU64(s_andn2_b64, d = a & ~b; SCC(d))
ALU32(s_orn2_b32, d = a | ~b; SCC(d))
ALU64(s_orn2_b64, d = a | ~b; SCC(d))
ALU32(s_nand_b32, d = ~(a & b); SCC(d))
ALU64(s_nand_b64, d = ~(a & b); SCC(d))
ALU32(s_nor_b32, d = ~(a | b); SCC(d))
ALU64(s_nor_b64, d = ~(a | b); SCC(d))
ALU32(s_xnor_b32, d = ~(a ^ b); SCC(d))
ALU64(s_xnor_b64, d = ~(a ^ b); SCC(d))
ALU32(s_lshl_b32, d = a << (b & 31); SCC(d))
ALU(s_lshl_b64, 64, 64, 32, d = a << (b & 63); SCC(d))
ALU32(s_lshr_b32, d = a >> (b & 31); SCC(d))
ALU(s_lshr_b64, 64, 64, 32, d = a >> (b & 63); SCC(d))
ALU32(s_ashr_i32, d = (uint32_t)((int32_t)a >> (b & 31)); SCC(d))
ALU(s_ashr_i64, 64, 64, 32, d = (uint64_t)((int64_t)a >> (b & 63)); SCC(d))
ALU32(s_bfm_b32, d = ((1u << (a & 31)) - 1) << (b & 31))
ALU(s_bfm_b64, 64, 32, 32, d = ((1ull << (a & 63)) - 1) << (b & 63))
ALU32(s_mul_i32, d = a * b)
ALU32(s_bfe_u32, d = (uint32_t)(a >> (b & 31) & field_mask(b >> 16 & 127)); SCC(d))
ALU32(s_bfe_i32,
	unsigned offset = b & 31; unsigned width = b >> 16 & 127; width = width > 32 - offset ? 32 - offset : width;
	d = (uint32_t)sign_extend(a >> offset & field_mask(width), width); SCC(d))
ALU(s_bfe_u64, 64, 64, 32, d = a >> (b & 63) & field_mask(b >> 16 & 127); SCC(d))
ALU(s_bfe_i64, 64, 64, 32,
	unsigned offset = b & 63; unsigned width = b >> 16 & 127; width = width > 64 - offset ? 64 - offset : width;
	d = sign_extend(a >> offset & field_mask(width), width); SCC(d))
ALU32(s_absdiff_i32, d = a - b; if ((int32_t)d < 0) d = -d; SCC(d))
ALU32(s_mul_hi_u32, d = (uint32_t)((uint64_t)a * b >> 32))
ALU32(s_mul_hi_i32, d = (uint32_t)((int64_t)(int32_t)a * (int32_t)b >> 32))
#define LSHL_ADD(n) ALU32(s_lshl##n##_add_u32, uint64_t sum = ((uint64_t)a << n) + b; d = (uint32_t)sum; SCC(sum >> 32))
LSHL_ADD(1)
LSHL_ADD(2)
LSHL_ADD(3)
LSHL_ADD(4)
ALU32(s_pack_ll_b32_b16, d = (a & 0xffff) | b << 16)
ALU32(s_pack_lh_b32_b16, d = (a & 0xffff) | (b & 0xffff0000))
ALU32(s_pack_hh_b32_b16, d = a >> 16 | (b & 0xffff0000))

COMPARE(s_cmp_eq_i32, 32, a == b)
COMPARE(s_cmp_lg_i32, 32, a != b)
COMPARE(s_cmp_gt_i32, 32, (int32_t)a > (int32_t)b)
COMPARE(s_cmp_ge_i32, 32, (int32_t)a >= (int32_t)b)
COMPARE(s_cmp_lt_i32, 32, (int32_t)a < (int32_t)b)
COMPARE(s_cmp_le_i32, 32, (int32_t)a <= (int32_t)b)
COMPARE(s_cmp_gt_u32, 32, a > b)
COMPARE(s_cmp_ge_u32, 32, a >= b)
COMPARE(s_cmp_lt_u32, 32, a < b)
COMPARE(s_cmp_le_u32, 32, a <= b)
COMPARE(s_cmp_eq_u64, 64, a == b)
COMPARE(s_cmp_lg_u64, 64, a != b)
COMPARE(s_bitcmp0_b32, 32, !(a >> (b & 31) & 1))
COMPARE(s_bitcmp1_b32, 32, a >> (b & 31) & 1)
static int s_bitcmp0_b64(struct wave *w, const struct insn *in)
{
	SCC(!(scalar64(w, &in->src[0]) >> (scalar32(w, &in->src[1]) & 63) & 1));
	return GO_ON;
}
static int s_bitcmp1_b64(struct wave *w, const struct insn *in)
{
	SCC(scalar64(w, &in->src[0]) >> (scalar32(w, &in->src[1]) & 63) & 1);
	return GO_ON;
}

/* SOPK: the immediate is in->offset, sign-extended; k unsigned. */
#define CMPK(name, condition) \
	static int name(struct wave *w, const struct insn *in) \
	{ \
		uint32_t a = scalar32(w, &in->src[0]), b = (uint32_t)in->offset, k = b & 0xffff; \
		(void)b, (void)k; \
		SCC(condition); \
		return GO_ON; \
	}
CMPK(s_cmpk_eq_i32, a == b)
CMPK(s_cmpk_lg_i32, a != b)
CMPK(s_cmpk_gt_i32, (int32_t)a > (int32_t)b)
CMPK(s_cmpk_ge_i32, (int32_t)a >= (int32_t)b)
CMPK(s_cmpk_lt_i32, (int32_t)a < (int32_t)b)
CMPK(s_cmpk_le_i32, (int32_t)a <= (int32_t)b)
CMPK(s_cmpk_eq_u32, a == k)
CMPK(s_cmpk_lg_u32, a != k)
CMPK(s_cmpk_gt_u32, a > k)
CMPK(s_cmpk_ge_u32, a >= k)
CMPK(s_cmpk_lt_u32, a < k)
CMPK(s_cmpk_le_u32, a <= k)
static int s_movk_i32(struct wave *w, const struct insn *in) { w->s[in->dst.reg] = (uint32_t)in->offset; return GO_ON; }
static int s_cmovk_i32(struct wave *w, const struct insn *in)
{
	if (w->scc) w->s[in->dst.reg] = (uint32_t)in->offset;
	return GO_ON;
}
static int s_addk_i32(struct wave *w, const struct insn *in)
{
	uint32_t a = w->s[in->dst.reg], b = (uint32_t)in->offset, d = a + b;
	w->s[in->dst.reg] = d;
	SCC(~(a ^ b) & (a ^ d) & 0x80000000);
	return GO_ON;
}
static int s_mulk_i32(struct wave *w, const struct insn *in)
{
	w->s[in->dst.reg] *= (uint32_t)in->offset;
	return GO_ON;
}

/* Control flow. */
static int jump(struct wave *w, const struct insn *in, uint64_t address)
{
	const struct sim942_code *code = w->worker->launch->code;
	const struct insn *to = code_insn_at(code, address - (uint64_t)(uintptr_t)code->image);
	if (!to)
		fault(w, in, -1, "jump to 0x%llx, where the code object has no instruction", (unsigned long long)address);
	w->pc = to;
	return GO_ON;
}
static uint64_t next_address(struct wave *w, const struct insn *in)
{
	return (uint64_t)(uintptr_t)w->worker->launch->code->image + in->pc + in->size;
}
static int s_getpc_b64(struct wave *w, const struct insn *in) { put64s(w, in, next_address(w, in)); return GO_ON; }
static int s_setpc_b64(struct wave *w, const struct insn *in) { return jump(w, in, scalar64(w, &in->src[0])); }
static int s_swappc_b64(struct wave *w, const struct insn *in)
{
	uint64_t to = scalar64(w, &in->src[0]);
	put64s(w, in, next_address(w, in));
	return jump(w, in, to);
}
static int take_branch(struct wave *w, const struct insn *in)
{
	if (!in->target)
		fault(w, in, -1, "branch to an address where the code object has no instruction");
	w->pc = in->target;
	return GO_ON;
}
static int s_call_b64(struct wave *w, const struct insn *in)
{
	put64s(w, in, next_address(w, in));
	return take_branch(w, in);
}
#define BRANCH(name, condition) \
	static int name(struct wave *w, const struct insn *in) { return (condition) ? take_branch(w, in) : GO_ON; }
BRANCH(s_branch, true)
BRANCH(s_cbranch_scc0, !w->scc)
BRANCH(s_cbranch_scc1, w->scc)
BRANCH(s_cbranch_vccz, vcc_is_zero(w))
BRANCH(s_cbranch_vccnz, !vcc_is_zero(w))
BRANCH(s_cbranch_execz, *exec_of(w) == 0)
BRANCH(s_cbranch_execnz, *exec_of(w) != 0)
BRANCH(s_cbranch_debug, false)   /* the debugger conditions are never set */

static int s_nothing(struct wave *w, const struct insn *in) { (void)w, (void)in; return GO_ON; }
static int s_endpgm(struct wave *w, const struct insn *in) { (void)w, (void)in; return WAVE_ENDED; }
static int s_barrier(struct wave *w, const struct insn *in) { (void)w, (void)in; return WAVE_AT_BARRIER; }
static int s_sleep(struct wave *w, const struct insn *in) { (void)in; w->polls++; return WAVE_YIELDS; }
static int s_trap(struct wave *w, const struct insn *in)
{
	unsigned id = in->offset & 0xff;
	if (id == 3)   /* debug trap: ignored where no debugger is attached */
		return GO_ON;
	fault(w, in, -1, "the kernel trapped (trap %u: abort, assertion or unreachable code)", id);
}
static int s_sethalt(struct wave *w, const struct insn *in)
{
	if (in->offset & 1)
		fault(w, in, -1, "the kernel halted its wave");
	return GO_ON;
}

/* Hardware registers: bits 5:0 of the immediate name it, 10:6 the offset, 15:11 the size less one. */
enum { HWREG_MODE = 1, HWREG_STATUS = 2, HWREG_HW_ID = 4, HWREG_GPR_ALLOC = 5, HWREG_LDS_ALLOC = 6, HWREG_XCC_ID = 20 };

static uint32_t read_hwreg(struct wave *w, const struct insn *in, unsigned id)
{
	const struct launch *l = w->worker->launch;
	if (l->code->isa != ISA_CDNA && id != HWREG_MODE && id != HWREG_STATUS)
		return read_rdna_hwreg(w, in, id);
	switch (id) {
	case HWREG_MODE: return w->mode;
	case HWREG_STATUS: return w->scc | (*exec_of(w) == 0) << 9 | vcc_is_zero(w) << 10 | 1u << 16;
	case HWREG_HW_ID: return w->index % 8 | (w->index % 4) << 4 | (w->group->linear_id / 8 % 16) << 8;
	case HWREG_LDS_ALLOC: return (w->group->lds_bytes + 511) / 512 << 12;
	case HWREG_GPR_ALLOC: return (l->registers + 7) / 8 << 8;
	case HWREG_XCC_ID: return w->group->linear_id % 8;
	default: return 0;
	}
}
static int s_getreg_b32(struct wave *w, const struct insn *in)
{
	unsigned id = in->offset & 63, offset = in->offset >> 6 & 31, size = (in->offset >> 11 & 31) + 1;
	w->s[in->dst.reg] = (uint32_t)(read_hwreg(w, in, id) >> offset & field_mask(size));
	return GO_ON;
}
static int set_hwreg(struct wave *w, const struct insn *in, uint32_t value)
{
	unsigned id = in->offset & 63, offset = in->offset >> 6 & 31, size = (in->offset >> 11 & 31) + 1;
	uint32_t mask = (uint32_t)field_mask(size) << offset;
	if (id != HWREG_MODE)
		return GO_ON;   /* the others hold nothing that a program's results depend on */
	wave_set_mode(w, (w->mode & ~mask) | (value << offset & mask));
	return LOOP_CHANGES;
}
static int s_setreg_b32(struct wave *w, const struct insn *in) { return set_hwreg(w, in, scalar32(w, &in->src[0])); }
static int s_setreg_imm32_b32(struct wave *w, const struct insn *in)
{
	return set_hwreg(w, in, (uint32_t)(in->raw >> 32));
}

/* Relative register addressing: M0[7:0] is the index, M0[15:12] says which operands it moves. */
static int s_set_gpr_idx_on(struct wave *w, const struct insn *in)
{
	uint32_t which = (uint32_t)(in->raw >> 8) & 15;
	w->s[SGPR_M0] = (w->s[SGPR_M0] & ~0xf0ffu) | (scalar32(w, &in->src[0]) & 0xff) | which << 12;
	w->strict_mode |= STRICT_INDEXED;
	return LOOP_CHANGES;
}
static int s_set_gpr_idx_off(struct wave *w, const struct insn *in)
{
	(void)in;
	w->strict_mode &= ~STRICT_INDEXED;
	return LOOP_CHANGES;
}
static int s_set_gpr_idx_idx(struct wave *w, const struct insn *in)
{
	w->s[SGPR_M0] = (w->s[SGPR_M0] & ~0xffu) | (scalar32(w, &in->src[0]) & 0xff);
	return GO_ON;
}
static int s_set_gpr_idx_mode(struct wave *w, const struct insn *in)
{
	w->s[SGPR_M0] = (w->s[SGPR_M0] & ~0xf000u) | (in->offset & 15u) << 12;
	return GO_ON;
}

static unsigned moved_sgpr(struct wave *w, const struct insn *in, unsigned reg)
{
	uint32_t to = reg + w->s[SGPR_M0];
	if (to >= (w->lanes == 64 ? SGPR_FLAT_SCRATCH : SGPR_VCC))
		fault(w, in, -1, "relative SGPR index %u is out of range", to);
	return to;
}
static int s_movrels_b32(struct wave *w, const struct insn *in)
{
	put32s(w, in, w->s[moved_sgpr(w, in, in->src[0].reg)]);
	return GO_ON;
}
static int s_movrels_b64(struct wave *w, const struct insn *in)
{
	put64s(w, in, w->s64[moved_sgpr(w, in, in->src[0].reg) / 2]);
	return GO_ON;
}
static int s_movreld_b32(struct wave *w, const struct insn *in)
{
	w->s[moved_sgpr(w, in, in->dst.reg)] = scalar32(w, &in->src[0]);
	return GO_ON;
}
static int s_movreld_b64(struct wave *w, const struct insn *in)
{
	w->s64[moved_sgpr(w, in, in->dst.reg) / 2] = scalar64(w, &in->src[0]);
	return GO_ON;
}

uint64_t nanoseconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
static int s_memtime(struct wave *w, const struct insn *in) { put64s(w, in, nanoseconds_now() * 2); return GO_ON; }
/* 100 MHz */
static int s_memrealtime(struct wave *w, const struct insn *in)
{
	put64s(w, in, nanoseconds_now() / 10);
	return GO_ON;
}

#define A(name, sig) { #name, name, sig, F_SALU, C_SALU, 0 },
#define P(name, fn) { #name, fn, "", F_SOPP, C_OTHER, 0 },
#define B(name) { #name, name, "", F_BRANCH, C_BRANCH, 0 },
const struct opdef ops_scalar[] = {
	A(s_mov_b32, "Ss") A(s_mov_b64, "Tt") A(s_cmov_b32, "Ss") A(s_cmov_b64, "Tt") A(s_not_b32, "Ss") A(s_not_b64, "Tt")
	A(s_wqm_b32, "Ss") A(s_wqm_b64, "Tt") A(s_brev_b32, "Ss") A(s_brev_b64, "Tt")
	A(s_bcnt0_i32_b32, "Ss") A(s_bcnt0_i32_b64, "St") A(s_bcnt1_i32_b32, "Ss") A(s_bcnt1_i32_b64, "St")
	A(s_ff0_i32_b32, "Ss") A(s_ff0_i32_b64, "St") A(s_ff1_i32_b32, "Ss") A(s_ff1_i32_b64, "St")
	A(s_flbit_i32_b32, "Ss") A(s_flbit_i32_b64, "St") A(s_flbit_i32, "Ss") A(s_flbit_i32_i64, "St")
	A(s_sext_i32_i8, "Ss") A(s_sext_i32_i16, "Ss") A(s_bitset0_b32, "Ss") A(s_bitset0_b64, "Ts") A(s_bitset1_b32, "Ss")
	A(s_bitset1_b64, "Ts") A(s_getpc_b64, "T") A(s_setpc_b64, "t") A(s_swappc_b64, "Tt")
	A(s_and_saveexec_b64, "Tt") A(s_or_saveexec_b64, "Tt") A(s_xor_saveexec_b64, "Tt") A(s_andn2_saveexec_b64, "Tt")
	A(s_orn2_saveexec_b64, "Tt") A(s_nand_saveexec_b64, "Tt") A(s_nor_saveexec_b64, "Tt") A(s_xnor_saveexec_b64, "Tt")
	A(s_andn1_saveexec_b64, "Tt") A(s_orn1_saveexec_b64, "Tt") A(s_andn1_wrexec_b64, "Tt") A(s_andn2_wrexec_b64, "Tt")
	A(s_quadmask_b32, "Ss") A(s_quadmask_b64, "Tt") A(s_abs_i32, "Ss") A(s_bitreplicate_b64_b32, "Ts")
	A(s_movrels_b32, "Ss") A(s_movrels_b64, "Tt") A(s_movreld_b32, "Ss") A(s_movreld_b64, "Tt")
	A(s_add_u32, "Sss") A(s_sub_u32, "Sss") A(s_add_i32, "Sss") A(s_sub_i32, "Sss") A(s_addc_u32, "Sss")
	A(s_subb_u32, "Sss")
	A(s_min_i32, "Sss") A(s_min_u32, "Sss") A(s_max_i32, "Sss") A(s_max_u32, "Sss") A(s_cselect_b32, "Sss")
	A(s_cselect_b64, "Ttt")
	A(s_and_b32, "Sss") A(s_and_b64, "Ttt") A(s_or_b32, "Sss") A(s_or_b64, "Ttt") A(s_xor_b32, "Sss") A(s_xor_b64, "Ttt")
	A(s_andn2_b32, "Sss") A(s_andn2_b64, "Ttt") A(s_orn2_b32, "Sss") A(s_orn2_b64, "Ttt") A(s_nand_b32, "Sss")
	A(s_nand_b64, "Ttt")
	A(s_nor_b32, "Sss") A(s_nor_b64, "Ttt") A(s_xnor_b32, "Sss") A(s_xnor_b64, "Ttt")
	A(s_lshl_b32, "Sss") A(s_lshl_b64, "Tts") A(s_lshr_b32, "Sss") A(s_lshr_b64, "Tts") A(s_ashr_i32, "Sss")
	A(s_ashr_i64, "Tts")
	A(s_bfm_b32, "Sss") A(s_bfm_b64, "Tss") A(s_mul_i32, "Sss") A(s_bfe_u32, "Sss") A(s_bfe_i32, "Sss") A(s_bfe_u64, "Tts")
	A(s_bfe_i64, "Tts") A(s_absdiff_i32, "Sss") A(s_mul_hi_u32, "Sss") A(s_mul_hi_i32, "Sss")
	A(s_lshl1_add_u32, "Sss") A(s_lshl2_add_u32, "Sss") A(s_lshl3_add_u32, "Sss") A(s_lshl4_add_u32, "Sss")
	A(s_pack_ll_b32_b16, "Sss") A(s_pack_lh_b32_b16, "Sss") A(s_pack_hh_b32_b16, "Sss")
	A(s_cmp_eq_i32, "ss") A(s_cmp_lg_i32, "ss") A(s_cmp_gt_i32, "ss") A(s_cmp_ge_i32, "ss") A(s_cmp_lt_i32, "ss")
	A(s_cmp_le_i32, "ss")
	{ "s_cmp_eq_u32", s_cmp_eq_i32, "ss", F_SALU, C_SALU, 0 }, { "s_cmp_lg_u32", s_cmp_lg_i32, "ss", F_SALU, C_SALU, 0 },
	A(s_cmp_gt_u32, "ss") A(s_cmp_ge_u32, "ss") A(s_cmp_lt_u32, "ss") A(s_cmp_le_u32, "ss") A(s_cmp_eq_u64, "tt")
	A(s_cmp_lg_u64, "tt")
	A(s_bitcmp0_b32, "ss") A(s_bitcmp1_b32, "ss") A(s_bitcmp0_b64, "ts") A(s_bitcmp1_b64, "ts")
	A(s_movk_i32, "Sn") A(s_cmovk_i32, "Sn") A(s_addk_i32, "Sn") A(s_mulk_i32, "Sn")
	A(s_cmpk_eq_i32, "sn") A(s_cmpk_lg_i32, "sn") A(s_cmpk_gt_i32, "sn") A(s_cmpk_ge_i32, "sn") A(s_cmpk_lt_i32, "sn")
	A(s_cmpk_le_i32, "sn") A(s_cmpk_eq_u32, "sn") A(s_cmpk_lg_u32, "sn") A(s_cmpk_gt_u32, "sn") A(s_cmpk_ge_u32, "sn")
	A(s_cmpk_lt_u32, "sn") A(s_cmpk_le_u32, "sn")
	A(s_set_gpr_idx_idx, "s") A(s_set_gpr_idx_on, "s") P(s_set_gpr_idx_off, s_set_gpr_idx_off)
	P(s_set_gpr_idx_mode, s_set_gpr_idx_mode)
	{ "s_getreg_b32", s_getreg_b32, "S", F_HWREG, C_SALU, 0 }, { "s_setreg_b32", s_setreg_b32, " s", F_HWREG, C_SALU, 0 },
	{ "s_setreg_imm32_b32", s_setreg_imm32_b32, "", F_HWREG, C_SALU, 0 },
	{ "s_call_b64", s_call_b64, "T", F_BRANCH, C_BRANCH, 0 },
	B(s_branch) B(s_cbranch_scc0) B(s_cbranch_scc1) B(s_cbranch_vccz) B(s_cbranch_vccnz) B(s_cbranch_execz)
	B(s_cbranch_execnz)
	{ "s_cbranch_cdbgsys", s_cbranch_debug, "", F_BRANCH, C_BRANCH, 0 },
	{ "s_cbranch_cdbguser", s_cbranch_debug, "", F_BRANCH, C_BRANCH, 0 },
	P(s_nop, s_nothing) P(s_waitcnt, s_nothing) P(s_setprio, s_nothing) P(s_sendmsg, s_nothing) P(s_sendmsghalt, s_nothing)
	P(s_icache_inv, s_nothing) P(s_incperflevel, s_nothing) P(s_decperflevel, s_nothing) P(s_ttracedata, s_nothing)
	P(s_wakeup, s_nothing) P(s_endpgm, s_endpgm) P(s_endpgm_saved, s_endpgm) P(s_sleep, s_sleep)
	P(s_trap, s_trap) P(s_sethalt, s_sethalt) P(s_dcache_inv, s_nothing) P(s_dcache_wb, s_nothing)
	P(s_dcache_inv_vol, s_nothing) P(s_dcache_wb_vol, s_nothing)
	{ "s_barrier", s_barrier, "", F_SOPP, C_BARRIER, 0 },
	{ "s_memtime", s_memtime, "T", F_SALU, C_SMEM, 0 }, { "s_memrealtime", s_memrealtime, "T", F_SALU, C_SMEM, 0 },
	{ 0 }
};
