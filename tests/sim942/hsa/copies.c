/* The copy engines: one thread that runs whichever queued copy has all its dependencies met, the oldest first. */
#include "simhsa.h"
#include <stdlib.h>
#include <string.h>

struct copy {
	struct copy *next;
	hsa_signal_t completion;
	uint32_t dependencies;
	hsa_signal_t *dependency;            /* after the struct */
	char *to;
	const char *from;
	size_t width, height, depth;         /* bytes, rows, slices */
	size_t to_pitch, to_slice, from_pitch, from_slice;
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct copy *first, **last = &first;
static bool running, stopping;
static pthread_t thread;
static _Atomic uint32_t submitted;

static bool ready(const struct copy *copy)
{
	for (uint32_t i = 0; i < copy->dependencies; i++)
		if (copy->dependency[i].handle && simhsa_signal_value(simhsa_signal(copy->dependency[i])) != 0)
			return false;
	return true;
}

/* Under the lock. */
static struct copy *take_ready(void)
{
	for (struct copy **at = &first; *at; at = &(*at)->next) {
		struct copy *copy = *at;
		if (ready(copy)) {
			*at = copy->next;
			if (last == &copy->next)
				last = at;
			return copy;
		}
	}
	return NULL;
}

static void perform(const struct copy *copy)
{
	simhsa_jitter();
	uint64_t start = simhsa_now();
	for (size_t z = 0; z < copy->depth; z++)
		for (size_t y = 0; y < copy->height; y++) {
			char *to = copy->to + z * copy->to_slice + y * copy->to_pitch;
			const char *from = copy->from + z * copy->from_slice + y * copy->from_pitch;
			if (!simhsa_accessible(to, copy->width) || !simhsa_accessible(from, copy->width))
				simhsa_message("copy engine: %p to %p, %zu bytes: not memory that the device can access", (const void *)from,
						(void *)to, copy->width);
			memmove(to, from, copy->width);
		}
	uint64_t bytes = copy->width * copy->height * copy->depth;
	COUNT(copies, 1);
	COUNT(copy_bytes, bytes);
	if (simhsa_tracing(1))
		simhsa_trace("copy engine: %p to %p, %zu bytes x %zu x %zu, %u dependencies, completion %#lx",
				(const void *)copy->from, (void *)copy->to, copy->width, copy->height, copy->depth, copy->dependencies,
				(long)copy->completion.handle);
	simhsa_signal_complete(copy->completion, start, simhsa_now());
}

static void *serve(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	while (!stopping) {
		uint32_t seen = simhsa_generation(), seen_submitted = atomic_load(&submitted);
		struct copy *copy = take_ready();
		bool idle = !first;
		pthread_mutex_unlock(&lock);
		if (copy) {
			perform(copy);
			free(copy);
		} else if (idle) {
			simhsa_futex_wait(&submitted, seen_submitted, UINT64_MAX);
		} else {
			simhsa_wait_change(seen, UINT64_MAX);
		}
		pthread_mutex_lock(&lock);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void wake(void)
{
	atomic_fetch_add(&submitted, 1);
	simhsa_futex_wake(&submitted);
	simhsa_changed();
}

void simhsa_copies_stop(void)
{
	pthread_mutex_lock(&lock);
	bool join = running;
	stopping = true;
	running = false;
	pthread_mutex_unlock(&lock);
	wake();
	if (join)
		pthread_join(thread, NULL);
}

static hsa_status_t submit(const struct copy *what, uint32_t dependencies, const hsa_signal_t *dependency)
{
	struct copy *copy = malloc(sizeof *copy + dependencies * sizeof *dependency);
	if (!copy)
		return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	*copy = *what;
	copy->next = NULL;
	copy->dependencies = dependencies;
	copy->dependency = (hsa_signal_t *)(copy + 1);
	if (dependencies)
		memcpy(copy->dependency, dependency, dependencies * sizeof *dependency);
	COUNT(copy_dependencies, dependencies);
	pthread_mutex_lock(&lock);
	if (!running) {
		stopping = false;
		running = pthread_create(&thread, NULL, serve, NULL) == 0;
	}
	bool accepted = running;
	if (accepted) {
		*last = copy;
		last = &copy->next;
	}
	pthread_mutex_unlock(&lock);
	if (!accepted) {
		free(copy);
		return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	}
	wake();
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_memory_async_copy(void *to, hsa_agent_t to_agent, const void *from, hsa_agent_t from_agent,
		size_t size,
		uint32_t dependencies, const hsa_signal_t *dependency, hsa_signal_t completion)
{
	REQUIRE_READY();
	if (!to || !from || (dependencies && !dependency))
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	if (!simhsa_agent(to_agent) || !simhsa_agent(from_agent))
		return HSA_STATUS_ERROR_INVALID_AGENT;
	struct copy copy = {.completion = completion, .to = to, .from = from, .width = size, .height = 1, .depth = 1};
	return submit(&copy, dependencies, dependency);
}

hsa_status_t hsa_amd_memory_async_copy_on_engine(void *to, hsa_agent_t to_agent, const void *from,
		hsa_agent_t from_agent,
		size_t size, uint32_t dependencies, const hsa_signal_t *dependency, hsa_signal_t completion,
		hsa_amd_sdma_engine_id_t engine, bool force)
{
	(void)engine, (void)force;
	return hsa_amd_memory_async_copy(to, to_agent, from, from_agent, size, dependencies, dependency, completion);
}

hsa_status_t hsa_amd_memory_async_copy_rect(const hsa_pitched_ptr_t *to, const hsa_dim3_t *to_offset,
		const hsa_pitched_ptr_t *from, const hsa_dim3_t *from_offset, const hsa_dim3_t *range, hsa_agent_t agent,
		hsa_amd_copy_direction_t direction, uint32_t dependencies, const hsa_signal_t *dependency, hsa_signal_t completion)
{
	(void)direction;
	REQUIRE_READY();
	if (!to || !from || !range || !to_offset || !from_offset || (dependencies && !dependency))
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	if (simhsa_agent(agent) != &simhsa_gpu)
		return HSA_STATUS_ERROR_INVALID_AGENT;
	struct copy copy = {
		.completion = completion,
		.to = (char *)to->base + to_offset->x + to_offset->y * to->pitch + to_offset->z * to->slice,
		.from = (char *)from->base + from_offset->x + from_offset->y * from->pitch + from_offset->z * from->slice,
		.width = range->x, .height = range->y, .depth = range->z,
		.to_pitch = to->pitch, .to_slice = to->slice, .from_pitch = from->pitch, .from_slice = from->slice,
	};
	COUNT(copies_rect, 1);
	return submit(&copy, dependencies, dependency);
}

/* Two engines for the host's link, as on the real device; a copy within one device has none of its own. */
hsa_status_t hsa_amd_memory_copy_engine_status(hsa_agent_t to, hsa_agent_t from, uint32_t *mask)
{
	REQUIRE_READY();
	if (!simhsa_agent(to) || !simhsa_agent(from))
		return HSA_STATUS_ERROR_INVALID_AGENT;
	if (!mask)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	*mask = HSA_AMD_SDMA_ENGINE_0 | HSA_AMD_SDMA_ENGINE_1;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_memory_get_preferred_copy_engine(hsa_agent_t to, hsa_agent_t from, uint32_t *mask)
{
	return hsa_amd_memory_copy_engine_status(to, from, mask);
}
