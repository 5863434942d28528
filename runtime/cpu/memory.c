#include "runtime/cpu/memory.h"
#include "runtime/cpu/calls.h"
#include "runtime/cpu/capture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT ((size_t)256)
#define HUGE_PAGE ((size_t)2 << 20)
#define BAND ((size_t)256) /* bytes of canary on each side */
#define CANARY 0xc5        /* in the bands */
#define POISON 0xa7        /* in memory not yet written to, with guards: as a half, float or double a strange number */

struct greta_cpu_allocation {
	struct greta_cpu_allocation *next;
	unsigned char *base;    /* what free() takes */
	unsigned char *address; /* what the program has */
	size_t size;
	uint64_t number; /* counted from 0 over the device's life */
	bool host;       /* by hipHostMalloc */
};

struct greta_cpu_registration {
	struct greta_cpu_registration *next;
	const unsigned char *address;
	size_t size;
};

/* Bytes from /proc/meminfo; both 0 when it cannot be read. */
static void read_meminfo(size_t *out_available, size_t *out_total)
{
	unsigned long long total = 0, available = 0;
	FILE *file = fopen("/proc/meminfo", "re");
	if (file) {
		char text[128];
		while (fgets(text, sizeof(text), file)) {
			sscanf(text, "MemTotal: %llu kB", &total);
			sscanf(text, "MemAvailable: %llu kB", &available);
		}
		fclose(file);
	}
	*out_total = (size_t)total << 10;
	*out_available = (size_t)available << 10;
}

hipError_t greta_cpu_hipMemGetInfo(size_t *out_free, size_t *out_total)
{
	if (!out_free || !out_total)
		return greta_cpu_error(hipErrorInvalidValue, "hipMemGetInfo: nowhere to write to");
	size_t available, total;
	read_meminfo(&available, &total);
	if (!total)
		return greta_cpu_error(hipErrorOperatingSystem, "cannot read /proc/meminfo");
	*out_free = available;
	*out_total = total;
	return hipSuccess;
}

static const struct greta_cpu_allocation *allocation_around(const struct greta_cpu_device *device, const void *address)
{
	const unsigned char *byte = address;
	const struct greta_cpu_allocation *at = device->allocations;
	while (at && !(byte >= at->address && byte < at->address + at->size))
		at = at->next;
	return at;
}

bool greta_cpu_memory_range_fits(const struct greta_cpu_device *device, const void *address, size_t size)
{
	const struct greta_cpu_allocation *at = allocation_around(device, address);
	if (!at)
		return true;
	size_t offset = (size_t)((const unsigned char *)address - at->address);
	if (size <= at->size - offset)
		return true;
	greta_cpu_error(hipErrorInvalidValue, "%zu bytes at byte %zu of allocation %" PRIu64 ", which has %zu", size,
	    offset, at->number, at->size);
	return false;
}

static hipError_t check_band(const struct greta_cpu_allocation *at, const unsigned char *band)
{
	for (size_t i = 0; i < BAND; i++) {
		if (band[i] == CANARY)
			continue;
		return greta_cpu_error(hipErrorIllegalAddress,
		    "allocation %" PRIu64 " (%zu bytes at %p) was overrun: something wrote at its byte %td", at->number,
		    at->size, (void *)at->address, band + i - at->address);
	}
	return hipSuccess;
}

static hipError_t check_allocation(const struct greta_cpu_device *device, const struct greta_cpu_allocation *at)
{
	if (!device->guard)
		return hipSuccess;
	hipError_t code = check_band(at, at->address - BAND);
	return code ? code : check_band(at, at->address + at->size);
}

hipError_t greta_cpu_memory_check_guards(const struct greta_cpu_device *device)
{
	hipError_t code = hipSuccess;
	for (const struct greta_cpu_allocation *at = device->allocations; at && !code; at = at->next)
		code = check_allocation(device, at);
	return code;
}

static hipError_t allocate(struct greta_cpu_device *device, size_t size, bool host, void **out_address)
{
	size_t alignment = size >= HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
	size_t before = device->guard ? alignment : 0, after = device->guard ? BAND : 0;
	size_t available, total;
	read_meminfo(&available, &total);
	if (size > SIZE_MAX - before - after || (total && size > total))
		return greta_cpu_error(hipErrorOutOfMemory, "%zu bytes asked for, the machine has %zu", size, total);
	struct greta_cpu_allocation *at = malloc(sizeof(*at));
	void *base;
	if (!at || posix_memalign(&base, alignment, before + size + after)) {
		free(at);
		return greta_cpu_error(hipErrorOutOfMemory, "no memory for an allocation of %zu bytes", size);
	}
	uint64_t number = device->allocation_count++;
	*at = (struct greta_cpu_allocation){ .next = device->allocations, .base = base,
		.address = (unsigned char *)base + before, .size = size, .number = number, .host = host };
	device->allocations = at;
	if (alignment == HUGE_PAGE)
		madvise(at->address, size & ~(HUGE_PAGE - 1), MADV_HUGEPAGE); /* a wish: its failure changes nothing */
	if (device->guard) {
		memset(at->address - BAND, CANARY, BAND);
		memset(at->address, POISON, size);
		memset(at->address + size, CANARY, BAND);
	}
	*out_address = at->address;
	return hipSuccess;
}

static hipError_t allocate_call(const char *name, size_t size, bool host, void **out_address)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	hipError_t code = greta_cpu_capture_refuse(device, name);
	if (code)
		return greta_cpu_unlock(device, code);
	if (!out_address)
		return greta_cpu_reject(device, hipErrorInvalidValue, "%s: nowhere to write to", name);
	if (!size) {
		*out_address = NULL;
		return greta_cpu_unlock(device, hipSuccess);
	}
	return greta_cpu_unlock(device, allocate(device, size, host, out_address));
}

hipError_t greta_cpu_hipMalloc(void **out_address, size_t size)
{
	return allocate_call("hipMalloc", size, false, out_address);
}

hipError_t greta_cpu_hipHostMalloc(void **out_address, size_t size, unsigned int flags)
{
	(void)flags; /* they choose between kinds of host memory, of which there is one */
	return allocate_call("hipHostMalloc", size, true, out_address);
}

/* As in HIP, freeing waits for everything enqueued. */
static hipError_t free_call(const char *name, void *address, bool host)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	hipError_t code = greta_cpu_capture_refuse(device, name);
	if (code || !address)
		return greta_cpu_unlock(device, code);
	struct greta_cpu_allocation **link = &device->allocations;
	while (*link && !((*link)->address == address && (*link)->host == host))
		link = &(*link)->next;
	struct greta_cpu_allocation *at = *link;
	if (!at)
		return greta_cpu_reject(device, hipErrorInvalidValue,
		    "%s: %p is not the start of an allocation of its kind", name, address);
	*link = at->next;
	greta_cpu_unlock(device, hipSuccess);
	greta_cpu_queue_wait(device->queue, greta_cpu_queue_newest(device->queue));
	code = check_allocation(device, at);
	free(at->base);
	free(at);
	return code;
}

hipError_t greta_cpu_hipFree(void *address)
{
	return free_call("hipFree", address, false);
}

hipError_t greta_cpu_hipHostFree(void *address)
{
	return free_call("hipHostFree", address, true);
}

hipError_t greta_cpu_hipHostRegister(void *address, size_t size, unsigned int flags)
{
	(void)flags;
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	const unsigned char *start = address;
	if (!start || !size || size > UINTPTR_MAX - (uintptr_t)start)
		return greta_cpu_reject(device, hipErrorInvalidValue, "hipHostRegister: %zu bytes at %p are no range",
		    size, address);
	for (struct greta_cpu_registration *at = device->registrations; at; at = at->next) {
		if (start < at->address + at->size && at->address < start + size)
			return greta_cpu_reject(device, hipErrorHostMemoryAlreadyRegistered,
			    "%zu bytes at %p overlap %zu registered at %p", size, address, at->size,
			    (const void *)at->address);
	}
	struct greta_cpu_registration *at = malloc(sizeof(*at));
	if (!at)
		return greta_cpu_reject(device, hipErrorOutOfMemory, "no memory to register a range");
	*at = (struct greta_cpu_registration){ device->registrations, start, size };
	device->registrations = at;
	return greta_cpu_unlock(device, hipSuccess);
}

hipError_t greta_cpu_hipHostUnregister(void *address)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	struct greta_cpu_registration **link = &device->registrations;
	while (*link && (*link)->address != address)
		link = &(*link)->next;
	struct greta_cpu_registration *at = *link;
	if (!at)
		return greta_cpu_reject(device, hipErrorHostMemoryNotRegistered, "no range was registered at %p",
		    address);
	*link = at->next;
	free(at);
	return greta_cpu_unlock(device, hipSuccess);
}

hipError_t greta_cpu_hipHostGetDevicePointer(void **out_device, void *host, unsigned int flags)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	const struct greta_cpu_allocation *at = allocation_around(device, host);
	bool known = at && at->host;
	const unsigned char *byte = host;
	for (struct greta_cpu_registration *range = device->registrations; range && !known; range = range->next)
		known = byte >= range->address && byte < range->address + range->size;
	if (!out_device || flags || !known)
		return greta_cpu_reject(device, hipErrorInvalidValue,
		    "hipHostGetDevicePointer: %p is neither from hipHostMalloc nor registered, or flags are not 0",
		    host);
	*out_device = host;
	return greta_cpu_unlock(device, hipSuccess);
}

void greta_cpu_memory_release_all(struct greta_cpu_device *device)
{
	while (device->allocations) {
		struct greta_cpu_allocation *at = device->allocations;
		device->allocations = at->next;
		free(at->base);
		free(at);
	}
	while (device->registrations) {
		struct greta_cpu_registration *at = device->registrations;
		device->registrations = at->next;
		free(at);
	}
}
