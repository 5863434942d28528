/* product, qkv, gate_up of many tokens, whose digits are given. A block is 128 rows (of gate_up, 64 of each matrix) by
 * 32 tokens; a wave of it is two groups of 16 rows by all tokens. It goes through the columns 256 at a time,
 * digits (and on NVIDIA tiles) coming into shared memory ahead of their use (stages.h). Blocks that follow each other have
 * the same rows, so that weights are read from memory once; from the caches weights come once a block of tokens and
 * digits once a block of rows. */
#include "kernels/gpu/target.h"

#include "kernels/abi.h"
#include "kernels/numbers.h"
#include "kernels/gpu/multiply.h"
#include "kernels/gpu/panels.h"
#include "kernels/gpu/stages.h"

/* A lane's results: y[g][n][i] as in greta_panel_sums; the NaN of a vector that is not finite, whose bit n *
 * GRETA_C_DIGITS + e of `nonfinite` is set. */
struct greta_panel_result {
	float y[GRETA_PANEL_GROUPS][GRETA_PARTS][GRETA_RESULTS];
	uint32_t nonfinite;
};

GRETA_DEVICE int32_t greta_token_largest(const struct greta_panel_job &job, uint32_t token)
{
	return job.digits[(size_t)greta_min(token, job.tokens - 1) * job.blocks].plane[0].largest;
}

/* The exponent of the unit of a group's sums is this plus the vector's largest exponent. */
GRETA_DEVICE int32_t greta_panel_unit(const struct greta_gpu_matrix &m, uint32_t blocks)
{
	return greta_gpu_unit(m, 0, blocks);
}

/* The upper halves of 2^(-(8 activations - 1) - unit) as fp64, of each group and token, to shared memory; seen after a
 * barrier. */
GRETA_DEVICE void greta_panel_scales(const struct greta_panel_job &job, uint32_t high[][GRETA_PANEL_TOKENS])
{
	for (uint32_t t = greta_thread(); t < GRETA_PANEL_TOKENS; t += greta_threads())
#pragma unroll
		for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++)
			high[g][t] = (uint32_t)(1023 - (8 * (int32_t)job.activations - 1) - job.unit[g] -
			                        greta_token_largest(job, t))
			             << 20;
}

/* Sums as numbers. */
GRETA_DEVICE void greta_panel_finish(const struct greta_panel_job &job,
                                     const double acc[GRETA_PANEL_GROUPS][GRETA_PARTS][GRETA_RESULTS],
                                     struct greta_panel_result *out)
{
	int32_t largest[GRETA_PARTS][GRETA_C_DIGITS];
#pragma unroll
	for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
		for (uint32_t e = 0; e < GRETA_C_DIGITS; e++)
			largest[n][e] = greta_token_largest(job, n * GRETA_COLUMNS + greta_c_column(greta_lane(), e));
	uint32_t nonfinite = 0;
#pragma unroll
	for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
		for (uint32_t i = 0; i < GRETA_RESULTS; i++) {
			uint32_t e = i % GRETA_C_DIGITS;
			int bad = largest[n][e] == GRETA_EXPONENT_NONFINITE;
			nonfinite |= (uint32_t)bad << (n * GRETA_C_DIGITS + e);
#pragma unroll
			for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++) {
				double unit = greta_pow2(job.unit[g] + (bad ? 0 : largest[n][e]));
				out->y[g][n][i] = bad ? greta_float(GRETA_NAN_BITS)
				                      : (float)((acc[g][n][i] - GRETA_ROUND_BIAS) * unit);
			}
		}
	out->nonfinite = nonfinite;
}

/* A wave's groups, which are of one type, Q4_K, Q5_K or Q6_K. */
template <uint32_t TYPE, uint32_t PAIRS>
GRETA_OUTLINED void greta_multiply_scaled(struct greta_panel_job job, struct greta_panel_result *out)
{
	GRETA_DYNAMIC_SHARED(struct greta_gpu_digits, shared);
	struct greta_stages<2, PAIRS, greta_scaled<TYPE>::BYTES> stages;
	struct greta_panel_sums<PAIRS> sums;
	uint32_t lane = greta_lane();
	uint32_t(*high)[GRETA_PANEL_TOKENS] = greta_panel_high(shared);
	stages.begin(job, (uint8_t *)shared);
	greta_panel_scales(job, high);
	sums.clear();
#pragma unroll 1
	for (uint32_t b = 0; b < job.blocks; b++) {
		if constexpr (PAIRS == 2)
			stages.step(job, b, false,
			            [&](const uint8_t *const *tile, const struct greta_panel_digits &x) {
				            sums.template add_pair<TYPE, true, true>(tile, x, lane);
			            });
		stages.step(job, b, true, [&](const uint8_t *const *tile, const struct greta_panel_digits &x) {
			sums.template add_pair<TYPE, false, PAIRS == 1>(tile, x, lane);
			greta_round_down_begin();
			sums.template end_block<TYPE>(tile, x, high, lane);
			greta_round_down_end();
		});
	}
	greta_panel_finish(job, sums.acc, out);
}

/* The same of Q8_0 or Q4_0. */
template <uint32_t TYPE, uint32_t DIGITS>
GRETA_OUTLINED void greta_multiply_single(struct greta_panel_job job, struct greta_panel_result *out)
{
	GRETA_DYNAMIC_SHARED(struct greta_gpu_digits, shared);
	struct greta_stages<DIGITS, 1, greta_single<TYPE>::BYTES> stages;
	double acc[GRETA_PANEL_GROUPS][GRETA_PARTS][GRETA_RESULTS];
	uint32_t lane = greta_lane();
	uint32_t(*high)[GRETA_PANEL_TOKENS] = greta_panel_high(shared);
	stages.begin(job, (uint8_t *)shared);
	greta_panel_scales(job, high);
	greta_clear_panel(acc);
#pragma unroll 1
	for (uint32_t b = 0; b < job.blocks; b++)
		stages.step(job, b, true, [&](const uint8_t *const *tile, const struct greta_panel_digits &x) {
			greta_round_down_begin();
			greta_add_single<TYPE, DIGITS>(tile, x, high, lane, acc);
			greta_round_down_end();
		});
	greta_panel_finish(job, acc, out);
}

/* The groups that a wave multiplies: of one matrix, or of two with the same type. */
struct greta_panel_groups {
	const struct greta_gpu_matrix *matrix[GRETA_PANEL_GROUPS];
	uint32_t group[GRETA_PANEL_GROUPS]; /* within the matrix; may lie beyond its end */
};

/* Unquantised matrices, without matrix instructions: those of the first groups and of the last. */
GRETA_OUTLINED void greta_multiply_floats(struct greta_panel_job job, const struct greta_gpu_matrix *first,
                                          const struct greta_gpu_matrix *last, const uint32_t *group,
                                          struct greta_panel_result *out)
{
	GRETA_DYNAMIC_SHARED(struct greta_gpu_digits, shared);
	struct greta_stages<4, 1, 0> stages;
	double acc[GRETA_PANEL_GROUPS][GRETA_PARTS][GRETA_RESULTS];
	uint32_t lane = greta_lane(), row[GRETA_PANEL_GROUPS];
	struct greta_gpu_matrix m[GRETA_PANEL_GROUPS];
	uint32_t(*high)[GRETA_PANEL_TOKENS] = greta_panel_high(shared);
#pragma unroll
	for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++) {
		row[g] = group[g] * 16;
		m[g] = g + 1 < GRETA_PANEL_GROUPS ? *first : *last;
	}
	stages.begin(job, (uint8_t *)shared);
	greta_panel_scales(job, high);
	greta_clear_panel(acc);
#pragma unroll 1
	for (uint32_t b = 0; b < job.blocks; b++)
		stages.step(job, b, true, [&](const uint8_t *const *, const struct greta_panel_digits &x) {
			greta_round_down_begin();
#pragma unroll 1
			for (uint32_t k = 0; k < 256; k++)
#pragma unroll
				for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
					for (uint32_t i = 0; i < GRETA_RESULTS; i++) {
						uint32_t e = i % GRETA_C_DIGITS, bytes = 0;
						uint32_t token = n * GRETA_COLUMNS + greta_c_column(lane, e);
						const uint8_t *at = x.planes + token * GRETA_DIGIT_PLANE + k;
						for (uint32_t d = 0; d < 4; d++)
							bytes |= (uint32_t)at[d * GRETA_PANEL_TOKENS * GRETA_DIGIT_PLANE]
							         << 8 * d;
						double value = (double)(int32_t)((bytes ^ 0x80808080u) - 0x80808080u);
						uint32_t exponent =
						    *(const uint32_t *)(greta_tail<false>(x, 0, token) + 16) << 20;
#pragma unroll
						for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++) {
							uint32_t r = row[g] + greta_c_row(lane, i / GRETA_C_DIGITS);
							if (r >= m[g].rows)
								continue;
							double w = greta_float_weight(m[g].type, m[g].weights,
							                              ((size_t)r * job.blocks + b) * 256 + k);
							uint32_t scale = high[g][token] + exponent;
							acc[g][n][i] =
							    greta_fma_down(w * greta_double((uint64_t)scale << 32), value,
							                   acc[g][n][i]);
						}
					}
			greta_round_down_end();
		});
	greta_panel_finish(job, acc, out);
}

/* Groups of m that follow each other. */
GRETA_DEVICE struct greta_panel_groups greta_groups_of_one(const struct greta_gpu_matrix &m, uint32_t block)
{
	struct greta_panel_groups p;
#pragma unroll
	for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++) {
		p.matrix[g] = &m;
		p.group[g] = (block * GRETA_PANEL_WAVES + greta_thread() / GRETA_WAVE) * GRETA_PANEL_GROUPS + g;
	}
	return p;
}

/* The same group of both, if a wave has two; of m1 is what is the last. */
GRETA_DEVICE struct greta_panel_groups greta_groups_of_two(const struct greta_gpu_matrix &m0,
                                                           const struct greta_gpu_matrix &m1, uint32_t block)
{
	struct greta_panel_groups p;
#pragma unroll
	for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++) {
		p.matrix[g] = g + 1 < GRETA_PANEL_GROUPS ? &m0 : &m1;
		p.group[g] = block * GRETA_PANEL_WAVES + greta_thread() / GRETA_WAVE;
	}
	return p;
}

GRETA_DEVICE const uint8_t *greta_first_tile(const struct greta_gpu_matrix &m, uint32_t group, uint32_t blocks,
                                             uint32_t bytes)
{
	return m.weights + (size_t)greta_min(group, (m.rows + 15) / 16 - 1) * blocks * bytes;
}

template <uint32_t TYPE>
GRETA_DEVICE void greta_multiply_type(const struct greta_panel_groups &p, struct greta_panel_job job,
                                      struct greta_panel_result &out)
{
#pragma unroll
	for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++) {
		job.unit[g] = greta_panel_unit(*p.matrix[g], job.blocks);
		if constexpr (TYPE != GRETA_GPU_FLOAT)
			job.tile[g] = greta_first_tile(*p.matrix[g], p.group[g], job.blocks, greta_tile_bytes(TYPE));
	}
	if constexpr (TYPE == GRETA_GPU_FLOAT) {
		greta_multiply_floats(job, p.matrix[0], p.matrix[GRETA_PANEL_GROUPS - 1], p.group, &out);
		return;
	}
	if constexpr (TYPE == GRETA_TYPE_Q8_0 || TYPE == GRETA_TYPE_Q4_0) {
		if (job.activations <= 2)
			greta_multiply_single<TYPE, 2>(job, &out);
		else
			greta_multiply_single<TYPE, 4>(job, &out);
	} else if constexpr (TYPE != GRETA_GPU_FLOAT) {
		if (job.activations <= 2)
			greta_multiply_scaled<TYPE, 1>(job, &out);
		else
			greta_multiply_scaled<TYPE, 2>(job, &out);
	}
}

/* TYPE: the matrices' type, or GRETA_GPU_FLOAT, _MIXED, _K. */
template <uint32_t TYPE>
GRETA_DEVICE void greta_multiply_groups(const struct greta_panel_groups &p, const struct greta_panel_job &job,
                                        struct greta_panel_result &out)
{
	uint32_t type = p.matrix[0]->type;
	if constexpr (TYPE == GRETA_GPU_MIXED) {
		switch (type) {
		case GRETA_TYPE_Q4_K: greta_multiply_type<GRETA_TYPE_Q4_K>(p, job, out); break;
		case GRETA_TYPE_Q5_K: greta_multiply_type<GRETA_TYPE_Q5_K>(p, job, out); break;
		case GRETA_TYPE_Q6_K: greta_multiply_type<GRETA_TYPE_Q6_K>(p, job, out); break;
		case GRETA_TYPE_Q8_0: greta_multiply_type<GRETA_TYPE_Q8_0>(p, job, out); break;
		case GRETA_TYPE_Q4_0: greta_multiply_type<GRETA_TYPE_Q4_0>(p, job, out); break;
		default: greta_multiply_type<GRETA_GPU_FLOAT>(p, job, out); break;
		}
	} else if constexpr (TYPE == GRETA_GPU_K) {
		if (type == GRETA_TYPE_Q4_K)
			greta_multiply_type<GRETA_TYPE_Q4_K>(p, job, out);
		else
			greta_multiply_type<GRETA_TYPE_Q6_K>(p, job, out);
	} else {
		greta_multiply_type<TYPE>(p, job, out);
	}
}

/* Where this block is: blocks with the same rows follow each other. */
struct greta_panel_place {
	uint32_t block;       /* of rows */
	uint32_t first_token; /* of the program's chunk */
};

GRETA_DEVICE struct greta_panel_place greta_panel_place_of(void)
{
	uint32_t i = greta_block_y() * greta_blocks_x() + greta_block_x();
	return {i / greta_blocks_y(), i % greta_blocks_y() * GRETA_PANEL_TOKENS};
}

/* What is this block's, but for weights; 0 tokens where nothing is. */
GRETA_DEVICE struct greta_panel_job greta_panel_job_of(const struct greta_panel_place &place, const void *digits,
                                                       uint32_t cols, uint32_t activations, uint32_t tokens)
{
	struct greta_panel_job job = {};
	job.blocks = cols / 256;
	job.digits = (const struct greta_gpu_digits *)digits + (size_t)place.first_token * job.blocks;
	job.activations = activations;
	job.tokens =
	    place.first_token < tokens ? greta_min(tokens - place.first_token, GRETA_PANEL_TOKENS) : 0;
	return job;
}

/* Where a result of a lane belongs. What is loaded for it is loaded first, from a place that exists: a load between
 * stores would wait for it every time. */
struct greta_panel_spot {
	uint32_t row, token; /* of the matrix; of the program's chunk; the last that exist where this one does not */
	int exists, finite;
};

GRETA_DEVICE struct greta_panel_spot greta_panel_spot_of(uint32_t rows, uint32_t group, const struct greta_panel_place &place,
                                                         const struct greta_panel_job &job,
                                                         const struct greta_panel_result &result, uint32_t n, uint32_t i)
{
	uint32_t e = i % GRETA_C_DIGITS, row = group * 16 + greta_c_row(greta_lane(), i / GRETA_C_DIGITS);
	uint32_t here = n * GRETA_COLUMNS + greta_c_column(greta_lane(), e);
	return {greta_min(row, rows - 1), place.first_token + greta_min(here, job.tokens - 1),
	        row < rows && here < job.tokens, !(result.nonfinite >> (n * GRETA_C_DIGITS + e) & 1)};
}

template <uint32_t TYPE> GRETA_DEVICE void greta_prefill_product(const struct greta_product_args &a)
{
	struct greta_gpu_matrix m = greta_gpu_matrix_of(a.weights, a.type, a.exponent, a.rows, 0);
	struct greta_panel_place place = greta_panel_place_of();
	greta_next_may_start();
	greta_wait_for_previous();
	struct greta_panel_job job =
	    greta_panel_job_of(place, a.digits, a.cols, a.activations, greta_step_tokens(a.state, a.chunk));
	struct greta_panel_result result;
	if (!job.tokens)
		return;
	struct greta_panel_groups p = greta_groups_of_one(m, place.block);
	greta_multiply_groups<TYPE>(p, job, result);
#pragma unroll
	for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++) {
		float residual[GRETA_PARTS][GRETA_RESULTS];
		if (a.residual)
#pragma unroll
			for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
				for (uint32_t i = 0; i < GRETA_RESULTS; i++) {
					struct greta_panel_spot s =
					    greta_panel_spot_of(a.rows, p.group[g], place, job, result, n, i);
					residual[n][i] = a.residual[(size_t)s.token * a.rows + s.row];
				}
#pragma unroll
		for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
			for (uint32_t i = 0; i < GRETA_RESULTS; i++) {
				struct greta_panel_spot s =
				    greta_panel_spot_of(a.rows, p.group[g], place, job, result, n, i);
				float y = result.y[g][n][i];
				y = a.residual && s.finite ? y + residual[n][i] : y;
				if (s.exists)
					a.y[(size_t)s.token * a.rows + s.row] = y;
			}
	}
}

template <uint32_t TYPE> GRETA_DEVICE void greta_prefill_gate_up(const struct greta_gate_up_args &a)
{
	struct greta_gpu_matrix gate = greta_gpu_matrix_of(a.gate_weights, a.gate_type, a.gate_exponent, a.rows, 0);
	struct greta_gpu_matrix up = greta_gpu_matrix_of(a.up_weights, a.up_type, a.up_exponent, a.rows, 0);
	struct greta_panel_place place = greta_panel_place_of();
	greta_next_may_start();
	greta_wait_for_previous();
	struct greta_panel_job job =
	    greta_panel_job_of(place, a.digits, a.cols, a.activations, greta_step_tokens(a.state, a.chunk));
	struct greta_panel_result result;
	if (!job.tokens)
		return;
	struct greta_panel_groups p = greta_groups_of_two(gate, up, place.block);
	const bool APART = GRETA_PANEL_GROUPS == 1;
	struct greta_panel_result of_up;
	if (APART || ((TYPE == GRETA_GPU_K || TYPE == GRETA_GPU_MIXED) && a.gate_type != a.up_type)) {
		/* One after the other, each by all groups of a wave; rare where there are two. */
		greta_multiply_groups<TYPE>(greta_groups_of_two(up, up, place.block), job, of_up);
		greta_barrier();
		greta_multiply_groups<TYPE>(greta_groups_of_two(gate, gate, place.block), job, result);
#pragma unroll
		for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
			for (uint32_t i = 0; i < GRETA_RESULTS && !APART; i++)
				result.y[GRETA_PANEL_GROUPS - 1][n][i] = of_up.y[GRETA_PANEL_GROUPS - 1][n][i];
	} else {
		greta_multiply_groups<TYPE>(p, job, result);
	}
#pragma unroll
	for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
		for (uint32_t i = 0; i < GRETA_RESULTS; i++) {
			struct greta_panel_spot s = greta_panel_spot_of(a.rows, p.group[0], place, job, result, n, i);
			float up_y = APART ? of_up.y[0][n][i] : result.y[GRETA_PANEL_GROUPS - 1][n][i];
			float y = greta_siluf(result.y[0][n][i]) * up_y;
			if (s.exists)
				a.h[(size_t)s.token * a.rows + s.row] = s.finite ? y : greta_float(GRETA_NAN_BITS);
		}
}

template <uint32_t TYPE> GRETA_DEVICE void greta_prefill_qkv(const struct greta_qkv_args &a)
{
	const uint32_t ROWS = GRETA_PANEL_TILES * 16;
	struct greta_panel_place place = greta_panel_place_of();
	uint32_t q_rows = a.heads * a.head_dim, kv_rows = a.kv_heads * a.head_dim;
	uint32_t q_blocks = (q_rows + ROWS - 1) / ROWS, kv_blocks = (kv_rows + ROWS - 1) / ROWS;
	int matrix = place.block < q_blocks ? 0 : place.block < q_blocks + kv_blocks ? 1 : 2;
	uint32_t block = place.block - (matrix == 0 ? 0 : matrix == 1 ? q_blocks : q_blocks + kv_blocks);
	struct greta_gpu_matrix m = matrix == 0 ? greta_gpu_matrix_of(a.q_weights, a.q_type, a.q_exponent, q_rows, 0)
	                            : matrix == 1
	                                ? greta_gpu_matrix_of(a.k_weights, a.k_type, a.k_exponent, kv_rows, 0)
	                                : greta_gpu_matrix_of(a.v_weights, a.v_type, a.v_exponent, kv_rows, 0);
	greta_next_may_start();
	greta_wait_for_previous();
	struct greta_panel_job job =
	    greta_panel_job_of(place, a.digits, a.cols, a.activations, greta_step_tokens(a.state, a.chunk));
	struct greta_panel_result result;
	if (!job.tokens)
		return;
	struct greta_panel_groups p = greta_groups_of_one(m, block);
	greta_multiply_groups<TYPE>(p, job, result);
	uint32_t position = a.state->position;
#pragma unroll
	for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++) {
		float turned[GRETA_PARTS][GRETA_RESULTS];
#pragma unroll
		for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
			for (uint32_t i = 0; i < GRETA_RESULTS; i++) {
				struct greta_panel_spot s =
				    greta_panel_spot_of(m.rows, p.group[g], place, job, result, n, i);
				float own = result.y[g][n][i], beside = greta_row_beside(result.y[g][n], i);
				const float *rope = a.rope + (size_t)s.token * a.head_dim + (s.row & ~1u) % a.head_dim;
				float c = rope[0], sine = rope[1];
				turned[n][i] = s.row & 1 ? fmaf(beside, sine, own * c) : fmaf(own, c, -(beside * sine));
			}
#pragma unroll
		for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
			for (uint32_t i = 0; i < GRETA_RESULTS; i++) {
				struct greta_panel_spot s =
				    greta_panel_spot_of(m.rows, p.group[g], place, job, result, n, i);
				uint32_t head = s.row / a.head_dim, e = s.row % a.head_dim;
				if (!s.exists)
					continue;
				if (matrix == 0)
					a.q[(size_t)s.token * q_rows + s.row] = turned[n][i];
				else if (matrix == 1)
					greta_gpu_kv_store(a.kv_type, a.k_cache,
					                   greta_gpu_k_index(a.context, a.head_dim, head,
					                                     position + s.token, e),
					                   turned[n][i]);
				else
					greta_gpu_kv_store(a.kv_type, a.v_cache,
					                   greta_gpu_v_index(a.context, a.head_dim, head,
					                                     position + s.token, e),
					                   result.y[g][n][i]);
			}
	}
}

#define PANELS(suffix, type) \
	GRETA_GPU_KERNEL_OF(product, _prefill##suffix, GRETA_PANEL_THREADS) { greta_prefill_product<type>(a); } \
	GRETA_GPU_KERNEL_OF(gate_up, _prefill##suffix, GRETA_PANEL_THREADS) { greta_prefill_gate_up<type>(a); } \
	GRETA_GPU_KERNEL_OF(qkv, _prefill##suffix, GRETA_PANEL_THREADS) { greta_prefill_qkv<type>(a); }
PANELS(_q4_k, GRETA_TYPE_Q4_K)
PANELS(_q5_k, GRETA_TYPE_Q5_K)
PANELS(_q6_k, GRETA_TYPE_Q6_K)
PANELS(_q8_0, GRETA_TYPE_Q8_0)
PANELS(_q4_0, GRETA_TYPE_Q4_0)
PANELS(_float, GRETA_GPU_FLOAT)
#undef PANELS
GRETA_GPU_KERNEL_OF(gate_up, _prefill_k, GRETA_PANEL_THREADS) { greta_prefill_gate_up<GRETA_GPU_K>(a); }
GRETA_GPU_KERNEL_OF(qkv, _prefill_k, GRETA_PANEL_THREADS) { greta_prefill_qkv<GRETA_GPU_K>(a); }
GRETA_GPU_KERNEL_OF(gate_up, _prefill_mixed, GRETA_PANEL_THREADS) { greta_prefill_gate_up<GRETA_GPU_MIXED>(a); }
GRETA_GPU_KERNEL_OF(qkv, _prefill_mixed, GRETA_PANEL_THREADS) { greta_prefill_qkv<GRETA_GPU_MIXED>(a); }
