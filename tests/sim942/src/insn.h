/* The internal form of one decoded instruction, and the table that gives each mnemonic its meaning.
 *
 * Decoding happens once, when a code object is loaded: mnemonics become handler pointers, operands become descriptors
 * that say where a value lies and how it is typed. The run loop follows pointers only.
 */
#ifndef SIM942_INSN_H
#define SIM942_INSN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANES 64

struct wave;
struct insn;

/* What a handler tells the run loop. */
enum { GO_ON, WAVE_ENDED, WAVE_AT_BARRIER, WAVE_YIELDS,
		LOOP_CHANGES /* the run loop must look at strict_mode again */ };
typedef int (*handler)(struct wave *w, const struct insn *in);

/* Where an operand lies. The first three are what the fast paths test for; K_SLOW is any vector source that needs work
 * before use (an SGPR to spread over the lanes, a negation, an SDWA selection, a DPP gather), its place kept in
 * `base`. */
enum operand_kind {
	K_VGPR, K_AGPR, K_SPLAT, K_SLOW,
	K_SGPR,         /* reg: 0..127 in CDNA's numbering, so VCC is 106, M0 124, EXEC 126; SGPR_NULL takes what is dropped */
	K_IMM,          /* imm: an inline constant or literal of a scalar instruction */
	K_SPECIAL,      /* reg: enum special */
	K_OFF,          /* the word `off` */
	K_NONE
};
enum special {
	SP_SHARED_BASE = 235, SP_SHARED_LIMIT, SP_PRIVATE_BASE, SP_PRIVATE_LIMIT, SP_POPS_WAVE_ID, SP_VCCZ = 251, SP_EXECZ,
			SP_SCC
};
enum { SGPR_FLAT_SCRATCH = 102, SGPR_XNACK_MASK = 104, SGPR_VCC = 106, SGPR_TTMP0 = 108, SGPR_M0 = 124,
		SGPR_NULL = 125, SGPR_EXEC = 126 };

/* How a source is read: it decides the value of inline constants and the bits that neg and abs touch. */
enum operand_type { T_B32, T_F32, T_B16, T_F16, T_B64, T_F64, T_PKB16, T_PKF16, T_PKF32, T_MASK, T_S32, T_S64 };

enum { MOD_ABS = 1, MOD_NEG = 2, MOD_SEXT = 4 };
enum { SEL_BYTE0, SEL_BYTE1, SEL_BYTE2, SEL_BYTE3, SEL_WORD0, SEL_WORD1, SEL_DWORD };
enum { UNUSED_PAD, UNUSED_SEXT, UNUSED_PRESERVE };

struct operand {
	uint8_t kind, base;    /* enum operand_kind */
	uint8_t type;          /* enum operand_type */
	uint8_t mods;          /* MOD_* */
	uint8_t sel;           /* SDWA selection */
	uint8_t regs;          /* registers in the operand; a lane mask of one register is that of a wave of 32 */
	uint16_t reg;          /* VGPR and AGPR: index times LANES; otherwise the index */
	union {
		uint64_t imm;
		const uint32_t *splat;   /* the constant in every lane: 64 words, or 64 uint64_t for 64-bit types */
	};
};

/* Lane permutation of a DPP source. */
struct dpp {
	uint8_t from[LANES];    /* source lane; 0xff where there is none */
	uint64_t in_range;      /* lanes with a source lane */
	uint64_t rows;          /* lanes that row_mask and bank_mask let through */
	bool zero_fill;         /* bound_ctrl: lanes without a live source read 0 instead of being switched off */
	bool fetch_inactive;    /* fi: a lane that EXEC switches off is a source like any other */
};

/* Statistics class, and the way an instruction's text is parsed. */
enum insn_class { C_VALU, C_SALU, C_VMEM, C_SMEM, C_LDS, C_MFMA, C_BRANCH, C_BARRIER, C_OTHER, C_COUNT };
enum insn_format { F_NONE, F_VALU, F_SALU, F_SOPP, F_BRANCH, F_HWREG, F_SMEM, F_FLAT, F_BUFFER, F_DS, F_MFMA, F_WMMA };
enum rounding_class { RC_NONE, RC_F32, RC_F16_F64 };

/* The order of a pair's instructions: the second reads what the first writes, or each what the other writes. */
enum { PAIR_IN_ORDER, PAIR_REVERSED, PAIR_EXCHANGES };

/* Memory modifiers. */
enum { MEM_SC0 = 1, MEM_SC1 = 2, MEM_NT = 4, MEM_LDS = 8, MEM_OFFEN = 16, MEM_IDXEN = 32, MEM_GDS = 64 };

struct insn {
	handler fn;
	struct operand src[4];
	struct operand dst, sdst;
	const struct insn *target;   /* of a branch; of RDNA's pair of instructions, the two */
	const struct dpp *dpp;
	const struct opdef *def;
	uint64_t raw;                /* first two words of the encoding */
	uint32_t pc;                 /* virtual address in the code object */
	uint32_t text;               /* offset of its disassembly in the code object's text pool */
	int32_t offset;              /* memory offset, or the immediate of SOPK and SOPP */
	int32_t offset1;             /* second offset of DS read2 and write2 */
	uint8_t cls, rounding;
	uint8_t plain_dst;           /* the result is written as computed: no clamp, omod, SDWA or DPP */
	uint8_t dtype;               /* enum operand_type of the vector result */
	uint8_t clamp, omod;         /* omod: 1 *2, 2 *4, 3 /2 */
	uint8_t op_sel, op_sel_hi, neg_lo, neg_hi;   /* bit n for source n */
	uint8_t dst_hi;              /* op_sel of the destination */
	uint8_t dst_keep;            /* a 16-bit result keeps the other half of its register */
	uint8_t dst_sel, dst_unused; /* SDWA */
	uint8_t mem;                 /* MEM_* */
	uint8_t cbsz, abid, blgp;
	uint8_t nsrc, size;          /* size: bytes of the encoding */
	uint8_t arg;                 /* from the mnemonic's table entry: width, atomic operation, shape */
	uint8_t half_of_pair;
};

/* Signature letters, in the order of the operands in the text:
 *   destinations  D b32  F f32  H f16 (clears the upper half)  W 16-bit integer (likewise)
 *                 O f16, X 16-bit integer (keep the other half, op_sel picks the half)
 *                 L b64  G f64  P packed f16  I packed 16-bit integers  2 packed f32
 *                 M lane mask in an SGPR pair, or one SGPR in waves of 32   S, T scalar 32 and 64 bits
 *   sources       u b32  f f32  w b16  h f16  q b64  g f64  p packed f16  i packed 16-bit integers  z packed f32
 *                 m lane mask   k 32-bit literal   s, t scalar 32 and 64 bits   n 16-bit immediate (SOPK) */
struct opdef {
	const char *name;
	handler fn;
	const char *sig;
	uint8_t format, cls;   /* enum insn_format, enum insn_class */
	uint8_t arg;
};

/* NULL for a mnemonic that is not modelled. The name carries no encoding suffix. */
const struct opdef *opdef_find(const char *name);

/* One table per source file, ended by a NULL name. */
extern const struct opdef ops_scalar[], ops_scalar_rdna[], ops_vector_rdna[], ops_wmma[], ops_scalar_mem[], ops_vector_int[], ops_vector_float[], ops_vector_half[],
	ops_vector_convert[], ops_vector_compare[], ops_vector_lane[], ops_dot[], ops_flat[], ops_buffer[], ops_lds[],
			ops_mfma[];

int insn_unsupported(struct wave *w, const struct insn *in);   /* handler: ends the run, naming the instruction */
#endif
