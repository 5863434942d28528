/* rope, kv_write, attention. */
#include "kernels/kv.h"
#include "kernels/numbers.h"
#include "kernels/ref/kernels.h"
#include "kernels/ref/kv_element.h"

#define CHUNK GRETA_ATTENTION_CHUNK

void greta_ref_rope(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_rope_args *a = args;
	uint32_t t = block->x;
	if (t >= greta_step_tokens(a->state, a->chunk))
		return;
	const float *rope = a->rope + (size_t)t * a->head_dim;
	for (uint32_t h = 0; h < a->heads; h++) {
		float *x = a->x + ((size_t)t * a->heads + h) * a->head_dim;
		for (uint32_t i = 0; i < a->head_dim; i += 2) {
			float c = rope[i], s = rope[i + 1], x0 = x[i], x1 = x[i + 1];
			x[i] = fmaf(x0, c, -(x1 * s));
			x[i + 1] = fmaf(x0, s, x1 * c);
		}
	}
}

void greta_ref_kv_write(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_kv_write_args *a = args;
	uint32_t t = block->x, position = a->state->position + t;
	if (t >= greta_step_tokens(a->state, a->chunk))
		return;
	for (uint32_t h = 0; h < a->kv_heads; h++)
		for (uint32_t i = 0; i < a->head_dim; i++) {
			size_t from = ((size_t)t * a->kv_heads + h) * a->head_dim + i;
			greta_ref_kv_store(a->kv_type, a->k_cache,
			                   greta_k_index(a->context, a->head_dim, h, position, i), a->k[from]);
			greta_ref_kv_store(a->kv_type, a->v_cache,
			                   greta_v_index(a->context, a->head_dim, h, position, i), a->v[from]);
		}
}

/* The running result of one head over the chunks seen so far: sum = e^(score - max) weights, out = weighted values. */
struct running {
	float max;
	float sum;
	float out[256];
};

/* Chunk `first .. first + count` of the context: scores by one chain of fma over the head's elements, their maximum,
 * weights e^(score - max), the weights' sum by halves over CHUNK places (places without a position are 0), values by
 * one chain of fma over the positions; then joined to what came before, both scaled to the larger maximum. */
static void attend_chunk(const struct greta_attention_args *a, const float *q, uint32_t kv_head, uint32_t first,
                         uint32_t count, struct running *run)
{
	float weight[CHUNK] = {0}, tree[CHUNK], values[256] = {0};
	float max = 0;
	for (uint32_t p = 0; p < count; p++) {
		float score = 0;
		for (uint32_t i = 0; i < a->head_dim; i++) {
			size_t at = greta_k_index(a->context, a->head_dim, kv_head, first + p, i);
			score = fmaf(q[i], greta_ref_kv_load(a->kv_type, a->k_cache, at), score);
		}
		weight[p] = score * a->scale;
		max = p == 0 || weight[p] > max ? weight[p] : max;
	}
	for (uint32_t p = 0; p < count; p++)
		weight[p] = greta_expf(weight[p] - max);
	memcpy(tree, weight, sizeof(tree));
	for (uint32_t width = CHUNK / 2; width >= 1; width /= 2)
		for (uint32_t p = 0; p < width; p++)
			tree[p] += tree[p + width];
	for (uint32_t p = 0; p < count; p++)
		for (uint32_t i = 0; i < a->head_dim; i++) {
			size_t at = greta_v_index(a->context, a->head_dim, kv_head, first + p, i);
			values[i] = fmaf(weight[p], greta_ref_kv_load(a->kv_type, a->v_cache, at), values[i]);
		}

	float joint = max > run->max ? max : run->max;
	float old = greta_expf(run->max - joint), new = greta_expf(max - joint);
	run->max = joint;
	run->sum = fmaf(tree[0], new, run->sum * old);
	for (uint32_t i = 0; i < a->head_dim; i++)
		run->out[i] = fmaf(values[i], new, run->out[i] * old);
}

static void attend(const struct greta_attention_args *a, uint32_t t, uint32_t head)
{
	uint32_t positions = a->state->position + t + 1;
	size_t at = ((size_t)t * a->heads + head) * a->head_dim;
	struct running run = {.max = -INFINITY};
	for (uint32_t first = 0; first < positions; first += CHUNK) {
		uint32_t count = positions - first < CHUNK ? positions - first : CHUNK;
		attend_chunk(a, a->q + at, head / (a->heads / a->kv_heads), first, count, &run);
	}
	for (uint32_t i = 0; i < a->head_dim; i++)
		a->out[at + i] = run.out[i] / run.sum;
}

void greta_ref_attention(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_attention_args *a = args;
	uint32_t tokens = greta_step_tokens(a->state, a->chunk);
	for (uint32_t k = 0; k < a->tokens_per_block; k++)
		for (uint32_t h = 0; h < a->heads_per_block; h++) {
			uint32_t t = block->y * a->tokens_per_block + k;
			if (t < tokens)
				attend(a, t, block->x * a->heads_per_block + h);
		}
}
