/* rope, kv_write, attention.
 *
 * attention works by the definition's chunks of 64 positions. Of a chunk, a lane is a position: it reads its key
 * eight elements at a time, for all the tokens that the block has together, and keeps one chain of fma a token; then
 * a lane is an element: it reads its values eight positions at a time. Chunks are joined in order.
 *
 * One token: a block is a head and every splits-th chunk of the context; parts go to scratch, and the block that is
 * done last joins them. Many tokens: a block is a head and 8 tokens, and goes over the chunks itself. Keys and
 * values are read once a block, in bursts of 1 KB. */
#include "kernels/gpu/target.h"

#include "kernels/abi.h"
#include "kernels/numbers.h"
#include "kernels/gpu/layouts.h"

#define GRETA_ATTENTION_THREADS 128
#define GRETA_ATTENTION_HEAD_MAX 256
#define GRETA_ATTENTION_TOKENS 8

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

/* Eight elements of a cache, at a multiple of eight. */
template <uint32_t KV> GRETA_DEVICE void greta_load_kv8(const void *cache, size_t index, float out[8])
{
	if (KV == GRETA_KV_F32) {
		greta_load_floats8((const float *)cache + index, out);
		return;
	}
	struct greta_vector4 v = greta_load4((const uint16_t *)cache + index);
	for (int i = 0; i < 4; i++) {
		out[2 * i] = greta_half(v.w[i] & 0xffff);
		out[2 * i + 1] = greta_half(v.w[i] >> 16);
	}
}

/* A chunk of the context for TOKENS tokens. */
template <uint32_t TOKENS> struct greta_chunk {
	float q[TOKENS][GRETA_ATTENTION_HEAD_MAX];
	float weight[TOKENS][GRETA_ATTENTION_CHUNK];
	float tree[TOKENS][GRETA_ATTENTION_CHUNK];
	float max[TOKENS]; /* of the scores */
	float sum[TOKENS]; /* of the weights */
};

GRETA_DEVICE float greta_larger(float a, float b) { return a > b ? a : b; }

/* Scores, weights, maximum and sum of chunk c; token t attends to positions below positions + t, and to none of the
 * chunk where there are none. Ends behind a barrier. */
template <uint32_t KV, uint32_t TOKENS>
GRETA_DEVICE void greta_weigh_chunk(const struct greta_attention_args &a, struct greta_chunk<TOKENS> &s,
                                    uint32_t kv_head, uint32_t c, uint32_t positions, uint32_t tokens)
{
	const uint32_t GROUPS = GRETA_ATTENTION_THREADS / GRETA_ATTENTION_CHUNK, EACH = (TOKENS + GROUPS - 1) / GROUPS;
	uint32_t p = greta_thread() % GRETA_ATTENTION_CHUNK, first = greta_thread() / GRETA_ATTENTION_CHUNK * EACH;
	size_t key = greta_gpu_k_index(a.context, a.head_dim, kv_head, c * GRETA_ATTENTION_CHUNK + p, 0);
	float score[EACH];
	for (uint32_t t = 0; t < EACH; t++)
		score[t] = 0;
	if (first < tokens && c * GRETA_ATTENTION_CHUNK + p < positions + tokens - 1)
#pragma unroll 8
		for (uint32_t i = 0; i < a.head_dim; i += 8) {
			float k[8];
			greta_load_kv8<KV>(a.k_cache, key + i * GRETA_ATTENTION_CHUNK, k);
			for (uint32_t t = 0; t < EACH; t++)
				for (uint32_t e = 0; e < 8; e++)
					score[t] = fmaf(s.q[(first + t) % TOKENS][i + e], k[e], score[t]);
		}
	for (uint32_t t = 0; t < EACH; t++)
		if (first + t < TOKENS) {
			score[t] *= a.scale;
			s.tree[first + t][p] =
			    c * GRETA_ATTENTION_CHUNK + p < positions + first + t ? score[t] : -GRETA_INFINITY;
		}
	greta_barrier();
	/* Groups of 32 lanes find each token's maximum, over both halves. */
	uint32_t lane = greta_thread() % 32;
	for (uint32_t t = greta_thread() / 32; t < TOKENS; t += GRETA_ATTENTION_THREADS / 32) {
		float low = s.tree[t][lane], high = s.tree[t][lane + 32], max = greta_larger(low, high);
		for (uint32_t mask = 16; mask >= 1; mask /= 2)
			max = greta_larger(max, greta_shuffle_xor(max, mask));
		uint32_t base = c * GRETA_ATTENTION_CHUNK + lane;
		low = base < positions + t ? greta_expf(low - max) : 0;
		high = base + 32 < positions + t ? greta_expf(high - max) : 0;
		s.weight[t][lane] = low;
		s.weight[t][lane + 32] = high;
		float sum = low + high;
		for (uint32_t mask = 16; mask >= 1; mask /= 2)
			sum += greta_shuffle_xor(sum, mask);
		if (lane == 0) {
			s.max[t] = max;
			s.sum[t] = sum;
		}
	}
	greta_barrier();
}

/* Element i of the weighted values of chunk c, one chain of fma over the first `count + t` positions for token t (64
 * at most). */
template <uint32_t KV, uint32_t TOKENS>
GRETA_DEVICE void greta_add_values(const struct greta_attention_args &a, const struct greta_chunk<TOKENS> &s,
                                   uint32_t kv_head, uint32_t c, uint32_t positions, uint32_t tokens, uint32_t i,
                                   float out[TOKENS])
{
	uint32_t first = c * GRETA_ATTENTION_CHUNK;
	uint32_t end = greta_min(positions + tokens - 1 - first, GRETA_ATTENTION_CHUNK);
	size_t value = greta_gpu_v_index(a.context, a.head_dim, kv_head, first, i);
	for (uint32_t t = 0; t < TOKENS; t++)
		out[t] = 0;
#pragma unroll 4
	for (uint32_t p = 0; p < end; p += 8) {
		float v[8];
		greta_load_kv8<KV>(a.v_cache, value + (size_t)p * a.head_dim, v);
		for (uint32_t t = 0; t < TOKENS; t++)
			for (uint32_t e = 0; e < 8; e++)
				if (first + p + e < positions + t)
					out[t] = fmaf(s.weight[t][p + e], v[e], out[t]);
	}
}

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

template <uint32_t KV>
GRETA_DEVICE void greta_attend_one(const struct greta_attention_args &a, struct greta_chunk<1> &s, uint32_t &last)
{
	uint32_t head = greta_block_x(), kv_head = head / (a.heads / a.kv_heads), splits = greta_blocks_y();
	greta_next_may_start();
	greta_wait_for_previous();
	if (greta_step_tokens(a.state, 1) == 0)
		return;
	uint32_t positions = a.state->position + 1,
		 chunks = (positions + GRETA_ATTENTION_CHUNK - 1) / GRETA_ATTENTION_CHUNK;
	uint32_t busy = greta_min(splits, chunks); /* blocks that have a chunk */
	if (greta_block_y() >= busy)
		return;
	/* [heads][chunks]: elements, maximum, sum */
	float *parts = a.scratch + (size_t)head * ((a.context + 63) / 64) * (a.head_dim + 2);
	for (uint32_t i = greta_thread(); i < a.head_dim; i += GRETA_ATTENTION_THREADS)
		s.q[0][i] = a.q[(size_t)head * a.head_dim + i];
	greta_barrier();
	struct greta_joint run = {-GRETA_INFINITY, 0};
	float out[GRETA_ATTENTION_HEAD_MAX / GRETA_ATTENTION_THREADS] = {0, 0};
	for (uint32_t c = greta_block_y(); c < chunks; c += busy) {
		float before, now;
		greta_weigh_chunk<KV, 1>(a, s, kv_head, c, positions, 1);
		if (busy == 1)
			greta_join(run, s.max[0], s.sum[0], &before, &now);
		for (uint32_t k = 0; k < GRETA_ATTENTION_HEAD_MAX / GRETA_ATTENTION_THREADS; k++) {
			uint32_t i = k * GRETA_ATTENTION_THREADS + greta_thread();
			float v[1];
			if (i >= a.head_dim)
				break;
			greta_add_values<KV, 1>(a, s, kv_head, c, positions, 1, i, v);
			if (busy == 1)
				out[k] = fmaf(v[0], now, out[k] * before);
			else
				parts[c * (a.head_dim + 2) + i] = v[0];
		}
		if (busy > 1 && greta_thread() == 0) {
			parts[c * (a.head_dim + 2) + a.head_dim] = s.max[0];
			parts[c * (a.head_dim + 2) + a.head_dim + 1] = s.sum[0];
		}
		greta_barrier();
	}
	if (busy > 1) {
		greta_publish();
		greta_barrier();
		if (greta_thread() == 0)
			last = greta_count_one(&a.counters[head]) == busy - 1;
		greta_barrier();
		if (!last)
			return;
		if (greta_thread() == 0)
			a.counters[head] = 0;
#pragma unroll 4
		for (uint32_t c = 0; c < chunks; c++) {
			const float *part = parts + c * (a.head_dim + 2);
			float before, now;
			greta_join(run, greta_load_fresh(part + a.head_dim), greta_load_fresh(part + a.head_dim + 1),
			           &before, &now);
			for (uint32_t k = 0; k < GRETA_ATTENTION_HEAD_MAX / GRETA_ATTENTION_THREADS; k++) {
				uint32_t i = k * GRETA_ATTENTION_THREADS + greta_thread();
				if (i < a.head_dim)
					out[k] = fmaf(greta_load_fresh(part + i), now, out[k] * before);
			}
		}
	}
	for (uint32_t k = 0; k < GRETA_ATTENTION_HEAD_MAX / GRETA_ATTENTION_THREADS; k++) {
		uint32_t i = k * GRETA_ATTENTION_THREADS + greta_thread();
		if (i < a.head_dim)
			a.out[(size_t)head * a.head_dim + i] = out[k] / run.sum;
	}
}

GRETA_GPU_KERNEL(attention, GRETA_ATTENTION_THREADS)
{
	GRETA_SHARED struct greta_chunk<1> s;
	GRETA_SHARED uint32_t last;
	if (a.kv_type == GRETA_KV_F32)
		greta_attend_one<GRETA_KV_F32>(a, s, last);
	else
		greta_attend_one<GRETA_KV_F16>(a, s, last);
}

template <uint32_t KV>
GRETA_DEVICE void greta_attend_many(const struct greta_attention_args &a, struct greta_chunk<GRETA_ATTENTION_TOKENS> &s)
{
	const uint32_t TOKENS = GRETA_ATTENTION_TOKENS, ELEMENTS = GRETA_ATTENTION_HEAD_MAX / GRETA_ATTENTION_THREADS;
	uint32_t head = greta_block_x(), kv_head = head / (a.heads / a.kv_heads), first = greta_block_y() * TOKENS;
	greta_next_may_start();
	greta_wait_for_previous();
	uint32_t tokens = greta_step_tokens(a.state, a.chunk);
	if (first >= tokens)
		return;
	tokens = greta_min(tokens - first, TOKENS);
	uint32_t positions = a.state->position + first + 1; /* of the first token */
	for (uint32_t i = greta_thread(); i < TOKENS * a.head_dim; i += GRETA_ATTENTION_THREADS) {
		uint32_t t = i / a.head_dim;
		s.q[t][i % a.head_dim] =
		    t < tokens ? a.q[((size_t)(first + t) * a.heads + head) * a.head_dim + i % a.head_dim] : 0;
	}
	greta_barrier();
	struct greta_joint run[TOKENS];
	float out[ELEMENTS][TOKENS];
	for (uint32_t t = 0; t < TOKENS; t++) {
		run[t] = {-GRETA_INFINITY, 0};
		for (uint32_t k = 0; k < ELEMENTS; k++)
			out[k][t] = 0;
	}
	uint32_t chunks = (positions + tokens - 1 + GRETA_ATTENTION_CHUNK - 1) / GRETA_ATTENTION_CHUNK;
	for (uint32_t c = 0; c < chunks; c++) {
		float before[TOKENS], now[TOKENS];
		greta_weigh_chunk<KV, TOKENS>(a, s, kv_head, c, positions, tokens);
#pragma unroll
		for (uint32_t t = 0; t < TOKENS; t++) {
			before[t] = 1;
			now[t] = 0;
			if (c * GRETA_ATTENTION_CHUNK < positions + t)
				greta_join(run[t], s.max[t], s.sum[t], &before[t], &now[t]);
		}
#pragma unroll
		for (uint32_t k = 0; k < ELEMENTS; k++) {
			uint32_t i = k * GRETA_ATTENTION_THREADS + greta_thread();
			float v[TOKENS];
			if (i >= a.head_dim)
				break;
			greta_add_values<KV, TOKENS>(a, s, kv_head, c, positions, tokens, i, v);
#pragma unroll
			for (uint32_t t = 0; t < TOKENS; t++)
				if (c * GRETA_ATTENTION_CHUNK < positions + t)
					out[k][t] = fmaf(v[t], now[t], out[k][t] * before[t]);
		}
		greta_barrier();
	}
#pragma unroll
	for (uint32_t k = 0; k < ELEMENTS; k++) {
		uint32_t i = k * GRETA_ATTENTION_THREADS + greta_thread();
#pragma unroll
		for (uint32_t t = 0; t < TOKENS; t++)
			if (i < a.head_dim && t < tokens)
				a.out[((size_t)(first + t) * a.heads + head) * a.head_dim + i] = out[k][t] / run[t].sum;
	}
}

GRETA_GPU_KERNEL_OF(attention, _prefill, GRETA_ATTENTION_THREADS)
{
	GRETA_SHARED struct greta_chunk<GRETA_ATTENTION_TOKENS> s;
	if (a.kv_type == GRETA_KV_F32)
		greta_attend_many<GRETA_KV_F32>(a, s);
	else
		greta_attend_many<GRETA_KV_F16>(a, s);
}
