/* Ranges reach the library of AMD's profilers, here a fake one that LD_LIBRARY_PATH leads to;
 * without a library they are nothing. */
#include "runtime/ranges.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void ranges_are_told(void **state)
{
	struct greta_ranges ranges;
	(void)state;
	greta_ranges_init(&ranges, "amd");
	assert_non_null(ranges.library);
	const int *depth = dlsym(ranges.library, "fake_depth"), *pushes = dlsym(ranges.library, "fake_pushes");
	if (!depth || !pushes) {
		skip(); /* a real one comes first */
		return;
	}
	greta_range_begin(&ranges, "outer");
	greta_range_begin(&ranges, "decode");
	assert_int_equal(*depth, 2);
	greta_range_end(&ranges);
	greta_range_end(&ranges);
	assert_int_equal(*depth, 0);
	assert_int_equal(*pushes, 1);
	greta_ranges_finish(&ranges);
	assert_null(ranges.library);
}

static void without_a_library_nothing_happens(void **state)
{
	struct greta_ranges ranges;
	(void)state;
	greta_ranges_init(&ranges, "cpu");
	assert_null(ranges.library);
	greta_range_begin(&ranges, "decode");
	greta_range_end(&ranges);
	greta_ranges_finish(&ranges);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ranges_are_told),
	    cmocka_unit_test(without_a_library_nothing_happens),
	};
	return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
