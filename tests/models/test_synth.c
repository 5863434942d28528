/* The writer of synthetic models: sound files of the right sizes, the same bytes everywhere, no trace of failure. */
#include "models/llama.h"
#include "models/synth.h"
#include "models/synth_blocks.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <xxhash.h>

static char folder[] = "/tmp/greta-test-synth-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/m.gguf", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void parse(const char *text, struct greta_synth_shape *shape)
{
	struct greta_error error = {0};
	if (greta_synth_parse_shape(text, shape, &error))
		fail_msg("%s", error.message);
}

/* Bytes of published files (Hugging Face, TheBloke's Llama-2-*-GGUF and tinyllama-1.1b-chat-v1.0-GGUF, Q4_K_M).
 * They differ from ours by their vocabulary and by padding: less than 3 MB. */
static void test_sizes_are_those_of_the_real_models(void **state)
{
	(void)state;
	static const struct {
		const char *shape;
		uint64_t bytes;
	} REAL[] = {
	    {"llama-2-7b", 4081004224},
	    {"llama-2-13b", 7865956224},
	    {"llama-2-70b", 41422908288},
	    {"tinyllama", 668788096},
	};
	for (size_t i = 0; i < sizeof(REAL) / sizeof(REAL[0]); i++) {
		struct greta_synth_options options = {.mix = "Q4_K_M"};
		struct greta_error error = {0};
		uint64_t bytes = 0;
		parse(REAL[i].shape, &options.shape);
		assert_int_equal(greta_synth_size(&options, &bytes, &error), GRETA_OK);
		if (bytes > REAL[i].bytes + 3000000 || bytes + 3000000 < REAL[i].bytes)
			fail_msg("%s: %llu bytes, the real one has %llu", REAL[i].shape, (unsigned long long)bytes,
				 (unsigned long long)REAL[i].bytes);
	}
}

static void write_model(const char *shape, const char *mix, uint64_t seed)
{
	struct greta_synth_options options = {.mix = mix, .seed = seed};
	struct greta_error error = {0};
	parse(shape, &options.shape);
	if (greta_synth_write(&options, path, &error))
		fail_msg("%s", error.message);
}

static uint64_t hash_of_model(void)
{
	struct greta_gguf *gguf = NULL;
	struct greta_error error = {0};
	if (greta_gguf_open(path, &gguf, &error))
		fail_msg("%s", error.message);
	uint64_t hash = XXH3_64bits(greta_gguf_data(gguf), greta_gguf_size(gguf));
	greta_gguf_close(gguf);
	return hash;
}

/* The hashes are of x86-64 with gcc 12 and clang 14; another machine or compiler has to give them too. */
static void test_bytes_follow_from_the_arguments(void **state)
{
	(void)state;
	static const struct {
		const char *mix;
		uint64_t hash;
	} KNOWN[] = {
	    {"Q4_K_M", 0xef0782cb3a594c0c},
	    {"F32", 0x43ab1bf7e6f8bcf6},
	    {"F16", 0x04915676b84f03ff},
	    {"BF16", 0xf2c04f5743a4b97a},
	    {"Q8_0", 0x7ae589f6db418401},
	    {"Q4_0", 0x815104e80d6fbe8f},
	    {"Q4_K", 0xf3dfc982da161791},
	    {"Q5_K", 0x27f2ae9f27a56580},
	    {"Q6_K", 0xc4248a88456de3ae},
	};
	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++) {
		write_model("embd=256,heads=8,kv=2,ffn=512,vocab=300,layers=3", KNOWN[i].mix, 1);
		uint64_t hash = hash_of_model();
		if (hash != KNOWN[i].hash)
			fail_msg("%s: the file's hash is 0x%016llx", KNOWN[i].mix, (unsigned long long)hash);
	}
	write_model("embd=256,heads=8,kv=2,ffn=512,vocab=300,layers=3", "Q4_K_M", 2);
	assert_true(hash_of_model() != KNOWN[0].hash);
}

static void test_models_are_sound_and_mixed_as_they_should_be(void **state)
{
	(void)state;
	struct greta_gguf *gguf = NULL;
	struct greta_llama llama;
	struct greta_error error = {0};
	write_model("layers=9,rope=500000,freqs=1,vocab=900", "Q4_K_M", 7);
	assert_int_equal(greta_gguf_open(path, &gguf, &error), GRETA_OK);
	if (greta_llama_init(&llama, gguf, &error))
		fail_msg("%s", error.message);
	assert_int_equal(llama.n_layer, 9);
	assert_int_equal(llama.n_vocab, 900);
	assert_true(llama.rope_base == 500000);
	assert_non_null(llama.rope_freqs);
	assert_false(llama.tied_embeddings);
	assert_int_equal(llama.output->type->type, GRETA_TYPE_Q6_K);
	assert_int_equal(llama.token_embd->type->type, GRETA_TYPE_Q4_K);
	for (uint32_t i = 0; i < 9; i++) { /* 9 layers: the first, the last two, and of 1..6 every third */
		bool more = i == 0 || i == 3 || i == 6 || i == 7 || i == 8;
		assert_int_equal(llama.layers[i].attn_v->type->type, more ? GRETA_TYPE_Q6_K : GRETA_TYPE_Q4_K);
		assert_int_equal(llama.layers[i].ffn_down->type->type, more ? GRETA_TYPE_Q6_K : GRETA_TYPE_Q4_K);
		assert_int_equal(llama.layers[i].ffn_up->type->type, GRETA_TYPE_Q4_K);
	}
	greta_llama_finish(&llama);
	greta_gguf_close(gguf);

	write_model("tied=1", "Q4_K_M", 7);
	assert_int_equal(greta_gguf_open(path, &gguf, &error), GRETA_OK);
	if (greta_llama_init(&llama, gguf, &error))
		fail_msg("%s", error.message);
	assert_true(llama.tied_embeddings);
	assert_int_equal(llama.output->type->type, GRETA_TYPE_Q6_K);
	greta_llama_finish(&llama);
	greta_gguf_close(gguf);
}

/* Mean and deviation of what F32 and Q8_0 store; the other types were looked at with the Python package gguf. */
static void test_values_have_the_deviation_wanted(void **state)
{
	(void)state;
	enum { BLOCKS = 20000 };
	float *values = malloc(BLOCKS * sizeof(float));
	unsigned char *blocks = malloc(BLOCKS * 34);
	assert_non_null(values);
	assert_non_null(blocks);
	struct greta_synth_filler filler;
	greta_synth_filler_init(&filler, GRETA_TYPE_F32, 0.02f, 5);
	greta_synth_fill(&filler, values, BLOCKS);
	double sum = 0, squares = 0;
	for (size_t i = 0; i < BLOCKS; i++) {
		sum += (double)values[i];
		squares += (double)values[i] * (double)values[i];
	}
	assert_true(fabs(sum / BLOCKS) < 0.0006);
	assert_true(fabs(sqrt(squares / BLOCKS) - 0.02) < 0.0006);

	/* scales of 1, so that bytes are values */
	greta_synth_filler_init(&filler, GRETA_TYPE_Q8_0, 52.255f, 5);
	greta_synth_fill(&filler, blocks, BLOCKS);
	sum = squares = 0;
	for (size_t i = 0; i < (size_t)BLOCKS * 34; i++) {
		double value = (signed char)blocks[i];
		if (i % 34 < 2)
			continue;
		assert_true(value >= -127);
		sum += value;
		squares += value * value;
	}
	assert_true(fabs(sum / (32.0 * BLOCKS)) < 0.3);
	assert_true(fabs(sqrt(squares / (32.0 * BLOCKS)) - 52.255) < 0.3);
	free(values);
	free(blocks);
}

static void test_filling_in_pieces_gives_the_same(void **state)
{
	(void)state;
	static const enum greta_type TYPES[] = {
#define X(name, id, spelling, block_values, block_bytes) GRETA_TYPE_##name,
	    GRETA_TYPES(X)
#undef X
	};
	for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
		unsigned char whole[64 * 210], pieces[64 * 210];
		size_t bytes = greta_type_info((uint32_t)TYPES[i])->block_bytes;
		struct greta_synth_filler filler;
		greta_synth_filler_init(&filler, TYPES[i], 1, 3);
		greta_synth_fill(&filler, whole, 64);
		greta_synth_filler_init(&filler, TYPES[i], 1, 3);
		for (size_t at = 0; at < 64; at += 1 + at % 3)
			greta_synth_fill(&filler, pieces + at * bytes,
					 at + 1 + at % 3 < 64 ? 1 + at % 3 : 64 - at);
		assert_memory_equal(whole, pieces, 64 * bytes);
	}
}

static void test_f16_is_rounded_to_nearest_even(void **state)
{
	(void)state;
	static const struct {
		float value;
		uint16_t bits;
	} KNOWN[] = {
	    {0.0f, 0x0000},          {-0.0f, 0x8000},         {1.0f, 0x3c00},           {-2.0f, 0xc000},
	    {65504.0f, 0x7bff},      {65519.0f, 0x7bff},      {65520.0f, 0x7c00},       {1e9f, 0x7c00},
	    {0x1.004p0f, 0x3c01},    {0x1.002p0f, 0x3c00},    {0x1.006p0f, 0x3c02},     {0x1.00201p0f, 0x3c01},
	    {0x1p-14f, 0x0400},      {0x1p-24f, 0x0001},      {0x1p-25f, 0x0000},       {0x1.8p-25f, 0x0001},
	    {0x1.8p-24f, 0x0002},    {0x1.ff8p-15f, 0x03ff},  {0x1.ffcp-15f, 0x0400},   {0x1p-40f, 0x0000},
	    {(float)INFINITY, 0x7c00},
	};
	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
		if (greta_synth_f16(KNOWN[i].value) != KNOWN[i].bits)
			fail_msg("%a: 0x%04x", (double)KNOWN[i].value, greta_synth_f16(KNOWN[i].value));
}

static void test_shapes_that_cannot_be_are_refused(void **state)
{
	(void)state;
	static const char *const WRONG[] = {
	    "llama-2-8b", "",          "embd",          "embd=",         "embd=300",       "embd=-256",
	    "embd=512x",  "layers=0",  "layers=5000",   "heads=3",       "heads=32",       "kv=3",
	    "ffn=1000",   "vocab=100", "embd=512,,kv=2", "colour=3",     "vocab=99999999", "embd=512,",
	    "heads=1",    "tied=2",    "embd=0x200",    "embd=256,embd=512",
	};
	for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
		struct greta_synth_shape shape;
		struct greta_error error = {0};
		if (greta_synth_parse_shape(WRONG[i], &shape, &error) != GRETA_ERROR_ARGUMENT)
			fail_msg("\"%s\" is taken", WRONG[i]);
		assert_non_null(strstr(error.message, "shape: "));
	}
	struct greta_synth_options options = {.mix = "Q4_1"};
	struct greta_error error = {0};
	parse("tinyllama", &options.shape);
	assert_int_equal(greta_synth_write(&options, path, &error), GRETA_ERROR_ARGUMENT);
	assert_non_null(strstr(error.message, "type Q4_1 is not known"));
}

static bool stop_at_half(void *user, uint64_t done, uint64_t total)
{
	uint64_t *most = user;
	*most = done;
	return done < total / 2;
}

static void test_nothing_is_left_when_it_is_stopped(void **state)
{
	(void)state;
	uint64_t done = 0, files = 0;
	struct greta_synth_options options = {.mix = "F16", .seed = 1, .progress = stop_at_half, .user = &done};
	struct greta_error error = {0};
	parse("embd=512", &options.shape);
	unlink(path);
	assert_int_equal(greta_synth_write(&options, path, &error), GRETA_ERROR_ARGUMENT);
	assert_true(done > 1000000);
	DIR *directory = opendir(folder);
	assert_non_null(directory);
	while (readdir(directory))
		files++;
	closedir(directory);
	assert_int_equal(files, 2); /* . and .. */
	assert_int_equal(greta_synth_write(&options, folder, &error), GRETA_ERROR_IO);
	assert_int_equal(greta_synth_write(&options, "/nonexistent/m.gguf", &error), GRETA_ERROR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sizes_are_those_of_the_real_models),
	    cmocka_unit_test(test_bytes_follow_from_the_arguments),
	    cmocka_unit_test(test_models_are_sound_and_mixed_as_they_should_be),
	    cmocka_unit_test(test_values_have_the_deviation_wanted),
	    cmocka_unit_test(test_filling_in_pieces_gives_the_same),
	    cmocka_unit_test(test_f16_is_rounded_to_nearest_even),
	    cmocka_unit_test(test_shapes_that_cannot_be_are_refused),
	    cmocka_unit_test(test_nothing_is_left_when_it_is_stopped),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
