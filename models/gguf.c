#include "models/gguf.h"
#include "models/gguf_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* After which a change gets another time on any file system (FAT counts in twos). */
enum { SETTLED_S = 3 };

/* Takes over `mapping`, also when it fails; NULL when the bytes stay the caller's. */
static enum greta_status open_bytes(const void *data, size_t size, void *mapping, const char *name,
				    struct greta_gguf **out_gguf, struct greta_error *error)
{
	struct greta_gguf *gguf = calloc(1, sizeof(*gguf));
	char *path = strdup(name);
	if (!gguf || !path) {
		free(gguf);
		free(path);
		if (mapping)
			munmap(mapping, size);
		return greta_fail(error, GRETA_ERROR_MEMORY, "%s: out of memory", name);
	}
	gguf->path = path;
	gguf->data = data;
	gguf->size = size;
	gguf->mapping = mapping;

	enum greta_status status = greta_gguf_read(gguf, error);
	if (status) {
		greta_gguf_close(gguf);
		return status;
	}
	*out_gguf = gguf;
	return GRETA_OK;
}

static struct greta_gguf_file file_of(const struct stat *info)
{
	return (struct greta_gguf_file){
		.device = info->st_dev,
		.inode = info->st_ino,
		.bytes = (uint64_t)info->st_size,
		.written_s = (uint64_t)info->st_mtim.tv_sec,
		.written_ns = (uint64_t)info->st_mtim.tv_nsec,
		.changed_s = (uint64_t)info->st_ctim.tv_sec,
		.changed_ns = (uint64_t)info->st_ctim.tv_nsec,
	};
}

enum greta_status greta_gguf_open(const char *path, struct greta_gguf **out_gguf, struct greta_error *error)
{
	struct stat info;
	time_t now = time(NULL); /* before the file is looked at: what changes later
				  * has a later time than SETTLED_S ago */
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* not waiting for somebody to write into a pipe */
	if (file < 0)
		return greta_fail(error, GRETA_ERROR_IO, "cannot open %s: %s", path, strerror(errno));
	if (fstat(file, &info)) {
		int reason = errno;
		close(file);
		return greta_fail(error, GRETA_ERROR_IO, "cannot examine %s: %s", path, strerror(reason));
	}
	if (!S_ISREG(info.st_mode) || info.st_size == 0) {
		close(file);
		return greta_fail(error, GRETA_ERROR_FORMAT, "%s: %s, not a GGUF file", path,
				  S_ISDIR(info.st_mode)  ? "a directory"
				  : S_ISREG(info.st_mode) ? "empty"
							  : "not a regular file");
	}
	void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, file, 0);
	int reason = errno;
	close(file);
	if (data == MAP_FAILED)
		return greta_fail(error, GRETA_ERROR_IO, "cannot map %s: %s", path, strerror(reason));
	enum greta_status status = open_bytes(data, (size_t)info.st_size, data, path, out_gguf, error);
	if (status == GRETA_OK) {
		(*out_gguf)->file = file_of(&info);
		(*out_gguf)->settled = info.st_ctim.tv_sec < now - SETTLED_S;
	}
	return status;
}

const struct greta_gguf_file *greta_gguf_file(const struct greta_gguf *gguf)
{
	return gguf->settled ? &gguf->file : NULL;
}

bool greta_gguf_file_unchanged(const struct greta_gguf *gguf)
{
	struct stat info;
	if (stat(gguf->path, &info) != 0)
		return false;
	struct greta_gguf_file now = file_of(&info);
	return memcmp(&now, &gguf->file, sizeof(now)) == 0;
}

enum greta_status greta_gguf_open_memory(const void *data, size_t size, const char *name,
					 struct greta_gguf **out_gguf, struct greta_error *error)
{
	return open_bytes(data, size, NULL, name, out_gguf, error);
}

void greta_gguf_close(struct greta_gguf *gguf)
{
	if (!gguf)
		return;
	if (gguf->mapping)
		munmap(gguf->mapping, gguf->size);
	free(gguf->keys);
	free(gguf->keys_by_name);
	free(gguf->tensors);
	free(gguf->tensors_by_name);
	free(gguf->path);
	free(gguf);
}

const char *greta_gguf_path(const struct greta_gguf *gguf)
{
	return gguf->path;
}

const void *greta_gguf_data(const struct greta_gguf *gguf)
{
	return gguf->data;
}

size_t greta_gguf_size(const struct greta_gguf *gguf)
{
	return gguf->size;
}

size_t greta_gguf_data_offset(const struct greta_gguf *gguf)
{
	return gguf->data_offset;
}

size_t greta_gguf_alignment(const struct greta_gguf *gguf)
{
	return gguf->alignment;
}

uint32_t greta_gguf_version(const struct greta_gguf *gguf)
{
	return gguf->version;
}
