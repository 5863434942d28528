/* Feeding a wave with its tiles, on NVIDIA before 9.0: a ring of two tiles in shared memory, filled by asynchronous copies of
 * 16 bytes a lane. */
#ifndef GRETA_GPU_FEED_NVIDIA_80_H
#define GRETA_GPU_FEED_NVIDIA_80_H

#define GRETA_RING_TILES 2
#define GRETA_FEED_K 1 /* a run may have tiles of Q4_K and of Q6_K */

/* A wave's ring; where types differ, of the largest tiles. */
GRETA_DEVICE constexpr uint32_t greta_ring_bytes(uint32_t type)
{
	return type == GRETA_GPU_FLOAT   ? 0
	       : type == GRETA_GPU_MIXED ? GRETA_RING_TILES * greta_tile_bytes(GRETA_TYPE_Q8_0)
	       : type == GRETA_GPU_K     ? GRETA_RING_TILES * greta_tile_bytes(GRETA_TYPE_Q6_K)
	                                 : GRETA_RING_TILES * greta_tile_bytes(type);
}

template <uint32_t TYPE, int COUNT> struct greta_feed {
	static const uint32_t PLACE = greta_tile_bytes(TYPE == GRETA_GPU_K ? GRETA_TYPE_Q6_K : TYPE); /* bytes */
	struct greta_cursor<TYPE, COUNT> next; /* what is copied next */
	uint8_t *ring;
	uint32_t slot; /* of what is taken next */

	GRETA_MEMBER void start(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
	                        const struct greta_gpu_part &part)
	{
		next.start(m, job, part);
		ring = job.ring + greta_thread() / GRETA_WAVE * job.ring_bytes;
		slot = 0;
		greta_wave_sync();
		for (uint32_t i = 0; i < GRETA_RING_TILES; i++)
			copy(m, job, i);
	}

	/* A batch of copies for each tile, and an empty one where there is none, so that the last but one is the tile taken
	 * next. */
	GRETA_MEMBER void copy(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job, uint32_t to)
	{
		if (next.left) {
			for (uint32_t at = greta_lane() * 16; at < next.bytes(); at += GRETA_WAVE * 16)
				greta_copy_start(ring + to * PLACE + at, next.at + at);
			next.advance(m, job);
		}
		greta_copies_started();
	}

	GRETA_MEMBER void fill(const struct greta_gpu_matrices<COUNT> &, const struct greta_gpu_job &, uint32_t) {}

	GRETA_MEMBER void follow(const struct greta_gpu_matrices<COUNT> &, const struct greta_gpu_job &) {}

	template <class TILE>
	GRETA_MEMBER void take(const struct greta_gpu_matrices<COUNT> &, const struct greta_gpu_job &, TILE &out)
	{
		greta_copies_wait<GRETA_RING_TILES - 1>();
		greta_wave_sync();
		out.template load<true>(ring + slot * PLACE, greta_lane());
	}

	/* After what was taken has been used, and so has been read by all lanes. */
	GRETA_MEMBER void refill(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job)
	{
		greta_wave_sync();
		copy(m, job, slot);
		slot = slot + 1 == GRETA_RING_TILES ? 0 : slot + 1;
	}

	GRETA_MEMBER void finish() { greta_copies_wait<0>(); }
};

#endif
