/* Feeding a wave with its tiles, on RDNA, whose waves of 32 would need too many registers for a tile ahead: the next
 * tile is only called into the caches, a word of each of its lines. */
#ifndef GRETA_GPU_FEED_RDNA_H
#define GRETA_GPU_FEED_RDNA_H

#define GRETA_RING_TILES 1
#define GRETA_FEED_K 0
#define GRETA_LINE_BYTES 128

GRETA_DEVICE constexpr uint32_t greta_ring_bytes(uint32_t) { return 0; }

template <uint32_t TYPE, int COUNT> struct greta_feed {
	static const uint32_t BYTES = greta_tile<TYPE>::BYTES;
	static const uint32_t CALLS = (BYTES + GRETA_WAVE * GRETA_LINE_BYTES - 1) / (GRETA_WAVE * GRETA_LINE_BYTES);
	struct greta_cursor<TYPE, COUNT> next;
	uint32_t called[CALLS];

	GRETA_MEMBER void start(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
	                        const struct greta_gpu_part &part)
	{
		next.start(m, job, part);
		call();
	}

	GRETA_MEMBER void call()
	{
		if (!next.left)
			return;
#pragma unroll
		for (uint32_t i = 0; i < CALLS; i++) {
			uint32_t at = (greta_lane() + i * GRETA_WAVE) * GRETA_LINE_BYTES;
			called[i] = *(const uint32_t *)greta_in_memory(next.at + greta_min(at, BYTES - 4));
		}
	}

	GRETA_MEMBER void follow(const struct greta_gpu_matrices<COUNT> &, const struct greta_gpu_job &) {}
	GRETA_MEMBER void fill(const struct greta_gpu_matrices<COUNT> &, const struct greta_gpu_job &, uint32_t) {}

	GRETA_MEMBER void take(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
	                       greta_tile<TYPE> &out)
	{
#pragma unroll
		for (uint32_t i = 0; i < CALLS; i++)
			greta_keep(called[i]); /* or the compiler would not load it */
		out.template load<false>(greta_in_memory(next.at), greta_lane());
		next.advance(m, job);
		call();
	}

	GRETA_MEMBER void refill(const struct greta_gpu_matrices<COUNT> &, const struct greta_gpu_job &) {}
	GRETA_MEMBER void finish() {}
};

#endif
