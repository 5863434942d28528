#include "runtime/cpu/park.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static void futex_wake(_Atomic uint32_t *word)
{
	/* The word changes first, so that a waiter on its way to sleep stays up. */
	atomic_fetch_add_explicit(word, 1, memory_order_seq_cst);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void futex_wait(_Atomic uint32_t *word, uint32_t seen)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

void greta_cpu_park_wake(struct greta_cpu_park *park)
{
	/* whoever clears the flag owes the wake-up */
	if (atomic_exchange_explicit(&park->asleep, 0, memory_order_seq_cst))
		futex_wake(&park->word);
}

uint64_t greta_cpu_park_wait(struct greta_cpu_park *park, const _Atomic uint64_t *value, uint64_t seen,
    const struct greta_cpu_patience *patience)
{
	uint64_t now;
	for (uint64_t i = 0; i < (uint64_t)patience->pauses + patience->yields; i++) {
		now = atomic_load_explicit(value, memory_order_acquire);
		if (now != seen)
			return now;
		if (i < patience->pauses)
			greta_cpu_pause();
		else
			sched_yield();
	}
	for (;;) {
		uint32_t word = atomic_load_explicit(&park->word, memory_order_seq_cst);
		atomic_store_explicit(&park->asleep, 1, memory_order_seq_cst);
		now = atomic_load_explicit(value, memory_order_seq_cst);
		if (now != seen)
			return now;
		futex_wait(&park->word, word);
	}
}

void greta_cpu_goal_wake(struct greta_cpu_goal *goal)
{
	/* Everybody wakes; those whose value is still to come ask again. */
	if (atomic_exchange_explicit(&goal->wanted, 0, memory_order_seq_cst))
		futex_wake(&goal->word);
}

uint64_t greta_cpu_goal_wait(struct greta_cpu_goal *goal, const _Atomic uint64_t *value, uint64_t target,
    const struct greta_cpu_patience *patience)
{
	uint64_t now;
	for (uint64_t i = 0; i < (uint64_t)patience->pauses + patience->yields; i++) {
		now = atomic_load_explicit(value, memory_order_acquire);
		if (now >= target)
			return now;
		if (i < patience->pauses)
			greta_cpu_pause();
		else
			sched_yield();
	}
	for (;;) {
		uint32_t word = atomic_load_explicit(&goal->word, memory_order_seq_cst);
		uint64_t wanted = atomic_load_explicit(&goal->wanted, memory_order_seq_cst);
		while (wanted < ~target &&
		    !atomic_compare_exchange_weak_explicit(&goal->wanted, &wanted, ~target, memory_order_seq_cst,
			memory_order_seq_cst))
			continue;
		now = atomic_load_explicit(value, memory_order_seq_cst);
		if (now >= target)
			return now;
		futex_wait(&goal->word, word);
	}
}
