/* See memory.h. */
#include "memory.h"

#define LOWER_HALF 0xffffffffull   /* all lanes of a wave of 32 */

unsigned access_bytes(enum access a)
{
	switch (a) {
	case A_U16: case A_S16: case A_16_D16: case A_16_D16_HI: case A_ST16: case A_ST16_HI: return 2;
	case A_32: return 4;
	case A_64: return 8;
	case A_96: return 12;
	case A_128: return 16;
	default: return 1;
	}
}

void check_global(struct wave *w, const struct insn *in, const uint64_t *address, uint64_t lanes, unsigned bytes,
		bool write)
{
	uint64_t low = ~0ull, high = 0;
	if (lanes == ~0ull) {
		for (int i = 0; i < LANES; i++) {
			low = address[i] < low ? address[i] : low;
			high = address[i] > high ? address[i] : high;
		}
	} else if (lanes == LOWER_HALF) {
		for (int i = 0; i < LANES / 2; i++) {
			low = address[i] < low ? address[i] : low;
			high = address[i] > high ? address[i] : high;
		}
	} else {
		EACH_BIT(i, lanes) {
			low = address[i] < low ? address[i] : low;
			high = address[i] > high ? address[i] : high;
		}
	}
	if (low > high || range_allowed(w->worker, low, high - low + bytes))
		return;
	EACH_BIT(i, lanes)
		if (!range_allowed(w->worker, address[i], bytes))
			range_check_fault(w, in, (int)i, address[i], bytes, write);
}

/* One byte or half a word from each lane's address into d; D16 forms keep the other half of the register. */
static uint16_t half_at(uint64_t address)
{
	uint16_t h;
	memcpy(&h, (const void *)(uintptr_t)address, 2);
	return h;
}
static uint8_t byte_at(uint64_t address) { return *(const uint8_t *)(uintptr_t)address; }
#define EVERY_LANE(expr) \
	do { \
		if (lanes == ~0ull) \
			for (int i = 0; i < LANES; i++) d[i] = (expr); \
		else \
			EACH_BIT(i, lanes) d[i] = (expr); \
	} while (0)
static void load_narrow(const uint64_t *address, uint64_t lanes, enum access a, uint32_t *d)
{
	switch (a) {
	case A_U8: EVERY_LANE(byte_at(address[i])); break;
	case A_S8: EVERY_LANE((uint32_t)(int8_t)byte_at(address[i])); break;
	case A_U16: EVERY_LANE(half_at(address[i])); break;
	case A_S16: EVERY_LANE((uint32_t)(int16_t)half_at(address[i])); break;
	case A_U8_D16: EVERY_LANE((d[i] & 0xffff0000) | byte_at(address[i])); break;
	case A_U8_D16_HI: EVERY_LANE((d[i] & 0xffff) | (uint32_t)byte_at(address[i]) << 16); break;
	case A_S8_D16: EVERY_LANE((d[i] & 0xffff0000) | (uint16_t)(int8_t)byte_at(address[i])); break;
	case A_S8_D16_HI: EVERY_LANE((d[i] & 0xffff) | (uint32_t)(uint16_t)(int8_t)byte_at(address[i]) << 16); break;
	case A_16_D16: EVERY_LANE((d[i] & 0xffff0000) | half_at(address[i])); break;
	default: EVERY_LANE((d[i] & 0xffff) | (uint32_t)half_at(address[i]) << 16); break;
	}
}

/* One, two, three or four dwords from the addresses of the first lanes, all of them readable. */
static inline __attribute__((always_inline)) void gather(const uint64_t *address, int lanes, int words, uint32_t *d)
{
	uint64_t stride = 4 * (uint64_t)words, apart = 0;
	for (int i = 0; i < lanes; i++)
		apart |= address[i] - address[0] - stride * (uint64_t)i;
	if (words == 1) {
		if (!apart)
			memcpy(d, (const void *)(uintptr_t)address[0], 4 * (size_t)lanes);
		else
			for (int i = 0; i < lanes; i++)
				memcpy(d + i, (const void *)(uintptr_t)address[i], 4);
	} else if (!apart) {
		const uint32_t *p = (const uint32_t *)(uintptr_t)address[0];
		for (int k = 0; k < words; k++)
			for (int i = 0; i < lanes; i++)
				memcpy(d + k * LANES + i, p + i * words + k, 4);
	} else {
		for (int i = 0; i < lanes; i++) {
			uint32_t part[4];
			memcpy(part, (const void *)(uintptr_t)address[i], 4 * (size_t)words);
			for (int k = 0; k < words; k++)
				d[k * LANES + i] = part[k];
		}
	}
}

void load_lanes(struct wave *w, const uint64_t *address, uint64_t lanes, enum access a, uint32_t *d)
{
	if (!lanes)
		return;
	if (a < A_32 || a > A_128) {
		load_narrow(address, lanes, a, d);
		return;
	}
	int words = (int)access_bytes(a) / 4;
	if (lanes == ~0ull) {
		switch (words) {
		case 1: gather(address, LANES, 1, d); break;
		case 2: gather(address, LANES, 2, d); break;
		case 3: gather(address, LANES, 3, d); break;
		default: gather(address, LANES, 4, d);
		}
		return;
	}
	if (lanes == LOWER_HALF) {
		switch (words) {
		case 1: gather(address, LANES / 2, 1, d); break;
		case 2: gather(address, LANES / 2, 2, d); break;
		case 3: gather(address, LANES / 2, 3, d); break;
		default: gather(address, LANES / 2, 4, d);
		}
		return;
	}
	(void)w;
	EACH_BIT(i, lanes) {
		uint32_t part[4];
		memcpy(part, (const void *)(uintptr_t)address[i], 4 * (size_t)words);
		for (int k = 0; k < words; k++)
			d[k * LANES + (int)i] = part[k];
	}
}

static uint32_t narrow_store(enum access a, uint32_t x) { return a == A_ST8_HI || a == A_ST16_HI ? x >> 16 : x; }

void store_lanes(struct wave *w, const uint64_t *address, uint64_t lanes, enum access a, const uint32_t *data)
{
	if (!lanes)
		return;
	note_progress(w);
	if (a < A_32 || a > A_128) {
		EACH_BIT(i, lanes) {
			uint32_t x = narrow_store(a, data[i]);
			if (access_bytes(a) == 1)
				*(uint8_t *)(uintptr_t)address[i] = (uint8_t)x;
			else
				memcpy((void *)(uintptr_t)address[i], &(uint16_t){ (uint16_t)x }, 2);
		}
		return;
	}
	int words = (int)access_bytes(a) / 4;
	if (words == 1 && (lanes == ~0ull || lanes == LOWER_HALF)) {
		int count = lanes == ~0ull ? LANES : LANES / 2;
		uint64_t apart = 0;
		for (int i = 0; i < count; i++)
			apart |= address[i] - address[0] - 4 * (uint64_t)i;
		if (!apart) {
			memcpy((void *)(uintptr_t)address[0], data, 4 * (size_t)count);
			return;
		}
	}
	EACH_BIT(i, lanes) {
		uint32_t part[4];
		for (int k = 0; k < words; k++)
			part[k] = data[k * LANES + (int)i];
		memcpy((void *)(uintptr_t)address[i], part, 4 * (size_t)words);
	}
}

/* Atomics. */

static uint32_t add_halves(uint32_t x, uint32_t y)
{
	uint32_t lo = float_to_half(half_to_float(x & 0xffff) + half_to_float(y & 0xffff));
	return lo | float_to_half(half_to_float(x >> 16) + half_to_float(y >> 16)) << 16;
}
static uint32_t add_bf16s(uint32_t x, uint32_t y)
{
	uint32_t lo = float_to_bf16(bf16_to_float(x & 0xffff) + bf16_to_float(y & 0xffff));
	return lo | float_to_bf16(bf16_to_float(x >> 16) + bf16_to_float(y >> 16)) << 16;
}

uint64_t atomic_result(unsigned op, uint64_t old, uint64_t data, uint64_t compare)
{
	bool wide = op & AT_WIDE;
	int64_t signed_old = wide ? (int64_t)old : (int32_t)old, signed_data = wide ? (int64_t)data : (int32_t)data;
	double float_old = 0, float_data = 0;
	op &= ~(unsigned)AT_WIDE;
	if (op == AT_FADD || op == AT_FMIN || op == AT_FMAX || op == AT_FCMPSWAP) {
		float_old = wide ? double_of_bits(old) : (double)float_of_bits((uint32_t)old);
		float_data = wide ? double_of_bits(data) : (double)float_of_bits((uint32_t)data);
	}
	switch (op) {
	case AT_SWAP: return data;
	case AT_CMPSWAP: return old == compare ? data : old;
	case AT_ADD: return old + data;
	case AT_SUB: return old - data;
	case AT_RSUB: return data - old;
	case AT_SMIN: return signed_data < signed_old ? data : old;
	case AT_UMIN: return data < old ? data : old;
	case AT_SMAX: return signed_data > signed_old ? data : old;
	case AT_UMAX: return data > old ? data : old;
	case AT_AND: return old & data;
	case AT_OR: return old | data;
	case AT_XOR: return old ^ data;
	case AT_INC: return old >= data ? 0 : old + 1;
	case AT_DEC: return old == 0 || old > data ? data : old - 1;
	case AT_FADD: return wide ? bits_of_double(float_old + float_data) :
			bits_of_float((float)float_old + (float)float_data);
	case AT_FMIN: return float_data < float_old || float_old != float_old ? data : old;
	case AT_FMAX: return float_data > float_old || float_old != float_old ? data : old;
	case AT_PK_ADD_F16: return add_halves((uint32_t)old, (uint32_t)data);
	case AT_PK_ADD_BF16: return add_bf16s((uint32_t)old, (uint32_t)data);
	case AT_MSKOR: return (old & ~data) | compare;
	case AT_FCMPSWAP: {
		double c = wide ? double_of_bits(compare) : (double)float_of_bits((uint32_t)compare);
		return float_old == c ? data : old;
	}
	default: return old;
	}
}

static uint64_t element(const uint32_t *p, int lane, bool wide)
{
	return p ? p[lane] | (wide ? (uint64_t)p[LANES + lane] << 32 : 0) : 0;
}

void atomic_lanes(struct wave *w, const struct insn *in, const uint64_t *address, uint64_t lanes, unsigned op,
		const uint32_t *data,
	const uint32_t *compare, uint32_t *d, bool shared)
{
	bool wide = op & AT_WIDE;
	uint64_t olds[LANES];
	bool changed = false;
	EACH_BIT(i, lanes) {
		uint64_t x = element(data, (int)i, wide), c = element(compare, (int)i, wide), new_value;
		if (address[i] & (wide ? 7 : 3))
			fault(w, in, (int)i, "atomic on unaligned address 0x%llx", (unsigned long long)address[i]);
		if (wide) {
			uint64_t *p = (uint64_t *)(uintptr_t)address[i], old = __atomic_load_n(p, __ATOMIC_RELAXED);
			do
				new_value = atomic_result(op, old, x, c);
			while (shared && !__atomic_compare_exchange_n(p, &old, new_value, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
			if (!shared)
				*p = new_value;
			olds[i] = old;
			changed |= old != new_value;
		} else {
			uint32_t *p = (uint32_t *)(uintptr_t)address[i], old = __atomic_load_n(p, __ATOMIC_RELAXED);
			do
				new_value = (uint32_t)atomic_result(op, old, x, c);
			while (shared && !__atomic_compare_exchange_n(p, &old, (uint32_t)new_value, false, __ATOMIC_SEQ_CST,
					__ATOMIC_RELAXED));
			if (!shared)
				*p = (uint32_t)new_value;
			olds[i] = old;
			changed |= old != (uint32_t)new_value;
		}
	}
	if (changed)
		note_progress(w);
	if (d)
		EACH_BIT(i, lanes) {
			d[i] = (uint32_t)olds[i];
			if (wide)
				d[LANES + i] = (uint32_t)(olds[i] >> 32);
		}
}

/* Scratch. Dwords of one offset lie side by side over the lanes, so a spill moves whole cache lines. */

static void scratch_bounds(struct wave *w, const struct insn *in, int lane, uint64_t offset, unsigned bytes)
{
	if (offset > w->scratch_bytes || bytes > w->scratch_bytes - offset)
		fault(w, in, lane, "scratch access of %u bytes at offset %lld is outside the private segment of %u bytes", bytes,
			(long long)offset, w->scratch_bytes);
}
static uint8_t *scratch_byte(struct wave *w, int lane, uint64_t offset)
{
	return w->scratch + (offset / 4 * LANES + (uint64_t)lane) * 4 + offset % 4;
}

static void scratch_copy_out(struct wave *w, int lane, uint64_t offset, unsigned bytes, void *to)
{
	if (offset % 4 == 0 && bytes % 4 == 0)
		for (unsigned b = 0; b < bytes; b += 4)
			memcpy((uint8_t *)to + b, scratch_byte(w, lane, offset + b), 4);
	else
		for (unsigned b = 0; b < bytes; b++)
			((uint8_t *)to)[b] = *scratch_byte(w, lane, offset + b);
}
static void scratch_copy_in(struct wave *w, int lane, uint64_t offset, unsigned bytes, const void *from)
{
	if (offset % 4 == 0 && bytes % 4 == 0)
		for (unsigned b = 0; b < bytes; b += 4)
			memcpy(scratch_byte(w, lane, offset + b), (const uint8_t *)from + b, 4);
	else
		for (unsigned b = 0; b < bytes; b++)
			*scratch_byte(w, lane, offset + b) = ((const uint8_t *)from)[b];
}

static bool uniform(const uint64_t *offset)
{
	uint64_t apart = 0;
	for (int i = 1; i < LANES; i++)
		apart |= offset[i] ^ offset[0];
	return !apart;
}

void scratch_read(struct wave *w, const struct insn *in, const uint64_t *offset, uint64_t lanes, enum access a,
		uint32_t *d)
{
	unsigned bytes = access_bytes(a);
	if (lanes == ~0ull && bytes >= 4 && offset[0] % 4 == 0 && uniform(offset)) {
		scratch_bounds(w, in, 0, offset[0], bytes);
		memcpy(d, scratch_byte(w, 0, offset[0]), bytes * (size_t)LANES);
		return;
	}
	EACH_BIT(i, lanes) {
		uint32_t part[4];
		scratch_bounds(w, in, (int)i, offset[i], bytes);
		scratch_copy_out(w, (int)i, offset[i], bytes, part);
		if (bytes < 4) {
			uint64_t here[LANES];
			here[i] = (uint64_t)(uintptr_t)part;
			load_narrow(here, 1ull << i, a, d);
		} else
			for (unsigned k = 0; k < bytes / 4; k++)
				d[k * LANES + i] = part[k];
	}
}

void scratch_write(struct wave *w, const struct insn *in, const uint64_t *offset, uint64_t lanes, enum access a,
		const uint32_t *data)
{
	unsigned bytes = access_bytes(a);
	if (lanes == ~0ull && bytes >= 4 && offset[0] % 4 == 0 && uniform(offset)) {
		scratch_bounds(w, in, 0, offset[0], bytes);
		memcpy(scratch_byte(w, 0, offset[0]), data, bytes * (size_t)LANES);
		return;
	}
	EACH_BIT(i, lanes) {
		uint32_t part[4] = { narrow_store(a, data[i]) };
		for (unsigned k = 1; k < bytes / 4; k++)
			part[k] = data[k * LANES + i];
		scratch_bounds(w, in, (int)i, offset[i], bytes);
		scratch_copy_in(w, (int)i, offset[i], bytes, part);
	}
}

void scratch_atomic(struct wave *w, const struct insn *in, const uint64_t *offset, uint64_t lanes, unsigned op,
		const uint32_t *data,
	const uint32_t *compare, uint32_t *d)
{
	bool wide = op & AT_WIDE;
	EACH_BIT(i, lanes) {
		uint64_t old = 0, x;
		scratch_bounds(w, in, (int)i, offset[i], wide ? 8 : 4);
		scratch_copy_out(w, (int)i, offset[i], wide ? 8 : 4, &old);
		x = atomic_result(op, old, element(data, (int)i, wide), element(compare, (int)i, wide));
		scratch_copy_in(w, (int)i, offset[i], wide ? 8 : 4, &x);
		if (d) {
			d[i] = (uint32_t)old;
			if (wide)
				d[LANES + i] = (uint32_t)(old >> 32);
		}
	}
}
