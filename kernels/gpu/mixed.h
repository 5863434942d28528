/* What multiply.h has for matrices of different types in one launch, and for those that are not quantised: a part of a run in
 * each matrix, with a feed of its own; and rows of numbers one by one. */
#ifndef GRETA_GPU_MIXED_H
#define GRETA_GPU_MIXED_H

GRETA_DEVICE int greta_is_float(uint32_t type)
{
	return type == GRETA_TYPE_F32 || type == GRETA_TYPE_F16 || type == GRETA_TYPE_BF16;
}

GRETA_DEVICE float greta_float_weight(uint32_t type, const uint8_t *weights, size_t i)
{
	if (type == GRETA_TYPE_F32)
		return ((const float *)weights)[i];
	uint16_t h = ((const uint16_t *)weights)[i];
	return type == GRETA_TYPE_BF16 ? greta_bf16_to_f32(h) : greta_half(h);
}

/* Values 8 l to 8 l + 7 of a block, l: the lane's index in its group of 32. */
GRETA_DEVICE void greta_eight_values(const struct greta_gpu_digits *x, int32_t out[8])
{
	uint32_t l = greta_lane() % 32, j = l / 4, low[4], high[4], value[8];
	for (uint32_t k = 0; k < 4; k++) {
		const uint32_t *at = (const uint32_t *)x->plane[k].digit[j][l % 4];
		low[k] = at[0];
		high[k] = at[1];
	}
	greta_gpu_transpose4(low, value);
	greta_gpu_transpose4(high, value + 4);
	for (int i = 0; i < 8; i++)
		out[i] = (int32_t)((value[i] ^ 0x80808080u) - 0x80808080u);
}

/* Rows of an unquantised group, one after the other by waves; groups of 32 lanes take blocks in turn. */
template <int COUNT>
GRETA_DEVICE void greta_run_floats(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
                                   uint32_t group, const struct greta_gpu_digits *x, int32_t largest)
{
	const struct greta_gpu_matrix matrix = m.at(group);
	uint32_t wave = greta_thread() / GRETA_WAVE, part = greta_lane() / 32;
	int32_t shift = 1023 - (8 * (int32_t)job.activations - 1) - greta_gpu_unit(matrix, largest, job.blocks);
	for (uint32_t i = wave; i < 16; i += greta_waves()) {
		uint32_t row = (group - matrix.before) * 16 + i;
		double acc = GRETA_ROUND_BIAS;
		if (row >= matrix.rows)
			break;
		greta_round_down_begin();
		for (uint32_t b = part; b < job.blocks; b += GRETA_WAVE / 32) {
			size_t start = ((size_t)row * job.blocks + b) * 256 + greta_lane() % 32 * 8;
			double scale = greta_double((uint64_t)(uint32_t)(shift + x[b].plane[0].exponent) << 52);
			int32_t value[8];
			greta_eight_values(&x[b], value);
			for (int k = 0; k < 8; k++)
				acc = greta_fma_down(
				    (double)greta_float_weight(matrix.type, matrix.weights, start + k) * scale,
				    (double)value[k], acc);
		}
		greta_round_down_end();
		uint64_t whole = greta_bits64(acc) - greta_bits64(GRETA_ROUND_BIAS);
		for (uint32_t mask = GRETA_WAVE / 2; mask >= 1; mask /= 2)
			whole += greta_shuffle_xor(whole, mask);
		if (greta_lane() == 0)
			job.sums[((group - job.first) * greta_waves() + wave) * 16 + i] = whole;
	}
}

template <uint32_t TYPE, int COUNT>
GRETA_DEVICE void greta_run_part(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
                                 const struct greta_gpu_digits *x, int32_t largest, const struct greta_gpu_part &part)
{
	struct greta_feed<TYPE, COUNT> feed;
	feed.start(m, job, part);
	feed.fill(m, job, GRETA_RING_TILES);
	greta_run<TYPE>(feed, m, job, x, largest, part);
	feed.finish();
}

template <uint32_t TYPE, int COUNT>
GRETA_DEVICE void greta_run_mixed(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
                                  const struct greta_gpu_digits *x, int32_t largest, struct greta_gpu_part part)
{
	if (TYPE == GRETA_GPU_MIXED)
		for (uint32_t group = job.first; group < job.last; group++)
			if (greta_is_float(m.at(group).type))
				greta_run_floats(m, job, group, x, largest);
	while (part.count) {
		const struct greta_gpu_matrix matrix = m.at(part.group);
		const struct greta_gpu_part here = greta_take_part(part, matrix, job);
		if (matrix.type == GRETA_TYPE_Q4_K)
			greta_run_part<GRETA_TYPE_Q4_K>(m, job, x, largest, here);
		else if (matrix.type == GRETA_TYPE_Q6_K)
			greta_run_part<GRETA_TYPE_Q6_K>(m, job, x, largest, here);
		else if constexpr (TYPE == GRETA_GPU_MIXED)
			switch (matrix.type) {
			case GRETA_TYPE_Q5_K: greta_run_part<GRETA_TYPE_Q5_K>(m, job, x, largest, here); break;
			case GRETA_TYPE_Q8_0: greta_run_part<GRETA_TYPE_Q8_0>(m, job, x, largest, here); break;
			case GRETA_TYPE_Q4_0: greta_run_part<GRETA_TYPE_Q4_0>(m, job, x, largest, here); break;
			default: break;
			}
	}
}

#endif
