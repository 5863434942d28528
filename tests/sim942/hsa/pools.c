/* Memory pools (AMD extension) and regions (HSA standard): the same descriptors serve both. */
#include "simhsa.h"
#include <string.h>
#include <unistd.h>

#define GLOBAL_POOL(owner, what, bytes, text) \
	{&(owner), HSA_AMD_SEGMENT_GLOBAL, HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_##what, (bytes), 4096, (text)}
#define HOST_BYTES (64ull << 30)

const struct pool simhsa_device_pool = GLOBAL_POOL(simhsa_gpu, COARSE_GRAINED, SIMHSA_VRAM_BYTES, "device coarse");
static const struct pool device_fine_extended =
		GLOBAL_POOL(simhsa_gpu, EXTENDED_SCOPE_FINE_GRAINED, SIMHSA_VRAM_BYTES, "device fine extended");
static const struct pool device_fine = GLOBAL_POOL(simhsa_gpu, FINE_GRAINED, SIMHSA_VRAM_BYTES, "device fine");
static const struct pool device_group = {&simhsa_gpu, HSA_AMD_SEGMENT_GROUP, 0, SIMHSA_LDS_BYTES, 0, "LDS"};
static const struct pool host_fine = GLOBAL_POOL(simhsa_cpu, FINE_GRAINED, HOST_BYTES, "host fine");
static const struct pool host_fine_extended =
		GLOBAL_POOL(simhsa_cpu, EXTENDED_SCOPE_FINE_GRAINED, HOST_BYTES, "host fine extended");
static const struct pool host_kernarg = {&simhsa_cpu, HSA_AMD_SEGMENT_GLOBAL,
		HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_KERNARG_INIT
		| HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_FINE_GRAINED, HOST_BYTES, 4096, "host kernarg"};
static const struct pool host_coarse = GLOBAL_POOL(simhsa_cpu, COARSE_GRAINED, HOST_BYTES, "host coarse");

static const struct pool *const pools[] = {&host_fine, &host_fine_extended, &host_kernarg, &host_coarse,
		&simhsa_device_pool, &device_fine_extended, &device_fine, &device_group};
#define POOLS (sizeof pools / sizeof *pools)

const struct pool *simhsa_pool(hsa_amd_memory_pool_t handle)
{
	for (size_t i = 0; i < POOLS; i++)
		if ((uint64_t)(uintptr_t)pools[i] == handle.handle)
			return pools[i];
	return NULL;
}

hsa_status_t hsa_amd_agent_iterate_memory_pools(hsa_agent_t agent,
		hsa_status_t (*callback)(hsa_amd_memory_pool_t, void *), void *data)
{
	REQUIRE_READY();
	if (!simhsa_agent(agent))
		return HSA_STATUS_ERROR_INVALID_AGENT;
	hsa_status_t status = HSA_STATUS_SUCCESS;
	for (size_t i = 0; i < POOLS && status == HSA_STATUS_SUCCESS; i++)
		if (pools[i]->agent == simhsa_agent(agent))
			status = callback((hsa_amd_memory_pool_t){(uint64_t)(uintptr_t)pools[i]}, data);
	return status;
}

hsa_status_t hsa_amd_memory_pool_get_info(hsa_amd_memory_pool_t handle, hsa_amd_memory_pool_info_t attribute,
		void *value)
{
	REQUIRE_READY();
	const struct pool *pool = simhsa_pool(handle);
	if (!pool)
		return BAD_POOL;
	if (!value)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	bool global = pool->segment == HSA_AMD_SEGMENT_GLOBAL;
	switch (attribute) {
	case HSA_AMD_MEMORY_POOL_INFO_SEGMENT:
		*(hsa_amd_segment_t *)value = pool->segment;
		break;
	case HSA_AMD_MEMORY_POOL_INFO_GLOBAL_FLAGS:
		if (!global)
			return HSA_STATUS_ERROR_INVALID_ARGUMENT;
		*(uint32_t *)value = pool->flags;
		break;
	case HSA_AMD_MEMORY_POOL_INFO_SIZE:
	case HSA_AMD_MEMORY_POOL_INFO_ALLOC_MAX_SIZE:
		*(size_t *)value = pool->size;
		break;
	case HSA_AMD_MEMORY_POOL_INFO_RUNTIME_ALLOC_ALLOWED:
		*(bool *)value = global;
		break;
	case HSA_AMD_MEMORY_POOL_INFO_RUNTIME_ALLOC_GRANULE:
	case HSA_AMD_MEMORY_POOL_INFO_RUNTIME_ALLOC_ALIGNMENT:
		*(size_t *)value = pool->granule;
		break;
	case HSA_AMD_MEMORY_POOL_INFO_RUNTIME_ALLOC_REC_GRANULE:
		*(size_t *)value = pool->agent->gpu && global ? 2u << 20 : pool->granule;
		break;
	case HSA_AMD_MEMORY_POOL_INFO_ACCESSIBLE_BY_ALL:
		*(bool *)value = global && !pool->agent->gpu;
		break;
	case HSA_AMD_MEMORY_POOL_INFO_LOCATION:
		*(hsa_amd_memory_pool_location_t *)value = pool->agent->gpu ? HSA_AMD_MEMORY_POOL_LOCATION_GPU
				: HSA_AMD_MEMORY_POOL_LOCATION_CPU;
		break;
	default:
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	}
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_agent_memory_pool_get_info(hsa_agent_t agent, hsa_amd_memory_pool_t handle,
		hsa_amd_agent_memory_pool_info_t attribute, void *value)
{
	REQUIRE_READY();
	const struct agent *asker = simhsa_agent(agent);
	const struct pool *pool = simhsa_pool(handle);
	if (!asker)
		return HSA_STATUS_ERROR_INVALID_AGENT;
	if (!pool)
		return BAD_POOL;
	bool own = pool->agent == asker;
	switch (attribute) {
	case HSA_AMD_AGENT_MEMORY_POOL_INFO_ACCESS:
		*(hsa_amd_memory_pool_access_t *)value = own ? HSA_AMD_MEMORY_POOL_ACCESS_ALLOWED_BY_DEFAULT
				: pool->segment == HSA_AMD_SEGMENT_GROUP ? HSA_AMD_MEMORY_POOL_ACCESS_NEVER_ALLOWED
				: HSA_AMD_MEMORY_POOL_ACCESS_DISALLOWED_BY_DEFAULT;
		break;
	case HSA_AMD_AGENT_MEMORY_POOL_INFO_NUM_LINK_HOPS:
		*(uint32_t *)value = own ? 0 : 1;
		break;
	case HSA_AMD_AGENT_MEMORY_POOL_INFO_LINK_INFO:
		if (!own)
			*(hsa_amd_memory_pool_link_info_t *)value = (hsa_amd_memory_pool_link_info_t){
				.atomic_support_32bit = true, .atomic_support_64bit = true, .coherent_support = true,
				.link_type = HSA_AMD_LINK_INFO_TYPE_PCIE, .numa_distance = 20};
		break;
	default:
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	}
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_memory_pool_can_migrate(hsa_amd_memory_pool_t from, hsa_amd_memory_pool_t to, bool *result)
{
	if (!simhsa_pool(from) || !simhsa_pool(to))
		return BAD_POOL;
	*result = false;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_memory_pool_allocate(hsa_amd_memory_pool_t handle, size_t size, uint32_t flags, void **pointer)
{
	REQUIRE_READY();
	const struct pool *pool = simhsa_pool(handle);
	if (!pool)
		return BAD_POOL;
	if (!pointer || !size)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	hsa_status_t status = simhsa_allocate(pool, size, pointer);
	if (simhsa_tracing(2))
		simhsa_trace("allocate %zu bytes (flags %#x) of %s: %p", size, flags, pool->name,
				status == HSA_STATUS_SUCCESS ? *pointer : NULL);
	return status;
}

hsa_status_t hsa_amd_memory_pool_free(void *pointer)
{
	REQUIRE_READY();
	if (simhsa_tracing(2))
		simhsa_trace("free %p", pointer);
	return simhsa_free(pointer);
}

/* ---- regions ---- */
hsa_status_t hsa_agent_iterate_regions(hsa_agent_t agent, hsa_status_t (*callback)(hsa_region_t, void *), void *data)
{
	REQUIRE_READY();
	if (!simhsa_agent(agent))
		return HSA_STATUS_ERROR_INVALID_AGENT;
	hsa_status_t status = HSA_STATUS_SUCCESS;
	for (size_t i = 0; i < POOLS && status == HSA_STATUS_SUCCESS; i++)
		if (pools[i]->agent == simhsa_agent(agent))
			status = callback((hsa_region_t){(uint64_t)(uintptr_t)pools[i]}, data);
	return status;
}

hsa_status_t hsa_region_get_info(hsa_region_t region, hsa_region_info_t attribute, void *value)
{
	hsa_amd_memory_pool_t pool = {region.handle};
	switch ((int)attribute) {
	case HSA_REGION_INFO_SEGMENT:
		return hsa_amd_memory_pool_get_info(pool, HSA_AMD_MEMORY_POOL_INFO_SEGMENT, value);
	case HSA_REGION_INFO_GLOBAL_FLAGS:
		return hsa_amd_memory_pool_get_info(pool, HSA_AMD_MEMORY_POOL_INFO_GLOBAL_FLAGS, value);
	case HSA_REGION_INFO_SIZE:
	case HSA_REGION_INFO_ALLOC_MAX_SIZE:
		return hsa_amd_memory_pool_get_info(pool, HSA_AMD_MEMORY_POOL_INFO_SIZE, value);
	case HSA_REGION_INFO_RUNTIME_ALLOC_ALLOWED:
		return hsa_amd_memory_pool_get_info(pool, HSA_AMD_MEMORY_POOL_INFO_RUNTIME_ALLOC_ALLOWED, value);
	case HSA_REGION_INFO_RUNTIME_ALLOC_GRANULE:
	case HSA_REGION_INFO_RUNTIME_ALLOC_ALIGNMENT:
		return hsa_amd_memory_pool_get_info(pool, HSA_AMD_MEMORY_POOL_INFO_RUNTIME_ALLOC_GRANULE, value);
	case HSA_AMD_REGION_INFO_HOST_ACCESSIBLE:
		*(bool *)value = simhsa_pool(pool) && simhsa_pool(pool)->segment == HSA_AMD_SEGMENT_GLOBAL;
		return HSA_STATUS_SUCCESS;
	default:
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	}
}

hsa_status_t hsa_memory_allocate(hsa_region_t region, size_t size, void **pointer)
{
	return hsa_amd_memory_pool_allocate((hsa_amd_memory_pool_t){region.handle}, size, 0, pointer);
}

hsa_status_t hsa_memory_free(void *pointer)
{
	return hsa_amd_memory_pool_free(pointer);
}
