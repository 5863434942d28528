/* What target_nvidia.h takes from compute capability 9.0 and later. */
#ifndef GRETA_GPU_NVIDIA_90_H
#define GRETA_GPU_NVIDIA_90_H

#define GRETA_PANEL_SHARED_BYTES 106752 /* what the planner gives a block of many tokens; two such on a compute unit */

#define GRETA_PRODUCT_THREADS 512 /* of a block that multiplies one token, as the planner launches it */

#define GRETA_BULK 1
/* Of attention's block: what its teams share, and rings of 3 pieces for 8 teams, 6 for 8 smaller ones (8 or 4 KB). */
#define GRETA_ATTEND_SHARED_BYTES 221184
GRETA_DEVICE void greta_bulk_begin(uint64_t *barrier)
{
	asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(greta_shared_address(barrier)) : "memory");
	asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
/* What is copied is read once a step, and is the first to leave the L2 cache: what is read at every launch,
 * instructions too, stays there. */
GRETA_DEVICE void greta_bulk_copy(void *shared, const void *p, uint32_t bytes, uint64_t *barrier)
{
	uint64_t once;
	asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(once));
	asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(greta_shared_address(barrier)), "r"(bytes)
	             : "memory");
	asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1], %2, [%3], "
	             "%4;" ::"r"(greta_shared_address(shared)),
	             "l"(p), "r"(bytes), "r"(greta_shared_address(barrier)), "l"(once)
	             : "memory");
}
GRETA_DEVICE void greta_bulk_wait(uint64_t *barrier, uint32_t phase)
{
	uint32_t done;
#pragma unroll 1
	do
		asm volatile("{\n\t.reg .pred p;\n\tmbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n\tselp.u32 %0, 1, 0, "
		             "p;\n\t}"
		             : "=r"(done)
		             : "r"(greta_shared_address(barrier)), "r"(phase)
		             : "memory");
	while (!done);
}

/* By a barrier of shared memory where all arrive: of named barriers, and of one arrival for a wave, the racecheck of
 * compute-sanitizer 2025.3 tells hazards between accesses with a barrier of the whole block between them. */
#define GRETA_TEAM 64
GRETA_DEVICE void greta_team_begin(uint64_t *barrier)
{
	asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(greta_shared_address(barrier)), "n"(GRETA_TEAM)
	             : "memory");
}
GRETA_DEVICE void greta_team_wait(uint64_t *barrier, uint32_t phase)
{
	asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(greta_shared_address(barrier)) : "memory");
	greta_bulk_wait(barrier, phase);
}

GRETA_DEVICE void greta_next_may_start(void) { asm volatile("griddepcontrol.launch_dependents;" ::: "memory"); }
GRETA_DEVICE void greta_wait_for_previous(void) { asm volatile("griddepcontrol.wait;" ::: "memory"); }

#endif
