/* Where a decode step's time goes: by logic block, and by layer or launch, from the stamps that an instrumented twin of
 * a configuration leaves on the device (runtime/stamps.h), graph replays and all. The twin takes turns with the plain
 * one, so that what the stamps cost is known. */
#ifndef GRETA_BENCH_BLOCKS_H
#define GRETA_BENCH_BLOCKS_H

#include <jansson.h>

#include "bench/configs.h"

/* Adds to the document, for one configuration at one depth, after one run of each that does not count:
 *
 *	blocks         a row for each logic block, and "stamp": what a stamp takes by itself
 *	block_details  a row for each layer and block, or for each block and kernel, if request->blocks asks for it
 *	block_sums     rows "plain step" and "stamped step" on the host's clock, "device step" from the first stamp to
 *	               the last, and "between steps", all of one step
 *
 * A row's samples are its time in a step, the mean over a run's steps (the last 256), so that those of the blocks sum
 * to that of the device step. Errors as of greta_open and greta_generate; MEMORY. */
enum greta_status bench_blocks_measure(const struct bench_request *request, struct bench_config *config,
                                       const struct bench_tokens *tokens, size_t depth, json_t *document,
                                       struct greta_error *error);

#endif
