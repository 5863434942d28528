/* Everything that was measured, as one JSON object that all reports are made from. Its members, each there only
 * if it was asked for or has something:
 *
 *	build_commit, date, device, provider, target   of the run
 *	results    rows of record.h, in the order: depth, test, configuration
 *	ratios     {mode, fuse, to_mode, to_fuse, n_prompt, n_gen, n_depth, median, min, max}: time of the first
 *	           configuration over that of the second in the same run, below 1 where the first is faster
 *	read_rate  {bytes_per_second, buffer_bytes, how, samples}: how fast the device reads its memory; the best sample
 *	node_cost  rows of node_cost.h
 *	blocks, block_details, block_sums   of blocks.h: where a decode step's time goes
 *	block_checks  {mode, fuse, n_depth, blocks_us, device_us, between_us, stamped_us, plain_us, accounted, cost,
 *	           cost_min, cost_max, clock_step_ns}: whether it is all accounted for (blocks and what is between steps
 *	           over the stamped step), and what the stamps cost (over the plain step, less 1)
 *	against    of against.h
 *
 * A row has its samples in `samples_ns`, process after process; all else about them is worked out by
 * bench_document_finish. */
#ifndef GRETA_BENCH_DOCUMENT_H
#define GRETA_BENCH_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>

/* Adds what another process measured of the same request: samples behind samples. False when the two do not have the
 * same rows, or without memory; then `into` is of no use any more. */
bool bench_document_merge(json_t *into, const json_t *from);

/* Statistics of every row, shares of the read rate, spread between processes, ratios. False without memory. */
bool bench_document_finish(json_t *document);

/* Numbers of a row; 0 for a member that is not there. */
double bench_number(const json_t *row, const char *member);
json_int_t bench_integer(const json_t *row, const char *member);

/* "" for a member that is not there. */
const char *bench_text(const json_t *row, const char *member);

/* "pp512", "tg128", with " @ d2048" at a depth. */
const char *bench_test_name(const json_t *row, char out[64]);

#endif
