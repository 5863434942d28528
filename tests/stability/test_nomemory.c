/* A text, the fp64 model's word on it and a setting's drift whose allocations, mappings and threads fail in turn, one
 * in STRIDE: one clear error each time, or the same figures where it can do without, and nothing held. */
#include "bench/stability/cut.h"
#include "bench/stability/drift.h"
#include "models/synth.h"
#include "tests/runtime/failing.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define STRIDE 5
#define PIECE  8
#define PIECES 3

static char folder[] = "/tmp/greta-stability-XXXXXX", model[64];
static double expected;

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

static enum greta_status run_drift(const struct greta_stability_cut *cut, const struct greta_llama *llama,
				   double *out_sum, struct greta_error *error)
{
	const struct greta_options options = {.provider = "cpu", .threads = 1, .no_cache = true, .context = PIECE,
					      .activations = 2, .kv = GRETA_OPEN_KV_F16};
	struct greta_stability_truth *truth;
	struct greta_stability_drift *drift;
	enum greta_status status = greta_stability_truth_create(llama, &cut->text, 2, NULL, NULL, &truth, error);
	if (status != GRETA_OK)
		return status;
	status = greta_stability_drift_create(model, &options, &cut->text, truth, 2, 3, NULL, NULL, &drift, error);
	if (status == GRETA_OK) {
		*out_sum = greta_stability_drift_whole(drift).errors.sum_error;
		greta_stability_drift_destroy(drift);
	}
	greta_stability_truth_destroy(truth);
	return status;
}

static enum greta_status run(double *out_sum, struct greta_error *error)
{
	struct greta_gguf *gguf;
	struct greta_llama llama;
	struct greta_stability_cut cut;
	enum greta_status status = greta_gguf_open(model, &gguf, error);
	if (status != GRETA_OK)
		return status;
	status = greta_llama_init(&llama, gguf, error);
	if (status == GRETA_OK) {
		status = greta_stability_cut(model, gguf, &llama, NULL, PIECE, PIECES, GRETA_STABILITY_MINUTE, &cut, error);
		if (status == GRETA_OK) {
			status = run_drift(&cut, &llama, out_sum, error);
			free(cut.tokens);
		}
		greta_llama_finish(&llama);
	}
	greta_gguf_close(gguf);
	return status;
}

static void each_failure_is_told_or_done_without(void **state)
{
	unsigned long refused = 0;
	(void)state;
	size_t files = open_files();
	long mappings = failing_mappings();
	for (unsigned long nth = 1;; nth += STRIDE) {
		struct greta_error error = {.message = ""};
		double sum = -1;
		failing_arm(nth);
		enum greta_status status = run(&sum, &error);
		const char *name = failing_name();
		failing_arm(0);
		if (!name)
			break;
		if (open_files() != files || failing_mappings() != mappings)
			fail_msg("call %lu (%s): files or mappings stay open", nth, name);
		if (status == GRETA_OK) {
			if (sum != expected)
				fail_msg("call %lu (%s): other figures", nth, name);
			continue;
		}
		refused++;
		bool fits = status == GRETA_ERROR_MEMORY || status == GRETA_ERROR_IO ||
			    (status == GRETA_ERROR_DEVICE && !strcmp(name, "pthread_create"));
		if (!fits || !*error.message || strchr(error.message, '\n'))
			fail_msg("call %lu (%s): status %d, \"%s\"", nth, name, (int)status, error.message);
	}
	print_message("%lu refused\n", refused);
	assert_true(refused > 20);
}

static bool prepare(struct greta_error *error)
{
	struct greta_synth_options options = {.mix = "Q4_K_M", .seed = 1};
	if (!mkdtemp(folder) || setenv("XDG_CACHE_HOME", folder, 1) != 0)
		return greta_fail(error, GRETA_ERROR_IO, "no folder for the test") == GRETA_OK;
	snprintf(model, sizeof(model), "%s/model.gguf", folder);
	failing_arm(0);
	return greta_synth_parse_shape("embd=256,layers=1,heads=8,kv=2,ffn=256,vocab=300,ctx=128", &options.shape,
				       error) == GRETA_OK &&
	       greta_synth_write(&options, model, error) == GRETA_OK && run(&expected, error) == GRETA_OK;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failure_is_told_or_done_without),
	};
	struct greta_error error;
	if (!prepare(&error)) {
		fprintf(stderr, "%s\n", error.message);
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(model);
	rmdir(folder);
	return failed;
}
