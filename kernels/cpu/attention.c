/* rope, kv_write, attention.
 *
 * attention: a block is `heads_per_block` query heads of one KV head times `tokens_per_block` tokens. Keys are read in
 * tiles of 16 positions, a lane a position, so a score is one chain of fma as the definition says. Values are read row
 * by row, a lane an element. An fma takes four cycles and two start in each, so about eight chains run side by side:
 * several heads that share what is loaded, or, where they do not, several tiles or elements of one head. */
#include "kernels/cpu/forms.h"
#include "kernels/cpu/lanes.h"
#include "kernels/kv.h"

#define CHUNK GRETA_ATTENTION_CHUNK
#define TILE GRETA_KV_TILE
#define HEAD_DIM_MAX 256
#define HEADS_TOGETHER 8
#define WIDE_MAX 4

void GRETA_CPU_NAME(rope)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_rope_args *a = args;
	if (block->x >= greta_step_tokens(a->state, a->chunk))
		return;
	const float *rope = a->rope + (size_t)block->x * a->head_dim;
	float *x = a->x + (size_t)block->x * a->heads * a->head_dim;
	for (uint32_t h = 0; h < a->heads; h++, x += a->head_dim)
		for (uint32_t i = 0; i < a->head_dim; i += 2) {
			float c = rope[i], s = rope[i + 1], x0 = x[i], x1 = x[i + 1];
			x[i] = fmaf(x0, c, -(x1 * s));
			x[i + 1] = fmaf(x0, s, x1 * c);
		}
}

static void store(uint32_t kv_type, void *cache, size_t index, float x)
{
	if (kv_type == GRETA_KV_F32)
		((float *)cache)[index] = x;
	else
		((uint16_t *)cache)[index] = greta_f32_to_f16(x);
}

void GRETA_CPU_NAME(kv_write)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_kv_write_args *a = args;
	uint32_t position = a->state->position + block->x;
	if (block->x >= greta_step_tokens(a->state, a->chunk))
		return;
	size_t row = (size_t)block->x * a->kv_heads * a->head_dim;
	for (uint32_t h = 0; h < a->kv_heads; h++)
		for (uint32_t i = 0; i < a->head_dim; i++, row++) {
			store(a->kv_type, a->k_cache, greta_k_index(a->context, a->head_dim, h, position, i),
			      a->k[row]);
			store(a->kv_type, a->v_cache, greta_v_index(a->context, a->head_dim, h, position, i),
			      a->v[row]);
		}
}

struct running {
	float max, sum;
	float out[HEAD_DIM_MAX];
};

GRETA_FN greta_lanes load(uint32_t kv_type, const void *cache, size_t index)
{
	return kv_type == GRETA_KV_F32 ? greta_lanes_load((const float *)cache + index)
	                               : greta_lanes_load_half((const uint16_t *)cache + index);
}

/* Scores of `heads` query heads over `wide` tiles of 16 positions, both constants where this is inlined.
 * q: heads at a stride of head_dim; scores: at a stride of CHUNK. */
GRETA_FN void score_tiles(uint32_t kv_type, const void *keys, size_t tile, const float *q, uint32_t head_dim, int heads,
                          int wide, float scale, float *scores)
{
	greta_lanes sum[HEADS_TOGETHER][WIDE_MAX];
	for (int h = 0; h < heads; h++)
		for (int w = 0; w < wide; w++)
			sum[h][w] = greta_lanes_set(0);
	for (uint32_t i = 0; i < head_dim; i++)
		for (int w = 0; w < wide; w++) {
			greta_lanes k = load(kv_type, keys, tile + ((size_t)w * head_dim + i) * TILE);
			for (int h = 0; h < heads; h++)
				sum[h][w] = greta_lanes_fma(greta_lanes_set(q[(size_t)h * head_dim + i]), k, sum[h][w]);
		}
	for (int h = 0; h < heads; h++)
		for (int w = 0; w < wide; w++)
			greta_lanes_store(scores + h * CHUNK + w * TILE,
			                  greta_lanes_mul(sum[h][w], greta_lanes_set(scale)));
}

/* Turns `count` scores into weights e^(score - max), zero in the places after;
 * gives the maximum and the weights' sum. */
static void weigh(float *scores, uint32_t count, float *out_max, float *out_sum)
{
	float max = scores[0], tree[CHUNK];
	for (uint32_t p = 1; p < count; p++)
		max = scores[p] > max ? scores[p] : max;
	for (uint32_t p = count; p < CHUNK; p++)
		scores[p] = -INFINITY; /* whatever the tile held there: its weight is set to 0 below */
	for (uint32_t p = 0; p < CHUNK; p++)
		scores[p] = greta_expf(scores[p] - max);
	for (uint32_t p = count; p < CHUNK; p++)
		scores[p] = 0;
	for (uint32_t p = 0; p < 32; p++)
		tree[p] = scores[p] + scores[p + 32];
	for (uint32_t p = 0; p < 16; p++)
		tree[p] += tree[p + 16];
	for (uint32_t p = 0; p < 8; p++)
		tree[p] += tree[p + 8];
	for (uint32_t p = 0; p < 4; p++)
		tree[p] += tree[p + 4];
	*out_max = max;
	*out_sum = tree[0] + tree[2] + (tree[1] + tree[3]);
}

/* `count` weighted values of a chunk, `wide` times 16 elements from element i, joined to each head's running result. */
GRETA_FN void join_values(uint32_t kv_type, const void *values, size_t first, uint32_t head_dim, uint32_t i,
                          uint32_t count, int heads, int wide, const float *weights, const float *old, const float *new,
                          struct running *run)
{
	greta_lanes chunk[HEADS_TOGETHER][WIDE_MAX];
	for (int h = 0; h < heads; h++)
		for (int w = 0; w < wide; w++)
			chunk[h][w] = greta_lanes_set(0);
	for (uint32_t p = 0; p < count; p++)
		for (int w = 0; w < wide; w++) {
			greta_lanes v = load(kv_type, values, first + (size_t)p * head_dim + i + (size_t)w * 16);
			for (int h = 0; h < heads; h++)
				chunk[h][w] = greta_lanes_fma(greta_lanes_set(weights[h * CHUNK + p]), v, chunk[h][w]);
		}
	for (int h = 0; h < heads; h++)
		for (int w = 0; w < wide; w++) {
			float *out = run[h].out + i + w * 16;
			greta_lanes before = greta_lanes_mul(greta_lanes_load(out), greta_lanes_set(old[h]));
			greta_lanes_store(out, greta_lanes_fma(chunk[h][w], greta_lanes_set(new[h]), before));
		}
}

/* The weights of a chunk's join: both sides are scaled to the larger maximum. */
static void rescale(float max, float sum, struct running *run, float *out_old, float *out_new)
{
	float joint = max > run->max ? max : run->max;
	*out_old = greta_expf(run->max - joint);
	*out_new = greta_expf(max - joint);
	run->max = joint;
	run->sum = fmaf(sum, *out_new, run->sum * *out_old);
}

/* Query heads head .. head + heads of token t, all of one KV head; `heads` times `wide` chains side by side. */
GRETA_FN void attend(const struct greta_attention_args *a, uint32_t t, uint32_t head, int heads, int wide)
{
	uint32_t kv_head = head / (a->heads / a->kv_heads), positions = a->state->position + t + 1, dim = a->head_dim;
	size_t at = ((size_t)t * a->heads + head) * dim;
	struct running run[HEADS_TOGETHER];
	float scores[HEADS_TOGETHER * CHUNK], old[HEADS_TOGETHER], new[HEADS_TOGETHER];
	for (int h = 0; h < heads; h++) {
		run[h].max = -INFINITY;
		run[h].sum = 0;
		memset(run[h].out, 0, dim * sizeof(float));
	}
	for (uint32_t first = 0; first < positions; first += CHUNK) {
		uint32_t count = positions - first < CHUNK ? positions - first : CHUNK;
		for (uint32_t p = 0; p < count; p += (uint32_t)wide * TILE)
			score_tiles(a->kv_type, a->k_cache, greta_k_index(a->context, dim, kv_head, first + p, 0),
			            a->q + at, dim, heads, wide, a->scale, scores + p);
		for (int h = 0; h < heads; h++) {
			float max, sum;
			weigh(scores + h * CHUNK, count, &max, &sum);
			rescale(max, sum, &run[h], &old[h], &new[h]);
		}
		size_t values = greta_v_index(a->context, dim, kv_head, first, 0);
		uint32_t i = 0;
		for (; i + (uint32_t)wide * 16 <= dim; i += (uint32_t)wide * 16)
			join_values(a->kv_type, a->v_cache, values, dim, i, count, heads, wide, scores, old, new, run);
		for (; i < dim; i += 16)
			join_values(a->kv_type, a->v_cache, values, dim, i, count, heads, 1, scores, old, new, run);
	}
	for (int h = 0; h < heads; h++)
		for (uint32_t i = 0; i < dim; i += 16)
			greta_lanes_store(a->out + at + (size_t)h * dim + i,
			                  greta_lanes_div(greta_lanes_load(run[h].out + i),
			                                  greta_lanes_set(run[h].sum)));
}

void GRETA_CPU_NAME(attention)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_attention_args *a = args;
	uint32_t tokens = greta_step_tokens(a->state, a->chunk);
	uint32_t first = block->y * a->tokens_per_block, end = first + a->tokens_per_block;
	uint32_t last_head = (block->x + 1) * a->heads_per_block;
	for (uint32_t t = first; t < end && t < tokens; t++) {
		uint32_t head = block->x * a->heads_per_block;
		for (; head + 8 <= last_head; head += 8)
			attend(a, t, head, 8, 1);
		for (; head + 4 <= last_head; head += 4)
			attend(a, t, head, 4, 2);
		for (; head < last_head; head++)
			attend(a, t, head, 1, 4);
	}
}
