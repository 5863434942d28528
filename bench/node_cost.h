/* What a launch costs by itself: chains of empty kernels, launched one by one and as a graph. */
#ifndef GRETA_BENCH_NODE_COST_H
#define GRETA_BENCH_NODE_COST_H

#include <jansson.h>

#include "bench/device.h"

/* Rows {mode, shape, branches, nodes, processes, samples_ns}: nanoseconds of the host's clock from the first launch (of
 * the graph, or of the first kernel) until the device is done, for 1 to 1,000 nodes; `serial` one behind the other,
 * `forked` in 4 streams that fork from one and join it. The kernels are one block of 64 threads and wait for the one
 * ahead as a plan's do. The caller owns *out_rows. DEVICE, MEMORY. */
enum greta_status bench_node_cost(const struct bench_device *device, json_t **out_rows, struct greta_error *error);

#endif
