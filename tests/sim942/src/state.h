/* The state of a running dispatch: waves, work-groups, host workers, and how a handler reports a fault. */
#ifndef SIM942_STATE_H
#define SIM942_STATE_H
#include <setjmp.h>
#include <stdatomic.h>
#include "insn.h"
#include "sim942.h"

/* High words of the flat addresses that reach LDS and scratch, as the Linux driver sets them up. */
#define SHARED_APERTURE 0x00010000u
#define PRIVATE_APERTURE 0x00020000u

/* HW_REG_MODE */
enum { MODE_ROUND_SHIFT = 0, MODE_DENORM_SHIFT = 4, MODE_DX10_CLAMP = 1 << 8, MODE_IEEE = 1 << 9 };

struct wave {
	union {
		uint32_t s[128];
		uint64_t s64[64];
	};
	uint32_t *v, *a;             /* [register][lane]; AGPRs lie behind the VGPRs in the same file */
	const struct insn *pc;
	struct group *group;
	struct worker *worker;
	uint32_t scc, mode;
	uint32_t lanes;              /* 64, or 32: then nothing is ever live in the upper half of a register */
	uint32_t polls;              /* coherent loads and sleeps in this time slice */
	uint8_t state;               /* enum wave_state */
	uint8_t waited;              /* the last time slice ended in polling or sleep */
	uint8_t index;               /* in its work-group */
	uint8_t strict_mode;         /* STRICT_*: what keeps this wave off the fast run loop */
	uint32_t scratch_bytes;      /* per lane */
	uint8_t *scratch;            /* dword d of lane l at (d * 64 + l) * 4 */
	uint64_t all;                /* EXEC with every lane on */
	uint64_t exec_key;           /* EXEC that exec_words was expanded from */
	uint32_t exec_words[LANES] __attribute__((aligned(64)));
};
enum {
	STRICT_ROUNDING = 1, /* rounding or denormals differ from the host's defaults */
	STRICT_INDEXED = 2,  /* s_set_gpr_idx_on */
};
enum wave_state { WAVE_READY, WAVE_WAITING, WAVE_DONE };

static inline uint64_t *exec_of(struct wave *w) { return &w->s64[SGPR_EXEC / 2]; }
static inline uint64_t *vcc_of(struct wave *w) { return &w->s64[SGPR_VCC / 2]; }   /* of 32 lanes: the lower half */
static inline bool vcc_is_zero(struct wave *w) { return (*vcc_of(w) & w->all) == 0; }

struct group {
	struct group *next;
	uint32_t id[3];
	uint32_t linear_id;
	uint32_t waves_total, waves_done, waves_waiting;
	struct wave *waves;
	uint8_t *lds;
	uint32_t lds_bytes;
	void *memory;                /* one allocation behind waves, registers, LDS and scratch */
	size_t memory_size;
};

/* One memory range a program may touch. */
struct range { uintptr_t begin, end; };

struct worker {
	struct launch *launch;
	struct sim942_stats stats;
	uint64_t count[C_COUNT];
	_Atomic uint64_t progress;   /* stores, barriers, ended waves */
	_Atomic bool busy;           /* it has work-groups of its own */
	struct range recent;         /* last tracked range hit */
	uint64_t recent_version;
	struct group *active, *spare;
	struct wave *current;
	const struct insn *current_insn;
	jmp_buf fault;
	char *message;
	size_t message_size;
	unsigned index;
};

/* A dispatch in progress. */
struct launch {
	const struct sim942_code *code;
	const struct sim942_kernel *kernel;
	struct sim942_dispatch dispatch;
	uint8_t packet[64] __attribute__((aligned(64)));   /* the AQL dispatch packet */
	uint8_t queue[256] __attribute__((aligned(64)));
	struct range extra[3];       /* kernarg, packet, queue: reachable besides the tracked ranges */
	const struct insn *entry;
	uint32_t groups[3];
	uint64_t groups_total;
	uint32_t registers, accum_offset;   /* VGPRs and AGPRs of a wave; where AGPRs start */
	uint32_t lanes;                     /* of a wave */
	uint32_t waves_per_group, scratch_bytes, fixed_scratch_bytes, lds_bytes;
	uint32_t rsrc1, rsrc2, properties, preload_count, preload_offset;
	uint64_t residency;          /* work-groups the device holds at once */
	_Atomic uint64_t next_group, resident, finished;
	_Atomic int failed;
	_Atomic unsigned idle_workers;
	struct worker *workers;
	unsigned worker_count;
};

/* Ends the run with a message that names kernel, pc, disassembly, work-group and (lane >= 0) lane. Does not return. */
_Noreturn void fault(struct wave *w, const struct insn *in, int lane, const char *format,
		...) __attribute__((format(printf, 4, 5)));

/* Whether a program may touch [address, address + size): true where nothing is tracked and the address is plausible. */
bool range_allowed(struct worker *t, uintptr_t address, size_t size);
void range_check_fault(struct wave *w, const struct insn *in, int lane, uintptr_t address, size_t size, bool write);

static inline void note_progress(struct wave *w)
{
	atomic_store_explicit(&w->worker->progress, atomic_load_explicit(&w->worker->progress, memory_order_relaxed) + 1,
		memory_order_relaxed);
}

/* launch.c */
int launch_prepare(struct launch *l, const struct sim942_dispatch *dispatch, char *err, size_t errlen);
struct group *group_create(struct launch *l, struct worker *t, uint64_t linear);   /* NULL without memory */
void group_destroy(struct group *g);
/* sched.c */
int schedule(struct launch *l, struct sim942_stats *stats, char *err, size_t errlen);
void wave_set_mode(struct wave *w, uint32_t mode);
/* scalar.c: the host's clock; scalar_rdna.c: hardware registers that RDNA numbers otherwise, or a fault. */
uint64_t nanoseconds_now(void);
uint32_t read_rdna_hwreg(struct wave *w, const struct insn *in, unsigned id);
#endif
