/* product, qkv, gate_up of many tokens, whose digits are given. A block is 64 rows by 32 tokens: four waves of 16
 * rows. It goes through the columns 256 at a time: the tokens' digits come into shared memory (36 KB), each wave
 * holds its tile of weights in registers. Weights are read once for every 32 tokens, digits once for every 64 rows. */
#include "kernels/gpu/target.h"

#include "kernels/abi.h"
#include "kernels/numbers.h"
#include "kernels/gpu/multiply.h"
#include "kernels/gpu/panels.h"

#define GRETA_PANEL_ROWS 64

/* One wave's results: y[n][i] as in greta_panel. */
struct greta_panel_result {
	float y[GRETA_PARTS][4];
};

struct greta_panel_job {
	const struct greta_gpu_digits *digits; /* of the block's first token */
	uint32_t blocks, activations;
	uint32_t tokens; /* of the block, at most GRETA_TOKENS */
};

/* Brings block b of the tokens' digits into shared memory, between barriers. */
GRETA_DEVICE void greta_fetch_tokens(const struct greta_panel_job &job, uint32_t b, struct greta_gpu_digits *shared)
{
	const uint32_t VECTORS = sizeof(struct greta_gpu_digits) / 16;
	greta_barrier();
	for (uint32_t i = greta_thread(); i < job.tokens * VECTORS; i += greta_threads()) {
		struct greta_vector4 v = greta_load4(
		    (const uint8_t *)&job.digits[(size_t)(i / VECTORS) * job.blocks + b] + i % VECTORS * 16);
		memcpy(__builtin_assume_aligned((uint8_t *)&shared[i / VECTORS] + i % VECTORS * 16, 16), &v, 16);
	}
	greta_barrier();
}

GRETA_DEVICE int32_t greta_token_largest(const struct greta_panel_job &job, uint32_t token)
{
	return job.digits[(size_t)greta_min(token, job.tokens - 1) * job.blocks].plane[0].largest;
}

/* The group of this wave (`group` within the matrix; beyond its end a wave only helps to fetch). */
template <uint32_t TYPE, uint32_t DIGITS>
GRETA_DEVICE void greta_multiply_panel(const struct greta_gpu_matrix &m, uint32_t group,
                                       const struct greta_panel_job &job, struct greta_gpu_digits *shared,
                                       struct greta_panel_result &out)
{
	uint32_t lane = greta_lane(), high[GRETA_PARTS][GRETA_C_DIGITS];
	int inside = group < (m.rows + 15) / 16;
	double acc[GRETA_PARTS][4];
	int32_t unit[GRETA_PARTS][GRETA_C_DIGITS];
	for (uint32_t n = 0; n < GRETA_PARTS; n++)
		for (uint32_t i = 0; i < 4; i++) {
			uint32_t e = i % GRETA_C_DIGITS;
			unit[n][e] = greta_gpu_unit(
			    m, greta_token_largest(job, n * GRETA_COLUMNS + greta_c_column(lane, e)), job.blocks);
			high[n][e] = (uint32_t)(1023 - (8 * (int32_t)job.activations - 1) - unit[n][e]) << 20;
			acc[n][i] = GRETA_ROUND_BIAS;
		}
	const uint8_t *at = m.weights + (size_t)group * job.blocks * greta_tile<TYPE>::BYTES;
	for (uint32_t b = 0; b < job.blocks; b++, at += greta_tile<TYPE>::BYTES) {
		struct greta_panel<TYPE> panel;
		if (inside)
			panel.load(at, lane);
		greta_fetch_tokens(job, b, shared);
		if (inside) {
			greta_round_down_begin();
			panel.template add<DIGITS>(shared, high, lane, acc);
			greta_round_down_end();
		}
	}
	for (uint32_t n = 0; n < GRETA_PARTS; n++)
		for (uint32_t i = 0; i < 4; i++)
			out.y[n][i] = (float)((acc[n][i] - GRETA_ROUND_BIAS) * greta_pow2(unit[n][i % GRETA_C_DIGITS]));
}

/* The same for unquantised matrices, without matrix instructions. */
GRETA_DEVICE void greta_multiply_float_panel(const struct greta_gpu_matrix &m, uint32_t group,
                                             const struct greta_panel_job &job, struct greta_gpu_digits *shared,
                                             struct greta_panel_result &out)
{
	uint32_t lane = greta_lane();
	double acc[GRETA_PARTS][4];
	int32_t unit[GRETA_PARTS][4];
	for (uint32_t n = 0; n < GRETA_PARTS; n++)
		for (uint32_t i = 0; i < 4; i++) {
			uint32_t token = n * GRETA_COLUMNS + greta_c_column(lane, i % GRETA_C_DIGITS);
			unit[n][i] = greta_gpu_unit(m, greta_token_largest(job, token), job.blocks);
			acc[n][i] = GRETA_ROUND_BIAS;
		}
	for (uint32_t b = 0; b < job.blocks; b++) {
		greta_fetch_tokens(job, b, shared);
		greta_round_down_begin();
		for (uint32_t k = 0; k < 256; k++)
			for (uint32_t n = 0; n < GRETA_PARTS; n++)
				for (uint32_t i = 0; i < 4; i++) {
					const struct greta_gpu_digits *x =
					    &shared[n * GRETA_COLUMNS + greta_c_column(lane, i % GRETA_C_DIGITS)];
					uint32_t row = group * 16 + greta_c_row(lane, i / GRETA_C_DIGITS), bytes = 0;
					int32_t shift = 1023 + x->plane[0].exponent -
					                (8 * (int32_t)job.activations - 1) - unit[n][i];
					if (row >= m.rows)
						continue;
					for (uint32_t d = 0; d < 4; d++)
						bytes |= (uint32_t)x->plane[d].digit[k / 32][k / 8 % 4][k % 8] << 8 * d;
					double w = greta_float_weight(m.type, m.weights,
					                              ((size_t)row * job.blocks + b) * 256 + k);
					acc[n][i] = greta_fma_down(
					    w * greta_double((uint64_t)(uint32_t)shift << 52),
					    (double)(int32_t)((bytes ^ 0x80808080u) - 0x80808080u), acc[n][i]);
				}
		greta_round_down_end();
	}
	for (uint32_t n = 0; n < GRETA_PARTS; n++)
		for (uint32_t i = 0; i < 4; i++)
			out.y[n][i] = (float)((acc[n][i] - GRETA_ROUND_BIAS) * greta_pow2(unit[n][i]));
}

/* TYPE: the matrix's type, or GRETA_GPU_FLOAT, _MIXED, _K. */
template <uint32_t TYPE>
GRETA_DEVICE void greta_multiply_panel_of(const struct greta_gpu_matrix &m, uint32_t group,
                                          const struct greta_panel_job &job, struct greta_gpu_digits *shared,
                                          struct greta_panel_result &out)
{
	if constexpr (TYPE == GRETA_GPU_FLOAT) {
		greta_multiply_float_panel(m, group, job, shared, out);
	} else if constexpr (TYPE == GRETA_GPU_MIXED) {
		switch (m.type) {
		case GRETA_TYPE_Q4_K: greta_multiply_panel<GRETA_TYPE_Q4_K, 4>(m, group, job, shared, out); break;
		case GRETA_TYPE_Q5_K: greta_multiply_panel<GRETA_TYPE_Q5_K, 4>(m, group, job, shared, out); break;
		case GRETA_TYPE_Q6_K: greta_multiply_panel<GRETA_TYPE_Q6_K, 4>(m, group, job, shared, out); break;
		case GRETA_TYPE_Q8_0: greta_multiply_panel<GRETA_TYPE_Q8_0, 4>(m, group, job, shared, out); break;
		case GRETA_TYPE_Q4_0: greta_multiply_panel<GRETA_TYPE_Q4_0, 4>(m, group, job, shared, out); break;
		default: greta_multiply_float_panel(m, group, job, shared, out); break;
		}
	} else if constexpr (TYPE == GRETA_GPU_K) {
		if (m.type == GRETA_TYPE_Q4_K)
			greta_multiply_panel_of<GRETA_TYPE_Q4_K>(m, group, job, shared, out);
		else
			greta_multiply_panel_of<GRETA_TYPE_Q6_K>(m, group, job, shared, out);
	} else if (job.activations <= 2) {
		greta_multiply_panel<TYPE, 2>(m, group, job, shared, out);
	} else {
		greta_multiply_panel<TYPE, 4>(m, group, job, shared, out);
	}
}

/* What is this block's of `tokens` tokens; 0 tokens where nothing is. */
GRETA_DEVICE struct greta_panel_job greta_panel_job_of(const void *digits, uint32_t cols, uint32_t activations,
                                                       uint32_t tokens)
{
	uint32_t first = greta_block_y() * GRETA_TOKENS, blocks = cols / 256;
	return {(const struct greta_gpu_digits *)digits + (size_t)first * blocks, blocks, activations,
	        first < tokens ? greta_min(tokens - first, GRETA_TOKENS) : 0};
}

/* Calls store(n, i, row in the matrix, token in the program's chunk, whether there is such a place, whether the
 * vector is finite) for each of a lane's results; all lanes do the same calls. */
template <class STORE>
GRETA_DEVICE void greta_each_result(const struct greta_gpu_matrix &m, uint32_t group, const struct greta_panel_job &job,
                                    STORE store)
{
#pragma unroll
	for (uint32_t n = 0; n < GRETA_PARTS; n++)
#pragma unroll
		for (uint32_t i = 0; i < 4; i++) {
			uint32_t row = group * 16 + greta_c_row(greta_lane(), i / GRETA_C_DIGITS);
			uint32_t here = n * GRETA_COLUMNS + greta_c_column(greta_lane(), i % GRETA_C_DIGITS);
			store(n, i, row, greta_block_y() * GRETA_TOKENS + here, row < m.rows && here < job.tokens,
			      greta_token_largest(job, here) != GRETA_EXPONENT_NONFINITE);
		}
}

template <uint32_t TYPE> GRETA_DEVICE void greta_prefill_product(const struct greta_product_args &a)
{
	GRETA_DYNAMIC_SHARED(struct greta_gpu_digits, shared);
	struct greta_gpu_matrix m = greta_gpu_matrix_of(a.weights, a.type, a.exponent, a.rows, 0);
	uint32_t group = greta_block_x() * 4 + greta_thread() / GRETA_WAVE;
	greta_next_may_start();
	greta_wait_for_previous();
	struct greta_panel_job job =
	    greta_panel_job_of(a.digits, a.cols, a.activations, greta_step_tokens(a.state, a.chunk));
	struct greta_panel_result result;
	if (!job.tokens)
		return;
	greta_multiply_panel_of<TYPE>(m, group, job, shared, result);
	greta_each_result(m, group, job, [&](uint32_t n, uint32_t i, uint32_t row, uint32_t t, int stored, int finite) {
		float y = finite ? result.y[n][i] : greta_float(GRETA_NAN_BITS);
		if (stored)
			a.y[(size_t)t * a.rows + row] =
			    a.residual && finite ? y + a.residual[(size_t)t * a.rows + row] : y;
	});
}

template <uint32_t TYPE> GRETA_DEVICE void greta_prefill_gate_up(const struct greta_gate_up_args &a)
{
	GRETA_DYNAMIC_SHARED(struct greta_gpu_digits, shared);
	struct greta_gpu_matrix gate_matrix =
	    greta_gpu_matrix_of(a.gate_weights, a.gate_type, a.gate_exponent, a.rows, 0);
	struct greta_gpu_matrix up_matrix = greta_gpu_matrix_of(a.up_weights, a.up_type, a.up_exponent, a.rows, 0);
	uint32_t group = greta_block_x() * 4 + greta_thread() / GRETA_WAVE;
	greta_next_may_start();
	greta_wait_for_previous();
	struct greta_panel_job job =
	    greta_panel_job_of(a.digits, a.cols, a.activations, greta_step_tokens(a.state, a.chunk));
	struct greta_panel_result gate, up;
	if (!job.tokens)
		return;
	greta_multiply_panel_of<TYPE>(gate_matrix, group, job, shared, gate);
	greta_multiply_panel_of<TYPE>(up_matrix, group, job, shared, up);
	greta_each_result(
	    gate_matrix, group, job, [&](uint32_t n, uint32_t i, uint32_t row, uint32_t t, int stored, int finite) {
		    float y = finite ? greta_siluf(gate.y[n][i]) * up.y[n][i] : greta_float(GRETA_NAN_BITS);
		    if (stored)
			    a.h[(size_t)t * a.rows + row] = y;
	    });
}

template <uint32_t TYPE> GRETA_DEVICE void greta_prefill_qkv(const struct greta_qkv_args &a)
{
	GRETA_DYNAMIC_SHARED(struct greta_gpu_digits, shared);
	uint32_t q_rows = a.heads * a.head_dim, kv_rows = a.kv_heads * a.head_dim, block = greta_block_x();
	uint32_t q_blocks = (q_rows + GRETA_PANEL_ROWS - 1) / GRETA_PANEL_ROWS,
		 kv_blocks = (kv_rows + GRETA_PANEL_ROWS - 1) / GRETA_PANEL_ROWS;
	int matrix = block < q_blocks ? 0 : block < q_blocks + kv_blocks ? 1 : 2;
	block -= matrix == 0 ? 0 : matrix == 1 ? q_blocks : q_blocks + kv_blocks;
	struct greta_gpu_matrix m = matrix == 0 ? greta_gpu_matrix_of(a.q_weights, a.q_type, a.q_exponent, q_rows, 0)
	                            : matrix == 1
	                                ? greta_gpu_matrix_of(a.k_weights, a.k_type, a.k_exponent, kv_rows, 0)
	                                : greta_gpu_matrix_of(a.v_weights, a.v_type, a.v_exponent, kv_rows, 0);
	uint32_t group = block * 4 + greta_thread() / GRETA_WAVE;
	greta_next_may_start();
	greta_wait_for_previous();
	struct greta_panel_job job =
	    greta_panel_job_of(a.digits, a.cols, a.activations, greta_step_tokens(a.state, a.chunk));
	struct greta_panel_result result;
	if (!job.tokens)
		return;
	greta_multiply_panel_of<TYPE>(m, group, job, shared, result);
	for (uint32_t n = 0; n < GRETA_PARTS; n++)
		for (uint32_t i = 0; i < 4; i++)
			if (greta_token_largest(job,
			                        n * GRETA_COLUMNS + greta_c_column(greta_lane(), i % GRETA_C_DIGITS)) ==
			    GRETA_EXPONENT_NONFINITE)
				result.y[n][i] = greta_float(GRETA_NAN_BITS);
	greta_each_result(m, group, job, [&](uint32_t n, uint32_t i, uint32_t row, uint32_t t, int stored, int finite) {
		float own = result.y[n][i], beside = greta_row_beside(result.y[n], i), y = own;
		(void)finite;
		if (!stored)
			return;
		if (matrix < 2) {
			const float *rope = a.rope + (size_t)t * a.head_dim + (row & ~1u) % a.head_dim;
			float c = rope[0], s = rope[1];
			y = row & 1 ? fmaf(beside, s, own * c) : fmaf(own, c, -(beside * s));
		}
		if (matrix == 0) {
			a.q[(size_t)t * q_rows + row] = y;
			return;
		}
		uint32_t position = a.state->position + t, head = row / a.head_dim, e = row % a.head_dim;
		greta_gpu_kv_store(a.kv_type, matrix == 1 ? a.k_cache : a.v_cache,
		                   matrix == 1 ? greta_gpu_k_index(a.context, a.head_dim, head, position, e)
		                               : greta_gpu_v_index(a.context, a.head_dim, head, position, e),
		                   y);
	});
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
