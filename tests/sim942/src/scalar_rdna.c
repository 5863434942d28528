/* Scalar instructions that RDNA has and CDNA has not: lane masks of 32 bits, RDNA4's floats and 64-bit integers, barriers
 * in two parts, messages that return something. */
#include <math.h>
#include "code.h"
#include "lanes.h"
#include "memory.h"

#define HANDLER(name) static int name(struct wave *w, const struct insn *in)
#define SCC(x) (w->scc = (x) != 0)

static inline uint32_t source(struct wave *w, const struct insn *in, int n) { return scalar32(w, &in->src[n]); }
static inline float source_f(struct wave *w, const struct insn *in, int n) { return float_of_bits(source(w, in, n)); }
static inline uint64_t source64(struct wave *w, const struct insn *in, int n) { return scalar64(w, &in->src[n]); }
static inline void put(struct wave *w, const struct insn *in, uint32_t x) { w->s[in->dst.reg] = x; }
static inline void put_f(struct wave *w, const struct insn *in, float x) { put(w, in, bits_of_float(x)); }
static inline void put_wide(struct wave *w, const struct insn *in, uint64_t x) { w->s64[in->dst.reg / 2] = x; }

/* EXEC of 32 lanes: the upper word stays 0. saveexec keeps the old one, wrexec writes the new one twice. */
#define SAVEEXEC(name, value) \
	HANDLER(name) \
	{ \
		uint32_t a = source(w, in, 0), exec = (uint32_t)*exec_of(w), changed = (value); \
		put(w, in, exec); \
		*exec_of(w) = changed; \
		SCC(changed); \
		return GO_ON; \
	}
SAVEEXEC(s_and_saveexec_b32, a & exec)
SAVEEXEC(s_or_saveexec_b32, a | exec)
SAVEEXEC(s_xor_saveexec_b32, a ^ exec)
SAVEEXEC(s_nand_saveexec_b32, ~(a & exec))
SAVEEXEC(s_nor_saveexec_b32, ~(a | exec))
SAVEEXEC(s_xnor_saveexec_b32, ~(a ^ exec))
SAVEEXEC(s_and_not1_saveexec_b32, a & ~exec)
SAVEEXEC(s_or_not1_saveexec_b32, a | ~exec)
SAVEEXEC(s_and_not0_saveexec_b32, ~a & exec)
SAVEEXEC(s_or_not0_saveexec_b32, ~a | exec)
#define WREXEC(name, value) \
	HANDLER(name) \
	{ \
		uint32_t a = source(w, in, 0), exec = (uint32_t)*exec_of(w), changed = (value); \
		put(w, in, changed); \
		*exec_of(w) = changed; \
		SCC(changed); \
		return GO_ON; \
	}
WREXEC(s_and_not0_wrexec_b32, ~a & exec)
WREXEC(s_and_not1_wrexec_b32, a & ~exec)

/* The rounding and the denormals of MODE. */
HANDLER(s_round_mode)
{
	wave_set_mode(w, (w->mode & ~0xfu) | (in->offset & 0xf));
	return LOOP_CHANGES;
}
HANDLER(s_denorm_mode)
{
	wave_set_mode(w, (w->mode & ~0xf0u) | (in->offset & 0xf) << 4);
	return LOOP_CHANGES;
}

/* Integers. */
HANDLER(s_pack_hl_b32_b16) { put(w, in, source(w, in, 0) >> 16 | source(w, in, 1) << 16); return GO_ON; }
HANDLER(s_mul_u64) { put_wide(w, in, source64(w, in, 0) * source64(w, in, 1)); return GO_ON; }
HANDLER(s_add_nc_u64) { put_wide(w, in, source64(w, in, 0) + source64(w, in, 1)); return GO_ON; }
HANDLER(s_sub_nc_u64) { put_wide(w, in, source64(w, in, 0) - source64(w, in, 1)); return GO_ON; }

/* f32, as the vector unit has it. */
#define FLOAT(name, expr) \
	HANDLER(name) \
	{ \
		float x = source_f(w, in, 0), y = in->nsrc > 1 ? source_f(w, in, 1) : 0, z = in->nsrc > 2 ? source_f(w, in, 2) : 0; \
		float d = float_of_bits(w->s[in->dst.reg]); \
		(void)y, (void)z, (void)d; \
		put_f(w, in, (expr)); \
		return GO_ON; \
	}
static float least(float a, float b)
{
	return a < b ? a : b < a ? b : a == b ? float_of_bits(bits_of_float(a) | bits_of_float(b)) : a != a ? b : a;
}
static float most(float a, float b)
{
	return a > b ? a : b > a ? b : a == b ? float_of_bits(bits_of_float(a) & bits_of_float(b)) : a != a ? b : a;
}
FLOAT(s_add_f32, x + y)
FLOAT(s_sub_f32, x - y)
FLOAT(s_mul_f32, x * y)
FLOAT(s_min_f32, least(x, y))
FLOAT(s_max_f32, most(x, y))
FLOAT(s_fmac_f32, fmaf(x, y, d))
FLOAT(s_fmaak_f32, fmaf(x, y, z))   /* fmamk's constant is its second source, so that both are x * y + z */
FLOAT(s_ceil_f32, ceilf(x))
FLOAT(s_floor_f32, floorf(x))
FLOAT(s_trunc_f32, truncf(x))
FLOAT(s_rndne_f32, __builtin_rintf(x))
static float flush(float x) { return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x; }
FLOAT(v_s_exp_f32, flush(exp2f(flush(x))))
FLOAT(v_s_log_f32, log2f(flush(x)))
FLOAT(v_s_rcp_f32, flush(1 / flush(x)))
FLOAT(v_s_rsq_f32, (float)(1 / sqrt((double)flush(x))))
FLOAT(v_s_sqrt_f32, sqrtf(flush(x)))
HANDLER(s_cvt_f32_u32) { put_f(w, in, (float)source(w, in, 0)); return GO_ON; }
HANDLER(s_cvt_f32_i32) { put_f(w, in, (float)(int32_t)source(w, in, 0)); return GO_ON; }
HANDLER(s_cvt_u32_f32)
{
	float x = source_f(w, in, 0);
	put(w, in, x >= 0x1p32f ? 0xffffffffu : x > 0 ? (uint32_t)x : 0);
	return GO_ON;
}
HANDLER(s_cvt_i32_f32)
{
	float x = source_f(w, in, 0);
	put(w, in, (uint32_t)(x >= 0x1p31f ? INT32_MAX : x > -0x1p31f ? (int32_t)x : x != x ? 0 : INT32_MIN));
	return GO_ON;
}
#define COMPARE(op, condition) \
	HANDLER(s_cmp_##op##_f32) \
	{ \
		float x = source_f(w, in, 0), y = source_f(w, in, 1); \
		SCC(condition); \
		return GO_ON; \
	}
COMPARE(lt, x < y)
COMPARE(eq, x == y)
COMPARE(le, x <= y)
COMPARE(gt, x > y)
COMPARE(lg, x < y || x > y)
COMPARE(ge, x >= y)
COMPARE(o, x == x && y == y)
COMPARE(u, x != x || y != y)
COMPARE(nge, !(x >= y))
COMPARE(nlg, !(x < y || x > y))
COMPARE(ngt, !(x > y))
COMPARE(nle, !(x <= y))
COMPARE(neq, !(x == y))
COMPARE(nlt, !(x < y))

HANDLER(nothing) { (void)w, (void)in; return GO_ON; }
/* The work-group's own barrier, -1: the waves meet where they wait. */
HANDLER(s_barrier_signal) { return (in->raw & 0xff) == 0xc1 ? GO_ON : insn_unsupported(w, in); }
HANDLER(s_barrier_wait) { return in->offset == -1 ? WAVE_AT_BARRIER : insn_unsupported(w, in); }
HANDLER(s_code_end) { fault(w, in, -1, "the wave has run past the end of the program"); }

/* A message that returns 64 bits: the clock of 100 MHz. */
HANDLER(s_sendmsg_rtn_b64)
{
	enum { GET_REALTIME = 131 };
	if ((in->raw & 0xff) != GET_REALTIME)
		return insn_unsupported(w, in);
	put_wide(w, in, nanoseconds_now() / 10);
	return GO_ON;
}

uint32_t read_rdna_hwreg(struct wave *w, const struct insn *in, unsigned id)
{
	enum { HW_ID1 = 23, CYCLES = 29, CYCLES_HIGH = 30 };
	switch (id) {
	case HW_ID1: return w->index % 16 | w->index % 2u << 8 | (w->group->linear_id / 4 % 8) << 10 |
			(w->group->linear_id % 4) << 18;
	case CYCLES: return (uint32_t)(nanoseconds_now() * 2);
	case CYCLES_HIGH: return (uint32_t)(nanoseconds_now() * 2 >> 32);
	default: fault(w, in, -1, "hardware register %u is not modelled", id);
	}
}

/* RDNA4's scalar loads of less than 32 bits. */
HANDLER(s_load_narrow)
{
	uint64_t address = w->s64[in->src[0].reg / 2] + (uint64_t)(int64_t)in->offset;
	unsigned bytes = in->arg == A_U8 || in->arg == A_S8 ? 1 : 2;
	uint16_t x = 0;
	if (in->src[1].kind != K_NONE)
		address += source(w, in, 1);
	if (!range_allowed(w->worker, address, bytes))
		range_check_fault(w, in, -1, address, bytes, false);
	memcpy(&x, (const void *)(uintptr_t)address, bytes);
	put(w, in, in->arg == A_S8 ? (uint32_t)(int8_t)x : in->arg == A_S16 ? (uint32_t)(int16_t)x : x);
	w->worker->stats.bytes_read += bytes;
	return GO_ON;
}

#define A(name, sig) { #name, name, sig, F_SALU, C_SALU, 0 },
#define P(name, fn) { #name, fn, "", F_SOPP, C_OTHER, 0 },
#define C(op) { "s_cmp_" #op "_f32", s_cmp_##op##_f32, "ss", F_SALU, C_SALU, 0 },
const struct opdef ops_scalar_rdna[] = {
	A(s_and_saveexec_b32, "Ss") A(s_or_saveexec_b32, "Ss") A(s_xor_saveexec_b32, "Ss") A(s_nand_saveexec_b32, "Ss")
	A(s_nor_saveexec_b32, "Ss") A(s_xnor_saveexec_b32, "Ss") A(s_and_not1_saveexec_b32, "Ss")
	A(s_or_not1_saveexec_b32, "Ss") A(s_and_not0_saveexec_b32, "Ss") A(s_or_not0_saveexec_b32, "Ss")
	A(s_and_not0_wrexec_b32, "Ss") A(s_and_not1_wrexec_b32, "Ss")
	P(s_round_mode, s_round_mode) P(s_denorm_mode, s_denorm_mode)
	A(s_pack_hl_b32_b16, "Sss") A(s_mul_u64, "Ttt") A(s_add_nc_u64, "Ttt") A(s_sub_nc_u64, "Ttt")
	A(s_add_f32, "Sss") A(s_sub_f32, "Sss") A(s_mul_f32, "Sss") A(s_min_f32, "Sss") A(s_max_f32, "Sss")
	A(s_fmac_f32, "Sss") A(s_fmaak_f32, "Ssss") { "s_fmamk_f32", s_fmaak_f32, "Ssss", F_SALU, C_SALU, 0 },
	A(s_ceil_f32, "Ss") A(s_floor_f32, "Ss") A(s_trunc_f32, "Ss") A(s_rndne_f32, "Ss") A(s_cvt_f32_u32, "Ss")
	A(s_cvt_f32_i32, "Ss") A(s_cvt_u32_f32, "Ss") A(s_cvt_i32_f32, "Ss")
	A(v_s_exp_f32, "Ss") A(v_s_log_f32, "Ss") A(v_s_rcp_f32, "Ss") A(v_s_rsq_f32, "Ss") A(v_s_sqrt_f32, "Ss")
	C(lt) C(eq) C(le) C(gt) C(lg) C(ge) C(o) C(u) C(nge) C(nlg) C(ngt) C(nle) C(neq) C(nlt)
	P(s_delay_alu, nothing) P(s_clause, nothing) P(s_set_inst_prefetch_distance, nothing) P(buffer_gl0_inv, nothing)
	P(buffer_gl1_inv, nothing) P(s_gl1_inv, nothing) P(global_inv, nothing) P(global_wb, nothing) P(global_wbinv, nothing)
	P(s_prefetch_inst, nothing) P(s_prefetch_inst_pc_rel, nothing) P(s_prefetch_data, nothing)
	P(s_prefetch_data_pc_rel, nothing) P(s_code_end, s_code_end)
	{ "s_barrier_signal", s_barrier_signal, "", F_SOPP, C_OTHER, 0 },
	{ "s_barrier_wait", s_barrier_wait, "", F_SOPP, C_BARRIER, 0 },
	{ "s_sendmsg_rtn_b64", s_sendmsg_rtn_b64, "T", F_SALU, C_SMEM, 0 },
	{ "s_load_u8", s_load_narrow, "", F_SMEM, C_SMEM, A_U8 }, { "s_load_i8", s_load_narrow, "", F_SMEM, C_SMEM, A_S8 },
	{ "s_load_u16", s_load_narrow, "", F_SMEM, C_SMEM, A_U16 }, { "s_load_i16", s_load_narrow, "", F_SMEM, C_SMEM, A_S16 },
	{ 0 }
};
