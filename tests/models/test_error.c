/* Messages stay one printable line of UTF-8, whatever names the files put into them. */
#include "models/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_keeps_what_is_printable(void **state)
{
	(void)state;
	struct greta_error error = {0};
	assert_int_equal(greta_fail(&error, GRETA_ERROR_IO, "cannot open %s: %d", "gr\u00fc\u00dfe \U0001f600", 7),
			 GRETA_ERROR_IO);
	assert_int_equal(error.status, GRETA_ERROR_IO);
	assert_string_equal(error.message, "cannot open gr\u00fc\u00dfe \U0001f600: 7");
	assert_int_equal(greta_fail(NULL, GRETA_ERROR_MEMORY, "nobody reads this"), GRETA_ERROR_MEMORY);
}

static void test_replaces_what_is_not(void **state)
{
	(void)state;
	struct greta_error error = {0};
	greta_fail(&error, GRETA_ERROR_FORMAT, "a%sz", "\n\x1b[2J\x7f\xff\xc0\x80\xe2\x82x");
	assert_string_equal(error.message, "a??[2J??" "??" "??xz");
}

/* A three-byte character at every place around the end of the buffer. */
static void test_cuts_between_characters(void **state)
{
	(void)state;
	for (size_t before = 500; before < 515; before++) {
		struct greta_error error;
		char text[600];
		memset(&error, 0xee, sizeof(error));
		memset(text, 'a', before);
		memcpy(text + before, "\u20ac and more", sizeof("\u20ac and more"));
		greta_fail(&error, GRETA_ERROR_FORMAT, "%s", text);
		size_t length = strlen(error.message), kept = before < 511 ? before : 511;
		assert_true(length >= kept && length < sizeof(error.message));
		assert_memory_equal(error.message, text, kept);
		if (before <= 508)
			assert_memory_equal(error.message + before, "\u20ac", 3);
		else
			assert_int_equal(length, kept);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keeps_what_is_printable),
	    cmocka_unit_test(test_replaces_what_is_not),
	    cmocka_unit_test(test_cuts_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
