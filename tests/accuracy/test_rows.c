/* A weight row times a vector with four digits is more accurate than a sum in fp32, whatever the type, the length, and
 * outliers among the activations. The errors compared differ by a factor of five and more, and each is the largest over
 * many rows: the comparison does not hang on the seed. */
#include "tests/kernels/harness.h"

#include "tests/accuracy/row_error.h"

#define ROWS 64

static const unsigned OUTLIERS[] = {0, 3};

static void check_type(const struct greta_type_info *info, uint32_t cols, unsigned outliers, int below)
{
	struct row_errors worst = row_errors(info->type, cols, ROWS, outliers, below);
	if (worst.digits[4] >= worst.fp32)
		fail_msg("%s, %u columns, %u outliers in 1,000: x32 errs by %.3g, fp32 by %.3g", info->name, cols,
			 outliers, worst.digits[4], worst.fp32);
	for (int digits = 1; digits < 4; digits++)
		if (worst.digits[digits] <= worst.digits[digits + 1])
			fail_msg("%s, %u columns, %u outliers in 1,000: %d digits err by %.3g, %d by %.3g", info->name,
				 cols, outliers, digits, worst.digits[digits], digits + 1, worst.digits[digits + 1]);
}

static void test_four_digits_are_more_accurate_than_fp32(void **context)
{
	static const uint32_t cols[] = {2048, 4096, 8192};
	(void)context;
	for (size_t c = 0; c < sizeof(cols) / sizeof(cols[0]); c++)
		for (size_t o = 0; o < sizeof(OUTLIERS) / sizeof(OUTLIERS[0]); o++) {
#define X(name, id, spelling, values, bytes) check_type(greta_type_info(id), cols[c], OUTLIERS[o], 0);
			GRETA_TYPES(X)
#undef X
		}
}

/* As few columns as a matrix can have, up to the longest row that docs/numbers.md states bounds for. */
static void test_four_digits_are_more_accurate_at_any_length(void **context)
{
	(void)context;
	check_type(greta_type_info(GRETA_TYPE_Q4_K), 256, 3, 0);
	check_type(greta_type_info(GRETA_TYPE_Q6_K), 256, 3, 0);
	check_type(greta_type_info(GRETA_TYPE_Q4_K), 32768, 3, 0);
	check_type(greta_type_info(GRETA_TYPE_Q6_K), 32768, 3, 0);
}

/* One large scale anywhere in a tensor makes the unit of all its rows coarser;
 * docs/accuracy.md says how far this goes. */
static void test_four_digits_are_more_accurate_below_a_large_scale(void **context)
{
	(void)context;
	check_type(greta_type_info(GRETA_TYPE_Q4_K), 4096, 3, 6);
	check_type(greta_type_info(GRETA_TYPE_Q6_K), 4096, 3, 9);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_four_digits_are_more_accurate_than_fp32),
	    cmocka_unit_test(test_four_digits_are_more_accurate_at_any_length),
	    cmocka_unit_test(test_four_digits_are_more_accurate_below_a_large_scale),
	};
	check_start(argc, argv);
	return cmocka_run_group_tests_name("accuracy of products", tests, NULL, NULL);
}
