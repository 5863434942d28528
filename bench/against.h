/* What another run measured, read from what it wrote: llama-bench -o json or jsonl, or greta-bench's own. */
#ifndef GRETA_BENCH_AGAINST_H
#define GRETA_BENCH_AGAINST_H

#include <jansson.h>

#include "bench/request.h"

/* Reads the file: an array of rows, an object whose `results` are, or rows one after the other; a row that has neither
 * n_prompt nor n_gen, or no avg_ts above 0, is refused. At least one must be of a test, and of a mode and fusion if it
 * has them, that the request has. *out_rows is the
 * caller's. IO, FORMAT (what is wrong, in which line), ARGUMENT (no such test: what the file has), MEMORY. */
enum greta_status bench_against_load(const char *path, const struct bench_request *request, json_t **out_rows,
                                     struct greta_error *error);

/* Adds to a finished document the member
 *
 *	against  {file, rows, notes}
 *	rows     {n_prompt, n_gen, n_depth, mode, fuse, ts, peer_ts, ratio, peer}: each row of results with each row of
 *	         the file that is of the same test, and of the same mode and fusion where the file says these (as
 *	         greta-bench does). Tokens per second are medians (theirs the mean where it has no
 *	         samples); ratio is this run's over theirs: above 1, this is faster. `peer` says which build, where.
 *	notes    sentences: what differs besides, and what has no partner
 *
 * False without memory. */
bool bench_against_compare(json_t *document, const char *path, const json_t *rows);

#endif
