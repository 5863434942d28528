/* Moving data between registers and memory, one element a lane. Flat, buffer and LDS instructions work out host
 * addresses and the lanes that take part; these functions do the rest. */
#ifndef SIM942_MEMORY_H
#define SIM942_MEMORY_H
#include "lanes.h"

/* What one lane moves. D16 loads fill one half of the register and keep the other. */
enum access {
	A_U8, A_S8, A_U16, A_S16, A_32, A_64, A_96, A_128,
	A_U8_D16, A_U8_D16_HI, A_S8_D16, A_S8_D16_HI, A_16_D16, A_16_D16_HI,
	A_ST8, A_ST8_HI, A_ST16, A_ST16_HI
};
unsigned access_bytes(enum access a);

enum atomic_op {
	AT_SWAP, AT_CMPSWAP, AT_ADD, AT_SUB, AT_RSUB, AT_SMIN, AT_UMIN, AT_SMAX, AT_UMAX, AT_AND, AT_OR, AT_XOR, AT_INC,
			AT_DEC,
	AT_FADD, AT_FMIN, AT_FMAX, AT_PK_ADD_F16, AT_PK_ADD_BF16, AT_MSKOR, AT_FCMPSWAP,
	AT_WIDE = 64   /* flag: 64 bits */
};
uint64_t atomic_result(unsigned op, uint64_t old, uint64_t data, uint64_t compare);

#define EACH_BIT(i, mask) for (uint64_t rest_ = (mask), i = 0; rest_ && ((i = (uint64_t)__builtin_ctzll(rest_)), 1); \
		rest_ &= rest_ - 1)

/* Ends the run if a lane's access is outside what the program may touch. */
void check_global(struct wave *w, const struct insn *in, const uint64_t *address, uint64_t lanes, unsigned bytes,
		bool write);
void load_lanes(struct wave *w, const uint64_t *address, uint64_t lanes, enum access a, uint32_t *d);
void store_lanes(struct wave *w, const uint64_t *address, uint64_t lanes, enum access a, const uint32_t *data);
/* data holds one element a lane; compare likewise, or NULL; old values go to d unless it is NULL. `shared` memory is
 * also reached by other host threads. */
void atomic_lanes(struct wave *w, const struct insn *in, const uint64_t *address, uint64_t lanes, unsigned op,
		const uint32_t *data,
	const uint32_t *compare, uint32_t *d, bool shared);

/* Scratch: offset bytes into the lane's private segment. */
void scratch_read(struct wave *w, const struct insn *in, const uint64_t *offset, uint64_t lanes, enum access a,
		uint32_t *d);
void scratch_write(struct wave *w, const struct insn *in, const uint64_t *offset, uint64_t lanes, enum access a,
		const uint32_t *data);
void scratch_atomic(struct wave *w, const struct insn *in, const uint64_t *offset, uint64_t lanes, unsigned op,
		const uint32_t *data,
	const uint32_t *compare, uint32_t *d);

/* Adds to the byte counts of global memory. */
static inline void count_read(struct wave *w, uint64_t lanes, unsigned bytes)
{
	struct sim942_stats *s = &w->worker->stats;
	s->bytes_read += (uint64_t)__builtin_popcountll(lanes) * bytes;
	if (bytes == 16)
		s->bytes_read_x4 += (uint64_t)__builtin_popcountll(lanes) * bytes;
	if (bytes > s->vmem_width_bytes_max)
		s->vmem_width_bytes_max = bytes;
}
static inline void count_write(struct wave *w, uint64_t lanes, unsigned bytes)
{
	struct sim942_stats *s = &w->worker->stats;
	s->bytes_written += (uint64_t)__builtin_popcountll(lanes) * bytes;
	if (bytes > s->vmem_width_bytes_max)
		s->vmem_width_bytes_max = bytes;
}

/* A load that other work-groups' stores must become visible to: many of them in one time slice mean that the wave
 * waits. */
enum { POLLS_A_SLICE = 24, POLLS_WHILE_WAITING = 1 /* where the last slice ended by waiting */ };
static inline int polled(struct wave *w) { return ++w->polls >= POLLS_A_SLICE ? WAVE_YIELDS : GO_ON; }
#endif
