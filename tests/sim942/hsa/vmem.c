/* The virtual memory API: address ranges are reservations of host address space, handles are memory files. */
#include "simhsa.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct memory_handle {
	int file;
	size_t size;
	const struct pool *pool;
	hsa_amd_memory_type_t type;
	atomic_int references;    /* of handles given out and of mappings */
};

static struct memory_handle *handle_of(hsa_amd_vmem_alloc_handle_t handle)
{
	return (struct memory_handle *)(uintptr_t)handle.handle;
}

static void drop(struct memory_handle *handle)
{
	if (atomic_fetch_sub(&handle->references, 1) == 1) {
		close(handle->file);
		simhsa_device_bytes_add(-(int64_t)handle->size);
		free(handle);
	}
}

hsa_status_t hsa_amd_vmem_address_reserve_align(void **address, size_t size, uint64_t wanted, uint64_t alignment,
		uint64_t flags)
{
	(void)flags;
	REQUIRE_READY();
	if (!address || !size || size % 4096 || (alignment & (alignment - 1)))
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	if (alignment < 4096)
		alignment = 4096;
	char *start = mmap((void *)(uintptr_t)wanted, size + alignment, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	char *aligned = (char *)(((uintptr_t)start + alignment - 1) / alignment * alignment);
	if (aligned > start)
		munmap(start, (size_t)(aligned - start));
	if (start + alignment > aligned)
		munmap(aligned + size, (size_t)(start + alignment - aligned));
	struct range range = {.base = (uintptr_t)aligned, .size = size, .mapped = size, .kind = RANGE_RESERVED};
	if (!simhsa_range_add(&range)) {
		munmap(aligned, size);
		return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	}
	*address = aligned;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_vmem_address_reserve(void **address, size_t size, uint64_t wanted, uint64_t flags)
{
	return hsa_amd_vmem_address_reserve_align(address, size, wanted, 0, flags);
}

hsa_status_t hsa_amd_vmem_address_free(void *address, size_t size)
{
	struct range range;
	REQUIRE_READY();
	if (!simhsa_range_remove(address, RANGE_RESERVED, &range))
		return HSA_STATUS_ERROR_INVALID_ALLOCATION;
	munmap(address, range.size);
	return range.size == size ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

static hsa_status_t new_handle(int file, size_t size, const struct pool *pool, hsa_amd_memory_type_t type,
		hsa_amd_vmem_alloc_handle_t *out)
{
	struct memory_handle *handle = malloc(sizeof *handle);
	if (!handle) {
		close(file);
		return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	}
	*handle = (struct memory_handle){file, size, pool, type, 1};
	simhsa_device_bytes_add((int64_t)size);
	out->handle = (uint64_t)(uintptr_t)handle;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_vmem_handle_create(hsa_amd_memory_pool_t pool, size_t size, hsa_amd_memory_type_t type,
		uint64_t flags, hsa_amd_vmem_alloc_handle_t *out)
{
	(void)flags;
	REQUIRE_READY();
	if (!simhsa_pool(pool))
		return BAD_POOL;
	if (!size || size % simhsa_pool(pool)->granule)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	int file = memfd_create("simhsa", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, (off_t)size)) {
		if (file >= 0)
			close(file);
		return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	}
	return new_handle(file, size, simhsa_pool(pool), type, out);
}

hsa_status_t hsa_amd_vmem_handle_release(hsa_amd_vmem_alloc_handle_t handle)
{
	if (!handle.handle)
		return HSA_STATUS_ERROR_INVALID_ALLOCATION;
	drop(handle_of(handle));
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_vmem_map(void *address, size_t size, size_t offset, hsa_amd_vmem_alloc_handle_t handle,
		uint64_t flags)
{
	struct range reserved;
	struct memory_handle *memory = handle_of(handle);
	(void)flags;
	REQUIRE_READY();
	if (!memory || offset + size > memory->size)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	if (!simhsa_range_find(address, &reserved) || reserved.kind != RANGE_RESERVED
			|| (uintptr_t)address + size > reserved.base + reserved.size)
		return HSA_STATUS_ERROR_INVALID_ALLOCATION;
	if (mmap(address, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory->file, (off_t)offset) == MAP_FAILED)
		return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	struct range range = {.base = (uintptr_t)address, .size = size, .mapped = size, .kind = RANGE_MAPPED,
			.pool = memory->pool, .vmem = handle.handle, .access = HSA_ACCESS_PERMISSION_NONE};
	atomic_fetch_add(&memory->references, 1);
	return simhsa_range_add(&range) ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_OUT_OF_RESOURCES;
}

hsa_status_t hsa_amd_vmem_unmap(void *address, size_t size)
{
	struct range range;
	REQUIRE_READY();
	if (!simhsa_range_remove(address, RANGE_MAPPED, &range))
		return HSA_STATUS_ERROR_INVALID_ALLOCATION;
	mmap(address, range.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	drop(handle_of((hsa_amd_vmem_alloc_handle_t){range.vmem}));
	return range.size == size ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

static void set_access(struct range *range, void *permission)
{
	range->access = *(const hsa_access_permission_t *)permission;
}

hsa_status_t hsa_amd_vmem_set_access(void *address, size_t size, const hsa_amd_memory_access_desc_t *descriptors,
		size_t descriptor_count)
{
	REQUIRE_READY();
	for (uintptr_t at = (uintptr_t)address; at < (uintptr_t)address + size;) {
		struct range range;
		if (!simhsa_range_find((void *)at, &range) || range.kind != RANGE_MAPPED)
			return HSA_STATUS_ERROR_INVALID_ALLOCATION;
		for (size_t i = 0; i < descriptor_count; i++) {
			hsa_access_permission_t permission = descriptors[i].permissions;
			if (simhsa_agent(descriptors[i].agent_handle) == &simhsa_gpu)
				simhsa_range_update((void *)range.base, RANGE_MAPPED, set_access, &permission);
		}
		at = range.base + range.size;
	}
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_vmem_get_access(void *address, hsa_access_permission_t *permission, hsa_agent_t agent)
{
	struct range range;
	if (!simhsa_agent(agent) || !permission)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	if (!simhsa_range_find(address, &range) || range.kind != RANGE_MAPPED)
		return HSA_STATUS_ERROR_INVALID_ALLOCATION;
	*permission = range.access;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_vmem_export_shareable_handle(int *file, hsa_amd_vmem_alloc_handle_t handle, uint64_t flags)
{
	(void)flags;
	if (!file || !handle.handle)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	*file = dup(handle_of(handle)->file);
	return *file < 0 ? HSA_STATUS_ERROR_OUT_OF_RESOURCES : HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_vmem_import_shareable_handle(int file, hsa_amd_vmem_alloc_handle_t *handle)
{
	struct stat status;
	int copy = dup(file);
	if (copy < 0 || fstat(copy, &status))
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	return new_handle(copy, (size_t)status.st_size, &simhsa_device_pool, MEMORY_TYPE_NONE, handle);
}

hsa_status_t hsa_amd_vmem_retain_alloc_handle(hsa_amd_vmem_alloc_handle_t *handle, void *address)
{
	struct range range;
	if (!handle || !simhsa_range_find(address, &range) || range.kind != RANGE_MAPPED)
		return HSA_STATUS_ERROR_INVALID_ALLOCATION;
	handle->handle = range.vmem;
	atomic_fetch_add(&handle_of(*handle)->references, 1);
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_vmem_get_alloc_properties_from_handle(hsa_amd_vmem_alloc_handle_t handle,
		hsa_amd_memory_pool_t *pool, hsa_amd_memory_type_t *type)
{
	if (!handle.handle || !pool || !type)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	pool->handle = (uint64_t)(uintptr_t)handle_of(handle)->pool;
	*type = handle_of(handle)->type;
	return HSA_STATUS_SUCCESS;
}
