/* The same names as nvidia_90.h for compute capability 8.0 to 8.9, which has no copies that run by themselves, and
 * whose kernels start when the one before has ended. */
#ifndef GRETA_GPU_NVIDIA_80_H
#define GRETA_GPU_NVIDIA_80_H

/* What the planner gives a block of many tokens: of the 99 KiB that a block can have on the smallest of these, what two
 * stages of Q4_K need; two such blocks fit on a compute unit of 8.0. */
#define GRETA_PANEL_SHARED_BYTES 82176

#define GRETA_PRODUCT_THREADS 256 /* of a block that multiplies one token, as the planner launches it */

#define GRETA_BULK 0
#define GRETA_ATTEND_SHARED_BYTES 32768 /* of attention's block: values */
GRETA_DEVICE void greta_bulk_begin(uint64_t *) {}
GRETA_DEVICE void greta_bulk_copy(void *, const void *, uint32_t, uint64_t *) {}
GRETA_DEVICE void greta_bulk_wait(uint64_t *, uint32_t) {}

#define GRETA_TEAM GRETA_WAVE
GRETA_DEVICE void greta_team_begin(uint64_t *) {}
GRETA_DEVICE void greta_team_wait(uint64_t *, uint32_t) {}

GRETA_DEVICE void greta_next_may_start(void) {}
GRETA_DEVICE void greta_wait_for_previous(void) {}

#endif
