/* Whole-model logits against the fp64 oracle: the bundled model, a piece of its held-out text, every number format that
 * a user may choose. The numbers are the same bits everywhere, so the bounds are the measured errors (docs/accuracy.md)
 * with room for libm's differences in the oracle only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/oracle/model.h"
#include "runtime/greta.h"

#define TOKENS 140 /* more than two of the chunks in which attention sums */

static const char TEXT[] =
    "Then Jacob went on his journey, and came into the land of the people of the east. And he looked, and behold a well in the "
    "field, and, lo, there were three flocks of sheep lying by it; for out of that well they watered the flocks: and a great "
    "stone was upon the well's mouth. And thither were all the flocks gathered: and they rolled the stone from the well's mouth, "
    "and watered the sheep, and put the stone again upon the well's mouth in his place. And Jacob said unto them, My brethren, "
    "whence be ye? And they said, Of Haran are we.";

static const char *model_path;

struct reference {
	struct greta_gguf *gguf;
	struct greta_llama llama;
	struct greta_oracle *oracle;
	int32_t *tokens;
	double *logits; /* [TOKENS][n_vocab] */
};

static void check(enum greta_status status, const struct greta_error *error)
{
	if (status)
		fail_msg("%s", error->message);
}

static struct greta *open_session(unsigned activations, enum greta_choice_kv kv)
{
	struct greta_options options = {.context = 256, .activations = activations, .kv = kv, .no_cache = true};
	struct greta_error error;
	struct greta *greta;
	check(greta_open(model_path, &options, &greta, &error), &error);
	return greta;
}

static int set_up(void **state)
{
	struct reference *r = calloc(1, sizeof(*r));
	struct greta_error error;
	size_t count;
	assert_non_null(r);
	struct greta *greta = open_session(4, GRETA_OPEN_KV_F32);
	check(greta_encode(greta, TEXT, sizeof(TEXT) - 1, true, false, &r->tokens, &count, &error), &error);
	greta_close(greta);
	assert_in_range(count, TOKENS, 256);
	check(greta_gguf_open(model_path, &r->gguf, &error), &error);
	check(greta_llama_init(&r->llama, r->gguf, &error), &error);
	check(greta_oracle_create(&r->llama, TOKENS, &r->oracle, &error), &error);
	r->logits = calloc((size_t)TOKENS * r->llama.n_vocab, sizeof(*r->logits));
	assert_non_null(r->logits);
	check(greta_oracle_feed(r->oracle, r->tokens, TOKENS, TOKENS, r->logits, &error), &error);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct reference *r = *state;
	if (!r)
		return 0;
	greta_oracle_destroy(r->oracle);
	greta_llama_finish(&r->llama);
	greta_gguf_close(r->gguf);
	free(r->tokens);
	free(r->logits);
	free(r);
	return 0;
}

/* The largest difference of any logit at any position. */
static double largest_error(const struct reference *r, unsigned activations, enum greta_choice_kv kv)
{
	struct greta *greta = open_session(activations, kv);
	struct greta_error error;
	const float *logits;
	double largest = 0;
	for (size_t t = 0; t < TOKENS; t++) {
		check(greta_feed(greta, r->tokens + t, 1, &error), &error);
		check(greta_logits(greta, &logits, &error), &error);
		for (size_t i = 0; i < r->llama.n_vocab; i++)
			largest = fmax(largest, fabs((double)logits[i] - r->logits[t * r->llama.n_vocab + i]));
	}
	greta_close(greta);
	printf("x%u, %s cache: logits err by at most %.2g\n", 8 * activations, kv == GRETA_OPEN_KV_F32 ? "f32" : "f16",
	       largest);
	return largest;
}

static void test_x32_with_an_f32_cache(void **state) { assert_true(largest_error(*state, 4, GRETA_OPEN_KV_F32) < 5e-6); }
static void test_x32_with_an_f16_cache(void **state) { assert_true(largest_error(*state, 4, GRETA_OPEN_KV_F16) < 4e-3); }
static void test_x24_with_an_f32_cache(void **state) { assert_true(largest_error(*state, 3, GRETA_OPEN_KV_F32) < 1e-5); }
static void test_x16_with_an_f32_cache(void **state) { assert_true(largest_error(*state, 2, GRETA_OPEN_KV_F32) < 3e-3); }
static void test_x8_with_an_f32_cache(void **state) { assert_true(largest_error(*state, 1, GRETA_OPEN_KV_F32) < 0.6); }

/* The oracle takes tokens one by one or all at once: that makes no difference, not even in the last bit. */
static void test_the_oracle_gives_the_same_token_by_token(void **state)
{
	struct reference *r = *state;
	struct greta_error error;
	double *logits = calloc(r->llama.n_vocab, sizeof(*logits));
	assert_non_null(logits);
	greta_oracle_truncate(r->oracle, 70);
	check(greta_oracle_feed(r->oracle, r->tokens + 70, 9, 0, NULL, &error), &error);
	check(greta_oracle_feed(r->oracle, r->tokens + 79, 1, 1, logits, &error), &error);
	assert_memory_equal(logits, r->logits + (size_t)79 * r->llama.n_vocab, r->llama.n_vocab * sizeof(*logits));
	free(logits);
}

static void test_the_oracle_refuses_what_does_not_fit(void **state)
{
	struct reference *r = *state;
	struct greta_error error;
	const int32_t bad[] = {0, (int32_t)r->llama.n_vocab};
	greta_oracle_truncate(r->oracle, TOKENS - 1);
	assert_int_equal(greta_oracle_feed(r->oracle, bad, 2, 0, NULL, &error), GRETA_ERROR_ARGUMENT);
	assert_int_equal(greta_oracle_feed(r->oracle, r->tokens, TOKENS, 0, NULL, &error), GRETA_ERROR_CONTEXT);
	assert_int_equal(greta_oracle_feed(r->oracle, r->tokens, 1, 2, NULL, &error), GRETA_ERROR_ARGUMENT);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_x32_with_an_f32_cache),
	    cmocka_unit_test(test_x32_with_an_f16_cache),
	    cmocka_unit_test(test_x24_with_an_f32_cache),
	    cmocka_unit_test(test_x16_with_an_f32_cache),
	    cmocka_unit_test(test_x8_with_an_f32_cache),
	    cmocka_unit_test(test_the_oracle_gives_the_same_token_by_token),
	    cmocka_unit_test(test_the_oracle_refuses_what_does_not_fit),
	};
	if (argc != 2) {
		fprintf(stderr, "usage: %s MODEL\n", argv[0]);
		return 2;
	}
	model_path = argv[1];
	return cmocka_run_group_tests_name("accuracy of the bundled model", tests, set_up, tear_down);
}
