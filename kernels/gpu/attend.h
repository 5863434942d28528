/* Attention of one token. A block has a head and some of its context's chunks, one after the other. It takes them in
 * rounds of up to eight, a team of 64 threads for each. A thread is a position first: it reads its key eight elements
 * at a time and keeps one chain of fma; then it is an element or two: it reads values eight positions at a time. Where
 * one block has all of a head's chunks, it joins their parts itself; else parts go to scratch, and the block that is
 * done last joins them.
 *
 * A chunk's keys lie together in memory, and so do its values: each is a piece, and is read once for each head. Where
 * the target has copies that run by themselves (GRETA_BULK), pieces come through shared memory, and those that earlier
 * steps wrote are under way before the launch before has ended; elsewhere threads read them where they lie.
 *
 * Shared memory: struct greta_attend_shared, and dynamic memory: a round's values, then pieces. At the end, the values
 * of the parts that are joined take the place of both. */
#ifndef GRETA_GPU_ATTEND_H
#define GRETA_GPU_ATTEND_H

#include "kernels/gpu/layouts.h"

#define GRETA_ATTENTION_HEAD_MAX 256
#define GRETA_ATTEND_THREADS 512
#define GRETA_ATTEND_TEAM GRETA_ATTENTION_CHUNK /* threads */
#define GRETA_ATTEND_TEAMS (GRETA_ATTEND_THREADS / GRETA_ATTEND_TEAM)
#define GRETA_ATTEND_LEAST 4   /* chunks that are worth a block of their own */
#define GRETA_ATTEND_PLACES 16 /* pieces in shared memory, at most; one for each 32 threads */
#define GRETA_ATTEND_AHEAD (GRETA_BULK ? 4 : 8) /* loads of eight elements that are under way together */
#define GRETA_ATTEND_JOINED 32 /* chunks that are joined together, at most */
static_assert(GRETA_ATTEND_PLACES <= 2 * GRETA_ATTEND_TEAMS, "the first pieces are of the first round");

GRETA_DEVICE float greta_larger(float a, float b) { return a > b ? a : b; }

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

/* How a chunk is joined to those before it: what theirs and its own are multiplied by, and the sum of its weights. */
struct greta_attend_joint {
	float before, now, sum;
};

/* What a block has in shared memory, but for pieces and values [chunk][GRETA_ATTENTION_HEAD_MAX]. */
struct greta_attend_shared {
	float q[GRETA_ATTENTION_HEAD_MAX];
	float weight[GRETA_ATTEND_TEAMS][GRETA_ATTENTION_CHUNK]; /* at first scores */
	float max[GRETA_ATTEND_TEAMS], sum[GRETA_ATTEND_TEAMS];  /* of a chunk's scores, of its weights */
	struct greta_attend_joint joint[GRETA_ATTEND_JOINED];
	uint64_t barriers[GRETA_ATTEND_PLACES];
	uint32_t last;
} __attribute__((aligned(16)));
#define GRETA_ATTEND_VALUE_BYTES (GRETA_ATTEND_TEAMS * GRETA_ATTENTION_HEAD_MAX * 4) /* of a round; pieces follow */
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

/* The block's pieces by number: of each round of `together` chunks, the keys, then the values. In shared memory, a
 * piece has the place of the one `places` before it. Each is brought by another group of 32 threads, its first one, so
 * that no wave has many to bring. */
template <uint32_t KV> struct greta_attend_pieces {
	const uint8_t *k, *v; /* of the block's first chunk */
	uint32_t bytes, count, together, places;
	uint32_t written; /* the chunk that the launch before writes to, if it is the block's */
	uint8_t *shared;
	uint64_t *barriers;

	GRETA_MEMBER void begin(const struct greta_attention_args &a, const struct greta_attend_job &job, uint8_t *memory,
	                        uint64_t *with)
	{
		bytes = GRETA_ATTENTION_CHUNK * a.head_dim * (KV == GRETA_KV_F32 ? 4 : 2);
		size_t before = job.kv_head * (greta_gpu_kv_positions(a.context) / GRETA_ATTENTION_CHUNK);
		size_t at = (before + job.first) * bytes;
		k = (const uint8_t *)a.k_cache + at;
		v = (const uint8_t *)a.v_cache + at;
		count = job.count;
		written = job.chunks - 1 - job.first;
		shared = memory;
		barriers = with;
		uint32_t fitting = (GRETA_ATTEND_SHARED_BYTES - GRETA_ATTEND_VALUE_BYTES) / bytes;
		places = GRETA_BULK ? greta_min(GRETA_ATTEND_PLACES, fitting) : GRETA_ATTEND_PLACES;
		together = greta_min(GRETA_ATTEND_TEAMS, places);
		if (GRETA_BULK && greta_thread() % 32 == 0 && greta_thread() / 32 < places)
			greta_bulk_begin(&barriers[greta_thread() / 32]);
		greta_wave_sync();
	}

	/* Where piece n is in memory, i-th of the round whose first chunk is `first`; *out_chunk: the chunk it belongs to, from
	 * the block's first. */
	GRETA_MEMBER const uint8_t *source(uint32_t first, uint32_t i, uint32_t *out_chunk) const
	{
		uint32_t here = greta_min(together, count - first);
		uint32_t chunk = first + (i < here ? i : i - here);
		*out_chunk = chunk;
		return (i < here ? k : v) + (size_t)chunk * bytes;
	}

	GRETA_MEMBER const uint8_t *source(uint32_t n) const
	{
		uint32_t round = n / (2 * together), chunk;
		return source(round * together, n - round * 2 * together, &chunk);
	}

	GRETA_MEMBER void bring(uint32_t n, const uint8_t *from) const
	{
		greta_bulk_copy(shared + n % places * bytes, from, bytes, &barriers[n % places]);
	}

	/* The first pieces, which are of the first round; those of the chunk that the launch before writes to when it has
	 * ended, which this waits for. */
	GRETA_MEMBER void start() const
	{
		uint32_t n = greta_thread() / 32, chunk = 0;
		const uint8_t *from = NULL;
		if (GRETA_BULK && greta_thread() % 32 == 0 && n < greta_min(places, 2 * count))
			from = source(0, n, &chunk);
		if (from && chunk != written)
			bring(n, from);
		greta_wait_for_previous();
		if (from && chunk == written)
			bring(n, from);
	}

	/* Piece n. The threads that ask wait for it. */
	GRETA_MEMBER const uint8_t *get(uint32_t n) const
	{
		if (!GRETA_BULK)
			return source(n);
		greta_bulk_wait(&barriers[n % places], n / places & 1);
		return shared + n % places * bytes;
	}

	/* Pieces n to n + here - 1 are no longer wanted by any thread, which a barrier has seen to. */
	GRETA_MEMBER void release(uint32_t n, uint32_t here) const
	{
		uint32_t i = greta_thread() / 32, next = n + i + places;
		if (GRETA_BULK && greta_thread() % 32 == 0 && i < here && next < 2 * count)
			bring(next, source(next));
	}
};

/* score + the elements from `first` on, EIGHTS times eight, of the query times the key of the team's position p. */
template <uint32_t KV, uint32_t EIGHTS>
GRETA_DEVICE float greta_attend_dot(const float *q, const uint8_t *keys, uint32_t p, uint32_t first, float score)
{
	struct greta_kv8<KV> k[EIGHTS];
	float with[EIGHTS][8];
#pragma unroll
	for (uint32_t i = 0; i < EIGHTS; i++)
		k[i].load(keys, (first + i * 8) * GRETA_ATTENTION_CHUNK + p * 8);
#pragma unroll
	for (uint32_t i = 0; i < EIGHTS; i++)
		greta_load_floats8(q + first + i * 8, with[i]);
#pragma unroll
	for (uint32_t i = 0; i < EIGHTS; i++)
		for (uint32_t e = 0; e < 8; e++)
			score = fmaf(with[i][e], k[i].at(e), score);
	return score;
}

/* The score of one key: one chain of fma. */
template <uint32_t KV>
GRETA_DEVICE float greta_attend_score(const float *q, const uint8_t *keys, uint32_t p, uint32_t head_dim)
{
	float score = 0;
	uint32_t first = 0;
#pragma unroll 1
	for (; first + 8 * GRETA_ATTEND_AHEAD <= head_dim; first += 8 * GRETA_ATTEND_AHEAD)
		score = greta_attend_dot<KV, GRETA_ATTEND_AHEAD>(q, keys, p, first, score);
#pragma unroll 1
	for (; first < head_dim; first += 8)
		score = greta_attend_dot<KV, 1>(q, keys, p, first, score);
	return score;
}

/* A chunk's weights from its scores, in place, with their maximum and sum, by its team's first 32 threads. */
GRETA_DEVICE void greta_attend_weigh(float *weight, uint32_t count, float *out_max, float *out_sum)
{
	uint32_t lane = greta_thread() % 32;
	float low = weight[lane], high = weight[lane + 32], max = greta_larger(low, high);
	for (uint32_t mask = 16; mask >= 1; mask /= 2)
		max = greta_larger(max, greta_shuffle_xor(max, mask));
	low = lane < count ? greta_expf(low - max) : 0;
	high = lane + 32 < count ? greta_expf(high - max) : 0;
	weight[lane] = low;
	weight[lane + 32] = high;
	float sum = low + high;
	for (uint32_t mask = 16; mask >= 1; mask /= 2)
		sum += greta_shuffle_xor(sum, mask);
	if (lane == 0) {
		*out_max = max;
		*out_sum = sum;
	}
}

/* To out: elements i and, of N = 2, i + 64 of the values at positions `first` on, EIGHTS times eight, weighted. */
template <uint32_t KV, uint32_t N, uint32_t EIGHTS>
GRETA_DEVICE void greta_attend_weighted(const float *weight, const uint8_t *values, uint32_t first, uint32_t i,
                                        uint32_t head_dim, float out[N])
{
	struct greta_kv8<KV> v[EIGHTS][N];
	float with[EIGHTS][8];
#pragma unroll
	for (uint32_t k = 0; k < EIGHTS; k++)
#pragma unroll
		for (uint32_t n = 0; n < N; n++)
			v[k][n].load(values, (first + k * 8) * head_dim + (i + n * GRETA_ATTEND_TEAM) * 8);
#pragma unroll
	for (uint32_t k = 0; k < EIGHTS; k++)
		greta_load_floats8(weight + first + k * 8, with[k]);
#pragma unroll
	for (uint32_t k = 0; k < EIGHTS; k++)
		for (uint32_t e = 0; e < 8; e++)
			for (uint32_t n = 0; n < N; n++)
				out[n] = fmaf(with[k][e], v[k][n].at(e), out[n]);
}

/* Elements i and, of N = 2, i + 64 of a chunk's weighted values, each one chain of fma over its first `count`
 * positions. There is memory for all positions, used or not. */
template <uint32_t KV, uint32_t N>
GRETA_DEVICE void greta_attend_values(const float *weight, uint32_t count, const uint8_t *values, uint32_t i,
                                      uint32_t head_dim, float out[N])
{
	uint32_t first = 0;
#pragma unroll
	for (uint32_t n = 0; n < N; n++)
		out[n] = 0;
#pragma unroll 1
	for (; first + 8 * GRETA_ATTEND_AHEAD <= count; first += 8 * GRETA_ATTEND_AHEAD)
		greta_attend_weighted<KV, N, GRETA_ATTEND_AHEAD>(weight, values, first, i, head_dim, out);
#pragma unroll 1
	for (; first + 8 <= count; first += 8)
		greta_attend_weighted<KV, N, 1>(weight, values, first, i, head_dim, out);
	if (first == count)
		return;
	struct greta_kv8<KV> v[N];
#pragma unroll
	for (uint32_t n = 0; n < N; n++)
		v[n].load(values, first * head_dim + (i + n * GRETA_ATTEND_TEAM) * 8);
	for (uint32_t e = 0; e < 8; e++)
		for (uint32_t n = 0; n < N; n++)
			out[n] = first + e < count ? fmaf(weight[first + e], v[n].at(e), out[n]) : out[n];
}

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
	const uint32_t EACH = GRETA_ATTEND_JOINED / GRETA_ATTEND_TEAMS; /* chunks of a team */
	uint32_t team = greta_thread() / GRETA_ATTEND_TEAM, p = greta_thread() % GRETA_ATTEND_TEAM;
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
		for (uint32_t i = p; i < head_dim; i += 2 * GRETA_ATTEND_TEAM) {
			float value[2][EACH];
#pragma unroll
			for (uint32_t k = 0; k < EACH; k++) {
				const float *part = from + greta_min(team + k * GRETA_ATTEND_TEAMS, here - 1) * stride;
				value[0][k] = greta_load_fresh(part + i);
				value[1][k] = greta_load_fresh(part + greta_min(i + GRETA_ATTEND_TEAM, head_dim - 1));
			}
#pragma unroll
			for (uint32_t k = 0; k < EACH; k++) {
				float *to = values + (team + k * GRETA_ATTEND_TEAMS) * GRETA_ATTENTION_HEAD_MAX + i;
				to[0] = value[0][k];
				if (i + GRETA_ATTEND_TEAM < head_dim)
					to[GRETA_ATTEND_TEAM] = value[1][k];
			}
		}
		greta_attend_join(run, s, max, sum, here, values);
	}
}

/* A thread's elements of its team's chunk: the weighted values, to `part`. Two at a time where registers allow. */
template <uint32_t KV>
GRETA_DEVICE void greta_attend_part(const float *weight, uint32_t count, const uint8_t *values, uint32_t head_dim,
                                    float *part)
{
	uint32_t i = greta_thread() % GRETA_ATTEND_TEAM;
	float out[2];
	for (; KV == GRETA_KV_F16 && i + GRETA_ATTEND_TEAM < head_dim; i += 2 * GRETA_ATTEND_TEAM) {
		greta_attend_values<KV, 2>(weight, count, values, i, head_dim, out);
		part[i] = out[0];
		part[i + GRETA_ATTEND_TEAM] = out[1];
	}
	for (; i < head_dim; i += GRETA_ATTEND_TEAM) {
		greta_attend_values<KV, 1>(weight, count, values, i, head_dim, out);
		part[i] = out[0];
	}
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

/* All of a block's work. memory: dynamic shared memory, GRETA_ATTEND_SHARED_BYTES. May be called while the launch
 * before still runs, and waits for it where it must. */
template <uint32_t KV>
GRETA_DEVICE void greta_attend(const struct greta_attention_args &a, const struct greta_attend_job &job,
                               struct greta_attend_shared &s, uint8_t *memory)
{
	uint32_t team = greta_uniform(greta_thread() / GRETA_ATTEND_TEAM), p = greta_thread() % GRETA_ATTEND_TEAM;
	uint32_t stride = a.head_dim + 2, i = greta_thread();
	uint32_t most = (a.context + GRETA_ATTENTION_CHUNK - 1) / GRETA_ATTENTION_CHUNK; /* chunks of a head */
	float *parts = a.scratch + (size_t)job.head * most * stride;
	float *values = (float *)memory;
	struct greta_attend_run run = {-GRETA_INFINITY, 0, 0};
	struct greta_attend_pieces<KV> pieces;
	pieces.begin(a, job, memory + GRETA_ATTEND_VALUE_BYTES, s.barriers);
	pieces.start();
	if (i < a.head_dim)
		s.q[i] = a.q[(size_t)job.head * a.head_dim + i];
	greta_barrier();
	for (uint32_t done = 0; done < job.count; done += pieces.together) {
		uint32_t here = greta_min(pieces.together, job.count - done), n = 2 * done;
		uint32_t c = job.first + done + team, count = 0;
		if (team < here) {
			count = greta_min(job.positions - c * GRETA_ATTENTION_CHUNK, GRETA_ATTENTION_CHUNK);
			float score = greta_attend_score<KV>(s.q, pieces.get(n + team), p, a.head_dim);
			s.weight[team][p] = p < count ? score * a.scale : -GRETA_INFINITY;
		}
		greta_barrier();
		pieces.release(n, here);
		if (team < here && p < 32)
			greta_attend_weigh(s.weight[team], count, &s.max[team], &s.sum[team]);
		greta_barrier();
		if (team < here) {
			float *part = job.busy > 1 ? parts + (size_t)c * stride : values + team * GRETA_ATTENTION_HEAD_MAX;
			greta_attend_part<KV>(s.weight[team], count, pieces.get(n + here + team), a.head_dim, part);
			if (job.busy > 1 && p == 0) {
				part[a.head_dim] = s.max[team];
				part[a.head_dim + 1] = s.sum[team];
			}
		}
		greta_barrier();
		pieces.release(n + here, here);
		if (job.busy == 1)
			greta_attend_join(run, s, s.max[i % GRETA_ATTEND_TEAMS], s.sum[i % GRETA_ATTEND_TEAMS], here, values);
	}
	if (job.busy > 1 && !greta_attend_is_last(a, job, s))
		return;
	if (job.busy > 1)
		greta_attend_join_parts(run, s, parts, job.chunks, a.head_dim, values);
	if (i < a.head_dim)
		a.out[(size_t)job.head * a.head_dim + i] = run.out / run.sum;
}

#endif
