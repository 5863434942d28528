/* rope, kv_write, attention.
 *
 * attention works by the definition's chunks of 64 positions. Of a chunk, a lane is a position: it reads its key
 * eight elements at a time, and keeps one chain of fma a token; then a lane is an element: it reads its values eight
 * positions at a time. Chunks are joined in order.
 *
 * Keys and values are read once a block, in bursts of 1 KB. One token: attend.h. Many tokens: a block is a head and 32
 * tokens, of which each 32 lanes have eight: a lane is two positions, then several elements, and goes over the chunks
 * itself. A key serves eight tokens, a query read from shared memory two keys, a weight four elements. */
#include "kernels/gpu/target.h"

#include "kernels/abi.h"
#include "kernels/numbers.h"
#include "kernels/gpu/attend.h"

GRETA_GPU_KERNEL(rope, 1024)
{
	uint32_t t = greta_block_x(), pairs = a.head_dim / 2;
	greta_next_may_start();
	greta_wait_for_previous();
	if (t >= greta_step_tokens(a.state, a.chunk))
		return;
	const float *rope = a.rope + (size_t)t * a.head_dim;
	float *x = a.x + (size_t)t * a.heads * a.head_dim;
	for (uint32_t i = greta_thread(); i < a.heads * pairs; i += greta_threads()) {
		float c = rope[i % pairs * 2], s = rope[i % pairs * 2 + 1], x0 = x[2 * i], x1 = x[2 * i + 1];
		x[2 * i] = fmaf(x0, c, -(x1 * s));
		x[2 * i + 1] = fmaf(x0, s, x1 * c);
	}
}

GRETA_GPU_KERNEL(kv_write, 1024)
{
	uint32_t t = greta_block_x(), row = a.kv_heads * a.head_dim;
	greta_next_may_start();
	greta_wait_for_previous();
	if (t >= greta_step_tokens(a.state, a.chunk))
		return;
	uint32_t position = a.state->position + t;
	for (uint32_t i = greta_thread(); i < row; i += greta_threads()) {
		uint32_t head = i / a.head_dim, e = i % a.head_dim;
		greta_gpu_kv_store(a.kv_type, a.k_cache, greta_gpu_k_index(a.context, a.head_dim, head, position, e),
		                   a.k[(size_t)t * row + i]);
		greta_gpu_kv_store(a.kv_type, a.v_cache, greta_gpu_v_index(a.context, a.head_dim, head, position, e),
		                   a.v[(size_t)t * row + i]);
	}
}

GRETA_GPU_KERNEL(attention, GRETA_ATTEND_THREADS)
{
	GRETA_DYNAMIC_SHARED(uint8_t, memory);
	GRETA_SHARED struct greta_attend_shared s;
	greta_next_may_start();
	if (greta_step_tokens(a.state, 1) == 0)
		return;
	struct greta_attend_job job =
	    greta_attend_job_of(a, greta_block_x(), greta_block_y(), greta_blocks_y(), a.state->position);
	if (job.count == 0)
		return;
	if (a.kv_type == GRETA_KV_F32)
		greta_attend<GRETA_KV_F32, GRETA_TEAM, GRETA_ATTENTION_HEAD_MAX / GRETA_TEAM>(a, job, s, memory);
	else if (a.head_dim > 128)
		greta_attend<GRETA_KV_F16, GRETA_TEAM, GRETA_ATTENTION_HEAD_MAX / GRETA_TEAM>(a, job, s, memory);
	else if (GRETA_TEAM > GRETA_WAVE && job.count > GRETA_ATTEND_THREADS / GRETA_TEAM)
		greta_attend<GRETA_KV_F16, GRETA_WAVE, 128 / GRETA_WAVE>(a, job, s, memory);
	else if (!GRETA_BULK || a.head_dim > 64) /* on AMD a form more costs all of them registers */
		greta_attend<GRETA_KV_F16, GRETA_TEAM, 128 / GRETA_TEAM>(a, job, s, memory);
	else
		greta_attend<GRETA_KV_F16, GRETA_TEAM, 64 / GRETA_TEAM>(a, job, s, memory);
}

/* ---- Many tokens ---- */

#define GRETA_ATTENTION_THREADS 128
#define GRETA_ATTENTION_TOKENS 32
#define GRETA_LANES_TOKENS 8 /* of 32 lanes */

/* What a chunk does to what came before it. */
struct greta_joint {
	float max, sum;
};

GRETA_DEVICE void greta_join(struct greta_joint &run, float max, float sum, float *out_before, float *out_chunk)
{
	float joint = greta_larger(max, run.max);
	*out_before = greta_expf(run.max - joint);
	*out_chunk = greta_expf(max - joint);
	run.max = joint;
	run.sum = fmaf(sum, *out_chunk, run.sum * *out_before);
}

/* A head's queries, and their weights for a chunk. */
struct greta_queries {
	float q[GRETA_ATTENTION_TOKENS][GRETA_ATTENTION_HEAD_MAX];
	float weight[GRETA_ATTENTION_TOKENS][GRETA_ATTENTION_CHUNK];
};

/* Four floats of shared memory. */
GRETA_DEVICE void greta_load_shared4(const float *p, float out[4])
{
	struct greta_vector4 v = greta_tile4<true>(p);
	memcpy(out, &v, sizeof(v));
}

/* What 32 lanes of a block have: eight tokens, from `first` of the block's on. */
template <uint32_t KV> struct greta_attend_lanes {
	static const uint32_t TOKENS = GRETA_LANES_TOKENS;
	uint32_t lane, first, kv_head;
	uint32_t positions; /* that the first token attends to; each further one attends to one more */
	struct greta_joint run[TOKENS];

	/* score[h][t]: of position lane + 32 h of chunk c, not yet scaled. */
	GRETA_MEMBER void score(const struct greta_attention_args &a, const struct greta_queries &s, uint32_t c,
	                        float score[2][TOKENS]) const
	{
		size_t key = greta_gpu_k_index(a.context, a.head_dim, kv_head, c * GRETA_ATTENTION_CHUNK + lane, 0);
#pragma unroll
		for (uint32_t t = 0; t < TOKENS; t++)
			score[0][t] = score[1][t] = 0;
		struct greta_kv8<KV> next[2];
		next[0].load(a.k_cache, key);
		next[1].load(a.k_cache, key + 32 * 8);
#pragma unroll 2
		for (uint32_t i = 0; i < a.head_dim; i += 8) {
			float k0[8], k1[8];
			size_t ahead = key + greta_min(i + 8, a.head_dim - 8) * GRETA_ATTENTION_CHUNK;
			next[0].get(k0);
			next[1].get(k1);
			next[0].load(a.k_cache, ahead);
			next[1].load(a.k_cache, ahead + 32 * 8);
#pragma unroll
			for (uint32_t t = 0; t < TOKENS; t++) {
				float q[8];
				greta_load_shared4(&s.q[first + t][i], q);
				greta_load_shared4(&s.q[first + t][i + 4], q + 4);
#pragma unroll
				for (uint32_t e = 0; e < 8; e++) {
					score[0][t] = fmaf(q[e], k0[e], score[0][t]);
					score[1][t] = fmaf(q[e], k1[e], score[1][t]);
				}
			}
		}
	}

	/* Token t's weights of chunk c, to s; what they and what came before is worth, as greta_join. */
	GRETA_MEMBER void weigh(const struct greta_attention_args &a, struct greta_queries &s, uint32_t c, uint32_t t,
	                        float low, float high, float *out_before, float *out_now)
	{
		uint32_t base = c * GRETA_ATTENTION_CHUNK + lane, end = positions + t;
		low = base < end ? low * a.scale : -GRETA_INFINITY;
		high = base + 32 < end ? high * a.scale : -GRETA_INFINITY;
		float max = greta_larger(low, high);
#pragma unroll
		for (uint32_t mask = 16; mask >= 1; mask /= 2)
			max = greta_larger(max, greta_shuffle_xor(max, mask));
		low = base < end ? greta_expf(low - max) : 0;
		high = base + 32 < end ? greta_expf(high - max) : 0;
		s.weight[first + t][lane] = low;
		s.weight[first + t][lane + 32] = high;
		float sum = low + high;
#pragma unroll
		for (uint32_t mask = 16; mask >= 1; mask /= 2)
			sum += greta_shuffle_xor(sum, mask);
		*out_before = 1;
		*out_now = 0;
		if (c * GRETA_ATTENTION_CHUNK < end)
			greta_join(run[t], max, sum, out_before, out_now);
	}

	/* out[k][t]: element i + 32 k of the weighted values of chunk c. WHOLE: all tokens attend to all of it. */
	template <bool WHOLE>
	GRETA_MEMBER void add_values(const struct greta_attention_args &a, const struct greta_queries &s, uint32_t c,
	                             uint32_t i, float out[4][TOKENS]) const
	{
		uint32_t start = c * GRETA_ATTENTION_CHUNK;
		uint32_t last = positions + TOKENS - 1; /* of positions that any of the tokens attends to, one more */
		uint32_t end = WHOLE ? GRETA_ATTENTION_CHUNK
		                     : greta_min(last > start ? last - start : 0, GRETA_ATTENTION_CHUNK);
		size_t value[4];
#pragma unroll
		for (uint32_t k = 0; k < 4; k++) {
			value[k] = greta_gpu_v_index(a.context, a.head_dim, kv_head, start,
			                             i + 32 * k < a.head_dim ? i + 32 * k : 0);
#pragma unroll
			for (uint32_t t = 0; t < TOKENS; t++)
				out[k][t] = 0;
		}
		struct greta_kv8<KV> next[4];
#pragma unroll
		for (uint32_t k = 0; k < 4; k++)
			next[k].load(a.v_cache, value[k]);
#pragma unroll 1
		for (uint32_t p = 0; p < end; p += 8) {
			float v[4][8];
			size_t ahead = (size_t)greta_min(p + 8, GRETA_ATTENTION_CHUNK - 8) * a.head_dim;
#pragma unroll
			for (uint32_t k = 0; k < 4; k++) {
				next[k].get(v[k]);
				next[k].load(a.v_cache, value[k] + ahead);
			}
#pragma unroll
			for (uint32_t t = 0; t < TOKENS; t++) {
				float w[8];
				if (GRETA_WAVE == 32)
					greta_keep_order(); /* RDNA has 256 registers a lane, and so many are in use */
				greta_load_shared4(&s.weight[first + t][p], w);
				greta_load_shared4(&s.weight[first + t][p + 4], w + 4);
#pragma unroll
				for (uint32_t e = 0; e < 8; e++) {
					bool attends = WHOLE || start + p + e < positions + t;
#pragma unroll
					for (uint32_t k = 0; k < 4; k++)
						out[k][t] = attends ? fmaf(w[e], v[k][e], out[k][t]) : out[k][t];
				}
			}
		}
	}
};

template <uint32_t KV>
GRETA_DEVICE void greta_attend_many(const struct greta_attention_args &a, struct greta_queries &s)
{
	const uint32_t TOKENS = GRETA_LANES_TOKENS, ELEMENTS = 4;
	/* The last tokens, which attend to most, come first. */
	uint32_t head = greta_block_x(), first = (greta_blocks_y() - 1 - greta_block_y()) * GRETA_ATTENTION_TOKENS;
	greta_next_may_start();
	greta_wait_for_previous();
	uint32_t tokens = greta_step_tokens(a.state, a.chunk);
	if (first >= tokens)
		return;
	tokens = greta_min(tokens - first, GRETA_ATTENTION_TOKENS);
	uint32_t positions = a.state->position + first + 1; /* of the first token */
	for (uint32_t i = greta_thread(); i < GRETA_ATTENTION_TOKENS * a.head_dim; i += GRETA_ATTENTION_THREADS) {
		uint32_t t = i / a.head_dim;
		s.q[t][i % a.head_dim] =
		    t < tokens ? a.q[((size_t)(first + t) * a.heads + head) * a.head_dim + i % a.head_dim] : 0;
	}
	greta_barrier();
	struct greta_attend_lanes<KV> lanes;
	lanes.lane = greta_thread() % 32;
	lanes.first = greta_thread() / 32 * TOKENS;
	lanes.kv_head = head / (a.heads / a.kv_heads);
	lanes.positions = positions + lanes.first;
	uint32_t chunks = (positions + tokens - 1 + GRETA_ATTENTION_CHUNK - 1) / GRETA_ATTENTION_CHUNK;
	/* Heads of more than 128 elements are gone through again for the rest, so that registers suffice. */
#pragma unroll 1
	for (uint32_t start = 0; start < a.head_dim; start += 32 * ELEMENTS) {
		float out[ELEMENTS][TOKENS];
#pragma unroll
		for (uint32_t t = 0; t < TOKENS; t++) {
			lanes.run[t] = {-GRETA_INFINITY, 0};
#pragma unroll
			for (uint32_t k = 0; k < ELEMENTS; k++)
				out[k][t] = 0;
		}
#pragma unroll 1
		for (uint32_t c = 0; c < chunks; c++) {
			float score[2][TOKENS], v[ELEMENTS][TOKENS], before[TOKENS], now[TOKENS];
			lanes.score(a, s, c, score);
#pragma unroll
			for (uint32_t t = 0; t < TOKENS; t++)
				lanes.weigh(a, s, c, t, score[0][t], score[1][t], &before[t], &now[t]);
			greta_wave_sync();
			if ((c + 1) * GRETA_ATTENTION_CHUNK <= lanes.positions)
				lanes.template add_values<true>(a, s, c, start + lanes.lane, v);
			else
				lanes.template add_values<false>(a, s, c, start + lanes.lane, v);
#pragma unroll
			for (uint32_t t = 0; t < TOKENS; t++)
#pragma unroll
				for (uint32_t k = 0; k < ELEMENTS; k++)
					if (c * GRETA_ATTENTION_CHUNK < lanes.positions + t)
						out[k][t] = fmaf(v[k][t], now[t], out[k][t] * before[t]);
			greta_wave_sync();
		}
#pragma unroll
		for (uint32_t t = 0; t < TOKENS; t++)
#pragma unroll
			for (uint32_t k = 0; k < ELEMENTS; k++) {
				uint32_t i = start + lanes.lane + 32 * k;
				if (i < a.head_dim && lanes.first + t < tokens)
					a.out[((size_t)(first + lanes.first + t) * a.heads + head) * a.head_dim + i] =
					    out[k][t] / lanes.run[t].sum;
			}
	}
}

GRETA_GPU_KERNEL_OF(attention, _prefill, GRETA_ATTENTION_THREADS)
{
	GRETA_SHARED struct greta_queries s;
	if (a.kv_type == GRETA_KV_F32)
		greta_attend_many<GRETA_KV_F32>(a, s);
	else
		greta_attend_many<GRETA_KV_F16>(a, s);
}
