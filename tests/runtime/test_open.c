/* greta_open, as a program calls it: what has no meaning is refused, and a session holds what was asked for. Argument:
 * a model. */
#include "runtime/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *model;

static void refused(const struct greta_options *options, const char *words)
{
	struct greta *greta = NULL;
	struct greta_error error = {.message = ""};
	assert_int_equal(greta_open(model, options, &greta, &error), GRETA_ERROR_ARGUMENT);
	assert_null(greta);
	if (!strstr(error.message, words))
		fail_msg("no \"%s\" in: %s", words, error.message);
}

static struct greta *open_with(unsigned threads)
{
	struct greta_options options = {.provider = "cpu", .no_cache = true, .threads = threads, .context = 64};
	struct greta *greta = NULL;
	struct greta_error error;
	if (greta_open(model, &options, &greta, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	return greta;
}

static void options_without_meaning_are_refused(void **state)
{
	(void)state;
	const struct greta_options none = {.provider = "cpu", .no_cache = true};
	struct greta_options bad = none;
	bad.kv = 7;
	refused(&bad, "kv 7");
	bad = none;
	bad.fuse = 9;
	refused(&bad, "fuse 9");
	bad = none;
	bad.stamps = 9;
	refused(&bad, "stamps 9");
	bad = none;
	bad.activations = 5;
	refused(&bad, "5 digits");
	bad = none;
	bad.no_prefill = true;
	bad.prefill[0] = 32;
	refused(&bad, "none at all");
	bad.no_prefill = false;
	bad.prefill[1] = 8;
	refused(&bad, "8 cannot follow 32");
	bad.prefill[1] = 32;
	refused(&bad, "32 cannot follow 32");
}

static void other_threads_than_those_in_use_are_refused(void **state)
{
	(void)state;
	struct greta *greta = open_with(2), *second = open_with(2);
	refused(&(struct greta_options){.provider = "cpu", .no_cache = true, .threads = 1}, "in use with 2 threads");
	greta_close(greta);
	refused(&(struct greta_options){.provider = "cpu", .no_cache = true, .threads = 2, .guard = true},
		"with 2 threads and guard bands");
	greta_close(second);
	greta_close(open_with(1));
}

static bool listen(void *user, int32_t token, const char *text, size_t length)
{
	(void)user, (void)token, (void)text, (void)length;
	return true;
}

static void held_text_goes_when_the_sequence_goes_on_without_it(void **state)
{
	struct greta *greta = open_with(1);
	struct greta_error error;
	int32_t token = 300;
	(void)state;
	assert_int_equal(greta_feed(greta, &token, 1, &error), GRETA_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(greta_generate(greta, 1, GRETA_HOLD_TEXT | GRETA_IGNORE_END, listen, NULL, NULL, NULL, &error),
				 GRETA_OK);
		assert_non_null(greta->text);
	}
	assert_int_equal(greta_next(greta, &token, &error), GRETA_OK);
	assert_null(greta->text);
	greta_close(greta);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_without_meaning_are_refused),
		cmocka_unit_test(other_threads_than_those_in_use_are_refused),
		cmocka_unit_test(held_text_goes_when_the_sequence_goes_on_without_it),
	};
	if (argc != 2)
		return EXIT_FAILURE;
	model = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
