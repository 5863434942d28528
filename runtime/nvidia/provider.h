/* The `nvidia` provider: the HIP calls on the CUDA driver API, libcuda.so.1 opened at run time. What HIP's own NVIDIA
 * platform does with headers, this does without them: driver.h declares the little that is used.
 *
 * - Driver 11.4 or newer. Code objects: cubin, fatbin or PTX text. Where the driver loads kernels lazily, they are
 *   loaded by hipModuleGetFunction (12.4 and newer), so that nothing is left to load inside a capture.
 * - Each device's primary context is used, which is shared with whatever else in the process uses CUDA; it is retained
 *   by the first call that needs it and made current on a thread by that thread's first call. Code that makes another
 *   context current on a thread has to put this one back before the next call here.
 * - Codes: CUDA's numbers are HIP's for everything in hip.h's list, and for the rest they go through unchanged, with
 *   CUDA's names and texts. Two are translated: a launch outside the device's limits is hipErrorInvalidConfiguration,
 *   and a driver that is too old hipErrorInsufficientDriver. `detail` names the CUDA call and CUDA's code, and what it
 *   was about: sizes, the kernel's name, the compiler's first complaint about PTX.
 * - Copies in kind hipMemcpyDefault and hipMemcpyHostToHost find the direction by unified addressing. Allocations,
 *   copies and fills of 0 bytes succeed and do nothing; the address is NULL.
 * - hipDeviceAttributeMaxSharedMemoryPerBlock is the most that hipFuncSetAttribute can allow, as on AMD, not the 48 KiB
 *   that a function is allowed without. hipDriverGetVersion and hipRuntimeGetVersion give CUDA's number of the driver
 *   (13000 is 13.0): there is no runtime in between.
 * - The null stream is CUDA's legacy default stream, which waits for and is waited for by every blocking stream.
 * - Captures behave as CUDA's: a call that is not permitted invalidates them, and the stream then refuses everything
 *   but hipStreamEndCapture, as on AMD.
 *
 * `overlap` of struct greta_hip_options marks every launch as one that may start while the kernel ahead of it in its
 * stream, or in the graph captured from it, is still ending ("programmatic stream serialization"). Every kernel
 * launched must then say for itself from where on it needs what came before: griddepcontrol.wait, ahead of the first
 * access to memory that an earlier kernel wrote, and of the first write to memory that an earlier one reads. A kernel
 * without it races. (A kernel that does not say griddepcontrol.launch_dependents has ended when the next one starts,
 * and so have those that it waited for: what these wrote needs no wait.) Kernels compiled for an architecture before
 * 9.0, which has no such instruction, are launched without the mark, also where the driver compiled them for a later
 * one. Needs a driver with cuLaunchKernelEx (11.8 or newer); others are refused. Off by default. */
#ifndef GRETA_NVIDIA_PROVIDER_H
#define GRETA_NVIDIA_PROVIDER_H

#include "runtime/hip.h"

/* For the loader's table: fills the calls of *out_hip and counts a user of the driver; takes that back. The last one
 * waits for all devices and releases their contexts: what was left in them goes with them, unless others hold them. */
enum greta_status greta_nvidia_provider_open(const struct greta_hip_options *options, struct greta_hip *out_hip,
    struct greta_error *error);
void greta_nvidia_provider_close(void);

/* "sm_90", from the compute capability. */
hipError_t greta_nvidia_architecture(int device, char out_name[GRETA_HIP_ARCHITECTURE_MAX]);

/* Whether `target` is PTX, "compute_80", for a compute capability that "sm_90" is not older than. */
bool greta_nvidia_takes(const char *architecture, const char *target);

#endif
