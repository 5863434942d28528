/* See text.h. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "half.h"
#include "text.h"

/* Ends words in place; separators inside brackets, parentheses and bars do not count. */
static char *next_part(char **at, char separator)
{
	char *start = *at, *p = start;
	int depth = 0;
	if (!*p)
		return NULL;
	for (; *p; p++) {
		if (*p == '[' || *p == '(')
			depth++;
		else if (*p == ']' || *p == ')')
			depth--;
		else if (*p == separator && depth == 0)
			break;
	}
	*at = *p ? p + 1 : p;
	*p = 0;
	return start;
}

static void split_operands(struct text_line *t, char *rest)
{
	char *token;
	while ((token = next_part(&rest, ','))) {
		bool first = true;
		char *word;
		while (*token == ' ')
			token++;
		while ((word = next_part(&token, ' '))) {
			if (!*word)
				continue;
			if (first && t->operand_count < MAX_OPERANDS)
				t->operands[t->operand_count++] = word;
			else if (!first && t->modifier_count < MAX_MODIFIERS)
				t->modifiers[t->modifier_count++] = word;
			first = false;
		}
	}
}

static void strip_suffix(struct text_line *t)
{
	static const char *const suffixes[] = { "_sdwa", "_dpp", "_e32", "_e64" };   /* as in v_add_f32_e64_dpp */
	for (int i = 0; i < 4; i++) {
		size_t n = strlen(t->mnemonic), k = strlen(suffixes[i]);
		if (n <= k || strcmp(t->mnemonic + n - k, suffixes[i]))
			continue;
		t->mnemonic[n - k] = 0;
		t->sdwa |= i == 0;
		t->has_dpp |= i == 1;
	}
}

/* Takes t->buffer apart. */
static bool split_text(struct text_line *t)
{
	char *rest = t->buffer, *name = next_part(&rest, ' ');
	if (!name || strlen(name) >= sizeof t->mnemonic)
		return false;
	strcpy(t->mnemonic, name);
	strip_suffix(t);
	split_operands(t, rest);
	return true;
}

bool text_split(const char *line, size_t length, struct text_line *t)
{
	const char *end = line + length, *comment = NULL;
	memset(t, 0, offsetof(struct text_line, buffer));
	if (!length || *line != '\t')
		return false;
	line++;
	for (const char *p = line; p + 1 < end; p++)
		if (p[0] == '/' && p[1] == '/')
			comment = p;
	if (!comment)
		return false;
	char *after;
	t->vaddr = strtoull(comment + 2, &after, 16);
	if (after >= end || *after != ':')
		return false;
	for (const char *p = after + 1; t->word_count < 4;) {
		while (p < end && *p == ' ')
			p++;
		if (p >= end || !isxdigit((unsigned char)*p))
			break;
		t->words[t->word_count++] = (uint32_t)strtoul(p, &after, 16);
		p = after;
	}
	const char *stop = comment;
	while (stop > line && isspace((unsigned char)stop[-1]))
		stop--;
	size_t n = (size_t)(stop - line);
	if (n >= sizeof t->buffer || !n)
		return false;
	memcpy(t->text, line, n);
	t->text[n] = 0;
	t->second = strstr(t->text, " :: ");
	n = t->second ? (size_t)(t->second - t->text) : n;
	memcpy(t->buffer, t->text, n);
	t->buffer[n] = 0;
	return split_text(t);
}

bool text_split_second(const struct text_line *pair, struct text_line *t)
{
	memset(t, 0, offsetof(struct text_line, buffer));
	t->second = NULL;
	strcpy(t->buffer, pair->second + 4);
	return split_text(t);
}

const char *text_modifier(const struct text_line *t, const char *name)
{
	size_t n = strlen(name);
	for (int i = 0; i < t->modifier_count; i++)
		if (!strncmp(t->modifiers[i], name, n) && t->modifiers[i][n] == ':')
			return t->modifiers[i] + n + 1;
	return NULL;
}
bool text_flag(const struct text_line *t, const char *name)
{
	for (int i = 0; i < t->modifier_count; i++)
		if (!strcmp(t->modifiers[i], name))
			return true;
	return false;
}
long text_number(const struct text_line *t, const char *name, long otherwise)
{
	const char *s = text_modifier(t, name);
	return s ? strtol(s, NULL, 0) : otherwise;
}
unsigned text_bits(const struct text_line *t, const char *name, unsigned otherwise, int *count)
{
	const char *s = text_modifier(t, name);
	unsigned bits = 0;
	*count = 0;
	if (!s || *s != '[')
		return otherwise;
	for (; *s && *s != ']'; s++)
		if (isdigit((unsigned char)*s))
			bits |= (unsigned)(*s != '0') << (*count)++;
	return bits;
}

/* "7" or "[4:7]" or "[4]" after a register letter. */
static bool indices(const char *s, uint16_t *index, uint8_t *count)
{
	char *end;
	bool bracket = *s == '[';
	if (!isdigit((unsigned char)s[bracket]))
		return false;
	unsigned long first = strtoul(s + bracket, &end, 10), last = first;
	if (bracket) {
		if (*end == ':')
			last = strtoul(end + 1, &end, 10);
		if (*end++ != ']')
			return false;
	}
	if (*end || last < first || last > 511)
		return false;
	*index = (uint16_t)first;
	*count = (uint8_t)(last - first + 1);
	return true;
}

bool text_register(const char *s, uint8_t *kind, uint16_t *index, uint8_t *count)
{
	static const struct { const char *name; uint8_t kind; uint16_t index; uint8_t count; } names[] = {
		{ "vcc", K_SGPR, SGPR_VCC, 2 }, { "vcc_lo", K_SGPR, SGPR_VCC, 1 }, { "vcc_hi", K_SGPR, SGPR_VCC + 1, 1 },
		{ "exec", K_SGPR, SGPR_EXEC, 2 }, { "exec_lo", K_SGPR, SGPR_EXEC, 1 }, { "exec_hi", K_SGPR, SGPR_EXEC + 1, 1 },
		{ "m0", K_SGPR, SGPR_M0, 1 }, { "null", K_SGPR, SGPR_NULL, 1 }, { "flat_scratch", K_SGPR, SGPR_FLAT_SCRATCH, 2 },
		{ "flat_scratch_lo", K_SGPR, SGPR_FLAT_SCRATCH, 1 }, { "flat_scratch_hi", K_SGPR, SGPR_FLAT_SCRATCH + 1, 1 },
		{ "xnack_mask", K_SGPR, SGPR_XNACK_MASK, 2 }, { "xnack_mask_lo", K_SGPR, SGPR_XNACK_MASK, 1 },
		{ "xnack_mask_hi", K_SGPR, SGPR_XNACK_MASK + 1, 1 }, { "off", K_OFF, 0, 0 },
		{ "src_shared_base", K_SPECIAL, SP_SHARED_BASE, 2 }, { "src_shared_limit", K_SPECIAL, SP_SHARED_LIMIT, 2 },
		{ "src_private_base", K_SPECIAL, SP_PRIVATE_BASE, 2 }, { "src_private_limit", K_SPECIAL, SP_PRIVATE_LIMIT, 2 },
		{ "src_pops_exiting_wave_id", K_SPECIAL, SP_POPS_WAVE_ID, 1 }, { "src_vccz", K_SPECIAL, SP_VCCZ, 1 },
		{ "src_execz", K_SPECIAL, SP_EXECZ, 1 }, { "src_scc", K_SPECIAL, SP_SCC, 1 },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(s, names[i].name)) {
			*kind = names[i].kind;
			*index = names[i].index;
			*count = names[i].count;
			return true;
		}
	if (!strncmp(s, "ttmp", 4) && indices(s + 4, index, count)) {
		*kind = K_SGPR;
		*index += SGPR_TTMP0;
		return *index + *count <= SGPR_M0;
	}
	*kind = *s == 'v' ? K_VGPR : *s == 'a' ? K_AGPR : K_SGPR;
	if ((*s != 'v' && *s != 'a' && *s != 's') || !indices(s + 1, index, count))
		return false;
	return *index + *count <= (*s == 's' ? SGPR_VCC : 256);
}

bool text_take_half(char *s)
{
	for (char *p = s; *p; p++)
		if (*p == '.' && p > s && isdigit((unsigned char)p[-1]) && (p[1] == 'l' || p[1] == 'h')) {
			bool high = p[1] == 'h';
			memmove(p, p + 2, strlen(p + 2) + 1);
			return high;
		}
	return false;
}

bool text_constant(const char *s, enum operand_type type, uint64_t *bits)
{
	char *end, copy[64];
	bool narrow_float = type == T_F16 || type == T_PKF16 || type == T_B16, wide = type == T_F64 || type == T_B64 ||
			type == T_S64 || type == T_MASK;
	if (!strncmp(s, "lit(", 4) || !strncmp(s, "lit64(", 6)) {   /* newer printers mark forced literals */
		strncpy(copy, strchr(s, '(') + 1, sizeof copy - 1);
		copy[sizeof copy - 1] = 0;
		if (!strchr(copy, ')'))
			return false;
		*strchr(copy, ')') = 0;
		s = copy;
	}
	if (strchr(s, '.')) {
		double x = strtod(s, &end);
		if (*end)
			return false;
		bool inverse_two_pi = fabs(x - 0.15915494) < 1e-7;
		if (narrow_float)
			*bits = inverse_two_pi ? 0x3118 : float_to_half((float)x);
		else if (wide)
			*bits = inverse_two_pi ? 0x3fc45f306dc9c882ull : bits_of_double(x);
		else
			*bits = inverse_two_pi ? 0x3e22f983 : bits_of_float((float)x);
		return true;
	}
	bool negative = *s == '-';
	uint64_t x = strtoull(s + negative, &end, 0);
	if (*end || end == s + negative)
		return false;
	x = negative ? -x : x;
	bool literal = !strncmp(s, "0x", 2) || (int64_t)x > 64 || (int64_t)x < -16;
	if (type == T_F64 && literal && x >> 32 == 0)
		x <<= 32;   /* a literal is the upper word of a double */
	if (narrow_float && type != T_PKF16)
		x &= 0xffff;
	*bits = wide ? x : x & 0xffffffff;
	return true;
}

uint8_t text_source_mods(char **s)
{
	uint8_t mods = 0;
	char *p = *s;
	for (;;) {
		size_t n = strlen(p);
		if (*p == '-' && !isdigit((unsigned char)p[1])) {
			mods |= MOD_NEG;
			p++;
		} else if (*p == '|' && n > 2 && p[n - 1] == '|') {
			mods |= MOD_ABS;
			p[n - 1] = 0;
			p++;
		} else if (n > 5 && p[n - 1] == ')' && (!strncmp(p, "neg(", 4) || !strncmp(p, "abs(", 4) ||
				!strncmp(p, "sext(", 5))) {
			mods |= *p == 'n' ? MOD_NEG : *p == 'a' ? MOD_ABS : MOD_SEXT;
			p[n - 1] = 0;
			p = strchr(p, '(') + 1;
		} else {
			*s = p;
			return mods;
		}
	}
}

/* Source lane of lane i, or 0xff. */
static int dpp_source(const char *control, const char *value, int i)
{
	int n = value ? (int)strtol(value, NULL, 0) : 0, row = i & ~15, at = i & 15;
	if (!strcmp(control, "quad_perm")) {
		int sel[4];
		for (int k = 0; k < 4; k++) {
			if (!value || !isdigit((unsigned char)*++value))
				return -1;
			sel[k] = *value++ - '0';
		}
		return (i & ~3) | (sel[i & 3] & 3);
	}
	if (!strcmp(control, "row_shl")) return at + n < 16 ? i + n : 0xff;
	if (!strcmp(control, "row_shr")) return at - n >= 0 ? i - n : 0xff;
	if (!strcmp(control, "row_ror")) return row | ((at - n) & 15);
	if (!strcmp(control, "wave_shl")) return i + 1 < LANES ? i + 1 : 0xff;
	if (!strcmp(control, "wave_rol")) return (i + 1) % LANES;
	if (!strcmp(control, "wave_shr")) return i ? i - 1 : 0xff;
	if (!strcmp(control, "wave_ror")) return (i + LANES - 1) % LANES;
	if (!strcmp(control, "row_mirror")) return row | (15 - at);
	if (!strcmp(control, "row_half_mirror")) return (i & ~7) | (7 - (i & 7));
	if (!strcmp(control, "row_bcast")) return n == 15 ? (i < 16 ? 0xff : row - 1) : i < 32 ? 0xff : 31;
	if (!strcmp(control, "row_newbcast") || !strcmp(control, "row_share")) return row | (n & 15);
	if (!strcmp(control, "row_xmask")) return row | (at ^ (n & 15));
	if (!strcmp(control, "dpp8")) return value && (int)strlen(value) > 2 * (i & 7) + 1 ? (i & ~7) | (value[2 * (i & 7) + 1] & 7) : -1;
	return -1;
}

bool text_dpp(const struct text_line *t, struct dpp *dpp)
{
	unsigned rows = (unsigned)text_number(t, "row_mask", 15), banks = (unsigned)text_number(t, "bank_mask", 15);
	memset(dpp, 0, sizeof *dpp);
	dpp->zero_fill = text_modifier(t, "bound_ctrl") != NULL   /* printed only where the bit is set, as :0 by old LLVM */
		|| text_modifier(t, "dpp8");
	dpp->fetch_inactive = text_number(t, "fi", 0) != 0;
	for (int i = 0; i < LANES; i++)
		dpp->rows |= (uint64_t)(rows >> i / 16 & banks >> i / 4 % 4 & 1) << i;
	for (int m = 0; m < t->modifier_count; m++) {
		char control[32];
		const char *colon = strchr(t->modifiers[m], ':');
		size_t n = colon ? (size_t)(colon - t->modifiers[m]) : strlen(t->modifiers[m]);
		if (n >= sizeof control)
			continue;
		memcpy(control, t->modifiers[m], n);
		control[n] = 0;
		if (dpp_source(control, colon ? colon + 1 : NULL, 0) < 0)
			continue;
		for (int i = 0; i < LANES; i++) {
			dpp->from[i] = (uint8_t)dpp_source(control, colon ? colon + 1 : NULL, i);
			dpp->in_range |= (uint64_t)(dpp->from[i] < LANES) << i;
		}
		return true;
	}
	return false;
}

uint8_t text_sdwa_select(const struct text_line *t, const char *name)
{
	const char *s = text_modifier(t, name);
	if (!s || !strcmp(s, "DWORD"))
		return SEL_DWORD;
	if (!strncmp(s, "BYTE_", 5))
		return (uint8_t)(SEL_BYTE0 + (s[5] - '0'));
	return (uint8_t)(SEL_WORD0 + (s[5] - '0'));
}
