/* The table of memory the simulated device knows, and allocation, pinning and queries on it. Device memory is host
 * memory: the addresses of both are the same. */
#include "simhsa.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096u
#define HUGE (2u << 20)
#define POISON_MOST (8ull << 30)     /* larger allocations stay zero, to be backed by memory only where they are used */

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct range *ranges;     /* by base; of equal bases the inner one last */
static size_t count, room;
static _Atomic uint64_t device_bytes;

/* Index of the first range whose base is above the address. */
static size_t upper(uintptr_t address)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ranges[middle].base <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool tracked(enum range_kind kind)
{
	return kind != RANGE_RESERVED;
}

bool simhsa_range_add(const struct range *range)
{
	bool done = true;
	pthread_rwlock_wrlock(&lock);
	if (count == room) {
		size_t more = room ? 2 * room : 256;
		struct range *grown = realloc(ranges, more * sizeof *grown);
		done = grown != NULL;
		if (grown)
			ranges = grown, room = more;
	}
	if (done) {
		size_t at = upper(range->base);
		memmove(&ranges[at + 1], &ranges[at], (count - at) * sizeof *ranges);
		ranges[at] = *range;
		count++;
	}
	pthread_rwlock_unlock(&lock);
	if (done && tracked(range->kind))
		simhsa_track((void *)range->base, range->size);
	return done;
}

/* Under the lock: the range of this base and kind. */
static struct range *exact(uintptr_t base, enum range_kind kind)
{
	for (size_t at = upper(base); at-- > 0 && ranges[at].base == base;)
		if (ranges[at].kind == kind)
			return &ranges[at];
	return NULL;
}

bool simhsa_range_remove(const void *base, enum range_kind kind, struct range *out)
{
	pthread_rwlock_wrlock(&lock);
	struct range *range = exact((uintptr_t)base, kind);
	if (range) {
		*out = *range;
		memmove(range, range + 1, (size_t)(ranges + count - (range + 1)) * sizeof *range);
		count--;
	}
	pthread_rwlock_unlock(&lock);
	if (range && tracked(kind))
		simhsa_untrack(base);
	return range != NULL;
}

bool simhsa_range_update(const void *base, enum range_kind kind, void (*change)(struct range *, void *), void *data)
{
	pthread_rwlock_wrlock(&lock);
	struct range *range = exact((uintptr_t)base, kind);
	if (range)
		change(range, data);
	pthread_rwlock_unlock(&lock);
	return range != NULL;
}

static const struct range *holder(uintptr_t address)
{
	for (size_t at = upper(address); at-- > 0;)
		if (address - ranges[at].base < ranges[at].size)
			return &ranges[at];
	return NULL;
}

bool simhsa_range_find(const void *address, struct range *out)
{
	pthread_rwlock_rdlock(&lock);
	const struct range *range = holder((uintptr_t)address);
	if (range)
		*out = *range;
	pthread_rwlock_unlock(&lock);
	return range != NULL;
}

bool simhsa_accessible(const void *address, size_t size)
{
	uintptr_t at = (uintptr_t)address, end = at + size;
	bool all = true;
	pthread_rwlock_rdlock(&lock);
	while (all && at < end) {
		const struct range *range = holder(at);
		all = range && tracked(range->kind);
		if (all)
			at = range->base + range->size;
	}
	pthread_rwlock_unlock(&lock);
	return all;
}

uint64_t simhsa_device_bytes(void)
{
	return atomic_load(&device_bytes);
}

void simhsa_device_bytes_add(int64_t delta)
{
	atomic_fetch_add(&device_bytes, (uint64_t)delta);
}

static size_t round_up(size_t value, size_t multiple)
{
	return (value + multiple - 1) / multiple * multiple;
}

/* A mapping with this alignment, followed by a page that nothing may touch. */
static void *map_aligned(size_t bytes, size_t alignment)
{
	size_t whole = bytes + alignment + PAGE;
	char *start = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		return NULL;
	char *aligned = (char *)round_up((uintptr_t)start, alignment);
	if (aligned > start)
		munmap(start, (size_t)(aligned - start));
	if (start + whole > aligned + bytes + PAGE)
		munmap(aligned + bytes + PAGE, (size_t)(start + whole - (aligned + bytes + PAGE)));
	if (mprotect(aligned, bytes, PROT_READ | PROT_WRITE)) {
		munmap(aligned, bytes + PAGE);
		return NULL;
	}
	return aligned;
}

hsa_status_t simhsa_allocate(const struct pool *pool, size_t size, void **out)
{
	if (pool->segment != HSA_AMD_SEGMENT_GLOBAL)
		return HSA_STATUS_ERROR_INVALID_ALLOCATION;
	size_t bytes = round_up(size, PAGE);
	if (bytes < size || bytes > pool->size)
		return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	if (pool->agent->gpu && atomic_fetch_add(&device_bytes, bytes) + bytes > SIMHSA_VRAM_BYTES) {
		atomic_fetch_sub(&device_bytes, bytes);
		return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	}
	void *memory = map_aligned(bytes, bytes >= HUGE ? HUGE : PAGE);
	struct range range = {.base = (uintptr_t)memory, .size = size, .mapped = bytes, .kind = RANGE_POOL, .pool = pool};
	if (!memory || !simhsa_range_add(&range)) {
		if (pool->agent->gpu)
			atomic_fetch_sub(&device_bytes, bytes);
		return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	}
	const char *poison = pool->agent->gpu ? getenv("SIMHSA_POISON") : NULL;
	if (poison && bytes <= POISON_MOST)
		memset(memory, atoi(poison), bytes);
	COUNT(allocations, 1);
	*out = memory;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t simhsa_free(void *pointer)
{
	struct range range;
	if (!pointer)
		return HSA_STATUS_SUCCESS;
	if (!simhsa_range_remove(pointer, RANGE_POOL, &range)) {
		simhsa_message("free of %p, which is not the start of an allocation", pointer);
		return HSA_STATUS_ERROR_INVALID_ALLOCATION;
	}
	if (range.pool->agent->gpu)
		atomic_fetch_sub(&device_bytes, range.mapped);
	munmap(pointer, range.mapped + PAGE);
	return HSA_STATUS_SUCCESS;
}

void *simhsa_runtime_pages(size_t size)
{
	size_t bytes = round_up(size, PAGE);
	void *memory = map_aligned(bytes, PAGE);
	struct range range = {.base = (uintptr_t)memory, .size = bytes, .mapped = bytes, .kind = RANGE_RUNTIME};
	return memory && simhsa_range_add(&range) ? memory : NULL;
}

void simhsa_runtime_pages_free(void *pages, size_t size)
{
	struct range range;
	if (simhsa_range_remove(pages, RANGE_RUNTIME, &range))
		munmap(pages, round_up(size, PAGE) + PAGE);
}

/* ---- the API ---- */
hsa_status_t hsa_amd_agents_allow_access(uint32_t agents, const hsa_agent_t *list, const uint32_t *flags,
		const void *pointer)
{
	struct range range;
	(void)flags;
	REQUIRE_READY();
	for (uint32_t i = 0; i < agents; i++)
		if (!simhsa_agent(list[i]))
			return HSA_STATUS_ERROR_INVALID_AGENT;
	return simhsa_range_find(pointer, &range) ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ALLOCATION;
}

static void lock_once_more(struct range *range, void *size)
{
	range->locks++;
	if (range->size < *(size_t *)size) {
		range->size = *(size_t *)size;
		simhsa_untrack((void *)range->base);
		simhsa_track((void *)range->base, range->size);
	}
}

static void unlock_once(struct range *range, void *last)
{
	*(bool *)last = --range->locks == 0;
}

hsa_status_t hsa_amd_memory_lock_to_pool(void *pointer, size_t size, hsa_agent_t *agents, int agent_count,
		hsa_amd_memory_pool_t handle, uint32_t flags, void **device_pointer)
{
	(void)agents, (void)agent_count, (void)flags;
	REQUIRE_READY();
	if (!pointer || !size || !device_pointer)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	struct range range = {.base = (uintptr_t)pointer, .size = size, .kind = RANGE_LOCKED, .locks = 1,
			.pool = simhsa_pool(handle)};
	if (!simhsa_range_update(pointer, RANGE_LOCKED, lock_once_more, &size) && !simhsa_range_add(&range))
		return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	*device_pointer = pointer;
	if (simhsa_tracing(2))
		simhsa_trace("lock %p, %zu bytes", pointer, size);
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_memory_lock(void *pointer, size_t size, hsa_agent_t *agents, int agent_count,
		void **device_pointer)
{
	return hsa_amd_memory_lock_to_pool(pointer, size, agents, agent_count, (hsa_amd_memory_pool_t){0}, 0, device_pointer);
}

hsa_status_t hsa_amd_memory_unlock(void *pointer)
{
	struct range range;
	bool last = false;
	REQUIRE_READY();
	if (simhsa_tracing(2))
		simhsa_trace("unlock %p", pointer);
	if (!simhsa_range_update(pointer, RANGE_LOCKED, unlock_once, &last))
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	if (last)
		simhsa_range_remove(pointer, RANGE_LOCKED, &range);
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_pointer_info(const void *pointer, hsa_amd_pointer_info_t *info, void *(*allocate)(size_t),
		uint32_t *accessible_count, hsa_agent_t **accessible)
{
	static const hsa_amd_pointer_type_t types[] = {
		[RANGE_POOL] = HSA_EXT_POINTER_TYPE_HSA, [RANGE_LOCKED] = HSA_EXT_POINTER_TYPE_LOCKED,
		[RANGE_RESERVED] = HSA_EXT_POINTER_TYPE_RESERVED_ADDR, [RANGE_MAPPED] = HSA_EXT_POINTER_TYPE_HSA_VMEM,
		[RANGE_RUNTIME] = HSA_EXT_POINTER_TYPE_HSA};
	struct range range;
	REQUIRE_READY();
	if (!pointer || !info || info->size < sizeof(uint32_t) + sizeof(hsa_amd_pointer_type_t))
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	hsa_amd_pointer_info_t full = {.size = sizeof full, .type = HSA_EXT_POINTER_TYPE_UNKNOWN};
	bool known = simhsa_range_find(pointer, &range);
	if (known) {
		const struct agent *owner = range.pool ? range.pool->agent : &simhsa_cpu;
		full.type = types[range.kind];
		full.agentBaseAddress = (void *)range.base;
		full.hostBaseAddress = (void *)range.base;
		full.sizeInBytes = range.size;
		full.userData = range.userdata;
		full.agentOwner = agent_handle(owner);
		full.global_flags = range.pool ? range.pool->flags : HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_FINE_GRAINED;
		full.registered = true;
	}
	size_t bytes = info->size < sizeof full ? info->size : sizeof full;
	memcpy(info, &full, bytes);
	info->size = (uint32_t)bytes;
	if (allocate && accessible && accessible_count) {
		*accessible_count = known ? 2 : 0;
		*accessible = known ? allocate(2 * sizeof **accessible) : NULL;
		if (*accessible) {
			(*accessible)[0] = agent_handle(&simhsa_cpu);
			(*accessible)[1] = agent_handle(&simhsa_gpu);
		}
	}
	return HSA_STATUS_SUCCESS;
}

static void set_userdata(struct range *range, void *userdata)
{
	range->userdata = userdata;
}

hsa_status_t hsa_amd_pointer_info_set_userdata(const void *pointer, void *userdata)
{
	struct range range;
	return simhsa_range_find(pointer, &range)
			&& simhsa_range_update((void *)range.base, range.kind, set_userdata, userdata)
			? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

hsa_status_t hsa_memory_copy(void *to, const void *from, size_t size)
{
	if (!to || !from)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	memmove(to, from, size);
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_memory_fill(void *pointer, uint32_t value, size_t words)
{
	if (!pointer || (uintptr_t)pointer % 4)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	for (size_t i = 0; i < words; i++)
		((uint32_t *)pointer)[i] = value;
	return HSA_STATUS_SUCCESS;
}

/* In the standard's base profile these are hints. */
hsa_status_t hsa_memory_register(void *pointer, size_t size)
{
	return pointer || !size ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

hsa_status_t hsa_memory_deregister(void *pointer, size_t size)
{
	(void)pointer, (void)size;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_memory_assign_agent(void *pointer, hsa_agent_t agent, hsa_access_permission_t access)
{
	(void)access;
	return pointer && simhsa_agent(agent) ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}
