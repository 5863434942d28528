/* product, qkv, gate_up, lm_head, compiled once per form: which rows and vectors a block multiplies, in passes that fit
 * the working space, and what becomes of the sums. The sums themselves are product_<form>.c's. */
#include "kernels/cpu/product.h"

#include "kernels/kv.h"
#include "kernels/numbers.h"
#include "kernels/rows16.h"
#include "models/types.h"

struct matrix {
	const void *weights;
	uint32_t rows, cols, type, layout;
	int exponent;
};

struct vectors {
	const struct greta_cpu_digits *digits; /* [count][blocks] */
	uint32_t count, blocks, activations;
};

/* A pass covers at most this many rows times vectors; 64 rows let a tile of unpacked weights meet 128 vectors. */
#define PASS_VALUES 8192
#define PASS_VECTORS 128
#define PASS_ROWS 64
#define RAW_BLOCKS 8 /* 256-column blocks of raw weights that are interleaved at once */

/* How the working space in shared memory is used. */
struct work {
	uint8_t scratch[GRETA_CPU_SUMS_SCRATCH];
	uint8_t raw[RAW_BLOCKS * 32 + RAW_BLOCKS * 68 * 64];
	double sums[PASS_VALUES];
	float values[2][PASS_VALUES]; /* [vectors][PASS_ROWS] */
	double unit[PASS_VECTORS];
	int32_t shift[PASS_VECTORS];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct work) <= GRETA_CPU_WORK_BYTES, "the working space that abi.h promises");

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

static size_t aligned64(size_t n) { return (n + 63) / 64 * 64; }

/* ---- Sums of one pass: rows [first, first + rows) (first a multiple of 16) times vectors ---- */

static void sums_of_packed(const struct matrix *m, const struct vectors *x, uint32_t first, uint32_t rows,
                           struct work *work)
{
	size_t group_bytes = greta_rows16_group_bytes(m->type, m->cols);
	struct greta_cpu_sums_job job = {
	    .type = m->type,
	    .activations = x->activations,
	    .blocks = x->blocks,
	    .group_count = (rows + 15) / 16,
	    .vectors = x->count,
	    .groups = (const uint8_t *)m->weights + first / 16 * group_bytes,
	    .group_bytes = group_bytes,
	    .head_bytes = greta_rows16_head_bytes(m->type, m->cols),
	    .digits = x->digits,
	    .digits_stride = x->blocks,
	    .shift = work->shift,
	    .sums = work->sums,
	    .scratch = work->scratch,
	};
	GRETA_CPU_NAME(sums)(&job);
}

/* The same from GGUF order: a few columns of 16 rows are interleaved at a time, and their sums add up. */
static void sums_of_raw(const struct matrix *m, const struct vectors *x, uint32_t first, uint32_t rows,
			struct work *work)
{
	uint32_t groups = (rows + 15) / 16;
	memset(work->sums, 0, (size_t)x->count * groups * 16 * sizeof(double));
	for (uint32_t g = 0; g < groups; g++)
		for (uint32_t b = 0; b < x->blocks; b += RAW_BLOCKS) {
			uint32_t blocks = smaller(RAW_BLOCKS, x->blocks - b);
			double part[PASS_VECTORS * 16];
			struct greta_cpu_sums_job job = {
			    .type = m->type,
			    .activations = x->activations,
			    .blocks = blocks,
			    .group_count = 1,
			    .vectors = x->count,
			    .groups = work->raw,
			    .group_bytes = sizeof(work->raw),
			    .head_bytes = greta_rows16_head_bytes(m->type, blocks * 256),
			    .digits = x->digits + b,
			    .digits_stride = x->blocks,
			    .shift = work->shift,
			    .sums = part,
			    .scratch = work->scratch,
			};
			greta_rows16_pack_blocks(m->type, m->rows, m->cols, m->weights, first / 16 + g, b, b + blocks,
						 work->raw);
			GRETA_CPU_NAME(sums)(&job);
			for (uint32_t v = 0; v < x->count; v++)
				for (uint32_t r = 0; r < 16; r++)
					work->sums[((size_t)v * groups + g) * 16 + r] += part[v * 16 + r];
		}
}

/* Unquantised weights: X as fp64, in the vector's unit, for a range of columns at a time. */
static void sums_of_floats(const struct matrix *m, const struct vectors *x, uint32_t first, uint32_t rows,
                           struct work *work)
{
	const uint32_t columns = 2048;
	size_t bytes = greta_type_info(m->type)->block_bytes;
	uint32_t padded = (rows + 15) / 16 * 16;
	double *values = (double *)(void *)work->scratch;
	memset(work->sums, 0, (size_t)x->count * padded * sizeof(double));
	for (uint32_t v = 0; v < x->count; v++)
		for (uint32_t c = 0; c < m->cols; c += columns) {
			uint32_t count = smaller(columns, m->cols - c);
			for (uint32_t b = 0; b < count / 256; b++) {
				const struct greta_cpu_digits *d = x->digits + (size_t)v * x->blocks + c / 256 + b;
				double factor = greta_pow2(d->exponent + work->shift[v]);
				for (uint32_t i = 0; i < 256; i++)
					values[b * 256 + i] =
					    factor * (d->digit[0][i] + 256 * d->digit[1][i] + 65536 * d->digit[2][i] +
						      16777216 * d->digit[3][i]);
			}
			struct greta_cpu_float_job job = {
			    .type = m->type,
			    .cols = count,
			    .rows = rows,
			    .weights = (const uint8_t *)m->weights + ((size_t)first * m->cols + c) * bytes,
			    .row_bytes = m->cols * bytes,
			    .x = values,
			    .sums = work->sums + (size_t)v * padded,
			};
			GRETA_CPU_NAME(float_sums)(&job);
		}
}

/* values[v * PASS_ROWS + i] = row first + i times vector v, rounded to fp32. */
static void multiply(const struct matrix *m, const struct vectors *x, uint32_t first, uint32_t rows, struct work *work,
                     float *values)
{
	uint32_t padded = (rows + 15) / 16 * 16;
	for (uint32_t v = 0; v < x->count; v++) {
		int largest = x->digits[(size_t)v * x->blocks].largest;
		int unit = greta_product_unit(m->exponent, greta_type_bits(m->type),
		                              largest == GRETA_EXPONENT_NONFINITE ? 0 : largest, x->blocks);
		work->unit[v] = greta_pow2(unit);
		work->shift[v] = -(8 * (int)x->activations - 1) - unit;
	}
	if (greta_type_info(m->type)->block_values == 1)
		sums_of_floats(m, x, first, rows, work);
	else if (m->layout == GRETA_LAYOUT_RAW)
		sums_of_raw(m, x, first, rows, work);
	else
		sums_of_packed(m, x, first, rows, work);
	for (uint32_t v = 0; v < x->count; v++) {
		const double *sums = work->sums + (size_t)v * padded;
		float *out = values + (size_t)v * PASS_ROWS;
		int finite = x->digits[(size_t)v * x->blocks].largest != GRETA_EXPONENT_NONFINITE;
		/* + 0: a form that rounds down may leave -0 */
		for (uint32_t r = 0; r < padded; r++)
			out[r] = finite ? (float)((sums[r] + 0.0) * work->unit[v]) : greta_float(GRETA_NAN_BITS);
	}
}

/* ---- The vectors of a step ---- */

struct source {
	const struct greta_cpu_block *block;
	const float *x, *norm;
	const void *digits;
	uint32_t cols, activations;
	float eps;
};

/* Shared memory: the row and its digits, if they are made here, then the working space. */
static struct greta_cpu_digits *made_digits(const struct source *s)
{
	return (struct greta_cpu_digits *)(void *)((uint8_t *)s->block->shared +
						   aligned64((size_t)s->cols * sizeof(float)));
}

static struct work *work_of(const struct source *s)
{
	return s->digits ? s->block->shared : (void *)(made_digits(s) + s->cols / 256);
}

/* Vectors from token t on, of `tokens` in all: a pass of them, or, made here, one; then a worker's later blocks find it
 * where the first block left it, unless there are several to take turns. */
static struct vectors vectors_at(const struct source *s, uint32_t t, uint32_t tokens, int fresh)
{
	struct vectors x = {.blocks = s->cols / 256, .activations = s->activations};
	if (s->digits) {
		x.digits = (const struct greta_cpu_digits *)s->digits + (size_t)t * x.blocks;
		x.count = smaller(tokens - t, PASS_VECTORS);
		return x;
	}
	struct greta_cpu_digits *digits = made_digits(s);
	if (fresh)
		GRETA_CPU_NAME(make_digits)(s->x + (size_t)t * s->cols, s->norm, s->eps, s->cols, s->activations, digits);
	x.digits = digits;
	x.count = 1;
	return x;
}

/* Rows of a pass that starts at `row` (its group's first) and should reach `last`. */
static uint32_t pass_rows(uint32_t row, uint32_t last) { return smaller(last - row, PASS_ROWS); }

void GRETA_CPU_NAME(product)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_product_args *a = args;
	struct source source = {block, a->x, a->norm, a->digits, a->cols, a->activations, a->eps};
	struct matrix m = {a->weights, a->rows, a->cols, a->type, a->layout, a->exponent};
	struct work *work = work_of(&source);
	uint32_t tokens = greta_step_tokens(a->state, a->chunk);
	uint32_t first = block->x * a->rows_per_block, last = smaller(first + a->rows_per_block, a->rows);
	struct vectors x;
	for (uint32_t t = 0; t < tokens; t += x.count) {
		x = vectors_at(&source, t, tokens, block->fresh || tokens > 1);
		for (uint32_t start = first / 16 * 16; start < last; start += PASS_ROWS) {
			uint32_t rows = pass_rows(start, last);
			multiply(&m, &x, start, rows, work, work->values[0]);
			for (uint32_t v = 0; v < x.count; v++) {
				const float *values = work->values[0] + (size_t)v * PASS_ROWS;
				size_t at = (size_t)(t + v) * a->rows + start;
				for (uint32_t r = start < first ? first - start : 0; r < rows; r++)
					a->y[at + r] = a->residual ? values[r] + a->residual[at + r] : values[r];
			}
		}
	}
}

/* ---- qkv ---- */

/* The pairs (2 i, 2 i + 1) of `values`, rows `row` and on of a head-by-head matrix, rotated in place. */
static void rotate(const float *rope, uint32_t head_dim, uint32_t row, uint32_t rows, float *values)
{
	for (uint32_t r = 0; r + 1 < rows; r += 2) {
		const float *angle = rope + (row + r) % head_dim;
		float y0 = values[r], y1 = values[r + 1];
		values[r] = fmaf(y0, angle[0], -(y1 * angle[1]));
		values[r + 1] = fmaf(y0, angle[1], y1 * angle[0]);
	}
}

static void store_cache(const struct greta_qkv_args *a, int is_k, uint32_t t, uint32_t row, uint32_t rows,
                        const float *values)
{
	uint32_t position = a->state->position + t;
	void *cache = is_k ? a->k_cache : a->v_cache;
	for (uint32_t r = 0; r < rows; r++) {
		uint32_t head = (row + r) / a->head_dim, i = (row + r) % a->head_dim;
		size_t at = is_k ? greta_k_index(a->context, a->head_dim, head, position, i)
		                 : greta_v_index(a->context, a->head_dim, head, position, i);
		if (a->kv_type == GRETA_KV_F32)
			((float *)cache)[at] = values[r];
		else
			((uint16_t *)cache)[at] = greta_f32_to_f16(values[r]);
	}
}

enum part { PART_Q, PART_K, PART_V };

/* Rows [first, last) of one of the three matrices, both even. */
static void qkv_part(const struct greta_qkv_args *a, enum part part, const struct vectors *x, uint32_t t,
		     uint32_t first, uint32_t last, struct work *work)
{
	uint32_t q_rows = a->heads * a->head_dim, kv_rows = a->kv_heads * a->head_dim;
	const struct matrix matrices[] = {
	    {a->q_weights, q_rows, a->cols, a->q_type, a->q_layout, a->q_exponent},
	    {a->k_weights, kv_rows, a->cols, a->k_type, a->k_layout, a->k_exponent},
	    {a->v_weights, kv_rows, a->cols, a->v_type, a->v_layout, a->v_exponent},
	};
	for (uint32_t start = first / 16 * 16; start < last; start += PASS_ROWS) {
		uint32_t rows = pass_rows(start, last);
		uint32_t skip = start < first ? first - start : 0;
		multiply(&matrices[part], x, start, rows, work, work->values[0]);
		for (uint32_t v = 0; v < x->count; v++) {
			float *values = work->values[0] + (size_t)v * PASS_ROWS + skip;
			uint32_t row = start + skip, count = rows - skip;
			if (part != PART_V)
				rotate(a->rope + (size_t)(t + v) * a->head_dim, a->head_dim, row, count, values);
			if (part == PART_Q)
				memcpy(a->q + (size_t)(t + v) * q_rows + row, values, count * sizeof(float));
			else
				store_cache(a, part == PART_K, t + v, row, count, values);
		}
	}
}

void GRETA_CPU_NAME(qkv)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_qkv_args *a = args;
	struct source source = {block, a->x, a->norm, a->digits, a->cols, a->activations, a->eps};
	struct work *work = work_of(&source);
	uint32_t tokens = greta_step_tokens(a->state, a->chunk);
	uint32_t kv_rows = a->kv_heads * a->head_dim;
	const uint32_t bounds[] = {0, a->heads * a->head_dim, a->heads * a->head_dim + kv_rows,
	                           a->heads * a->head_dim + 2 * kv_rows};
	uint32_t first = block->x * a->rows_per_block, last = smaller(first + a->rows_per_block, bounds[3]);
	struct vectors x;
	for (uint32_t t = 0; t < tokens; t += x.count) {
		x = vectors_at(&source, t, tokens, block->fresh || tokens > 1);
		for (int part = PART_Q; part <= PART_V; part++) {
			uint32_t low = first > bounds[part] ? first : bounds[part];
			uint32_t high = smaller(last, bounds[part + 1]);
			if (low < high)
				qkv_part(a, (enum part)part, &x, t, low - bounds[part], high - bounds[part], work);
		}
	}
}

void GRETA_CPU_NAME(gate_up)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_gate_up_args *a = args;
	struct source source = {block, a->x, a->norm, a->digits, a->cols, a->activations, a->eps};
	struct matrix gate = {a->gate_weights, a->rows, a->cols, a->gate_type, a->gate_layout, a->gate_exponent};
	struct matrix up = {a->up_weights, a->rows, a->cols, a->up_type, a->up_layout, a->up_exponent};
	struct work *work = work_of(&source);
	uint32_t tokens = greta_step_tokens(a->state, a->chunk);
	uint32_t first = block->x * a->rows_per_block, last = smaller(first + a->rows_per_block, a->rows);
	struct vectors x;
	for (uint32_t t = 0; t < tokens; t += x.count) {
		x = vectors_at(&source, t, tokens, block->fresh || tokens > 1);
		for (uint32_t start = first / 16 * 16; start < last; start += PASS_ROWS) {
			uint32_t rows = pass_rows(start, last);
			multiply(&gate, &x, start, rows, work, work->values[0]);
			multiply(&up, &x, start, rows, work, work->values[1]);
			for (uint32_t v = 0; v < x.count; v++) {
				const float *g = work->values[0] + (size_t)v * PASS_ROWS;
				const float *u = work->values[1] + (size_t)v * PASS_ROWS;
				float *h = a->h + (size_t)(t + v) * a->rows + start;
				for (uint32_t r = start < first ? first - start : 0; r < rows; r++)
					h[r] = greta_siluf(g[r]) * u[r];
			}
		}
	}
}

void GRETA_CPU_NAME(lm_head)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_lm_head_args *a = args;
	struct source source = {block, a->x, a->norm, NULL, a->cols, a->activations, a->eps};
	struct matrix m = {a->weights, a->rows, a->cols, a->type, a->layout, a->exponent};
	struct work *work = work_of(&source);
	uint32_t tokens = greta_step_tokens(a->state, a->chunk);
	if (!greta_step_samples(a->state, tokens))
		return;
	uint32_t first = block->x * a->rows_per_block, last = smaller(first + a->rows_per_block, a->rows);
	struct vectors x = vectors_at(&source, tokens - 1, tokens, (int)block->fresh);
	uint64_t best = 0;
	for (uint32_t start = first / 16 * 16; start < last; start += PASS_ROWS) {
		uint32_t rows = pass_rows(start, last);
		multiply(&m, &x, start, rows, work, work->values[0]);
		for (uint32_t r = start < first ? first - start : 0; r < rows; r++) {
			float y = work->values[0][r];
			uint64_t key = greta_logit_key(greta_bits32(y), start + r);
			a->logits[start + r] = y;
			best = key > best ? key : best;
		}
	}
	if (a->best)
		a->best[block->x] = best;
}
