/* A provider's device by itself, without model or plan: the bench's own kernels on it, and streams to launch them in.
 */
#ifndef GRETA_BENCH_DEVICE_H
#define GRETA_BENCH_DEVICE_H

#include "runtime/greta.h"
#include "runtime/hip.h"

struct bench_device {
	struct greta_hip *hip;
	char target[GRETA_HIP_ARCHITECTURE_MAX];
	char name[128];
	int units; /* compute units, or the cpu provider's workers */
	hipModule_t module;
};

/* The provider that the options name, as a session opens it. Errors as of greta_target_device_open; MISMATCH for a
 * target that this build has no kernels for. */
enum greta_status bench_device_open(const struct greta_options *options, struct bench_device *out_device,
                                    struct greta_error *error);
void bench_device_close(struct bench_device *device);

/* Of the module: "greta_empty"; on GPUs also "greta_read_rate" (kernels/gpu/bench.h). */
enum greta_status bench_device_function(const struct bench_device *device, const char *name,
                                        hipFunction_t *out_function, struct greta_error *error);

/* Enqueues a launch of `blocks` blocks whose arguments are `bytes` bytes. */
enum greta_status bench_device_launch(const struct bench_device *device, hipFunction_t function, unsigned blocks,
                                      unsigned threads, void *args, size_t bytes, hipStream_t stream,
                                      struct greta_error *error);

#endif
