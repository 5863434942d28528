/* Buffer instructions, scalar memory loads, and the cache controls.
 *
 * A buffer descriptor is 128 bits: base (48 bits), stride (14 bits), num_records, and flags. Linear buffers are
 * modelled, of RDNA the raw ones (OOB_SELECT 3): swizzled ones and formatted loads are not. Elements outside num_records
 * read 0 and are not written.
 */
#include "code.h"
#include "memory.h"

struct descriptor { uint64_t base; uint32_t stride, records; };

static struct descriptor descriptor_of(struct wave *w, const struct insn *in, const struct operand *o)
{
	const uint32_t *s = &w->s[o->reg];
	struct descriptor d = { s[0] | (uint64_t)(s[1] & 0xffff) << 32, s[1] >> 16 & 0x3fff, s[2] };
	if (s[1] >> 31 || s[3] >> 23 & 1)
		fault(w, in, -1, "swizzled buffers and add_tid are not modelled (descriptor %08x %08x %08x %08x)", s[0], s[1], s[2],
				s[3]);
	if (w->worker->launch->code->isa != ISA_CDNA && (s[1] >> 30 || d.stride || (s[3] >> 28 & 3) != 3))
		fault(w, in, -1, "buffers that are not raw are not modelled (descriptor %08x %08x %08x %08x)", s[0], s[1], s[2], s[3]);
	return d;
}

/* src[0] address, src[1] data, src[2] descriptor, src[3] scalar offset. Fills addresses and returns the lanes in
 * bounds. */
static uint64_t buffer_addresses(struct wave *w, const struct insn *in, unsigned bytes, uint64_t *address)
{
	struct descriptor b = descriptor_of(w, in, &in->src[2]);
	uint64_t lanes = 0, soffset = scalar32(w, &in->src[3]);
	const uint32_t *v = in->src[0].kind == K_OFF || in->src[0].kind == K_NONE ? NULL : vector_register(w, &in->src[0]);
	for (int i = 0; i < LANES; i++) {
		uint64_t index = in->mem & MEM_IDXEN ? v[i] : 0;
		uint64_t offset = in->mem & MEM_OFFEN ? v[in->mem & MEM_IDXEN ? LANES + i : i] : 0;
		offset += (uint64_t)in->offset;
		bool inside = b.stride == 0 ? offset + soffset + bytes <= b.records : index < b.records;
		address[i] = b.base + soffset + offset + index * b.stride;
		lanes |= (uint64_t)inside << i;
	}
	return lanes & *exec_of(w);
}

static int to_lds(struct wave *w, const struct insn *in)
{
	lanes64 address;
	lanes32 data = {0};
	unsigned bytes = access_bytes(in->arg);
	uint64_t lanes = buffer_addresses(w, in, bytes, address), exec = *exec_of(w);
	uint32_t base = (w->s[SGPR_M0] & 0xffff) + (uint32_t)in->offset;
	check_global(w, in, address, lanes, bytes, false);
	load_lanes(w, address, lanes, in->arg, data);
	EACH_BIT(i, exec) {
		if (base + 4 * i + 4 > w->group->lds_bytes)
			fault(w, in, (int)i, "LDS write at %llu is outside the work-group's %u bytes", (unsigned long long)(base + 4 * i),
					w->group->lds_bytes);
		memcpy(w->group->lds + base + 4 * i, &data[i], 4);
	}
	count_read(w, lanes, bytes);
	return GO_ON;
}

/* A wide load at the end of a raw buffer loses only the dwords that lie outside. */
static void load_partly(struct wave *w, const struct insn *in, unsigned words, uint32_t *d)
{
	lanes64 address;
	lanes32 part[4] = {{0}};   /* the destination may overlay the address */
	for (unsigned k = 0; k < words; k++) {
		struct insn one = *in;
		one.offset += 4 * (int)k;
		uint64_t lanes = buffer_addresses(w, &one, 4, address);
		check_global(w, in, address, lanes, 4, false);
		load_lanes(w, address, lanes, A_32, part[k]);
	}
	for (unsigned k = 0; k < words; k++)
		blend32(w, d + k * LANES, part[k]);
}
static int buffer_load(struct wave *w, const struct insn *in)
{
	lanes64 address;
	unsigned bytes = access_bytes(in->arg);
	if (in->mem & MEM_LDS)
		return to_lds(w, in);
	uint64_t lanes = buffer_addresses(w, in, bytes, address), exec = *exec_of(w);
	uint32_t *d = vector_register(w, &in->dst);
	if (lanes != exec && bytes > 4) {
		load_partly(w, in, bytes / 4, d);
	} else {
		check_global(w, in, address, lanes, bytes, false);
		EACH_BIT(i, exec & ~lanes)
			d[i] = in->arg == A_U8_D16 || in->arg == A_S8_D16 || in->arg == A_16_D16 ? d[i] & 0xffff0000
				: in->arg >= A_U8_D16 ? d[i] & 0xffff : 0;
		load_lanes(w, address, lanes, in->arg, d);
	}
	count_read(w, lanes, bytes);
	return in->mem & MEM_SC1 ? polled(w) : GO_ON;
}
static int buffer_store(struct wave *w, const struct insn *in)
{
	lanes64 address;
	unsigned bytes = access_bytes(in->arg);
	const uint32_t *data = vector_register(w, &in->src[1]);
	uint64_t lanes = buffer_addresses(w, in, bytes, address);
	if (lanes != *exec_of(w) && bytes > 4 && bytes % 4 == 0) {
		for (unsigned k = 0; k < bytes / 4; k++) {
			struct insn part = *in;
			part.offset += 4 * (int)k;
			uint64_t some = buffer_addresses(w, &part, 4, address);
			check_global(w, in, address, some, 4, true);
			store_lanes(w, address, some, A_32, data + k * LANES);
		}
	} else {
		check_global(w, in, address, lanes, bytes, true);
		store_lanes(w, address, lanes, in->arg, data);
	}
	count_write(w, lanes, bytes);
	return GO_ON;
}
static int buffer_atomic(struct wave *w, const struct insn *in)
{
	lanes64 address;
	unsigned op = in->arg, bytes = op & AT_WIDE ? 8 : 4;
	const uint32_t *data = vector_register(w, &in->src[1]);
	bool returns = in->mem & MEM_SC0;
	lanes32 old[2] = {{0}};
	uint64_t lanes = buffer_addresses(w, in, bytes, address), exec = *exec_of(w);
	check_global(w, in, address, lanes, bytes, true);
	atomic_lanes(w, in, address, lanes, op, data,
			(op & ~(unsigned)AT_WIDE) == AT_CMPSWAP ? data + bytes / 4 * LANES : NULL, old[0], true);
	if (returns) {
		uint32_t *d = vector_register(w, &in->dst);
		EACH_BIT(i, exec) {
			d[i] = old[0][i];
			if (bytes == 8)
				d[LANES + i] = old[1][i];
		}
	}
	count_read(w, lanes, bytes);
	count_write(w, lanes, bytes);
	return returns ? polled(w) : GO_ON;
}

static int cache_control(struct wave *w, const struct insn *in)
{
	(void)w, (void)in;
	atomic_thread_fence(memory_order_seq_cst);
	return GO_ON;
}

/* Scalar loads. src[0] base, src[1] register offset or none. */
static int s_load(struct wave *w, const struct insn *in)
{
	uint64_t address = w->s64[in->src[0].reg / 2] + (uint64_t)(int64_t)in->offset;
	if (in->src[1].kind != K_NONE)
		address += scalar32(w, &in->src[1]);
	address &= ~3ull;
	if (!range_allowed(w->worker, address, 4u * in->arg))
		range_check_fault(w, in, -1, address, 4u * in->arg, false);
	memcpy(&w->s[in->dst.reg], (const void *)(uintptr_t)address, 4u * in->arg);
	w->worker->stats.bytes_read += 4u * in->arg;
	return GO_ON;
}
static int s_buffer_load(struct wave *w, const struct insn *in)
{
	struct descriptor b = descriptor_of(w, in, &in->src[0]);
	uint64_t offset = (uint64_t)(int64_t)in->offset, size = b.stride ? (uint64_t)b.stride * b.records : b.records;
	uint32_t data[16] = {0};
	if (in->src[1].kind != K_NONE)
		offset += scalar32(w, &in->src[1]);
	offset &= ~3ull;
	for (unsigned k = 0; k < in->arg; k++)
		if (offset + 4 * k + 4 <= size) {
			uint64_t address = b.base + offset + 4 * k;
			if (!range_allowed(w->worker, address, 4))
				range_check_fault(w, in, -1, address, 4, false);
			memcpy(&data[k], (const void *)(uintptr_t)address, 4);
		}
	memcpy(&w->s[in->dst.reg], data, 4u * in->arg);
	w->worker->stats.bytes_read += 4u * in->arg;
	return GO_ON;
}

#define LOAD(suffix, access) { "buffer_load_" suffix, buffer_load, "l", F_BUFFER, C_VMEM, access },
#define STORE(suffix, access) { "buffer_store_" suffix, buffer_store, "s", F_BUFFER, C_VMEM, access },
#define ATOMIC(suffix, op) { "buffer_atomic_" suffix, buffer_atomic, "a", F_BUFFER, C_VMEM, op },
#define ATOMIC2(suffix, op) ATOMIC(suffix, op) ATOMIC(suffix "_x2", op | AT_WIDE)
const struct opdef ops_buffer[] = {
	LOAD("ubyte", A_U8) LOAD("sbyte", A_S8) LOAD("ushort", A_U16) LOAD("sshort", A_S16) LOAD("dword", A_32)
	LOAD("dwordx2", A_64)
	LOAD("dwordx3", A_96) LOAD("dwordx4", A_128) LOAD("ubyte_d16", A_U8_D16) LOAD("ubyte_d16_hi", A_U8_D16_HI)
	LOAD("sbyte_d16", A_S8_D16) LOAD("sbyte_d16_hi", A_S8_D16_HI) LOAD("short_d16", A_16_D16)
	LOAD("short_d16_hi", A_16_D16_HI)
	STORE("byte", A_ST8) STORE("byte_d16_hi", A_ST8_HI) STORE("short", A_ST16) STORE("short_d16_hi", A_ST16_HI)
	STORE("dword", A_32)
	STORE("dwordx2", A_64) STORE("dwordx3", A_96) STORE("dwordx4", A_128)
	ATOMIC2("swap", AT_SWAP) ATOMIC2("cmpswap", AT_CMPSWAP) ATOMIC2("add", AT_ADD) ATOMIC2("sub", AT_SUB)
	ATOMIC2("smin", AT_SMIN)
	ATOMIC2("umin", AT_UMIN) ATOMIC2("smax", AT_SMAX) ATOMIC2("umax", AT_UMAX) ATOMIC2("and", AT_AND) ATOMIC2("or", AT_OR)
	ATOMIC2("xor", AT_XOR) ATOMIC2("inc", AT_INC) ATOMIC2("dec", AT_DEC) ATOMIC("add_f32", AT_FADD)
	ATOMIC("pk_add_f16", AT_PK_ADD_F16)
	ATOMIC("pk_add_bf16", AT_PK_ADD_BF16) ATOMIC("add_f64", AT_FADD | AT_WIDE) ATOMIC("min_f64", AT_FMIN | AT_WIDE)
	ATOMIC("max_f64", AT_FMAX | AT_WIDE)
	{ "buffer_wbl2", cache_control, "", F_SOPP, C_VMEM, 0 }, { "buffer_inv", cache_control, "", F_SOPP, C_VMEM, 0 },
	{ "buffer_wbinvl1_vol", cache_control, "", F_SOPP, C_VMEM, 0 }, { "buffer_invl2", cache_control, "", F_SOPP, C_VMEM, 0 },
	{ 0 }
};
#define S_LOAD(suffix, words) \
	{ "s_load_dword" suffix, s_load, "", F_SMEM, C_SMEM, words }, \
	{ "s_buffer_load_dword" suffix, s_buffer_load, "b", F_SMEM, C_SMEM, words },
const struct opdef ops_scalar_mem[] = { S_LOAD("", 1) S_LOAD("x2", 2) S_LOAD("x3", 3) S_LOAD("x4", 4) S_LOAD("x8", 8)
		S_LOAD("x16", 16) { 0 } };
