/* The `cpu` provider: HIP inside the process, on a fixed pool of threads. What it does where HIP leaves room:
 *
 * - One device, 0, of the whole process. A code object is a pointer to a struct greta_cpu_module
 *   (kernels/cpu/module.h).
 * - All streams share one queue that runs in the order of enqueueing (queue.h says why that is enough). So work on
 *   different streams never overlaps, hipStreamWaitEvent outside captures has nothing to wait for, and the default
 *   stream (NULL) is ordered with every stream, hipStreamNonBlocking or not.
 * - Enqueueing returns at once, unless about a mebibyte of launches is waiting; then it blocks until there is room.
 * - Device memory is host memory; addresses are the same on both sides. hipMemcpyAsync reads and writes host memory
 *   when the stream gets there, also pageable memory. Copies and fills that leave the hipMalloc or hipHostMalloc
 *   block they start in are refused, as are copies that overlap. hipFree and hipHostFree wait for all work enqueued.
 * - With guard bands (struct greta_hip_options) a write just outside an allocation is found by hipFree, hipHostFree
 *   and hipDeviceSynchronize: hipErrorIllegalAddress, the allocation named in `detail`; new memory is filled with a
 *   pattern.
 * - Launches: a block is one call of the kernel, its threads are only checked (1 to 1,024). A function is allowed 64
 *   KiB of dynamic shared memory until hipFuncSetAttribute allows more, up to 1 MiB. Arguments come as one buffer
 *   (`extra`), at most 4,096 bytes.
 * - Capture (capture.h): hipStreamWaitEvent of a capturing stream on an event that was never recorded, or recorded
 *   elsewhere, is hipErrorStreamCaptureIsolation; a graph launch inside a capture is not supported. Replays
 *   run the nodes in the order of their capture, one after the other, also where edges would allow otherwise.
 * - hipGetLastError returns this thread's last error and forgets it; hipErrorNotReady does not count as one.
 * - Calls may come from any thread. A handle after its destruction is the caller's error; it is recognised where
 *   memory still allows it, not always. */
#ifndef GRETA_CPU_PROVIDER_H
#define GRETA_CPU_PROVIDER_H

#include "runtime/hip.h"

/* For the loader's table: fills *out_hip and counts a user of the device; takes that back. */
enum greta_status greta_cpu_provider_open(const struct greta_hip_options *options, struct greta_hip *out_hip,
    struct greta_error *error);
void greta_cpu_provider_close(void);

#endif
