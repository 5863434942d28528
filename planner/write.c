#include "planner/planner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool write_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t written = write(fd, data, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		data += written;
		size -= (size_t)written;
	}
	return true;
}

/* Opens a new file beside `path`; *out_name is the caller's to free. -1 with errno set on failure. */
static int open_beside(const char *path, char **out_name)
{
	for (int n = 0; n < 100; n++) {
		char *name;
		if (asprintf(&name, "%s.%ld.%d.part", path, (long)getpid(), n) < 0) {
			errno = ENOMEM;
			return -1;
		}
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0) {
			*out_name = name;
			return fd;
		}
		free(name);
		if (errno != EEXIST)
			break;
	}
	return -1;
}

enum greta_status greta_plan_write(const char *path, const struct greta_plan_image *image, struct greta_error *error)
{
	char *beside;
	int fd = open_beside(path, &beside);
	if (fd < 0)
		return greta_fail(error, GRETA_ERROR_IO, "cannot write %s: %s", path, strerror(errno));
	bool done = write_all(fd, image->data, image->size);
	int why = errno;
	if (close(fd) && done) {
		why = errno;
		done = false;
	}
	if (done && rename(beside, path)) {
		why = errno;
		done = false;
	}
	if (!done)
		unlink(beside);
	free(beside);
	if (!done)
		return greta_fail(error, GRETA_ERROR_IO, "cannot write %s: %s", path, strerror(why));
	return GRETA_OK;
}
