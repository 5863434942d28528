/* Opening the shared library of a GPU's maker at run time, so that one binary runs with and without it. */
#ifndef GRETA_VENDOR_LIBRARY_H
#define GRETA_VENDOR_LIBRARY_H

#include "models/error.h"

#include <stddef.h>

/* Room for the name of a library, its end included. */
#define GRETA_VENDOR_LIBRARY_NAME_MAX 256

/* Opens `wanted` or, where that is NULL, the first of `names` (ending in NULL) that opens. Copies the name that did to
 * out_name; greta_vendor_library_close takes *out_library back. Symbols stay out of the process's own name space. The
 * code stays in memory after the last close: such libraries leave threads and clean-up at exit behind, and loading
 * AMD's a second time leaks memory (seen with ROCm 5.2).
 * GRETA_ERROR_DEVICE names all that was tried and the loader's reason that says most: a library that is there but lacks
 * another, before one that is not there. `what` begins the message: "the AMD HIP runtime". GRETA_ERROR_ARGUMENT: a name
 * that is too long. */
enum greta_status greta_vendor_library_open(const char *what, const char *const *names, const char *wanted,
    void **out_library, char out_name[GRETA_VENDOR_LIBRARY_NAME_MAX], struct greta_error *error);
void greta_vendor_library_close(void *library);

/* Stores the address of `symbol` in the function pointer at `out_function` (any function pointer's address: ISO C has
 * no conversion for it); false, and nothing stored, when the library has no such symbol. */
_Bool greta_vendor_library_symbol(void *library, const char *symbol, void *out_function);

#endif
