/* Feeding a wave with its tiles, on CDNA: one tile ahead in registers. */
#ifndef GRETA_GPU_FEED_CDNA_H
#define GRETA_GPU_FEED_CDNA_H

#define GRETA_RING_TILES 1
#define GRETA_FEED_K 0

GRETA_DEVICE constexpr uint32_t greta_ring_bytes(uint32_t) { return 0; }

template <uint32_t TYPE, int COUNT> struct greta_feed {
	struct greta_cursor<TYPE, COUNT> next;
	greta_tile<TYPE> ahead;

	GRETA_MEMBER void start(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
	                        const struct greta_gpu_part &part)
	{
		next.start(m, job, part);
		load(m, job);
	}

	GRETA_MEMBER void load(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job)
	{
		if (!next.left)
			return;
		ahead.template load<false>(greta_in_memory(next.at), greta_lane());
		next.advance(m, job);
	}

	GRETA_MEMBER void follow(const struct greta_gpu_matrices<COUNT> &, const struct greta_gpu_job &) {}
	GRETA_MEMBER void fill(const struct greta_gpu_matrices<COUNT> &, const struct greta_gpu_job &, uint32_t) {}

	GRETA_MEMBER void take(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
	                       greta_tile<TYPE> &out)
	{
		out = ahead;
		load(m, job);
	}

	GRETA_MEMBER void refill(const struct greta_gpu_matrices<COUNT> &, const struct greta_gpu_job &) {}
	GRETA_MEMBER void finish() {}
};

#endif
