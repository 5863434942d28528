/* What long work says of itself on a terminal: one line of standard error, which the next one writes over. In a pipe or
 * a file there is none. For tools alone: it prints. */
#ifndef GRETA_TERMINAL_H
#define GRETA_TERMINAL_H

#include <stdint.h>

/* Writes the line; "" takes it away, which is to be done before anything else is written. */
void greta_terminal_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same as a greta_progress (runtime/greta.h): "packing weights:  25%". The line goes when `done` is `total`. */
void greta_terminal_progress(void *user, const char *what, uint64_t done, uint64_t total);

#endif
