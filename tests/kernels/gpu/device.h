/* The runner of a device, shared by what launches (runner_device.c) and what times (device_time.c). */
#ifndef GRETA_TESTS_GPU_DEVICE_H
#define GRETA_TESTS_GPU_DEVICE_H

#include "runtime/hip.h"
#include "tests/kernels/gpu/runner.h"

struct device_runner {
	struct gpu_runner base;
	struct greta_hip *hip;
	hipModule_t module;
};

/* 0, or -1 with the call's error in base.error. */
int device_told(struct device_runner *device, hipError_t code, const char *call);

/* Puts a launch into a stream. 0, or -1 with the reason in base.error. */
int device_enqueue(struct device_runner *device, const struct gpu_launch *launch, hipStream_t stream);

/* The back end's clock (struct gpu_backend). */
int device_time(struct gpu_runner *runner, const struct gpu_launch *launches, size_t count, double *out_seconds);
int device_read_rate(struct gpu_runner *runner, double *out_rate);

#endif
