/* Any bytes become a JSON string. */
#include "models/json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_replaces_what_is_no_character(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"", ""},
		{"plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"caf\xe9.gguf", "caf\ufffd.gguf"},
		{"\xff\xfe", "\ufffd\ufffd"},
		{"a\xe2\x82", "a\ufffd"},                  /* cut short */
		{"\xed\xa0\x80", "\ufffd\ufffd\ufffd"}, /* a surrogate */
		{"\n\"\x7f", "\n\"\x7f"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *made = greta_json_text(cases[i][0]);
		assert_non_null(made);
		assert_string_equal(json_string_value(made), cases[i][1]);
		json_decref(made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_replaces_what_is_no_character)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
