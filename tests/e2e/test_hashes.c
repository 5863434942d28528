/* One hash, whatever the way: the bundled model's logits, eager and as a graph, unfused and fused, in every form of the
 * kernels, with 1, 2 and 5 threads, the prompt in chunks of any size or token by token. The hashes themselves are fixed
 * here and stand in docs/numbers.md: a machine that gives another is broken, or the definition was changed.
 *
 * Usage: test-hashes MODEL TEXT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/cpu/module.h"
#include "runtime/exec/logits_hash.h"
#include "runtime/greta.h"

#define PROMPT 44
#define GENERATED 256
#define LONGEST 300

static const char *model_path, *text_path;

/* Of the first PROMPT tokens of the held-out text and GENERATED greedy ones behind them. */
static const struct {
	unsigned activations;
	enum greta_choice_kv kv;
	const char *hash;
} EXPECTED[] = {
    {4, GRETA_OPEN_KV_F16, "1519cf55e14d88e178c69a469f3dbcd2"},
    {3, GRETA_OPEN_KV_F16, "7c46b8f4417ac21c42abc1d616b7b249"},
    {2, GRETA_OPEN_KV_F16, "0a96799c5f41c5254185390d0d6e40dd"},
    {1, GRETA_OPEN_KV_F16, "befe3952b1a28eb224b163200cef1dfb"},
    {4, GRETA_OPEN_KV_F32, "9023a3286fdd2d8aeb0921844b515718"},
};

struct way {
	const char *kernels;
	enum greta_choice_fuse fuse;
	bool eager;
	unsigned threads, chunk;
};

static void must(enum greta_status status, const struct greta_error *error)
{
	if (status)
		fail_msg("%s", error->message);
}

static struct greta *open_way(const struct way *way, unsigned activations, enum greta_choice_kv kv)
{
	struct greta_options options = {.kernels = way->kernels, .fuse = way->fuse, .eager = way->eager,
	                                .threads = way->threads, .chunk_tokens = way->chunk, .context = 320,
	                                .activations = activations, .kv = kv, .no_cache = true};
	struct greta *greta;
	struct greta_error error;
	must(greta_open(model_path, &options, &greta, &error), &error);
	return greta;
}

/* The first `count` tokens of the text. */
static void read_tokens(const struct greta *greta, int32_t *out, size_t count)
{
	static char text[8192];
	FILE *file = fopen(text_path, "rb");
	assert_non_null(file);
	size_t length = fread(text, 1, sizeof(text), file), found;
	fclose(file);
	int32_t *tokens;
	struct greta_error error;
	must(greta_encode(greta, text, length, true, false, &tokens, &found, &error), &error);
	assert_true(found >= count);
	memcpy(out, tokens, count * sizeof(*out));
	free(tokens);
}

static void add_logits(struct greta *greta, struct greta_logits_hash *hash)
{
	const float *logits;
	struct greta_error error;
	must(greta_logits(greta, &logits, &error), &error);
	greta_logits_hash_add(hash, logits, greta_get_info(greta)->vocab);
}

static void hash_of(const struct way *way, unsigned activations, enum greta_choice_kv kv, size_t generated,
                    char out[GRETA_LOGITS_HASH_TEXT])
{
	struct greta *greta = open_way(way, activations, kv);
	struct greta_logits_hash *hash;
	struct greta_error error;
	int32_t tokens[PROMPT], token;
	must(greta_logits_hash_create(&hash, &error), &error);
	read_tokens(greta, tokens, PROMPT);
	must(greta_feed(greta, tokens, PROMPT, &error), &error);
	add_logits(greta, hash);
	for (size_t i = 0; i < generated; i++) {
		must(greta_next(greta, &token, &error), &error);
		add_logits(greta, hash);
	}
	greta_logits_hash_text(hash, out);
	greta_logits_hash_destroy(hash);
	greta_close(greta);
}

static void check_way(const struct way *way, size_t e)
{
	char hash[GRETA_LOGITS_HASH_TEXT];
	hash_of(way, EXPECTED[e].activations, EXPECTED[e].kv, GENERATED, hash);
	if (strcmp(hash, EXPECTED[e].hash) != 0)
		fail_msg("x%u, kernels %s, fuse %d, eager %d, threads %u, chunk %u: %s, expected %s",
		         EXPECTED[e].activations * 8, way->kernels ? way->kernels : "auto", (int)way->fuse, way->eager,
		         way->threads, way->chunk, hash, EXPECTED[e].hash);
}

static void test_every_way_gives_the_hash(void **context)
{
	static const struct way ways[] = {
	    {.eager = true},
	    {.fuse = GRETA_OPEN_FUSE_NONE},
	    {.fuse = GRETA_OPEN_FUSE_NONE, .eager = true, .threads = 1},
	    {.threads = 1},
	    {.threads = 2},
	    {.threads = 5},
	    {.chunk = 1},
	    {.chunk = 7, .fuse = GRETA_OPEN_FUSE_NONE},
	};
	(void)context;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		check_way(&ways[i], 0);
}

static void test_every_form_gives_the_hash(void **context)
{
	static const char *const forms[] = {"amx", "avx512", "avx2", "portable", "ref"};
	(void)context;
	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		if (!greta_cpu_module(forms[f])) {
			print_message("this processor has no %s\n", forms[f]);
			continue;
		}
		check_way(&(struct way){.kernels = forms[f]}, 0);
		check_way(&(struct way){.kernels = forms[f], .fuse = GRETA_OPEN_FUSE_NONE}, 2);
	}
}

static void test_every_setting_has_its_hash(void **context)
{
	(void)context;
	for (size_t e = 0; e < sizeof(EXPECTED) / sizeof(EXPECTED[0]); e++) {
		check_way(&(struct way){0}, e);
		check_way(&(struct way){.kernels = "portable", .chunk = 1}, e);
	}
}

/* Prompts of 1 to LONGEST tokens, each in one go and in pieces of a size of its own, against token by token. */
static void test_any_chunking_of_any_prompt(void **context)
{
	static float expected[LONGEST][2048];
	struct greta *one = open_way(&(struct way){.chunk = 1}, 4, GRETA_OPEN_KV_F16);
	struct greta *planned = open_way(&(struct way){0}, 4, GRETA_OPEN_KV_F16);
	int32_t tokens[LONGEST];
	const float *logits;
	struct greta_error error;
	(void)context;
	read_tokens(one, tokens, LONGEST);
	assert_int_equal(greta_get_info(one)->vocab, 2048);
	for (size_t n = 0; n < LONGEST; n++) {
		must(greta_feed(one, &tokens[n], 1, &error), &error);
		must(greta_logits(one, &logits, &error), &error);
		memcpy(expected[n], logits, sizeof(expected[n]));
	}
	for (size_t n = 1; n <= LONGEST; n++) {
		must(greta_truncate(planned, 0, &error), &error);
		for (size_t piece = n % 3 ? n : 1 + n * 7 % 61, at = 0; at < n; at += piece)
			must(greta_feed(planned, tokens + at, n - at < piece ? n - at : piece, &error), &error);
		must(greta_logits(planned, &logits, &error), &error);
		if (memcmp(logits, expected[n - 1], sizeof(expected[0])) != 0) /* NOLINT: bits are compared, not values */
			fail_msg("a prompt of %zu tokens gives other logits than token by token", n);
	}
	greta_close(one);
	greta_close(planned);
}

static void test_the_same_seed_samples_the_same_tokens(void **context)
{
	static const struct way ways[] = {{.kernels = "ref"}, {.eager = true}, {.fuse = GRETA_OPEN_FUSE_NONE, .threads = 5}};
	int32_t expected[48], token;
	(void)context;
	for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
		struct greta *greta = open_way(&ways[w], 4, GRETA_OPEN_KV_F16);
		struct greta_sampling sampling = GRETA_SAMPLING_DEFAULT;
		struct greta_error error;
		int32_t tokens[PROMPT];
		sampling.seed = 42;
		read_tokens(greta, tokens, PROMPT);
		must(greta_set_sampling(greta, &sampling, &error), &error);
		must(greta_feed(greta, tokens, PROMPT, &error), &error);
		for (size_t i = 0; i < 48; i++) {
			must(greta_next(greta, &token, &error), &error);
			if (w == 0)
				expected[i] = token;
			assert_int_equal(token, expected[i]);
		}
		greta_close(greta);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_way_gives_the_hash), cmocka_unit_test(test_every_form_gives_the_hash),
	    cmocka_unit_test(test_every_setting_has_its_hash), cmocka_unit_test(test_any_chunking_of_any_prompt),
	    cmocka_unit_test(test_the_same_seed_samples_the_same_tokens),
	};
	if (argc != 3) {
		fprintf(stderr, "usage: test-hashes MODEL TEXT\n");
		return 2;
	}
	model_path = argv[1];
	text_path = argv[2];
	return cmocka_run_group_tests_name("hashes", tests, NULL, NULL);
}
