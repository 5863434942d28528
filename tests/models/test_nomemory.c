/* Every allocation of the model readers failed in turn: an error each time, nothing leaked (the sanitizer's to
 * see), nothing left behind. The linker turns the library's malloc, calloc, realloc and strdup into the ones here. */
#include "models/llama.h"
#include "models/synth.h"
#include "models/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

static long countdown; /* the allocation that fails, counted from 1; 0: none */
static bool failed;

static bool fails(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

static char path[] = "/tmp/greta-test-nomemory-XXXXXX";

static enum greta_status write_model(struct greta_error *error)
{
	struct greta_synth_options options = {.mix = "Q4_K_M", .seed = 1};
	enum greta_status status =
	    greta_synth_parse_shape("embd=256,heads=8,kv=2,ffn=256,vocab=300,layers=2", &options.shape, error);
	return status ? status : greta_synth_write(&options, path, error);
}

static enum greta_status use_tokenizer(const struct greta_tokenizer *tokenizer, struct greta_error *error)
{
	struct greta_text_stream *stream = NULL;
	int32_t *tokens = NULL;
	char *text = NULL, input[600];
	size_t count = 0, length = 0;
	enum greta_status status;
	memset(input, 0x80, sizeof(input)); /* each byte a token: the array has to grow */
	for (size_t i = 0; i < 4; i++)
		input[100 + i] = "</s>"[i];
	status = greta_tokenizer_encode(tokenizer, input, sizeof(input), 3, &tokens, &count, error);
	if (!status)
		status = greta_tokenizer_decode(tokenizer, tokens, count, true, &text, &length, error);
	if (!status)
		status = greta_text_stream_create(tokenizer, false, true, &stream, error);
	greta_text_stream_destroy(stream);
	free(text);
	free(tokens);
	return status;
}

static enum greta_status read_model(struct greta_error *error)
{
	struct greta_gguf *gguf = NULL;
	struct greta_tokenizer *tokenizer = NULL;
	struct greta_llama llama = {0};
	enum greta_status status = greta_gguf_open(path, &gguf, error);
	if (!status)
		status = greta_llama_init(&llama, gguf, error);
	if (!status)
		status = greta_tokenizer_create(gguf, &tokenizer, error);
	if (!status)
		status = use_tokenizer(tokenizer, error);
	greta_tokenizer_destroy(tokenizer);
	greta_llama_finish(&llama);
	greta_gguf_close(gguf);
	return status;
}

/* Runs with the first allocation failing, then the second, until all were had; returns how many. */
static long fail_each(enum greta_status (*run)(struct greta_error *))
{
	for (long n = 1;; n++) {
		struct greta_error error = {0};
		countdown = n;
		failed = false;
		enum greta_status status = run(&error);
		countdown = 0;
		if (!failed) {
			assert_int_equal(status, GRETA_OK);
			return n - 1;
		}
		if (status != GRETA_ERROR_MEMORY && status != GRETA_ERROR_IO) /* IO: fopen's own buffer */
			fail_msg("allocation %ld failed: status %d, %s", n, status, error.message);
		assert_true(strlen(error.message) > 10);
		assert_int_equal(error.status, status);
	}
}

static void test_every_allocation_may_fail(void **state)
{
	(void)state;
	int file = mkstemp(path);
	assert_true(file >= 0);
	close(file);
	assert_true(fail_each(write_model) >= 2);
	assert_true(fail_each(read_model) >= 16);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation_may_fail)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
