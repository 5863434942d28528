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
	uint32_t barriers;    /* shared address of one a tile */
	uint32_t slot, phase; /* of what is taken next */
	uint32_t outstanding, filled; /* tiles that were copied and not taken; that were copied before the first was taken */

	GRETA_MEMBER void start(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
	                        const struct greta_gpu_part &part)
	{
		uint32_t wave = greta_thread() / GRETA_WAVE;
		next.start(m, job, part);
		ring = job.ring + wave * job.ring_bytes;
		barriers = greta_shared_address(job.barriers + wave * GRETA_RING_TILES);
		slot = phase = outstanding = 0;
		__syncwarp();
		if (greta_lane() == 0)
			for (uint32_t i = 0; i < TILES; i++)
				asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(barriers + 8 * i)
				             : "memory");
		asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
		__syncwarp();
		filled = 0;
		fill(m, job, 1);
	}

	/* Before the first tile is taken: has `tiles` of them on their way, or as many as there are places. */
	GRETA_MEMBER void fill(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job, uint32_t tiles)
	{
		for (; filled < greta_min(tiles, TILES); filled++)
			copy(m, job, filled);
	}

	GRETA_MEMBER void copy(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job, uint32_t to)
	{
		if (!next.left)
			return;
		if (greta_lane() == 0) {
			asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barriers + 8 * to),
			             "r"(next.bytes())
			             : "memory");
			asm volatile(
			    "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::
				"r"(greta_shared_address(ring) + to * PLACE),
			    "l"(next.at), "r"(next.bytes()), "r"(barriers + 8 * to)
			    : "memory");
		}
		outstanding++;
		next.advance(m, job);
	}

	GRETA_MEMBER void wait()
	{
		uint32_t done;
#pragma unroll 1
		do
			asm volatile("{\n\t.reg .pred p;\n\tmbarrier.try_wait.parity.shared::cta.b64 p, [%1], "
			             "%2;\n\tselp.u32 %0, 1, 0, p;\n\t}"
			             : "=r"(done)
			             : "r"(barriers + 8 * slot), "r"(phase)
			             : "memory");
		while (!done);
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
		__syncwarp();
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
