/* Waiting for a 64-bit word to change or to reach a value: spin while that is cheap, give way to other threads, then
 * sleep in the kernel. One thread or several may wait on a word; whoever changes it does so with greta_cpu_park_set. */
#ifndef GRETA_CPU_PARK_H
#define GRETA_CPU_PARK_H

#include <stdatomic.h>
#include <stdint.h>

struct greta_cpu_park {
	_Atomic uint32_t asleep; /* 1: somebody sleeps or is about to */
	_Atomic uint32_t word;   /* what they sleep on; counts the wake-ups */
};

/* How long to wait awake. A pause is tens of nanoseconds, a yield a system call that lets another thread run. */
struct greta_cpu_patience {
	uint32_t pauses;
	uint32_t yields;
};

/* Waits until *value differs from `seen` and returns what it is then; acquires what its writer released. */
uint64_t greta_cpu_park_wait(struct greta_cpu_park *park, const _Atomic uint64_t *value, uint64_t seen,
    const struct greta_cpu_patience *patience);

void greta_cpu_park_wake(struct greta_cpu_park *park);

/* Stores and wakes. Store and load must not pass each other, nor the waiter's mirrored pair (it stores `asleep`, then
 * loads the value): both are sequentially consistent, so at least one side sees the other's store. */
static inline void greta_cpu_park_set(struct greta_cpu_park *park, _Atomic uint64_t *value, uint64_t to)
{
	atomic_store_explicit(value, to, memory_order_seq_cst);
	if (atomic_load_explicit(&park->asleep, memory_order_seq_cst))
		greta_cpu_park_wake(park);
}

/* The same for a word that only grows and waiters that care for a certain value: they sleep through the others. */
struct greta_cpu_goal {
	_Atomic uint64_t wanted; /* complement of the lowest value that somebody sleeps for; 0: nobody sleeps */
	_Atomic uint32_t word;
};

/* Waits until *value >= target and returns what it is then; acquires what its writer released. */
uint64_t greta_cpu_goal_wait(struct greta_cpu_goal *goal, const _Atomic uint64_t *value, uint64_t target,
    const struct greta_cpu_patience *patience);

void greta_cpu_goal_wake(struct greta_cpu_goal *goal);

static inline void greta_cpu_goal_set(struct greta_cpu_goal *goal, _Atomic uint64_t *value, uint64_t to)
{
	atomic_store_explicit(value, to, memory_order_seq_cst);
	if (to >= ~atomic_load_explicit(&goal->wanted, memory_order_seq_cst))
		greta_cpu_goal_wake(goal);
}

/* Tells the processor that this is a waiting loop. */
#if defined(__x86_64__) || defined(__i386__)
static inline void greta_cpu_pause(void)
{
	__builtin_ia32_pause();
}
#elif defined(__aarch64__)
static inline void greta_cpu_pause(void)
{
	__asm__ volatile("isb" ::: "memory");
}
#else
static inline void greta_cpu_pause(void)
{
}
#endif

#endif
