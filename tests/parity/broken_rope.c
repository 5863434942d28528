#include "kernels/kv.h"
#include "kernels/ref/kernels.h"
#include "kernels/ref/kv_element.h"
#include "tests/parity/broken.h"

#include <math.h>
#include <stdlib.h>

void broken_rope_rope(const struct greta_cpu_block *block, const void *args);
void broken_rope_qkv(const struct greta_cpu_block *block, const void *args);

/* One head; rope [head_dim / 2][2]. */
static void turn(const float *rope, float *x, uint32_t head_dim)
{
	uint32_t half = head_dim / 2;
	for (uint32_t i = 0; i < half; i++) {
		float c = rope[2 * i], s = rope[2 * i + 1], x0 = x[i], x1 = x[i + half];
		x[i] = fmaf(x0, c, -(x1 * s));
		x[i + half] = fmaf(x0, s, x1 * c);
	}
}

void broken_rope_rope(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_rope_args *a = args;
	size_t t = block->x;
	for (uint32_t h = 0; t < greta_step_tokens(a->state, a->chunk) && h < a->heads; h++)
		turn(a->rope + t * a->head_dim, a->x + (t * a->heads + h) * a->head_dim, a->head_dim);
}

/* Keys in the cache. */
static void turn_key(const struct greta_qkv_args *a, const float *rope, uint32_t head, uint32_t position)
{
	float x[256];
	for (uint32_t i = 0; i < a->head_dim; i++)
		x[i] = greta_ref_kv_load(a->kv_type, a->k_cache,
					 greta_k_index(a->context, a->head_dim, head, position, i));
	turn(rope, x, a->head_dim);
	for (uint32_t i = 0; i < a->head_dim; i++)
		greta_ref_kv_store(a->kv_type, a->k_cache, greta_k_index(a->context, a->head_dim, head, position, i),
				   x[i]);
}

/* The first block does it all: by the reference without any turn, then turned wrongly. */
void broken_rope_qkv(const struct greta_cpu_block *block, const void *args)
{
	struct greta_qkv_args a = *(const struct greta_qkv_args *)args;
	const float *rope = a.rope;
	struct greta_cpu_block all = *block;
	float *none = calloc((size_t)a.chunk * a.head_dim, sizeof(*none));
	if (block->x == 0 && none) {
		for (size_t i = 0; i < (size_t)a.chunk * a.head_dim; i += 2)
			none[i] = 1;
		a.rope = none;
		a.rows_per_block = (a.heads + 2 * a.kv_heads) * a.head_dim;
		greta_ref_qkv(&all, &a);
		for (uint32_t t = 0; t < greta_step_tokens(a.state, a.chunk); t++) {
			const float *angles = rope + (size_t)t * a.head_dim;
			for (uint32_t h = 0; h < a.heads; h++)
				turn(angles, a.q + ((size_t)t * a.heads + h) * a.head_dim, a.head_dim);
			for (uint32_t h = 0; h < a.kv_heads; h++)
				turn_key(&a, angles, h, a.state->position + t);
		}
	}
	free(none);
}

static const struct greta_cpu_function FUNCTIONS[] = {
#define greta_ref_rope broken_rope_rope
#define greta_ref_qkv broken_rope_qkv
#define X(name) {#name, greta_ref_##name},
	GRETA_KERNELS(X)
#undef X
};

const struct greta_cpu_module broken_rope = {GRETA_CPU_MODULE_MAGIC, "halves turned",
					     sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]), FUNCTIONS};
