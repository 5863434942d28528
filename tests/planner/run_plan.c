#include "run_plan.h"

#include "kernels/ref/kernels.h"
#include "kernels/layout.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 64-byte aligned and not a byte longer, so that a sanitizer sees the end. */
static void *exactly(uint64_t bytes)
{
	assert_true(bytes < (uint64_t)1 << 32);
	void *memory = memalign(64, bytes ? bytes : 1);
	assert_non_null(memory);
	return memory;
}

static void *zeros(uint64_t bytes) { return memset(exactly(bytes), 0, bytes); }

static void load_tensor(const struct plan_machine *machine, const struct greta_plan_tensor *t, const uint8_t *model)
{
	uint8_t *to = machine->regions[GRETA_REGION_WEIGHTS] + t->offset;
	if (t->region != GRETA_REGION_WEIGHTS)
		return;
	if (t->constant)
		memcpy(to, machine->plan->constants + t->source, t->bytes);
	else if (t->layout != GRETA_LAYOUT_RAW)
		greta_layout_pack(t->layout, t->type, t->rows, t->cols, model + t->source, (t->rows + 15) / 16, to);
	else
		memcpy(to, model + t->source, t->bytes);
}

void plan_machine_init(struct plan_machine *machine, const struct greta_plan *plan, const void *model)
{
	machine->plan = plan;
	for (int r = 0; r < GRETA_REGION_COUNT; r++)
		machine->regions[r] = zeros(plan->header->region_bytes[r]);
	memcpy(machine->regions[GRETA_REGION_MODEL], model, plan->header->region_bytes[GRETA_REGION_MODEL]);
	for (size_t t = 0; t < plan->tensor_count; t++)
		load_tensor(machine, &plan->tensors[t], model);
}

void plan_machine_finish(struct plan_machine *machine)
{
	for (int r = 0; r < GRETA_REGION_COUNT; r++)
		free(machine->regions[r]);
}

struct greta_state *plan_machine_state(const struct plan_machine *machine)
{
	return (void *)(machine->regions[GRETA_REGION_STATE] + machine->plan->header->state_offset);
}

uint32_t *plan_machine_tokens(const struct plan_machine *machine)
{
	return (void *)(machine->regions[GRETA_REGION_STATE] + machine->plan->header->tokens_offset);
}

const float *plan_machine_logits(const struct plan_machine *machine)
{
	return (const void *)(machine->regions[GRETA_REGION_IO] + machine->plan->header->logits_offset);
}

void plan_machine_prompt(struct plan_machine *machine, const uint32_t *tokens, uint32_t count)
{
	*plan_machine_state(machine) = (struct greta_state){
	    .prompt_end = count,
	    .context = machine->plan->header->context,
	    .top_p = 1,
	};
	memcpy(plan_machine_tokens(machine), tokens, count * sizeof(*tokens));
}

static greta_cpu_kernel *kernel_of(const char *symbol)
{
	for (size_t i = 0; i < greta_ref_module.count; i++)
		if (!strcmp(greta_ref_module.functions[i].name, symbol))
			return greta_ref_module.functions[i].kernel;
	fail_msg("no kernel %s", symbol);
	return NULL;
}

static void launch(struct plan_machine *machine, const struct greta_plan_launch *l)
{
	const struct greta_plan *plan = machine->plan;
	uint64_t args[32];
	assert_true(l->args_bytes <= sizeof(args));
	memcpy(args, plan->args + l->args, l->args_bytes);
	for (uint32_t r = 0; r < l->reloc_count; r++) {
		const struct greta_plan_reloc *reloc = &plan->relocs[l->first_reloc + r];
		args[reloc->field / 8] += (uint64_t)(uintptr_t)machine->regions[reloc->region];
	}
	greta_cpu_kernel *kernel = kernel_of(greta_plan_string(plan, l->symbol));
	struct greta_cpu_block block = {
	    .grid_x = l->grid[0],
	    .grid_y = l->grid[1],
	    .grid_z = l->grid[2],
	    .fresh = 1,
	    .shared = exactly(l->shared_bytes),
	};
	for (block.z = 0; block.z < block.grid_z; block.z++)
		for (block.y = 0; block.y < block.grid_y; block.y++)
			for (block.x = 0; block.x < block.grid_x; block.x++) {
				kernel(&block, args);
				block.fresh = 0;
			}
	free(block.shared);
}

void plan_machine_step(struct plan_machine *machine, uint32_t program)
{
	const struct greta_plan_program *p = &machine->plan->programs[program];
	memset(machine->regions[GRETA_REGION_ARENA], 0xff, machine->plan->header->region_bytes[GRETA_REGION_ARENA]);
	for (uint32_t l = 0; l < p->launch_count; l++)
		launch(machine, &machine->plan->launches[p->first_launch + l]);
}
