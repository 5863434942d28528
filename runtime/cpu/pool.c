#include "runtime/cpu/pool.h"
#include "runtime/cpu/park.h"
#include "runtime/cpu/thread.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How it works. A parallel launch that has been opened is a *generation*. The epoch word holds the generation and its
 * number of blocks (0: nothing to do). Every worker has a claim word: the generation in which its range was last
 * touched and how many blocks of it were left. A word of another generation stands for a full range, so opening a
 * launch is one store. A block is claimed by a compare-and-swap on a claim word, which succeeds only while the
 * generation is open: it closes when all its blocks have been claimed and finished, and by then every word whose
 * range is not empty has changed. So whoever comes late, with an epoch long gone, finds nothing to take. Only a
 * worker that holds a block reads `node`, and the launch cannot close before that worker has said so in `done`.
 *
 * Generations are numbers of 32 bits that wrap. A word that no launch has touched for 65,536 generations is brought
 * up to date, so an old one is never taken for one of now; and a worker that the system puts aside between looking at
 * a word and swapping it would have to stay there for exactly 2^32 launches to do harm.
 *
 * Orders. Kernels' data and `node` go from the worker that opens a launch to those that run it by the epoch (release,
 * acquire), and from them to the one that closes it by the read-modify-writes of `done` (acquire and release). Claims
 * carry no data, but claim_block needs that whoever sees a word of a later generation also sees a later epoch:
 * release and acquire. */

struct worker {
	_Alignas(64) _Atomic uint64_t claim;
	_Alignas(64) struct greta_cpu_pool *pool; /* constant from here on */
	void *shared;
	uint32_t index;
	bool started;
	pthread_t thread;
};

struct greta_cpu_pool {
	_Alignas(64) _Atomic uint64_t epoch;
	struct greta_cpu_park park;
	const struct greta_cpu_node *node; /* the open launch */
	const struct greta_cpu_node *end;  /* of the array it is in */
	_Alignas(64) _Atomic uint32_t done; /* blocks of the open launch that have finished */
	_Alignas(64) _Atomic bool stop;
	struct greta_cpu_patience patience;
	uint32_t count;
	struct worker workers[];
};

/* A range: `share` blocks for each worker, one more for the first `extra`. */
struct deal {
	uint32_t share, extra;
};

static uint32_t range_length(struct deal deal, uint32_t worker)
{
	return deal.share + (worker < deal.extra);
}

static uint32_t range_end(struct deal deal, uint32_t worker)
{
	uint32_t next = worker + 1;
	return next * deal.share + (next < deal.extra ? next : deal.extra);
}

static uint64_t word_of(uint32_t generation, uint32_t number)
{
	return (uint64_t)generation << 32 | number;
}

/* Takes the next block of the victim's range; false when there is none, or the launch of this epoch is over. */
static bool claim_block(struct worker *victim, uint64_t epoch, struct deal deal, uint32_t *out_index)
{
	uint32_t generation = (uint32_t)(epoch >> 32);
	uint64_t word = atomic_load_explicit(&victim->claim, memory_order_acquire);
	for (;;) {
		uint32_t left = (uint32_t)word;
		if ((uint32_t)(word >> 32) != generation) {
			/* An earlier generation: a full range. A later one: the epoch has moved on, and shows it. */
			if (atomic_load_explicit(&victim->pool->epoch, memory_order_relaxed) != epoch)
				return false;
			left = range_length(deal, victim->index);
		}
		if (!left)
			return false;
		if (atomic_compare_exchange_weak_explicit(&victim->claim, &word, word_of(generation, left - 1),
			memory_order_acq_rel, memory_order_acquire)) {
			*out_index = range_end(deal, victim->index) - left;
			return true;
		}
	}
}

static void set_position(struct greta_cpu_block *block, uint32_t index)
{
	if (index < block->grid_x) {
		block->x = index;
		block->y = block->z = 0;
		return;
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): no grid has a 0 */
	uint32_t row = index / block->grid_x;
	block->x = index % block->grid_x;
	block->y = row % block->grid_y;
	block->z = row / block->grid_y;
}

static struct greta_cpu_block first_block(const struct worker *self, const struct greta_cpu_node *node)
{
	return (struct greta_cpu_block){
		.grid_x = node->grid_x, .grid_y = node->grid_y, .grid_z = node->grid_z,
		.worker = self->index, .fresh = 1, .shared = self->shared,
	};
}

static void run_alone(const struct worker *self, const struct greta_cpu_node *node)
{
	struct greta_cpu_block block = first_block(self, node);
	for (uint32_t i = 0; i < node->blocks; i++) {
		set_position(&block, i);
		node->kernel(&block, node->args);
		block.fresh = 0;
	}
}

/* Opens the first launch from `node` on that is worth sharing, having run those of one block before it; with none left,
 * says that the array is finished. Only the closer of generation - 1 is here, or worker 0 at the start of an array. */
static void open_next(struct worker *self, const struct greta_cpu_node *node, uint32_t generation)
{
	struct greta_cpu_pool *pool = self->pool;
	const struct greta_cpu_node *end = pool->end;
	for (; node != end && node->blocks == 1; node++)
		run_alone(self, node);
	/* Words whose range has stayed empty for long; nothing is open, so nobody changes them now. */
	if (!(generation & 0xffff)) {
		for (uint32_t i = 0; i < pool->count; i++)
			atomic_store_explicit(&pool->workers[i].claim, word_of(generation - 1, 0),
			    memory_order_relaxed);
	}
	pool->node = node;
	atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
	greta_cpu_park_set(&pool->park, &pool->epoch, word_of(generation, node == end ? 0 : node->blocks));
}

/* Does what there is to do of an open launch; the worker that finishes its last block opens the next. */
static void work(struct worker *self, uint64_t epoch)
{
	struct greta_cpu_pool *pool = self->pool;
	uint32_t generation = (uint32_t)(epoch >> 32), blocks = (uint32_t)epoch;
	/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): no pool is without worker 0 */
	struct deal deal = { blocks / pool->count, blocks % pool->count };
	const struct greta_cpu_node *node = NULL;
	struct greta_cpu_block block;
	uint32_t finished = 0, index;

	for (uint32_t step = 0, from = self->index; step < pool->count; step++) {
		while (claim_block(&pool->workers[from], epoch, deal, &index)) {
			if (!node) {
				node = pool->node;
				block = first_block(self, node);
			}
			set_position(&block, index);
			node->kernel(&block, node->args);
			block.fresh = 0;
			finished++;
		}
		from = from + 1 == pool->count ? 0 : from + 1;
	}
	if (finished && atomic_fetch_add_explicit(&pool->done, finished, memory_order_acq_rel) + finished == blocks)
		open_next(self, node + 1, generation + 1);
}

static void *worker_main(void *argument)
{
	struct worker *self = argument;
	struct greta_cpu_pool *pool = self->pool;
	char name[16];
	snprintf(name, sizeof(name), "greta-cpu-%u", self->index % 10000);
	greta_cpu_thread_ready(name);
	uint64_t epoch = 0;
	for (;;) {
		epoch = greta_cpu_park_wait(&pool->park, &pool->epoch, epoch, &pool->patience);
		if ((uint32_t)epoch)
			work(self, epoch);
		else if (atomic_load_explicit(&pool->stop, memory_order_relaxed)) /* stored before the epoch */
			return NULL;
	}
}

void greta_cpu_pool_run(struct greta_cpu_pool *pool, const struct greta_cpu_node *nodes, size_t count)
{
	struct worker *self = &pool->workers[0];
	if (pool->count == 1) {
		for (size_t i = 0; i < count; i++)
			run_alone(self, &nodes[i]);
		return;
	}
	for (; count && nodes->blocks == 1; nodes++, count--)
		run_alone(self, nodes);
	if (!count)
		return;
	/* Nothing is open, so nobody but this thread changes the epoch or reads `end`. */
	uint64_t epoch = atomic_load_explicit(&pool->epoch, memory_order_relaxed);
	pool->end = nodes + count;
	open_next(self, nodes, (uint32_t)(epoch >> 32) + 1);
	epoch = atomic_load_explicit(&pool->epoch, memory_order_acquire);
	while ((uint32_t)epoch) {
		work(self, epoch);
		epoch = greta_cpu_park_wait(&pool->park, &pool->epoch, epoch, &pool->patience);
	}
}

/* With processors to spare a waiting worker may spin for long; without, another thread needs the processor more. */
static struct greta_cpu_patience patience_for(unsigned workers, unsigned processors)
{
	if (workers > processors)
		return (struct greta_cpu_patience){ 50, 20 };
	return (struct greta_cpu_patience){ workers < processors ? 4000 : 1000, 100 };
}

enum greta_status greta_cpu_pool_create(unsigned workers, unsigned processors, size_t shared_bytes,
    struct greta_cpu_pool **out_pool, struct greta_error *error)
{
	if (workers < 1 || workers > GRETA_CPU_POOL_WORKERS_MAX)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "%u cpu workers asked for, 1 to %u are possible",
		    workers, GRETA_CPU_POOL_WORKERS_MAX);
	struct greta_cpu_pool *pool;
	size_t size = sizeof(*pool) + workers * sizeof(pool->workers[0]);
	if (posix_memalign((void **)&pool, 64, size))
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %u cpu workers", workers);
	memset(pool, 0, size);
	pool->count = workers;
	pool->patience = patience_for(workers, processors);
	for (unsigned i = 0; i < workers; i++) {
		struct worker *worker = &pool->workers[i];
		worker->pool = pool;
		worker->index = i;
		if (posix_memalign(&worker->shared, 64, shared_bytes)) {
			worker->shared = NULL;
			greta_cpu_pool_destroy(pool);
			return greta_fail(error, GRETA_ERROR_MEMORY,
			    "no memory for a worker's shared memory (%zu bytes)", shared_bytes);
		}
	}
	for (unsigned i = 1; i < workers; i++) {
		int code = greta_cpu_thread_start(&pool->workers[i].thread, worker_main, &pool->workers[i]);
		if (code) {
			greta_cpu_pool_destroy(pool);
			return greta_fail(error, GRETA_ERROR_DEVICE, "cannot start cpu worker %u of %u: %s", i, workers,
			    strerror(code));
		}
		pool->workers[i].started = true;
	}
	*out_pool = pool;
	return GRETA_OK;
}

void greta_cpu_pool_destroy(struct greta_cpu_pool *pool)
{
	if (!pool)
		return;
	atomic_store_explicit(&pool->stop, true, memory_order_relaxed);
	uint64_t epoch = atomic_load_explicit(&pool->epoch, memory_order_relaxed);
	greta_cpu_park_set(&pool->park, &pool->epoch, word_of((uint32_t)(epoch >> 32) + 1, 0));
	for (uint32_t i = 0; i < pool->count; i++) {
		if (pool->workers[i].started)
			pthread_join(pool->workers[i].thread, NULL);
		free(pool->workers[i].shared);
	}
	free(pool);
}
