#include "tests/provider/kernels.h"
#include "kernels/cpu/module.h"

#include <sched.h>
#include <string.h>

static void nothing(const struct greta_cpu_block *block, const void *args)
{
	(void)block;
	(void)args;
}

uint32_t test_mixed(uint32_t word, uint32_t key, uint32_t index)
{
	word = (word ^ key) * 0x9e3779b1u + index;
	return word ^ word >> 15;
}

static void mix(const struct greta_cpu_block *block, const void *args)
{
	const struct test_mix *mix_args = args;
	uint32_t *word = &mix_args->words[block->x];
	*word = test_mixed(*word, mix_args->key, block->x);
}

static void carry(const struct greta_cpu_block *block, const void *args)
{
	const struct test_carry *carry_args = args;
	(void)block;
	carry_args->words[carry_args->to] = test_mixed(carry_args->words[carry_args->from], carry_args->key,
	    carry_args->to);
}

static void where(const struct greta_cpu_block *block, const void *args)
{
	const struct test_where *expected = args;
	_Bool right = block->grid_x == expected->grid_x && block->grid_y == expected->grid_y &&
	    block->grid_z == expected->grid_z && block->x < block->grid_x && block->y < block->grid_y &&
	    block->z < block->grid_z && block->worker < expected->workers && (uintptr_t)block->shared % 64 == 0;
	/* shared memory is the worker's own: what its blocks leave there is still there */
	uint32_t *shared = block->shared;
	uint32_t count = expected->shared_bytes / 4;
	if (block->fresh) {
		shared[0] = block->worker;
		memset(shared + 1, 0x5a, 4 * (count - 1));
	}
	if (block->fresh > 1 || shared[0] != block->worker || shared[count - 1] != 0x5a5a5a5a)
		right = 0;
	atomic_fetch_add(expected->fresh, block->fresh);
	if (!right)
		atomic_fetch_add(expected->wrong, 1);
	else
		atomic_fetch_add(&expected->seen[(block->z * block->grid_y + block->y) * block->grid_x + block->x], 1);
}

static void wait_for_gate(const struct greta_cpu_block *block, const void *args)
{
	const struct test_wait *wait_args = args;
	(void)block;
	while (!atomic_load(wait_args->gate))
		sched_yield();
}

static void rounding(const struct greta_cpu_block *block, const void *args)
{
	const struct test_rounding *rounding_args = args;
	volatile float tiny = 1e-40f, one = 1.0f, third = 3.0f;
	volatile float kept = tiny * one, quotient = one / third;
	rounding_args->out[block->x] = kept == tiny && kept > 0 && quotient == 0x1.555556p-2f;
}

static const struct greta_cpu_function functions[] = {
	{ "nothing", nothing },
	{ "mix", mix },
	{ "carry", carry },
	{ "where", where },
	{ "wait", wait_for_gate },
	{ "rounding", rounding },
};

const struct greta_cpu_module test_module = {
	.magic = GRETA_CPU_MODULE_MAGIC,
	.name = "test",
	.count = sizeof(functions) / sizeof(functions[0]),
	.functions = functions,
};
