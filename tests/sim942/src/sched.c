/* Runs a dispatch: work-groups over host threads, waves in time slices.
 *
 * Each host thread holds a set of work-groups and gives each a turn. Work-groups start in order of their id; a thread
 * starts another one when one of its own ends, when all of its own wait (they poll memory, or sleep), or when they
 * have run for long without ending. So work-groups that wait for each other all come to run, up to the number the
 * device could hold. */
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif
#include "code.h"
#include "memory.h"

enum { SLICE = 4096, ROUNDS_A_TURN = 4, TURNS_BEFORE_MORE = 8 };
enum turn { TURN_ENDED, TURN_RAN, TURN_WAITED };

static unsigned thread_count;
static unsigned patience_seconds = 60;

void sim942_set_threads(unsigned count) { thread_count = count; }
void sim942_set_patience(unsigned seconds) { patience_seconds = seconds ? seconds : 1; }

static double seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Faults. */

void fault(struct wave *w, const struct insn *in, int lane, const char *format, ...)
{
	struct worker *t = w->worker;
	const struct launch *l = t->launch;
	char what[512], where[48] = "";
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	if (lane >= 0)
		snprintf(where, sizeof where, " lane %d", lane);
	snprintf(t->message, t->message_size, "kernel %s, pc 0x%x `%s`, work-group (%u,%u,%u) wave %u%s: %s", l->kernel->name,
			in->pc,
		l->code->texts + in->text, w->group->id[0], w->group->id[1], w->group->id[2], w->index, where, what);
	longjmp(t->fault, 1);
}

int insn_unsupported(struct wave *w, const struct insn *in) { fault(w, in, -1, "this instruction is not modelled"); }

/* Rounding and denormals. The fast loop needs the host's defaults: to nearest even, denormals kept. */

void wave_set_mode(struct wave *w, uint32_t mode)
{
	w->mode = mode;
	w->strict_mode = (uint8_t)((w->strict_mode & ~STRICT_ROUNDING) | ((mode & 0xff) != 0xf0 ? STRICT_ROUNDING : 0));
}

#if defined(__SSE__)
static unsigned float_control(uint32_t mode, unsigned rounding_class)
{
	static const unsigned directions[4] = { 0x0000, 0x4000, 0x2000, 0x6000 };   /* nearest, up, down, zero */
	unsigned shift = rounding_class == RC_F32 ? 0 : 2, round = mode >> shift & 3, denormals = mode >> (4 + shift) & 3;
	unsigned control = 0x1f80 | directions[round];
	if (rounding_class == RC_F32) {   /* f64 and f16 denormals are never flushed */
		control |= denormals & 1 ? 0 : 0x40;      /* sources read as 0 */
		control |= denormals & 2 ? 0 : 0x8000;    /* results flushed to 0 */
	}
	return control;
}
static int execute_rounded(struct wave *w, const struct insn *in)
{
	unsigned saved = _mm_getcsr();
	_mm_setcsr(float_control(w->mode, in->rounding));
	int r = in->fn(w, in);
	_mm_setcsr(saved);
	return r;
}
#else
#include <fenv.h>
static int execute_rounded(struct wave *w, const struct insn *in)
{
	static const int directions[4] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
	fesetround(directions[w->mode >> (in->rounding == RC_F32 ? 0 : 2) & 3]);
	int r = in->fn(w, in);
	fesetround(FE_TONEAREST);
	return r;
}
#endif

/* s_set_gpr_idx_on: M0[7:0] is added to the registers that M0[15:12] names. */
static void move_register(struct wave *w, const struct insn *in, struct operand *o)
{
	if (o->base != K_VGPR)
		return;
	uint32_t to = o->reg / LANES + (w->s[SGPR_M0] & 0xff);
	if (to + o->regs > w->worker->launch->registers)
		fault(w, in, -1, "relative register index v%u is out of range", to);
	o->reg = (uint16_t)(to * LANES);
}

static int execute_strictly(struct wave *w, const struct insn *in)
{
	struct insn moved;
	if (w->strict_mode & STRICT_INDEXED && in->cls == C_VALU && in->def) {
		uint32_t which = w->s[SGPR_M0] >> 12 & 15;
		moved = *in;
		for (int n = 0; n < 3; n++)
			if (which >> n & 1)
				move_register(w, in, &moved.src[n]);
		if (which & 8)
			move_register(w, in, &moved.dst);
		in = &moved;
	}
	return w->strict_mode & STRICT_ROUNDING && in->rounding ? execute_rounded(w, in) : in->fn(w, in);
}

/* Runs a wave for one slice. */
static int run_wave(struct worker *t, struct wave *w)
{
	unsigned left = SLICE;
	int r = LOOP_CHANGES;
	uint64_t *count = t->count;
	w->polls = w->waited ? POLLS_A_SLICE - POLLS_WHILE_WAITING : 0;
	while (r == LOOP_CHANGES && left) {
		r = GO_ON;
		if (w->strict_mode)
			while (left && r == GO_ON) {
				const struct insn *in = w->pc;
				left--;
				w->pc = in + 1;
				count[in->cls]++;
				r = execute_strictly(w, in);
			}
		else
			while (left && r == GO_ON) {
				const struct insn *in = w->pc;
				left--;
				w->pc = in + 1;
				count[in->cls]++;
				r = in->fn(w, in);
			}
	}
	w->waited = r == WAVE_YIELDS;
	return r == LOOP_CHANGES ? GO_ON : r;
}

static void release_barrier(struct worker *t, struct group *g)
{
	if (!g->waves_waiting || g->waves_waiting + g->waves_done < g->waves_total)
		return;
	for (uint32_t i = 0; i < g->waves_total; i++)
		if (g->waves[i].state == WAVE_WAITING)
			g->waves[i].state = WAVE_READY;
	g->waves_waiting = 0;
	atomic_fetch_add_explicit(&t->progress, 1, memory_order_relaxed);
}

static enum turn run_group(struct worker *t, struct group *g)
{
	for (int round = 0; round < ROUNDS_A_TURN; round++) {
		bool ran = false;
		for (uint32_t i = 0; i < g->waves_total; i++) {
			struct wave *w = &g->waves[i];
			if (w->state != WAVE_READY)
				continue;
			t->current = w;
			switch (run_wave(t, w)) {
			case WAVE_ENDED:
				w->state = WAVE_DONE;
				g->waves_done++;
				ran = true;
				atomic_fetch_add_explicit(&t->progress, 1, memory_order_relaxed);
				break;
			case WAVE_AT_BARRIER:
				w->state = WAVE_WAITING;
				g->waves_waiting++;
				ran = true;
				break;
			case WAVE_YIELDS:
				break;
			default:
				ran = true;
			}
			release_barrier(t, g);
		}
		if (g->waves_done == g->waves_total)
			return TURN_ENDED;
		if (!ran)
			return TURN_WAITED;
	}
	return TURN_RAN;
}

/* Starts up to `wanted` more work-groups; the number started, or -1 without memory. */
static int start_groups(struct worker *t, unsigned wanted)
{
	struct launch *l = t->launch;
	int started = 0;
	while (wanted--) {
		if (atomic_fetch_add(&l->resident, 1) >= l->residency) {
			atomic_fetch_sub(&l->resident, 1);
			break;
		}
		uint64_t id = atomic_fetch_add(&l->next_group, 1);
		if (id >= l->groups_total) {
			atomic_fetch_sub(&l->resident, 1);
			break;
		}
		struct group *g = group_create(l, t, id), **end = &t->active;
		if (!g)
			return -1;
		while (*end)
			end = &(*end)->next;
		*end = g;
		started++;
	}
	return started;
}

static uint64_t total_progress(struct launch *l)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < l->worker_count; i++)
		sum += atomic_load_explicit(&l->workers[i].progress, memory_order_relaxed);
	return sum;
}

/* Time without progress, judged once a turn of all work-groups. */
struct watch { uint64_t progress; double since, idle_since; bool idle; };

/* A wave to name in a report: one that has not ended. */
static struct wave *some_wave(struct worker *t)
{
	for (struct group *g = t->active; g; g = g->next)
		for (uint32_t i = 0; i < g->waves_total; i++)
			if (g->waves[i].state == WAVE_READY)
				return &g->waves[i];
	return t->current;
}

static void check_progress(struct worker *t, struct watch *watch, bool all_waited)
{
	struct launch *l = t->launch;
	uint64_t progress = total_progress(l);
	double now = seconds_now();
	if (all_waited != watch->idle) {
		atomic_fetch_add(&l->idle_workers, all_waited ? 1u : -1u);
		watch->idle = all_waited;
		watch->idle_since = now;
	}
	if (progress != watch->progress || watch->since == 0) {
		watch->progress = progress;
		watch->since = watch->idle_since = now;
		return;
	}
	unsigned running = 0;
	for (unsigned i = 0; i < l->worker_count; i++)
		running += atomic_load_explicit(&l->workers[i].busy, memory_order_relaxed);
	bool everyone_waits = all_waited && atomic_load(&l->idle_workers) >= running &&
			now - watch->idle_since >= patience_seconds / 20.0;
	if (!everyone_waits && now - watch->since < patience_seconds)
		return;
	struct wave *w = some_wave(t);
	uint64_t begun = atomic_load(&l->next_group) < l->groups_total ? atomic_load(&l->next_group) : l->groups_total;
	fault(w, w->pc, -1, "no progress for %.0f s: %llu work-groups are running%s, %llu of %llu have not started%s",
			now - watch->since,
		(unsigned long long)atomic_load(&l->resident), everyone_waits ? ", all of them polling or asleep" : "",
		(unsigned long long)(l->groups_total - begun), (unsigned long long)l->groups_total,
		begun < l->groups_total && atomic_load(&l->resident) >= l->residency ?
				" because the device would hold no more at once" : "");
}

/* Every other turn goes through the work-groups backwards: chains of waiting ones resolve in either order. */
static void reverse(struct group **list)
{
	struct group *done = NULL;
	while (*list) {
		struct group *g = *list;
		*list = g->next;
		g->next = done;
		done = g;
	}
	*list = done;
}

static _Noreturn void out_of_memory(struct worker *t)
{
	snprintf(t->message, t->message_size, "out of memory for another work-group of kernel %s", t->launch->kernel->name);
	longjmp(t->fault, 1);
}

static void work(struct worker *t)
{
	struct launch *l = t->launch;
	struct watch watch = {0};
	unsigned turns = 0;
	while (!atomic_load_explicit(&l->failed, memory_order_relaxed)) {
		if (!t->active) {
			int started = start_groups(t, 1);
			if (started < 0)
				out_of_memory(t);
			if (!started && atomic_load(&l->next_group) >= l->groups_total)
				break;
			if (!started) {
				sched_yield();   /* the device is full: wait for another thread's work-group to end */
				continue;
			}
		}
		atomic_store_explicit(&t->busy, true, memory_order_relaxed);
		bool all_waited = true;
		unsigned held = 0, ended = 0;
		for (struct group **p = &t->active; *p;) {
			struct group *g = *p;
			enum turn turn = run_group(t, g);
			if (turn == TURN_ENDED) {
				*p = g->next;
				g->next = t->spare;
				t->spare = g;
				atomic_fetch_sub(&l->resident, 1);
				atomic_fetch_add(&l->finished, 1);
				ended++;
				all_waited = false;
			} else {
				all_waited &= turn == TURN_WAITED;
				held++;
				p = &g->next;
			}
			if (atomic_load_explicit(&l->failed, memory_order_relaxed))
				return;
		}
		reverse(&t->active);
		atomic_store_explicit(&t->busy, t->active != NULL, memory_order_relaxed);
		unsigned more = ended;
		if (!ended && (all_waited || ++turns >= TURNS_BEFORE_MORE)) {
			more = held;
			turns = 0;
		}
		int started = more ? start_groups(t, more) : 0;
		if (started < 0)
			out_of_memory(t);
		if (t->active)
			check_progress(t, &watch, all_waited && started == 0);
		if (all_waited && started == 0)
			sched_yield();
	}
	if (watch.idle)
		atomic_fetch_sub(&l->idle_workers, 1);
}

static void free_groups(struct group *g)
{
	while (g) {
		struct group *next = g->next;
		group_destroy(g);
		g = next;
	}
}

static void run_worker(struct launch *l, unsigned index)
{
	struct worker *t = &l->workers[index];
#if defined(__SSE__)
	unsigned saved = _mm_getcsr();
	_mm_setcsr(0x1f80);
#endif
	if (setjmp(t->fault) == 0)
		work(t);
	else
		atomic_store(&l->failed, 1);
#if defined(__SSE__)
	_mm_setcsr(saved);
#endif
}

/* Threads beyond the caller's own are kept from launch to launch. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	struct launch *launch;
	unsigned threads, next, wanted, running;
} pool = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0, 0, 0, 0 };

static void *pool_thread(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&pool.lock);
	for (;;) {
		while (!pool.launch || pool.next >= pool.wanted)
			pthread_cond_wait(&pool.work, &pool.lock);
		unsigned index = pool.next++;
		struct launch *l = pool.launch;
		pthread_mutex_unlock(&pool.lock);
		run_worker(l, index);
		pthread_mutex_lock(&pool.lock);
		if (--pool.running == 0)
			pthread_cond_signal(&pool.done);
	}
	return NULL;
}

static void run_workers(struct launch *l)
{
	pthread_mutex_lock(&pool.lock);
	while (pool.threads + 1 < l->worker_count) {
		pthread_t thread;
		pthread_attr_t attr;
		pthread_attr_init(&attr);
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		int failed = pthread_create(&thread, &attr, pool_thread, NULL);
		pthread_attr_destroy(&attr);
		if (failed)
			break;
		pool.threads++;
	}
	pool.launch = l;
	pool.next = 1;
	pool.wanted = l->worker_count;
	pool.running = l->worker_count - 1;
	if (pool.running)
		pthread_cond_broadcast(&pool.work);
	pthread_mutex_unlock(&pool.lock);
	run_worker(l, 0);
	pthread_mutex_lock(&pool.lock);
	pool.running -= pool.wanted - pool.next;   /* what no thread has taken up is not needed any more */
	pool.next = pool.wanted;
	while (pool.running)
		pthread_cond_wait(&pool.done, &pool.lock);
	pool.launch = NULL;
	pthread_mutex_unlock(&pool.lock);
}

static void add_stats(struct sim942_stats *to, const struct worker *t)
{
	const struct sim942_stats *s = &t->stats;
	for (int i = 0; i < C_COUNT; i++)
		to->instructions += t->count[i];
	to->valu += t->count[C_VALU];
	to->salu += t->count[C_SALU];
	to->vmem += t->count[C_VMEM];
	to->smem += t->count[C_SMEM];
	to->lds += t->count[C_LDS];
	to->mfma += t->count[C_MFMA];
	to->branches += t->count[C_BRANCH];
	to->barriers += t->count[C_BARRIER];
	to->bytes_read += s->bytes_read;
	to->bytes_read_x4 += s->bytes_read_x4;
	to->bytes_written += s->bytes_written;
	to->waves += s->waves;
	to->workgroups += s->workgroups;
	if (s->vmem_width_bytes_max > to->vmem_width_bytes_max)
		to->vmem_width_bytes_max = s->vmem_width_bytes_max;
}

int schedule(struct launch *l, struct sim942_stats *stats, char *err, size_t errlen)
{
	enum { MESSAGE = 1024 };
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t threads = thread_count ? thread_count : online > 0 ? (uint64_t)online : 1;
	threads = threads < l->groups_total ? threads : l->groups_total;
	if (l->groups_total * l->waves_per_group < 16)   /* not worth waking anyone */
		threads = 1;
	l->worker_count = (unsigned)threads;
	l->workers = calloc(threads, sizeof *l->workers);
	char *messages = calloc(threads, MESSAGE);
	if (!l->workers || !messages) {
		free(l->workers);
		free(messages);
		snprintf(err, errlen, "out of memory");
		return -1;
	}
	for (unsigned i = 0; i < l->worker_count; i++) {
		l->workers[i].launch = l;
		l->workers[i].index = i;
		l->workers[i].message = messages + (size_t)i * MESSAGE;
		l->workers[i].message_size = MESSAGE;
	}
	run_workers(l);
	int result = 0;
	for (unsigned i = 0; i < l->worker_count; i++) {
		struct worker *t = &l->workers[i];
		if (stats)
			add_stats(stats, t);
		if (*t->message && !result) {
			snprintf(err, errlen, "%s", t->message);
			result = -1;
		}
		free_groups(t->active);
		free_groups(t->spare);
	}
	free(messages);
	free(l->workers);
	return result;
}

int sim942_run(const struct sim942_dispatch *dispatch, struct sim942_stats *stats, char *err, size_t errlen)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	struct launch *l = aligned_alloc(64, (sizeof *l + 63) & ~(size_t)63);
	if (!l) {
		snprintf(err, errlen, "out of memory");
		return -1;
	}
	memset(l, 0, sizeof *l);
	pthread_mutex_lock(&one_at_a_time);
	int result = launch_prepare(l, dispatch, err, errlen) || schedule(l, stats, err, errlen) ? -1 : 0;
	pthread_mutex_unlock(&one_at_a_time);
	free(l);
	return result;
}
