/* Memory instructions: their operands, offsets and modifiers. */
#include <string.h>
#include "decode.h"

bool decode_smem(struct sim942_code *code, struct insn *in, struct text_line *t)
{
	if (t->operand_count < 3 || !decode_wide_destination(code, t->operands[0], &in->dst) ||
			!decode_register(code, t->operands[1], &in->src[0]))
		return false;
	in->offset = (int32_t)text_number(t, "offset", 0);
	if (decode_scalar_source(t->operands[2], T_S32, &in->src[1]) && in->src[1].kind == K_IMM) {
		in->offset = (int32_t)in->src[1].imm;
		in->src[1].kind = in->src[1].base = K_NONE;
	}
	return in->src[0].base == K_SGPR;
}

/* RDNA has one flag for what is coherent and for what an atomic returns (RDNA3), or says it in words (RDNA4). */
static unsigned coherence_flags(const struct sim942_code *code, const struct text_line *t)
{
	const char *hint = text_modifier(t, "th"), *scope = text_modifier(t, "scope");
	if (code->isa == ISA_CDNA)
		return 0;
	return (hint && strstr(hint, "RETURN") ? MEM_SC0 : 0) |
		(text_flag(t, "glc") || (scope && strcmp(scope, "SCOPE_SE")) ? MEM_SC1 : 0);
}

static uint8_t memory_flags(const struct sim942_code *code, const struct text_line *t)
{
	static const struct { const char *word; uint8_t flag; } words[] = {
		{ "sc0", MEM_SC0 }, { "glc", MEM_SC0 }, { "sc1", MEM_SC1 }, { "nt", MEM_NT }, { "lds", MEM_LDS },
		{ "offen", MEM_OFFEN }, { "idxen", MEM_IDXEN }, { "gds", MEM_GDS },
	};
	unsigned flags = coherence_flags(code, t);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		flags |= text_flag(t, words[i].word) ? words[i].flag : 0;
	return (uint8_t)flags;
}

bool decode_registers(struct sim942_code *code, const struct text_line *t, struct operand *const *to, int count)
{
	for (int i = 0; i < count; i++)
		if (i >= t->operand_count || !decode_register(code, t->operands[i], to[i]))
			return false;
	return true;
}

bool decode_flat(struct sim942_code *code, struct insn *in, struct text_line *t)
{
	struct operand *dst = &in->dst, *address = &in->src[0], *data = &in->src[1], *base = &in->src[2];
	bool flat = !strncmp(in->def->name, "flat", 4), has_base = !flat;
	in->offset = (int32_t)text_number(t, "offset", 0);
	in->mem = memory_flags(code, t);
	switch (*in->def->sig) {
	case 'l': return decode_registers(code, t, (struct operand *[]){ dst, address, base }, 2 + has_base);
	case 's': return decode_registers(code, t, (struct operand *[]){ address, data, base }, 2 + has_base);
	case 'd': return decode_registers(code, t, (struct operand *[]){ address, base }, 1 + has_base);
	default:
		if (in->mem & MEM_SC0)
			return decode_registers(code, t, (struct operand *[]){ dst, address, data, base }, 3 + has_base);
		return decode_registers(code, t, (struct operand *[]){ address, data, base }, 2 + has_base);
	}
}

bool decode_buffer(struct sim942_code *code, struct insn *in, struct text_line *t)
{
	in->offset = (int32_t)text_number(t, "offset", 0);
	in->mem = memory_flags(code, t);
	bool to_lds = in->mem & MEM_LDS, loads = *in->def->sig == 'l';
	int at = 0, first = to_lds ? 3 : 4;
	if (t->operand_count != first)
		return false;
	if (!to_lds && !decode_register(code, t->operands[at++], loads ? &in->dst : &in->src[1]))
		return false;
	if (*in->def->sig == 'a')
		in->dst = in->src[1];
	return decode_register(code, t->operands[at], &in->src[0]) && decode_register(code, t->operands[at + 1], &in->src[2])
		&& decode_scalar_source(t->operands[at + 2], T_S32, &in->src[3]) && in->src[2].base == K_SGPR;
}

bool decode_ds(struct sim942_code *code, struct insn *in, struct text_line *t)
{
	int operand = 0, data = 1;
	in->mem = memory_flags(code, t);
	in->offset = (int32_t)text_number(t, "offset", text_number(t, "offset0", 0));
	in->offset1 = (int32_t)text_number(t, "offset1", 0);
	for (const char *c = in->def->sig; *c; c++, operand++) {
		struct operand *o = *c == 'd' ? &in->dst : *c == 'a' ? &in->src[0] : &in->src[data++];
		if (operand >= t->operand_count || !decode_register(code, t->operands[operand], o))
			return false;
	}
	return !(in->mem & MEM_GDS);
}
