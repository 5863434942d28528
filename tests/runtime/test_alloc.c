/* Every allocation of open, plan, prompt and generation fails in turn: an error or the right text, nothing lost, no
 * crash. Leaks of memory show when this runs with the address sanitizer; those of files and mappings are counted here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/synth.h"
#include "runtime/greta.h"
#include "tests/runtime/failing.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_ROOM 4096

static char folder[] = "/tmp/greta-test-alloc-XXXXXX";
static char model[64], cache[64];

struct text {
	char bytes[TEXT_ROOM];
	size_t length;
};

static bool collect(void *user, int32_t token, const char *bytes, size_t length)
{
	struct text *text = user;
	(void)token;
	assert_true(text->length + length < TEXT_ROOM);
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	return true;
}

static enum greta_status whole_run(const struct greta_options *options, struct text *out_text,
                                   struct greta_error *error)
{
	static const char prompt[] = "a b c d e f g h i j k l m n o p q r s t u v w x y z";
	struct greta_options on_cpu = *options;
	struct greta *greta = NULL;
	const float *logits;
	int32_t *tokens = NULL;
	size_t count;
	out_text->length = 0;
	on_cpu.provider = "cpu"; /* a GPU's driver would not take it well */
	enum greta_status status = greta_open(model, &on_cpu, &greta, error);
	if (status == GRETA_OK)
		status = greta_encode(greta, prompt, sizeof(prompt) - 1, true, false, &tokens, &count, error);
	if (status == GRETA_OK)
		status = greta_feed(greta, tokens, count, error);
	if (status == GRETA_OK)
		status = greta_generate(greta, 6, GRETA_IGNORE_END, collect, out_text, NULL, NULL, error);
	if (status == GRETA_OK)
		status = greta_logits(greta, &logits, error);
	greta_close(greta);
	free(tokens);
	return status;
}

static void empty(const char *path)
{
	DIR *open = opendir(path);
	char name[1024];
	assert_non_null(open);
	for (struct dirent *entry; (entry = readdir(open));) {
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			assert_int_equal(unlink(name), 0);
	}
	closedir(open);
}

static size_t entries(const char *path)
{
	DIR *open = opendir(path);
	size_t count = 0;
	assert_non_null(open);
	while (readdir(open))
		count++;
	closedir(open);
	return count;
}

static void fail_each_call(const struct greta_options *options, bool keep_cache)
{
	struct text wanted, text;
	struct greta_error error = {.message = ""};
	empty(cache);
	failing_arm(0);
	if (whole_run(options, &wanted, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	assert_true(wanted.length > 0);
	if (keep_cache)
		assert_int_equal(whole_run(options, &wanted, &error), GRETA_OK);
	size_t files = entries("/proc/self/fd");
	long mappings = failing_mappings();
	unsigned long refused = 0;
	for (unsigned long nth = 1;; nth++) {
		if (!keep_cache)
			empty(cache);
		failing_arm(nth);
		error = (struct greta_error){.message = ""};
		enum greta_status status = whole_run(options, &text, &error);
		const char *name = failing_name();
		failing_arm(0);
		if (!name) {
			print_message("%lu allocations, %lu of them needed\n", nth - 1, refused);
			break;
		}
		if (entries("/proc/self/fd") != files || failing_mappings() != mappings)
			fail_msg("allocation %lu (%s): %zu files and %ld mappings where there were %zu and %ld", nth,
			         name, entries("/proc/self/fd"), failing_mappings(), files, mappings);
		if (status == GRETA_OK) {
			assert_int_equal(text.length, wanted.length);
			assert_memory_equal(text.bytes, wanted.bytes, text.length);
			continue;
		}
		refused++;
		bool fits = status == GRETA_ERROR_MEMORY || status == GRETA_ERROR_IO ||
			    (status == GRETA_ERROR_DEVICE && strcmp(name, "pthread_create") == 0);
		if (!fits)
			fail_msg("allocation %lu (%s): status %d, %s", nth, name, (int)status, error.message);
		if (!*error.message || strchr(error.message, '\n'))
			fail_msg("allocation %lu (%s): \"%s\"", nth, name, error.message);
	}
	assert_true(refused > 30);
}

static void with_a_plan_to_make(void **state)
{
	(void)state;
	fail_each_call(&(struct greta_options){.cache = cache, .threads = 2, .context = 128}, false);
}

static void with_everything_cached(void **state)
{
	(void)state;
	fail_each_call(&(struct greta_options){.cache = cache, .threads = 1, .context = 128}, true);
}

static void without_a_cache(void **state)
{
	(void)state;
	fail_each_call(&(struct greta_options){.no_cache = true, .threads = 2, .eager = true, .context = 128}, false);
}

static void with_uploads(void **state)
{
	(void)state;
	fail_each_call(&(struct greta_options){.cache = cache, .threads = 2, .force_upload = true, .context = 128},
	               true);
}

static bool prepare(struct greta_error *error)
{
	struct greta_synth_options options = {.mix = "Q4_K_M", .seed = 1};
	if (!mkdtemp(folder))
		return greta_fail(error, GRETA_ERROR_IO, "no folder for the test") == GRETA_OK;
	snprintf(model, sizeof(model), "%s/model.gguf", folder);
	snprintf(cache, sizeof(cache), "%s/cache", folder);
	return greta_synth_parse_shape("embd=256,layers=1,heads=8,kv=2,ffn=256,vocab=300,ctx=128", &options.shape,
	                               error) == GRETA_OK &&
	       greta_synth_write(&options, model, error) == GRETA_OK;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_a_plan_to_make),
		cmocka_unit_test(with_everything_cached),
		cmocka_unit_test(without_a_cache),
		cmocka_unit_test(with_uploads),
	};
	struct greta_error error;
	if (!prepare(&error) || mkdir(cache, 0700) != 0) {
		fprintf(stderr, "%s\n", error.message);
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	empty(cache);
	rmdir(cache);
	unlink(model);
	rmdir(folder);
	return failed;
}
