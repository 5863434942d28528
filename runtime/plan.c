#include "runtime/plan.h"

#include "kernels/abi.h"
#include "runtime/plan_tables.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define PLAN_BYTES_MAX ((size_t)1 << 30)

static const size_t ITEM_BYTES[GRETA_PLAN_SECTION_COUNT] = {
    sizeof(struct greta_plan_tensor), sizeof(struct greta_plan_buffer), sizeof(struct greta_plan_program),
    sizeof(struct greta_plan_launch), sizeof(struct greta_plan_reloc),  1, 1, 1,
};

uint64_t greta_plan_checksum(const void *data, size_t bytes)
{
	const size_t at = offsetof(struct greta_plan_header, checksum), behind = at + sizeof(uint64_t);
	return XXH3_64bits_withSeed((const uint8_t *)data + behind, bytes - behind, XXH3_64bits(data, at));
}

uint64_t greta_plan_device_bytes(const struct greta_plan_header *header)
{
	return header->region_bytes[GRETA_REGION_WEIGHTS] + header->region_bytes[GRETA_REGION_KV] +
	       header->region_bytes[GRETA_REGION_ARENA] + header->region_bytes[GRETA_REGION_STATE];
}

uint64_t greta_plan_staging_bytes(const struct greta_plan_header *header)
{
	return sizeof(struct greta_state) + ((uint64_t)header->context + 1) * sizeof(uint32_t);
}

uint64_t greta_plan_host_bytes(const struct greta_plan_header *header)
{
	return header->region_bytes[GRETA_REGION_IO] + greta_plan_staging_bytes(header);
}

/* Sections lie inside the file, in order, each at a multiple of 64. */
static bool sections_fit(const struct greta_plan_header *header)
{
	uint64_t end = sizeof(*header);
	for (int s = 0; s < GRETA_PLAN_SECTION_COUNT; s++) {
		const struct greta_plan_extent *extent = &header->sections[s];
		if (extent->offset % 64 || extent->offset < end || extent->offset > header->file_bytes ||
		    extent->count > (header->file_bytes - extent->offset) / ITEM_BYTES[s])
			return false;
		end = extent->offset + extent->count * ITEM_BYTES[s];
	}
	return true;
}

static enum greta_status check_header(const uint8_t *data, size_t bytes, struct greta_error *error)
{
	const struct greta_plan_header *header = (const void *)data;
	if ((uintptr_t)data % 8)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "the plan's memory is not aligned to 8 bytes");
	if (bytes < offsetof(struct greta_plan_header, file_bytes) || header->magic != GRETA_PLAN_MAGIC)
		return greta_fail(error, GRETA_ERROR_FORMAT, "not a plan");
	if (header->version != GRETA_PLAN_VERSION)
		return greta_fail(error, GRETA_ERROR_MISMATCH,
				  "the plan has version %u, this build reads %d: make it again with greta-plan build",
				  header->version, GRETA_PLAN_VERSION);
	if (bytes < sizeof(*header) || header->header_bytes != sizeof(*header) || header->file_bytes != bytes)
		return greta_fail(error, GRETA_ERROR_FORMAT, "damaged plan: it has %zu bytes and should have %llu",
				  bytes,
				  bytes < sizeof(*header) ? (unsigned long long)sizeof(*header)
							  : (unsigned long long)header->file_bytes);
	if (greta_plan_checksum(data, bytes) != header->checksum)
		return greta_fail(error, GRETA_ERROR_FORMAT, "damaged plan: its checksum does not fit");
	if (header->abi_hash != greta_abi_hash())
		return greta_fail(error, GRETA_ERROR_MISMATCH,
				  "the plan was made for other kernels (ABI %016llx) than this build's (%016llx): make it again with "
				  "greta-plan build",
				  (unsigned long long)header->abi_hash, (unsigned long long)greta_abi_hash());
	if (!sections_fit(header))
		return greta_fail(error, GRETA_ERROR_FORMAT, "damaged plan: a section lies outside the file");
	return GRETA_OK;
}

enum greta_status greta_plan_open_memory(const void *data, size_t bytes, struct greta_plan *out_plan,
					 struct greta_error *error)
{
	enum greta_status status = check_header(data, bytes, error);
	if (status != GRETA_OK)
		return status;
	const struct greta_plan_header *header = data;
	const uint8_t *base = data;
	const struct greta_plan_extent *sections = header->sections;
	struct greta_plan plan = {
	    .header = header,
	    .tensors = (const void *)(base + sections[GRETA_PLAN_TENSORS].offset),
	    .buffers = (const void *)(base + sections[GRETA_PLAN_BUFFERS].offset),
	    .programs = (const void *)(base + sections[GRETA_PLAN_PROGRAMS].offset),
	    .launches = (const void *)(base + sections[GRETA_PLAN_LAUNCHES].offset),
	    .relocs = (const void *)(base + sections[GRETA_PLAN_RELOCS].offset),
	    .args = base + sections[GRETA_PLAN_ARGS].offset,
	    .constants = base + sections[GRETA_PLAN_CONSTANTS].offset,
	    .strings = (const char *)base + sections[GRETA_PLAN_STRINGS].offset,
	    .tensor_count = sections[GRETA_PLAN_TENSORS].count,
	    .buffer_count = sections[GRETA_PLAN_BUFFERS].count,
	    .program_count = sections[GRETA_PLAN_PROGRAMS].count,
	    .launch_count = sections[GRETA_PLAN_LAUNCHES].count,
	    .reloc_count = sections[GRETA_PLAN_RELOCS].count,
	};
	status = greta_plan_check_tables(&plan, error);
	if (status == GRETA_OK)
		*out_plan = plan;
	return status;
}

/* Maps the whole of an ordinary file. */
static enum greta_status map(const char *path, void **out_data, size_t *out_bytes, struct greta_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* not waiting for a pipe */
	if (fd < 0)
		return greta_fail(error, GRETA_ERROR_IO, "cannot open %s: %s", path, strerror(errno));
	struct stat about;
	void *data = MAP_FAILED;
	enum greta_status status = GRETA_OK;
	if (fstat(fd, &about))
		status = greta_fail(error, GRETA_ERROR_IO, "cannot read %s: %s", path, strerror(errno));
	else if (!S_ISREG(about.st_mode))
		status = greta_fail(error, GRETA_ERROR_IO, "%s is not a file", path);
	else if (about.st_size == 0 || (uint64_t)about.st_size > PLAN_BYTES_MAX)
		status = greta_fail(error, GRETA_ERROR_FORMAT, "%s: not a plan", path);
	else
		data = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (status == GRETA_OK && data == MAP_FAILED)
		status = greta_fail(error, GRETA_ERROR_IO, "cannot map %s: %s", path, strerror(errno));
	close(fd);
	if (status == GRETA_OK) {
		*out_data = data;
		*out_bytes = (size_t)about.st_size;
	}
	return status;
}

enum greta_status greta_plan_open(const char *path, struct greta_plan *out_plan, struct greta_error *error)
{
	void *data = NULL;
	size_t bytes = 0;
	enum greta_status status = map(path, &data, &bytes, error);
	if (status != GRETA_OK || !data)
		return status;
	struct greta_error inner = {0};
	struct greta_plan plan;
	status = greta_plan_open_memory(data, bytes, &plan, &inner);
	if (status != GRETA_OK) {
		munmap(data, bytes);
		return greta_fail(error, status, "%s: %s", path, inner.message);
	}
	plan.mapping = data;
	plan.mapping_bytes = bytes;
	*out_plan = plan;
	return GRETA_OK;
}

void greta_plan_close(struct greta_plan *plan)
{
	if (!plan)
		return;
	if (plan->mapping)
		munmap(plan->mapping, plan->mapping_bytes);
	*plan = (struct greta_plan){0};
}

const char *greta_block_name(uint32_t logic_block)
{
	static const char *const names[] = {
#define X(name, text) text,
	    GRETA_BLOCKS(X)
#undef X
	};
	return logic_block < GRETA_BLOCK_COUNT ? names[logic_block] : "?";
}
