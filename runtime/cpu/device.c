#include "runtime/cpu/device.h"
#include "runtime/cpu/capture.h"
#include "runtime/cpu/limits.h"
#include "runtime/cpu/memory.h"

#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>

static pthread_mutex_t users_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned users;
/* Set before greta_hip_load returns, cleared when no call can be running: reading it needs no lock, only the order. */
static _Atomic(struct greta_cpu_device *) the_device;

unsigned greta_cpu_processors(void)
{
	/* a machine may have more processors than cpu_set_t holds */
	for (int possible = 1024; possible <= 1 << 20; possible *= 2) {
		cpu_set_t *set = CPU_ALLOC((size_t)possible);
		if (!set)
			return 1;
		size_t size = CPU_ALLOC_SIZE((size_t)possible);
		int count = sched_getaffinity(0, size, set) ? 0 : CPU_COUNT_S(size, set);
		CPU_FREE(set);
		if (count > 0)
			return (unsigned)count;
	}
	return 1;
}

static void device_destroy(struct greta_cpu_device *device)
{
	/* the queue first: objects may still be in use by what it has yet to run */
	greta_cpu_queue_destroy(device->queue);
	greta_cpu_pool_destroy(device->pool);
	while (device->captures)
		greta_cpu_capture_discard(device, device->captures);
	while (device->objects) {
		struct greta_cpu_object *object = device->objects;
		greta_cpu_object_remove(object);
		object->release(object);
	}
	greta_cpu_memory_release_all(device);
	pthread_mutex_destroy(&device->lock);
	free(device);
}

static enum greta_status device_create(unsigned workers, bool guard, struct greta_cpu_device **out_device,
    struct greta_error *error)
{
	struct greta_cpu_device *device = calloc(1, sizeof(*device));
	if (!device)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the cpu device");
	device->workers = workers;
	device->guard = guard;
	pthread_mutex_init(&device->lock, NULL);
	unsigned processors = greta_cpu_processors();
	enum greta_status status = greta_cpu_pool_create(workers, processors, GRETA_CPU_SHARED_MAX, &device->pool,
	    error);
	if (!status)
		status = greta_cpu_queue_create(device->pool, workers, processors, &device->queue, error);
	if (status) {
		device_destroy(device);
		return status;
	}
	*out_device = device;
	return GRETA_OK;
}

enum greta_status greta_cpu_device_acquire(const struct greta_hip_options *options, struct greta_error *error)
{
	unsigned workers = options->threads;
	if (!workers) {
		workers = greta_cpu_processors();
		if (workers > GRETA_CPU_POOL_WORKERS_MAX)
			workers = GRETA_CPU_POOL_WORKERS_MAX;
	}
	enum greta_status status = GRETA_OK;
	pthread_mutex_lock(&users_lock);
	struct greta_cpu_device *device = atomic_load_explicit(&the_device, memory_order_relaxed);
	if (!device) {
		status = device_create(workers, options->guard, &device, error);
		if (!status)
			atomic_store_explicit(&the_device, device, memory_order_release);
	} else if (device->workers != workers || device->guard != options->guard) {
		status = greta_fail(error, GRETA_ERROR_ARGUMENT,
		    "the cpu provider is in use with %u thread%s%s; until all that use it are closed, nothing can be opened with %u "
		    "thread%s%s",
		    device->workers, device->workers == 1 ? "" : "s", device->guard ? " and guard bands" : "", workers,
		    workers == 1 ? "" : "s", options->guard ? " and guard bands" : "");
	}
	if (!status)
		users++;
	pthread_mutex_unlock(&users_lock);
	return status;
}

void greta_cpu_device_release(void)
{
	pthread_mutex_lock(&users_lock);
	if (!--users) {
		device_destroy(atomic_load_explicit(&the_device, memory_order_relaxed));
		atomic_store_explicit(&the_device, NULL, memory_order_release);
	}
	pthread_mutex_unlock(&users_lock);
}

struct greta_cpu_device *greta_cpu_lock(void)
{
	struct greta_cpu_device *device = atomic_load_explicit(&the_device, memory_order_acquire);
	if (!device) {
		greta_cpu_error(hipErrorNotInitialized, "the cpu provider is not loaded");
		return NULL;
	}
	pthread_mutex_lock(&device->lock);
	return device;
}

hipError_t greta_cpu_unlock(struct greta_cpu_device *device, hipError_t code)
{
	pthread_mutex_unlock(&device->lock);
	return code;
}

hipError_t greta_cpu_reject(struct greta_cpu_device *device, hipError_t code, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	greta_cpu_error_list(code, format, list); /* under the lock: it may name what the lock protects */
	va_end(list);
	return greta_cpu_unlock(device, code);
}

void greta_cpu_object_add(struct greta_cpu_device *device, void *object, enum greta_cpu_kind kind,
    void (*release)(void *))
{
	struct greta_cpu_object *head = object;
	head->kind = kind;
	head->release = release;
	head->next = device->objects;
	head->link = &device->objects;
	if (head->next)
		head->next->link = &head->next;
	device->objects = head;
}

void greta_cpu_object_remove(void *object)
{
	struct greta_cpu_object *head = object;
	head->kind = GRETA_CPU_DEAD;
	*head->link = head->next;
	if (head->next)
		head->next->link = head->link;
}

bool greta_cpu_object_is(const void *handle, enum greta_cpu_kind kind)
{
	/* the first page holds HIP's special handles (hipStreamLegacy, hipStreamPerThread), which are no objects */
	if ((uintptr_t)handle < 4096 || (uintptr_t)handle % _Alignof(struct greta_cpu_object))
		return false;
	return ((const struct greta_cpu_object *)handle)->kind == kind;
}
