/* Tells plans from models, for the tools that take only one of them, or not both alike. */
#ifndef GRETA_BENCH_WANT_MODEL_H
#define GRETA_BENCH_WANT_MODEL_H

#include "models/error.h"

#include <stdbool.h>

/* False also when it cannot be read, or is NULL. */
bool bench_is_plan(const char *path);

/* ARGUMENT, with the name of its model as far as it can be read, for a plan; OK for everything else. */
enum greta_status bench_want_model(const char *path, struct greta_error *error);

#endif
