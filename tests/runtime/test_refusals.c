/* A device that a plan does not fit is refused before anything of it is allocated: one line that names what differs and
 * what to do. The device is the cpu provider, some of whose answers are another device's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/provider/ledger.h"
#include "tests/runtime/toy.h"

#include <stdio.h>
#include <string.h>

#define FREE_BYTES ((size_t)3 << 20)

static struct greta_hip *cpu;
static const char *architecture_name;

static hipError_t attribute_of_its_own(int *out_value, hipDeviceAttribute_t attribute, int device)
{
	hipError_t code = cpu->hipDeviceGetAttribute(out_value, attribute, device);
	if (code == hipSuccess && attribute == hipDeviceAttributeIntegrated)
		*out_value = 0;
	return code;
}

static hipError_t little_memory(size_t *out_free, size_t *out_total)
{
	*out_free = FREE_BYTES;
	*out_total = 2 * FREE_BYTES;
	return hipSuccess;
}

static hipError_t another_architecture(int device, char out_name[GRETA_HIP_ARCHITECTURE_MAX])
{
	if (device)
		return hipErrorInvalidDevice;
	snprintf(out_name, GRETA_HIP_ARCHITECTURE_MAX, "%s", architecture_name);
	return hipSuccess;
}

static hipError_t foreign_image(hipModule_t *out_module, const void *image)
{
	(void)out_module;
	(void)image;
	return hipErrorNoBinaryForGpu;
}

struct device {
	struct toy toy;
	struct greta_options options;
	struct greta_hip answers, hip;
};

static void device_init(struct device *device)
{
	struct greta_error error;
	toy_init(&device->toy);
	device->options = (struct greta_options){.no_cache = true, .threads = 1};
	if (greta_hip_load("cpu", &(struct greta_hip_options){.threads = 1, .guard = true}, &cpu, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	device->answers = *cpu;
}

static void device_finish(struct device *device)
{
	greta_hip_unload(cpu);
	toy_finish(&device->toy);
}

static void refused(struct device *device, enum greta_status status, const char *const words[])
{
	struct greta_session_source source = toy_source(&device->toy, &device->options);
	struct greta *greta = NULL;
	struct greta_error error = {.message = ""};
	char held[128];
	ledger_wrap(&device->answers, &device->hip);
	source.hip = &device->hip;
	assert_int_equal(greta_session_open(&source, &greta, &error), status);
	assert_null(greta);
	assert_null(strchr(error.message, '\n'));
	for (size_t i = 0; words[i]; i++)
		if (!strstr(error.message, words[i]))
			fail_msg("\"%s\" is not in: %s", words[i], error.message);
	assert_int_equal(ledger_held(held, sizeof(held)), 0);
	assert_int_equal(ledger_device_peak() + ledger_host_peak(), 0);
	toy_close_source(&source);
}

static void a_device_too_small_is_refused_with_both_numbers(void **state)
{
	static const uint64_t kv = (uint64_t)5 << 20;
	struct device device;
	struct greta_session_source source;
	struct greta *greta;
	struct greta_error error;
	(void)state;
	device_init(&device);
	device.answers.hipDeviceGetAttribute = attribute_of_its_own;
	device.answers.hipMemGetInfo = little_memory;
	device.toy.header.region_bytes[GRETA_REGION_KV] = kv;
	refused(&device, GRETA_ERROR_MEMORY,
		(const char *const[]){"is too small", "takes 5.0 MiB", "KV cache 5.0", "3.0 of 6.0 MiB are free",
				      "--ctx", NULL});
	/* Exactly as much as there is will do, and a byte more will not. */
	uint64_t rest =
	    greta_plan_device_bytes(&device.toy.header) + device.toy.header.region_bytes[GRETA_REGION_MODEL] - kv;
	device.toy.header.region_bytes[GRETA_REGION_KV] = FREE_BYTES - rest + 1;
	refused(&device, GRETA_ERROR_MEMORY, (const char *const[]){"is too small", NULL});
	device.toy.header.region_bytes[GRETA_REGION_KV]--;
	source = toy_source(&device.toy, &device.options);
	ledger_wrap(&device.answers, &device.hip);
	source.hip = &device.hip;
	assert_int_equal(greta_session_open(&source, &greta, &error), GRETA_OK);
	assert_int_equal(ledger_device_peak(), FREE_BYTES);
	greta_close(greta);
	device_finish(&device);
}

static void a_plan_for_another_architecture_is_refused_with_the_command(void **state)
{
	static const char *const pairs[][2] = {{"gfx942", "sm_90"}, {"sm_90", "gfx942"}, {"gfx942", "cpu"}};
	struct device device;
	char command[64];
	(void)state;
	device_init(&device);
	device.answers.architecture = another_architecture;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		snprintf(device.toy.header.target, sizeof(device.toy.header.target), "%s", pairs[i][0]);
		architecture_name = pairs[i][1];
		snprintf(command, sizeof(command), "greta-plan build --target %s", pairs[i][1]);
		refused(&device, GRETA_ERROR_MISMATCH, (const char *const[]){"toy.plan", pairs[i][0], command, NULL});
	}
	device_finish(&device);
}

static void a_code_object_that_the_device_does_not_take_is_named(void **state)
{
	struct device device;
	(void)state;
	device_init(&device);
	device.answers.hipModuleLoadData = foreign_image;
	refused(&device, GRETA_ERROR_MISMATCH,
		(const char *const[]){"kernels for cpu", "hipModuleLoadData: hipErrorNoBinaryForGpu", "-Dgpu_targets",
				      NULL});
	device_finish(&device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_too_small_is_refused_with_both_numbers),
		cmocka_unit_test(a_plan_for_another_architecture_is_refused_with_the_command),
		cmocka_unit_test(a_code_object_that_the_device_does_not_take_is_named),
	};
	return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
