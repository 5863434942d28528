/* What a session allocates is what `greta-plan show` announced, to the byte: of the device's memory at any time, and of
 * the host's when it is open.
 *
 *     test-memory PROVIDER MODEL GRETA-PLAN    sim (gfx942 code in the simulator), cpu, amd, nvidia
 *
 * Where a device tells its own account (amd, nvidia), what the driver takes besides is printed, and that it is no less.
 * Skipped where the provider has no device or this build no kernels for it. */
#include "runtime/session.h"
#include "tests/e2e/any_device.h"
#include "tests/provider/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct greta_hip *device;
static const char *provider, *model_path, *greta_plan;
static char target[GRETA_HIP_ARCHITECTURE_MAX];

struct announced {
	unsigned long long device, host;
};

static FILE *command(const char *format, ...) __attribute__((format(printf, 1, 2)));

static FILE *command(const char *format, ...)
{
	char text[1024];
	va_list list;
	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	FILE *pipe = popen(text, "r");
	assert_non_null(pipe);
	return pipe;
}

/* Plans by the tool, and reads what the tool says of it. */
static struct announced plan(const char *path, const char *fuse)
{
	struct announced announced = {0, 0};
	char line[512];
	FILE *pipe = command("'%s' build '%s' --target %s --ctx 200 --prefill 8,32 --fuse %s -o '%s'", greta_plan,
			     model_path, target, fuse, path);
	while (fgets(line, sizeof(line), pipe))
		;
	assert_int_equal(pclose(pipe), 0);
	pipe = command("'%s' show '%s'", greta_plan, path);
	while (fgets(line, sizeof(line), pipe)) {
		if (!strncmp(line, "device ", 7))
			announced.device = strtoull(line + 7, NULL, 10);
		if (!strncmp(line, "host ", 5))
			announced.host = strtoull(line + 5, NULL, 10);
	}
	assert_int_equal(pclose(pipe), 0);
	assert_true(announced.device && announced.host);
	return announced;
}

static struct greta_session_source source_of(const char *path, const struct greta_options *options,
					     struct greta_hip *hip)
{
	struct greta_session_source source = {.plan_path = path, .options = options, .hip = hip};
	struct greta_error error;
	if (greta_plan_open(path, &source.plan, &error) != GRETA_OK ||
	    greta_gguf_open(model_path, &source.gguf, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	return source;
}

static size_t free_bytes(void)
{
	size_t left = 0, total;
	assert_int_equal(device->hipMemGetInfo(&left, &total), hipSuccess);
	return left;
}

static void compare(const struct greta *greta, const struct announced *announced, size_t free_before)
{
	const bool in_place = strcmp(provider, "cpu") == 0; /* without a cache: the weights are laid out in pinned memory */
	const uint64_t weights = greta_session_plan(greta)->header->region_bytes[GRETA_REGION_WEIGHTS];
	const uint64_t moved = in_place ? weights : 0;
	struct greta_stats stats;
	greta_get_stats(greta, &stats);
	assert_int_equal(stats.planned_bytes, announced->device);
	assert_int_equal(stats.device_bytes, announced->device - moved);
	assert_int_equal(stats.host_bytes, announced->host + moved);
	assert_int_equal(ledger_device_peak(), announced->device - moved);
	assert_int_equal(ledger_host_bytes(), announced->host + moved);
	if (strcmp(provider, "amd") != 0 && strcmp(provider, "nvidia") != 0)
		return;
	size_t used = free_before - free_bytes();
	print_message("announced %llu bytes, the device has %zu less: %lld the driver's own\n", announced->device, used,
	              (long long)used - (long long)announced->device);
	assert_true(used >= announced->device);
}

static void what_is_allocated_is_what_was_announced(const char *fuse)
{
	static const int32_t prompt[] = {1, 300, 700};
	const struct greta_options options = {.no_cache = true, .threads = 2};
	char path[] = "/tmp/greta-memory-XXXXXX";
	struct greta_hip hip;
	struct greta *greta;
	struct greta_error error;
	int32_t token;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	struct announced announced = plan(path, fuse);
	struct greta_session_source source = source_of(path, &options, &hip);
	ledger_wrap(device, &hip);
	assert_int_equal(device->hipSetDevice(0), hipSuccess);
	size_t before = free_bytes();
	if (greta_session_open(&source, &greta, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	compare(greta, &announced, before);
	if (greta_feed(greta, prompt, 3, &error) != GRETA_OK || greta_next(greta, &token, &error) != GRETA_OK ||
	    greta_next(greta, &token, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	compare(greta, &announced, before);
	greta_close(greta);
	assert_int_equal(ledger_held(NULL, 0), 0);
	unlink(path);
}

static void fused(void **state)
{
	(void)state;
	what_is_allocated_is_what_was_announced("full");
}

static void textbook(void **state)
{
	(void)state;
	what_is_allocated_is_what_was_announced("none");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(fused), cmocka_unit_test(textbook)};
	if (argc != 4)
		return 2;
	provider = argv[1];
	model_path = argv[2];
	greta_plan = argv[3];
	int status = any_device_open(provider, &device, target);
	if (status)
		return status;
	status = cmocka_run_group_tests_name("memory", tests, NULL, NULL);
	any_device_close();
	return status;
}
