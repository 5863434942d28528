/* global_*, flat_* and scratch_* instructions.
 *
 * Operands: src[0] address, src[1] data, src[2] SGPR base. A flat address whose upper word is an aperture reaches LDS
 * or scratch; any other address is the host's.
 */
#include "memory.h"

static void addresses(struct wave *w, const struct insn *in, uint64_t *address)
{
	uint64_t offset = (uint64_t)(int64_t)in->offset;
	const uint32_t *v = vector_register(w, &in->src[0]);
	if (in->src[2].kind == K_SGPR) {
		offset += w->s64[in->src[2].reg / 2];
		EACH_LANE(i)
			address[i] = offset + v[i];
	} else {
		EACH_LANE(i)
			address[i] = (v[i] | (uint64_t)v[LANES + i] << 32) + offset;
	}
}
static void scratch_offsets(struct wave *w, const struct insn *in, uint64_t *offset)
{
	uint32_t base = (uint32_t)in->offset;
	if (in->src[2].kind != K_OFF && in->src[2].kind != K_NONE)
		base += scalar32(w, &in->src[2]);
	if (in->src[0].kind == K_OFF) {
		EACH_LANE(i)
			offset[i] = base;
	} else {
		const uint32_t *v = vector_register(w, &in->src[0]);
		EACH_LANE(i)
			offset[i] = (uint32_t)(base + v[i]);
	}
}

static int poll_of_load(struct wave *w, const struct insn *in) { return in->mem & MEM_SC1 ? polled(w) : GO_ON; }

static int global_load(struct wave *w, const struct insn *in)
{
	lanes64 address;
	uint64_t lanes = *exec_of(w);
	unsigned bytes = access_bytes(in->arg);
	addresses(w, in, address);
	check_global(w, in, address, lanes, bytes, false);
	load_lanes(w, address, lanes, in->arg, vector_register(w, &in->dst));
	count_read(w, lanes, bytes);
	return poll_of_load(w, in);
}
static int global_store(struct wave *w, const struct insn *in)
{
	lanes64 address;
	uint64_t lanes = *exec_of(w);
	unsigned bytes = access_bytes(in->arg);
	addresses(w, in, address);
	check_global(w, in, address, lanes, bytes, true);
	store_lanes(w, address, lanes, in->arg, vector_register(w, &in->src[1]));
	count_write(w, lanes, bytes);
	return GO_ON;
}

/* The compare value of a cmpswap follows the data in the operand's registers. */
static const uint32_t *compare_of(struct wave *w, const struct insn *in, unsigned data_words)
{
	unsigned op = in->arg & ~(unsigned)AT_WIDE;
	return op == AT_CMPSWAP ? vector_register(w, &in->src[1]) + data_words * LANES : NULL;
}
static int global_atomic(struct wave *w, const struct insn *in)
{
	lanes64 address;
	uint64_t lanes = *exec_of(w);
	unsigned bytes = in->arg & AT_WIDE ? 8 : 4;
	bool returns = in->dst.kind != K_NONE;
	addresses(w, in, address);
	check_global(w, in, address, lanes, bytes, true);
	atomic_lanes(w, in, address, lanes, in->arg, vector_register(w, &in->src[1]), compare_of(w, in, bytes / 4),
		returns ? vector_register(w, &in->dst) : NULL, true);
	count_read(w, lanes, bytes);
	count_write(w, lanes, bytes);
	return returns ? polled(w) : GO_ON;
}

/* Memory to LDS: lane i's dword goes to LDS at M0 + offset + 4 * i. */
static void put_in_lds(struct wave *w, const struct insn *in, uint64_t lanes, const uint32_t *data)
{
	uint32_t base = (w->s[SGPR_M0] & 0xffff) + (uint32_t)in->offset;
	EACH_BIT(i, lanes) {
		uint64_t to = base + 4 * i;
		if (to + 4 > w->group->lds_bytes)
			fault(w, in, (int)i, "LDS write at %llu is outside the work-group's %u bytes", (unsigned long long)to,
					w->group->lds_bytes);
		memcpy(w->group->lds + to, &data[i], 4);
	}
}
static int global_load_lds(struct wave *w, const struct insn *in)
{
	lanes64 address;
	lanes32 data = {0};
	uint64_t lanes = *exec_of(w);
	unsigned bytes = access_bytes(in->arg);
	addresses(w, in, address);
	check_global(w, in, address, lanes, bytes, false);
	load_lanes(w, address, lanes, in->arg, data);
	put_in_lds(w, in, lanes, data);
	count_read(w, lanes, bytes);
	return GO_ON;
}

/* Flat: sorts the lanes by where their addresses lead. */
struct lanes_by_place { uint64_t global, lds, scratch; };
static struct lanes_by_place sort_lanes(struct wave *w, const struct insn *in, uint64_t *address, unsigned bytes)
{
	struct lanes_by_place p = {0};
	uint64_t lanes = *exec_of(w), near = 0;
	for (int i = 0; i < LANES; i++)   /* the common case: no aperture anywhere */
		near |= (uint64_t)((uint32_t)(address[i] >> 32) == SHARED_APERTURE ||
				(uint32_t)(address[i] >> 32) == PRIVATE_APERTURE) << i;
	if (!(near & lanes)) {
		p.global = lanes;
		return p;
	}
	EACH_BIT(i, lanes) {
		uint32_t high = (uint32_t)(address[i] >> 32), low = (uint32_t)address[i];
		if (high == SHARED_APERTURE) {
			if (low > w->group->lds_bytes || bytes > w->group->lds_bytes - low)
				fault(w, in, (int)i, "LDS access at %u is outside the work-group's %u bytes", low, w->group->lds_bytes);
			address[i] = (uint64_t)(uintptr_t)w->group->lds + low;
			p.lds |= 1ull << i;
		} else if (high == PRIVATE_APERTURE) {
			address[i] = low;
			p.scratch |= 1ull << i;
		} else {
			p.global |= 1ull << i;
		}
	}
	return p;
}
static int flat_load(struct wave *w, const struct insn *in)
{
	lanes64 address;
	unsigned bytes = access_bytes(in->arg);
	uint32_t *d = vector_register(w, &in->dst);
	addresses(w, in, address);
	struct lanes_by_place p = sort_lanes(w, in, address, bytes);
	check_global(w, in, address, p.global, bytes, false);
	load_lanes(w, address, p.global | p.lds, in->arg, d);
	if (p.scratch)
		scratch_read(w, in, address, p.scratch, in->arg, d);
	count_read(w, p.global, bytes);
	return poll_of_load(w, in);
}
static int flat_store(struct wave *w, const struct insn *in)
{
	lanes64 address;
	unsigned bytes = access_bytes(in->arg);
	const uint32_t *data = vector_register(w, &in->src[1]);
	addresses(w, in, address);
	struct lanes_by_place p = sort_lanes(w, in, address, bytes);
	check_global(w, in, address, p.global, bytes, true);
	store_lanes(w, address, p.global | p.lds, in->arg, data);
	if (p.scratch)
		scratch_write(w, in, address, p.scratch, in->arg, data);
	count_write(w, p.global, bytes);
	return GO_ON;
}
static int flat_atomic(struct wave *w, const struct insn *in)
{
	lanes64 address;
	unsigned bytes = in->arg & AT_WIDE ? 8 : 4;
	const uint32_t *data = vector_register(w, &in->src[1]), *compare = compare_of(w, in, bytes / 4);
	uint32_t *d = in->dst.kind != K_NONE ? vector_register(w, &in->dst) : NULL;
	lanes32 old[2];   /* the destination may overlay the data that later lanes need */
	addresses(w, in, address);
	struct lanes_by_place p = sort_lanes(w, in, address, bytes);
	uint64_t lanes = *exec_of(w);
	check_global(w, in, address, p.global, bytes, true);
	atomic_lanes(w, in, address, p.global | p.lds, in->arg, data, compare, d ? old[0] : NULL, true);
	if (p.scratch)
		scratch_atomic(w, in, address, p.scratch, in->arg, data, compare, d ? old[0] : NULL);
	if (d)
		EACH_BIT(i, lanes) {
			d[i] = old[0][i];
			if (bytes == 8)
				d[LANES + i] = old[1][i];
		}
	count_read(w, p.global, bytes);
	count_write(w, p.global, bytes);
	return d ? polled(w) : GO_ON;
}

static int scratch_load(struct wave *w, const struct insn *in)
{
	lanes64 offset;
	scratch_offsets(w, in, offset);
	scratch_read(w, in, offset, *exec_of(w), in->arg, vector_register(w, &in->dst));
	return GO_ON;
}
static int scratch_store(struct wave *w, const struct insn *in)
{
	lanes64 offset;
	scratch_offsets(w, in, offset);
	scratch_write(w, in, offset, *exec_of(w), in->arg, vector_register(w, &in->src[1]));
	return GO_ON;
}
static int scratch_load_lds(struct wave *w, const struct insn *in)
{
	lanes64 offset;
	lanes32 data = {0};
	scratch_offsets(w, in, offset);
	scratch_read(w, in, offset, *exec_of(w), in->arg, data);
	put_in_lds(w, in, *exec_of(w), data);
	return GO_ON;
}

#define LOAD(place, suffix, access) { #place "_load_" suffix, place##_load, "l", F_FLAT, C_VMEM, access },
#define STORE(place, suffix, access) { #place "_store_" suffix, place##_store, "s", F_FLAT, C_VMEM, access },
#define TO_LDS(place, suffix, access) { #place "_load_lds_" suffix, place##_load_lds, "d", F_FLAT, C_VMEM, access },
#define MOVES(place) \
	LOAD(place, "ubyte", A_U8) LOAD(place, "sbyte", A_S8) LOAD(place, "ushort", A_U16) LOAD(place, "sshort", A_S16) \
	LOAD(place, "dword", A_32) LOAD(place, "dwordx2", A_64) LOAD(place, "dwordx3", A_96) LOAD(place, "dwordx4", A_128) \
	LOAD(place, "ubyte_d16", A_U8_D16) LOAD(place, "ubyte_d16_hi", A_U8_D16_HI) LOAD(place, "sbyte_d16", A_S8_D16) \
	LOAD(place, "sbyte_d16_hi", A_S8_D16_HI) LOAD(place, "short_d16", A_16_D16) LOAD(place, "short_d16_hi", A_16_D16_HI) \
	STORE(place, "byte", A_ST8) STORE(place, "byte_d16_hi", A_ST8_HI) STORE(place, "short", A_ST16) \
	STORE(place, "short_d16_hi", A_ST16_HI) STORE(place, "dword", A_32) STORE(place, "dwordx2", A_64) \
	STORE(place, "dwordx3", A_96) STORE(place, "dwordx4", A_128)
#define LDS_MOVES(place) \
	TO_LDS(place, "ubyte", A_U8) TO_LDS(place, "sbyte", A_S8) TO_LDS(place, "ushort", A_U16) \
	TO_LDS(place, "sshort", A_S16) TO_LDS(place, "dword", A_32)
#define ATOMIC(place, suffix, op) { #place "_atomic_" suffix, place##_atomic, "a", F_FLAT, C_VMEM, op },
#define ATOMIC2(place, suffix, op) ATOMIC(place, suffix, op) ATOMIC(place, suffix "_x2", op | AT_WIDE)
#define ATOMICS(place) \
	ATOMIC2(place, "swap", AT_SWAP) ATOMIC2(place, "cmpswap", AT_CMPSWAP) ATOMIC2(place, "add", AT_ADD) \
	ATOMIC2(place, "sub", AT_SUB) \
	ATOMIC2(place, "smin", AT_SMIN) ATOMIC2(place, "umin", AT_UMIN) ATOMIC2(place, "smax", AT_SMAX) \
	ATOMIC2(place, "umax", AT_UMAX) \
	ATOMIC2(place, "and", AT_AND) ATOMIC2(place, "or", AT_OR) ATOMIC2(place, "xor", AT_XOR) ATOMIC2(place, "inc", AT_INC) \
	ATOMIC2(place, "dec", AT_DEC) ATOMIC(place, "min_f32", AT_FMIN) ATOMIC(place, "max_f32", AT_FMAX) \
	ATOMIC(place, "add_f32", AT_FADD) ATOMIC(place, "pk_add_f16", AT_PK_ADD_F16) \
	ATOMIC(place, "pk_add_bf16", AT_PK_ADD_BF16) ATOMIC(place, "add_f64", AT_FADD | AT_WIDE) \
	ATOMIC(place, "min_f64", AT_FMIN | AT_WIDE) ATOMIC(place, "max_f64", AT_FMAX | AT_WIDE)
const struct opdef ops_flat[] = { MOVES(global) MOVES(flat) MOVES(scratch) LDS_MOVES(global) LDS_MOVES(scratch)
		ATOMICS(global) ATOMICS(flat) { 0 } };
