/* DS instructions: loads, stores and atomics of LDS, and the lane permutations that travel the same way.
 * src[0] address, src[1] and src[2] data. */
#include "memory.h"

/* Host addresses of the lanes' LDS accesses; a lane outside the work-group's LDS ends the run. */
static void lds_addresses(struct wave *w, const struct insn *in, uint32_t offset, unsigned bytes, uint64_t *address)
{
	const uint32_t *v = vector_register(w, &in->src[0]);
	uint64_t lanes = *exec_of(w), base = (uint64_t)(uintptr_t)w->group->lds, highest = 0;
	EACH_LANE(i)
		address[i] = (uint32_t)(v[i] + offset);   /* a negative base is met by its offset */
	if (lanes == ~0ull)
		for (int i = 0; i < LANES; i++)
			highest = address[i] > highest ? address[i] : highest;
	else if (lanes == w->all)
		for (int i = 0; i < LANES / 2; i++)
			highest = address[i] > highest ? address[i] : highest;
	else
		EACH_BIT(i, lanes)
			highest = address[i] > highest ? address[i] : highest;
	if (highest + bytes > w->group->lds_bytes)
		EACH_BIT(i, lanes)
			if (address[i] + bytes > w->group->lds_bytes)
				fault(w, in, (int)i, "LDS access of %u bytes at %llu is outside the work-group's %u bytes", bytes,
					(unsigned long long)address[i], w->group->lds_bytes);
	EACH_LANE(i)
		address[i] += base;
}

static int ds_read(struct wave *w, const struct insn *in)
{
	lanes64 address;
	lds_addresses(w, in, (uint32_t)in->offset, access_bytes(in->arg), address);
	load_lanes(w, address, *exec_of(w), in->arg, vector_register(w, &in->dst));
	return GO_ON;
}
static int ds_write(struct wave *w, const struct insn *in)
{
	lanes64 address;
	lds_addresses(w, in, (uint32_t)in->offset, access_bytes(in->arg), address);
	store_lanes(w, address, *exec_of(w), in->arg, vector_register(w, &in->src[1]));
	return GO_ON;
}

/* Two elements at offset0 and offset1, counted in elements, or in 64 elements for the st64 forms (arg bit 7). */
static int ds_read2(struct wave *w, const struct insn *in)
{
	lanes64 first, second;
	enum access a = in->arg & 127;
	unsigned bytes = access_bytes(a), unit = in->arg & 128 ? 64 * bytes : bytes;
	uint32_t *d = vector_register(w, &in->dst);
	lds_addresses(w, in, (uint32_t)in->offset * unit, bytes, first);
	lds_addresses(w, in, (uint32_t)in->offset1 * unit, bytes, second);
	load_lanes(w, first, *exec_of(w), a, d);
	load_lanes(w, second, *exec_of(w), a, d + bytes / 4 * LANES);
	return GO_ON;
}
static int ds_write2(struct wave *w, const struct insn *in)
{
	lanes64 address;
	enum access a = in->arg & 127;
	unsigned bytes = access_bytes(a), unit = in->arg & 128 ? 64 * bytes : bytes;
	lds_addresses(w, in, (uint32_t)in->offset * unit, bytes, address);
	store_lanes(w, address, *exec_of(w), a, vector_register(w, &in->src[1]));
	lds_addresses(w, in, (uint32_t)in->offset1 * unit, bytes, address);
	store_lanes(w, address, *exec_of(w), a, vector_register(w, &in->src[2]));
	return GO_ON;
}

static int exchange(struct wave *w, const struct insn *in, const uint32_t *data, const uint32_t *other)
{
	lanes64 address;
	lanes32 old[2];
	uint64_t lanes = *exec_of(w);
	lds_addresses(w, in, (uint32_t)in->offset, in->arg & AT_WIDE ? 8 : 4, address);
	atomic_lanes(w, in, address, lanes, in->arg, data, other, old[0], false);
	if (in->dst.kind != K_NONE) {
		uint32_t *d = vector_register(w, &in->dst);
		EACH_BIT(i, lanes) {
			d[i] = old[0][i];
			if (in->arg & AT_WIDE)
				d[LANES + i] = old[1][i];
		}
	}
	return GO_ON;
}

static int ds_atomic(struct wave *w, const struct insn *in)
{
	unsigned op = in->arg & ~(unsigned)AT_WIDE;
	const uint32_t *first = vector_register(w, &in->src[1]);
	if (op == AT_CMPSWAP || op == AT_FCMPSWAP)   /* CDNA's DS gives the compare value first */
		return exchange(w, in, vector_register(w, &in->src[2]), first);
	return exchange(w, in, first, op == AT_MSKOR ? vector_register(w, &in->src[2]) : NULL);
}
static int ds_cmpstore(struct wave *w, const struct insn *in)   /* RDNA's gives it last */
{
	return exchange(w, in, vector_register(w, &in->src[1]), vector_register(w, &in->src[2]));
}

static int ds_bpermute_b32(struct wave *w, const struct insn *in)
{
	const uint32_t *from = vector_register(w, &in->src[0]), *data = vector_register(w, &in->src[1]);
	uint64_t exec = *exec_of(w);
	lanes32 r;
	for (int i = 0; i < LANES; i++) {
		unsigned lane = (from[i] + (uint32_t)in->offset) / 4 & (w->lanes - 1);
		r[i] = exec >> lane & 1 ? data[lane] : 0;
	}
	blend32(w, vector_register(w, &in->dst), r);
	return GO_ON;
}
static int ds_permute_b32(struct wave *w, const struct insn *in)
{
	const uint32_t *to = vector_register(w, &in->src[0]), *data = vector_register(w, &in->src[1]);
	lanes32 r = {0};
	EACH_BIT(i, *exec_of(w))
		r[(to[i] + (uint32_t)in->offset) / 4 & (w->lanes - 1)] = data[i];
	blend32(w, vector_register(w, &in->dst), r);
	return GO_ON;
}

/* The offset is a pattern: quad permutation, rotation in 32 lanes, or and/or/xor masks on the lane number. */
static int ds_swizzle_b32(struct wave *w, const struct insn *in)
{
	const uint32_t *data = vector_register(w, &in->src[0]);
	uint32_t pattern = (uint32_t)in->raw & 0xffff;
	uint64_t exec = *exec_of(w);
	lanes32 r;
	if (pattern >= 0xe000)
		fault(w, in, -1, "the FFT mode of ds_swizzle is not modelled");
	for (unsigned i = 0; i < LANES; i++) {
		unsigned lane;
		if (pattern >= 0xc000) {
			unsigned amount = pattern >> 5 & 31, keep = pattern & 31, moved = pattern >> 10 & 1 ? i - amount : i + amount;
			lane = (i & 32) | (i & keep) | (moved & 31 & ~keep);
		} else if (pattern >= 0x8000) {
			lane = (i & ~3u) | (pattern >> 2 * (i & 3) & 3);
		} else {
			lane = (i & 32) | ((((i & pattern) | pattern >> 5) ^ pattern >> 10) & 31);
		}
		r[i] = exec >> lane & 1 ? data[lane] : 0;
	}
	blend32(w, vector_register(w, &in->dst), r);
	return GO_ON;
}
static int ds_nop(struct wave *w, const struct insn *in) { (void)w, (void)in; return GO_ON; }

#define READ(suffix, access) { "ds_read_" suffix, ds_read, "da", F_DS, C_LDS, access },
#define WRITE(suffix, access) { "ds_write_" suffix, ds_write, "av", F_DS, C_LDS, access },
#define BOTH(name, op) { "ds_" name, ds_atomic, "av", F_DS, C_LDS, op },
#define RETURNS(name, op) { "ds_" name, ds_atomic, "dav", F_DS, C_LDS, op },
#define COMPARES(name, op) { "ds_" name, ds_atomic, "avv", F_DS, C_LDS, op },
#define COMPARES_RETURNS(name, op) { "ds_" name, ds_atomic, "davv", F_DS, C_LDS, op },
#define CMPSTORE(type, op) \
	{ "ds_cmpstore_" type, ds_cmpstore, "avv", F_DS, C_LDS, op }, \
	{ "ds_cmpstore_rtn_" type, ds_cmpstore, "davv", F_DS, C_LDS, op },
#define INTEGER(name, type32, type64, op) \
	BOTH(name "_" type32, op) RETURNS(name "_rtn_" type32, op) BOTH(name "_" type64, op | AT_WIDE) \
	RETURNS(name "_rtn_" type64, op | AT_WIDE)
const struct opdef ops_lds[] = {
	READ("b32", A_32) READ("b64", A_64) READ("b96", A_96) READ("b128", A_128) READ("u8", A_U8) READ("i8", A_S8)
	READ("u16", A_U16)
	READ("i16", A_S16) READ("u8_d16", A_U8_D16) READ("u8_d16_hi", A_U8_D16_HI) READ("i8_d16", A_S8_D16)
	READ("i8_d16_hi", A_S8_D16_HI)
	READ("u16_d16", A_16_D16) READ("u16_d16_hi", A_16_D16_HI)
	WRITE("b32", A_32) WRITE("b64", A_64) WRITE("b96", A_96) WRITE("b128", A_128) WRITE("b8", A_ST8) WRITE("b16", A_ST16)
	WRITE("b8_d16_hi", A_ST8_HI) WRITE("b16_d16_hi", A_ST16_HI)
	{ "ds_read2_b32", ds_read2, "da", F_DS, C_LDS, A_32 }, { "ds_read2_b64", ds_read2, "da", F_DS, C_LDS, A_64 },
	{ "ds_read2st64_b32", ds_read2, "da", F_DS, C_LDS, A_32 | 128 },
	{ "ds_read2st64_b64", ds_read2, "da", F_DS, C_LDS, A_64 | 128 },
	{ "ds_write2_b32", ds_write2, "avv", F_DS, C_LDS, A_32 }, { "ds_write2_b64", ds_write2, "avv", F_DS, C_LDS, A_64 },
	{ "ds_write2st64_b32", ds_write2, "avv", F_DS, C_LDS, A_32 | 128 },
	{ "ds_write2st64_b64", ds_write2, "avv", F_DS, C_LDS, A_64 | 128 },
	INTEGER("add", "u32", "u64", AT_ADD) INTEGER("sub", "u32", "u64", AT_SUB) INTEGER("rsub", "u32", "u64", AT_RSUB)
	INTEGER("inc", "u32", "u64", AT_INC) INTEGER("dec", "u32", "u64", AT_DEC) INTEGER("min", "i32", "i64", AT_SMIN)
	INTEGER("max", "i32", "i64", AT_SMAX) INTEGER("min", "u32", "u64", AT_UMIN) INTEGER("max", "u32", "u64", AT_UMAX)
	INTEGER("and", "b32", "b64", AT_AND) INTEGER("or", "b32", "b64", AT_OR) INTEGER("xor", "b32", "b64", AT_XOR)
	INTEGER("min", "f32", "f64", AT_FMIN) INTEGER("max", "f32", "f64", AT_FMAX) INTEGER("add", "f32", "f64", AT_FADD)
	BOTH("pk_add_f16", AT_PK_ADD_F16) RETURNS("pk_add_rtn_f16", AT_PK_ADD_F16) BOTH("pk_add_bf16", AT_PK_ADD_BF16)
	RETURNS("pk_add_rtn_bf16", AT_PK_ADD_BF16) RETURNS("wrxchg_rtn_b32", AT_SWAP)
	RETURNS("wrxchg_rtn_b64", AT_SWAP | AT_WIDE)
	COMPARES("cmpst_b32", AT_CMPSWAP) COMPARES_RETURNS("cmpst_rtn_b32", AT_CMPSWAP)
	COMPARES("cmpst_b64", AT_CMPSWAP | AT_WIDE)
	COMPARES_RETURNS("cmpst_rtn_b64", AT_CMPSWAP | AT_WIDE) COMPARES("cmpst_f32", AT_FCMPSWAP)
	COMPARES_RETURNS("cmpst_rtn_f32", AT_FCMPSWAP)
	COMPARES("cmpst_f64", AT_FCMPSWAP | AT_WIDE) COMPARES_RETURNS("cmpst_rtn_f64", AT_FCMPSWAP | AT_WIDE)
	CMPSTORE("b32", AT_CMPSWAP) CMPSTORE("b64", AT_CMPSWAP | AT_WIDE) CMPSTORE("f32", AT_FCMPSWAP)
	CMPSTORE("f64", AT_FCMPSWAP | AT_WIDE)
	COMPARES("mskor_b32", AT_MSKOR) COMPARES_RETURNS("mskor_rtn_b32", AT_MSKOR) COMPARES("mskor_b64", AT_MSKOR | AT_WIDE)
	COMPARES_RETURNS("mskor_rtn_b64", AT_MSKOR | AT_WIDE)
	{ "ds_bpermute_b32", ds_bpermute_b32, "dav", F_DS, C_LDS, 0 },
	{ "ds_permute_b32", ds_permute_b32, "dav", F_DS, C_LDS, 0 },
	{ "ds_swizzle_b32", ds_swizzle_b32, "da", F_DS, C_LDS, 0 }, { "ds_nop", ds_nop, "", F_DS, C_LDS, 0 },
	{ 0 }
};
