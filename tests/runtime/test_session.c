/* Sessions over the toy model: every token and logit is known, whatever the order of calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/runtime/toy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct greta_sampling greedy = {.top_p = 1};

struct fixture {
	struct toy toy;
	struct greta_options options;
	struct greta *greta;
	int32_t tokens[TOY_CONTEXT + 1]; /* what the sequence must be */
	size_t length;
	struct greta_sampling sampling;
};

static void open_with(struct fixture *f, struct greta_options options)
{
	struct greta_error error = {.message = ""};
	memset(f, 0, sizeof(*f));
	toy_init(&f->toy);
	f->options = options;
	f->sampling = greedy;
	struct greta_session_source source = toy_source(&f->toy, &f->options);
	if (greta_session_open(&source, &f->greta, &error) != GRETA_OK)
		fail_msg("%s", error.message);
}

static void close_fixture(struct fixture *f)
{
	greta_close(f->greta);
	toy_finish(&f->toy);
}

static void good(enum greta_status status, const struct greta_error *error)
{
	if (status != GRETA_OK)
		fail_msg("%s", error->message);
}

static void feed(struct fixture *f, const int32_t *tokens, size_t count)
{
	struct greta_error error;
	good(greta_feed(f->greta, tokens, count, &error), &error);
	memcpy(f->tokens + f->length, tokens, count * sizeof(*tokens));
	f->length += count;
	assert_int_equal(greta_length(f->greta), f->length);
}

static void next(struct fixture *f)
{
	struct greta_error error;
	int32_t token;
	good(greta_next(f->greta, &token, &error), &error);
	assert_int_equal(token, toy_next(&f->toy, f->tokens, f->length, &f->sampling));
	f->tokens[f->length++] = token;
}

static void check_logits(struct fixture *f)
{
	struct greta_error error;
	const float *logits;
	good(greta_logits(f->greta, &logits, &error), &error);
	for (uint32_t i = 0; i < TOY_VOCAB; i++)
		assert_true(logits[i] == toy_logit(&f->toy, f->tokens, f->length, i));
}

struct listener {
	struct fixture *f;
	size_t stop_after;
	size_t count;
};

static bool listen(void *user, int32_t token, const char *text, size_t length)
{
	struct listener *listener = user;
	struct fixture *f = listener->f;
	(void)text;
	assert_int_equal(length, 0); /* no vocabulary, no text */
	assert_int_equal(token, toy_next(&f->toy, f->tokens, f->length, &f->sampling));
	f->tokens[f->length++] = token;
	return ++listener->count != listener->stop_after;
}

static void generate(struct fixture *f, size_t limit, size_t stop_after)
{
	struct listener listener = {.f = f, .stop_after = stop_after};
	struct greta_error error;
	enum greta_stop stop;
	size_t count;
	good(greta_generate(f->greta, limit, 0, listen, &listener, &stop, &count, &error), &error);
	assert_int_equal(count, listener.count);
	if (stop_after && stop_after <= limit) {
		assert_int_equal(stop, GRETA_STOP_CALLER);
		assert_int_equal(count, stop_after);
	} else {
		assert_int_equal(stop, GRETA_STOP_LIMIT);
		assert_int_equal(count, limit);
	}
	assert_int_equal(greta_length(f->greta), f->length);
}

static void truncate_to(struct fixture *f, size_t length)
{
	struct greta_error error;
	good(greta_truncate(f->greta, length, &error), &error);
	f->length = length;
}

/* ---- Tests ---- */

static void prompts_take_the_smallest_program_that_holds_them(void **state)
{
	struct fixture f;
	int32_t prompt[40];
	(void)state;
	for (int i = 0; i < 40; i++)
		prompt[i] = 50 + i;
	open_with(&f, (struct greta_options){.no_cache = true});
	const unsigned long decode = toy_launches(1), small = toy_launches(4), large = toy_launches(16);
	feed(&f, prompt, 1);
	assert_int_equal(toy_launches(1) - decode, 1);
	feed(&f, prompt, 4); /* exactly */
	assert_int_equal(toy_launches(4) - small, 1);
	feed(&f, prompt, 5);
	assert_int_equal(toy_launches(16) - large, 1);
	truncate_to(&f, 0);
	feed(&f, prompt, 35); /* 16 + 16 + 3 */
	assert_int_equal(toy_launches(16) - large, 3);
	assert_int_equal(toy_launches(4) - small, 2);
	assert_int_equal(toy_launches(1) - decode, 1);
	check_logits(&f);
	next(&f);
	close_fixture(&f);
}

static void pieces_can_be_forced(void **state)
{
	static const unsigned pieces[] = {1, 2, 3, 5, 17, 64};
	int32_t prompt[40];
	(void)state;
	for (int i = 0; i < 40; i++)
		prompt[i] = 90 - i;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct fixture f;
		open_with(&f, (struct greta_options){.no_cache = true, .chunk_tokens = pieces[i]});
		const unsigned long decode = toy_launches(1);
		feed(&f, prompt, 40);
		if (pieces[i] == 1)
			assert_int_equal(toy_launches(1) - decode, 40);
		check_logits(&f);
		next(&f);
		close_fixture(&f);
	}
}

static void replays_ahead_are_bounded_and_stop_at_the_limit(void **state)
{
	(void)state;
	static const int32_t prompt[] = {1, 2, 3};
	for (unsigned lookahead = 1; lookahead <= 16; lookahead++) {
		struct fixture f;
		open_with(&f, (struct greta_options){.no_cache = true, .lookahead = lookahead});
		feed(&f, prompt, 3);
		unsigned long before = toy_launches(1);
		generate(&f, 20, 0);
		assert_int_equal(toy_launches(1) - before, 19); /* the first token is the prompt's */
		before = toy_launches(1);
		generate(&f, 20, 2);
		struct greta_error error;
		good(greta_check(f.greta, &error), &error);
		assert_in_range(toy_launches(1) - before, 2, 2 + lookahead - 1);
		before = toy_launches(1);
		next(&f); /* continues from what was sampled ahead */
		close_fixture(&f);
		assert_in_range(toy_launches(1) - before, 0, 1);
	}
}

static void logits_cost_no_step_after_a_prompt_and_one_after_a_token(void **state)
{
	struct fixture f;
	static const int32_t prompt[] = {4, 5};
	(void)state;
	open_with(&f, (struct greta_options){.no_cache = true, .lookahead = 1});
	feed(&f, prompt, 2);
	const unsigned long before = toy_launches(1);
	check_logits(&f);
	assert_int_equal(toy_launches(1) - before, 0);
	for (int i = 0; i < 5; i++) {
		next(&f);
		check_logits(&f);
		check_logits(&f);
	}
	assert_int_equal(toy_launches(1) - before, 5);
	close_fixture(&f);
}

static void full_contexts_are_refused_before_anything_runs(void **state)
{
	struct fixture f;
	int32_t prompt[TOY_CONTEXT + 1] = {0}, token = -5;
	size_t count = 77;
	struct greta_error error;
	(void)state;
	open_with(&f, (struct greta_options){.no_cache = true});
	assert_int_equal(greta_feed(f.greta, prompt, TOY_CONTEXT + 1, &error), GRETA_ERROR_CONTEXT);
	assert_non_null(strstr(error.message, "65 tokens"));
	assert_non_null(strstr(error.message, "context of 64"));
	assert_int_equal(greta_length(f.greta), 0);
	feed(&f, prompt, TOY_CONTEXT - 3);
	const unsigned long before = toy_launches(1);
	assert_int_equal(greta_generate(f.greta, 4, 0, NULL, NULL, NULL, &count, &error), GRETA_ERROR_CONTEXT);
	assert_int_equal(count, 77);
	assert_int_equal(toy_launches(1), before);
	generate(&f, 3, 0);
	check_logits(&f);
	assert_int_equal(greta_next(f.greta, &token, &error), GRETA_ERROR_CONTEXT);
	assert_int_equal(greta_feed(f.greta, prompt, 1, &error), GRETA_ERROR_CONTEXT);
	assert_int_equal(token, -5);
	truncate_to(&f, 10);
	generate(&f, TOY_CONTEXT - 10, 0);
	close_fixture(&f);
}

static void arguments_without_meaning_are_refused(void **state)
{
	struct fixture f;
	static const int32_t prompt[] = {1, 2, TOY_VOCAB}, negative[] = {-1};
	const float *logits = NULL;
	int32_t token = -5;
	struct greta_error error;
	(void)state;
	open_with(&f, (struct greta_options){.no_cache = true});
	assert_int_equal(greta_feed(f.greta, prompt, 0, &error), GRETA_ERROR_ARGUMENT);
	assert_int_equal(greta_feed(f.greta, prompt, 3, &error), GRETA_ERROR_ARGUMENT);
	assert_non_null(strstr(error.message, "token 2 is 97"));
	assert_int_equal(greta_feed(f.greta, negative, 1, &error), GRETA_ERROR_ARGUMENT);
	assert_int_equal(greta_next(f.greta, &token, &error), GRETA_ERROR_ARGUMENT);
	assert_int_equal(greta_logits(f.greta, &logits, &error), GRETA_ERROR_ARGUMENT);
	assert_int_equal(greta_truncate(f.greta, 1, &error), GRETA_ERROR_ARGUMENT);
	const struct greta_sampling bad[] = {
		{.temperature = -1, .top_p = 1}, {.temperature = 1, .top_p = 0}, {.temperature = 1, .top_p = 1.5f},
		{.temperature = 1, .top_p = 1, .min_p = 1}, {.temperature = 1.0f / 0.0f, .top_p = 1},
		{.temperature = 0.0f / 0.0f, .top_p = 1},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(greta_set_sampling(f.greta, &bad[i], &error), GRETA_ERROR_ARGUMENT);
	/* The toy model has no vocabulary of texts. */
	int32_t *tokens = NULL;
	size_t count = 0;
	assert_int_not_equal(greta_encode(f.greta, "a", 1, true, false, &tokens, &count, &error), GRETA_OK);
	assert_null(tokens);
	close_fixture(&f);
}

static void logits_that_are_not_finite_are_told_with_their_position(void **state)
{
	struct fixture f;
	static const int32_t prompt[] = {1, 2, 3}, bad[] = {4, TOY_BAD_TOKEN}, bad_inside[] = {TOY_BAD_TOKEN, 4};
	int32_t token = -5;
	const float *logits = NULL;
	struct greta_error error;
	(void)state;
	open_with(&f, (struct greta_options){.no_cache = true});
	feed(&f, prompt, 3);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(greta_feed(f.greta, bad, 2, &error), GRETA_ERROR_NUMBERS);
		assert_non_null(strstr(error.message, "position 4 "));
		assert_int_equal(greta_length(f.greta), 3);
		check_logits(&f);
		next(&f);
		truncate_to(&f, 3);
	}
	feed(&f, bad_inside, 2); /* nobody asks for the logits inside a prompt */
	next(&f);
	truncate_to(&f, 4);      /* now they are the last ones */
	assert_int_equal(greta_next(f.greta, &token, &error), GRETA_ERROR_NUMBERS);
	assert_non_null(strstr(error.message, "position 3 "));
	assert_int_equal(greta_logits(f.greta, &logits, &error), GRETA_ERROR_NUMBERS);
	assert_int_equal(token, -5);
	assert_null(logits);
	truncate_to(&f, 3);
	generate(&f, 10, 0);
	close_fixture(&f);
}

/* Random calls in random order, against the oracle. */
static void every_order_of_calls_gives_the_foretold_tokens(void **state)
{
	const char *given = getenv("GRETA_TEST_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 1;
	(void)state;
	print_message("seed %u (set GRETA_TEST_SEED for another)\n", seed);
	srandom(seed);
	for (unsigned variant = 0; variant < 24; variant++) {
		struct fixture f;
		open_with(&f, (struct greta_options){
			.no_cache = true, .eager = variant & 1, .force_upload = variant & 2, .guard = variant & 4,
			.lookahead = (unsigned)random() % 17, .threads = variant % 3,
			.chunk_tokens = variant & 8 ? 1 + (unsigned)random() % 6 : 0,
		});
		for (int step = 0; step < 400; step++) {
			size_t room = TOY_CONTEXT - f.length, n = (size_t)random() % 12;
			int32_t tokens[12];
			for (int i = 0; i < 12; i++)
				tokens[i] = (int32_t)(random() % TOY_BAD_TOKEN);
			n = n < room ? n : room;
			switch (random() % 7) {
			case 0: if (n) feed(&f, tokens, n); break;
			case 1: if (f.length && room) next(&f); break;
			case 2: if (f.length) generate(&f, n, (size_t)random() % 12); break;
			case 3: if (f.length) check_logits(&f); break;
			case 4: truncate_to(&f, (size_t)random() % (f.length + 1)); break;
			case 5: greta_session_set_eager(f.greta, random() & 1); break;
			default: {
				struct greta_error error;
				f.sampling = (struct greta_sampling){.temperature = (float)(random() & 1), .top_p = 1,
								     .seed = (uint64_t)(random() & 3)};
				good(greta_set_sampling(f.greta, &f.sampling, &error), &error);
			}
			}
		}
		struct greta_error error;
		good(greta_check(f.greta, &error), &error);
		close_fixture(&f);
	}
}

/* While another user keeps the device loaded, what a session leaves behind on it would meet the next one. */
static void sessions_leave_the_device_as_they_found_it(void **state)
{
	struct toy toy;
	struct greta_options options = {.no_cache = true, .threads = 1};
	struct greta_hip *hip;
	struct greta_error error;
	(void)state;
	toy_init(&toy);
	good(greta_hip_load("cpu", &(struct greta_hip_options){.threads = 1}, &hip, &error), &error);
	for (int round = 0; round < 2; round++) {
		struct greta *greta;
		struct greta_session_source source = toy_source(&toy, &options);
		good(greta_session_open(&source, &greta, &error), &error);
		greta_close(greta);
	}
	greta_hip_unload(hip);
	toy_finish(&toy);
}

static void statistics_count_what_was_done(void **state)
{
	struct fixture f;
	static const int32_t prompt[] = {1, 2, 3};
	struct greta_stats stats;
	(void)state;
	open_with(&f, (struct greta_options){.no_cache = true});
	greta_get_stats(f.greta, &stats);
	assert_int_equal(stats.launches_per_step, 2);
	assert_int_equal(stats.nodes_per_step, 2);
	assert_int_equal(stats.model_bytes, f.toy.header.model_bytes);
	assert_true(stats.first_token_ms == 0);
	feed(&f, prompt, 3);
	generate(&f, 5, 0);
	next(&f);
	greta_get_stats(f.greta, &stats);
	assert_int_equal(stats.prefill_tokens, 3);
	assert_int_equal(stats.decode_tokens, 5); /* the first of six came with the prompt */
	assert_true(stats.decode_ms > 0 && stats.prefill_ms > 0 && stats.first_token_ms > 0);
	greta_reset_stats(f.greta);
	greta_get_stats(f.greta, &stats);
	assert_int_equal(stats.prefill_tokens + stats.decode_tokens, 0);
	assert_true(stats.first_token_ms > 0);
	close_fixture(&f);
}

static void other_models_and_targets_are_refused_with_the_remedy(void **state)
{
	struct toy toy;
	struct greta_options options = {.no_cache = true};
	struct greta *greta = NULL;
	struct greta_error error;
	(void)state;
	toy_init(&toy);
	struct greta_session_source source = toy_source(&toy, &options);
	toy.header.model_fingerprint[3] ^= 1;
	assert_int_equal(greta_session_open(&source, &greta, &error), GRETA_ERROR_MISMATCH);
	assert_non_null(strstr(error.message, "/nowhere/toy.gguf"));
	assert_non_null(strstr(error.message, "greta-plan build"));
	toy.header.model_fingerprint[3] ^= 1;
	strcpy(toy.header.target, "gfx942");
	assert_int_equal(greta_session_open(&source, &greta, &error), GRETA_ERROR_MISMATCH);
	assert_non_null(strstr(error.message, "gfx942"));
	assert_non_null(strstr(error.message, "--target cpu"));
	strcpy(toy.header.target, "cpu");
	options.provider = "abacus";
	assert_int_equal(greta_session_open(&source, &greta, &error), GRETA_ERROR_ARGUMENT);
	options.provider = NULL;
	options.lookahead = 17;
	assert_int_equal(greta_session_open(&source, &greta, &error), GRETA_ERROR_ARGUMENT);
	options.lookahead = 0;
	source.image = NULL;
	options.kernels = "abacus";
	assert_int_equal(greta_session_open(&source, &greta, &error), GRETA_ERROR_ARGUMENT);
	options.kernels = "ref"; /* whose kernels are not the toy's */
	assert_int_equal(greta_session_open(&source, &greta, &error), GRETA_ERROR_MISMATCH);
	assert_non_null(strstr(error.message, "toy_run"));
	assert_null(greta);
	toy_close_source(&source);
	toy_finish(&toy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prompts_take_the_smallest_program_that_holds_them),
		cmocka_unit_test(pieces_can_be_forced),
		cmocka_unit_test(replays_ahead_are_bounded_and_stop_at_the_limit),
		cmocka_unit_test(logits_cost_no_step_after_a_prompt_and_one_after_a_token),
		cmocka_unit_test(full_contexts_are_refused_before_anything_runs),
		cmocka_unit_test(arguments_without_meaning_are_refused),
		cmocka_unit_test(logits_that_are_not_finite_are_told_with_their_position),
		cmocka_unit_test(every_order_of_calls_gives_the_foretold_tokens),
		cmocka_unit_test(sessions_leave_the_device_as_they_found_it),
		cmocka_unit_test(statistics_count_what_was_done),
		cmocka_unit_test(other_models_and_targets_are_refused_with_the_remedy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
