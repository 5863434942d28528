/* Sessions over the toy model on the cpu provider, every HIP call failing in turn: as graphs, launch by launch, and
 * with weights uploaded as for a device of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/runtime/fault_walk.h"
#include "tests/runtime/toy.h"

#include <string.h>

#define PROMPT 19
#define GENERATED 10

struct setting {
	struct toy toy;
	struct greta_options options;
};

struct heard {
	int32_t tokens[PROMPT + GENERATED];
	size_t count;
};

static bool hear(void *user, int32_t token, const char *text, size_t length)
{
	struct heard *heard = user;
	(void)text;
	(void)length;
	heard->tokens[heard->count++] = token;
	return true;
}

static void check(const struct toy *toy, const struct heard *heard, const float *logits)
{
	const struct greta_sampling greedy = {.top_p = 1};
	assert_int_equal(heard->count, PROMPT + GENERATED);
	for (size_t i = PROMPT; i < heard->count; i++)
		assert_int_equal(heard->tokens[i], toy_next(toy, heard->tokens, i, &greedy));
	for (uint32_t i = 0; i < TOY_VOCAB; i++)
		assert_true(logits[i] == toy_logit(toy, heard->tokens, heard->count, i));
}

static enum greta_status run(void *user, struct greta_hip *hip, struct greta_error *error)
{
	struct setting *setting = user;
	struct heard heard = {.count = PROMPT};
	struct greta_session_source source = toy_source(&setting->toy, &setting->options);
	struct greta *greta;
	struct greta_error again;
	const float *logits;
	for (int i = 0; i < PROMPT; i++)
		heard.tokens[i] = i + (i >= TOY_BAD_TOKEN);
	source.hip = hip;
	enum greta_status status = greta_session_open(&source, &greta, error);
	if (status != GRETA_OK) {
		toy_close_source(&source);
		return status;
	}
	status = greta_feed(greta, heard.tokens, PROMPT, error);
	if (status == GRETA_OK)
		status = greta_generate(greta, GENERATED, 0, hear, &heard, NULL, NULL, error);
	if (status == GRETA_OK)
		status = greta_logits(greta, &logits, error);
	if (status == GRETA_OK) {
		check(&setting->toy, &heard, logits);
	} else {
		/* What a device does after an error is not known: the session is over. */
		assert_int_equal(greta_feed(greta, heard.tokens, 1, &again), GRETA_ERROR_DEVICE);
		assert_non_null(strstr(again.message, "broken"));
	}
	greta_close(greta);
	return status;
}

static void walk(struct greta_options options)
{
	struct setting setting = {.options = options};
	struct greta_hip *hip;
	struct greta_error error;
	toy_init(&setting.toy);
	if (greta_hip_load("cpu", &(struct greta_hip_options){.threads = 2, .guard = true}, &hip, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	assert_true(walk_faults(&(struct fault_walk){.hip = hip, .run = run, .user = &setting}) > 60);
	greta_hip_unload(hip);
	toy_finish(&setting.toy);
}

static void as_graphs(void **state)
{
	(void)state;
	walk((struct greta_options){.no_cache = true, .threads = 1});
}

static void launch_by_launch(void **state)
{
	(void)state;
	walk((struct greta_options){.no_cache = true, .threads = 1, .eager = true});
}

static void with_weights_uploaded(void **state)
{
	(void)state;
	walk((struct greta_options){.no_cache = true, .threads = 1, .force_upload = true});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_graphs),
		cmocka_unit_test(launch_by_launch),
		cmocka_unit_test(with_weights_uploaded),
	};
	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
