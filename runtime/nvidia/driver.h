/* The CUDA driver as the process has it open, which device each thread is on, and what each was last told.
 *
 * HIP's calls carry no context of ours, so all of this hangs on one pointer of the process. A function of the table
 * begins with greta_nvidia_enter, or with greta_nvidia_cuda where it needs no device, and ends in
 * greta_nvidia_result. */
#ifndef GRETA_NVIDIA_DRIVER_H
#define GRETA_NVIDIA_DRIVER_H

#include "runtime/nvidia/cuda.h"

#include <stdbool.h>

/* Opens the driver, or counts one more user. Errors as greta_hip_load's. */
enum greta_status greta_nvidia_acquire(const struct greta_hip_options *options, struct greta_error *error);
/* The last one waits for every device that was used, releases the contexts and closes the library. */
void greta_nvidia_release(void);

/* The driver's functions; NULL, with hipErrorNotInitialized kept as the thread's error, while nobody has it open. */
const struct greta_cuda *greta_nvidia_cuda(void);
/* The same with the context of the thread's device made current; NULL with the error kept, *out_code its code. */
const struct greta_cuda *greta_nvidia_enter(hipError_t *out_code);

/* What was found on opening. */
int greta_nvidia_version(void);
int greta_nvidia_device_count(void);
bool greta_nvidia_overlap(void);

/* The thread's device, 0 until it is set; greta_nvidia_set_device takes any number below the count. */
int greta_nvidia_device(void);
void greta_nvidia_set_device(int device);

/* A CUDA result as HIP's code. An error is kept for hipGetLastError, and `detail` names the call and CUDA's code; the
 * second form adds what the call was about. hipErrorNotReady is an answer and not kept. */
hipError_t greta_nvidia_status(const struct greta_cuda *cuda, int result, const char *call);
hipError_t greta_nvidia_result(const struct greta_cuda *cuda, int result, const char *call, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Keeps an error of this provider's own finding, and returns `code`. */
hipError_t greta_nvidia_error(hipError_t code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Forgets the thread's errors: they were of an earlier loading. */
void greta_nvidia_forget(void);

/* The table's `detail`. */
const char *greta_nvidia_detail(void);

#endif
