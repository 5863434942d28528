#include "runtime/content.h"

#include "models/new_file.h"
#include "runtime/cache.h"
#include "runtime/share.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define PIECE_BYTES ((size_t)1 << 24)
#define MEMORY_MAGIC UINT64_C(0x544e45544e4f4347) /* "GCONTENT", little-endian: version 1 */

/* What the cache folder remembers, one file for each state of a model file. */
struct memory {
	uint64_t magic;
	struct greta_gguf_file file;
	struct greta_content content;
	uint64_t checksum; /* XXH3-64 of the fields before */
};

struct reading {
	const uint8_t *data;
	size_t size;
	XXH128_hash_t *hashes; /* of the pieces */
	greta_progress *progress;
	void *user;
	_Atomic(uint64_t) done;
};

static enum greta_status read_piece(void *context, size_t index, unsigned worker, struct greta_error *error)
{
	struct reading *reading = context;
	size_t start = index * PIECE_BYTES, left = reading->size - start, bytes = left < PIECE_BYTES ? left : PIECE_BYTES;
	(void)worker;
	(void)error;
	reading->hashes[index] = XXH3_128bits(reading->data + start, bytes);
	atomic_fetch_add(&reading->done, bytes);
	return GRETA_OK;
}

static void tell(void *context)
{
	struct reading *reading = context;
	if (reading->progress)
		reading->progress(reading->user, "reading the model", atomic_load(&reading->done), reading->size);
}

static bool read_all(struct greta_content *out_content, const struct greta_gguf *gguf, unsigned threads,
		     greta_progress *progress, void *user)
{
	struct greta_error unimportant;
	struct reading reading = {
		.data = greta_gguf_data(gguf), .size = greta_gguf_size(gguf), .progress = progress, .user = user};
	size_t count = (reading.size + PIECE_BYTES - 1) / PIECE_BYTES;
	struct greta_shared_work work = {
		.count = count, .threads = threads, .context = &reading, .work = read_piece, .after = tell};
	reading.hashes = calloc(count, sizeof(*reading.hashes));
	bool good = reading.hashes && greta_share(&work, &unimportant) == GRETA_OK;
	if (good) {
		XXH128_hash_t hash =
		    XXH3_128bits_withSeed(reading.hashes, count * sizeof(*reading.hashes), reading.size);
		memcpy(out_content->hash, &hash, sizeof(out_content->hash));
	}
	free(reading.hashes);
	return good;
}

/* ---- What is remembered ---- */

static struct memory memory_of(const struct greta_gguf_file *file, const struct greta_content *content)
{
	struct memory memory = {.magic = MEMORY_MAGIC, .file = *file, .content = *content};
	memory.checksum = XXH3_64bits(&memory, offsetof(struct memory, checksum));
	return memory;
}

static char *memory_path(const char *folder, const struct greta_gguf_file *file)
{
	struct greta_content name;
	XXH128_hash_t hash = XXH3_128bits(file, sizeof(*file));
	memcpy(name.hash, &hash, sizeof(name.hash));
	return greta_cache_path(folder, name.hash, 0, "content");
}

static bool recall(const char *path, const struct greta_gguf_file *file, struct greta_content *out_content)
{
	struct memory found;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t count = read(fd, &found, sizeof(found));
	close(fd);
	if (count != (ssize_t)sizeof(found))
		return false;
	struct memory wanted = memory_of(file, &found.content);
	if (memcmp(&found, &wanted, sizeof(found)) != 0)
		return false;
	greta_cache_used(path);
	*out_content = found.content;
	return true;
}

static void remember(const char *path, const struct greta_gguf_file *file, const struct greta_content *content)
{
	struct greta_error unimportant;
	struct greta_new_file new;
	struct memory memory = memory_of(file, content);
	if (greta_new_file_init(&new, path, &unimportant) != GRETA_OK)
		return;
	if (write(new.fd, &memory, sizeof(memory)) == (ssize_t)sizeof(memory))
		(void)greta_new_file_commit(&new, &unimportant);
	greta_new_file_finish(&new);
}

bool greta_content_find(struct greta_content *out_content, const struct greta_gguf *gguf, const char *folder,
			unsigned threads, greta_progress *progress, void *user)
{
	const struct greta_gguf_file *file = greta_gguf_file(gguf);
	char *path = file ? memory_path(folder, file) : NULL;
	bool good = path && recall(path, file, out_content);
	if (!good) {
		good = read_all(out_content, gguf, threads, progress, user);
		if (good && path)
			remember(path, file, out_content);
	}
	free(path);
	return good;
}

bool greta_content_is(const struct greta_content *content, const struct greta_gguf *gguf, unsigned threads)
{
	struct greta_content now;
	if (greta_gguf_file(gguf))
		return greta_gguf_file_unchanged(gguf);
	return read_all(&now, gguf, threads, NULL, NULL) && memcmp(&now, content, sizeof(now)) == 0;
}
