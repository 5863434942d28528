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
#define GPU_DECODE(name, suffix, types, ring, most_tokens, row_bytes, rings) \
	{"greta_" #name "_" suffix, GRETA_KERNEL_##name, types, 512, most_tokens, ANY, 0, 1024, (ring) * (rings), row_bytes, 0, \
	 false, false, false, false},
#define GPU_PREFILL(name, suffix, types, ring, rows, threads, bytes) \
	{"greta_" #name "_prefill_" suffix, GRETA_KERNEL_##name, types, threads, ANY, 32, rows, rows, \
	 bytes, 0, 0, true, true, false, false},
#define FLOATS (ONE(F32) | ONE(F16) | ONE(BF16))
/* With the bytes of a ring of tiles. */
#define GPU_TYPES(X, name, ...) \
	X(name, "q4_0", ONE(Q4_0), 6912, __VA_ARGS__) X(name, "q8_0", ONE(Q8_0), 8704, __VA_ARGS__) \
	X(name, "q4_k", ONE(Q4_K), 6912, __VA_ARGS__) X(name, "q5_k", ONE(Q5_K), 8448, __VA_ARGS__) \
	X(name, "q6_k", ONE(Q6_K), 10080, __VA_ARGS__) X(name, "float", FLOATS, 0, __VA_ARGS__)
#define GPU_MIXES(X, name, ...) \
	X(name, "k", ONE(Q4_K) | ONE(Q6_K), 10080, __VA_ARGS__) X(name, "mixed", ANY, 10080, __VA_ARGS__)

/* waves: of a block of 512 threads; each has 8 bytes for each row and matrix, and as many rings as `rings` says in all.
   threads, bytes: of a block for many tokens, and its shared memory. */
#define GPU_FUNCTIONS(waves, rings, threads, bytes) \
	GPU(embed, 1024) GPU(rope_angles, 256) GPU(rmsnorm, 256) GPU(digits, 512) GPU(rope, 256) GPU(kv_write, 256) \
	GPU(silu_mul, 256) GPU(add, 256) GPU(argmax, 1024) GPU(sample, 1024) GPU(advance, 64) GPU(stamp, 64) \
	GPU_TYPES(GPU_DECODE, product, 1, 8 * (waves), rings) GPU_TYPES(GPU_PREFILL, product, 128, threads, bytes) \
	GPU_TYPES(GPU_DECODE, qkv, 1, 8 * (waves), rings) GPU_TYPES(GPU_PREFILL, qkv, 128, threads, bytes) \
	GPU_MIXES(GPU_DECODE, qkv, 1, 8 * (waves), rings) GPU_MIXES(GPU_PREFILL, qkv, 128, threads, bytes) \
	GPU_TYPES(GPU_DECODE, gate_up, 1, 16 * (waves), rings) GPU_TYPES(GPU_PREFILL, gate_up, 64, threads, bytes) \
	GPU_MIXES(GPU_DECODE, gate_up, 1, 16 * (waves), rings) GPU_MIXES(GPU_PREFILL, gate_up, 64, threads, bytes) \
	GPU_TYPES(GPU_DECODE, lm_head, ANY, 8 * (waves), rings) \
	{"greta_attention", GRETA_KERNEL_attention, ANY, 512, 1, 1, 0, 0, 0, 0, 0, false, false, true, true}, \
	{"greta_attention_prefill", GRETA_KERNEL_attention, ANY, 128, ANY, 32, 0, 0, 0, 0, 0, false, false, false, true},

static const struct greta_target_function gfx942_functions[] = {GPU_FUNCTIONS(8, 0, 256, 45312)};
static const struct greta_target_function sm_90_functions[] = {GPU_FUNCTIONS(16, 16, 128, 106752)};

#define FUNCTIONS(list) .functions = (list), .function_count = sizeof(list) / sizeof((list)[0])

/* Of the GPUs' shared memory 4 KiB are left to what the kernels declare themselves. */
static const struct greta_target_facts targets[] = {
	{.name = "cpu", .reads_model = true, .quantised_layout = GRETA_LAYOUT_ROWS16, .self_digits_tokens = 1,
	 .digits_bytes = GRETA_CPU_DIGITS_BLOCK_BYTES, .shared_most = 4 << 20, FUNCTIONS(cpu_functions)},
	{.name = "gfx942", .quantised_layout = GRETA_LAYOUT_TILE16, .self_digits_tokens = 1,
	 .digits_bytes = GRETA_GPU_DIGITS_BLOCK_BYTES, .shared_most = 60 << 10, FUNCTIONS(gfx942_functions)},
	{.name = "sm_90", .quantised_layout = GRETA_LAYOUT_TILE16, .self_digits_tokens = 1,
	 .digits_bytes = GRETA_GPU_DIGITS_BLOCK_BYTES, .shared_most = 223 << 10, FUNCTIONS(sm_90_functions)},
};

const struct greta_target_facts *greta_target_facts(const char *name)
{
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
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
