/* The reference's small operations stay as near to the real numbers as the roundings that define them allow, and the
 * oracle that says so agrees with closed forms. */
#include "tests/kernels/harness.h"

#include <math.h>

#include "kernels/numbers.h"
#include "kernels/oracle/operations.h"
#include "kernels/ref/dequant.h"
#include "tests/accuracy/operation_error.h"

/* The factor is rounded to fp32, then two products: three roundings. */
static void test_rmsnorm_errs_by_three_roundings(void **context)
{
	(void)context;
	for (uint32_t cols = 256; cols <= 8192; cols *= 4)
		assert_in_range((uintmax_t)(rmsnorm_error(cols, 20) * 1000), 500, 3001);
}

/* e^x errs by at most two (1 ulp) and the sum and the quotient add one each. */
static void test_silu_errs_by_four_roundings(void **context)
{
	(void)context;
	assert_in_range((uintmax_t)(silu_error(200) * 1000), 500, 4001);
}

/* Sine and cosine, one product and the sum are rounded: three roundings of |x0 c| + |x1 s|,
 * which is at most 2^0.5 lengths. */
static void test_rope_errs_by_three_roundings(void **context)
{
	(void)context;
	assert_in_range((uintmax_t)(rope_error(64, 4096, 400) * 1000), 500, 4243);
	assert_in_range((uintmax_t)(rope_error(128, 131072, 400) * 1000), 500, 4243);
}

/* Scores err by a few roundings of themselves, weights by as much relatively: measured 5 to 20, with scores of 30 up to
 * 300 (greta-accuracy prints it). A mistake in rescaling one chunk to another is above a million. */
static void test_attention_errs_little(void **context)
{
	(void)context;
	assert_in_range((uintmax_t)attention_error(64, 1, 1, 20), 0, 1);
	assert_in_range((uintmax_t)attention_error(64, 63, 1, 20), 0, 500);
	assert_in_range((uintmax_t)attention_error(128, 1000, 1, 4), 0, 500);
	assert_in_range((uintmax_t)attention_error(32, 300, 8, 10), 0, 5000);
}

static void test_oracle_weights_are_the_fp32_values_before_rounding(void **context)
{
	static const uint32_t types[] = {GRETA_TYPE_F32,  GRETA_TYPE_F16,  GRETA_TYPE_BF16, GRETA_TYPE_Q4_0,
	                                 GRETA_TYPE_Q8_0, GRETA_TYPE_Q4_K, GRETA_TYPE_Q5_K, GRETA_TYPE_Q6_K};
	(void)context;
	for (int run = 0; run < 80; run++) {
		const struct greta_type_info *info = greta_type_info(types[run % 8]);
		uint8_t raw[1024];
		float rounded[256];
		double exact[256];
		for (size_t i = 0; i < sizeof(raw); i++)
			raw[i] = (uint8_t)check_random() & 0x3f; /* scales and floats stay finite */
		greta_oracle_weights(info->type, raw, 256, exact);
		greta_ref_dequantise(info->type, raw, 256, rounded);
		double largest = 0;
		for (int i = 0; i < 256; i++)
			largest = fmax(largest, fabs(exact[i]));
		for (int i = 0; i < 256; i++)
			assert_true(fabs(exact[i] - (double)rounded[i]) <= largest * 0x1p-22);
	}
}

static void test_oracle_agrees_with_closed_forms(void **context)
{
	(void)context;
	double x[256], y[256], logits[4] = {0, log(2), log(4), -INFINITY}, scores[4];
	float ones[256];
	for (int i = 0; i < 256; i++) {
		x[i] = i % 2 ? 3 : -3;
		ones[i] = 1;
	}
	assert_true(greta_oracle_dot(x, x, 255) == 9.0 * 255);
	greta_oracle_rmsnorm(x, ones, 256, 7, y); /* mean of squares 9, plus 7: root 4 */
	assert_true(y[0] == -0.75 && y[255] == 0.75);
	assert_true(fabs(greta_oracle_silu(log(3)) - 0.75 * log(3)) < 1e-15);
	assert_true(fabs(greta_oracle_log_probability(logits, 4, 2) - log(4.0 / 7)) < 1e-15);

	double frequencies[2], pair[4] = {1, 0, 0, 1};
	const float divisors[2] = {1, 8};
	greta_oracle_frequencies(10000, 4, divisors, frequencies);
	assert_true(frequencies[0] == 1 && fabs(frequencies[1] - 0.01 / 8) < 1e-18);
	frequencies[1] = 0.5;
	greta_oracle_rope(pair, 1, 4, 3, frequencies);
	assert_true(fabs(pair[0] - cos(3)) < 1e-15 && fabs(pair[1] - sin(3)) < 1e-15);
	assert_true(fabs(pair[2] + sin(1.5)) < 1e-15 && fabs(pair[3] - cos(1.5)) < 1e-15);

	/* Scores 0 and ln 3: weights 1/4 and 3/4. */
	const double q[2] = {1, 0}, k[4] = {0, 5, log(3) * 2, 7}, v[4] = {4, 0, 8, -4};
	double out[2];
	greta_oracle_attention(q, k, v, 2, 2, 2, 0.5, scores, out);
	assert_true(fabs(out[0] - 7) < 1e-14 && fabs(out[1] + 3) < 1e-14);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_oracle_agrees_with_closed_forms),
	    cmocka_unit_test(test_oracle_weights_are_the_fp32_values_before_rounding),
	    cmocka_unit_test(test_rmsnorm_errs_by_three_roundings),
	    cmocka_unit_test(test_silu_errs_by_four_roundings),
	    cmocka_unit_test(test_rope_errs_by_three_roundings),
	    cmocka_unit_test(test_attention_errs_little),
	};
	check_start(argc, argv);
	return cmocka_run_group_tests_name("accuracy of small operations", tests, NULL, NULL);
}
