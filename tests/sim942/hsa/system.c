/* hsa_init, system information, status strings, extension tables. */
#include "simhsa.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_int references;

bool simhsa_ready(void)
{
	return atomic_load(&references) > 0;
}

hsa_status_t hsa_init(void)
{
	if (atomic_fetch_add(&references, 1) == 0) {
		const char *threads = getenv("SIMHSA_THREADS"), *patience = getenv("SIMHSA_PATIENCE");
		if (threads && atoi(threads) > 0)
			sim942_set_threads((unsigned)atoi(threads));
		if (patience && atoi(patience) > 0)
			sim942_set_patience((unsigned)atoi(patience));
	}
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_shut_down(void)
{
	int before = atomic_load(&references);
	do {
		if (before <= 0)
			return HSA_STATUS_ERROR_NOT_INITIALIZED;
	} while (!atomic_compare_exchange_weak(&references, &before, before - 1));
	if (before == 1) {
		simhsa_handlers_stop();
		simhsa_copies_stop();
	}
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_system_get_info(hsa_system_info_t attribute, void *value)
{
	REQUIRE_READY();
	if (!value)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	switch ((int)attribute) {
	case HSA_SYSTEM_INFO_VERSION_MAJOR:
		*(uint16_t *)value = 1;
		break;
	case HSA_SYSTEM_INFO_VERSION_MINOR:
		*(uint16_t *)value = 1;
		break;
	case HSA_SYSTEM_INFO_TIMESTAMP:
		*(uint64_t *)value = simhsa_now();
		break;
	case HSA_SYSTEM_INFO_TIMESTAMP_FREQUENCY:
		*(uint64_t *)value = 1000000000;
		break;
	case HSA_SYSTEM_INFO_SIGNAL_MAX_WAIT:
		*(uint64_t *)value = UINT64_MAX;
		break;
	case HSA_SYSTEM_INFO_ENDIANNESS:
		*(hsa_endianness_t *)value = HSA_ENDIANNESS_LITTLE;
		break;
	case HSA_SYSTEM_INFO_MACHINE_MODEL:
		*(hsa_machine_model_t *)value = HSA_MACHINE_MODEL_LARGE;
		break;
	case HSA_SYSTEM_INFO_EXTENSIONS:
		memset(value, 0, 128);
		((uint8_t *)value)[HSA_EXTENSION_AMD_LOADER / 8] |= 1u << HSA_EXTENSION_AMD_LOADER % 8;
		break;
	case HSA_AMD_SYSTEM_INFO_BUILD_VERSION:
		*(const char **)value = "1.18 (simulated gfx942)";
		break;
	case HSA_AMD_SYSTEM_INFO_SVM_SUPPORTED:
	case HSA_AMD_SYSTEM_INFO_SVM_ACCESSIBLE_BY_DEFAULT:
	case HSA_AMD_SYSTEM_INFO_MWAITX_ENABLED:
	case HSA_AMD_SYSTEM_INFO_DMABUF_SUPPORTED:
	case HSA_AMD_SYSTEM_INFO_XNACK_ENABLED:
		*(bool *)value = false;
		break;
	case HSA_AMD_SYSTEM_INFO_VIRTUAL_MEM_API_SUPPORTED:
		*(bool *)value = true;
		break;
	case HSA_AMD_SYSTEM_INFO_EXT_VERSION_MAJOR:
		*(uint16_t *)value = HSA_AMD_INTERFACE_VERSION_MAJOR;
		break;
	case HSA_AMD_SYSTEM_INFO_EXT_VERSION_MINOR:
		*(uint16_t *)value = HSA_AMD_INTERFACE_VERSION_MINOR;
		break;
	default:
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	}
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_status_string(hsa_status_t status, const char **text)
{
	static const struct { int status; const char *text; } known[] = {
		{HSA_STATUS_SUCCESS, "HSA_STATUS_SUCCESS: done"},
		{HSA_STATUS_INFO_BREAK, "HSA_STATUS_INFO_BREAK: an iteration was ended by its callback"},
		{HSA_STATUS_ERROR, "HSA_STATUS_ERROR: failed"},
		{HSA_STATUS_ERROR_INVALID_ARGUMENT, "HSA_STATUS_ERROR_INVALID_ARGUMENT: a bad argument"},
		{HSA_STATUS_ERROR_INVALID_QUEUE_CREATION, "HSA_STATUS_ERROR_INVALID_QUEUE_CREATION: bad queue arguments"},
		{HSA_STATUS_ERROR_INVALID_ALLOCATION, "HSA_STATUS_ERROR_INVALID_ALLOCATION: this cannot be allocated"},
		{HSA_STATUS_ERROR_INVALID_AGENT, "HSA_STATUS_ERROR_INVALID_AGENT: no such agent"},
		{HSA_STATUS_ERROR_INVALID_SIGNAL, "HSA_STATUS_ERROR_INVALID_SIGNAL: no such signal"},
		{HSA_STATUS_ERROR_INVALID_QUEUE, "HSA_STATUS_ERROR_INVALID_QUEUE: no such queue"},
		{HSA_STATUS_ERROR_OUT_OF_RESOURCES, "HSA_STATUS_ERROR_OUT_OF_RESOURCES: out of resources"},
		{HSA_STATUS_ERROR_INVALID_PACKET_FORMAT, "HSA_STATUS_ERROR_INVALID_PACKET_FORMAT: a malformed AQL packet"},
		{HSA_STATUS_ERROR_NOT_INITIALIZED, "HSA_STATUS_ERROR_NOT_INITIALIZED: hsa_init was not called"},
		{HSA_STATUS_ERROR_INVALID_ISA, "HSA_STATUS_ERROR_INVALID_ISA: no such instruction set"},
		{HSA_STATUS_ERROR_INVALID_CODE_OBJECT, "HSA_STATUS_ERROR_INVALID_CODE_OBJECT: a bad code object"},
		{HSA_STATUS_ERROR_INVALID_EXECUTABLE, "HSA_STATUS_ERROR_INVALID_EXECUTABLE: no such executable"},
		{HSA_STATUS_ERROR_INVALID_SYMBOL_NAME, "HSA_STATUS_ERROR_INVALID_SYMBOL_NAME: no symbol of that name"},
		{HSA_STATUS_ERROR_EXCEPTION, "HSA_STATUS_ERROR_EXCEPTION: a kernel raised a hardware exception"},
		{HSA_STATUS_ERROR_INVALID_MEMORY_POOL, "HSA_STATUS_ERROR_INVALID_MEMORY_POOL: no such memory pool"},
		{HSA_STATUS_ERROR_MEMORY_APERTURE_VIOLATION, "HSA_STATUS_ERROR_MEMORY_APERTURE_VIOLATION: a kernel left an aperture"},
		{HSA_STATUS_ERROR_ILLEGAL_INSTRUCTION,
			"HSA_STATUS_ERROR_ILLEGAL_INSTRUCTION: the simulator cannot execute an instruction"},
		{HSA_STATUS_ERROR_MEMORY_FAULT, "HSA_STATUS_ERROR_MEMORY_FAULT: a kernel accessed memory that is not mapped"},
		{HSA_STATUS_ERROR_OUT_OF_REGISTERS, "HSA_STATUS_ERROR_OUT_OF_REGISTERS: too many registers for the work-group"},
		{HSA_STATUS_ERROR_RESOURCE_BUSY, "HSA_STATUS_ERROR_RESOURCE_BUSY: busy"},
		{HSA_STATUS_ERROR_NOT_SUPPORTED, "HSA_STATUS_ERROR_NOT_SUPPORTED: not supported"},
	};
	if (!text)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].status == (int)status) {
			*text = known[i].text;
			return HSA_STATUS_SUCCESS;
		}
	*text = "HSA status without a description";
	return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

/* Logging of the runtime's own packets: accepted, there are none. */
hsa_status_t hsa_amd_enable_logging(uint8_t *flags, void *file)
{
	(void)flags, (void)file;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_extension_get_name(uint16_t extension, const char **name)
{
	if (extension != HSA_EXTENSION_AMD_LOADER || !name)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	*name = "HSA_EXTENSION_AMD_LOADER";
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_system_major_extension_supported(uint16_t extension, uint16_t major, uint16_t *minor, bool *result)
{
	REQUIRE_READY();
	if (!minor || !result)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	*result = extension == HSA_EXTENSION_AMD_LOADER && major == 1;
	if (*result)
		*minor = 3;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_system_extension_supported(uint16_t extension, uint16_t major, uint16_t minor, bool *result)
{
	uint16_t have = 0;
	hsa_status_t status = hsa_system_major_extension_supported(extension, major, &have, result);
	if (status == HSA_STATUS_SUCCESS)
		*result = *result && minor <= have;
	return status;
}

hsa_status_t hsa_agent_major_extension_supported(uint16_t extension, hsa_agent_t agent, uint16_t major, uint16_t *minor,
		bool *result)
{
	return simhsa_agent(agent) ? hsa_system_major_extension_supported(extension, major, minor, result)
			: HSA_STATUS_ERROR_INVALID_AGENT;
}

hsa_status_t hsa_agent_extension_supported(uint16_t extension, hsa_agent_t agent, uint16_t major, uint16_t minor,
		bool *result)
{
	return simhsa_agent(agent) ? hsa_system_extension_supported(extension, major, minor, result)
			: HSA_STATUS_ERROR_INVALID_AGENT;
}

hsa_status_t hsa_system_get_major_extension_table(uint16_t extension, uint16_t major, size_t bytes, void *table)
{
	static const hsa_ven_amd_loader_1_03_pfn_t loader = {
		hsa_ven_amd_loader_query_host_address,
		hsa_ven_amd_loader_query_segment_descriptors,
		hsa_ven_amd_loader_query_executable,
		hsa_ven_amd_loader_executable_iterate_loaded_code_objects,
		hsa_ven_amd_loader_loaded_code_object_get_info,
		hsa_ven_amd_loader_code_object_reader_create_from_file_with_offset_size,
		hsa_ven_amd_loader_iterate_executables,
	};
	REQUIRE_READY();
	if (!table)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	if (extension != HSA_EXTENSION_AMD_LOADER || major != 1) {
		if (simhsa_tracing(2))
			simhsa_trace("extension table %#x.%u asked for: absent", extension, major);
		return HSA_STATUS_ERROR;
	}
	memcpy(table, &loader, bytes < sizeof loader ? bytes : sizeof loader);
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_system_get_extension_table(uint16_t extension, uint16_t major, uint16_t minor, void *table)
{
	static const size_t bytes[] = {sizeof(hsa_ven_amd_loader_1_00_pfn_t), sizeof(hsa_ven_amd_loader_1_01_pfn_t),
			sizeof(hsa_ven_amd_loader_1_02_pfn_t), sizeof(hsa_ven_amd_loader_1_03_pfn_t)};
	return minor < 4 ? hsa_system_get_major_extension_table(extension, major, bytes[minor], table) : HSA_STATUS_ERROR;
}
