#include "planner/planner.h"
#include "models/new_file.h"

#include <errno.h>
#include <stdbool.h>
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

enum greta_status greta_plan_write(const char *path, const struct greta_plan_image *image, struct greta_error *error)
{
	struct greta_new_file file;
	enum greta_status status = greta_new_file_init(&file, path, error);
	if (status != GRETA_OK)
		return status;
	if (write_all(file.fd, image->data, image->size))
		status = greta_new_file_commit(&file, error);
	else
		status = greta_fail(error, GRETA_ERROR_IO, "cannot write %s: %s", path, strerror(errno));
	greta_new_file_finish(&file);
	return status;
}
