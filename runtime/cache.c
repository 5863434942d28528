#include "runtime/cache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

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
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1;
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
		return greta_fail(error, GRETA_ERROR_IO, "no cache folder: neither XDG_CACHE_HOME nor HOME is set");
	}
	if (!*folder || make_folders(folder) != 0 || access(folder, W_OK | X_OK) != 0) {
		greta_fail(error, GRETA_ERROR_IO, "cannot use the cache folder %s: %s", folder,
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

uint64_t greta_cache_of_file(const char *path, uint64_t hash)
{
	struct stat found;
	if (stat(path, &found) != 0)
		return hash;
	const uint64_t state[] = {(uint64_t)found.st_size, (uint64_t)found.st_mtim.tv_sec, (uint64_t)found.st_mtim.tv_nsec};
	return XXH3_64bits_withSeed(state, sizeof(state), hash);
}
