#include "runtime/verify_target.h"

#include <string.h>

#define ANY UINT32_MAX
#define ONE(type) (1u << GRETA_TYPE_##type)

/* Row: symbol, kernel, types, threads, most_tokens, tokens, rows, most_rows, bytes, row_bytes, value_bytes, then flags. */

#define CPU(name, rows, value) \
	{#name, GRETA_KERNEL_##name, ANY, 1, ANY, ANY, 0, rows, GRETA_CPU_WORK_BYTES, 0, value, false, false, false, false},

static const struct greta_target_function cpu_functions[] = {
	CPU(embed, 0, 0) CPU(rope_angles, 0, 0) CPU(rmsnorm, 0, 0) CPU(digits, 0, 0) CPU(product, ANY, 4) CPU(qkv, ANY, 4)
	CPU(rope, 0, 0) CPU(kv_write, 0, 0) CPU(attention, 0, 0) CPU(gate_up, ANY, 4) CPU(silu_mul, 0, 0) CPU(add, 0, 0)
	CPU(lm_head, ANY, 4) CPU(argmax, 0, 0) CPU(sample, 0, 0) CPU(advance, 0, 0) CPU(stamp, 0, 0)
};

#define GPU(name, threads) \
	{"greta_" #name, GRETA_KERNEL_##name, ANY, threads, ANY, ANY, 0, 0, 0, 0, 0, false, false, false, false},
#define GPU_DECODE(name, suffix, types, three, two, most_tokens, row_bytes, threads, waves, ring) \
	{"greta_" #name "_" suffix, GRETA_KERNEL_##name, types, threads, most_tokens, ANY, 0, 1024, (waves) * ring(three, two), \
	 row_bytes, 0, false, false, false, false},
#define GPU_PREFILL(name, suffix, types, three, two, rows, threads, bytes) \
	{"greta_" #name "_prefill_" suffix, GRETA_KERNEL_##name, types, threads, ANY, 32, rows, rows, \
	 bytes, 0, 0, true, true, false, false},
#define FLOATS (ONE(F32) | ONE(F16) | ONE(BF16))
/* With the bytes of a ring of three tiles and of one of two. */
#define GPU_TYPES(X, name, ...) \
	X(name, "q4_0", ONE(Q4_0), 6912, 4608, __VA_ARGS__) X(name, "q8_0", ONE(Q8_0), 8704, 8704, __VA_ARGS__) \
	X(name, "q4_k", ONE(Q4_K), 6912, 4608, __VA_ARGS__) X(name, "q5_k", ONE(Q5_K), 8448, 5632, __VA_ARGS__) \
	X(name, "q6_k", ONE(Q6_K), 10080, 6720, __VA_ARGS__) X(name, "float", FLOATS, 0, 0, __VA_ARGS__)
#define GPU_MIXES(X, name, ...) \
	X(name, "k", ONE(Q4_K) | ONE(Q6_K), 10080, 6720, __VA_ARGS__) X(name, "mixed", ANY, 10080, 8704, __VA_ARGS__)
#define NONE(three, two) 0
#define THREE(three, two) (three)
#define TWO(three, two) (two)

/* threads, waves: of a block of one token; each wave has 8 bytes for each row and matrix, and a ring.
   many, bytes, panel_rows: threads of a block for many tokens, its shared memory, and its rows of one matrix;
   attend_bytes: shared memory of one of attention of one token. */
#define GPU_FUNCTIONS(threads, waves, ring, many, bytes, attend_bytes, panel_rows) \
	GPU(embed, 1024) GPU(rope_angles, 256) GPU(rmsnorm, 256) GPU(digits, 512) GPU(rope, 256) GPU(kv_write, 256) \
	GPU(silu_mul, 256) GPU(add, 256) GPU(argmax, 1024) GPU(sample, 1024) GPU(advance, 64) GPU(stamp, 64) \
	GPU_TYPES(GPU_DECODE, product, 1, 8 * (waves), threads, waves, ring) GPU_TYPES(GPU_PREFILL, product, panel_rows, many, bytes) \
	GPU_TYPES(GPU_DECODE, qkv, 1, 8 * (waves), threads, waves, ring) GPU_TYPES(GPU_PREFILL, qkv, panel_rows, many, bytes) \
	GPU_MIXES(GPU_DECODE, qkv, 1, 16 * (waves), threads, waves, ring) GPU_MIXES(GPU_PREFILL, qkv, panel_rows, many, bytes) \
	GPU_TYPES(GPU_DECODE, gate_up, 1, 16 * (waves), threads, waves, ring) GPU_TYPES(GPU_PREFILL, gate_up, 64, many, bytes) \
	GPU_MIXES(GPU_DECODE, gate_up, 1, 16 * (waves), threads, waves, ring) GPU_MIXES(GPU_PREFILL, gate_up, 64, many, bytes) \
	GPU_TYPES(GPU_DECODE, lm_head, ANY, 8 * (waves), threads, waves, ring) \
	{"greta_attention", GRETA_KERNEL_attention, ANY, 512, 1, 1, 0, 0, attend_bytes, 0, 0, false, false, true, true}, \
	{"greta_attention_prefill", GRETA_KERNEL_attention, ANY, 128, ANY, 32, 0, 0, 0, 0, 0, false, false, false, true},

static const struct greta_target_function gfx942_functions[] = {GPU_FUNCTIONS(512, 8, NONE, 256, 45312, 32768, 128)};
static const struct greta_target_function rdna_functions[] = {GPU_FUNCTIONS(512, 16, NONE, 128, 45312, 32768, 64)};
static const struct greta_target_function sm_90_functions[] = {GPU_FUNCTIONS(512, 16, THREE, 128, 106752, 221184, 128)};
static const struct greta_target_function sm_80_functions[] = {GPU_FUNCTIONS(256, 8, TWO, 128, 82176, 32768, 128)};

#define FUNCTIONS(list) .functions = (list), .function_count = sizeof(list) / sizeof((list)[0])

/* Of a block's shared memory on GPUs, given in KiB, six are left to what the kernels declare themselves. */
#define GPU_TARGET(target, shared, list) \
	{.name = target, .quantised_layout = GRETA_LAYOUT_TILE16, .self_digits_tokens = 1, \
	 .digits_bytes = GRETA_GPU_DIGITS_BLOCK_BYTES, .shared_most = ((shared) - 6) << 10, FUNCTIONS(list)}

static const struct greta_target_facts targets[] = {
	{.name = "cpu", .reads_model = true, .quantised_layout = GRETA_LAYOUT_ROWS16, .self_digits_tokens = 1,
	 .digits_bytes = GRETA_CPU_DIGITS_BLOCK_BYTES, .shared_most = 4 << 20, FUNCTIONS(cpu_functions)},
	GPU_TARGET("gfx942", 64, gfx942_functions),
	GPU_TARGET("gfx90a", 64, gfx942_functions),
	GPU_TARGET("gfx1100", 64, rdna_functions),
	GPU_TARGET("gfx1201", 64, rdna_functions),
	GPU_TARGET("sm_90", 227, sm_90_functions),
	GPU_TARGET("sm_89", 99, sm_80_functions),
	GPU_TARGET("sm_80", 163, sm_80_functions),
	GPU_TARGET("compute_80", 99, sm_80_functions),
};

#define TARGETS (sizeof(targets) / sizeof(targets[0]))

const struct greta_target_facts *greta_target_facts_at(size_t index)
{
	return index < TARGETS ? &targets[index] : NULL;
}

const struct greta_target_facts *greta_target_facts(const char *name)
{
	for (size_t i = 0; i < TARGETS; i++)
		if (!strcmp(targets[i].name, name))
			return &targets[i];
	return NULL;
}

const struct greta_target_function *greta_target_function(const struct greta_target_facts *facts, const char *symbol)
{
	for (size_t i = 0; i < facts->function_count; i++)
		if (!strcmp(facts->functions[i].symbol, symbol))
			return &facts->functions[i];
	return NULL;
}
