/* What each thread is told about its last failed call. */
#ifndef GRETA_CPU_MESSAGE_H
#define GRETA_CPU_MESSAGE_H

#include "runtime/hip.h"

#include <stdarg.h>

/* Keeps `code` for hipGetLastError and the line for the table's `detail`, and returns `code`. */
hipError_t greta_cpu_error(hipError_t code, const char *format, ...) __attribute__((format(printf, 2, 3)));

hipError_t greta_cpu_error_list(hipError_t code, const char *format, va_list list)
    __attribute__((format(printf, 2, 0)));

/* The table's `detail`. */
const char *greta_cpu_detail(void);

#endif
