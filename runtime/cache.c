#include "runtime/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes `path` and the folders above it, as far as they are missing. Ends in place, `path` as it was. */
static int make_folders(char *path)
{
	for (char *slash = path + 1; *slash; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		int made = mkdir(path, 0700);
		int reason = errno;
		*slash = '/';
		/* A folder above may be there and unwritable, or on a read-only file system: the last one decides. */
		if (made != 0 && (reason == ENOENT || reason == ENOTDIR)) {
			errno = reason;
			return -1;
		}
	}
	struct stat there;
	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -1;
	if (stat(path, &there) != 0 || S_ISDIR(there.st_mode))
		return 0;
	errno = ENOTDIR;
	return -1;
}

static char *default_folder(void)
{
	const char *base = getenv("XDG_CACHE_HOME");
	const char *middle = "";
	char *folder;
	/* A relative path there is to be ignored, says the XDG base directory specification. */
	if (!base || *base != '/') {
		base = getenv("HOME");
		middle = "/.cache";
	}
	if (!base || !*base) {
		errno = ENOENT;
		return NULL;
	}
	return asprintf(&folder, "%s%s/greta", base, middle) < 0 ? NULL : folder;
}

enum greta_status greta_cache_folder(const char *chosen, char **out_folder, struct greta_error *error)
{
	errno = ENOMEM;
	char *folder = chosen ? strdup(chosen) : default_folder();
	if (!folder) {
		if (errno == ENOMEM)
			return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the cache folder's path");
		return greta_fail(error, GRETA_ERROR_IO,
				  "nothing is kept: there is no cache folder, neither XDG_CACHE_HOME nor HOME is set");
	}
	if (!*folder || make_folders(folder) != 0 || access(folder, W_OK | X_OK) != 0) {
		greta_fail(error, GRETA_ERROR_IO, "nothing is kept: cannot use the cache folder %s: %s", folder,
			   *folder ? strerror(errno) : "it has no name");
		free(folder);
		return GRETA_ERROR_IO;
	}
	*out_folder = folder;
	return GRETA_OK;
}

char *greta_cache_path(const char *folder, const uint8_t fingerprint[GRETA_FINGERPRINT_BYTES], uint64_t hash,
		       const char *suffix)
{
	char digits[2 * GRETA_FINGERPRINT_BYTES + 1];
	char *path;
	for (size_t i = 0; i < GRETA_FINGERPRINT_BYTES; i++)
		snprintf(digits + 2 * i, 3, "%02x", fingerprint[i]);
	return asprintf(&path, "%s/%s-%016" PRIx64 ".%s", folder, digits, hash, suffix) < 0 ? NULL : path;
}

void greta_cache_used(const char *path)
{
	(void)utimensat(AT_FDCWD, path, NULL, 0);
}

/* ---- Keeping it small ---- */

struct kept {
	char name[NAME_MAX + 1];
	uint64_t bytes; /* on the disk */
	struct timespec used;
};

/* Whether greta_cache_path made the name: nothing else in the folder is touched, whoever's it is. */
static bool is_ours(const char *name)
{
	static const char *const suffixes[] = {"plan", "weights", "content"};
	const size_t digits = 2 * GRETA_FINGERPRINT_BYTES;
	if (strspn(name, "0123456789abcdef") != digits || name[digits] != '-' ||
	    strspn(name + digits + 1, "0123456789abcdef") != 16 || name[digits + 17] != '.')
		return false;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(name + digits + 18, suffixes[i]) == 0)
			return true;
	return false;
}

static int by_use(const void *left, const void *right)
{
	const struct kept *a = left, *b = right;
	if (a->used.tv_sec != b->used.tv_sec)
		return a->used.tv_sec < b->used.tv_sec ? -1 : 1;
	if (a->used.tv_nsec != b->used.tv_nsec)
		return a->used.tv_nsec < b->used.tv_nsec ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* The folder's files, in memory that the caller frees; those that there is no memory for are left out. */
static struct kept *list(DIR *folder, size_t *out_count)
{
	struct kept *all = NULL;
	size_t count = 0, room = 0;
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		struct stat found;
		if (!is_ours(entry->d_name) ||
		    fstatat(dirfd(folder), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(found.st_mode))
			continue;
		if (count == room) {
			struct kept *larger = realloc(all, (room = 2 * room + 16) * sizeof(*all));
			if (!larger)
				break;
			all = larger;
		}
		struct kept *kept = &all[count++];
		snprintf(kept->name, sizeof(kept->name), "%s", entry->d_name);
		kept->bytes = (uint64_t)found.st_blocks * 512;
		kept->used = found.st_mtim;
	}
	*out_count = count;
	return all;
}

void greta_cache_trim(const char *folder, uint64_t most_bytes, const char *keep)
{
	DIR *open_folder = opendir(folder);
	if (!open_folder)
		return;
	const char *slash = strrchr(keep, '/'), *keep_name = slash ? slash + 1 : keep;
	size_t count = 0;
	uint64_t bytes = 0;
	struct kept *all = list(open_folder, &count);
	for (size_t i = 0; i < count; i++)
		bytes += all[i].bytes;
	if (count)
		qsort(all, count, sizeof(*all), by_use);
	for (size_t i = 0; i < count && bytes > most_bytes; i++)
		if (strcmp(all[i].name, keep_name) != 0 && unlinkat(dirfd(open_folder), all[i].name, 0) == 0)
			bytes -= all[i].bytes;
	free(all);
	closedir(open_folder);
}
