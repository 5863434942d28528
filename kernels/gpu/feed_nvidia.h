/* Feeding a wave with its tiles, on NVIDIA from 9.0 on: a ring of tiles in shared memory, filled by bulk copies. */
#ifndef GRETA_GPU_FEED_NVIDIA_H
#define GRETA_GPU_FEED_NVIDIA_H

#define GRETA_RING_TILES 3 /* two of Q8_0; four of Q4_K were no faster on an H200 */
#define GRETA_FEED_K 1     /* a run may have tiles of Q4_K and of Q6_K */

/* A wave's ring; where types differ, tiles are no larger than Q6_K's, or fewer. */
GRETA_DEVICE constexpr uint32_t greta_ring_bytes(uint32_t type)
{
	return type == GRETA_GPU_FLOAT                          ? 0
	       : type == GRETA_GPU_MIXED || type == GRETA_GPU_K ? 10080
	       : type == GRETA_TYPE_Q8_0                        ? 2 * greta_tile_bytes(type)
	                                                        : GRETA_RING_TILES * greta_tile_bytes(type);
}

template <uint32_t TYPE, int COUNT> struct greta_feed {
	static const uint32_t PLACE = greta_tile_bytes(TYPE == GRETA_GPU_K ? GRETA_TYPE_Q6_K : TYPE); /* bytes */
	static const uint32_t TILES = TYPE == GRETA_TYPE_Q8_0 ? 2 : GRETA_RING_TILES;
	struct greta_cursor<TYPE, COUNT> next; /* what is copied next */
	uint8_t *ring;
	uint64_t *barriers;   /* one a tile */
	uint32_t slot, phase; /* of what is taken next */
	uint32_t outstanding, filled; /* tiles that were copied and not taken; that were copied before the first was taken */

	GRETA_MEMBER void start(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
	                        const struct greta_gpu_part &part)
	{
		uint32_t wave = greta_thread() / GRETA_WAVE;
		next.start(m, job, part);
		ring = job.ring + wave * job.ring_bytes;
		barriers = job.barriers + wave * GRETA_RING_TILES;
		slot = phase = outstanding = 0;
		greta_wave_sync();
		for (uint32_t i = 0; greta_lane() == 0 && i < TILES; i++)
			greta_bulk_begin(&barriers[i]);
		greta_wave_sync();
		filled = 0;
		fill(m, job, 1);
	}

	/* Before the first tile is taken: has `tiles` of them on their way, or as many as there are places. */
	GRETA_MEMBER void fill(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job, uint32_t tiles)
	{
		for (; filled < greta_min(tiles, TILES); filled++)
			copy(m, job, filled);
	}

	/* After start: the second tile's copy begins when the first tile is there. */
	GRETA_MEMBER void follow(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job)
	{
		if (!outstanding)
			return;
		greta_bulk_wait(&barriers[0], 0);
		fill(m, job, 2);
	}

	GRETA_MEMBER void copy(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job, uint32_t to)
	{
		if (!next.left)
			return;
		if (greta_lane() == 0)
			greta_bulk_copy(ring + to * PLACE, next.at, next.bytes(), &barriers[to]);
		outstanding++;
		next.advance(m, job);
	}

	GRETA_MEMBER void wait()
	{
		greta_bulk_wait(&barriers[slot], phase);
		outstanding--;
	}

	GRETA_MEMBER void step()
	{
		slot = slot + 1 == TILES ? 0 : slot + 1;
		phase ^= slot == 0;
	}

	template <class TILE>
	GRETA_MEMBER void take(const struct greta_gpu_matrices<COUNT> &, const struct greta_gpu_job &, TILE &out)
	{
		wait();
		out.template load<true>(ring + slot * PLACE, greta_lane());
	}

	/* After what was taken has been used, and so has been read by all lanes. */
	GRETA_MEMBER void refill(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job)
	{
		greta_wave_sync();
		copy(m, job, slot);
		step();
	}

	/* Waits for what was copied and not taken. */
	GRETA_MEMBER void finish()
	{
#pragma unroll 1
		while (outstanding) {
			wait();
			step();
		}
	}
};

#endif
