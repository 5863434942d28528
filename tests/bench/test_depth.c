/* What a test at a depth finds in the cache: the filler's tokens, all of them, at their positions, and nothing else;
 * however the sequence was used before. Argument: the model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/configs.h"

#define DEEPEST 150 /* more than two chunks of attention, and no multiple of anything */
#define PROMPT  20
#define STEPS   6

static const char *model_path;

static void must(enum greta_status status, const struct greta_error *error)
{
	if (status != GRETA_OK)
		fail_msg("%s", error->message);
}

static int32_t filler[DEEPEST], prompt[PROMPT];
static const struct bench_tokens TOKENS = {.filler = filler, .prompt = prompt, .prompt_count = PROMPT};

static struct bench_configs open_configs(void)
{
	struct bench_request request = {.model = model_path,
	                                .options = {.provider = "cpu", .no_cache = true},
	                                .prompt = PROMPT,
	                                .generate = STEPS,
	                                .depths = {DEEPEST},
	                                .depth_count = 1,
	                                .eager = {true, true},
	                                .fuse = {false, true}};
	struct bench_configs configs;
	struct greta_error error;
	for (int i = 0; i < DEEPEST; i++)
		filler[i] = 300 + 37 * i % 1500;
	for (int i = 0; i < PROMPT; i++)
		prompt[i] = 400 + 53 * i % 1500;
	must(bench_configs_open(&request, bench_context(&request), &configs, &error), &error);
	assert_int_equal(configs.count, 2);
	assert_int_equal(greta_get_info(configs.items[0].greta)->context, DEEPEST + PROMPT);
	return configs;
}

/* The logits behind the first `depth` tokens of the filler, and then `count` of the prompt, in a session that has never
 * seen anything else and takes them one by one. */
static float *fresh_logits(size_t depth, size_t count)
{
	struct greta_options options = {
	    .provider = "cpu", .no_cache = true, .context = DEEPEST + PROMPT, .chunk_tokens = 1};
	struct greta *greta;
	struct greta_error error;
	const float *logits;
	must(greta_open(model_path, &options, &greta, &error), &error);
	must(greta_feed(greta, filler, depth, &error), &error);
	if (count)
		must(greta_feed(greta, prompt, count, &error), &error);
	must(greta_logits(greta, &logits, &error), &error);
	size_t bytes = greta_get_info(greta)->vocab * sizeof(float);
	float *copy = malloc(bytes);
	assert_non_null(copy);
	memcpy(copy, logits, bytes);
	greta_close(greta);
	return copy;
}

static void check_logits(struct greta *greta, size_t depth, size_t count)
{
	struct greta_error error;
	const float *logits;
	float *wanted = fresh_logits(depth, count);
	assert_int_equal(greta_length(greta), depth + count);
	must(greta_logits(greta, &logits, &error), &error);
	assert_memory_equal(logits, wanted, greta_get_info(greta)->vocab * sizeof(float));
	free(wanted);
}

static void the_cache_is_filled_to_the_depth(void **context)
{
	(void)context;
	struct bench_configs configs = open_configs();
	struct greta_error error;
	double ns;
	size_t start;
	for (size_t c = 0; c < configs.count; c++) {
		struct bench_config *config = &configs.items[c];
		/* Up, over what a decode test leaves behind, down again. */
		must(bench_fill(config, filler, 70, &error), &error);
		check_logits(config->greta, 70, 0);
		must(bench_time_decode(config, &TOKENS, 70, STEPS, &ns, &start, &error), &error);
		assert_int_equal(start, 70);
		must(bench_fill(config, filler, DEEPEST, &error), &error);
		check_logits(config->greta, DEEPEST, 0);
		must(bench_fill(config, filler, 33, &error), &error);
		check_logits(config->greta, 33, 0);
	}
	bench_configs_close(&configs);
}

static void prefill_is_behind_the_depth(void **context)
{
	(void)context;
	struct bench_configs configs = open_configs();
	struct greta_error error;
	double ns;
	for (size_t c = 0; c < configs.count; c++)
		for (int again = 0; again < 2; again++) {
			must(bench_time_prefill(&configs.items[c], &TOKENS, 100, &ns, &error), &error);
			check_logits(configs.items[c].greta, 100, PROMPT);
			assert_true(ns > 0);
		}
	bench_configs_close(&configs);
}

/* As many steps as were asked for are timed, not one less for the token that was there before. */
static void decode_takes_its_steps(void **context)
{
	(void)context;
	struct bench_configs configs = open_configs();
	const size_t depths[] = {0, 1, 100};
	for (size_t c = 0; c < configs.count; c++)
		for (size_t d = 0; d < 3; d++) {
			struct bench_config *config = &configs.items[c];
			struct greta_error error;
			struct greta_stats stats;
			double ns;
			size_t start;
			greta_reset_stats(config->greta);
			must(bench_time_decode(config, &TOKENS, depths[d], STEPS, &ns, &start, &error), &error);
			greta_get_stats(config->greta, &stats);
			assert_int_equal(start, depths[d] ? depths[d] : 1);
			assert_int_equal(stats.decode_tokens, STEPS);
			assert_int_equal(greta_length(config->greta), start + STEPS + 1);
		}
	bench_configs_close(&configs);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_cache_is_filled_to_the_depth),
	    cmocka_unit_test(prefill_is_behind_the_depth),
	    cmocka_unit_test(decode_takes_its_steps),
	};
	if (argc != 2) {
		fprintf(stderr, "usage: test-bench-depth MODEL\n");
		return 2;
	}
	model_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
