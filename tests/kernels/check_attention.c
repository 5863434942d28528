/* rope, kv_write, attention: every form against the reference; with --bench, the speed of attention. */
#include "tests/kernels/gpu/forms.h"

#include <stdio.h>
#include <string.h>

#include "kernels/kv.h"
#include "tests/kernels/gpu/speed.h"
#include "tests/kernels/kv_cache.h"

struct shape {
	uint32_t heads, chunk, tokens;
	struct check_cache cache;
	struct greta_state state;
};

static struct shape random_shape(uint32_t tokens_max)
{
	static const uint32_t dims[] = {32, 64, 96, 128, 256};
	struct shape s = {.chunk = check_between(1, tokens_max),
	                  .cache = {.kv_heads = check_between(1, 3), .head_dim = dims[check_below(5)],
	                            .kv_type = check_below(2), .context = check_between(8, 330)}};
	s.heads = s.cache.kv_heads * check_between(1, forms_simulated() ? 4 : 9);
	s.tokens = check_between(1, s.chunk);
	s.state = check_state(check_below(s.cache.context), s.tokens, s.cache.context);
	return s;
}

static uint32_t row_of(const struct shape *s) { return s->cache.kv_heads * s->cache.head_dim; }

/* Writes all positions before the step's and the step's own through the reference's kv_write. */
static void fill_cache(const struct shape *s, void *k_cache, void *v_cache)
{
	uint32_t row = row_of(s), context = s->cache.context;
	float *k = check_alloc(row * 4), *v = check_alloc(row * 4);
	uint32_t end = s->state.position + s->tokens < context ? s->state.position + s->tokens : context;
	for (uint32_t p = 0; p < end; p++) {
		struct greta_state state = check_state(p, 1, context);
		struct greta_kv_write_args args = {k, v, &state, k_cache, v_cache, s->cache.kv_heads, s->cache.head_dim,
		                                   s->cache.kv_type, context, 1, 0};
		check_fill(k, row, 1, 3);
		check_fill(v, row, 1, 3);
		forms_run("ref", GRETA_KERNEL_kv_write, &args);
	}
	check_free(k);
	check_free(v);
}

/* ---- attention ---- */

/* The parts of a split context, and a count for each head, which is zero again afterwards. */
struct split {
	float *scratch;
	uint32_t *counters;
	size_t counters_bytes;
};

static struct split split_of(const struct shape *s)
{
	size_t chunks = (s->cache.context + GRETA_ATTENTION_CHUNK - 1) / GRETA_ATTENTION_CHUNK;
	struct split split = {.counters_bytes = (size_t)s->heads * 4};
	split.scratch = check_alloc(s->heads * chunks * (s->cache.head_dim + 2) * 4);
	split.counters = check_alloc(split.counters_bytes);
	memset(split.counters, 0, split.counters_bytes);
	return split;
}

static void free_split(struct split *split, const char *form)
{
	uint32_t *zeros = check_alloc(split->counters_bytes);
	memset(zeros, 0, split->counters_bytes);
	check_same(form, "counters", zeros, split->counters, split->counters_bytes);
	check_free(zeros);
	check_free(split->scratch);
	check_free(split->counters);
}

static struct greta_attention_args attention_args(const struct shape *s, const float *q, void *k, void *v, float *out)
{
	return (struct greta_attention_args){
	    .q = q, .k_cache = k, .v_cache = v, .state = &s->state, .out = out, .heads = s->heads,
	    .kv_heads = s->cache.kv_heads, .head_dim = s->cache.head_dim, .kv_type = s->cache.kv_type,
	    .context = s->cache.context, .chunk = s->chunk, .scale = 0.11f};
}

static float *run_attention(const char *form, const struct shape *s, const float *q, const void *k_cache,
                            const void *v_cache)
{
	float *out = check_alloc((size_t)s->chunk * s->heads * s->cache.head_dim * 4);
	void *k = check_cache_k(form, &s->cache, k_cache), *v = check_cache_v(form, &s->cache, v_cache);
	struct greta_attention_args args = attention_args(s, q, k, v, out);
	struct split split = split_of(s);
	struct forms_launch launch = forms_lower(form, GRETA_KERNEL_attention, &args);
	if (forms_target(form)->wave > 1 && s->chunk == 1) {
		launch.args.attention.scratch = launch.lowered.grid[1] > 1 ? split.scratch : NULL;
		launch.args.attention.counters = split.counters;
	}
	forms_launch(&launch);
	free_split(&split, form);
	check_free(k);
	check_free(v);
	return out;
}

static void check_one_attention(uint32_t tokens_max, float scale)
{
	struct shape s = random_shape(tokens_max);
	size_t count = (size_t)s.chunk * s.heads * s.cache.head_dim;
	void *k_cache = check_alloc(check_cache_bytes(&s.cache)), *v_cache = check_alloc(check_cache_bytes(&s.cache));
	float *q = check_alloc(count * 4);
	fill_cache(&s, k_cache, v_cache);
	check_fill(q, count, scale, 1);
	const char *forms[CHECK_FORMS_MAX];
	float *expected = run_attention("ref", &s, q, k_cache, v_cache);
	for (size_t f = 0, n = forms_names(forms); f < n; f++) {
		float *actual = run_attention(forms[f], &s, q, k_cache, v_cache);
		forms_same(forms[f], "attention", expected, actual, count, 4);
		check_free(actual);
	}
	check_free(expected);
	check_free(k_cache);
	check_free(v_cache);
	check_free(q);
}

static void test_attention_of_a_token(void **context)
{
	(void)context;
	for (int run = 0; run < 60; run++)
		check_one_attention(1, run % 3 ? 1 : 8);
}

static void test_attention(void **context)
{
	(void)context;
	for (int run = 0; run < 60; run++)
		check_one_attention(run % 4 ? 7 : 30, run % 3 ? 1 : 8);
}

/* ---- kv_write, rope ---- */

static void test_kv_write(void **context)
{
	const char *forms[CHECK_FORMS_MAX];
	(void)context;
	for (int run = 0; run < 40; run++) {
		struct shape s = random_shape(7);
		size_t row = (size_t)s.chunk * row_of(&s), bytes = check_cache_bytes(&s.cache);
		float *k = check_alloc(row * 4), *v = check_alloc(row * 4);
		void *caches[2] = {check_alloc(bytes), check_alloc(bytes)};
		check_fill_nasty(k, row);
		check_fill_nasty(v, row);
		struct greta_kv_write_args args = {k, v, &s.state, caches[0], caches[1], s.cache.kv_heads, s.cache.head_dim,
		                                   s.cache.kv_type, s.cache.context, s.chunk, 0};
		forms_run("ref", GRETA_KERNEL_kv_write, &args);
		for (size_t f = 0, count = forms_names(forms); f < count; f++) {
			args.k_cache = check_alloc(bytes);
			args.v_cache = check_alloc(bytes);
			forms_run(forms[f], GRETA_KERNEL_kv_write, &args);
			check_same_cache(forms[f], "cache", &s.cache, caches[0], args.k_cache, caches[1], args.v_cache);
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
		struct shape s = random_shape(7);
		uint32_t head_dim = s.cache.head_dim;
		size_t bytes = (size_t)s.chunk * s.heads * head_dim * 4;
		float *rope = check_alloc((size_t)s.chunk * head_dim * 4), *start = check_alloc(bytes);
		float *expected = check_alloc(bytes);
		check_fill(rope, (size_t)s.chunk * head_dim, 0.3f, 0);
		check_fill_nasty(start, bytes / 4);
		memcpy(expected, start, bytes);
		struct greta_rope_args args = {rope, &s.state, expected, s.heads, head_dim, s.chunk, 0};
		forms_run("ref", GRETA_KERNEL_rope, &args);
		for (size_t f = 0, count = forms_names(forms); f < count; f++) {
			args.x = check_alloc(bytes);
			memcpy(args.x, start, bytes);
			forms_run(forms[f], GRETA_KERNEL_rope, &args);
			forms_same(forms[f], "rope", expected, args.x, bytes / 4, 4);
			check_free(args.x);
		}
		check_free(rope);
		check_free(start);
		check_free(expected);
	}
}

static void test_every_function_ran(void **context)
{
	(void)context;
	forms_all_ran(GRETA_KERNEL_rope);
	forms_all_ran(GRETA_KERNEL_kv_write);
	forms_all_ran(GRETA_KERNEL_attention);
}

/* Llama-2-7B's launches on a target. */
static void time_attention(uint32_t context, uint32_t position, uint32_t tokens, uint32_t kv_type)
{
	struct shape s = {.heads = 32, .chunk = tokens, .tokens = tokens,
	                  .cache = {.kv_heads = 32, .head_dim = 128, .kv_type = kv_type, .context = context}};
	size_t bytes = (size_t)tokens * s.heads * s.cache.head_dim * 4, cache_bytes = check_cache_bytes(&s.cache);
	void *k = check_alloc(cache_bytes), *v = check_alloc(cache_bytes);
	float *q = check_alloc(bytes), *out = check_alloc(bytes);
	s.state = check_state(position, tokens, context);
	memset(k, 0, cache_bytes);
	memset(v, 0, cache_bytes);
	check_fill(q, bytes / 4, 1, 0);
	struct greta_attention_args args = attention_args(&s, q, k, v, out);
	struct split split = split_of(&s);
	if (forms_on_gpu() && tokens == 1) {
		args.scratch = split.scratch;
		args.counters = split.counters;
	}
	char what[64];
	snprintf(what, sizeof(what), "attention %s at %u, %u of %u", kv_type ? "f32" : "f16", position, tokens,
	         context);
	double reached = (double)(position + tokens) / (double)greta_kv_positions(context);
	speed_of(what, GRETA_KERNEL_attention, &args, 2.0 * (double)cache_bytes * reached + 2.0 * (double)bytes, 0);
	free_split(&split, "bench");
	check_free(k);
	check_free(v);
	check_free(q);
	check_free(out);
}

static void time_small(uint32_t tokens)
{
	struct shape s = {.heads = 32, .chunk = tokens, .tokens = tokens,
	                  .cache = {.kv_heads = 32, .head_dim = 128, .kv_type = GRETA_KV_F16, .context = 4096},
	                  .state = check_state(100, tokens, 4096)};
	size_t bytes = (size_t)tokens * row_of(&s) * 4;
	float *k = check_alloc(bytes), *v = check_alloc(bytes), *rope = check_alloc((size_t)tokens * 128 * 4);
	void *caches[2] = {check_alloc(check_cache_bytes(&s.cache)), check_alloc(check_cache_bytes(&s.cache))};
	struct greta_kv_write_args write = {k, v, &s.state, caches[0], caches[1], 32, 128, GRETA_KV_F16, 4096,
	                                    tokens, 0};
	struct greta_rope_args turn = {rope, &s.state, k, 32, 128, tokens, 0};
	char what[64];
	check_fill(k, bytes / 4, 1, 0);
	check_fill(v, bytes / 4, 1, 0);
	check_fill(rope, (size_t)tokens * 128, 0.5f, 0);
	snprintf(what, sizeof(what), "kv_write, %u", tokens);
	speed_of(what, GRETA_KERNEL_kv_write, &write, 3.0 * (double)bytes, 0);
	snprintf(what, sizeof(what), "rope, %u", tokens);
	speed_of(what, GRETA_KERNEL_rope, &turn, 2.0 * (double)bytes, 0);
	check_free(caches[0]);
	check_free(caches[1]);
	check_free(rope);
	check_free(k);
	check_free(v);
}

static int bench_target(void)
{
	static const uint32_t positions[] = {63, 127, 511, 2047, 4095};
	int skip = speed_start();
	if (skip)
		return skip;
	time_small(1);
	for (int i = 0; i < 5; i++)
		time_attention(4096, positions[i], 1, GRETA_KV_F16);
	time_attention(4096, 2047, 1, GRETA_KV_F32);
	time_small(512);
	time_attention(4096, 0, 512, GRETA_KV_F16);
	time_attention(4096, 2048, 512, GRETA_KV_F16);
	return 0;
}

/* Decode attention of TinyLlama's and Llama-3's shapes at the end of a context. */
static int bench(void)
{
	static const struct shape shapes[] = {
	    {.heads = 32, .chunk = 1, .tokens = 1, .cache = {.kv_heads = 4, .head_dim = 64, .context = 2048}},
	    {.heads = 32, .chunk = 1, .tokens = 1, .cache = {.kv_heads = 8, .head_dim = 128, .context = 4096}},
	    {.heads = 32, .chunk = 1, .tokens = 1, .cache = {.kv_heads = 32, .head_dim = 128, .context = 2048}},
	};
	const char *forms[CHECK_FORMS_MAX];
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct shape s = shapes[i];
		s.state = check_state(s.cache.context - 1, 1, s.cache.context);
		size_t bytes = (size_t)s.heads * s.cache.head_dim * 4, cache_bytes = check_cache_bytes(&s.cache);
		void *k_cache = check_alloc(cache_bytes), *v_cache = check_alloc(cache_bytes);
		float *q = check_alloc(bytes), *out = check_alloc(bytes);
		fill_cache(&s, k_cache, v_cache);
		check_fill(q, bytes / 4, 1, 0);
		struct greta_attention_args args = attention_args(&s, q, k_cache, v_cache, out);
		args.heads_per_block = s.heads / s.cache.kv_heads;
		args.tokens_per_block = 1;
		for (size_t f = 0, count = check_forms(forms); f < count; f++) {
			double seconds = check_time(check_kernel(forms[f], GRETA_KERNEL_attention), s.cache.kv_heads, 1,
			                            GRETA_CPU_WORK_BYTES, &args);
			printf("attention %-8s heads %2u kv %2u dim %3u context %u: %8.1f us, %6.2f GB/s of KV\n",
			       forms[f], s.heads, s.cache.kv_heads, s.cache.head_dim, s.cache.context, seconds * 1e6,
			       2.0 * (double)cache_bytes / seconds * 1e-9);
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
	    cmocka_unit_test(test_rope), cmocka_unit_test(test_kv_write), cmocka_unit_test(test_attention_of_a_token),
	    cmocka_unit_test(test_attention), cmocka_unit_test(test_every_function_ran)};
	int benches = check_start(argc, argv), skip = forms_start(argc, argv);
	if (skip)
		return skip;
	if (benches)
		return forms_runner() ? bench_target() : bench();
	return cmocka_run_group_tests_name("attention kernels", tests, NULL, forms_finish);
}
