#include "models/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TRIES 100 /* names that are taken before giving up */

bool greta_same_file(const char *a, const char *b)
{
	struct stat of_a, of_b;
	return a && b && stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
	       of_a.st_ino == of_b.st_ino && S_ISREG(of_a.st_mode);
}

/* A name beside `path` that is probably free. */
static char *name_beside(const char *path, int attempt)
{
	struct timespec now;
	char *name;
	clock_gettime(CLOCK_REALTIME, &now);
	if (asprintf(&name, "%s.%ld-%ld-%d.part", path, (long)getpid(), now.tv_nsec, attempt) < 0)
		return NULL;
	return name;
}

static int open_nameless(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) + 1
	                      : 0; /* the slash included: it is the root, or does no harm */
	char *folder = slash ? strndup(path, length) : strdup(".");
	if (!folder)
		return -1;
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	free(folder);
	return fd;
}

/* Opens a file of the name that is then in file->temporary. Returns -1, with errno, and no name when there can be none. */
static int open_beside(struct greta_new_file *file)
{
	for (int i = 0; i < TRIES; i++) {
		file->temporary = name_beside(file->path, i);
		if (!file->temporary)
			return -1;
		int fd = open(file->temporary, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
		if (fd >= 0)
			return fd;
		int reason = errno;
		free(file->temporary);
		file->temporary = NULL;
		errno = reason;
		if (reason != EEXIST)
			return -1;
	}
	return -1;
}

enum greta_status greta_new_file_init(struct greta_new_file *file, const char *path, struct greta_error *error)
{
	struct stat there;
	bool replaces = lstat(path, &there) == 0;
	if (strcmp(path, "-") == 0)
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
				  "cannot write to standard output here: name a file (one of that "
				  "name is ./-)");
	if (replaces && !S_ISREG(there.st_mode))
		return greta_fail(error, GRETA_ERROR_IO, "cannot write %s: it is there and %s", path,
				  S_ISLNK(there.st_mode) ? "a symbolic link: name what it leads to"
				  : S_ISDIR(there.st_mode) ? "a folder"
							   : "not a regular file");
	struct greta_new_file made = {.fd = -1, .path = strdup(path)};
	if (!made.path)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory to write %s", path);
	/* Naming it later goes through /proc. */
	if (*path && access("/proc/self/fd", X_OK) == 0)
		made.fd = open_nameless(path);
	if (made.fd < 0)
		made.fd = open_beside(&made);
	if (made.fd < 0 || (replaces && fchmod(made.fd, there.st_mode & 0777) != 0)) {
		int reason = errno;
		greta_new_file_finish(&made);
		return greta_fail(error, reason == ENOMEM ? GRETA_ERROR_MEMORY : GRETA_ERROR_IO, "cannot write %s: %s", path,
				  strerror(reason));
	}
	*file = made;
	return GRETA_OK;
}

/* Gives the nameless file a name beside its final one: a link cannot replace what is there, a rename can. */
static int give_name(struct greta_new_file *file)
{
	char self[64];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
	for (int i = 0; i < TRIES; i++) {
		char *name = name_beside(file->path, i);
		if (!name)
			return -1;
		if (linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
			file->temporary = name;
			return 0;
		}
		int reason = errno;
		free(name);
		errno = reason;
		if (reason != EEXIST)
			return -1;
	}
	return -1;
}

FILE *greta_new_file_stream(const struct greta_new_file *file)
{
	int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
	FILE *stream = fd >= 0 ? fdopen(fd, "wb") : NULL;
	if (!stream && fd >= 0) {
		int reason = errno;
		close(fd);
		errno = reason;
	}
	return stream;
}

enum greta_status greta_new_file_commit(struct greta_new_file *file, struct greta_error *error)
{
	if (fdatasync(file->fd) != 0 || (!file->temporary && give_name(file) != 0) ||
	    rename(file->temporary, file->path) != 0)
		return greta_fail(error, GRETA_ERROR_IO, "cannot write %s: %s", file->path, strerror(errno));
	free(file->temporary);
	file->temporary = NULL;
	return GRETA_OK;
}

void greta_new_file_finish(struct greta_new_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->temporary)
		unlink(file->temporary);
	free(file->temporary);
	free(file->path);
	*file = (struct greta_new_file){.fd = -1};
}
