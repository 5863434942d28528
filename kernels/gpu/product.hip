/* product, qkv, gate_up, lm_head of one token. A block is rows_per_block rows: multiply.h says how it streams them.
 * Weights are read once; vectors and results are small. On sm_90 the quantised forms take at most 128 registers a
 * lane. */
#include "kernels/gpu/target.h"

#include "kernels/abi.h"
#include "kernels/numbers.h"
#include "kernels/gpu/multiply.h"

/* The part of `groups` groups of 16 rows that is this block's. */
GRETA_DEVICE struct greta_gpu_job greta_gpu_job_of(uint32_t groups, uint32_t rows_per_block,
                                                   const struct greta_gpu_input &input, struct greta_gpu_digits *shared)
{
	uint32_t together = rows_per_block / 16, first = greta_block_x() * together;
	return {first,
	        greta_min(first + together, groups),
	        input.cols / 256,
	        input.activations,
	        (uint64_t *)(input.digits ? shared : shared + input.cols / 256),
	        NULL,
	        NULL,
	        0};
}

template <uint32_t TYPE> GRETA_DEVICE void greta_gpu_product(const struct greta_product_args &a)
{
	GRETA_DYNAMIC_SHARED(struct greta_gpu_digits, made);
	struct greta_gpu_matrices<1> m = {
		{
			greta_gpu_matrix_of(a.weights, a.type, a.exponent, a.rows, 0)
		}
	};
	struct greta_gpu_input input = {
	    a.x, a.norm, (const struct greta_gpu_digits *)a.digits, a.cols, a.activations, a.eps, a.state, a.chunk, 0};
	struct greta_gpu_job job = greta_gpu_job_of(m.of[0].groups, a.rows_per_block, input, made);
	uint32_t first = job.first * 16, end = greta_min(job.last * 16, a.rows);
	int32_t largest;
	/* The thread's rows, one after the other; what may be known early of the first one is. */
	uint32_t i = greta_thread();
	struct greta_gpu_row row;
	const float *added = NULL;
	float residual = 0;
	auto ahead = [&] {
		row = greta_row_of<TYPE>(m.of[0], job, i);
		added = a.residual && first + i < end ? a.residual + first + i : NULL;
	};
	auto early = [&] { residual = added ? *added : 0; };
	if (!greta_multiply_rows<TYPE>(m, input, job, made, ahead, early, &largest))
		return;
	while (first + i < end) {
		float y;
		greta_row_results<1>(row, job, largest, &y);
		a.y[first + i] = a.residual && largest != GRETA_EXPONENT_NONFINITE ? y + residual : y;
		i += greta_threads();
		if (first + i < end) {
			ahead();
			early();
		}
	}
}

template <uint32_t TYPE> GRETA_DEVICE void greta_gpu_gate_up(const struct greta_gate_up_args &a)
{
	GRETA_DYNAMIC_SHARED(struct greta_gpu_digits, made);
	/* The block's groups of gate and of up stand one after the other. */
	uint32_t groups = (a.rows + 15) / 16, together = a.rows_per_block / 16, first = greta_block_x() * together;
	uint32_t here = greta_min(together, groups - first), blocks = a.cols / 256;
	size_t gate_offset = (size_t)first * blocks * greta_tile_bytes(a.gate_type);
	size_t up_offset = (size_t)first * blocks * greta_tile_bytes(a.up_type);
	if (greta_is_float(a.gate_type))
		gate_offset = (size_t)first * 16 * a.cols * (a.gate_type == GRETA_TYPE_F32 ? 4 : 2);
	if (greta_is_float(a.up_type))
		up_offset = (size_t)first * 16 * a.cols * (a.up_type == GRETA_TYPE_F32 ? 4 : 2);
	uint32_t rows = greta_min(here * 16, a.rows - first * 16);
	struct greta_gpu_matrices<2> m;
	m.of[0] =
	    greta_gpu_matrix_of((const uint8_t *)a.gate_weights + gate_offset, a.gate_type, a.gate_exponent, rows, 0);
	m.of[1] = greta_gpu_matrix_of((const uint8_t *)a.up_weights + up_offset, a.up_type, a.up_exponent, rows, here);
	struct greta_gpu_input input = {
	    NULL, a.norm, (const struct greta_gpu_digits *)a.digits, a.cols, a.activations, a.eps, a.state, a.chunk, 0};
	input.x = a.x;
	struct greta_gpu_job job = {
	    0, 2 * here, blocks, a.activations, (uint64_t *)(input.digits ? made : made + blocks), NULL, NULL, 0};
	int32_t largest;
	uint32_t i = greta_thread();
	struct greta_gpu_row gate, up;
	auto ahead = [&] {
		gate = greta_row_of<TYPE>(m.of[0], job, i);
		up = greta_row_of<TYPE>(m.of[1], job, here * 16 + i);
	};
	if (!greta_multiply_rows<TYPE>(m, input, job, made, ahead, [] {}, &largest))
		return;
	while (i < rows) {
		float y[2];
		greta_row_results<1>(gate, job, largest, &y[0]);
		greta_row_results<1>(up, job, largest, &y[1]);
		a.h[first * 16 + i] = largest == GRETA_EXPONENT_NONFINITE ? y[0] : greta_siluf(y[0]) * y[1];
		i += greta_threads();
		if (i < rows)
			ahead();
	}
}

/* The first group of block b's, where the blocks' bytes are as equal as whole groups allow. */
template <int COUNT> GRETA_DEVICE uint32_t greta_even_start(const struct greta_gpu_matrices<COUNT> &m, uint32_t b)
{
	uint32_t total = 0, groups[COUNT], bytes[COUNT], start = 0;
#pragma unroll
	for (int i = 0; i < COUNT; i++) {
		groups[i] = m.of[i].groups - m.of[i].before;
		bytes[i] = greta_tile_bytes(m.of[i].type) / 16;
		total += groups[i] * bytes[i];
	}
	uint32_t at = (uint32_t)((uint64_t)total * b / greta_blocks_x());
#pragma unroll
	for (int i = 0; i < COUNT; i++) {
		uint32_t here = greta_min(at, groups[i] * bytes[i]);
		start += (here + bytes[i] / 2) / bytes[i];
		at -= here;
	}
	return start;
}

/* Two rows, one after the other, of q, k or v: what is known of them before the run. */
struct greta_qkv_pair {
	struct greta_gpu_row row;
	uint32_t matrix;   /* 0: q, 1: k, 2: v */
	const float *rope; /* the cosine and the sine of the angle by which they are turned */
	void *to;          /* where they go; in the cache, for position 0 */
};

template <uint32_t TYPE>
GRETA_DEVICE struct greta_qkv_pair greta_qkv_pair_of(const struct greta_qkv_args &a,
                                                     const struct greta_gpu_matrices<3> &m,
                                                     const struct greta_gpu_job &job, uint32_t i)
{
	uint32_t group = job.first + i / 16;
	const struct greta_gpu_matrix of = m.at(group);
	uint32_t row = (group - of.before) * 16 + i % 16, head = row / a.head_dim, at = row % a.head_dim;
	struct greta_qkv_pair pair = {greta_row_of<TYPE>(of, job, i), 0, a.rope + at, a.q + row};
	size_t bytes = a.kv_type == GRETA_KV_F32 ? 4 : 2;
	if (group >= m.of[1].groups) {
		pair.matrix = 2;
		pair.to = (uint8_t *)a.v_cache + greta_gpu_v_index(a.context, a.head_dim, head, 0, at) * bytes;
	} else if (group >= m.of[0].groups) {
		pair.matrix = 1;
		pair.to = (uint8_t *)a.k_cache + greta_gpu_k_index(a.context, a.head_dim, head, 0, at) * bytes;
	}
	pair.matrix = greta_keep(pair.matrix);
	return pair;
}

/* Where the pair goes. An index in the cache is the sum of what the head and the element make, and what the position
 * makes. */
GRETA_DEVICE void *greta_qkv_place(const struct greta_qkv_args &a, const struct greta_qkv_pair &pair, uint32_t position)
{
	size_t at = pair.matrix == 0   ? 0
	            : pair.matrix == 1 ? greta_gpu_k_index(a.context, a.head_dim, 0, position, 0)
	                               : greta_gpu_v_index(a.context, a.head_dim, 0, position, 0);
	return (uint8_t *)pair.to + at * (a.kv_type == GRETA_KV_F32 ? 4 : 2);
}

/* Stores a pair, of q and k turned by the angle whose cosine and sine are c and s. */
GRETA_DEVICE void greta_store_qkv_pair(const struct greta_qkv_args &a, uint32_t matrix, void *to, float c, float s,
                                       const float y[2])
{
	float turned[2] = {fmaf(y[0], c, -(y[1] * s)), fmaf(y[0], s, y[1] * c)};
	if (matrix == 0) {
		((float *)to)[0] = turned[0];
		((float *)to)[1] = turned[1];
		return;
	}
	greta_gpu_kv_store(a.kv_type, to, 0, matrix == 1 ? turned[0] : y[0]);
	greta_gpu_kv_store(a.kv_type, to, matrix == 1 ? 1 : 8, matrix == 1 ? turned[1] : y[1]);
}

template <uint32_t TYPE> GRETA_DEVICE void greta_gpu_qkv(const struct greta_qkv_args &a)
{
	GRETA_DYNAMIC_SHARED(struct greta_gpu_digits, made);
	struct greta_gpu_matrices<3> m;
	m.of[0] = greta_gpu_matrix_of(a.q_weights, a.q_type, a.q_exponent, a.heads * a.head_dim, 0);
	m.of[1] = greta_gpu_matrix_of(a.k_weights, a.k_type, a.k_exponent, a.kv_heads * a.head_dim, m.of[0].groups);
	m.of[2] = greta_gpu_matrix_of(a.v_weights, a.v_type, a.v_exponent, a.kv_heads * a.head_dim, m.of[1].groups);
	struct greta_gpu_input input = {
	    a.x, a.norm, (const struct greta_gpu_digits *)a.digits, a.cols, a.activations, a.eps, a.state, a.chunk, 0};
	struct greta_gpu_job job = greta_gpu_job_of(m.of[2].groups, a.rows_per_block, input, made);
	if (TYPE == GRETA_GPU_K) {
		job.first = greta_even_start(m, greta_block_x());
		job.last = greta_even_start(m, greta_block_x() + 1);
	}
	int32_t largest;
	uint32_t i = 2 * greta_thread(), rows = (job.last - job.first) * 16, position = 0;
	struct greta_qkv_pair pair;
	float c = 1, s = 0;
	auto ahead = [&] { pair = greta_qkv_pair_of<TYPE>(a, m, job, i); };
	auto early = [&] {
		position = a.state->position;
		c = pair.rope[0];
		s = pair.rope[1];
	};
	if (!greta_multiply_rows<TYPE>(m, input, job, made, ahead, early, &largest))
		return;
	while (i < rows) {
		void *to = greta_qkv_place(a, pair, position);
		float y[2];
		greta_row_results<2>(pair.row, job, largest, y);
		greta_store_qkv_pair(a, pair.matrix, to, c, s, y);
		i += 2 * greta_threads();
		if (i < rows) {
			ahead();
			early();
		}
	}
}

/* The largest key of each 32 threads. */
GRETA_DEVICE uint64_t greta_max_key32(uint64_t key)
{
	uint32_t high = greta_max32((uint32_t)(key >> 32));
	uint32_t low = greta_max32((uint32_t)(key >> 32) == high ? (uint32_t)key : 0);
	return (uint64_t)high << 32 | low;
}

template <uint32_t TYPE> GRETA_DEVICE void greta_gpu_lm_head(const struct greta_lm_head_args &a)
{
	GRETA_DYNAMIC_SHARED(struct greta_gpu_digits, made);
	GRETA_SHARED uint64_t best[32];
	struct greta_gpu_matrices<1> m = {
		{
			greta_gpu_matrix_of(a.weights, a.type, a.exponent, a.rows, 0)
		}
	};
	struct greta_gpu_input input = {a.x, a.norm, NULL, a.cols, a.activations, a.eps, a.state, a.chunk, 1};
	struct greta_gpu_job job = greta_gpu_job_of(m.of[0].groups, a.rows_per_block, input, made);
	uint32_t i = greta_thread(), first = job.first * 16, end = greta_min(job.last * 16, a.rows);
	int32_t largest;
	struct greta_gpu_row row;
	auto ahead = [&] { row = greta_row_of<TYPE>(m.of[0], job, i); };
	if (!greta_multiply_rows<TYPE>(m, input, job, made, ahead, [] {}, &largest))
		return;
	uint64_t mine = 0;
	while (first + i < end) {
		float y;
		greta_row_results<1>(row, job, largest, &y);
		uint64_t key = greta_logit_key(greta_bits32(y), first + i);
		a.logits[first + i] = y;
		mine = key > mine ? key : mine;
		i += greta_threads();
		if (first + i < end)
			ahead();
	}
	if (!a.best)
		return;
	uint32_t lane = greta_thread() % 32, groups = greta_threads() / 32;
	mine = greta_max_key32(mine);
	if (lane == 0)
		best[greta_thread() / 32] = mine;
	greta_barrier();
	if (greta_thread() >= GRETA_WAVE)
		return;
	mine = greta_max_key32(lane < groups ? best[lane] : 0);
	if (greta_thread() == 0)
		a.best[greta_block_x()] = mine;
}

#define PRODUCTS(suffix, type) \
	GRETA_GPU_KERNEL_OF(product, suffix, 512) { greta_gpu_product<type>(a); } \
	GRETA_GPU_KERNEL_OF(gate_up, suffix, 512) { greta_gpu_gate_up<type>(a); } \
	GRETA_GPU_KERNEL_OF(qkv, suffix, 512) { greta_gpu_qkv<type>(a); } \
	GRETA_GPU_KERNEL_OF(lm_head, suffix, 512) { greta_gpu_lm_head<type>(a); }
PRODUCTS(_q4_k, GRETA_TYPE_Q4_K)
PRODUCTS(_q5_k, GRETA_TYPE_Q5_K)
PRODUCTS(_q6_k, GRETA_TYPE_Q6_K)
PRODUCTS(_q8_0, GRETA_TYPE_Q8_0)
PRODUCTS(_q4_0, GRETA_TYPE_Q4_0)
PRODUCTS(_float, GRETA_GPU_FLOAT)
#undef PRODUCTS
GRETA_GPU_KERNEL_OF(gate_up, _k, 512) { greta_gpu_gate_up<GRETA_GPU_K>(a); }
GRETA_GPU_KERNEL_OF(qkv, _k, 512) { greta_gpu_qkv<GRETA_GPU_K>(a); }
GRETA_GPU_KERNEL_OF(gate_up, _mixed, 512) { greta_gpu_gate_up<GRETA_GPU_MIXED>(a); }
GRETA_GPU_KERNEL_OF(qkv, _mixed, 512) { greta_gpu_qkv<GRETA_GPU_MIXED>(a); }
