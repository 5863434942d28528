#include "planner/target.h"

#include <string.h>

#define SYMBOL(name) [GRETA_KERNEL_##name] = #name,

static const struct greta_target TARGETS[] = {
    {
	.name = "cpu",
	.description = "the processor that runs the program, any number of threads",
	.wave = 1,
	.compute_units = 8,
	.max_shared_bytes = 4 << 20,
	.read_bandwidth = 40e9,
	.node_cost_us = 3,
	.digits_us = 0.5,
	.model_in_place = true,
	.block_threads = 1,
	.self_digits_tokens = 1,
	.digits_block_bytes = GRETA_CPU_DIGITS_BLOCK_BYTES,
	.work_bytes = GRETA_CPU_WORK_BYTES,
	.product_rows = 32,
	.lm_head_rows = 64,
	.attention_tokens = 8,
	.layouts = {
	    [GRETA_TYPE_Q4_0] = GRETA_LAYOUT_ROWS16,
	    [GRETA_TYPE_Q8_0] = GRETA_LAYOUT_ROWS16,
	    [GRETA_TYPE_Q4_K] = GRETA_LAYOUT_ROWS16,
	    [GRETA_TYPE_Q5_K] = GRETA_LAYOUT_ROWS16,
	    [GRETA_TYPE_Q6_K] = GRETA_LAYOUT_ROWS16,
	},
	.symbols = {GRETA_KERNELS(SYMBOL)},
    },
};

const struct greta_target *greta_target_at(size_t index)
{
	return index < sizeof(TARGETS) / sizeof(TARGETS[0]) ? &TARGETS[index] : NULL;
}

const struct greta_target *greta_target_find(const char *name)
{
	for (size_t i = 0; i < sizeof(TARGETS) / sizeof(TARGETS[0]); i++)
		if (!strcmp(TARGETS[i].name, name))
			return &TARGETS[i];
	return NULL;
}

uint64_t greta_target_self_digits_bytes(const struct greta_target *target, uint32_t cols)
{
	return target->work_bytes + (uint64_t)cols * 4 + (uint64_t)(cols / 256) * target->digits_block_bytes;
}

bool greta_target_wants_digits_node(const struct greta_target *target, uint32_t chunk, uint32_t cols)
{
	if (!target->symbols[GRETA_KERNEL_digits])
		return false;
	if (chunk > target->self_digits_tokens || greta_target_self_digits_bytes(target, cols) > target->max_shared_bytes)
		return true;
	/* All blocks make them at the same time, so that their number does not matter; a node shares them out. */
	double in_blocks = target->digits_us * chunk * cols / 1024;
	uint32_t shares = chunk < target->compute_units ? chunk : target->compute_units;
	return target->node_cost_us + in_blocks / shares < in_blocks;
}
