/* Device memory, which is host memory here. */
#ifndef GRETA_CPU_MEMORY_H
#define GRETA_CPU_MEMORY_H

#include "runtime/cpu/device.h"

/* With the device's lock held: whether [address, address + size) stays inside the allocation that `address` lies in.
 * Addresses in no allocation (mapped files, stack, registered memory) are the caller's business: true. On false the
 * thread's detail says by how much. */
bool greta_cpu_memory_range_fits(const struct greta_cpu_device *device, const void *address, size_t size);

/* With the lock held and the queue empty: hipErrorIllegalAddress if a guard band was written to, its allocation named
 * in the detail. Without the guard option always hipSuccess. */
hipError_t greta_cpu_memory_check_guards(const struct greta_cpu_device *device);

/* Frees what the program has left allocated. */
void greta_cpu_memory_release_all(struct greta_cpu_device *device);

#endif
