/* What greta-bench was asked to measure. */
#ifndef GRETA_BENCH_REQUEST_H
#define GRETA_BENCH_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/greta.h"

#define BENCH_DEPTHS_MAX 16
#define BENCH_RUNS_MAX   1000
#define BENCH_SPAWNS_MAX 100

/* Of a decode step: nothing, logic blocks, these layer by layer, or these kernel by kernel. */
enum bench_blocks { BENCH_BLOCKS_NONE, BENCH_BLOCKS_SUMMED, BENCH_BLOCKS_LAYERS, BENCH_BLOCKS_LAUNCHES };

struct bench_request {
	const char *model;                 /* a GGUF file or a plan; NULL: the device alone */
	struct greta_options options;      /* what all configurations share */
	unsigned prompt, generate;         /* tokens of a prefill test and of a decode test; 0: no such test */
	unsigned depths[BENCH_DEPTHS_MAX]; /* positions that hold tokens when a test begins, ascending */
	size_t depth_count;
	unsigned runs;
	bool eager[2];  /* modes to run: [0] graph, [1] eager */
	bool fuse[2];   /* [0] none, [1] full */
	enum bench_blocks blocks;      /* what is timed by stamps, too */
	bool node_cost; /* what an empty launch costs, too */
	bool picture;   /* the arena, too: for the page */
};

#endif
