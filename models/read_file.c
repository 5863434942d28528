#include "models/read_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *greta_read_file_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static enum greta_status read_all(FILE *file, const char *name, size_t most, char **out_text, size_t *out_length,
				  struct greta_error *error)
{
	char *text = NULL;
	size_t length = 0, room = 0, count;
	do {
		if (length == room) {
			char *larger = realloc(text, room = room ? room * 2 : 4096);
			if (!larger) {
				free(text);
				return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu bytes of %s", room,
						  name);
			}
			text = larger;
		}
		count = room < most ? room - length : most - length;
		count = fread(text + length, 1, count, file);
		length += count;
	} while (count);
	if (ferror(file)) {
		int reason = errno;
		free(text);
		return greta_fail(error, GRETA_ERROR_IO, "cannot read %s: %s", name, strerror(reason));
	}
	*out_text = text;
	*out_length = length;
	return GRETA_OK;
}

enum greta_status greta_read_file(const char *path, size_t most, char **out_text, size_t *out_length,
				  struct greta_error *error)
{
	const char *name = greta_read_file_name(path);
	if (name != path)
		return read_all(stdin, name, most, out_text, out_length, error);
	FILE *file = fopen(path, "rbe");
	if (!file)
		return greta_fail(error, GRETA_ERROR_IO, "cannot open %s: %s", path, strerror(errno));
	enum greta_status status = read_all(file, name, most, out_text, out_length, error);
	fclose(file);
	return status;
}
