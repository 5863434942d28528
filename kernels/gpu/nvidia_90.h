/* What target_nvidia.h takes from compute capability 9.0 and later. */
#ifndef GRETA_GPU_NVIDIA_90_H
#define GRETA_GPU_NVIDIA_90_H

#define GRETA_PANEL_SHARED_BYTES 106752 /* what the planner gives a block of many tokens; two such on a compute unit */

GRETA_DEVICE void greta_prefetch(const void *p, uint32_t bytes)
{
	asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(p), "r"(bytes) : "memory");
}

GRETA_DEVICE void greta_next_may_start(void) { asm volatile("griddepcontrol.launch_dependents;" ::: "memory"); }
GRETA_DEVICE void greta_wait_for_previous(void) { asm volatile("griddepcontrol.wait;" ::: "memory"); }

#endif
