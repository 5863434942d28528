/* Reads the AMDGPU metadata note: MessagePack with one map a kernel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "code.h"

struct reader { const uint8_t *at, *end; bool bad; int depth; };

enum kind { N_NIL, N_BOOL, N_UINT, N_STRING, N_ARRAY, N_MAP, N_OTHER };
struct item { enum kind kind; uint64_t number; const char *text; size_t size; };   /* size: bytes, elements, or pairs */

static uint64_t big_endian(struct reader *r, unsigned bytes)
{
	uint64_t x = 0;
	if ((size_t)(r->end - r->at) < bytes) {
		r->bad = true;
		r->at = r->end;
		return 0;
	}
	while (bytes--)
		x = x << 8 | *r->at++;
	return x;
}

static struct item next(struct reader *r)
{
	struct item i = { N_OTHER, 0, NULL, 0 };
	if (r->bad || r->at == r->end) {
		r->bad = true;
		return i;
	}
	uint8_t tag = *r->at++;
	size_t skip = 0;
	if (tag < 0x80) { i.kind = N_UINT; i.number = tag; }
	else if (tag < 0x90) { i.kind = N_MAP; i.size = tag & 15; }
	else if (tag < 0xa0) { i.kind = N_ARRAY; i.size = tag & 15; }
	else if (tag < 0xc0) { i.kind = N_STRING; i.size = tag & 31; }
	else if (tag == 0xc0) i.kind = N_NIL;
	else if (tag == 0xc2 || tag == 0xc3) { i.kind = N_BOOL; i.number = tag & 1; }
	else if (tag >= 0xc4 && tag <= 0xc6) skip = big_endian(r, 1u << (tag - 0xc4));
	else if (tag >= 0xc7 && tag <= 0xc9) skip = big_endian(r, 1u << (tag - 0xc7)) + 1;
	else if (tag == 0xca) skip = 4;
	else if (tag == 0xcb) skip = 8;
	else if (tag >= 0xcc && tag <= 0xcf) { i.kind = N_UINT; i.number = big_endian(r, 1u << (tag - 0xcc)); }
	else if (tag >= 0xd0 && tag <= 0xd3) {
		unsigned bytes = 1u << (tag - 0xd0);
		i.kind = N_UINT;
		i.number = (uint64_t)((int64_t)(big_endian(r, bytes) << (64 - 8 * bytes)) >> (64 - 8 * bytes));
	}
	else if (tag >= 0xd4 && tag <= 0xd8) skip = (1u << (tag - 0xd4)) + 1;
	else if (tag >= 0xd9 && tag <= 0xdb) { i.kind = N_STRING; i.size = big_endian(r, 1u << (tag - 0xd9)); }
	else if (tag == 0xdc || tag == 0xdd) { i.kind = N_ARRAY; i.size = big_endian(r, tag == 0xdc ? 2 : 4); }
	else if (tag == 0xde || tag == 0xdf) { i.kind = N_MAP; i.size = big_endian(r, tag == 0xde ? 2 : 4); }
	else if (tag >= 0xe0) { i.kind = N_UINT; i.number = (uint64_t)(int64_t)(int8_t)tag; }
	if (i.kind == N_STRING) {
		i.text = (const char *)r->at;
		skip = i.size;
	}
	if ((size_t)(r->end - r->at) < skip || ((i.kind == N_ARRAY || i.kind == N_MAP) && i.size > (size_t)(r->end - r->at))) {
		r->bad = true;
		return i;
	}
	r->at += skip;
	return i;
}

static void skip_item(struct reader *r)
{
	struct item i = next(r);
	size_t inner = i.kind == N_MAP ? 2 * i.size : i.kind == N_ARRAY ? i.size : 0;
	if (++r->depth > 64)
		r->bad = true;
	while (inner-- && !r->bad)
		skip_item(r);
	r->depth--;
}

static bool is(struct item key, const char *name)
{
	return key.kind == N_STRING && key.size == strlen(name) && !memcmp(key.text, name, key.size);
}
static char *copy_text(struct item i) { return i.kind == N_STRING ? strndup(i.text, i.size) : NULL; }

static void read_args(struct reader *r, struct kernel_record *k)
{
	struct item list = next(r);
	if (list.kind != N_ARRAY) {
		r->bad = true;
		return;
	}
	k->args = calloc(list.size ? list.size : 1, sizeof *k->args);
	for (size_t n = 0; n < list.size && !r->bad && k->args; n++) {
		struct item map = next(r);
		struct sim942_arg *a = &k->args[k->arg_count++];
		if (map.kind != N_MAP) {
			r->bad = true;
			return;
		}
		for (size_t p = 0; p < map.size && !r->bad; p++) {
			struct item key = next(r);
			if (is(key, ".offset"))
				a->offset = (uint32_t)next(r).number;
			else if (is(key, ".size"))
				a->size = (uint32_t)next(r).number;
			else if (is(key, ".value_kind"))
				a->kind = copy_text(next(r));
			else if (is(key, ".name"))
				a->name = copy_text(next(r));
			else
				skip_item(r);
		}
	}
}

static void read_kernel(struct reader *r, struct kernel_record *k)
{
	struct item map = next(r);
	if (map.kind != N_MAP) {
		r->bad = true;
		return;
	}
	static const struct { const char *key; size_t offset; } numbers[] = {
		{ ".kernarg_segment_size", offsetof(struct sim942_kernel, kernarg_bytes) },
		{ ".group_segment_fixed_size", offsetof(struct sim942_kernel, lds_bytes) },
		{ ".private_segment_fixed_size", offsetof(struct sim942_kernel, scratch_bytes) },
		{ ".vgpr_count", offsetof(struct sim942_kernel, vgprs) }, { ".agpr_count", offsetof(struct sim942_kernel, agprs) },
		{ ".wavefront_size", offsetof(struct sim942_kernel, lanes) }, { ".sgpr_count", offsetof(struct sim942_kernel, sgprs) },
		{ ".vgpr_spill_count", offsetof(struct sim942_kernel, vgpr_spills) },
		{ ".sgpr_spill_count", offsetof(struct sim942_kernel, sgpr_spills) },
	};
	for (size_t p = 0; p < map.size && !r->bad; p++) {
		struct item key = next(r);
		bool known = false;
		for (size_t n = 0; n < sizeof numbers / sizeof *numbers && !known; n++)
			if (is(key, numbers[n].key)) {
				uint32_t value = (uint32_t)next(r).number;
				memcpy((char *)&k->public + numbers[n].offset, &value, sizeof value);
				known = true;
			}
		if (known)
			continue;
		if (is(key, ".name"))
			k->name = copy_text(next(r));
		else if (is(key, ".symbol"))
			k->symbol = copy_text(next(r));
		else if (is(key, ".uses_dynamic_stack"))
			k->dynamic_stack = (uint32_t)next(r).number;
		else if (is(key, ".args"))
			read_args(r, k);
		else
			skip_item(r);
	}
}

int notes_parse(struct sim942_code *code, const uint8_t *note, size_t size, char *err, size_t errlen)
{
	struct reader r = { note, note + size, false, 0 };
	struct item top = next(&r);
	if (top.kind != N_MAP)
		r.bad = true;
	for (size_t p = 0; p < top.size && !r.bad; p++) {
		struct item key = next(&r);
		if (!is(key, "amdhsa.kernels")) {
			skip_item(&r);
			continue;
		}
		struct item list = next(&r);
		if (list.kind != N_ARRAY) {
			r.bad = true;
			break;
		}
		code->kernels = calloc(list.size ? list.size : 1, sizeof *code->kernels);
		for (size_t n = 0; code->kernels && n < list.size && !r.bad; n++)
			read_kernel(&r, &code->kernels[code->kernel_count++]);
	}
	if (r.bad) {
		snprintf(err, errlen, "the code object's metadata note is damaged");
		return -1;
	}
	return 0;
}
