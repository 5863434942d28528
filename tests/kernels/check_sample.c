/* argmax, sample, advance: every form against the reference, which sorts;
 * and the reference against what sampling means. */
#include "tests/kernels/gpu/forms.h"

#include <stdio.h>
#include <string.h>

#include "kernels/numbers.h"
#include "tests/kernels/gpu/speed.h"

struct outcome {
	struct greta_state state;
	uint32_t tokens[8], ring[8];
	uint64_t best;
};

static void *copied(const void *from, size_t bytes)
{
	void *copy = check_alloc(bytes);
	memcpy(copy, from, bytes);
	return copy;
}

/* The reference is run thousands of times and has no use for a processor's working space. */
static void run(const char *form, enum greta_kernel kernel, const void *args)
{
	if (strcmp(form, "ref") == 0)
		check_run(check_kernel(form, kernel), 1, 1, 64, args);
	else
		forms_run(form, kernel, args);
}

/* The best key of each of `parts` parts of the logits. */
static void find_bests(const float *logits, uint32_t vocab, uint32_t parts, uint64_t *bests)
{
	for (uint32_t part = 0; part < parts; part++) {
		uint64_t end = (uint64_t)vocab * (part + 1) / parts;
		bests[part] = 0;
		for (uint64_t i = (uint64_t)vocab * part / parts; i < end; i++) {
			uint64_t key = greta_logit_key(greta_bits32(logits[i]), (uint32_t)i);
			bests[part] = key > bests[part] ? key : bests[part];
		}
	}
}

/* argmax and sample, which is told the best of each of `parts` parts of the logits; then what `advance` does, by sample
 * itself or by its own kernel. */
static struct outcome step_of(const char *form, const float *from, uint32_t vocab, uint32_t parts,
                              struct greta_state state, int apart)
{
	struct outcome o = {.state = state};
	uint64_t *scratch = check_alloc((size_t)vocab * 8), *best = copied(&o.best, sizeof(o.best));
	uint64_t *bests = check_alloc((size_t)parts * 8);
	uint32_t *tokens = copied(o.tokens, sizeof(o.tokens)), *ring = copied(o.ring, sizeof(o.ring));
	float *logits = copied(from, (size_t)vocab * 4);
	struct greta_argmax_args argmax = {logits, &o.state, best, vocab, 1};
	struct greta_sample_args sample = {logits, bests, &o.state, tokens, ring, scratch, vocab, parts, 1, !apart};
	struct greta_advance_args advance = {&o.state, 1, 0};
	run(form, GRETA_KERNEL_argmax, &argmax);
	find_bests(logits, vocab, parts, bests);
	if (parts == 1)
		bests[0] = *best;
	run(form, GRETA_KERNEL_sample, &sample);
	if (apart)
		run(form, GRETA_KERNEL_advance, &advance);
	memcpy(o.tokens, tokens, sizeof(o.tokens));
	memcpy(o.ring, ring, sizeof(o.ring));
	o.best = *best;
	check_free(logits);
	check_free(ring);
	check_free(tokens);
	check_free(bests);
	check_free(best);
	check_free(scratch);
	return o;
}

static struct outcome step(const char *form, const float *from, uint32_t vocab, struct greta_state state, int apart)
{
	return step_of(form, from, vocab, 1, state, apart);
}

static struct greta_state settings(void)
{
	struct greta_state s = check_state(check_below(5), check_below(2), 8);
	s.seed = check_random();
	s.temperature = check_below(5) ? check_uniform(0.05f, 3) : 0;
	s.top_k = check_below(2) ? check_below(60) : 0;
	s.top_p = check_below(2) ? check_uniform(0, 1) : 1;
	s.min_p = check_below(2) ? check_uniform(0, 0.3f) : 0;
	return s;
}

static void test_forms_agree(void **context)
{
	const char *forms[CHECK_FORMS_MAX];
	(void)context;
	for (int run = 0; run < (forms_simulated() ? 100 : 400); run++) {
		uint32_t vocab =
		    check_below(10) ? check_between(1, 700) : check_between(1, forms_simulated() ? 8000 : 40000);
		float *logits = check_alloc(vocab * 4);
		check_fill(logits, vocab, run % 5 ? 3 : 0.001f, 5);
		for (uint32_t i = 0; i < vocab && run % 4 == 0; i++)
			logits[i] = (float)(int)logits[i]; /* many ties, both zeros */
		struct greta_state state = settings();
		struct outcome expected = step("ref", logits, vocab, state, 0);
		for (size_t f = 0, count = forms_names(forms); f < count; f++) {
			struct outcome actual = step(forms[f], logits, vocab, state, run % 2);
			check_same(forms[f], "sample", &expected, &actual, sizeof(expected));
		}
		check_free(logits);
	}
}

/* Logits of every shape that changes how a selection goes. */
enum shape { NORMAL, PEAKED, CLOSE, EQUAL, TIED, TIED_AT_TOP, CROWDED_PART, BARRED, SPREAD, TINY, SHAPES };

static void fill_shape(float *logits, uint32_t vocab, enum shape shape)
{
	check_fill(logits, vocab, shape == CLOSE ? 0.001f : shape == TINY ? 1e-40f : 3, 0);
	for (uint32_t i = 0; i < vocab; i++) {
		if (shape == EQUAL)
			logits[i] = -7.5f;
		else if (shape == TIED)
			logits[i] = rintf(logits[i]); /* both zeros, too */
		else if (shape == TIED_AT_TOP && check_below(4) == 0)
			logits[i] = 20;
		else if (shape == CROWDED_PART && i < 600) /* more than can be listed are above the other parts' bests */
			logits[i] = 20 + check_uniform(0, 0.1f);
		else if (shape == BARRED && check_below(10))
			logits[i] = -INFINITY;
		else if (shape == SPREAD) /* evenly over the exponents */
			logits[i] = -ldexpf(check_uniform(1, 2), (int)check_below(250) - 125);
	}
	if (shape == PEAKED)
		logits[check_below(vocab)] = 60;
	if (shape == BARRED)
		logits[check_below(vocab)] = 1;
}

#define PICK(...) PICK_OF(((const float[]){__VA_ARGS__}))
#define PICK_OF(array) (array)[check_below(sizeof(array) / sizeof((array)[0]))]

static void test_every_way_agrees(void **context)
{
	static const uint32_t VOCABS[] = {1, 31, 512, 513, 1000, 4096, 5003, 32000, 128256};
	const char *forms[CHECK_FORMS_MAX];
	size_t count = forms_names(forms);
	(void)context;
	for (int round = 0; round < 400; round++) {
		uint32_t size = check_below(8) ? check_below(7) : check_between(7, 8), vocab = VOCABS[size];
		uint32_t parts = (uint32_t)PICK(1, 1, 7, 39, 40, 125, 700);
		enum shape shape = (enum shape)(round % SHAPES);
		float *logits = check_alloc((size_t)vocab * 4);
		fill_shape(logits, vocab, shape);
		parts = parts < vocab ? parts : vocab;
		struct greta_state s = check_state(check_below(5), check_below(2), 8);
		s.seed = check_random();
		s.temperature = PICK(1e-30f, 0.5f, 0.8f, 1, 1e30f);
		s.top_k = (uint32_t)PICK(0, 0, 1, 40, 512, 513, 900, 1 << 30);
		s.top_k = check_below(5) ? s.top_k : check_below(2) ? parts + check_below(3) - 1 : check_below(vocab + 1);
		s.top_p = PICK(0, 1e-7f, 0.5f, 0.95f, 0x1.fffffep-1f, 1, 1);
		s.min_p = PICK(0, 0, 0.05f, 1e-7f, 1, 1.5f);
		struct outcome expected = step_of("ref", logits, vocab, parts, s, 0);
		for (size_t f = 0; f < count; f++) {
			char what[200];
			snprintf(what, sizeof(what), "sample (vocabulary %u, shape %d, %u parts, temperature %g, top-k %u, top-p %.8g, "
			         "min-p %g)", vocab, (int)shape, parts, s.temperature, s.top_k, s.top_p, s.min_p);
			struct outcome actual = step_of(forms[f], logits, vocab, parts, s, round % 2);
			check_same(forms[f], what, &expected, &actual, sizeof(expected));
		}
		check_free(logits);
	}
}

static void test_settings_mean_what_they_say(void **context)
{
	/* Probabilities 1/2, 1/4, 1/8, 1/8 at temperature 1, in shuffled order. */
	static const float logits[4] = {-2.0794415f, -0.6931472f, -1.3862944f, -2.0794415f};
	int seen[4] = {0};
	(void)context;
	for (uint32_t run = 0; run < 8000; run++) {
		struct greta_state s = check_state(0, 1, 8);
		s.temperature = 1;
		s.seed = check_random();
		seen[step("ref", logits, 4, s, 0).tokens[1]]++;
	}
	assert_in_range(seen[1], 3700, 4300); /* 6.7 standard deviations: one false alarm in 10^10 */
	assert_in_range(seen[2], 1740, 2260);
	assert_in_range(seen[0], 800, 1200);
	for (uint32_t run = 0; run < 200; run++) {
		struct greta_state s = check_state(0, 1, 8);
		s.temperature = 2;
		s.seed = check_random();
		s.top_k = 1;
		assert_int_equal(step("ref", logits, 4, s, 0).tokens[1], 1);
		s.top_k = 0;
		s.top_p = 0.7f; /* two tokens reach it */
		uint32_t token = step("ref", logits, 4, s, 0).tokens[1];
		assert_true(token == 1 || token == 2);
		s.top_p = 1;
		s.min_p = 0.4f; /* the second has half the best one's probability */
		token = step("ref", logits, 4, s, 0).tokens[1];
		assert_true(token == 1 || token == 2);
	}
}

static void test_faults(void **context)
{
	const char *forms[CHECK_FORMS_MAX] = {0};
	size_t count = forms_names(forms);
	(void)context;
	forms[count++] = "ref";
	for (size_t f = 0; f < count; f++) {
		float logits[4] = {0, NAN, 1, 2};
		struct outcome o = step(forms[f], logits, 4, check_state(3, 1, 8), 0);
		assert_int_equal(o.state.fault, 4);
		assert_int_equal(o.ring[4], 0);
		logits[1] = INFINITY;
		assert_int_equal(step(forms[f], logits, 4, check_state(0, 0, 8), 0).state.fault, 1);
		logits[1] = -INFINITY;
		assert_int_equal(step(forms[f], logits, 4, check_state(0, 0, 8), 0).tokens[1], 3);
	}
}

static void test_steps(void **context)
{
	struct greta_state s = check_state(5, 10, 100);
	(void)context;
	assert_int_equal(greta_step_tokens(&s, 4), 4);
	assert_false(greta_step_samples(&s, 4));
	assert_int_equal(greta_step_tokens(&s, 16), 10);
	assert_true(greta_step_samples(&s, 10));
	s.position = 15;
	assert_int_equal(greta_step_tokens(&s, 16), 1);
	s.context = 15;
	assert_int_equal(greta_step_tokens(&s, 16), 0);
	assert_false(greta_step_samples(&s, 0));
}

static void time_sample(const char *what, enum shape shape, uint32_t vocab, uint32_t parts, float temperature,
                        uint32_t top_k, float top_p, float min_p)
{
	struct greta_state state = check_state(100, 0, 4096);
	float *logits = check_alloc((size_t)vocab * 4);
	uint64_t *bests = check_alloc((size_t)parts * 8), *scratch = check_alloc((size_t)vocab * 8);
	uint32_t *tokens = check_alloc(4097 * 4), *ring = check_alloc(4097 * 4);
	fill_shape(logits, vocab, shape);
	find_bests(logits, vocab, parts, bests);
	state.temperature = temperature;
	state.top_k = top_k;
	state.top_p = top_p;
	state.min_p = min_p;
	struct greta_sample_args sample = {logits, bests, &state, tokens, ring, scratch, vocab, parts, 1, 0};
	speed_of(what, GRETA_KERNEL_sample, &sample, temperature > 0 ? vocab * 4.0 : 0, 0);
	check_free(ring);
	check_free(tokens);
	check_free(scratch);
	check_free(bests);
	check_free(logits);
}

static int bench(void)
{
	int skip = speed_start();
	if (skip)
		return skip;
	struct greta_state state = check_state(100, 0, 4096);
	float *logits = check_alloc(32000 * 4);
	uint64_t *best = check_alloc(8);
	check_fill(logits, 32000, 3, 0);
	struct greta_argmax_args argmax = {logits, &state, best, 32000, 1};
	struct greta_advance_args advance = {&state, 1, 0};
	speed_of("argmax 32000", GRETA_KERNEL_argmax, &argmax, 32000 * 4, 0);
	time_sample("sample 32000, temperature 0", NORMAL, 32000, 125, 0, 0, 1, 0);
	time_sample("sample 32000, top-k 40, top-p 0.95, min-p 0.05", NORMAL, 32000, 125, 0.8f, 40, 0.95f, 0.05f);
	time_sample("sample 32000, the same, of one best", NORMAL, 32000, 1, 0.8f, 40, 0.95f, 0.05f);
	time_sample("sample 32000, the same, crowded", CROWDED_PART, 32000, 125, 0.8f, 40, 0.95f, 0.05f);
	time_sample("sample 32000, the same, all equal", EQUAL, 32000, 125, 0.8f, 40, 0.95f, 0.05f);
	time_sample("sample 32000, temperature 1", NORMAL, 32000, 125, 1, 0, 1, 0);
	time_sample("sample 32000, temperature 1, top-p 0.9", NORMAL, 32000, 125, 1, 0, 0.9f, 0);
	time_sample("sample 32000, temperature 1, top-p 0.9, peaked", PEAKED, 32000, 125, 1, 0, 0.9f, 0);
	time_sample("sample 32000, temperature 1, top-p 0.9, close", CLOSE, 32000, 125, 1, 0, 0.9f, 0);
	time_sample("sample 32000, temperature 1, top-p 0.9, all equal", EQUAL, 32000, 125, 1, 0, 0.9f, 0);
	time_sample("sample 32000, temperature 1, min-p 0.05", NORMAL, 32000, 125, 1, 0, 1, 0.05f);
	time_sample("sample 32000, top-k 1000, top-p 0.9, min-p 0.05", NORMAL, 32000, 125, 1, 1000, 0.9f, 0.05f);
	time_sample("sample 32000, top-k 20000, top-p 0.99, spread", SPREAD, 32000, 125, 1, 20000, 0.99f, 0.05f);
	time_sample("sample 128256, top-k 40, top-p 0.95, min-p 0.05", NORMAL, 128256, 131, 0.8f, 40, 0.95f, 0.05f);
	time_sample("sample 128256, temperature 1, top-p 0.9", NORMAL, 128256, 131, 1, 0, 0.9f, 0);
	speed_of("advance", GRETA_KERNEL_advance, &advance, 0, 0);
	check_free(best);
	check_free(logits);
	return 0;
}

static void test_every_function_ran(void **context)
{
	(void)context;
	forms_all_ran(GRETA_KERNEL_argmax);
	forms_all_ran(GRETA_KERNEL_sample);
	forms_all_ran(GRETA_KERNEL_advance);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forms_agree), cmocka_unit_test(test_every_way_agrees),
	    cmocka_unit_test(test_settings_mean_what_they_say),
	    cmocka_unit_test(test_faults), cmocka_unit_test(test_steps), cmocka_unit_test(test_every_function_ran),
	};
	int benches = check_start(argc, argv), skip = forms_start(argc, argv);
	if (skip)
		return skip;
	return benches ? bench() : cmocka_run_group_tests_name("sampling kernels", tests, NULL, forms_finish);
}
