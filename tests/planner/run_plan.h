/* Runs a plan with the reference kernels, block by block, in memory of exactly the planned size: the shortest form of
 * what the runtime does, independent of it. */
#ifndef GRETA_TESTS_RUN_PLAN_H
#define GRETA_TESTS_RUN_PLAN_H

#include "kernels/abi.h"
#include "runtime/plan.h"

struct plan_machine {
	const struct greta_plan *plan;
	uint8_t *regions[GRETA_REGION_COUNT];
};

/* `model` is the GGUF file in memory. */
void plan_machine_init(struct plan_machine *machine, const struct greta_plan *plan, const void *model);
void plan_machine_finish(struct plan_machine *machine);

struct greta_state *plan_machine_state(const struct plan_machine *machine);
uint32_t *plan_machine_tokens(const struct plan_machine *machine);
const float *plan_machine_logits(const struct plan_machine *machine);

/* Starts over with a prompt; sampling is greedy. */
void plan_machine_prompt(struct plan_machine *machine, const uint32_t *tokens, uint32_t count);

/* One step of a program, over an arena that holds no number. */
void plan_machine_step(struct plan_machine *machine, uint32_t program);

#endif
