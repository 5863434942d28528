/* Telling of a failure, as models/status.h has it: for what is inside the library, which does not export it. */
#ifndef GRETA_ERROR_H
#define GRETA_ERROR_H

#include "models/status.h"

/* Fills *error (NULL is allowed: then only the status is kept) and returns `status`, so that a failing function ends in
 * `return greta_fail(error, GRETA_ERROR_IO, "cannot open %s: %s", path, strerror(errno));`. */
enum greta_status greta_fail(struct greta_error *error, enum greta_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
