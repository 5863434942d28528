/* The ceiling of a device with memory of its own: how fast its kernels read it. */
#ifndef GRETA_BENCH_DEVICE_READ_RATE_H
#define GRETA_BENCH_DEVICE_READ_RATE_H

#include <stdint.h>

#include "bench/device.h"

#define BENCH_READ_SAMPLES 5

struct bench_read_rate {
	double samples[BENCH_READ_SAMPLES]; /* bytes per second */
	uint64_t bytes;                     /* the buffer; 0: there was no room for one larger than the caches */
};

/* Fills a buffer of up to 2 GiB (half of what is free, at least 256 MiB), then times passes over it with the device's
 * events, after one that does not count, and checks that all of it was read. DEVICE, MEMORY. */
enum greta_status bench_device_read_rate(const struct bench_device *device, struct bench_read_rate *out_rate,
                                         struct greta_error *error);

#endif
