/* A provider that is an MI300X without one: memory, streams, capture and graphs are the cpu provider's, a code object
 * is gfx942 machine code (or another processor's that the simulator knows, on request), and a launch runs it in the
 * simulator (tests/sim942). So a session runs a gfx942 plan here from end to end: upload, graph, kernels.
 *
 * Device memory is what is allocated: an access of a kernel outside every allocation is an error, as is a launch that
 * exceeds an MI300X's limits. A kernel that failed is told by the next call that waits or asks: hipErrorLaunchFailure,
 * the reason in `detail`. HIP's calls carry no context, so there is one in a process; sim_wrap starts it anew. */
#ifndef GRETA_TEST_SIM_H
#define GRETA_TEST_SIM_H

#include "runtime/hip.h"

/* Fills *out_hip, whose calls go to `cpu` (a loaded cpu provider, which must stay) but for those of the device.
 * *out_hip is not to be unloaded; `cpu` is, after everything has been released. False when `cpu` refused. */
bool sim_wrap(const struct greta_hip *cpu, struct greta_hip *out_hip);

/* How much memory the device says it has; 192 GiB after sim_wrap. */
void sim_set_memory(size_t bytes);

/* Which code it takes: "gfx90a", "gfx1100", "gfx1201" or, after sim_wrap, "gfx942"; a static string. With it go the
 * lanes of a wave; all else stays an MI300X's. */
void sim_set_architecture(const char *name);

/* The most device memory that was allocated (hipMalloc) at one time since sim_wrap, and what is allocated now. */
size_t sim_peak_bytes(void);
size_t sim_used_bytes(void);

/* Launches run since sim_wrap, and instructions of all their waves. */
unsigned long sim_launches(void);
unsigned long sim_instructions(void);

#endif
