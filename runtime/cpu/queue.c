#include "runtime/cpu/queue.h"
#include "runtime/cpu/park.h"
#include "runtime/cpu/thread.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Items lie in a ring of bytes, each a multiple of 64 long and contiguous; positions count bytes since the start and
 * never wrap, their remainder is the place. */
#define RING_BYTES ((uint64_t)1 << 20)

enum kind {
	LAUNCH, /* the node and its arguments follow the item's head */
	REPLAY,
	CALL,
	SKIP, /* nothing: the item did not fit before the ring's end and starts at its beginning */
	STOP,
};

struct item {
	_Alignas(64) enum kind kind;
	uint32_t bytes;
	union {
		struct greta_cpu_node launch;
		struct {
			const struct greta_cpu_node *nodes;
			size_t count;
		} replay;
		struct {
			void (*function)(void *);
			void *object;
		} call;
	};
};

_Static_assert(sizeof(struct item) == 64, "an item's head is one cache line");

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): each side has cache lines of its own */
struct greta_cpu_queue {
	struct greta_cpu_pool *pool;
	struct greta_cpu_patience executor_patience, waiter_patience;
	unsigned char *ring;
	pthread_t executor;
	/* the producers' side */
	_Alignas(64) pthread_mutex_t lock;
	uint64_t write_position;
	_Alignas(64) _Atomic uint64_t newest; /* ticket; changed under the lock, released with the item's bytes */
	struct greta_cpu_park newest_park;
	/* the executor's side */
	_Alignas(64) _Atomic uint64_t finished; /* ticket; releases what the item wrote */
	struct greta_cpu_goal finished_goal;
	_Atomic uint64_t read_position; /* releases the items before it to the producers */
};

static struct item *item_at(struct greta_cpu_queue *queue, uint64_t position)
{
	return (void *)(queue->ring + position % RING_BYTES);
}

static void execute(struct greta_cpu_queue *queue, const struct item *item)
{
	switch (item->kind) {
	case LAUNCH:
		greta_cpu_pool_run(queue->pool, &item->launch, 1);
		break;
	case REPLAY:
		greta_cpu_pool_run(queue->pool, item->replay.nodes, item->replay.count);
		break;
	case CALL:
		item->call.function(item->call.object);
		break;
	case SKIP:
	case STOP:
		break;
	}
}

static void *executor_main(void *argument)
{
	struct greta_cpu_queue *queue = argument;
	greta_cpu_thread_ready("greta-cpu-0");
	uint64_t finished = 0, position = 0, newest = 0;
	for (bool stop = false; !stop;) {
		newest = greta_cpu_park_wait(&queue->newest_park, &queue->newest, newest, &queue->executor_patience);
		while (finished != newest) {
			const struct item *item = item_at(queue, position);
			if (item->kind == SKIP) {
				position += item->bytes;
				item = item_at(queue, position);
			}
			execute(queue, item);
			stop = item->kind == STOP;
			position += item->bytes;
			atomic_store_explicit(&queue->read_position, position, memory_order_release);
			greta_cpu_goal_set(&queue->finished_goal, &queue->finished, ++finished);
		}
	}
	return NULL;
}

/* Returns with the lock held and room for an item of `bytes` at the write position. */
static struct item *begin_item(struct greta_cpu_queue *queue, size_t bytes)
{
	bytes = (bytes + 63) & ~(size_t)63;
	pthread_mutex_lock(&queue->lock);
	for (;;) {
		uint64_t used = queue->write_position - atomic_load_explicit(&queue->read_position,
		    memory_order_acquire);
		uint64_t to_end = RING_BYTES - queue->write_position % RING_BYTES;
		uint64_t skipped = to_end < bytes ? to_end : 0;
		if (RING_BYTES - used >= skipped + bytes) {
			if (skipped) {
				*item_at(queue, queue->write_position) =
				    (struct item){ .kind = SKIP, .bytes = (uint32_t)skipped };
				queue->write_position += skipped;
			}
			break;
		}
		/* Sleep until about half the items have gone, rather than be woken for every single one. */
		uint64_t newest = atomic_load_explicit(&queue->newest, memory_order_relaxed);
		uint64_t finished = atomic_load_explicit(&queue->finished, memory_order_relaxed);
		pthread_mutex_unlock(&queue->lock);
		greta_cpu_queue_wait(queue, finished + (newest - finished + 1) / 2);
		pthread_mutex_lock(&queue->lock);
	}
	struct item *item = item_at(queue, queue->write_position);
	item->bytes = (uint32_t)bytes;
	return item;
}

static void end_item(struct greta_cpu_queue *queue, const struct item *item, _Atomic uint64_t *ticket,
    _Atomic uint64_t *second_ticket)
{
	queue->write_position += item->bytes;
	uint64_t newest = atomic_load_explicit(&queue->newest, memory_order_relaxed) + 1;
	if (ticket)
		atomic_store_explicit(ticket, newest, memory_order_release);
	if (second_ticket)
		atomic_store_explicit(second_ticket, newest, memory_order_release);
	greta_cpu_park_set(&queue->newest_park, &queue->newest, newest);
	pthread_mutex_unlock(&queue->lock);
}

void greta_cpu_queue_launch(struct greta_cpu_queue *queue, const struct greta_cpu_node *node, size_t args_size,
    _Atomic uint64_t *ticket)
{
	struct item *item = begin_item(queue, sizeof(*item) + args_size);
	item->kind = LAUNCH;
	item->launch = *node;
	item->launch.args = item + 1;
	if (args_size)
		memcpy(item + 1, node->args, args_size);
	end_item(queue, item, ticket, NULL);
}

void greta_cpu_queue_replay(struct greta_cpu_queue *queue, const struct greta_cpu_node *nodes, size_t count,
    _Atomic uint64_t *ticket)
{
	struct item *item = begin_item(queue, sizeof(*item));
	item->kind = REPLAY;
	item->replay.nodes = nodes;
	item->replay.count = count;
	end_item(queue, item, ticket, NULL);
}

void greta_cpu_queue_call(struct greta_cpu_queue *queue, void (*function)(void *), void *object,
    _Atomic uint64_t *ticket, _Atomic uint64_t *second_ticket)
{
	struct item *item = begin_item(queue, sizeof(*item));
	item->kind = CALL;
	item->call.function = function;
	item->call.object = object;
	end_item(queue, item, ticket, second_ticket);
}

uint64_t greta_cpu_queue_newest(struct greta_cpu_queue *queue)
{
	return atomic_load_explicit(&queue->newest, memory_order_acquire);
}

int greta_cpu_queue_finished(struct greta_cpu_queue *queue, uint64_t ticket)
{
	return atomic_load_explicit(&queue->finished, memory_order_acquire) >= ticket;
}

void greta_cpu_queue_wait(struct greta_cpu_queue *queue, uint64_t ticket)
{
	greta_cpu_goal_wait(&queue->finished_goal, &queue->finished, ticket, &queue->waiter_patience);
}

enum greta_status greta_cpu_queue_create(struct greta_cpu_pool *pool, unsigned workers, unsigned processors,
    struct greta_cpu_queue **out_queue, struct greta_error *error)
{
	struct greta_cpu_queue *queue;
	if (posix_memalign((void **)&queue, 64, sizeof(*queue)))
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the cpu provider's queue");
	memset(queue, 0, sizeof(*queue));
	if (posix_memalign((void **)&queue->ring, 64, RING_BYTES)) {
		free(queue);
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the cpu provider's queue (%llu bytes)",
		    (unsigned long long)RING_BYTES);
	}
	queue->pool = pool;
	/* A thread that waits for results spins only if no worker wants its processor. */
	bool spare = workers < processors;
	queue->executor_patience = (struct greta_cpu_patience){ spare ? 4000 : 200, 100 };
	queue->waiter_patience = (struct greta_cpu_patience){ spare ? 2000 : 20, 0 };
	pthread_mutex_init(&queue->lock, NULL);
	int code = greta_cpu_thread_start(&queue->executor, executor_main, queue);
	if (code) {
		pthread_mutex_destroy(&queue->lock);
		free(queue->ring);
		free(queue);
		return greta_fail(error, GRETA_ERROR_DEVICE, "cannot start the cpu provider's executor: %s",
		    strerror(code));
	}
	*out_queue = queue;
	return GRETA_OK;
}

void greta_cpu_queue_destroy(struct greta_cpu_queue *queue)
{
	if (!queue)
		return;
	struct item *item = begin_item(queue, sizeof(*item));
	item->kind = STOP;
	end_item(queue, item, NULL, NULL);
	pthread_join(queue->executor, NULL);
	pthread_mutex_destroy(&queue->lock);
	free(queue->ring);
	free(queue);
}
