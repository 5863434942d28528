/* Attention of one token, by blocks of 512 threads: four teams of 128, of which each takes a chunk of the context, so
 * that a block has four chunks of a head at a time. Of a chunk, a lane is a position: it reads its key eight elements
 * at a time and keeps one chain of fma; then a lane is an element: it reads its values eight positions at a time.
 * Where one block has all of a head's chunks, it joins them itself, in order; else parts go to scratch, and the block
 * that is done last joins them. */
#ifndef GRETA_GPU_ATTEND_H
#define GRETA_GPU_ATTEND_H

#include "kernels/gpu/layouts.h"

#define GRETA_ATTENTION_THREADS 128
#define GRETA_ATTENTION_HEAD_MAX 256
#define GRETA_ATTEND_THREADS 512
#define GRETA_ATTEND_TEAMS (GRETA_ATTEND_THREADS / GRETA_ATTENTION_THREADS)
#define GRETA_ATTEND_JOINED 8 /* chunks whose parts are loaded together */
#define GRETA_ATTEND_ELEMENTS (GRETA_ATTENTION_HEAD_MAX / GRETA_ATTENTION_THREADS) /* of a head, a thread's */

GRETA_DEVICE float greta_larger(float a, float b) { return a > b ? a : b; }

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

/* Eight elements of a cache, at a multiple of eight, as they lie there, so that they can be on their way early. */
template <uint32_t KV> struct greta_kv8 {
	struct greta_vector4 raw[KV == GRETA_KV_F32 ? 2 : 1];

	GRETA_MEMBER void load(const void *cache, size_t index)
	{
		const uint8_t *at = (const uint8_t *)cache + index * (KV == GRETA_KV_F32 ? 4 : 2);
		raw[0] = greta_fetch4(at);
		if constexpr (KV == GRETA_KV_F32)
			raw[1] = greta_fetch4(at + 16);
	}

	GRETA_MEMBER float at(uint32_t e) const
	{
		if constexpr (KV == GRETA_KV_F32)
			return greta_float(raw[e / 4].w[e % 4]);
		else
			return greta_half(e % 2 ? raw[0].w[e / 2] >> 16 : raw[0].w[e / 2] & 0xffff);
	}

	GRETA_MEMBER void get(float out[8]) const
	{
#pragma unroll
		for (uint32_t e = 0; e < 8; e++)
			out[e] = at(e);
	}
};

/* What a team has in shared memory. */
struct greta_attend_team {
	float q[GRETA_ATTENTION_HEAD_MAX];
	float score[GRETA_ATTENTION_CHUNK];
	float weight[GRETA_ATTENTION_CHUNK];
	float value[GRETA_ATTENTION_HEAD_MAX]; /* of the chunk */
	float max, sum;                        /* of its scores, of its weights */
};

struct greta_attend_shared {
	struct greta_attend_team team[GRETA_ATTEND_TEAMS];
	uint32_t last;
};

GRETA_DEVICE uint32_t greta_attend_groups(uint32_t positions)
{
	const uint32_t GROUP = GRETA_ATTENTION_CHUNK * GRETA_ATTEND_TEAMS;
	return (positions + GROUP - 1) / GROUP;
}

/* A hint: the chunks that this block, number y of a head's, begins with will be read. */
GRETA_DEVICE void greta_attend_prefetch(const struct greta_attention_args &a, uint32_t head, uint32_t y)
{
	uint32_t team = greta_thread() / GRETA_ATTENTION_THREADS, kv_head = head / (a.heads / a.kv_heads);
	uint32_t first = (y * GRETA_ATTEND_TEAMS + team) * GRETA_ATTENTION_CHUNK;
	uint32_t size = a.kv_type == GRETA_KV_F32 ? 4 : 2, bytes = GRETA_ATTENTION_CHUNK * a.head_dim * size;
	if (greta_thread() % GRETA_ATTENTION_THREADS != 0 || first > greta_load_fresh(&a.state->position) ||
	    first >= a.context)
		return;
	size_t key = greta_gpu_k_index(a.context, a.head_dim, kv_head, first, 0);
	size_t value = greta_gpu_v_index(a.context, a.head_dim, kv_head, first, 0);
	greta_prefetch((const uint8_t *)a.k_cache + key * size, bytes);
	greta_prefetch((const uint8_t *)a.v_cache + value * size, bytes);
}

/* Scores, weights, maximum and sum of chunk c, which has `count` positions (0: the team only comes along). Between
 * barriers. */
template <uint32_t KV>
GRETA_DEVICE void greta_attend_weigh(const struct greta_attention_args &a, struct greta_attend_team &s,
                                     uint32_t kv_head, uint32_t c, uint32_t count)
{
	uint32_t p = greta_thread() % GRETA_ATTENTION_THREADS, lane = greta_thread() % 32;
	greta_barrier();
	if (p < GRETA_ATTENTION_CHUNK) {
		size_t key = greta_gpu_k_index(a.context, a.head_dim, kv_head, c * GRETA_ATTENTION_CHUNK + p, 0);
		float score = 0;
		/* Loads of 64 elements are under way together. */
		for (uint32_t first = 0; p < count && first < a.head_dim; first += 64) {
			struct greta_kv8<KV> k[8];
#pragma unroll
			for (uint32_t i = 0; i < 8; i++)
				if (first + i * 8 < a.head_dim)
					k[i].load(a.k_cache, key + (first + i * 8) * GRETA_ATTENTION_CHUNK);
#pragma unroll
			for (uint32_t i = 0; i < 8; i++)
				for (uint32_t e = 0; first + i * 8 < a.head_dim && e < 8; e++)
					score = fmaf(s.q[first + i * 8 + e], k[i].at(e), score);
		}
		s.score[p] = p < count ? score * a.scale : -GRETA_INFINITY;
	}
	greta_barrier();
	if (p < 32) {
		float low = s.score[lane], high = s.score[lane + 32], max = greta_larger(low, high);
		for (uint32_t mask = 16; mask >= 1; mask /= 2)
			max = greta_larger(max, greta_shuffle_xor(max, mask));
		low = lane < count ? greta_expf(low - max) : 0;
		high = lane + 32 < count ? greta_expf(high - max) : 0;
		s.weight[lane] = low;
		s.weight[lane + 32] = high;
		float sum = low + high;
		for (uint32_t mask = 16; mask >= 1; mask /= 2)
			sum += greta_shuffle_xor(sum, mask);
		if (lane == 0) {
			s.max = max;
			s.sum = sum;
		}
	}
	greta_barrier();
}

/* A chunk's values of one element. There is memory for all positions, used or not. */
template <uint32_t KV> struct greta_attend_values {
	struct greta_kv8<KV> v[GRETA_ATTENTION_CHUNK / 8];

	GRETA_MEMBER void load(const struct greta_attention_args &a, uint32_t kv_head, uint32_t c, uint32_t i)
	{
		size_t at = greta_gpu_v_index(a.context, a.head_dim, kv_head, c * GRETA_ATTENTION_CHUNK, i);
#pragma unroll
		for (uint32_t p = 0; p < GRETA_ATTENTION_CHUNK; p += 8)
			v[p / 8].load(a.v_cache, at + (size_t)p * a.head_dim);
	}

	/* Weighted: one chain of fma over the first `count` positions. */
	GRETA_MEMBER float sum(const float *weight, uint32_t count) const
	{
		float sum = 0;
#pragma unroll
		for (uint32_t p = 0; p < GRETA_ATTENTION_CHUNK; p += 8) {
			if (p + 8 > count) {
				for (uint32_t e = 0; e < 8; e++)
					sum = p + e < count ? fmaf(weight[p + e], v[p / 8].at(e), sum) : sum;
				continue;
			}
			for (uint32_t e = 0; e < 8; e++)
				sum = fmaf(weight[p + e], v[p / 8].at(e), sum);
		}
		return sum;
	}
};

/* The joint of parts that are in shared memory or in scratch, one after the other, for a thread's elements. */
struct greta_attend_run {
	struct greta_joint joint;
	float out[GRETA_ATTEND_ELEMENTS];
};

/* Joins the parts of chunks c to c + GRETA_ATTEND_JOINED - 1, all under way together. */
GRETA_DEVICE void greta_attend_join(const struct greta_attention_args &a, const float *parts, uint32_t c,
                                    uint32_t chunks, uint32_t thread, struct greta_attend_run &run)
{
	float max[GRETA_ATTEND_JOINED], sum[GRETA_ATTEND_JOINED], value[GRETA_ATTEND_JOINED][GRETA_ATTEND_ELEMENTS];
#pragma unroll
	for (uint32_t n = 0; n < GRETA_ATTEND_JOINED; n++) {
		const float *part = parts + greta_min(c + n, chunks - 1) * (a.head_dim + 2);
		max[n] = greta_load_fresh(part + a.head_dim);
		sum[n] = greta_load_fresh(part + a.head_dim + 1);
		for (uint32_t k = 0; k < GRETA_ATTEND_ELEMENTS; k++)
			value[n][k] =
			    greta_load_fresh(part + greta_min(k * GRETA_ATTENTION_THREADS + thread, a.head_dim - 1));
	}
#pragma unroll
	for (uint32_t n = 0; n < GRETA_ATTEND_JOINED; n++) {
		float before, now;
		if (c + n >= chunks)
			break;
		greta_join(run.joint, max[n], sum[n], &before, &now);
		for (uint32_t k = 0; k < GRETA_ATTEND_ELEMENTS; k++)
			run.out[k] = fmaf(value[n][k], now, run.out[k] * before);
	}
}

/* All blocks of a head call this together: `busy` of them, of which this is number y. */
template <uint32_t KV>
GRETA_DEVICE void greta_attend(const struct greta_attention_args &a, struct greta_attend_shared &s, uint32_t head,
                               uint32_t y, uint32_t busy)
{
	uint32_t team = greta_uniform(greta_thread() / GRETA_ATTENTION_THREADS);
	uint32_t thread = greta_thread() % GRETA_ATTENTION_THREADS;
	uint32_t kv_head = head / (a.heads / a.kv_heads), positions = a.state->position + 1;
	uint32_t chunks = (positions + GRETA_ATTENTION_CHUNK - 1) / GRETA_ATTENTION_CHUNK;
	uint32_t groups = greta_attend_groups(positions), stride = a.head_dim + 2;
	struct greta_attend_team &mine = s.team[team];
	/* [heads][chunks]: elements, maximum, sum */
	float *parts = a.scratch + (size_t)head * ((a.context + 63) / 64) * stride;
	struct greta_attend_run run = {{-GRETA_INFINITY, 0}, {0, 0}};
	float before, now;
	for (uint32_t i = thread; i < a.head_dim; i += GRETA_ATTENTION_THREADS)
		mine.q[i] = a.q[(size_t)head * a.head_dim + i];
	for (uint32_t j = y; j < groups; j += busy) {
		uint32_t c = j * GRETA_ATTEND_TEAMS + team, first = c * GRETA_ATTENTION_CHUNK;
		uint32_t count = first < positions ? greta_min(positions - first, GRETA_ATTENTION_CHUNK) : 0;
		greta_attend_weigh<KV>(a, mine, kv_head, c, count);
		float *part = busy > 1 ? parts + c * stride : mine.value;
		for (uint32_t i = thread; count && i < a.head_dim; i += GRETA_ATTENTION_THREADS) {
			struct greta_attend_values<KV> values;
			values.load(a, kv_head, c, i);
			part[i] = values.sum(mine.weight, count);
		}
		if (busy > 1) {
			if (count && thread == 0) {
				part[a.head_dim] = mine.max;
				part[a.head_dim + 1] = mine.sum;
			}
			continue;
		}
		greta_barrier();
		for (uint32_t t = 0; team == 0 && t < GRETA_ATTEND_TEAMS && j * GRETA_ATTEND_TEAMS + t < chunks; t++) {
			greta_join(run.joint, s.team[t].max, s.team[t].sum, &before, &now);
			for (uint32_t k = 0; k < GRETA_ATTEND_ELEMENTS; k++)
				run.out[k] = fmaf(s.team[t].value[k * GRETA_ATTENTION_THREADS + thread], now,
				                  run.out[k] * before);
		}
	}
	if (busy > 1) {
		greta_publish();
		greta_barrier();
		if (greta_thread() == 0) {
			s.last = greta_count_one(&a.counters[head]) == busy - 1;
			if (s.last)
				a.counters[head] = 0;
		}
		greta_barrier();
		if (!s.last)
			return;
		for (uint32_t c = 0; team == 0 && c < chunks; c += GRETA_ATTEND_JOINED)
			greta_attend_join(a, parts, c, chunks, thread, run);
	}
	for (uint32_t k = 0; team == 0 && k < GRETA_ATTEND_ELEMENTS; k++) {
		uint32_t i = k * GRETA_ATTENTION_THREADS + thread;
		if (i < a.head_dim)
			a.out[(size_t)head * a.head_dim + i] = run.out[k] / run.joint.sum;
	}
}

GRETA_DEVICE void greta_attend_one(const struct greta_attention_args &a, struct greta_attend_shared &s, uint32_t head,
                                   uint32_t y, uint32_t busy)
{
	if (a.kv_type == GRETA_KV_F32)
		greta_attend<GRETA_KV_F32>(a, s, head, y, busy);
	else
		greta_attend<GRETA_KV_F16>(a, s, head, y, busy);
}

#endif
