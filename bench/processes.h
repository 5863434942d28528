/* The same measurement in fresh processes: some drivers are fast in one process and slow in the next. */
#ifndef GRETA_BENCH_PROCESSES_H
#define GRETA_BENCH_PROCESSES_H

#include <stdio.h>

#include "bench/measure.h"

/* Runs this program `spawns` times, one after the other, with the same words and --spawned, and merges what they
 * measured. *out_outcome is as of bench_measure. Each tells its own errors on stderr; then this is DEVICE. MEMORY, IO.
 */
enum greta_status bench_spawn(char **argv, unsigned spawns, struct bench_outcome *out_outcome,
                              struct greta_error *error);

/* For a spawned process, before anything else: from now on it ends when the one that started it does, however that ends.
 * False when that one is gone already. */
bool bench_spawned_begin(void);

/* What a spawned process says on its standard output. False when it could not. */
bool bench_spawned_tell(const struct bench_outcome *outcome, FILE *out);

#endif
