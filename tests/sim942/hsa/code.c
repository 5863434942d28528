/* Code object readers, executables, their symbols, and the loader extension. */
#include "simhsa.h"
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader { const void *data; size_t size; void *owned; };

struct symbol {
	struct symbol *next;
	struct executable *executable;
	char *name;                             /* as in the ELF: a kernel's ends in ".kd" */
	const struct sim942_kernel *kernel;     /* NULL: a variable */
	void *address;
	size_t size;
};
struct loaded {
	struct loaded *next;
	struct executable *executable;
	struct sim942_code *code;
};
struct executable {
	struct executable *next;
	struct loaded *codes;
	struct symbol *symbols;
	bool frozen;
};
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;     /* over all executables */
static struct executable *executables;

static struct executable *executable_of(hsa_executable_t handle)
{
	return (struct executable *)(uintptr_t)handle.handle;
}

/* ---- readers ---- */
static hsa_status_t new_reader(const void *data, size_t size, void *owned, hsa_code_object_reader_t *out)
{
	struct reader *reader = malloc(sizeof *reader);
	if (!reader) {
		free(owned);
		return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	}
	*reader = (struct reader){data, size, owned};
	out->handle = (uint64_t)(uintptr_t)reader;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_code_object_reader_create_from_memory(const void *data, size_t size, hsa_code_object_reader_t *out)
{
	REQUIRE_READY();
	return data && size && out ? new_reader(data, size, NULL, out) : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

hsa_status_t hsa_ven_amd_loader_code_object_reader_create_from_file_with_offset_size(hsa_file_t file, size_t offset,
		size_t size, hsa_code_object_reader_t *out)
{
	char *data = malloc(size ? size : 1);
	size_t done = 0;
	while (data && done < size) {
		ssize_t got = pread(file, data + done, size - done, (off_t)(offset + done));
		if (got <= 0) {
			free(data);
			return HSA_STATUS_ERROR_INVALID_FILE;
		}
		done += (size_t)got;
	}
	return data && out ? new_reader(data, size, data, out) : HSA_STATUS_ERROR_OUT_OF_RESOURCES;
}

hsa_status_t hsa_code_object_reader_create_from_file(hsa_file_t file, hsa_code_object_reader_t *out)
{
	struct stat status;
	REQUIRE_READY();
	if (fstat(file, &status))
		return HSA_STATUS_ERROR_INVALID_FILE;
	return hsa_ven_amd_loader_code_object_reader_create_from_file_with_offset_size(file, 0, (size_t)status.st_size, out);
}

hsa_status_t hsa_code_object_reader_destroy(hsa_code_object_reader_t handle)
{
	struct reader *reader = (struct reader *)(uintptr_t)handle.handle;
	if (!reader)
		return HSA_STATUS_ERROR_INVALID_CODE_OBJECT_READER;
	free(reader->owned);
	free(reader);
	return HSA_STATUS_SUCCESS;
}

/* ---- executables ---- */
hsa_status_t hsa_executable_create_alt(hsa_profile_t profile, hsa_default_float_rounding_mode_t rounding,
		const char *options, hsa_executable_t *out)
{
	(void)profile, (void)rounding, (void)options;
	REQUIRE_READY();
	struct executable *executable = out ? calloc(1, sizeof *executable) : NULL;
	if (!executable)
		return out ? HSA_STATUS_ERROR_OUT_OF_RESOURCES : HSA_STATUS_ERROR_INVALID_ARGUMENT;
	pthread_rwlock_wrlock(&lock);
	executable->next = executables;
	executables = executable;
	pthread_rwlock_unlock(&lock);
	out->handle = (uint64_t)(uintptr_t)executable;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_executable_create(hsa_profile_t profile, hsa_executable_state_t state, const char *options,
		hsa_executable_t *out)
{
	(void)state;
	return hsa_executable_create_alt(profile, HSA_DEFAULT_FLOAT_ROUNDING_MODE_DEFAULT, options, out);
}

hsa_status_t hsa_executable_destroy(hsa_executable_t handle)
{
	struct executable *executable = executable_of(handle);
	if (!executable)
		return HSA_STATUS_ERROR_INVALID_EXECUTABLE;
	pthread_rwlock_wrlock(&lock);
	struct executable **at = &executables;
	while (*at && *at != executable)
		at = &(*at)->next;
	if (*at)
		*at = executable->next;
	pthread_rwlock_unlock(&lock);
	while (executable->codes) {
		struct loaded *loaded = executable->codes;
		executable->codes = loaded->next;
		simhsa_unload(loaded->code);
		free(loaded);
	}
	while (executable->symbols) {
		struct symbol *symbol = executable->symbols;
		executable->symbols = symbol->next;
		free(symbol->name);
		free(symbol);
	}
	free(executable);
	return HSA_STATUS_SUCCESS;
}

/* Why this agent cannot run the code object, or NULL. */
static const char *mismatch(const struct reader *reader)
{
	const Elf64_Ehdr *header = reader->data;
	if (reader->size < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) || header->e_machine != 224)
		return "no AMDGPU ELF";
	uint32_t machine = header->e_flags & 0xff, xnack = header->e_flags >> 8 & 3, sramecc = header->e_flags >> 10 & 3;
	if (machine != 0x4c && machine != 0x5f)
		return "not for gfx942";
	return xnack == 3 ? "wants xnack+" : sramecc == 2 ? "wants sramecc-" : NULL;
}

hsa_status_t hsa_executable_load_agent_code_object(hsa_executable_t handle, hsa_agent_t agent,
		hsa_code_object_reader_t reader_handle, const char *options, hsa_loaded_code_object_t *out)
{
	struct executable *executable = executable_of(handle);
	struct reader *reader = (struct reader *)(uintptr_t)reader_handle.handle;
	char err[1024] = "";
	(void)options;
	REQUIRE_READY();
	if (!executable)
		return HSA_STATUS_ERROR_INVALID_EXECUTABLE;
	if (!reader)
		return HSA_STATUS_ERROR_INVALID_CODE_OBJECT_READER;
	if (simhsa_agent(agent) != &simhsa_gpu)
		return HSA_STATUS_ERROR_INVALID_AGENT;
	if (executable->frozen)
		return HSA_STATUS_ERROR_FROZEN_EXECUTABLE;
	const char *wrong = mismatch(reader);
	if (wrong) {
		simhsa_message("code object refused: %s", wrong);
		return HSA_STATUS_ERROR_INCOMPATIBLE_ARGUMENTS;
	}
	struct loaded *loaded = calloc(1, sizeof *loaded);
	if (!loaded)
		return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	if (simhsa_load(reader->data, reader->size, &loaded->code, err, sizeof err)) {
		simhsa_message("code object refused: %s", err);
		free(loaded);
		return HSA_STATUS_ERROR_INVALID_CODE_OBJECT;
	}
	loaded->executable = executable;
	pthread_rwlock_wrlock(&lock);
	loaded->next = executable->codes;
	executable->codes = loaded;
	pthread_rwlock_unlock(&lock);
	if (out)
		out->handle = (uint64_t)(uintptr_t)loaded;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_executable_freeze(hsa_executable_t handle, const char *options)
{
	(void)options;
	if (!handle.handle)
		return HSA_STATUS_ERROR_INVALID_EXECUTABLE;
	executable_of(handle)->frozen = true;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_executable_validate(hsa_executable_t handle, uint32_t *result)
{
	if (!handle.handle || !result)
		return HSA_STATUS_ERROR_INVALID_EXECUTABLE;
	*result = 0;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_executable_get_info(hsa_executable_t handle, hsa_executable_info_t attribute, void *value)
{
	if (!handle.handle)
		return HSA_STATUS_ERROR_INVALID_EXECUTABLE;
	switch ((int)attribute) {
	case HSA_EXECUTABLE_INFO_PROFILE:
		*(hsa_profile_t *)value = HSA_PROFILE_BASE;
		return HSA_STATUS_SUCCESS;
	case HSA_EXECUTABLE_INFO_STATE:
		*(hsa_executable_state_t *)value = executable_of(handle)->frozen ? HSA_EXECUTABLE_STATE_FROZEN
				: HSA_EXECUTABLE_STATE_UNFROZEN;
		return HSA_STATUS_SUCCESS;
	case HSA_EXECUTABLE_INFO_DEFAULT_FLOAT_ROUNDING_MODE:
		*(hsa_default_float_rounding_mode_t *)value = HSA_DEFAULT_FLOAT_ROUNDING_MODE_NEAR;
		return HSA_STATUS_SUCCESS;
	}
	return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

/* ---- symbols ---- */
/* Under the write lock: the symbol of this ELF name, made when it is first asked for. */
static struct symbol *find_symbol(struct executable *executable, const char *name)
{
	struct symbol found = {.executable = executable};
	size_t length = strlen(name);
	for (struct symbol *symbol = executable->symbols; symbol; symbol = symbol->next)
		if (!strcmp(symbol->name, name))
			return symbol;
	for (struct loaded *loaded = executable->codes; loaded && !found.kernel && !found.address; loaded = loaded->next) {
		if (length > 3 && !strcmp(name + length - 3, ".kd")) {
			char *base = strndup(name, length - 3);
			found.kernel = base ? sim942_kernel_by_name(loaded->code, base) : NULL;
			free(base);
		}
		if (!found.kernel)
			found.address = sim942_symbol(loaded->code, name, &found.size);
	}
	if (!found.kernel && !found.address)
		return NULL;
	struct symbol *symbol = malloc(sizeof *symbol);
	found.name = strdup(name);
	if (!symbol || !found.name)
		abort();
	*symbol = found;
	symbol->next = executable->symbols;
	return executable->symbols = symbol;
}

hsa_status_t hsa_executable_get_symbol_by_name(hsa_executable_t handle, const char *name, const hsa_agent_t *agent,
		hsa_executable_symbol_t *out)
{
	(void)agent;
	if (!handle.handle)
		return HSA_STATUS_ERROR_INVALID_EXECUTABLE;
	if (!name || !out)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	pthread_rwlock_wrlock(&lock);
	struct symbol *symbol = find_symbol(executable_of(handle), name);
	pthread_rwlock_unlock(&lock);
	out->handle = (uint64_t)(uintptr_t)symbol;
	return symbol ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_SYMBOL_NAME;
}

hsa_status_t hsa_executable_get_symbol(hsa_executable_t handle, const char *module, const char *name, hsa_agent_t agent,
		int32_t convention, hsa_executable_symbol_t *out)
{
	(void)module, (void)convention;
	return hsa_executable_get_symbol_by_name(handle, name, &agent, out);
}

static hsa_status_t kernel_info(const struct symbol *symbol, int attribute, void *value)
{
	const struct sim942_kernel *kernel = symbol->kernel;
	const uint16_t *properties = (const uint16_t *)((const char *)kernel->descriptor + 56);
	uint32_t number;
	switch (attribute) {
	case HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_OBJECT:
		*(uint64_t *)value = (uint64_t)(uintptr_t)kernel->descriptor;
		return HSA_STATUS_SUCCESS;
	case HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_DYNAMIC_CALLSTACK:
		*(bool *)value = *properties >> 11 & 1;
		return HSA_STATUS_SUCCESS;
	case HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_KERNARG_SEGMENT_SIZE:
		number = kernel->kernarg_bytes;
		break;
	case HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_KERNARG_SEGMENT_ALIGNMENT:
		number = 16;
		break;
	case HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_GROUP_SEGMENT_SIZE:
		number = kernel->lds_bytes;
		break;
	case HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_PRIVATE_SEGMENT_SIZE:
		number = kernel->scratch_bytes;
		break;
	default:
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	}
	*(uint32_t *)value = number;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_executable_symbol_get_info(hsa_executable_symbol_t handle, hsa_executable_symbol_info_t attribute,
		void *value)
{
	const struct symbol *symbol = (const struct symbol *)(uintptr_t)handle.handle;
	if (!symbol)
		return HSA_STATUS_ERROR_INVALID_EXECUTABLE_SYMBOL;
	if (!value)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	switch ((int)attribute) {
	case HSA_EXECUTABLE_SYMBOL_INFO_TYPE:
		*(hsa_symbol_kind_t *)value = symbol->kernel ? HSA_SYMBOL_KIND_KERNEL : HSA_SYMBOL_KIND_VARIABLE;
		return HSA_STATUS_SUCCESS;
	case HSA_EXECUTABLE_SYMBOL_INFO_NAME_LENGTH:
		*(uint32_t *)value = (uint32_t)strlen(symbol->name);
		return HSA_STATUS_SUCCESS;
	case HSA_EXECUTABLE_SYMBOL_INFO_NAME:
		memcpy(value, symbol->name, strlen(symbol->name));
		return HSA_STATUS_SUCCESS;
	case HSA_EXECUTABLE_SYMBOL_INFO_MODULE_NAME_LENGTH:
		*(uint32_t *)value = 0;
		return HSA_STATUS_SUCCESS;
	case HSA_EXECUTABLE_SYMBOL_INFO_AGENT:
		*(hsa_agent_t *)value = agent_handle(&simhsa_gpu);
		return HSA_STATUS_SUCCESS;
	case HSA_EXECUTABLE_SYMBOL_INFO_LINKAGE:
		*(hsa_symbol_linkage_t *)value = HSA_SYMBOL_LINKAGE_PROGRAM;
		return HSA_STATUS_SUCCESS;
	case HSA_EXECUTABLE_SYMBOL_INFO_IS_DEFINITION:
		*(bool *)value = true;
		return HSA_STATUS_SUCCESS;
	}
	if (symbol->kernel)
		return kernel_info(symbol, (int)attribute, value);
	switch ((int)attribute) {
	case HSA_EXECUTABLE_SYMBOL_INFO_VARIABLE_ADDRESS:
		*(uint64_t *)value = (uint64_t)(uintptr_t)symbol->address;
		return HSA_STATUS_SUCCESS;
	case HSA_EXECUTABLE_SYMBOL_INFO_VARIABLE_SIZE:
		*(uint32_t *)value = (uint32_t)symbol->size;
		return HSA_STATUS_SUCCESS;
	case HSA_EXECUTABLE_SYMBOL_INFO_VARIABLE_IS_CONST:
		*(bool *)value = false;
		return HSA_STATUS_SUCCESS;
	case HSA_EXECUTABLE_SYMBOL_INFO_VARIABLE_SEGMENT:
		*(hsa_variable_segment_t *)value = HSA_VARIABLE_SEGMENT_GLOBAL;
		return HSA_STATUS_SUCCESS;
	}
	return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

/* Kernels only: sim942 does not list variables. */
hsa_status_t hsa_executable_iterate_agent_symbols(hsa_executable_t handle, hsa_agent_t agent,
		hsa_status_t (*callback)(hsa_executable_t, hsa_agent_t, hsa_executable_symbol_t, void *), void *data)
{
	hsa_status_t status = HSA_STATUS_SUCCESS;
	if (!handle.handle)
		return HSA_STATUS_ERROR_INVALID_EXECUTABLE;
	for (struct loaded *loaded = executable_of(handle)->codes; loaded; loaded = loaded->next)
		for (size_t i = 0; i < sim942_kernel_count(loaded->code) && status == HSA_STATUS_SUCCESS; i++) {
			char name[1024];
			hsa_executable_symbol_t symbol;
			snprintf(name, sizeof name, "%s.kd", sim942_kernel_at(loaded->code, i)->name);
			status = hsa_executable_get_symbol_by_name(handle, name, &agent, &symbol);
			if (status == HSA_STATUS_SUCCESS)
				status = callback(handle, agent, symbol, data);
		}
	return status;
}

struct plain_callback {
	hsa_status_t (*call)(hsa_executable_t, hsa_executable_symbol_t, void *);
	void *data;
};

static hsa_status_t call_plain(hsa_executable_t executable, hsa_agent_t agent, hsa_executable_symbol_t symbol,
		void *data)
{
	const struct plain_callback *plain = data;
	(void)agent;
	return plain->call(executable, symbol, plain->data);
}

hsa_status_t hsa_executable_iterate_symbols(hsa_executable_t handle,
		hsa_status_t (*callback)(hsa_executable_t, hsa_executable_symbol_t, void *), void *data)
{
	struct plain_callback plain = {callback, data};
	return hsa_executable_iterate_agent_symbols(handle, agent_handle(&simhsa_gpu), call_plain, &plain);
}

/* Under a lock of either kind. */
static const struct sim942_kernel *kernel_at(const void *descriptor, struct executable **owner)
{
	for (struct executable *executable = executables; executable; executable = executable->next)
		for (struct loaded *loaded = executable->codes; loaded; loaded = loaded->next)
			for (size_t i = 0; i < sim942_kernel_count(loaded->code); i++)
				if (sim942_kernel_at(loaded->code, i)->descriptor == descriptor) {
					if (owner)
						*owner = executable;
					return sim942_kernel_at(loaded->code, i);
				}
	return NULL;
}

bool simhsa_kernel_name(const void *descriptor, char *text, size_t size)
{
	pthread_rwlock_rdlock(&lock);
	const struct sim942_kernel *kernel = kernel_at(descriptor, NULL);
	if (kernel)
		snprintf(text, size, "%s", kernel->name);
	pthread_rwlock_unlock(&lock);
	return kernel != NULL;
}

/* ---- loader extension ---- */
hsa_status_t hsa_ven_amd_loader_query_host_address(const void *device, const void **host)
{
	if (!device || !host)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	*host = device;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_ven_amd_loader_query_segment_descriptors(hsa_ven_amd_loader_segment_descriptor_t *descriptors,
		size_t *descriptor_count)
{
	(void)descriptors;
	if (!descriptor_count)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	*descriptor_count = 0;
	return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_ven_amd_loader_query_executable(const void *device, hsa_executable_t *out)
{
	struct executable *owner = NULL;
	pthread_rwlock_rdlock(&lock);
	const struct sim942_kernel *kernel = kernel_at(device, &owner);
	pthread_rwlock_unlock(&lock);
	out->handle = (uint64_t)(uintptr_t)owner;
	return kernel ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

hsa_status_t hsa_ven_amd_loader_executable_iterate_loaded_code_objects(hsa_executable_t handle,
		hsa_status_t (*callback)(hsa_executable_t, hsa_loaded_code_object_t, void *), void *data)
{
	hsa_status_t status = HSA_STATUS_SUCCESS;
	if (!handle.handle)
		return HSA_STATUS_ERROR_INVALID_EXECUTABLE;
	for (struct loaded *loaded = executable_of(handle)->codes; loaded && status == HSA_STATUS_SUCCESS;
			loaded = loaded->next)
		status = callback(handle, (hsa_loaded_code_object_t){(uint64_t)(uintptr_t)loaded}, data);
	return status;
}

hsa_status_t hsa_ven_amd_loader_loaded_code_object_get_info(hsa_loaded_code_object_t handle,
		hsa_ven_amd_loader_loaded_code_object_info_t attribute, void *value)
{
	const struct loaded *loaded = (const struct loaded *)(uintptr_t)handle.handle;
	if (!loaded || !value)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	switch (attribute) {
	case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_EXECUTABLE:
		((hsa_executable_t *)value)->handle = (uint64_t)(uintptr_t)loaded->executable;
		return HSA_STATUS_SUCCESS;
	case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_KIND:
		*(uint32_t *)value = HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_KIND_AGENT;
		return HSA_STATUS_SUCCESS;
	case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_AGENT:
		*(hsa_agent_t *)value = agent_handle(&simhsa_gpu);
		return HSA_STATUS_SUCCESS;
	default:
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	}
}

hsa_status_t hsa_ven_amd_loader_iterate_executables(hsa_status_t (*callback)(hsa_executable_t, void *), void *data)
{
	hsa_status_t status = HSA_STATUS_SUCCESS;
	pthread_rwlock_rdlock(&lock);
	for (struct executable *at = executables; at && status == HSA_STATUS_SUCCESS; at = at->next)
		status = callback((hsa_executable_t){(uint64_t)(uintptr_t)at}, data);
	pthread_rwlock_unlock(&lock);
	return status;
}
