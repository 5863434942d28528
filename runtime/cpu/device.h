/* The process's one cpu device: its pool and queue, its memory, and whatever handles are alive.
 *
 * HIP's calls carry no context of ours, so the device is found through one pointer of the process, set while the
 * provider is loaded. Lock order: the device's lock, then the queue's; the executor thread takes neither, so a
 * producer may wait for room in the queue without any danger. */
#ifndef GRETA_CPU_DEVICE_H
#define GRETA_CPU_DEVICE_H

#include "runtime/cpu/message.h"
#include "runtime/cpu/queue.h"
#include "runtime/hip.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* What a handle points at begins with this. The kind tells a wrong handle from a right one, as far as memory that is no
 * object can be told. */
enum greta_cpu_kind {
	GRETA_CPU_DEAD = 0,
	GRETA_CPU_STREAM = 0x6772533d,
	GRETA_CPU_EVENT = 0x6772453d,
	GRETA_CPU_GRAPH = 0x6772473d,
	GRETA_CPU_EXEC = 0x6772583d,
	GRETA_CPU_MODULE = 0x67724d3d,
	GRETA_CPU_FUNCTION = 0x6772463d,
};

struct greta_cpu_object {
	enum greta_cpu_kind kind;
	struct greta_cpu_object *next, **link;
	void (*release)(void *object); /* frees it; the queue no longer needs it then */
};

struct greta_cpu_allocation;
struct greta_cpu_registration;
struct greta_cpu_capture;

struct greta_cpu_device {
	unsigned workers;
	bool guard;
	struct greta_cpu_pool *pool;
	struct greta_cpu_queue *queue;
	pthread_mutex_t lock; /* of all below and of every object's contents */
	struct greta_cpu_object *objects;
	struct greta_cpu_allocation *allocations;
	uint64_t allocation_count; /* ever made; the next one's number */
	struct greta_cpu_registration *registrations;
	struct greta_cpu_capture *captures;
	uint64_t capture_count; /* ever begun */
};

/* Creates the device, or counts one more user of it. Errors as greta_hip_load's. */
enum greta_status greta_cpu_device_acquire(const struct greta_hip_options *options, struct greta_error *error);
/* The last one waits for the queue and destroys the device with everything left on it. */
void greta_cpu_device_release(void);

/* The device with its lock held, or NULL, and hipErrorNotInitialized kept as this thread's error. */
struct greta_cpu_device *greta_cpu_lock(void);
/* Releases the lock and returns `code`, so that a call ends in one line; the same with what greta_cpu_error does. */
hipError_t greta_cpu_unlock(struct greta_cpu_device *device, hipError_t code);
hipError_t greta_cpu_reject(struct greta_cpu_device *device, hipError_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* With the lock held: enters an object in the device's list and takes it out, after which its handle is dead. */
void greta_cpu_object_add(struct greta_cpu_device *device, void *object, enum greta_cpu_kind kind,
    void (*release)(void *));
void greta_cpu_object_remove(void *object);
/* Whether a handle is what it should be; NULL is not. */
bool greta_cpu_object_is(const void *handle, enum greta_cpu_kind kind);

/* How many processors the process may run on, at least 1. */
unsigned greta_cpu_processors(void);

#endif
