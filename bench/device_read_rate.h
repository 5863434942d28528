/* The ceiling of a device with memory of its own: how fast its kernels read it. */
#ifndef GRETA_BENCH_DEVICE_READ_RATE_H
#define GRETA_BENCH_DEVICE_READ_RATE_H

#include <stdint.h>

#include "bench/device.h"

#define BENCH_READ_SAMPLES 5

/* A buffer for today's GPUs: larger than what they may keep in caches. */
#define BENCH_READ_MOST (UINT64_C(2) << 30)
#define BENCH_READ_LEAST (UINT64_C(512) << 20)

struct bench_read_rate {
	double samples[BENCH_READ_SAMPLES]; /* bytes per second */
	uint64_t bytes;                     /* the buffer; 0: there was no room for `least` */
};

/* Fills a buffer of `most` bytes, or half of that, and so on, what half of the free memory has room for, but not below
 * `least`; then times passes over it with the device's events, after one that does not count, and checks that all of it
 * was read. Both are powers of two, at least 128 KiB. DEVICE, MEMORY. */
enum greta_status bench_device_read_rate(const struct bench_device *device, uint64_t most, uint64_t least,
                                         struct bench_read_rate *out_rate, struct greta_error *error);

#endif
