#include "planner/target.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KIB 1024u

/* ---- The processor's kernels: one function each, whatever the types ---- */

#define CPU_FORM(name, ...)                                                                                            \
	{.kernel = GRETA_KERNEL_##name, .symbol = #name, .threads = 1, .shared_bytes = GRETA_CPU_WORK_BYTES, __VA_ARGS__},

static const struct greta_form CPU_FORMS[] = {
    CPU_FORM(embed) CPU_FORM(rope_angles) CPU_FORM(rmsnorm) CPU_FORM(digits)
    CPU_FORM(product, .rows = 32) CPU_FORM(qkv, .rows = 32) CPU_FORM(gate_up, .rows = 32) CPU_FORM(lm_head, .rows = 64)
    CPU_FORM(rope) CPU_FORM(kv_write) CPU_FORM(attention, .tokens = 8) CPU_FORM(silu_mul) CPU_FORM(add)
    CPU_FORM(argmax) CPU_FORM(sample) CPU_FORM(advance) CPU_FORM(stamp)
};

/* ---- The GPUs' kernels: kernels/gpu/README.md says what each wants ---- */

#define GPU_FORM(name, lanes, ...) {.kernel = GRETA_KERNEL_##name, .symbol = "greta_" #name, .threads = lanes, __VA_ARGS__},

/* One function for each type of weights and one for those that are numbers themselves; where several matrices meet in a
 * launch, one for the mix that Q4_K_M is and one for any. Last, the bytes of a wave's ring of tiles on NVIDIA, three tiles
 * deep and two. */
#define GPU_TYPES(X, ...)                                                                                              \
	X("q4_k", GRETA_TYPE_SET(GRETA_TYPE_Q4_K), 6912, 4608, __VA_ARGS__)                                            \
	X("q6_k", GRETA_TYPE_SET(GRETA_TYPE_Q6_K), 10080, 6720, __VA_ARGS__)                                           \
	X("q5_k", GRETA_TYPE_SET(GRETA_TYPE_Q5_K), 8448, 5632, __VA_ARGS__)                                            \
	X("q8_0", GRETA_TYPE_SET(GRETA_TYPE_Q8_0), 8704, 8704, __VA_ARGS__)                                            \
	X("q4_0", GRETA_TYPE_SET(GRETA_TYPE_Q4_0), 6912, 4608, __VA_ARGS__)                                            \
	X("float", GRETA_TYPE_SET(GRETA_TYPE_F32) | GRETA_TYPE_SET(GRETA_TYPE_F16) | GRETA_TYPE_SET(GRETA_TYPE_BF16),    \
	  0, 0, __VA_ARGS__)
#define GPU_MIXES(X, ...)                                                                                              \
	X("k", GRETA_TYPE_SET(GRETA_TYPE_Q4_K) | GRETA_TYPE_SET(GRETA_TYPE_Q6_K), 10080, 6720, __VA_ARGS__)            \
	X("mixed", 0, 10080, 8704, __VA_ARGS__)
#define NO_RING(three, two) 0
#define RING_OF_3(three, two) (three)
#define RING_OF_2(three, two) (two)

/* Of one token: every wave has its part of each row's sum, 8 bytes, in shared memory, and its ring. */
#define GPU_DECODE(type, set, three, two, name, tokens, sums, units, each, wave, lanes, ring, panel_bytes, attend_bytes, panel_rows) \
	{.kernel = GRETA_KERNEL_##name, .symbol = "greta_" #name "_" type, .types = set, .most_tokens = tokens,         \
	 .threads = lanes, .rows = 16, .blocks = (units) * (each), .most_rows = 1024,                                  \
	 .shared_bytes = (lanes) / (wave) * ring(three, two), .row_bytes = (sums) * ((lanes) / (wave)) * 8},

/* Of many tokens: blocks of rows by tokens, whose digits, and on NVIDIA tiles of weights, come through shared memory. */
#define GPU_PREFILL(type, set, three, two, name, matrix_rows, units, each, wave, lanes, ring, panel_bytes, attend_bytes, panel_rows) \
	{.kernel = GRETA_KERNEL_##name, .symbol = "greta_" #name "_prefill_" type, .types = set, .threads = 4 * (wave), \
	 .rows = matrix_rows, .tokens = 32, .shared_bytes = panel_bytes, .apart = true},

#define GPU_UNITS(units, ...) (units)
#define GPU_ATTEND_SHARED(units, each, wave, lanes, ring, panel_bytes, attend_bytes, panel_rows) (attend_bytes)
#define GPU_PANEL_ROWS(units, each, wave, lanes, ring, panel_bytes, attend_bytes, panel_rows) (panel_rows)

/* A device: its compute units, blocks of a decode step that one holds, lanes of a wave, lanes of such a block, the ring of
 * each of its waves, bytes of shared memory of a block of many tokens, and of one of attention of one token, and rows of a
 * block of many tokens. */
#define GPU_FORMS(...)                                                                                                 \
	GPU_FORM(embed, 1024) GPU_FORM(rope_angles, 256) GPU_FORM(rmsnorm, 256) GPU_FORM(digits, 512)                   \
	GPU_TYPES(GPU_DECODE, product, 1, 1, __VA_ARGS__) GPU_TYPES(GPU_PREFILL, product, GPU_PANEL_ROWS(__VA_ARGS__), __VA_ARGS__)            \
	GPU_TYPES(GPU_DECODE, qkv, 1, 1, __VA_ARGS__) GPU_MIXES(GPU_DECODE, qkv, 1, 2, __VA_ARGS__)                    \
	GPU_TYPES(GPU_PREFILL, qkv, GPU_PANEL_ROWS(__VA_ARGS__), __VA_ARGS__)                                          \
	GPU_MIXES(GPU_PREFILL, qkv, GPU_PANEL_ROWS(__VA_ARGS__), __VA_ARGS__)                    \
	GPU_TYPES(GPU_DECODE, gate_up, 1, 2, __VA_ARGS__) GPU_MIXES(GPU_DECODE, gate_up, 1, 2, __VA_ARGS__)            \
	GPU_TYPES(GPU_PREFILL, gate_up, 64, __VA_ARGS__) GPU_MIXES(GPU_PREFILL, gate_up, 64, __VA_ARGS__)              \
	GPU_TYPES(GPU_DECODE, lm_head, 0, 1, __VA_ARGS__)                                                              \
	GPU_FORM(rope, 256) GPU_FORM(kv_write, 256) GPU_FORM(silu_mul, 256) GPU_FORM(add, 256)                         \
	GPU_FORM(attention, 512, .most_tokens = 1, .tokens = 1, .heads = 1, .splits = GPU_UNITS(__VA_ARGS__),          \
		 .shared_bytes = GPU_ATTEND_SHARED(__VA_ARGS__))                                                       \
	{.kernel = GRETA_KERNEL_attention, .symbol = "greta_attention_prefill", .threads = 128, .tokens = 32, .heads = 1}, \
	GPU_FORM(argmax, 1024) GPU_FORM(sample, 1024) GPU_FORM(advance, 64) GPU_FORM(stamp, 64)

#define GFX942_UNITS 304
#define GFX90A_UNITS 104 /* of one die */
#define GFX1100_UNITS 96
#define GFX1201_UNITS 64
#define SM_80_UNITS 108
#define SM_89_UNITS 128
#define SM_90_UNITS 132

static const struct greta_form GFX942_FORMS[] = {GPU_FORMS(GFX942_UNITS, 1, 64, 512, NO_RING, 45312, 32768, 128)};
static const struct greta_form GFX90A_FORMS[] = {GPU_FORMS(GFX90A_UNITS, 1, 64, 512, NO_RING, 45312, 32768, 128)};
static const struct greta_form GFX1100_FORMS[] = {GPU_FORMS(GFX1100_UNITS, 1, 32, 512, NO_RING, 45312, 32768, 64)};
static const struct greta_form GFX1201_FORMS[] = {GPU_FORMS(GFX1201_UNITS, 1, 32, 512, NO_RING, 45312, 32768, 64)};
static const struct greta_form SM_90_FORMS[] = {GPU_FORMS(SM_90_UNITS, 1, 32, 512, RING_OF_3, 106752, 221184, 128)};
static const struct greta_form SM_89_FORMS[] = {GPU_FORMS(SM_89_UNITS, 1, 32, 256, RING_OF_2, 82176, 32768, 128)};
static const struct greta_form SM_80_FORMS[] = {GPU_FORMS(SM_80_UNITS, 2, 32, 256, RING_OF_2, 82176, 32768, 128)};

/* Shared memory that kernels declare themselves, at most, where they also have some whose size the launch says. */
#define GPU_STATIC_SHARED_BYTES (6 * KIB)

#define QUANTISED(layout)                                                                                              \
	{[GRETA_TYPE_Q4_0] = layout, [GRETA_TYPE_Q8_0] = layout, [GRETA_TYPE_Q4_K] = layout, [GRETA_TYPE_Q5_K] = layout, \
	 [GRETA_TYPE_Q6_K] = layout}

/* On a GPU: shared memory is what a block can have in all. */
#define GPU(target, what, units, lanes, shared, bandwidth, node_us, list)                                              \
	{.name = target, .description = what, .wave = lanes, .compute_units = units,                                   \
	 .max_shared_bytes = (shared) * KIB - GPU_STATIC_SHARED_BYTES, .read_bandwidth = bandwidth,                    \
	 .node_cost_us = node_us, .digits_us = 0.3, .self_digits_tokens = 1,                                           \
	 .digits_block_bytes = GRETA_GPU_DIGITS_BLOCK_BYTES, .layouts = QUANTISED(GRETA_LAYOUT_TILE16),                \
	 .forms = list, .form_count = COUNT(list)}

/* Read rates are the makers', but for sm_90's, which is measured, as is its node cost. That of gfx1100 is one that users of ROCm
 * have reported; the others' are assumed. */
static const struct greta_target TARGETS[] = {
    {
	.name = "cpu",
	.description = "the processor that runs the program, any number of threads",
	.wave = 1,
	.compute_units = 8,
	.max_shared_bytes = 4096 * KIB,
	.read_bandwidth = 40e9,
	.node_cost_us = 3,
	.digits_us = 0.5,
	.model_in_place = true,
	.self_digits_tokens = 1,
	.digits_block_bytes = GRETA_CPU_DIGITS_BLOCK_BYTES,
	.self_value_bytes = 4,
	.layouts = QUANTISED(GRETA_LAYOUT_ROWS16),
	.forms = CPU_FORMS,
	.form_count = COUNT(CPU_FORMS),
    },
    GPU("gfx942", "AMD Instinct MI300X, MI300A, MI325X (CDNA3)",
	GFX942_UNITS, 64, 64, 5.3e12, 2.0, GFX942_FORMS),
    GPU("gfx90a", "AMD Instinct MI210, MI250, MI250X: one die (CDNA2)",
	GFX90A_UNITS, 64, 64, 1.6e12, 2.0, GFX90A_FORMS),
    GPU("gfx1100", "AMD Radeon RX 7900 XTX, RX 7900 XT, PRO W7900 (RDNA3)",
	GFX1100_UNITS, 32, 64, 0.96e12, 2.8, GFX1100_FORMS),
    GPU("gfx1201", "AMD Radeon RX 9070 XT, RX 9070, AI PRO R9700 (RDNA4)",
	GFX1201_UNITS, 32, 64, 0.64e12, 2.8, GFX1201_FORMS),
    GPU("sm_90", "NVIDIA H100, H200 (Hopper)",
	SM_90_UNITS, 32, 227, 4.7e12, 0.52, SM_90_FORMS),
    GPU("sm_89", "NVIDIA RTX 4090, L40S (Ada)",
	SM_89_UNITS, 32, 99, 0.9e12, 1.0, SM_89_FORMS),
    GPU("sm_80", "NVIDIA A100 (Ampere)",
	SM_80_UNITS, 32, 163, 1.9e12, 1.0, SM_80_FORMS),
    GPU("compute_80", "any NVIDIA GPU since Ampere: the driver compiles the kernels when they are loaded",
	SM_80_UNITS, 32, 99, 0.9e12, 1.0, SM_80_FORMS),
};

const struct greta_target *greta_target_at(size_t index)
{
	return index < COUNT(TARGETS) ? &TARGETS[index] : NULL;
}

const struct greta_target *greta_target_find(const char *name)
{
	for (size_t i = 0; i < COUNT(TARGETS); i++)
		if (!strcmp(TARGETS[i].name, name))
			return &TARGETS[i];
	return NULL;
}

const struct greta_form *greta_target_form(const struct greta_target *target, enum greta_kernel kernel, uint32_t chunk,
					   uint32_t types)
{
	for (size_t i = 0; i < target->form_count; i++) {
		const struct greta_form *form = &target->forms[i];
		if (form->kernel == kernel && (!form->most_tokens || chunk <= form->most_tokens) &&
		    (!form->types || (types & ~form->types) == 0))
			return form;
	}
	return NULL;
}

bool greta_target_has(const struct greta_target *target, enum greta_kernel kernel)
{
	for (size_t i = 0; i < target->form_count; i++)
		if (target->forms[i].kernel == kernel)
			return true;
	return false;
}

static uint64_t shares(uint64_t all, uint64_t each) { return (all + each - 1) / each; }

uint32_t greta_form_rows(const struct greta_form *form, uint64_t rows, uint64_t room)
{
	if (!form->blocks)
		return form->rows;
	uint64_t units = shares(rows, form->rows), most = form->most_rows ? form->most_rows / form->rows : units;
	uint64_t fitting = form->row_bytes ? room / form->row_bytes / form->rows : most;
	if (most > fitting)
		most = fitting ? fitting : 1;
	return (uint32_t)(shares(units, form->blocks * shares(units, form->blocks * most)) * form->rows);
}

uint32_t greta_form_splits(const struct greta_form *form, uint32_t heads, uint32_t context)
{
	uint32_t wanted = form->splits / heads, most = (context + GRETA_ATTENTION_CHUNK - 1) / GRETA_ATTENTION_CHUNK;
	if (wanted > most)
		wanted = most;
	return wanted ? wanted : 1;
}

uint64_t greta_target_self_digits_bytes(const struct greta_target *target, uint32_t cols)
{
	return (uint64_t)cols * target->self_value_bytes + (uint64_t)(cols / 256) * target->digits_block_bytes;
}

bool greta_target_wants_digits_node(const struct greta_target *target, uint32_t chunk, uint32_t cols, uint64_t room)
{
	if (!greta_target_has(target, GRETA_KERNEL_digits))
		return false;
	if (chunk > target->self_digits_tokens || greta_target_self_digits_bytes(target, cols) > room)
		return true;
	/* All blocks make them at the same time, so that their number does not matter; a node shares them out. */
	double in_blocks = target->digits_us * chunk * cols / 1024;
	uint32_t shares = chunk < target->compute_units ? chunk : target->compute_units;
	return target->node_cost_us + in_blocks / shares < in_blocks;
}
