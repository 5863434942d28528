/* kernels/numbers.h against the C library in higher precision, and against its own promises. */
#include "tests/kernels/harness.h"

#include <math.h>
#include <string.h>

#include "kernels/numbers.h"
#include "kernels/random.h"
#include "kernels/ref/vector.h"

/* Distance of y from `exact` in units of y's last place. */
static double ulps(float y, double exact)
{
	int e;
	frexp(exact, &e);
	return fabs((double)y - exact) / ldexp(1, (e < -125 ? -125 : e) - 24);
}

static void test_expf_is_within_an_ulp(void **context)
{
	double worst = 0;
	(void)context;
	for (uint32_t u = 0; u < 0x42b17218; u += 97) { /* 0 to 88.72 */
		worst = fmax(worst, ulps(greta_expf(greta_float(u)), exp((double)greta_float(u))));
		worst = fmax(worst, ulps(greta_expf(-greta_float(u)), exp(-(double)greta_float(u))));
	}
	for (int i = 0; i < 179000; i++) { /* results that are denormal */
		float x = -86.0f - 0.0001f * (float)i;
		worst = fmax(worst, ulps(greta_expf(x), exp((double)x)));
	}
	assert_true(worst < 1.0);
	assert_true(greta_expf(0) == 1 && greta_expf(-0.0f) == 1);
	assert_true(greta_expf(-INFINITY) == 0 && greta_expf(-104.5f) == 0);
	assert_true(isinf(greta_expf(88.8f)) && isinf(greta_expf(INFINITY)));
	assert_true(isnan(greta_expf(NAN)));
}

static void test_siluf_ends(void **context)
{
	(void)context;
	assert_true(greta_siluf(0) == 0 && greta_siluf(100) == 100);
	assert_true(greta_siluf(-200) == 0 && fabsf(greta_siluf(-5) + 0.03346425f) < 1e-8f);
}

static void test_sincos_is_rounded_well(void **context)
{
	double worst = 0;
	(void)context;
	for (int i = 0; i < 3000000; i++) {
		double a = (double)check_below(1u << 20) * (double)check_uniform(0, 1);
		float s, c;
		greta_sincos(a, &s, &c);
		worst = fmax(worst, fmax(fabs((double)s - sin(a)), fabs((double)c - cos(a))));
	}
	assert_true(worst < 0x1.0001p-25); /* half a unit in the last place just below 1, and a trace */
}

static void test_exp_and_log(void **context)
{
	(void)context;
	for (int i = 0; i < 300000; i++) {
		double x = ((double)check_uniform(-1, 1)) * 600, y = exp(((double)check_uniform(-1, 1)) * 30);
		assert_true(fabs(greta_exp(x) / exp(x) - 1) < 4e-16);
		assert_true(fabs(greta_log(y) - log(y)) <= 4e-16 * fmax(1, fabs(log(y))));
	}
}

static void test_halves(void **context)
{
	(void)context;
	for (uint32_t h = 0; h < 65536; h++) {
		float x = greta_f16_to_f32((uint16_t)h);
		double magnitude =
		    (h & 0x7c00) == 0 ? ldexp(h & 1023, -24) : ldexp((h & 1023) | 1024, (int)(h >> 10 & 31) - 25);
		if ((h & 0x7fff) < 0x7c00) {
			assert_true((double)fabsf(x) == magnitude);
			assert_true(!!signbit(x) == (h >> 15));
			assert_int_equal(greta_f32_to_f16(x), h);
			/* A hair beyond the middle to the next number goes up, a hair before it stays. */
			float next = greta_f16_to_f32((uint16_t)(h + 1));
			float middle = (float)(0.5 * ((double)x + (double)next));
			if ((h & 0x7fff) < 0x7bff) {
				assert_int_equal(greta_f32_to_f16(middle), h + (h & 1));
				assert_int_equal(greta_f32_to_f16(nextafterf(middle, x)), h);
				assert_int_equal(greta_f32_to_f16(nextafterf(middle, next)), h + 1);
			}
		}
	}
	assert_int_equal(greta_f32_to_f16(65519.99f), 0x7bff);
	assert_int_equal(greta_f32_to_f16(65520.0f), 0x7c00);
	assert_int_equal(greta_f32_to_f16(-INFINITY), 0xfc00);
	assert_int_equal(greta_f32_to_f16(NAN) & 0x7fff, 0x7e00);
}

/* The exponent is the smallest for which the largest value fits, for every mantissa at both ends of a binade. */
static void test_digits_fit_tightly(void **context)
{
	(void)context;
	for (int digits = 1; digits <= 4; digits++) {
		double bound = 127.0 * (pow(256, digits) - 1) / 255;
		for (uint32_t m = 0; m < 0x800000; m += m < 0x7e0000 ? 4099 : 1) {
			float x = greta_float(127u << 23 | m);
			int e = greta_digits_exponent(127u << 23 | m, digits);
			assert_true(rint(ldexp((double)x, 8 * digits - 1 - e)) <= bound);
			assert_true(rint(ldexp((double)x, 8 * digits - e)) > bound);
		}
	}
	assert_int_equal(greta_digits_exponent(0, 4), GRETA_EXPONENT_MIN);
	assert_int_equal(greta_digits_exponent(0x7f7fffff, 4), 129);
	assert_int_equal(greta_digits_exponent(0x7f800000, 4), GRETA_EXPONENT_NONFINITE);
	assert_int_equal(greta_digits_exponent(0x7fc00000, 1), GRETA_EXPONENT_NONFINITE);
}

static void test_digits_add_up(void **context)
{
	(void)context;
	for (int i = 0; i < 1000000; i++) {
		int digits = 1 + i % 4;
		int64_t bound = INT64_C(127) * ((INT64_C(1) << 8 * digits) - 1) / 255;
		int64_t x =
		    i < 8 ? (i & 4 ? -bound : bound) : (int64_t)(check_random() % (2 * (uint64_t)bound + 1)) - bound;
		uint32_t split = greta_digits_split((int32_t)x);
		int64_t sum = 0;
		for (int d = 3; d >= 0; d--)
			sum = sum * 256 + (int8_t)(split >> 8 * d);
		assert_true(sum == x);
		assert_true(digits == 4 || split >> 8 * digits == 0);
	}
}

/* In a block's own unit the error of x32 is at most half a unit of 2^-31 of its largest value's power of two. */
static void test_digits_are_accurate(void **context)
{
	(void)context;
	for (int run = 0; run < 300; run++) {
		float x[256];
		struct greta_ref_digits_block block;
		check_fill_nasty(x, 256);
		for (int digits = 1; digits <= 4; digits++) {
			greta_ref_digits_of(x, digits, &block);
			for (int i = 0; i < 256; i++)
				assert_true(fabs(ldexp((double)block.x[i], block.exponent - (8 * digits - 1)) -
				                 (double)x[i]) <= ldexp(0.5, block.exponent - (8 * digits - 1)));
		}
	}
}

/* First two words of Philox4x32-10,
 * from the known answers published with Random123 (kat_vectors): counter and key zero. */
static void test_philox_known_answer(void **context)
{
	(void)context;
	assert_true(greta_random(0, 0) == UINT64_C(0xe169c58d6627e8d5));
	for (int i = 0; i < 100000; i++) {
		uint64_t bits = check_random(), bound = check_random() >> check_below(64);
		assert_true(greta_random_below(bits, bound) == (uint64_t)((unsigned __int128)bits * bound >> 64));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_expf_is_within_an_ulp), cmocka_unit_test(test_siluf_ends),
	    cmocka_unit_test(test_sincos_is_rounded_well), cmocka_unit_test(test_exp_and_log),
	    cmocka_unit_test(test_halves), cmocka_unit_test(test_digits_fit_tightly), cmocka_unit_test(test_digits_add_up),
	    cmocka_unit_test(test_digits_are_accurate), cmocka_unit_test(test_philox_known_answer),
	};
	check_start(argc, argv);
	return cmocka_run_group_tests_name("numbers", tests, NULL, NULL);
}
