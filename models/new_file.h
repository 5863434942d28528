/* A file that appears under its name whole or not at all: it is written beside and renamed when it is complete. Where
 * the file system allows it the unfinished file has no name, so that nothing is left behind even when the process is
 * killed. */
#ifndef GRETA_NEW_FILE_H
#define GRETA_NEW_FILE_H

#include "models/error.h"

#include <stdbool.h>
#include <stdio.h>

/* Whether both paths lead to one file that exists: what is asked before a file is written, of the files that are read.
 * NULLs are no files. */
bool greta_same_file(const char *a, const char *b);

struct greta_new_file {
	int fd;          /* readable and writable; -1 when finished */
	char *path;      /* where it is going to be */
	char *temporary; /* its name until then; NULL when it has none */
};

/* Begins the file; its folder must exist. What is there already and is no regular file (a device, a folder, a link) is
 * not replaced; neither is a link's target, nor is "-" a file. What replaces a file has its permissions, from here on.
 * ARGUMENT ("-"), IO, MEMORY. */
enum greta_status greta_new_file_init(struct greta_new_file *file, const char *path, struct greta_error *error);

/* A stream into it, for the caller to close before greta_new_file_commit; NULL, with errno, when there can be none. */
FILE *greta_new_file_stream(const struct greta_new_file *file);

/* Waits until the contents are on the disk, then puts the file in its place, where it replaces what was there. IO; the
 * file is then as before and wants greta_new_file_finish. */
enum greta_status greta_new_file_commit(struct greta_new_file *file, struct greta_error *error);

/* Closes; what was not committed disappears. */
void greta_new_file_finish(struct greta_new_file *file);

#endif
