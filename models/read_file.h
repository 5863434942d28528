/* A file read as a whole: texts that the tools are given. */
#ifndef GRETA_READ_FILE_H
#define GRETA_READ_FILE_H

#include "models/error.h"

#include <stddef.h>

#define GRETA_READ_FILE_MOST ((size_t)1 << 31) /* bytes: of a device without end, say; no text has as many */

/* The first `most` bytes of the file at `path`, or of standard input where that is "-", in memory that the caller frees
 * (also when there are none). Waits for pipes. IO, MEMORY. */
enum greta_status greta_read_file(const char *path, size_t most, char **out_text, size_t *out_length,
				  struct greta_error *error);

/* What messages call it: "standard input", or `path`. */
const char *greta_read_file_name(const char *path);

#endif
