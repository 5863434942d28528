/* Attention of one token. A block has a head and some of its context's chunks, dealt in turn to teams of threads: a
 * wave, or two where the target has such teams and they are enough. A thread is a position first (or two): it reads its
 * key eight elements at a time and keeps one chain of fma; then it is elements, TEAM apart: it reads values eight
 * positions at a time. Teams do not wait for each other before their parts are there. Where one block has all of a
 * head's chunks, it joins them itself, as many as it has teams at a time; else parts go to scratch, and the block that
 * is done last joins them.
 *
 * Where the target has copies that run by themselves (GRETA_BULK), keys and values come in pieces (pieces.h) that are
 * under way before the launch before has ended: this step's key and value, which that writes, are read afterwards.
 *
 * Shared memory: struct greta_attend_shared, and dynamic memory: scores, weights, parts, then the teams' rings. At the
 * end, the values of the parts that are joined take the place of all. */
#ifndef GRETA_GPU_ATTEND_H
#define GRETA_GPU_ATTEND_H

#include "kernels/gpu/pieces.h"

#define GRETA_ATTENTION_HEAD_MAX 256
#define GRETA_ATTEND_THREADS 512
#define GRETA_ATTEND_TEAMS (GRETA_ATTEND_THREADS / GRETA_WAVE) /* at most */
#define GRETA_ATTEND_LEAST 4                                   /* chunks that are worth a block of their own */
#define GRETA_ATTEND_JOINED 32                                 /* chunks that are joined together, at most */

GRETA_DEVICE float greta_larger(float a, float b) { return a > b ? a : b; }

/* How a chunk is joined to those before it: what theirs and its own are multiplied by, and the sum of its weights. */
struct greta_attend_joint {
	float before, now, sum;
};

/* What a block has in shared memory, but for its dynamic part. */
struct greta_attend_shared {
	float q[GRETA_ATTENTION_HEAD_MAX];
	float max[GRETA_ATTEND_TEAMS], sum[GRETA_ATTEND_TEAMS]; /* of a chunk's scores, of its weights */
	struct greta_attend_joint joint[GRETA_ATTEND_JOINED];
	uint64_t barriers[GRETA_ATTEND_TEAMS * (GRETA_PLACES + 1)];
	uint32_t last;
} __attribute__((aligned(16)));

/* The dynamic part, but for rings. */
struct greta_attend_memory {
	float score[GRETA_ATTEND_TEAMS][GRETA_ATTENTION_CHUNK];
	float weight[GRETA_ATTEND_THREADS / 32][GRETA_ATTENTION_CHUNK]; /* each 32 threads have their own */
	float part[GRETA_ATTEND_TEAMS][GRETA_ATTENTION_HEAD_MAX];
};
#define GRETA_ATTEND_RING_BYTES (GRETA_ATTEND_SHARED_BYTES - (uint32_t)sizeof(struct greta_attend_memory))
static_assert(GRETA_ATTEND_JOINED * GRETA_ATTENTION_HEAD_MAX * 4 <= GRETA_ATTEND_SHARED_BYTES, "room to join in");

/* What is a block's. */
struct greta_attend_job {
	uint32_t head, kv_head;
	uint32_t positions, chunks; /* of the context, this step's included */
	uint32_t busy;              /* blocks that share the head's chunks */
	uint32_t first, count;      /* chunks of this block */
};

/* Of block y of a head's `blocks`; count is 0 where the others do all. */
GRETA_DEVICE struct greta_attend_job greta_attend_job_of(const struct greta_attention_args &a, uint32_t head,
                                                         uint32_t y, uint32_t blocks, uint32_t position)
{
	struct greta_attend_job job;
	job.head = head;
	job.kv_head = head / (a.heads / a.kv_heads);
	job.positions = position + 1;
	job.chunks = position / GRETA_ATTENTION_CHUNK + 1;
	job.busy = greta_min(blocks, (job.chunks + GRETA_ATTEND_LEAST - 1) / GRETA_ATTEND_LEAST);
	job.first = greta_min(y, job.busy) * job.chunks / job.busy;
	job.count = greta_min(y + 1, job.busy) * job.chunks / job.busy - job.first;
	return job;
}

/* Loads of 16 bytes that a thread has under way together, at most; the eights of keys, and of values in N elements,
 * that these are. */
#define GRETA_ATTEND_AHEAD 8
template <uint32_t KV, uint32_t TEAM> GRETA_DEVICE constexpr uint32_t greta_attend_keys_ahead(void)
{
	return GRETA_ATTEND_AHEAD / (GRETA_ATTENTION_CHUNK / TEAM) / greta_kv8<KV>::SIZE;
}

template <uint32_t KV, uint32_t TEAM, uint32_t N> GRETA_DEVICE constexpr uint32_t greta_attend_values_ahead(void)
{
	return greta_min(greta_max(2 * GRETA_ATTEND_AHEAD / (N * greta_kv8<KV>::SIZE), 1),
	                 greta_pieces<KV, TEAM>::VALUE_EIGHTS);
}

/* To score[h]: EIGHTS times eight elements of the query times those of the key of position p + TEAM h, p the thread
 * of the team. */
template <uint32_t KV, uint32_t TEAM, uint32_t EIGHTS>
GRETA_DEVICE void greta_attend_dot(const float *q, const uint8_t *keys, float score[GRETA_ATTENTION_CHUNK / TEAM])
{
	const uint32_t POSITIONS = GRETA_ATTENTION_CHUNK / TEAM;
	struct greta_kv8<KV> k[EIGHTS][POSITIONS];
	float with[EIGHTS][8];
	uint32_t p = greta_thread() % TEAM;
#pragma unroll
	for (uint32_t i = 0; i < EIGHTS; i++)
#pragma unroll
		for (uint32_t h = 0; h < POSITIONS; h++)
			k[i][h].load(keys, (i * GRETA_ATTENTION_CHUNK + p + h * TEAM) * 8);
#pragma unroll
	for (uint32_t i = 0; i < EIGHTS; i++)
		greta_load_floats8(q + i * 8, with[i]);
#pragma unroll
	for (uint32_t i = 0; i < EIGHTS; i++)
		for (uint32_t e = 0; e < 8; e++)
			for (uint32_t h = 0; h < POSITIONS; h++)
				score[h] = fmaf(with[i][e], k[i][h].at(e), score[h]);
}

/* A chunk's weights from its `count` scores, with their maximum and sum, by each 32 threads of its team. */
GRETA_DEVICE void greta_attend_weigh(const float *score, uint32_t count, float *weight, float *out_max, float *out_sum)
{
	uint32_t lane = greta_lane() % 32;
	float low = lane < count ? score[lane] : -GRETA_INFINITY;
	float high = lane + 32 < count ? score[lane + 32] : -GRETA_INFINITY;
	float max = greta_larger(low, high);
	for (uint32_t mask = 16; mask >= 1; mask /= 2)
		max = greta_larger(max, greta_shuffle_xor(max, mask));
	low = lane < count ? greta_expf(low - max) : 0;
	high = lane + 32 < count ? greta_expf(high - max) : 0;
	weight[lane] = low;
	weight[lane + 32] = high;
	float sum = low + high;
	for (uint32_t mask = 16; mask >= 1; mask /= 2)
		sum += greta_shuffle_xor(sum, mask);
	greta_wave_sync();
	*out_max = max;
	*out_sum = sum;
}

/* To out[n], which is element p + TEAM n: EIGHTS times eight positions of the values, weighted; WHOLE: all of them,
 * else the first `count`. There is memory for all positions, used or not. */
template <uint32_t KV, uint32_t TEAM, uint32_t N, uint32_t EIGHTS, bool WHOLE>
GRETA_DEVICE void greta_attend_weighted(const float *weight, uint32_t count, const uint8_t *values, uint32_t head_dim,
                                        float out[N])
{
	struct greta_kv8<KV> v[EIGHTS][N];
	float with[EIGHTS][8];
	uint32_t p = greta_thread() % TEAM;
#pragma unroll
	for (uint32_t k = 0; k < EIGHTS; k++)
#pragma unroll
		for (uint32_t n = 0; n < N; n++)
			v[k][n].load(values, (k * head_dim + greta_min(p + n * TEAM, head_dim - 1)) * 8);
#pragma unroll
	for (uint32_t k = 0; k < EIGHTS; k++)
		greta_load_floats8(weight + k * 8, with[k]);
#pragma unroll
	for (uint32_t k = 0; k < EIGHTS; k++)
		for (uint32_t e = 0; e < 8; e++)
			for (uint32_t n = 0; n < N; n++)
				out[n] = WHOLE || k * 8 + e < count ? fmaf(with[k][e], v[k][n].at(e), out[n]) : out[n];
}

/* The same of a piece's first `count` positions. */
template <uint32_t KV, uint32_t TEAM, uint32_t N>
GRETA_DEVICE void greta_attend_values(const float *weight, uint32_t count, const uint8_t *values, uint32_t head_dim,
                                      float out[N])
{
	const uint32_t EIGHTS = greta_attend_values_ahead<KV, TEAM, N>(), BYTES = EIGHTS * 8 * greta_kv8<KV>::SIZE;
	uint32_t first = 0;
#pragma unroll 1
	for (; first + EIGHTS * 8 <= count; first += EIGHTS * 8, values += BYTES * head_dim)
		greta_attend_weighted<KV, TEAM, N, EIGHTS, true>(weight + first, 0, values, head_dim, out);
	if (first < count)
		greta_attend_weighted<KV, TEAM, N, EIGHTS, false>(weight + first, count - first, values, head_dim, out);
}

/* What the step adds to its last chunk, where pieces are brought before it is there: a thread has eight elements of the
 * key, and its elements of the value. */
template <uint32_t KV, uint32_t TEAM, uint32_t N> struct greta_attend_fresh {
	static const uint32_t SIZE = greta_kv8<KV>::SIZE;
	struct greta_kv8<KV> key;
	uint32_t value[N];

	GRETA_MEMBER void load(const struct greta_attention_args &a, const struct greta_attend_job &job)
	{
		uint32_t position = job.positions - 1, p = greta_thread() % TEAM;
		uint32_t eight = greta_min(p, a.head_dim / 8 - 1);
		key.load(a.k_cache, greta_gpu_k_index(a.context, a.head_dim, job.kv_head, position, eight * 8));
#pragma unroll
		for (uint32_t n = 0; n < N; n++) {
			uint32_t i = greta_min(p + n * TEAM, a.head_dim - 1);
			size_t index = greta_gpu_v_index(a.context, a.head_dim, job.kv_head, position, i);
			value[n] = SIZE == 4 ? ((const uint32_t *)a.v_cache)[index] : ((const uint16_t *)a.v_cache)[index];
		}
	}

	/* The key to a piece of keys, `eights` eights of elements from the `first` on. */
	GRETA_MEMBER void add_key(uint8_t *keys, uint32_t at, uint32_t first, uint32_t eights) const
	{
		uint32_t i = greta_thread() % TEAM - first;
		uint8_t *to = keys + i * greta_pieces<KV, TEAM>::ROW + at * 8 * SIZE;
		if (i < eights)
			memcpy(__builtin_assume_aligned(to, 16), key.raw, 8 * SIZE);
	}

	GRETA_MEMBER void add_value(float weight, float out[N]) const
	{
#pragma unroll
		for (uint32_t n = 0; n < N; n++)
			out[n] = fmaf(weight, SIZE == 4 ? greta_float(value[n]) : greta_half(value[n]), out[n]);
	}
};

/* The joint of a head's chunks so far, and a thread's element of it. */
struct greta_attend_run {
	float max, sum, out;
};

/* Joins `count` chunks in order, at most GRETA_ATTEND_JOINED. The first threads have a chunk's maximum and sum each; a
 * running maximum is exact, so that they find it together, and a maximum that is no number does not count. `values` is
 * shared memory, [chunk][GRETA_ATTENTION_HEAD_MAX]; a barrier in here lets all threads see what was stored there
 * before. Between two calls there must be another. */
GRETA_DEVICE void greta_attend_join(struct greta_attend_run &run, struct greta_attend_shared &s, float max, float sum,
                                    uint32_t count, const float *values)
{
	uint32_t lane = greta_thread();
	if (lane < 32) {
		float highest = lane < count ? greta_larger(max, -GRETA_INFINITY) : -GRETA_INFINITY;
		for (uint32_t below = 1; below < 32; below *= 2)
			highest = greta_larger(highest, greta_shuffle(highest, lane >= below ? lane - below : lane));
		highest = greta_larger(highest, run.max);
		float previous = greta_shuffle(highest, lane ? lane - 1 : 0);
		s.joint[lane] = {greta_expf((lane ? previous : run.max) - highest), greta_expf(max - highest), sum};
		run.max = greta_shuffle(highest, 31);
	}
	greta_barrier();
	if (lane < GRETA_ATTENTION_HEAD_MAX)
#pragma unroll 4
		for (uint32_t c = 0; c < count; c++) {
			const struct greta_attend_joint joint = s.joint[c];
			run.sum = fmaf(joint.sum, joint.now, run.sum * joint.before);
			run.out = fmaf(values[c * GRETA_ATTENTION_HEAD_MAX + lane], joint.now, run.out * joint.before);
		}
}

/* Joins all of a head's chunks from scratch. */
GRETA_DEVICE void greta_attend_join_parts(struct greta_attend_run &run, struct greta_attend_shared &s,
                                          const float *parts, uint32_t chunks, uint32_t head_dim, float *values)
{
	const uint32_t TEAM = 64, TEAMS = GRETA_ATTEND_THREADS / TEAM, EACH = GRETA_ATTEND_JOINED / TEAMS; /* chunks */
	uint32_t team = greta_thread() / TEAM, p = greta_thread() % TEAM;
	uint32_t stride = head_dim + 2;
#pragma unroll 1
	for (uint32_t first = 0; first < chunks; first += GRETA_ATTEND_JOINED) {
		uint32_t here = greta_min(chunks - first, GRETA_ATTEND_JOINED);
		const float *from = parts + (size_t)first * stride;
		const float *mine = from + greta_min(greta_thread(), here - 1) * stride + head_dim; /* maximum, sum */
		float max = greta_load_fresh(mine), sum = greta_load_fresh(mine + 1);
		if (first)
			greta_barrier();
#pragma unroll 1
		for (uint32_t i = p; i < head_dim; i += 2 * TEAM) {
			float value[2][EACH];
#pragma unroll
			for (uint32_t k = 0; k < EACH; k++) {
				const float *part = from + greta_min(team + k * TEAMS, here - 1) * stride;
				value[0][k] = greta_load_fresh(part + i);
				value[1][k] = greta_load_fresh(part + greta_min(i + TEAM, head_dim - 1));
			}
#pragma unroll
			for (uint32_t k = 0; k < EACH; k++) {
				float *to = values + (team + k * TEAMS) * GRETA_ATTENTION_HEAD_MAX + i;
				to[0] = value[0][k];
				if (i + TEAM < head_dim)
					to[TEAM] = value[1][k];
			}
		}
		greta_attend_join(run, s, max, sum, here, values);
	}
}

/* A team's chunk c: its weighted values to `part`, its maximum and sum. */
template <uint32_t KV, uint32_t TEAM, uint32_t N>
GRETA_DEVICE void greta_attend_chunk(const struct greta_attention_args &a, const struct greta_attend_job &job,
                                     uint32_t c, const float *q, struct greta_attend_memory &memory,
                                     struct greta_pieces<KV, TEAM> &pieces,
                                     const struct greta_attend_fresh<KV, TEAM, N> &fresh, float *part, float *out_max,
                                     float *out_sum)
{
	const uint32_t POSITIONS = GRETA_ATTENTION_CHUNK / TEAM;
	const uint32_t EIGHTS = pieces.KEY_EIGHTS, VALUES = pieces.VALUE_EIGHTS * 8;
	const uint32_t AHEAD = greta_attend_keys_ahead<KV, TEAM>();
	uint32_t p = greta_thread() % TEAM, eights = a.head_dim / 8;
	uint32_t count = greta_min(job.positions - c * GRETA_ATTENTION_CHUNK, GRETA_ATTENTION_CHUNK);
	bool adds = GRETA_BULK && c == job.chunks - 1;
	float score[POSITIONS] = {}, out[N] = {};
#pragma unroll 1
	for (uint32_t first = 0; first < eights; first += EIGHTS) {
		uint32_t here = greta_min(EIGHTS, eights - first), i = 0;
		uint8_t *keys = pieces.get();
		if (adds) {
			fresh.add_key(keys, count - 1, first, here);
			pieces.sync();
		}
#pragma unroll 1
		for (; i + AHEAD <= here; i += AHEAD)
			greta_attend_dot<KV, TEAM, AHEAD>(q + (first + i) * 8, keys + i * pieces.ROW, score);
#pragma unroll 1
		for (; i < here; i++)
			greta_attend_dot<KV, TEAM, 1>(q + (first + i) * 8, keys + i * pieces.ROW, score);
		pieces.release();
	}
	float *scores = memory.score[pieces.team], *weight = memory.weight[greta_thread() / 32];
	for (uint32_t h = 0; h < POSITIONS; h++)
		scores[p + h * TEAM] = score[h] * a.scale;
	pieces.sync();
	greta_attend_weigh(scores, count, weight, out_max, out_sum);
	uint32_t old = adds ? count - 1 : count;
#pragma unroll 1
	for (uint32_t first = 0; first < GRETA_ATTENTION_CHUNK; first += VALUES) {
		const uint8_t *values = pieces.get();
		if (first < old)
			greta_attend_values<KV, TEAM, N>(weight + first, greta_min(old - first, VALUES), values, a.head_dim, out);
		pieces.release();
	}
	if (adds)
		fresh.add_value(weight[old], out);
#pragma unroll
	for (uint32_t n = 0; n < N; n++)
		if (p + n * TEAM < a.head_dim)
			part[p + n * TEAM] = out[n];
}

/* The block that is the last of a head's to call this gets true, and sees what the others wrote. */
GRETA_DEVICE bool greta_attend_is_last(const struct greta_attention_args &a, const struct greta_attend_job &job,
                                       struct greta_attend_shared &s)
{
	greta_publish();
	greta_barrier();
	if (greta_thread() == 0) {
		s.last = greta_count_one(&a.counters[job.head]) == job.busy - 1;
		if (s.last)
			a.counters[job.head] = 0;
	}
	greta_barrier();
	return s.last;
}

/* All of a block's work. N: elements of a thread, at least head_dim / TEAM. dynamic: dynamic shared memory,
 * GRETA_ATTEND_SHARED_BYTES. May be called while the launch before still runs, and waits for it where it must. */
template <uint32_t KV, uint32_t TEAM, uint32_t N>
GRETA_DEVICE void greta_attend(const struct greta_attention_args &a, const struct greta_attend_job &job,
                               struct greta_attend_shared &s, uint8_t *dynamic)
{
	const uint32_t TEAMS = GRETA_ATTEND_THREADS / TEAM;
	uint32_t stride = a.head_dim + 2, i = greta_thread();
	uint32_t most = (a.context + GRETA_ATTENTION_CHUNK - 1) / GRETA_ATTENTION_CHUNK; /* chunks of a head */
	float *parts = a.scratch + (size_t)job.head * most * stride;
	struct greta_attend_memory &memory = *(struct greta_attend_memory *)dynamic;
	struct greta_attend_run run = {-GRETA_INFINITY, 0, 0};
	struct greta_pieces<KV, TEAM> pieces;
	struct greta_attend_fresh<KV, TEAM, N> fresh = {};
	pieces.begin(a, job.kv_head, job.first, job.count, TEAMS, dynamic + sizeof(memory), GRETA_ATTEND_RING_BYTES,
	             s.barriers);
	greta_wait_for_previous();
	if (i < a.head_dim)
		s.q[i] = a.q[(size_t)job.head * a.head_dim + i];
	if (GRETA_BULK && job.first + job.count == job.chunks && pieces.team == (job.count - 1) % pieces.together)
		fresh.load(a, job);
	greta_barrier();
	for (uint32_t done = 0; done < job.count; done += pieces.together) {
		uint32_t here = greta_min(pieces.together, job.count - done), c = job.first + done + pieces.team;
		if (pieces.team < here) {
			float *part = job.busy > 1 ? parts + (size_t)c * stride : memory.part[pieces.team];
			float max, sum;
			greta_attend_chunk<KV, TEAM, N>(a, job, c, s.q, memory, pieces, fresh, part, &max, &sum);
			if (i % TEAM == 0) {
				*(job.busy > 1 ? &part[a.head_dim] : &s.max[pieces.team]) = max;
				*(job.busy > 1 ? &part[a.head_dim + 1] : &s.sum[pieces.team]) = sum;
			}
		}
		if (job.busy > 1)
			continue;
		greta_barrier();
		greta_attend_join(run, s, s.max[i % TEAMS], s.sum[i % TEAMS], here, memory.part[0]);
		greta_barrier();
	}
	if (job.busy > 1 && !greta_attend_is_last(a, job, s))
		return;
	if (job.busy > 1)
		greta_attend_join_parts(run, s, parts, job.chunks, a.head_dim, (float *)dynamic);
	if (i < a.head_dim)
		a.out[(size_t)job.head * a.head_dim + i] = run.out / run.sum;
}

#endif
