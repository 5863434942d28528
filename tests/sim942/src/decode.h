/* Operands of an instruction from its text: what the two parts of the decoder share. All give false for what is not
 * modelled. */
#ifndef SIM942_DECODE_H
#define SIM942_DECODE_H
#include "text.h"

/* A register operand as a memory or matrix instruction uses it. */
bool decode_register(struct sim942_code *code, const char *s, struct operand *o);
/* The operands of an instruction as registers, in the order of the text. */
bool decode_registers(struct sim942_code *code, const struct text_line *t, struct operand *const *to, int count);
/* An SGPR, or several; not null, whose 64 bits would have no place. */
bool decode_wide_destination(struct sim942_code *code, const char *s, struct operand *o);
/* An SGPR, a special register or a constant. */
bool decode_scalar_source(const char *s, enum operand_type type, struct operand *o);

/* decode_memory.c: one a format. */
bool decode_smem(struct sim942_code *code, struct insn *in, struct text_line *t);
bool decode_flat(struct sim942_code *code, struct insn *in, struct text_line *t);
bool decode_buffer(struct sim942_code *code, struct insn *in, struct text_line *t);
bool decode_ds(struct sim942_code *code, struct insn *in, struct text_line *t);
#endif
