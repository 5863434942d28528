/* Access to sim942. It runs one launch at a time and must not change its tables meanwhile, so everything goes through
 * one lock; ranges to track are queued while a launch runs and applied before the next. */
#include "simhsa.h"
#include <stdlib.h>

static pthread_mutex_t device_lock = PTHREAD_MUTEX_INITIALIZER;    /* held while a launch runs */
static pthread_mutex_t pending_lock = PTHREAD_MUTEX_INITIALIZER;
static struct change { const void *address; size_t size; } *pending;   /* size 0: untrack */
static size_t pending_count, pending_room;

static void apply_pending(void)
{
	pthread_mutex_lock(&pending_lock);
	for (size_t i = 0; i < pending_count; i++)
		if (pending[i].size)
			sim942_track(pending[i].address, pending[i].size);
		else
			sim942_untrack(pending[i].address);
	pending_count = 0;
	pthread_mutex_unlock(&pending_lock);
}

static void add_pending(const void *address, size_t size)
{
	pthread_mutex_lock(&pending_lock);
	if (pending_count == pending_room) {
		pending_room = pending_room ? 2 * pending_room : 64;
		pending = realloc(pending, pending_room * sizeof *pending);
		if (!pending)
			abort();
	}
	pending[pending_count++] = (struct change){address, size};
	pthread_mutex_unlock(&pending_lock);
}

void simhsa_track(const void *address, size_t size)
{
	add_pending(address, size);
}

void simhsa_untrack(const void *address)
{
	add_pending(address, 0);
}

int simhsa_run(const struct sim942_dispatch *dispatch, char *err, size_t errlen)
{
	pthread_mutex_lock(&device_lock);
	apply_pending();
	int result = sim942_run(dispatch, NULL, err, errlen);
	pthread_mutex_unlock(&device_lock);
	return result;
}

int simhsa_load(const void *elf, size_t size, struct sim942_code **out, char *err, size_t errlen)
{
	pthread_mutex_lock(&device_lock);
	int result = sim942_load(elf, size, out, err, errlen);
	pthread_mutex_unlock(&device_lock);
	return result;
}

void simhsa_unload(struct sim942_code *code)
{
	pthread_mutex_lock(&device_lock);
	sim942_unload(code);
	pthread_mutex_unlock(&device_lock);
}
