/* A comparison whose allocations, mappings and threads fail in turn, one in STRIDE: one clear error each time, or the
 * same answer where it can do without, and nothing held. With the oracle, and with a difference to be explained. */
#include "bench/parity/run.h"
#include "models/synth.h"
#include "tests/parity/broken.h"
#include "tests/runtime/failing.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define STRIDE 5

static char folder[] = "/tmp/greta-parity-XXXXXX", model[64];

static size_t open_files(void)
{
	DIR *open = opendir("/proc/self/fd");
	size_t count = 0;
	assert_non_null(open);
	while (readdir(open))
		count++;
	closedir(open);
	return count;
}

static void must(enum greta_status status, const struct greta_error *error)
{
	if (status != GRETA_OK)
		fail_msg("%s", error->message);
}

static struct greta_parity_setup setup(const char *words, const struct greta_cpu_module *module)
{
	struct greta_parity_setup made = greta_parity_setup_default();
	struct greta_error error;
	must(greta_parity_setup_read(&made, words, &error), &error);
	made.threads = 1;
	made.image = module;
	return made;
}

/* Runs and holds the answer to what it must be. */
static enum greta_status compare(const struct greta_parity_setup setups[2], bool passes, struct greta_error *error)
{
	static const int32_t tokens[] = {1, 20, 30, 40};
	const struct greta_parity_request request = {
		.model = model, .tokens = tokens, .count = 4, .context = 5, .setups = setups, .sides = 2, .runs = 1, .top_k = 3,
	};
	struct greta_parity_result result;
	enum greta_status status = greta_parity_run(&request, &result, error);
	if (status != GRETA_OK)
		return status;
	assert_int_equal(greta_parity_passed(&result), passes);
	if (!passes)
		assert_string_equal(result.pair[0].cause.culprit.kernel, "rope");
	greta_parity_result_finish(&result);
	return GRETA_OK;
}

static void fail_each(const struct greta_parity_setup setups[2], bool passes)
{
	struct greta_error error;
	unsigned long refused = 0;
	failing_arm(0);
	must(compare(setups, passes, &error), &error);
	must(compare(setups, passes, &error), &error); /* weights now come from the cache */
	size_t files = open_files();
	long mappings = failing_mappings();
	for (unsigned long nth = 1;; nth += STRIDE) {
		error = (struct greta_error){.message = ""};
		failing_arm(nth);
		enum greta_status status = compare(setups, passes, &error);
		const char *name = failing_name();
		failing_arm(0);
		if (!name)
			break;
		if (open_files() != files || failing_mappings() != mappings)
			fail_msg("call %lu (%s): files or mappings stay open", nth, name);
		if (status == GRETA_OK)
			continue;
		refused++;
		bool fits = status == GRETA_ERROR_MEMORY || status == GRETA_ERROR_IO ||
			    (status == GRETA_ERROR_DEVICE && !strcmp(name, "pthread_create"));
		if (!fits || !*error.message || strchr(error.message, '\n'))
			fail_msg("call %lu (%s): status %d, \"%s\"", nth, name, (int)status, error.message);
	}
	print_message("%lu refused\n", refused);
	assert_true(refused > 30);
}

static void beside_the_oracle(void **state)
{
	const struct greta_parity_setup setups[] = {setup("oracle", NULL), setup("cpu,chunk=3", NULL)};
	(void)state;
	fail_each(setups, true);
}

static void with_a_difference_to_explain(void **state)
{
	const struct greta_parity_setup setups[] = {setup("ref,decode", NULL), setup("cpu,chunk=3", &broken_rope)};
	(void)state;
	fail_each(setups, false);
}

static bool prepare(struct greta_error *error)
{
	struct greta_synth_options options = {.mix = "Q4_K_M", .seed = 1};
	if (!mkdtemp(folder) || setenv("XDG_CACHE_HOME", folder, 1) != 0)
		return greta_fail(error, GRETA_ERROR_IO, "no folder for the test") == GRETA_OK;
	snprintf(model, sizeof(model), "%s/model.gguf", folder);
	return greta_synth_parse_shape("embd=256,layers=1,heads=8,kv=2,ffn=256,vocab=300,ctx=128", &options.shape,
				       error) == GRETA_OK &&
	       greta_synth_write(&options, model, error) == GRETA_OK;
}

static void remove_all(const char *path)
{
	DIR *open = opendir(path);
	char name[1024];
	for (struct dirent *entry; open && (entry = readdir(open));) {
		struct stat info;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] == '.' || lstat(name, &info) != 0)
			continue;
		if (S_ISDIR(info.st_mode))
			remove_all(name);
		else
			unlink(name);
	}
	if (open)
		closedir(open);
	rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside_the_oracle),
		cmocka_unit_test(with_a_difference_to_explain),
	};
	struct greta_error error;
	if (!prepare(&error)) {
		fprintf(stderr, "%s\n", error.message);
		return 1;
	}
	int failed = cmocka_run_group_tests_name("parity without memory", tests, NULL, NULL);
	remove_all(folder);
	return failed;
}
