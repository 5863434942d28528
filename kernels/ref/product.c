/* The matrix products: product, qkv, gate_up, lm_head. */
#include "kernels/kv.h"
#include "kernels/numbers.h"
#include "kernels/ref/kernels.h"
#include "kernels/ref/kv_element.h"
#include "kernels/ref/vector.h"

/* A product's input: digits as given, or made in shared memory from token t's x, through rmsnorm if there is a norm. */
static const struct greta_ref_digits_block *input(const struct greta_cpu_block *block, const void *digits,
                                                  const float *x, const float *norm, float eps, uint32_t cols,
                                                  uint32_t activations, uint32_t t)
{
	uint32_t blocks = cols / 256;
	if (digits)
		return (const struct greta_ref_digits_block *)digits + (size_t)t * blocks;
	float *row = block->shared;
	struct greta_ref_digits_block *made = (struct greta_ref_digits_block *)(row + cols);
	x += (size_t)t * cols;
	if (norm)
		greta_ref_rmsnorm_vector(x, norm, cols, eps, row);
	else
		memcpy(row, x, cols * sizeof(float));
	for (uint32_t b = 0; b < blocks; b++)
		greta_ref_digits_of(row + (size_t)b * 256, (int)activations, &made[b]);
	return made;
}

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

void greta_ref_product(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_product_args *a = args;
	uint32_t tokens = greta_step_tokens(a->state, a->chunk);
	uint32_t first = block->x * a->rows_per_block, last = smaller(first + a->rows_per_block, a->rows);
	for (uint32_t t = 0; t < tokens; t++) {
		const struct greta_ref_digits_block *vector =
		    input(block, a->digits, a->x, a->norm, a->eps, a->cols, a->activations, t);
		for (uint32_t row = first; row < last; row++) {
			size_t at = (size_t)t * a->rows + row;
			float y = greta_ref_row(a->type, a->layout, a->weights, a->cols, row, a->exponent, vector,
			                        (int)a->activations);
			a->y[at] = a->residual ? y + a->residual[at] : y;
		}
	}
}

/* Rotates the pair (y0, y1) by the angle whose {cos, sin} is at `rope`. */
static void rotate(const float *rope, float *y0, float *y1)
{
	float c = rope[0], s = rope[1];
	float r0 = fmaf(*y0, c, -(*y1 * s));
	float r1 = fmaf(*y0, s, *y1 * c);
	*y0 = r0;
	*y1 = r1;
}

/* Stores rows `row` and `row + 1` (of q, then k, then v) of token t. */
static void store_qkv_pair(const struct greta_qkv_args *a, uint32_t t, uint32_t row, float y0, float y1)
{
	uint32_t q_rows = a->heads * a->head_dim, kv_rows = a->kv_heads * a->head_dim;
	const float *rope = a->rope + (size_t)t * a->head_dim + row % a->head_dim;
	uint32_t position = a->state->position + t;
	if (row < q_rows + kv_rows)
		rotate(rope, &y0, &y1);
	if (row < q_rows) {
		a->q[(size_t)t * q_rows + row] = y0;
		a->q[(size_t)t * q_rows + row + 1] = y1;
		return;
	}
	int is_k = row < q_rows + kv_rows;
	uint32_t kv_row = row - q_rows - (is_k ? 0 : kv_rows);
	uint32_t head = kv_row / a->head_dim, i = kv_row % a->head_dim;
	size_t (*index)(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t) = is_k ? greta_k_index : greta_v_index;
	void *cache = is_k ? a->k_cache : a->v_cache;
	greta_ref_kv_store(a->kv_type, cache, index(a->context, a->head_dim, head, position, i), y0);
	greta_ref_kv_store(a->kv_type, cache, index(a->context, a->head_dim, head, position, i + 1), y1);
}

/* Row `row` of q, k and v standing one after the other. */
static float qkv_row(const struct greta_qkv_args *a, uint32_t row, const struct greta_ref_digits_block *vector)
{
	uint32_t q_rows = a->heads * a->head_dim, kv_rows = a->kv_heads * a->head_dim;
	int digits = (int)a->activations;
	if (row < q_rows)
		return greta_ref_row(a->q_type, a->q_layout, a->q_weights, a->cols, row, a->q_exponent, vector, digits);
	row -= q_rows;
	if (row < kv_rows)
		return greta_ref_row(a->k_type, a->k_layout, a->k_weights, a->cols, row, a->k_exponent, vector, digits);
	row -= kv_rows;
	return greta_ref_row(a->v_type, a->v_layout, a->v_weights, a->cols, row, a->v_exponent, vector, digits);
}

void greta_ref_qkv(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_qkv_args *a = args;
	uint32_t tokens = greta_step_tokens(a->state, a->chunk);
	uint32_t rows = (a->heads + 2 * a->kv_heads) * a->head_dim;
	uint32_t first = block->x * a->rows_per_block, last = smaller(first + a->rows_per_block, rows);
	for (uint32_t t = 0; t < tokens; t++) {
		const struct greta_ref_digits_block *vector =
		    input(block, a->digits, a->x, a->norm, a->eps, a->cols, a->activations, t);
		for (uint32_t row = first; row < last; row += 2)
			store_qkv_pair(a, t, row, qkv_row(a, row, vector), qkv_row(a, row + 1, vector));
	}
}

void greta_ref_gate_up(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_gate_up_args *a = args;
	uint32_t tokens = greta_step_tokens(a->state, a->chunk);
	uint32_t first = block->x * a->rows_per_block, last = smaller(first + a->rows_per_block, a->rows);
	int digits = (int)a->activations;
	for (uint32_t t = 0; t < tokens; t++) {
		const struct greta_ref_digits_block *vector =
		    input(block, a->digits, a->x, a->norm, a->eps, a->cols, a->activations, t);
		for (uint32_t row = first; row < last; row++) {
			float gate = greta_ref_row(a->gate_type, a->gate_layout, a->gate_weights, a->cols, row,
			                           a->gate_exponent, vector, digits);
			float up = greta_ref_row(a->up_type, a->up_layout, a->up_weights, a->cols, row, a->up_exponent,
			                         vector, digits);
			a->h[(size_t)t * a->rows + row] = greta_siluf(gate) * up;
		}
	}
}

void greta_ref_lm_head(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_lm_head_args *a = args;
	uint32_t tokens = greta_step_tokens(a->state, a->chunk);
	if (!greta_step_samples(a->state, tokens))
		return;
	uint32_t first = block->x * a->rows_per_block, last = smaller(first + a->rows_per_block, a->rows);
	const struct greta_ref_digits_block *vector =
	    input(block, NULL, a->x, a->norm, a->eps, a->cols, a->activations, tokens - 1);
	uint64_t best = 0;
	for (uint32_t row = first; row < last; row++) {
		float y = greta_ref_row(a->type, a->layout, a->weights, a->cols, row, a->exponent, vector,
		                        (int)a->activations);
		uint64_t key = greta_logit_key(greta_bits32(y), row);
		a->logits[row] = y;
		best = key > best ? key : best;
	}
	if (a->best)
		a->best[block->x] = best;
}
