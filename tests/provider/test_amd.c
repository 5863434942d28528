/* The amd provider: which library it takes and what it refuses, and that calls reach the library, which here is a fake
 * one over the cpu provider. */
#include "tests/provider/fake_amd.h"
#include "tests/provider/fixture.h"

#include <dlfcn.h>
#include <string.h>

struct fake {
	void *library;
	struct fake_amd *state;
	struct greta_hip *cpu, inner;
};

static void fake_init(struct fake *fake, const char *path)
{
	struct greta_hip_options options = { .threads = 2 };
	struct greta_error error;
	*fake = (struct fake){ .library = dlopen(path, RTLD_NOW | RTLD_LOCAL) };
	assert_non_null(fake->library);
	fake->state = dlsym(fake->library, "fake_amd");
	assert_non_null(fake->state);
	if (greta_hip_load("cpu", &options, &fake->cpu, &error))
		fail_msg("%s", error.message);
	fake->inner = *fake->cpu;
	fake->state->inner = &fake->inner;
	strcpy(fake->state->architecture, "gfx942:sramecc+:xnack-");
}

static void fake_finish(struct fake *fake)
{
	greta_hip_unload(fake->cpu);
	dlclose(fake->library);
}

static struct greta_hip *load(const char *library)
{
	struct greta_hip_options options = { .library = library };
	struct greta_hip *hip = NULL;
	struct greta_error error;
	if (greta_hip_load("amd", &options, &hip, &error))
		fail_msg("%s", error.message);
	assert_string_equal(hip->provider, "amd");
	return hip;
}

/* Loading must fail and say both. */
static void refused(const char *library, const char *first, const char *second)
{
	struct greta_hip_options options = { .library = library };
	struct greta_hip *hip = NULL;
	struct greta_error error;
	assert_int_equal(greta_hip_load("amd", &options, &hip, &error), GRETA_ERROR_DEVICE);
	assert_null(hip);
	if (!strstr(error.message, first) || !strstr(error.message, second))
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", error.message, first, second);
}

static void what_was_tried_is_said(void **state)
{
	(void)state;
	struct greta_hip *hip;
	struct greta_error error;
	refused("/nowhere/libamdhip64.so", "tried /nowhere/libamdhip64.so", "No such file");
	refused("/nowhere/libamdhip64.so", "the AMD HIP runtime", "install it, or take the provider cpu");
	refused(FAKE_CUDA, "hipInit", "has no");
	if (greta_hip_load("amd", NULL, &hip, &error) == GRETA_OK) {
		greta_hip_unload(hip);
		skip(); /* there is a real one */
	}
	if (strstr(error.message, "cannot be opened"))
		assert_non_null(strstr(error.message,
		    "tried libamdhip64.so.7, /opt/rocm/lib/libamdhip64.so, libamdhip64.so.6, libamdhip64.so.5, "));
}

static void a_library_that_lacks_a_call_is_refused(void **state)
{
	(void)state;
	struct fake fake;
	fake_init(&fake, FAKE_AMD_LACKING);
	refused(FAKE_AMD_LACKING, "has no hipGraphGetNodes", "install ROCm");
	fake_finish(&fake);
}

static hipError_t old_version(int *out_version)
{
	*out_version = 40321331;
	return hipSuccess;
}

static hipError_t no_device(unsigned int flags)
{
	return flags ? hipErrorInvalidValue : hipErrorNoDevice;
}

static hipError_t zero_devices(int *out_count)
{
	*out_count = 0;
	return hipSuccess;
}

static void old_runtimes_and_empty_machines_are_refused(void **state)
{
	(void)state;
	struct fake fake;
	fake_init(&fake, FAKE_AMD);
	fake.inner.hipRuntimeGetVersion = old_version;
	refused(FAKE_AMD, "version 4.3.21331", "5.0 is the oldest that serves: install ROCm");
	fake.inner.hipRuntimeGetVersion = fake.cpu->hipRuntimeGetVersion;
	fake.inner.hipInit = no_device;
	refused(FAKE_AMD, "no AMD GPU answers", "hipErrorNoDevice");
	fake.inner.hipInit = fake.cpu->hipInit;
	fake.inner.hipGetDeviceCount = zero_devices;
	refused(FAKE_AMD, "finds no GPU: take the provider cpu", "fake-amd");
	fake_finish(&fake);
}

static void every_call_is_the_librarys(void **state)
{
	(void)state;
	struct fake fake;
	fake_init(&fake, FAKE_AMD);
	struct greta_hip *hip = load(FAKE_AMD);
	void *expected, *got;
#define CHECK_CALL(name, parameters, arguments) \
	expected = dlsym(fake.library, #name); \
	memcpy(&got, &hip->name, sizeof(got)); \
	assert_non_null(expected); \
	assert_ptr_equal(got, expected);
	GRETA_HIP_CALLS(CHECK_CALL)
#undef CHECK_CALL
	assert_string_equal(hip->detail(), "");
	greta_hip_unload(hip);
	fake_finish(&fake);
}

static void architectures_are_read_in_either_layout(void **state)
{
	(void)state;
	static const char *const libraries[] = { FAKE_AMD, FAKE_AMD_5 };
	for (size_t i = 0; i < 2; i++) {
		struct fake fake;
		char name[GRETA_HIP_ARCHITECTURE_MAX] = "untouched";
		struct greta_error error;
		fake_init(&fake, libraries[i]);
		struct greta_hip *hip = load(libraries[i]);
		assert_int_equal(greta_hip_architecture(hip, 1, name, &error), GRETA_ERROR_DEVICE);
		assert_non_null(strstr(error.message, "amd device 1"));
		strcpy(fake.state->architecture, "MI300X");
		assert_int_equal(greta_hip_architecture(hip, 0, name, &error), GRETA_ERROR_DEVICE);
		strcpy(fake.state->architecture, "gfx90a-a-name-that-is-too-long");
		assert_int_equal(greta_hip_architecture(hip, 0, name, &error), GRETA_ERROR_DEVICE);
		assert_string_equal(name, "untouched");
		strcpy(fake.state->architecture, "gfx942:sramecc+:xnack-");
		assert_int_equal(greta_hip_architecture(hip, 0, name, &error), GRETA_OK);
		assert_string_equal(name, "gfx942");
		strcpy(fake.state->architecture, "gfx1100");
		assert_int_equal(greta_hip_architecture(hip, 0, name, &error), GRETA_OK);
		assert_string_equal(name, "gfx1100");
		greta_hip_unload(hip);
		fake_finish(&fake);
	}
}

static void loads_share_one_library_until_the_last_unload(void **state)
{
	(void)state;
	struct fake fake;
	fake_init(&fake, FAKE_AMD);
	struct greta_hip_options other = { .library = FAKE_AMD_5 };
	struct greta_hip *first = load(FAKE_AMD), *second = load(FAKE_AMD), *third = NULL;
	struct greta_error error;
	assert_int_equal(greta_hip_load("amd", &other, &third, &error), GRETA_ERROR_ARGUMENT);
	assert_non_null(strstr(error.message, FAKE_AMD));
	struct greta_hip copy = *first;
	char name[GRETA_HIP_ARCHITECTURE_MAX];
	greta_hip_unload(first);
	assert_hip(second->architecture(0, name));
	greta_hip_unload(second);
	assert_int_equal(copy.architecture(0, name), hipErrorNotInitialized);
	greta_hip_unload(load(FAKE_AMD));
	fake_finish(&fake);
}

/* Ten mixing kernels captured and replayed through the library: every argument arrives where it belongs, or the numbers
 * differ. */
static void work_goes_through(void **state)
{
	(void)state;
	enum { WORDS = 64, NODES = 10 };
	struct fake fake;
	fake_init(&fake, FAKE_AMD);
	struct fixture fixture = { .hip = load(FAKE_AMD), .threads = 2 };
	assert_hip(fixture.hip->hipModuleLoadData(&fixture.module, &test_module));
	fixture.stream = fixture_stream(&fixture, hipStreamNonBlocking);
	struct test_mix args = { .words = fixture_malloc(&fixture, WORDS * sizeof(uint32_t)), .key = 7 };
	hipGraph_t graph;
	hipGraphExec_t exec;
	uint32_t words[WORDS];
	assert_hip(fixture.hip->hipStreamBeginCapture(fixture.stream, hipStreamCaptureModeGlobal));
	for (int i = 0; i < NODES; i++)
		assert_hip(fixture_launch(&fixture, "mix", WORDS, &args, sizeof(args), fixture.stream));
	assert_hip(fixture.hip->hipStreamEndCapture(fixture.stream, &graph));
	assert_hip(fixture.hip->hipGraphInstantiate(&exec, graph, NULL, NULL, 0));
	assert_hip(fixture.hip->hipGraphLaunch(exec, fixture.stream));
	assert_hip(fixture.hip->hipMemcpyAsync(words, args.words, sizeof(words), hipMemcpyDeviceToHost, fixture.stream));
	assert_hip(fixture.hip->hipStreamSynchronize(fixture.stream));
	for (uint32_t i = 0; i < WORDS; i++) {
		uint32_t word = 0;
		for (int n = 0; n < NODES; n++)
			word = test_mixed(word, args.key, i);
		assert_int_equal(words[i], word);
	}
	greta_hip_unload(fixture.hip);
	fake_finish(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_tried_is_said),
		cmocka_unit_test(a_library_that_lacks_a_call_is_refused),
		cmocka_unit_test(old_runtimes_and_empty_machines_are_refused),
		cmocka_unit_test(every_call_is_the_librarys),
		cmocka_unit_test(architectures_are_read_in_either_layout),
		cmocka_unit_test(loads_share_one_library_until_the_last_unload),
		cmocka_unit_test(work_goes_through),
	};
	return cmocka_run_group_tests_name("amd", tests, NULL, NULL);
}
