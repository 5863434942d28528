/* One vector times rows of up to three matrices: what product, qkv, gate_up and lm_head of a decode step share.
 *
 * A block has some groups of 16 rows ("groups"), each cols / 256 tiles long. Its tiles, in the order of memory, are
 * dealt to its waves in equal runs. A wave streams its run, some tiles ahead (feed_*.h), the first of them while the
 * digits are being made: few at a time, because copies that wait for memory are in the way of the input. It leaves each
 * row's part of the sum in shared memory: integers, so that their order does not matter.
 *
 * Dynamic shared memory: cols / 256 blocks of digits unless they are given, then a u64 for each wave, group and row,
 * then what feed_*.h says for each wave. */
#ifndef GRETA_GPU_MULTIPLY_H
#define GRETA_GPU_MULTIPLY_H

#include "kernels/gpu/digits.h"
#include "kernels/gpu/tiles.h"

#define GRETA_GPU_FLOAT 256 /* in place of a type: F32, F16 or BF16 */
#define GRETA_GPU_MIXED 257 /* any, each matrix its own */
#define GRETA_GPU_K 258     /* Q4_K or Q6_K, each matrix its own */

/* A matrix, or one of several that stand one after the other. Groups count from the first one's start. */
struct greta_gpu_matrix {
	const uint8_t *weights;
	uint32_t type;
	int32_t exponent;
	uint32_t groups; /* of this matrix and all before it */
	uint32_t before; /* of those before it */
	uint32_t rows;
};

template <class T> GRETA_DEVICE T greta_either(int first, T a, T b)
{
	return first ? a : b;
}

template <int COUNT> struct greta_gpu_matrices {
	struct greta_gpu_matrix of[COUNT];

	/* By value and by choice: an array that is indexed would lie in scratch. */
	GRETA_MEMBER struct greta_gpu_matrix at(uint32_t group) const
	{
		struct greta_gpu_matrix found = of[COUNT - 1];
#pragma unroll
		for (int m = COUNT - 2; m >= 0; m--) {
			int here = group < of[m].groups;
			found.weights = greta_either(here, of[m].weights, found.weights);
			found.type = greta_either(here, of[m].type, found.type);
			found.exponent = greta_either(here, of[m].exponent, found.exponent);
			found.groups = greta_either(here, of[m].groups, found.groups);
			found.before = greta_either(here, of[m].before, found.before);
			found.rows = greta_either(here, of[m].rows, found.rows);
		}
		return found;
	}
};

GRETA_DEVICE struct greta_gpu_matrix greta_gpu_matrix_of(const void *weights, uint32_t type, int32_t exponent,
                                                         uint32_t rows, uint32_t before)
{
	return {(const uint8_t *)weights, type, exponent, before + (rows + 15) / 16, before, rows};
}

/* What a block multiplies. */
struct greta_gpu_job {
	uint32_t first, last; /* groups */
	uint32_t blocks;      /* cols / 256 */
	uint32_t activations;
	uint64_t *sums;     /* shared memory [last - first][waves][16] */
	uint8_t *ring;      /* shared memory, ring_bytes a wave */
	uint64_t *barriers; /* shared memory, GRETA_RING_TILES a wave */
	uint32_t ring_bytes;
};

GRETA_DEVICE constexpr uint32_t greta_waves(void) { return GRETA_PRODUCT_THREADS / GRETA_WAVE; }

/* A wave's run of tiles: `count` from tile b of a group on. */
struct greta_gpu_part {
	uint32_t group, b, count;
};

GRETA_DEVICE struct greta_gpu_part greta_part_of(const struct greta_gpu_job &job, uint32_t wave)
{
	uint32_t tiles = (job.last - job.first) * job.blocks;
	uint32_t from = tiles * wave / greta_waves(), to = tiles * (wave + 1) / greta_waves();
	return {job.first + from / job.blocks, from % job.blocks, to - from};
}

/* Takes what of `part` is in the matrix where it begins. */
GRETA_DEVICE struct greta_gpu_part greta_take_part(struct greta_gpu_part &part, const struct greta_gpu_matrix &matrix,
                                                   const struct greta_gpu_job &job)
{
	uint32_t here = (matrix.groups - part.group) * job.blocks - part.b;
	struct greta_gpu_part taken = {part.group, part.b, greta_min(part.count, here)};
	part = {matrix.groups, 0, part.count - taken.count};
	return taken;
}

/* The wave in whose run a tile is. */
GRETA_DEVICE uint32_t greta_wave_of(const struct greta_gpu_job &job, uint32_t tile)
{
	return ((tile + 1) * greta_waves() - 1) / ((job.last - job.first) * job.blocks);
}

GRETA_DEVICE void greta_clear_sums(const struct greta_gpu_job &job)
{
	for (uint32_t i = greta_thread(); i < (job.last - job.first) * greta_waves() * 16; i += greta_threads())
		job.sums[i] = 0;
}

GRETA_DEVICE int32_t greta_type_bits_of(uint32_t type)
{
	return type == GRETA_TYPE_Q4_0   ? 11
	       : type == GRETA_TYPE_Q8_0 ? 15
	       : type == GRETA_TYPE_Q4_K ? 18
	       : type == GRETA_TYPE_Q5_K ? 19
	       : type == GRETA_TYPE_Q6_K ? 20
	                                 : 8;
}

GRETA_DEVICE int32_t greta_gpu_unit(const struct greta_gpu_matrix &m, int32_t largest, uint32_t blocks)
{
	return greta_product_unit(m.exponent, greta_type_bits_of(m.type), largest, blocks);
}

GRETA_DEVICE constexpr uint32_t greta_tile_bytes(uint32_t type)
{
	return type == GRETA_TYPE_Q4_0 || type == GRETA_TYPE_Q4_K ? 2304
	       : type == GRETA_TYPE_Q5_K                          ? 2816
	       : type == GRETA_TYPE_Q6_K                          ? 3360
	       : type == GRETA_TYPE_Q8_0                          ? 4352
	                                                          : 0;
}

/* Where a wave stands in its run. TYPE: of the tiles, or GRETA_GPU_K. */
template <uint32_t TYPE, int COUNT> struct greta_cursor {
	uint32_t group, b;
	uint32_t left; /* tiles from here on */
	const uint8_t *at;
	uint32_t k_bytes; /* of a tile, where TYPE does not say */

	GRETA_MEMBER void start(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
	                        const struct greta_gpu_part &part)
	{
		left = part.count;
		group = part.group;
		b = part.b;
		if (left)
			place(m, job);
	}

	GRETA_MEMBER uint32_t bytes() const { return TYPE == GRETA_GPU_K ? k_bytes : greta_tile_bytes(TYPE); }

	GRETA_MEMBER void place(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job)
	{
		const struct greta_gpu_matrix matrix = m.at(group);
		if (TYPE == GRETA_GPU_K)
			k_bytes = greta_tile_bytes(matrix.type == GRETA_TYPE_Q6_K ? GRETA_TYPE_Q6_K : GRETA_TYPE_Q4_K);
		at = matrix.weights + ((size_t)(group - matrix.before) * job.blocks + b) * bytes();
	}

	GRETA_MEMBER void advance(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job)
	{
		left--;
		at += bytes();
		if (++b < job.blocks)
			return;
		b = 0;
		group++;
		if (COUNT > 1 && left)
			place(m, job);
	}
};

#ifdef __HIP__
#if GRETA_WAVE == 64
#include "kernels/gpu/feed_cdna.h"
#else
#include "kernels/gpu/feed_rdna.h"
#endif
#elif __CUDA_ARCH__ >= 900
#include "kernels/gpu/feed_nvidia.h"
#else
#include "kernels/gpu/feed_nvidia_80.h"
#endif

/* A wave's sum over tiles of one group. */
struct greta_sum {
	uint32_t group, b;
	uint32_t high; /* what a lane's factors have in the upper half of their fp64 but for the block's exponent */
	double acc;
};

template <uint32_t TYPE, int COUNT>
GRETA_DEVICE void greta_sum_start(struct greta_sum &sum, const struct greta_gpu_matrices<COUNT> &m,
                                  const struct greta_gpu_job &job, int32_t largest)
{
	int32_t shift = -(8 * (int32_t)job.activations - 1) - greta_gpu_unit(m.at(sum.group), largest, job.blocks);
	sum.acc = GRETA_ROUND_BIAS;
	sum.high = greta_tile<TYPE>::factor(greta_lane()) + ((uint32_t)shift << 20);
}

template <uint32_t TYPE> GRETA_DEVICE void greta_sum_store(const struct greta_sum &sum, const struct greta_gpu_job &job)
{
	uint32_t lane = greta_lane(), wave = greta_thread() / GRETA_WAVE;
	uint64_t whole = greta_tile<TYPE>::sum(greta_bits64(sum.acc) - greta_bits64(GRETA_ROUND_BIAS));
	if (greta_tile<TYPE>::stores(lane))
		job.sums[((sum.group - job.first) * greta_waves() + wave) * 16 + greta_tile<TYPE>::row(lane)] = whole;
}

/* Adds a tile; at the end of a group, or of the tiles, stores the sum and goes on to the next. */
template <uint32_t TYPE, int COUNT>
GRETA_DEVICE void greta_sum_add(struct greta_sum &sum, const greta_tile<TYPE> &tile,
                                const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
                                const struct greta_operand &operand, const struct greta_gpu_digits *x, int32_t largest,
                                int is_last)
{
	sum.acc = tile.add(operand, &x[sum.b], sum.high, greta_lane(), sum.acc);
	int ends = ++sum.b == job.blocks;
	if (!ends && !is_last)
		return;
	greta_sum_store<TYPE>(sum, job);
	if (is_last)
		return;
	sum.b = 0;
	sum.group++;
	greta_sum_start<TYPE>(sum, m, job, largest);
}

/* A part whose tiles are all of TYPE, which are the next that `feed` has. */
template <uint32_t TYPE, class FEED, int COUNT>
GRETA_DEVICE void greta_run(FEED &feed, const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
                            const struct greta_gpu_digits *x, int32_t largest, const struct greta_gpu_part &part)
{
	struct greta_sum sum;
	struct greta_operand operand = greta_operand_of(greta_lane());
	sum.group = part.group;
	sum.b = part.b;
	if (!part.count)
		return;
	greta_sum_start<TYPE>(sum, m, job, largest);
	greta_round_down_begin();
#pragma unroll 1
	for (uint32_t n = part.count; n > 0; n--) {
		greta_tile<TYPE> tile;
		feed.take(m, job, tile);
		greta_sum_add<TYPE>(sum, tile, m, job, operand, x, largest, n == 1);
		feed.refill(m, job);
	}
	greta_round_down_end();
}

/* What is known of a row's result before its sum is there. */
struct greta_gpu_row {
	uint32_t at;    /* in the job's sums, of the first wave that has a part of it; the next wave's is 16 further */
	uint32_t parts; /* waves */
	int32_t unit;   /* but for the vector's largest exponent */
};

/* Row i of the block's rows. What this takes (divisions) is not put off until the sum is there. */
template <uint32_t TYPE>
GRETA_DEVICE struct greta_gpu_row greta_row_of(const struct greta_gpu_matrix &m, const struct greta_gpu_job &job,
                                               uint32_t i)
{
	uint32_t first = i / 16 * greta_waves(), parts = greta_waves();
	int32_t unit = greta_gpu_unit(m, 0, job.blocks);
	/* Unquantised rows are not dealt in runs. */
	if (TYPE == GRETA_GPU_FLOAT || TYPE == GRETA_GPU_MIXED)
		return {first * 16 + i % 16, parts, unit};
	uint32_t tile = i / 16 * job.blocks, wave = greta_wave_of(job, tile);
	parts = greta_wave_of(job, tile + job.blocks - 1) + 1 - wave;
	return {greta_keep((first + wave) * 16 + i % 16), greta_keep(parts), (int32_t)greta_keep((uint32_t)unit)};
}

/* The results of the row and of those that follow it, ROWS in all (1, or 2 from an even one on), after a barrier. */
template <uint32_t ROWS>
GRETA_DEVICE void greta_row_results(const struct greta_gpu_row &row, const struct greta_gpu_job &job, int32_t largest,
                                    float y[ROWS])
{
	uint64_t sum[ROWS]; /* as an fp64 with a bias: it is below 2^51 in magnitude */
	for (uint32_t r = 0; r < ROWS; r++)
		sum[r] = greta_bits64(GRETA_ROUND_BIAS);
	for (uint32_t first = 0; first < row.parts; first += 4)
#pragma unroll
		for (uint32_t k = 0; k < 4; k++) {
			uint64_t part[ROWS];
			const uint64_t *at = job.sums + row.at + greta_min(first + k, row.parts - 1) * 16;
			memcpy(part, __builtin_assume_aligned(at, sizeof(part)), sizeof(part));
			for (uint32_t r = 0; r < ROWS; r++)
				sum[r] += first + k < row.parts ? part[r] : 0;
		}
	double unit = greta_pow2(row.unit + largest);
	for (uint32_t r = 0; r < ROWS; r++)
		y[r] = largest == GRETA_EXPONENT_NONFINITE ? greta_float(GRETA_NAN_BITS)
		                                           : (float)((greta_double(sum[r]) - GRETA_ROUND_BIAS) * unit);
}

#include "kernels/gpu/mixed.h"

/* ---- All of it ---- */

/* The input of a product. */
struct greta_gpu_input {
	const float *x;
	const float *norm;
	const struct greta_gpu_digits *digits; /* or NULL: made from x */
	uint32_t cols, activations;
	float eps;
	const struct greta_state *state;
	uint32_t chunk;
	int samples; /* x is the last of the step's tokens, and nothing is done unless greta_step_samples */
};

/* How a block multiplies: what it starts before the input is there, and the rest. */
template <uint32_t TYPE, int COUNT> struct greta_multiplier {
	struct greta_feed<TYPE, COUNT> feed;

	GRETA_MEMBER void start(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
	                        const struct greta_gpu_part &part)
	{
		feed.start(m, job, part);
	}
	GRETA_MEMBER void follow(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job)
	{
		feed.follow(m, job);
	}
	GRETA_MEMBER void fill(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job, uint32_t tiles)
	{
		feed.fill(m, job, tiles);
	}
	GRETA_MEMBER void finish() { feed.finish(); }
	GRETA_MEMBER void run(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
	                      const struct greta_gpu_digits *x, int32_t largest, struct greta_gpu_part part)
	{
		if constexpr (TYPE != GRETA_GPU_K)
			greta_run<TYPE>(feed, m, job, x, largest, part);
		else
			while (part.count) {
				const struct greta_gpu_matrix matrix = m.at(part.group);
				const struct greta_gpu_part here = greta_take_part(part, matrix, job);
				if (matrix.type == GRETA_TYPE_Q4_K)
					greta_run<GRETA_TYPE_Q4_K>(feed, m, job, x, largest, here);
				else
					greta_run<GRETA_TYPE_Q6_K>(feed, m, job, x, largest, here);
			}
	}
};

/* One that starts nothing early. */
template <uint32_t TYPE, int COUNT> struct greta_late_multiplier {
	GRETA_MEMBER void start(const struct greta_gpu_matrices<COUNT> &, const struct greta_gpu_job &,
	                        const struct greta_gpu_part &)
	{
	}
	GRETA_MEMBER void follow(const struct greta_gpu_matrices<COUNT> &, const struct greta_gpu_job &) {}
	GRETA_MEMBER void fill(const struct greta_gpu_matrices<COUNT> &, const struct greta_gpu_job &, uint32_t) {}
	GRETA_MEMBER void finish() {}
	GRETA_MEMBER void run(const struct greta_gpu_matrices<COUNT> &m, const struct greta_gpu_job &job,
	                      const struct greta_gpu_digits *x, int32_t largest, const struct greta_gpu_part &part)
	{
		if constexpr (TYPE == GRETA_GPU_FLOAT)
			for (uint32_t group = job.first; group < job.last; group++)
				greta_run_floats(m, job, group, x, largest);
		else
			greta_run_mixed<TYPE>(m, job, x, largest, part);
	}
};

template <int COUNT>
struct greta_multiplier<GRETA_GPU_FLOAT, COUNT> : greta_late_multiplier<GRETA_GPU_FLOAT, COUNT> {};
template <int COUNT>
struct greta_multiplier<GRETA_GPU_MIXED, COUNT> : greta_late_multiplier<GRETA_GPU_MIXED, COUNT> {};
#if !GRETA_FEED_K
template <int COUNT> struct greta_multiplier<GRETA_GPU_K, COUNT> : greta_late_multiplier<GRETA_GPU_K, COUNT> {};
#endif

/* Multiplies all of the block's rows. TYPE: the matrices' type, or GRETA_GPU_FLOAT, _MIXED, _K. `ahead` is called while
 * earlier kernels may still run, `early` when what they wrote may be read, before all else that waits for it. Ends
 * behind a barrier; gives the number of the step's tokens, 0 if there is nothing to do, and the vector's largest
 * exponent. */
template <uint32_t TYPE, int COUNT, class AHEAD, class EARLY>
GRETA_DEVICE uint32_t greta_multiply_rows(const struct greta_gpu_matrices<COUNT> &m,
                                          const struct greta_gpu_input &input, struct greta_gpu_job &job,
                                          struct greta_gpu_digits *made, AHEAD ahead, EARLY early,
                                          int32_t *out_largest)
{
	GRETA_SHARED double norm_sums[GRETA_GPU_NORM_BLOCKS];
	GRETA_SHARED uint64_t barriers[16 * GRETA_RING_TILES];
	job.ring = (uint8_t *)(job.sums + (job.last - job.first) * greta_waves() * 16);
	job.barriers = barriers;
	job.ring_bytes = greta_ring_bytes(TYPE);
	const struct greta_gpu_part part = greta_part_of(job, greta_uniform(greta_thread() / GRETA_WAVE));
	struct greta_multiplier<TYPE, COUNT> multiplier;
	/* Fewer rounds where registers are short; only single matrices have rows as long as three. */
	struct greta_digits_maker<TYPE == GRETA_GPU_FLOAT || TYPE == GRETA_GPU_K || TYPE == GRETA_GPU_MIXED ? 2 : 3> maker;
	multiplier.start(m, job, part);
	greta_next_may_start();
	greta_clear_sums(job);
	ahead();
	if (!input.digits)
		maker.prepare(input.x, input.norm, input.cols);
	/* What comes before launches of one matrix (attention, or one that is long) leaves more of the memory's time. */
	if (COUNT == 1)
		multiplier.follow(m, job);
	greta_wait_for_previous();
	early();
	size_t skipped = 0;
	if (input.samples && input.chunk > 1)
		skipped = (size_t)(greta_max(greta_step_tokens(input.state, input.chunk), 1) - 1) * input.cols;
	if (!input.digits)
		maker.begin(skipped);
	/* The state is asked for after the input, so that nothing that needs it comes before the input's loads. */
	greta_wave_sync();
	multiplier.fill(m, job, COUNT == 1 ? 3 : 2);
	uint32_t tokens = greta_step_tokens(input.state, input.chunk);
	if (input.samples && !greta_step_samples(input.state, tokens))
		tokens = 0;
	if (tokens && input.digits) {
		*out_largest = input.digits->plane[0].largest;
		multiplier.fill(m, job, GRETA_RING_TILES);
		greta_barrier(); /* the sums are clear */
		if (*out_largest != GRETA_EXPONENT_NONFINITE)
			multiplier.run(m, job, input.digits, *out_largest, part);
	} else if (tokens) {
		*out_largest = maker.make(input.eps, input.activations, norm_sums, made, sizeof(*made), made);
		multiplier.fill(m, job, GRETA_RING_TILES);
		if (*out_largest != GRETA_EXPONENT_NONFINITE)
			multiplier.run(m, job, made, *out_largest, part);
	}
	multiplier.finish();
	greta_barrier();
	return tokens;
}

#endif
