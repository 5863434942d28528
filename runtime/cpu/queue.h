/* The device's queue: everything enqueued on any stream, in the order in which it was enqueued, and the thread that
 * runs it.
 *
 * One queue serves all streams. That is a legal schedule for any program: an item only ever depends on items that
 * were enqueued before it (its stream's, or an event recorded before the wait), so the order of enqueueing satisfies
 * every stream and every event by itself, and one pool could not run two launches faster at once than in turn. The
 * executor thread is worker 0 of the pool. Items are numbered from 1 ("tickets"); an item is finished when `finished`
 * has reached its ticket. */
#ifndef GRETA_CPU_QUEUE_H
#define GRETA_CPU_QUEUE_H

#include "runtime/cpu/pool.h"

#include <stdatomic.h>

/* The largest argument struct of a launch, bytes. */
#define GRETA_CPU_ARGS_MAX 4096u

struct greta_cpu_queue;

/* Starts the executor. The pool is borrowed and must outlive the queue. Errors: GRETA_ERROR_MEMORY,
 * GRETA_ERROR_DEVICE. */
enum greta_status greta_cpu_queue_create(struct greta_cpu_pool *pool, unsigned workers, unsigned processors,
    struct greta_cpu_queue **out_queue, struct greta_error *error);

/* Waits for all items, then stops the executor. NULL is allowed. */
void greta_cpu_queue_destroy(struct greta_cpu_queue *queue);

/* The three kinds of items. Each returns at once unless the queue is full (some thousand small items), then when
 * there is room; none can fail, none allocates. With `ticket` not NULL the item's ticket is stored there before
 * another can be enqueued, so that a later item never leaves the smaller number. Any thread. */

/* One launch; `args_size` (<= GRETA_CPU_ARGS_MAX) bytes at node->args are copied. */
void greta_cpu_queue_launch(struct greta_cpu_queue *queue, const struct greta_cpu_node *node, size_t args_size,
    _Atomic uint64_t *ticket);
/* An array of launches, which must stay until the item is finished. */
void greta_cpu_queue_replay(struct greta_cpu_queue *queue, const struct greta_cpu_node *nodes, size_t count,
    _Atomic uint64_t *ticket);
/* A call of `function(object)` on the executor thread: a time stamp, a release. Two places for the ticket: an event's
 * record belongs to event and stream. */
void greta_cpu_queue_call(struct greta_cpu_queue *queue, void (*function)(void *), void *object,
    _Atomic uint64_t *ticket, _Atomic uint64_t *second_ticket);

/* The ticket of the newest item, 0 before the first. */
uint64_t greta_cpu_queue_newest(struct greta_cpu_queue *queue);

/* Whether the item has finished: what it wrote is then visible to the caller. */
int greta_cpu_queue_finished(struct greta_cpu_queue *queue, uint64_t ticket);

/* Blocks until it has. */
void greta_cpu_queue_wait(struct greta_cpu_queue *queue, uint64_t ticket);

#endif
