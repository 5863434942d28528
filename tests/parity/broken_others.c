#include "kernels/ref/kernels.h"
#include "tests/parity/broken.h"

#include <math.h>
#include <stdatomic.h>

void broken_position_kv_write(const struct greta_cpu_block *block, const void *args);
void broken_position_qkv(const struct greta_cpu_block *block, const void *args);
void broken_unsteady_silu_mul(const struct greta_cpu_block *block, const void *args);
void broken_unsteady_gate_up(const struct greta_cpu_block *block, const void *args);
void broken_nan_attention(const struct greta_cpu_block *block, const void *args);

/* ---- One position late ---- */

static struct greta_state late(const struct greta_state *state)
{
	struct greta_state later = *state;
	later.position++;
	later.prompt_end++;
	later.context++;
	return later;
}

void broken_position_kv_write(const struct greta_cpu_block *block, const void *args)
{
	struct greta_kv_write_args a = *(const struct greta_kv_write_args *)args;
	struct greta_state state = late(a.state);
	a.state = &state;
	greta_ref_kv_write(block, &a);
}

void broken_position_qkv(const struct greta_cpu_block *block, const void *args)
{
	struct greta_qkv_args a = *(const struct greta_qkv_args *)args;
	struct greta_state state = late(a.state);
	a.state = &state;
	greta_ref_qkv(block, &a);
}

static const struct greta_cpu_function POSITION[] = {
#define greta_ref_kv_write broken_position_kv_write
#define greta_ref_qkv broken_position_qkv
#define X(name) {#name, greta_ref_##name},
	GRETA_KERNELS(X)
#undef X
#undef greta_ref_kv_write
#undef greta_ref_qkv
};

/* ---- Another thing each time ---- */

static float count(void)
{
	static atomic_uint calls;
	return (float)(atomic_fetch_add(&calls, 1) + 1);
}

void broken_unsteady_silu_mul(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_silu_mul_args *a = args;
	greta_ref_silu_mul(block, args);
	if (block->x == 0)
		a->y[0] += count();
}

void broken_unsteady_gate_up(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_gate_up_args *a = args;
	greta_ref_gate_up(block, args);
	if (block->x == 0)
		a->h[0] += count();
}

static const struct greta_cpu_function UNSTEADY[] = {
#define greta_ref_silu_mul broken_unsteady_silu_mul
#define greta_ref_gate_up broken_unsteady_gate_up
#define X(name) {#name, greta_ref_##name},
	GRETA_KERNELS(X)
#undef X
#undef greta_ref_silu_mul
#undef greta_ref_gate_up
};

/* ---- Not a number ---- */

void broken_nan_attention(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_attention_args *a = args;
	greta_ref_attention(block, args);
	if (block->x == 0 && block->y == 0 && a->state->position >= 5)
		a->out[1] = NAN;
}

static const struct greta_cpu_function NOT_A_NUMBER[] = {
#define greta_ref_attention broken_nan_attention
#define X(name) {#name, greta_ref_##name},
	GRETA_KERNELS(X)
#undef X
#undef greta_ref_attention
};

const struct greta_cpu_module broken_position = {GRETA_CPU_MODULE_MAGIC, "a position late",
						 sizeof(POSITION) / sizeof(POSITION[0]), POSITION};
const struct greta_cpu_module broken_unsteady = {GRETA_CPU_MODULE_MAGIC, "unsteady",
						 sizeof(UNSTEADY) / sizeof(UNSTEADY[0]), UNSTEADY};
const struct greta_cpu_module broken_nan = {GRETA_CPU_MODULE_MAGIC, "not a number",
					    sizeof(NOT_A_NUMBER) / sizeof(NOT_A_NUMBER[0]), NOT_A_NUMBER};
