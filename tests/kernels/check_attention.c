/* rope, kv_write, attention: every form against the reference; with --bench, the speed of attention. */
#include "tests/kernels/harness.h"

#include <stdio.h>
#include <string.h>

#include "kernels/kv.h"

struct shape {
	uint32_t heads, kv_heads, head_dim, context, chunk, kv_type, tokens;
	struct greta_state state;
};

static struct shape random_shape(void)
{
	static const uint32_t dims[] = {32, 64, 96, 128, 256};
	struct shape s = {.kv_heads = check_between(1, 3), .head_dim = dims[check_below(5)], .context = check_between(8, 330),
	                  .kv_type = check_below(2), .chunk = check_between(1, 7)};
	s.heads = s.kv_heads * check_between(1, 9);
	s.tokens = check_between(1, s.chunk);
	s.state = check_state(check_below(s.context), s.tokens, s.context);
	return s;
}

static size_t cache_bytes(const struct shape *s)
{
	return greta_kv_positions(s->context) * s->kv_heads * s->head_dim * (s->kv_type == GRETA_KV_F32 ? 4 : 2);
}

/* Writes all positions before the step's and the step's own through the reference's kv_write. */
static void fill_cache(const struct shape *s, void *k_cache, void *v_cache)
{
	uint32_t row = s->kv_heads * s->head_dim;
	float *k = check_alloc(row * 4), *v = check_alloc(row * 4);
	uint32_t end = s->state.position + s->tokens < s->context ? s->state.position + s->tokens : s->context;
	for (uint32_t p = 0; p < end; p++) {
		struct greta_state state = check_state(p, 1, s->context);
		struct greta_kv_write_args args = {k, v, &state, k_cache, v_cache, s->kv_heads, s->head_dim, s->kv_type,
		                                   s->context, 1, 0};
		check_fill(k, row, 1, 3);
		check_fill(v, row, 1, 3);
		check_run(check_kernel("ref", GRETA_KERNEL_kv_write), 1, 1, 64, &args);
	}
	check_free(k);
	check_free(v);
}

static void test_attention(void **context)
{
	const char *forms[CHECK_FORMS_MAX];
	(void)context;
	for (int run = 0; run < 80; run++) {
		struct shape s = random_shape();
		uint32_t group = s.heads / s.kv_heads, width = s.heads * s.head_dim;
		size_t bytes = (size_t)s.chunk * width * 4;
		void *k_cache = check_alloc(cache_bytes(&s)), *v_cache = check_alloc(cache_bytes(&s));
		float *q = check_alloc(bytes), *expected = check_alloc(bytes);
		fill_cache(&s, k_cache, v_cache);
		check_fill(q, (size_t)s.chunk * width, run % 3 ? 1 : 8, 1);
		struct greta_attention_args args = {q, k_cache, v_cache, &s.state, expected, NULL, NULL, s.heads, s.kv_heads,
		                                    s.head_dim, s.kv_type, s.context, s.chunk, group, check_between(1, 4), 0.11f, 0};
		uint32_t tiles = (s.chunk + args.tokens_per_block - 1) / args.tokens_per_block;
		check_run(check_kernel("ref", GRETA_KERNEL_attention), s.kv_heads, tiles, GRETA_CPU_WORK_BYTES, &args);
		for (size_t f = 0, count = check_forms(forms); f < count; f++) {
			args.out = check_alloc(bytes);
			args.heads_per_block = check_below(2) ? group : 1;
			check_run(check_kernel(forms[f], GRETA_KERNEL_attention), s.heads / args.heads_per_block, tiles,
			          GRETA_CPU_WORK_BYTES, &args);
			check_same(forms[f], "attention", expected, args.out, bytes);
			check_free(args.out);
		}
		check_free(k_cache);
		check_free(v_cache);
		check_free(q);
		check_free(expected);
	}
}

static void test_kv_write(void **context)
{
	const char *forms[CHECK_FORMS_MAX];
	(void)context;
	for (int run = 0; run < 40; run++) {
		struct shape s = random_shape();
		size_t row = (size_t)s.chunk * s.kv_heads * s.head_dim;
		float *k = check_alloc(row * 4), *v = check_alloc(row * 4);
		void *caches[2] = {check_alloc(cache_bytes(&s)), check_alloc(cache_bytes(&s))};
		check_fill_nasty(k, row);
		check_fill_nasty(v, row);
		struct greta_kv_write_args args = {k, v, &s.state, caches[0], caches[1], s.kv_heads, s.head_dim, s.kv_type,
		                                   s.context, s.chunk, 0};
		check_run(check_kernel("ref", GRETA_KERNEL_kv_write), s.chunk, 1, 64, &args);
		for (size_t f = 0, count = check_forms(forms); f < count; f++) {
			args.k_cache = check_alloc(cache_bytes(&s));
			args.v_cache = check_alloc(cache_bytes(&s));
			check_run(check_kernel(forms[f], GRETA_KERNEL_kv_write), s.chunk, 1, 64, &args);
			check_same(forms[f], "k cache", caches[0], args.k_cache, cache_bytes(&s));
			check_same(forms[f], "v cache", caches[1], args.v_cache, cache_bytes(&s));
			check_free(args.k_cache);
			check_free(args.v_cache);
		}
		check_free(caches[0]);
		check_free(caches[1]);
		check_free(k);
		check_free(v);
	}
}

static void test_rope(void **context)
{
	const char *forms[CHECK_FORMS_MAX];
	(void)context;
	for (int run = 0; run < 40; run++) {
		struct shape s = random_shape();
		size_t bytes = (size_t)s.chunk * s.heads * s.head_dim * 4;
		float *rope = check_alloc((size_t)s.chunk * s.head_dim * 4), *start = check_alloc(bytes);
		float *expected = check_alloc(bytes);
		check_fill(rope, (size_t)s.chunk * s.head_dim, 0.3f, 0);
		check_fill_nasty(start, bytes / 4);
		memcpy(expected, start, bytes);
		struct greta_rope_args args = {rope, &s.state, expected, s.heads, s.head_dim, s.chunk, 0};
		check_run(check_kernel("ref", GRETA_KERNEL_rope), s.chunk, 1, 64, &args);
		for (size_t f = 0, count = check_forms(forms); f < count; f++) {
			args.x = check_alloc(bytes);
			memcpy(args.x, start, bytes);
			check_run(check_kernel(forms[f], GRETA_KERNEL_rope), s.chunk, 1, 64, &args);
			check_same(forms[f], "rope", expected, args.x, bytes);
			check_free(args.x);
		}
		check_free(rope);
		check_free(start);
		check_free(expected);
	}
}

/* Decode attention of TinyLlama's and Llama-3's shapes at the end of a context. */
static int bench(void)
{
	static const struct shape shapes[] = {
	    {.heads = 32, .kv_heads = 4, .head_dim = 64, .context = 2048, .chunk = 1, .tokens = 1},
	    {.heads = 32, .kv_heads = 8, .head_dim = 128, .context = 4096, .chunk = 1, .tokens = 1},
	    {.heads = 32, .kv_heads = 32, .head_dim = 128, .context = 2048, .chunk = 1, .tokens = 1},
	};
	const char *forms[CHECK_FORMS_MAX];
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct shape s = shapes[i];
		s.state = check_state(s.context - 1, 1, s.context);
		size_t bytes = (size_t)s.heads * s.head_dim * 4;
		void *k_cache = check_alloc(cache_bytes(&s)), *v_cache = check_alloc(cache_bytes(&s));
		float *q = check_alloc(bytes), *out = check_alloc(bytes);
		fill_cache(&s, k_cache, v_cache);
		check_fill(q, bytes / 4, 1, 0);
		struct greta_attention_args args = {q, k_cache, v_cache, &s.state, out, NULL, NULL, s.heads, s.kv_heads,
		                                    s.head_dim, s.kv_type, s.context, 1, s.heads / s.kv_heads, 1, 0.11f, 0};
		for (size_t f = 0, count = check_forms(forms); f < count; f++) {
			double seconds = check_time(check_kernel(forms[f], GRETA_KERNEL_attention), s.kv_heads, 1,
			                            GRETA_CPU_WORK_BYTES, &args);
			printf("attention %-8s heads %2u kv %2u dim %3u context %u: %8.1f us, %6.2f GB/s of KV\n", forms[f],
			       s.heads, s.kv_heads, s.head_dim, s.context, seconds * 1e6,
			       2.0 * (double)cache_bytes(&s) / seconds * 1e-9);
		}
		check_free(k_cache);
		check_free(v_cache);
		check_free(q);
		check_free(out);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rope), cmocka_unit_test(test_kv_write), cmocka_unit_test(test_attention)};
	if (check_start(argc, argv))
		return bench();
	return cmocka_run_group_tests_name("attention kernels", tests, NULL, NULL);
}
