/* Builds the internal instructions of a code object from its disassembly. An instruction that cannot be resolved
 * becomes one that ends the run when it is reached, so code that is never executed does no harm. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "decode.h"

const uint32_t *constant_splat(struct sim942_code *code, uint64_t value, bool wide)
{
	for (size_t i = code->constant_count; i-- > 0;)
		if (code->constants[i].value == value && code->constants[i].wide == wide)
			return code->constants[i].splat;
	if ((code->constant_count & (code->constant_count - 1)) == 0) {
		size_t room = code->constant_count ? 2 * code->constant_count : 16;
		struct constant *more = realloc(code->constants, room * sizeof *more);
		if (!more)
			return NULL;
		code->constants = more;
	}
	uint32_t *splat = aligned_alloc(64, LANES * 8);
	if (!splat)
		return NULL;
	for (int i = 0; i < LANES; i++)
		if (wide)
			((uint64_t *)splat)[i] = value;
		else
			splat[i] = (uint32_t)value;
	code->constants[code->constant_count++] = (struct constant){ value, wide, splat };
	return splat;
}

static enum operand_type type_of_letter(char c)
{
	switch (c) {
	case 'f': case 'F': case 'k': return T_F32;
	case 'h': case 'H': case 'O': case 'l': return T_F16;
	case 'w': case 'W': case 'X': return T_B16;
	case 'q': case 'L': return T_B64;
	case 'g': case 'G': return T_F64;
	case 'p': case 'P': return T_PKF16;
	case 'i': case 'I': return T_PKB16;
	case 'z': case '2': return T_PKF32;
	case 'm': case 'M': return T_MASK;
	case 's': case 'S': return T_S32;
	case 't': case 'T': return T_S64;
	default: return T_B32;
	}
}

static void note_registers(struct sim942_code *code, const struct operand *o)
{
	uint32_t end = o->reg / LANES + o->regs;
	if (o->base == K_VGPR && end > code->max_vgpr)
		code->max_vgpr = end;
	if (o->base == K_AGPR && end > code->max_agpr)
		code->max_agpr = end;
}

bool decode_register(struct sim942_code *code, const char *s, struct operand *o)
{
	if (!text_register(s, &o->base, &o->reg, &o->regs))
		return false;
	o->kind = o->base;
	o->sel = SEL_DWORD;
	if (o->base == K_VGPR || o->base == K_AGPR)
		o->reg *= LANES;
	note_registers(code, o);
	return true;
}

/* RDNA's register that reads as 0 and drops what is written. */
static bool is_null(const struct operand *o) { return o->base == K_SGPR && o->reg == SGPR_NULL; }

static bool vector_destination(struct sim942_code *code, const char *s, struct operand *o)
{
	return decode_register(code, s, o) && (o->base == K_VGPR || o->base == K_AGPR);
}
static bool scalar_destination(struct sim942_code *code, const char *s, struct operand *o)
{
	return decode_register(code, s, o) && o->base == K_SGPR;
}
bool decode_wide_destination(struct sim942_code *code, const char *s, struct operand *o)
{
	return scalar_destination(code, s, o) && !is_null(o);
}

bool decode_scalar_source(const char *s, enum operand_type type, struct operand *o)
{
	o->type = type;
	if (text_register(s, &o->base, &o->reg, &o->regs) && !is_null(o)) {
		o->kind = o->base;
		return o->base == K_SGPR || o->base == K_SPECIAL;
	}
	o->kind = o->base = K_IMM;
	o->regs = 0;
	return text_constant(strcmp(s, "null") ? s : "0", type, &o->imm);
}

/* A source of a vector instruction, with its modifiers. */
static bool vector_source(struct sim942_code *code, char *s, enum operand_type type, uint8_t sel, struct operand *o)
{
	uint64_t bits;
	o->mods = text_source_mods(&s);
	o->type = type;
	o->sel = sel;
	if (type == T_MASK)
		return decode_scalar_source(s, type, o);
	if (text_register(s, &o->base, &o->reg, &o->regs) && !is_null(o)) {
		o->kind = o->base == K_VGPR ? K_VGPR : K_SLOW;
		if (o->base == K_VGPR || o->base == K_AGPR)
			o->reg *= LANES;
		note_registers(code, o);
	} else {
		bool wide = type == T_F64 || type == T_B64;
		o->regs = 0;
		if (!text_constant(strcmp(s, "null") ? s : "0", type, &bits) || !(o->splat = constant_splat(code, bits, wide)))
			return false;
		o->kind = o->base = K_SPLAT;
	}
	if (sel != SEL_DWORD || o->mods & MOD_SEXT || (o->mods && (type == T_F32 || type == T_F64)))
		o->kind = K_SLOW;
	return o->base != K_OFF;
}

/* Constants of packed f32 instructions: only their lower word is certain. v_pk_mov_b32 takes one word of each source. */
static bool packed_constant_ok(const struct insn *in, int n)
{
	const struct operand *o = &in->src[n];
	unsigned upper = in->op_sel | (strcmp(in->def->name, "v_pk_mov_b32") ? in->op_sel_hi : 0);
	return o->type != T_PKF32 || o->base != K_SPLAT || o->splat[0] == 0 || !(upper >> n & 1);
}

/* v_cmpx has no destination but EXEC on RDNA; half of a pair does not name the VCC that it reads. */
static bool implied_operand(const struct insn *in, const struct text_line *t, const char *letter, int operand, char *room)
{
	if (*letter == 'M' && letter == in->def->sig && !strncmp(in->def->name, "v_cmpx", 6))
		strcpy(room, "exec_lo");
	else if (*letter == 'm' && operand == t->operand_count && in->half_of_pair)
		strcpy(room, "vcc_lo");
	else
		return false;
	return true;
}

static bool decode_vector(struct sim942_code *code, struct insn *in, struct text_line *t)
{
	const char *sig = in->def->sig;
	char implied[8];
	bool packed = strpbrk(sig, "piz") != NULL;
	int count, listed;
	uint8_t keep_half = 0;
	in->op_sel_hi = (uint8_t)text_bits(t, "op_sel_hi", packed ? 7 : 0, &count);
	in->op_sel = (uint8_t)text_bits(t, "op_sel", 0, &listed);
	in->neg_lo = (uint8_t)text_bits(t, "neg_lo", 0, &count);
	in->neg_hi = (uint8_t)text_bits(t, "neg_hi", 0, &count);
	in->clamp = text_flag(t, "clamp");
	const char *mul = text_modifier(t, "mul");
	in->omod = mul ? (*mul == '2' ? 1 : 2) : text_modifier(t, "div") ? 3 : 0;
	in->dst_sel = t->sdwa ? text_sdwa_select(t, "dst_sel") : SEL_DWORD;
	const char *unused = text_modifier(t, "dst_unused");
	in->dst_unused = !unused || !strcmp(unused, "UNUSED_PAD") ? UNUSED_PAD : !strcmp(unused, "UNUSED_SEXT") ? UNUSED_SEXT :
			UNUSED_PRESERVE;
	if (t->has_dpp) {
		struct dpp *dpp = malloc(sizeof *dpp);
		struct dpp **more = realloc(code->dpps, (code->dpp_count + 1) * sizeof *more);
		if (more)
			code->dpps = more;
		if (!dpp || !more || !text_dpp(t, dpp)) {
			free(dpp);
			return false;
		}
		in->dpp = code->dpps[code->dpp_count++] = dpp;
	}
	int operand = 0;
	bool float_result = false, high_result = false;
	for (const char *c = sig; *c; c++) {
		char *s = implied;
		if (code->isa == ISA_CDNA || !implied_operand(in, t, c, operand, implied)) {
			if (operand >= t->operand_count)
				return false;
			s = t->operands[operand++];
		}
		bool high = text_take_half(s);
		keep_half |= strchr(code->isa == ISA_CDNA ? "OX" : "OXHW", *c) != NULL;   /* RDNA keeps the other half always */
		switch (*c) {
		case 'O': case 'X':
		case 'D': case 'F': case 'H': case 'W': case 'L': case 'G': case 'P': case 'I': case '2':
			if (!vector_destination(code, s, &in->dst))
				return false;
			in->dtype = type_of_letter(*c);
			float_result = strchr("FHOGP2", *c) != NULL;
			high_result = high;
			break;
		case 'M':
			if (!scalar_destination(code, s, &in->sdst))
				return false;
			break;
		case 'S':
			if (!scalar_destination(code, s, &in->dst))
				return false;
			break;
		default: {
			int n = in->nsrc++;
			in->op_sel |= (uint8_t)(high << n);
			enum operand_type type = *c == 'x' ? (in->op_sel_hi >> n & 1 ? T_F16 : T_F32) : type_of_letter(*c);
			uint8_t sel = t->sdwa && n < 2 && type != T_MASK ? text_sdwa_select(t, n ? "src1_sel" : "src0_sel") : SEL_DWORD;
			if (!vector_source(code, s, type, sel, &in->src[n]) || !packed_constant_ok(in, n))
				return false;
			if (*c == 'x')
				in->src[n].kind = K_SLOW;
		}
		}
	}
	if (operand != t->operand_count)
		return false;
	if (in->dpp && in->src[0].kind == K_VGPR)
		in->src[0].kind = K_SLOW;
	in->dst_keep = keep_half && !t->sdwa;
	in->dst_hi = high_result || (listed > in->nsrc && in->op_sel >> in->nsrc & 1);
	if (in->clamp && !float_result && strchr("DWXIL2", *sig)) {
		char name[80];
		snprintf(name, sizeof name, "%s.clamp", in->def->name);
		const struct opdef *clamped = opdef_find(name);
		if (!clamped)
			return false;
		in->fn = clamped->fn;
		in->clamp = 0;
	}
	in->plain_dst = !in->clamp && !in->omod && in->dst_sel == SEL_DWORD && !in->dpp && !in->dst_keep;
	const char *rounded = *sig == 'M' || *sig == 'D' ? sig + 1 : sig;
	in->rounding = strpbrk(rounded, "HOGP") ||
			(*sig == 'M' && strpbrk(rounded, "hg")) ? RC_F16_F64 : strpbrk(rounded, "F2fz") ? RC_F32 : RC_NONE;
	return true;
}

static bool decode_scalar(struct sim942_code *code, struct insn *in, struct text_line *t)
{
	int operand = 0;
	for (const char *c = in->def->sig; *c; c++, operand++) {
		if (operand >= t->operand_count)
			return false;
		char *s = t->operands[operand];
		if (*c == 'S' || *c == 'T') {
			if (!(*c == 'S' ? scalar_destination : decode_wide_destination)(code, s, &in->dst))
				return false;
		} else if (*c == 'n') {
			in->offset = (int16_t)t->words[0];
		} else if (!decode_scalar_source(s, type_of_letter(*c), &in->src[in->nsrc++])) {
			return false;
		}
	}
	return true;
}

static bool decode_hwreg(struct sim942_code *code, struct insn *in, struct text_line *t)
{
	in->offset = (int32_t)(t->words[0] & 0xffff);
	if (*in->def->sig == 'S')
		return t->operand_count && scalar_destination(code, t->operands[0], &in->dst);
	if (*in->def->sig == ' ')
		return t->operand_count > 1 && decode_scalar_source(t->operands[1], T_S32, &in->src[0]);
	return true;
}

static bool decode_mfma(struct sim942_code *code, struct insn *in, struct text_line *t)
{
	int count;
	bool wide = strstr(in->def->name, "mfma_f64") != NULL;
	in->cbsz = (uint8_t)text_number(t, "cbsz", 0);
	in->abid = (uint8_t)text_number(t, "abid", 0);
	in->blgp = (uint8_t)text_number(t, "blgp", 0);
	in->neg_lo = (uint8_t)text_bits(t, "neg", 0, &count);
	if (wide) {   /* the field negates the sources of f64 shapes */
		in->neg_lo |= in->blgp;
		in->blgp = 0;
	}
	return decode_registers(code, t, (struct operand *[]){ &in->dst, &in->src[0], &in->src[1] }, 3) &&
			t->operand_count == 4
		&& vector_source(code, t->operands[3], wide ? T_F64 : T_F32, SEL_DWORD, &in->src[2])
		&& (in->src[2].kind = in->src[2].base, true);
}

static void clear_operands(struct insn *in)
{
	struct operand *all[] = { &in->dst, &in->sdst, &in->src[0], &in->src[1], &in->src[2], &in->src[3] };
	for (int i = 0; i < 6; i++) {
		all[i]->kind = all[i]->base = K_NONE;
		all[i]->sel = SEL_DWORD;
	}
	in->dst_sel = SEL_DWORD;
}

/* v_wmma: no constants but as C, no modifiers but those of integers. */
static bool decode_wmma(struct sim942_code *code, struct insn *in, struct text_line *t)
{
	int count;
	in->neg_lo = (uint8_t)text_bits(t, "neg_lo", 0, &count);
	in->neg_hi = (uint8_t)text_bits(t, "neg_hi", 0, &count);
	in->clamp = text_flag(t, "clamp");
	in->op_sel = (uint8_t)text_bits(t, "op_sel", 0, &count);
	return t->operand_count == 4 && decode_registers(code, t, (struct operand *[]){ &in->dst, &in->src[0], &in->src[1] }, 3)
		&& vector_source(code, t->operands[3], T_F32, SEL_DWORD, &in->src[2]) && !in->src[2].mods && !in->op_sel
		&& (in->src[2].kind = in->src[2].base, true);
}

static bool reads(const struct insn *in, const struct operand *dst)
{
	bool any = false;
	for (int n = 0; n < in->nsrc; n++)
		any |= in->src[n].base == K_VGPR && in->src[n].reg == dst->reg;
	return any;
}

/* v_dual_X :: v_dual_Y. arg says how both come to read before either writes. */
static bool resolve(struct sim942_code *code, struct insn *in, struct text_line *t);
static bool decode_pair(struct sim942_code *code, struct insn *in, struct text_line *t)
{
	static struct text_line second;   /* loading is single-threaded */
	struct insn *two = calloc(2, sizeof *two), **more = realloc(code->pairs, (code->pair_count + 1) * sizeof *more);
	struct text_line *lines[2] = { t, &second };
	if (more)
		code->pairs = more;
	if (!two || !more) {
		free(two);
		return false;
	}
	code->pairs[code->pair_count++] = two;
	if (!text_split_second(t, &second))
		return false;
	t->second = NULL;
	for (int i = 0; i < 2; i++) {
		const char *name = lines[i]->mnemonic;
		if (strncmp(name, "v_dual_", 7))
			return false;
		memmove(lines[i]->mnemonic + 2, name + 7, strlen(name + 7) + 1);
		two[i].pc = in->pc;
		two[i].text = in->text;
		two[i].half_of_pair = 1;
		clear_operands(&two[i]);
		if (!resolve(code, &two[i], lines[i]) || two[i].def->format != F_VALU)
			return false;
	}
	in->def = opdef_find("pair");
	in->fn = in->def->fn;
	in->cls = in->def->cls;
	in->rounding = RC_F32;
	in->arg = !reads(&two[1], &two[0].dst) ? PAIR_IN_ORDER : !reads(&two[0], &two[1].dst) ? PAIR_REVERSED : PAIR_EXCHANGES;
	in->target = two;
	return true;
}

static bool resolve(struct sim942_code *code, struct insn *in, struct text_line *t)
{
	char room[64];
	if (t->second)
		return decode_pair(code, in, t);
	in->def = opdef_find(code->isa == ISA_CDNA ? t->mnemonic : name_of_rdna(t->mnemonic, room));
	if (!in->def || (code->isa != ISA_CDNA && (strstr(t->mnemonic, "fp8") || strstr(t->mnemonic, "bf8"))))
		return false;   /* RDNA4's 8-bit floats are others */
	in->fn = in->def->fn;
	in->cls = in->def->cls;
	in->arg = in->def->arg;
	switch (in->def->format) {
	case F_VALU: return decode_vector(code, in, t);
	case F_SALU: return decode_scalar(code, in, t);
	case F_SOPP: in->offset = (int16_t)t->words[0]; return true;
	case F_BRANCH:
		in->offset = (int16_t)t->words[0];
		return *in->def->sig != 'T' || (t->operand_count && scalar_destination(code, t->operands[0], &in->dst));
	case F_HWREG: return decode_hwreg(code, in, t);
	case F_SMEM: return decode_smem(code, in, t);
	case F_FLAT: return decode_flat(code, in, t);
	case F_BUFFER: return decode_buffer(code, in, t);
	case F_DS: return decode_ds(code, in, t);
	case F_MFMA: return decode_mfma(code, in, t);
	case F_WMMA: return decode_wmma(code, in, t);
	default: return false;
	}
}

/* Appends the text to the pool and returns its offset. */
static uint32_t pool_text(struct sim942_code *code, size_t *room, const char *s)
{
	size_t n = strlen(s) + 1;
	if (code->texts_size + n > *room) {
		size_t wanted = 2 * (*room + n);
		char *more = realloc(code->texts, wanted);
		if (!more)
			return 0;
		code->texts = more;
		*room = wanted;
	}
	memcpy(code->texts + code->texts_size, s, n);
	code->texts_size += n;
	return (uint32_t)(code->texts_size - n);
}

int decode(struct sim942_code *code, const char *disassembly, char *err, size_t errlen)
{
	size_t lines = 1, text_room = 0;
	for (const char *p = disassembly; *p; p++)
		lines += *p == '\n';
	code->insns = aligned_alloc(64, ((lines + 1) * sizeof(struct insn) + 63) & ~(size_t)63);
	code->insn_at = calloc((code->text_end - code->text_begin) / 4 + 1, sizeof *code->insn_at);
	if (!code->insns || !code->insn_at) {
		snprintf(err, errlen, "out of memory");
		return -1;
	}
	static struct text_line t;   /* loading is single-threaded */
	for (const char *line = disassembly; *line;) {
		const char *end = strchr(line, '\n');
		size_t length = end ? (size_t)(end - line) : strlen(line);
		if (text_split(line, length, &t) && t.word_count && t.vaddr >= code->text_begin && t.vaddr < code->text_end) {
			struct insn *in = &code->insns[code->insn_count];
			memset(in, 0, sizeof *in);
			clear_operands(in);
			in->pc = (uint32_t)t.vaddr;
			in->size = (uint8_t)(4 * t.word_count);
			in->raw = t.words[0] | (uint64_t)t.words[1] << 32;
			in->text = pool_text(code, &text_room, t.text);
			if (!resolve(code, in, &t)) {
				in->fn = insn_unsupported;
				in->cls = C_OTHER;
				in->rounding = RC_NONE;
			}
			code->insn_at[(t.vaddr - code->text_begin) / 4] = (uint32_t)++code->insn_count;
		}
		line = end ? end + 1 : line + length;
	}
	if (!code->insn_count) {
		snprintf(err, errlen, "the disassembly of the code object holds no instructions");
		return -1;
	}
	struct insn *last = &code->insns[code->insn_count];
	memset(last, 0, sizeof *last);
	clear_operands(last);
	last->fn = insn_unsupported;
	last->cls = C_OTHER;
	last->pc = code->insns[code->insn_count - 1].pc + code->insns[code->insn_count - 1].size;
	last->text = pool_text(code, &text_room, "(end of the code)");
	for (size_t i = 0; i < code->insn_count; i++) {
		struct insn *in = &code->insns[i];
		if (in->def && in->def->format == F_BRANCH && in->fn != insn_unsupported)
			in->target = code_insn_at(code, in->pc + 4 + 4 * (uint64_t)(int64_t)in->offset);
	}
	return 0;
}
