/* argmax, sample, advance: every form against the reference, which sorts; and the reference against what sampling means. */
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

/* argmax and sample; then what `advance` does, by sample itself or by its own kernel. */
static struct outcome step(const char *form, const float *from, uint32_t vocab, struct greta_state state, int apart)
{
	struct outcome o = {.state = state};
	uint64_t *scratch = check_alloc((size_t)vocab * 8), *best = copied(&o.best, sizeof(o.best));
	uint32_t *tokens = copied(o.tokens, sizeof(o.tokens)), *ring = copied(o.ring, sizeof(o.ring));
	float *logits = copied(from, (size_t)vocab * 4);
	struct greta_argmax_args argmax = {logits, &o.state, best, vocab, 1};
	struct greta_sample_args sample = {logits, best, &o.state, tokens, ring, scratch, vocab, 1, 1, !apart};
	struct greta_advance_args advance = {&o.state, 1, 0};
	run(form, GRETA_KERNEL_argmax, &argmax);
	run(form, GRETA_KERNEL_sample, &sample);
	if (apart)
		run(form, GRETA_KERNEL_advance, &advance);
	memcpy(o.tokens, tokens, sizeof(o.tokens));
	memcpy(o.ring, ring, sizeof(o.ring));
	o.best = *best;
	check_free(logits);
	check_free(ring);
	check_free(tokens);
	check_free(best);
	check_free(scratch);
	return o;
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
		uint32_t vocab = check_below(10) ? check_between(1, 700) : check_between(1, forms_simulated() ? 8000 : 40000);
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

static void time_sample(const char *what, float temperature, float top_p)
{
	struct greta_state state = check_state(100, 0, 4096);
	uint32_t vocab = 32000;
	float *logits = check_alloc(vocab * 4);
	uint64_t *best = check_alloc(8), *scratch = check_alloc((size_t)vocab * 8);
	uint32_t *tokens = check_alloc(4097 * 4), *ring = check_alloc(4097 * 4);
	check_fill(logits, vocab, 3, 0);
	logits[17] = 20;
	*best = greta_logit_key(greta_bits32(20), 17);
	state.temperature = temperature;
	state.top_p = top_p;
	struct greta_sample_args sample = {logits, best, &state, tokens, ring, scratch, vocab, 1, 1, 0};
	speed_of(what, GRETA_KERNEL_sample, &sample, temperature > 0 ? vocab * 4.0 : 0, 0);
	check_free(ring);
	check_free(tokens);
	check_free(scratch);
	check_free(best);
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
	time_sample("sample 32000, temperature 0", 0, 1);
	time_sample("sample 32000, temperature 1", 1, 1);
	time_sample("sample 32000, temperature 1, top-p 0.9", 1, 0.9f);
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
	    cmocka_unit_test(test_forms_agree), cmocka_unit_test(test_settings_mean_what_they_say),
	    cmocka_unit_test(test_faults), cmocka_unit_test(test_steps), cmocka_unit_test(test_every_function_ran),
	};
	int benches = check_start(argc, argv), skip = forms_start(argc, argv);
	if (skip)
		return skip;
	return benches ? bench() : cmocka_run_group_tests_name("sampling kernels", tests, NULL, forms_finish);
}
