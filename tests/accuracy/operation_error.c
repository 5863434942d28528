#include "tests/accuracy/operation_error.h"

#include <math.h>

#include "kernels/kv.h"
#include "kernels/oracle/operations.h"
#include "kernels/ref/vector.h"
#include "tests/kernels/harness.h"

static void keep_worst(double *worst, double y, double exact, double magnitude)
{
	double error = fabs(y - exact) / magnitude * 0x1p24;
	*worst = error > *worst ? error : *worst;
}

static void widen(const float *x, size_t n, double *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (double)x[i];
}

double rmsnorm_error(uint32_t cols, uint32_t runs)
{
	float *x = check_alloc(cols * 4), *weight = check_alloc(cols * 4), *y = check_alloc(cols * 4);
	double *exact = check_alloc(cols * 8), worst = 0;
	for (uint32_t run = 0; run < runs; run++) {
		check_fill(x, cols, check_uniform(0.01f, 10), 3);
		check_fill(weight, cols, 1, 0);
		widen(x, cols, exact);
		greta_oracle_rmsnorm(exact, weight, cols, (double)1e-5f, exact);
		greta_ref_rmsnorm_vector(x, weight, cols, 1e-5f, y);
		for (uint32_t i = 0; i < cols; i++)
			if (exact[i] != 0)
				keep_worst(&worst, (double)y[i], exact[i], fabs(exact[i]));
	}
	check_free(x);
	check_free(weight);
	check_free(y);
	check_free(exact);
	return worst;
}

double silu_error(uint32_t runs)
{
	struct greta_state state = check_state(0, 1, 64);
	double worst = 0;
	float gate[256], up[256], y[256];
	struct greta_silu_mul_args args = {.gate = gate, .up = up, .state = &state, .y = y, .cols = 256, .chunk = 1};
	for (uint32_t run = 0; run < runs; run++) {
		for (int i = 0; i < 256; i++) {
			gate[i] = run % 2 ? check_uniform(-80, 80) : check_uniform(-4, 4);
			up[i] = 1;
		}
		check_run(check_kernel("ref", GRETA_KERNEL_silu_mul), 1, 1, 64, &args);
		for (int i = 0; i < 256; i++)
			if (gate[i] != 0) {
				double exact = greta_oracle_silu((double)gate[i]);
				keep_worst(&worst, (double)y[i], exact, fabs(exact));
			}
	}
	return worst;
}

double rope_error(uint32_t head_dim, uint32_t positions, uint32_t runs)
{
	double frequencies[128], exact[256], worst = 0;
	float x[256], rope[256];
	greta_oracle_frequencies(10000, head_dim, NULL, frequencies);
	for (uint32_t run = 0; run < runs; run++) {
		struct greta_state state = check_state(check_below(positions), 1, positions);
		struct greta_rope_angles_args angles = {.frequencies = frequencies, .state = &state, .rope = rope,
		                                        .pairs = head_dim / 2, .chunk = 1};
		struct greta_rope_args turn = {.rope = rope, .state = &state, .x = x, .heads = 1, .head_dim = head_dim, .chunk = 1};
		check_fill(x, head_dim, 1, 3);
		widen(x, head_dim, exact);
		double length[128] = {0};
		for (uint32_t i = 0; i < head_dim / 2; i++)
			length[i] = hypot(exact[2 * i], exact[2 * i + 1]);
		check_run(check_kernel("ref", GRETA_KERNEL_rope_angles), 1, 1, 64, &angles);
		check_run(check_kernel("ref", GRETA_KERNEL_rope), 1, 1, 64, &turn);
		greta_oracle_rope(exact, 1, head_dim, state.position, frequencies);
		for (uint32_t i = 0; i < head_dim; i++)
			if (length[i / 2] > 0)
				keep_worst(&worst, (double)x[i], exact[i], length[i / 2]);
	}
	return worst;
}

/* Random keys and values of one head, for the oracle (a position's elements in a row) and as the kernel's cache. */
static void random_cache(uint32_t head_dim, uint32_t positions, double *k, double *v, float *k_cache, float *v_cache)
{
	for (uint32_t p = 0; p < positions; p++) {
		float key[256], value[256];
		check_fill(key, head_dim, 1, 0);
		check_fill(value, head_dim, 1, 3);
		widen(key, head_dim, k + (size_t)p * head_dim);
		widen(value, head_dim, v + (size_t)p * head_dim);
		for (uint32_t i = 0; i < head_dim; i++) {
			k_cache[greta_k_index(positions, head_dim, 0, p, i)] = key[i];
			v_cache[greta_v_index(positions, head_dim, 0, p, i)] = value[i];
		}
	}
}

double attention_error(uint32_t head_dim, uint32_t positions, float spread, uint32_t runs)
{
	size_t count = (size_t)positions * head_dim, cached = greta_kv_positions(positions) * head_dim;
	double *k = check_alloc(count * 8), *v = check_alloc(count * 8), *scores = check_alloc(positions * sizeof(*scores));
	float *k_cache = check_alloc(cached * 4), *v_cache = check_alloc(cached * 4);
	double wide[256], exact[256], magnitude[256], worst = 0;
	float q[256], out[256];
	struct greta_state state = check_state(positions - 1, 1, positions);
	/* Elements of q, k have variance 1: the scores of head_dim products have head_dim times that of q. */
	float scale = (float)(1 / sqrt((double)head_dim));
	struct greta_attention_args args = {
	    .q = q, .k_cache = k_cache, .v_cache = v_cache, .state = &state, .out = out, .heads = 1, .kv_heads = 1,
	    .head_dim = head_dim, .kv_type = GRETA_KV_F32, .context = positions, .chunk = 1, .heads_per_block = 1,
	    .tokens_per_block = 1, .scale = scale};
	for (uint32_t run = 0; run < runs; run++) {
		check_fill(q, head_dim, spread, 0);
		random_cache(head_dim, positions, k, v, k_cache, v_cache);
		widen(q, head_dim, wide);
		check_run(check_kernel("ref", GRETA_KERNEL_attention), 1, 1, GRETA_CPU_WORK_BYTES, &args);
		greta_oracle_attention(wide, k, v, head_dim, positions, head_dim, 1 / sqrt((double)head_dim), scores,
		                       exact);
		for (size_t i = 0; i < count; i++)
			v[i] = fabs(v[i]);
		greta_oracle_attention(wide, k, v, head_dim, positions, head_dim, 1 / sqrt((double)head_dim), scores,
		                       magnitude);
		for (uint32_t i = 0; i < head_dim; i++)
			keep_worst(&worst, (double)out[i], exact[i], magnitude[i]);
	}
	check_free(k);
	check_free(v);
	check_free(scores);
	check_free(k_cache);
	check_free(v_cache);
	return worst;
}
