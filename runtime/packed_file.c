#include "runtime/packed_file.h"

#include "kernels/abi.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define PACKED_MAGIC UINT64_C(0x5354485745544552) /* "RETEWHTS", little-endian */
#define PACKED_VERSION 3

struct packed_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_bytes; /* GRETA_PACKED_HEADER_BYTES */
	struct greta_content content; /* of the model */
	uint64_t layout_hash;
	uint64_t region_bytes;
	uint64_t contents;     /* hash of the region's, made when it was packed */
	uint64_t checksum;     /* XXH3-64 of the fields before */
};

uint64_t greta_packed_layout_hash(const struct greta_plan *plan)
{
	uint64_t hash = plan->header->region_bytes[GRETA_REGION_WEIGHTS];
	for (size_t i = 0; i < plan->tensor_count; i++) {
		const struct greta_plan_tensor *tensor = &plan->tensors[i];
		if (tensor->region != GRETA_REGION_WEIGHTS)
			continue;
		const uint64_t numbers[] = {tensor->offset, tensor->bytes, tensor->source, tensor->source_bytes,
					    tensor->type, tensor->layout, tensor->rows, tensor->cols, tensor->constant};
		hash = XXH3_64bits_withSeed(numbers, sizeof(numbers), hash);
	}
	return XXH3_64bits_withSeed(plan->constants, plan->header->sections[GRETA_PLAN_CONSTANTS].count, hash);
}

static struct packed_header header_for(const struct greta_plan *plan, const struct greta_content *content,
				       uint64_t contents)
{
	struct packed_header header = {
		.magic = PACKED_MAGIC,
		.version = PACKED_VERSION,
		.header_bytes = GRETA_PACKED_HEADER_BYTES,
		.layout_hash = greta_packed_layout_hash(plan),
		.region_bytes = plan->header->region_bytes[GRETA_REGION_WEIGHTS],
		.content = *content,
		.contents = contents,
	};
	header.checksum = XXH3_64bits(&header, offsetof(struct packed_header, checksum));
	return header;
}

static enum greta_status file_bytes(const struct greta_plan *plan, size_t *out_bytes, struct greta_error *error)
{
	uint64_t region = plan->header->region_bytes[GRETA_REGION_WEIGHTS];
	if (region > (uint64_t)PTRDIFF_MAX - GRETA_PACKED_HEADER_BYTES)
		return greta_fail(error, GRETA_ERROR_MEMORY, "a weights region of %llu bytes cannot be mapped",
				  (unsigned long long)region);
	*out_bytes = (size_t)region + GRETA_PACKED_HEADER_BYTES;
	return GRETA_OK;
}

enum greta_status greta_packed_file_open(struct greta_packed_file *file, const char *path,
					 const struct greta_plan *plan, const struct greta_content *content,
					 struct greta_error *error)
{
	size_t bytes = 0;
	struct stat found;
	enum greta_status status = file_bytes(plan, &bytes, error);
	if (status != GRETA_OK)
		return status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return greta_fail(error, GRETA_ERROR_IO, "cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode) || (uint64_t)found.st_size != bytes) {
		close(fd);
		return greta_fail(error, GRETA_ERROR_FORMAT, "%s has not the size of this plan's weights", path);
	}
	void *mapping = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	int reason = errno;
	close(fd);
	if (mapping == MAP_FAILED)
		return greta_fail(error, GRETA_ERROR_MEMORY, "cannot map %s: %s", path, strerror(reason));
	struct packed_header there;
	memcpy(&there, mapping, sizeof(there));
	struct packed_header wanted = header_for(plan, content, there.contents);
	if (memcmp(&there, &wanted, sizeof(wanted)) == 0) {
		*file = (struct greta_packed_file){.mapping = mapping, .mapping_bytes = bytes, .contents = there.contents};
		return GRETA_OK;
	}
	munmap(mapping, bytes);
	if (there.magic == PACKED_MAGIC && there.version != PACKED_VERSION)
		return greta_fail(error, GRETA_ERROR_UNSUPPORTED, "%s is of version %u, not %u", path, there.version,
				  PACKED_VERSION);
	return greta_fail(error, GRETA_ERROR_FORMAT, "%s is damaged or not of this model and plan", path);
}

enum greta_status greta_packed_file_create(struct greta_packed_file *file, struct greta_new_file *out_new,
                                           const char *path, const struct greta_plan *plan, struct greta_error *error)
{
	size_t bytes = 0;
	struct greta_new_file new;
	enum greta_status status = file_bytes(plan, &bytes, error);
	if (status == GRETA_OK)
		status = greta_new_file_init(&new, path, error);
	if (status != GRETA_OK)
		return status;
	if (fallocate(new.fd, 0, 0, (off_t)bytes) != 0) {
		greta_fail(error, GRETA_ERROR_IO, "cannot reserve %zu bytes for %s: %s", bytes, path, strerror(errno));
		greta_new_file_finish(&new);
		return GRETA_ERROR_IO;
	}
	void *mapping = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, new.fd, 0);
	if (mapping == MAP_FAILED) {
		greta_fail(error, GRETA_ERROR_MEMORY, "cannot map %s: %s", path, strerror(errno));
		greta_new_file_finish(&new);
		return GRETA_ERROR_MEMORY;
	}
	*file = (struct greta_packed_file){.mapping = mapping, .mapping_bytes = bytes};
	*out_new = new;
	return GRETA_OK;
}

enum greta_status greta_packed_file_commit(struct greta_packed_file *file, struct greta_new_file *new,
					   const struct greta_plan *plan, const struct greta_content *content,
					   uint64_t contents, struct greta_error *error)
{
	struct packed_header header = header_for(plan, content, contents);
	file->contents = contents;
	memcpy(file->mapping, &header, sizeof(header));
	enum greta_status status = greta_new_file_commit(new, error);
	greta_new_file_finish(new);
	/* Only guards against the program's own mistakes, so a refusal does not matter. */
	(void)mprotect(file->mapping, file->mapping_bytes, PROT_READ);
	return status;
}

void greta_packed_file_finish(struct greta_packed_file *file)
{
	if (file->mapping)
		munmap(file->mapping, file->mapping_bytes);
	*file = (struct greta_packed_file){0};
}
