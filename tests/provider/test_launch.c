/* Launches on the cpu provider: every block once, in order of the stream, within limits, whatever the number of
 * threads. */
#include "tests/provider/fixture.h"

#include <fenv.h>
#include <string.h>

static void run_where(const struct fixture *fixture, unsigned x, unsigned y, unsigned z)
{
	enum { SHARED = 4096 };
	unsigned blocks = x * y * z;
	uint32_t *words = fixture_malloc(fixture, (blocks + 2) * sizeof(*words));
	struct test_where args = { .seen = (void *)words, .fresh = (void *)(words + blocks),
	    .wrong = (void *)(words + blocks + 1),
		.grid_x = x, .grid_y = y, .grid_z = z, .workers = fixture->threads, .shared_bytes = SHARED };
	size_t size = sizeof(args);
	void *extra[] = { HIP_LAUNCH_PARAM_BUFFER_POINTER, &args, HIP_LAUNCH_PARAM_BUFFER_SIZE, &size,
	    HIP_LAUNCH_PARAM_END };
	assert_hip(fixture->hip->hipModuleLaunchKernel(fixture_function(fixture, "where"), x, y, z, 64, 2, 1, SHARED,
	    fixture->stream, NULL, extra));
	memset(&args, 0xff, sizeof(args)); /* the launch has its own copy */
	assert_hip(fixture->hip->hipStreamSynchronize(fixture->stream));
	for (unsigned i = 0; i < blocks; i++)
		assert_int_equal(words[i], 1);
	assert_in_range(words[blocks], 1, fixture->threads < blocks ? fixture->threads : blocks);
	assert_int_equal(words[blocks + 1], 0);
	assert_hip(fixture->hip->hipFree(words));
}

static void every_block_runs_once(void **state)
{
	(void)state;
	for (size_t t = 0; t < 3; t++) {
		struct fixture fixture;
		fixture_init(&fixture, fixture_threads[t], true);
		static const unsigned grids[][3] = { { 1, 1, 1 }, { 2, 1, 1 }, { 7, 1, 1 }, { 1, 5, 1 }, { 1, 1, 3 },
		    { 3, 4, 5 },
			{ 64, 1, 1 }, { 1000, 3, 1 }, { 100000, 1, 1 } };
		for (size_t i = 0; i < sizeof(grids) / sizeof(grids[0]); i++)
			run_where(&fixture, grids[i][0], grids[i][1], grids[i][2]);
		fixture_finish(&fixture);
	}
}

/* A long chain in which every launch changes every word depending on what it was: any lost, doubled or early block
 * shows. */
static void launches_keep_their_order(void **state)
{
	(void)state;
	for (size_t t = 0; t < 3; t++) {
		struct fixture fixture;
		fixture_init(&fixture, fixture_threads[t], true);
		enum { WORDS = 37, LAUNCHES = 3000 };
		uint32_t *words = fixture_malloc(&fixture, WORDS * sizeof(*words)), expected[WORDS] = { 0 };
		for (uint32_t i = 0; i < LAUNCHES; i++) {
			/* of 1 to 37 blocks, so that launches shared out and not alternate */
			unsigned blocks = i % 3 ? 1 + i * 7 % WORDS : 1;
			struct test_mix args = { words, i };
			assert_hip(fixture_launch(&fixture, "mix", blocks, &args, sizeof(args), fixture.stream));
			for (uint32_t k = 0; k < blocks; k++)
				expected[k] = test_mixed(expected[k], i, k);
		}
		assert_hip(fixture.hip->hipStreamSynchronize(fixture.stream));
		assert_memory_equal(words, expected, sizeof(expected));
		fixture_finish(&fixture);
	}
}

static void launches_outside_limits_are_refused(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 2, false);
	const struct greta_hip *hip = fixture.hip;
	hipFunction_t function = fixture_function(&fixture, "nothing");
	static const struct {
		unsigned grid[3], block[3], shared;
		hipError_t code;
	} cases[] = {
		{ { 1, 1, 1 }, { 1024, 1, 1 }, 65536, hipSuccess },
		{ { 1, 1, 1 }, { 16, 16, 4 }, 0, hipSuccess },
		{ { 0, 1, 1 }, { 1, 1, 1 }, 0, hipErrorInvalidConfiguration },
		{ { 1, 0, 1 }, { 1, 1, 1 }, 0, hipErrorInvalidConfiguration },
		{ { 1, 1, 0 }, { 1, 1, 1 }, 0, hipErrorInvalidConfiguration },
		{ { 1, 1, 1 }, { 0, 1, 1 }, 0, hipErrorInvalidConfiguration },
		{ { 1, 1, 1 }, { 1, 0, 1 }, 0, hipErrorInvalidConfiguration },
		{ { 1, 1, 1 }, { 1, 1, 0 }, 0, hipErrorInvalidConfiguration },
		{ { 1, 1, 1 }, { 1025, 1, 1 }, 0, hipErrorInvalidConfiguration },
		{ { 1, 1, 1 }, { 32, 33, 1 }, 0, hipErrorInvalidConfiguration },
		{ { 1, 1, 1 }, { 65536, 65536, 1 }, 0, hipErrorInvalidConfiguration }, /* the product wraps to 0 */
		{ { 0x80000000u, 1, 1 }, { 1, 1, 1 }, 0, hipErrorInvalidConfiguration },
		{ { 1, 65536, 1 }, { 1, 1, 1 }, 0, hipErrorInvalidConfiguration },
		{ { 1, 1, 65536 }, { 1, 1, 1 }, 0, hipErrorInvalidConfiguration },
		{ { 65536, 65535, 2 }, { 1, 1, 1 }, 0, hipErrorInvalidConfiguration },
		{ { 1, 1, 1 }, { 1, 1, 1 }, 65537, hipErrorInvalidValue },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const unsigned *grid = cases[i].grid, *block = cases[i].block;
		assert_int_equal(hip->hipModuleLaunchKernel(function, grid[0], grid[1], grid[2], block[0], block[1],
		    block[2],
				     cases[i].shared, fixture.stream, NULL, NULL),
		    cases[i].code);
		assert_int_equal(hip->hipGetLastError(), cases[i].code);
		assert_int_equal(hip->hipGetLastError(), hipSuccess);
	}
	fixture_finish(&fixture);
}

static void shared_memory_limit_can_be_raised(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 2, false);
	const struct greta_hip *hip = fixture.hip;
	hipFunction_t function = fixture_function(&fixture, "nothing");
	int limit;
	assert_hip(hip->hipDeviceGetAttribute(&limit, hipDeviceAttributeMaxSharedMemoryPerBlock, 0));
	assert_int_equal(hip->hipModuleLaunchKernel(function, 1, 1, 1, 1, 1, 1, (unsigned)limit, fixture.stream, NULL,
	    NULL), hipErrorInvalidValue);
	assert_non_null(strstr(hip->detail(), "nothing"));
	assert_int_equal(hip->hipFuncSetAttribute(function, hipFuncAttributeMaxDynamicSharedMemorySize, limit + 1),
	    hipErrorInvalidValue);
	assert_int_equal(hip->hipFuncSetAttribute(function, hipFuncAttributeMaxDynamicSharedMemorySize, -1),
	    hipErrorInvalidValue);
	assert_int_equal(hip->hipFuncSetAttribute(function, (hipFuncAttribute)9, 1), hipErrorInvalidValue);
	assert_int_equal(hip->hipFuncSetAttribute(NULL, hipFuncAttributeMaxDynamicSharedMemorySize, 1),
	    hipErrorInvalidDeviceFunction);
	assert_hip(hip->hipFuncSetAttribute(function, hipFuncAttributeMaxDynamicSharedMemorySize, limit));
	assert_hip(hip->hipModuleLaunchKernel(function, 1, 1, 1, 1, 1, 1, (unsigned)limit, fixture.stream, NULL, NULL));
	fixture_finish(&fixture);
}

static void malformed_arguments_are_refused(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 2, false);
	const struct greta_hip *hip = fixture.hip;
	hipFunction_t function = fixture_function(&fixture, "nothing");
	unsigned char args[4097] = { 0 };
	size_t fits = 4096, too_many = 4097, none = 0;
	void *pointer = HIP_LAUNCH_PARAM_BUFFER_POINTER, *size = HIP_LAUNCH_PARAM_BUFFER_SIZE,
	    *end = HIP_LAUNCH_PARAM_END;
	struct {
		void *extra[5];
		hipError_t code;
	} cases[] = {
		{ { pointer, args, size, &fits, end }, hipSuccess },
		{ { size, &fits, pointer, args, end }, hipSuccess },
		{ { pointer, NULL, size, &none, end }, hipSuccess },
		{ { end }, hipSuccess },
		{ { pointer, args, size, &too_many, end }, hipErrorInvalidValue },
		{ { pointer, NULL, size, &fits, end }, hipErrorInvalidValue },
		{ { size, &fits, end }, hipErrorInvalidValue },
		{ { size, NULL, end }, hipErrorInvalidValue },
		{ { args, args, end }, hipErrorInvalidValue },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(hip->hipModuleLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, fixture.stream, NULL,
		    cases[i].extra), cases[i].code);
	void *params[1] = { args };
	assert_int_equal(hip->hipModuleLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, fixture.stream, params, NULL),
	    hipErrorInvalidValue);
	assert_int_equal(hip->hipModuleLaunchKernel(NULL, 1, 1, 1, 1, 1, 1, 0, fixture.stream, NULL, NULL),
	    hipErrorInvalidHandle);
	assert_int_equal(hip->hipModuleLaunchKernel((hipFunction_t)(void *)fixture.stream, 1, 1, 1, 1, 1, 1, 0,
	    fixture.stream,
			     NULL, NULL),
	    hipErrorInvalidHandle);
	assert_int_equal(hip->hipModuleLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, (hipStream_t)(void *)fixture.module,
	    NULL,
			     NULL),
	    hipErrorInvalidHandle);
	fixture_finish(&fixture);
}

static void kernel(const struct greta_cpu_block *block, const void *args)
{
	(void)block;
	(void)args;
}

static void modules_are_checked(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 1, false);
	const struct greta_hip *hip = fixture.hip;
	const struct greta_cpu_function once[] = { { "a", kernel }, { "b", kernel } }, twice[] = { { "a", kernel },
	    { "a", kernel } },
					nameless[] = { { NULL, kernel } }, hollow[] = { { "a", NULL } };
	struct greta_cpu_module good = { GRETA_CPU_MODULE_MAGIC, "good", 2, once }, magic = { 1, "magic", 2, once },
				doubled = { GRETA_CPU_MODULE_MAGIC, NULL, 2, twice },
				unnamed = { GRETA_CPU_MODULE_MAGIC, "unnamed", 1, nameless },
				empty = { GRETA_CPU_MODULE_MAGIC, "empty", 1, hollow };
	hipModule_t module = NULL;
	hipFunction_t function = NULL;
	assert_int_equal(hip->hipModuleLoadData(&module, &magic), hipErrorInvalidImage);
	assert_int_equal(hip->hipModuleLoadData(&module, &doubled), hipErrorInvalidImage);
	assert_int_equal(hip->hipModuleLoadData(&module, &unnamed), hipErrorInvalidImage);
	assert_int_equal(hip->hipModuleLoadData(&module, &empty), hipErrorInvalidImage);
	assert_int_equal(hip->hipModuleLoadData(&module, NULL), hipErrorInvalidValue);
	assert_int_equal(hip->hipModuleLoadData(NULL, &good), hipErrorInvalidValue);
	assert_null(module);
	assert_hip(hip->hipModuleLoadData(&module, &good));
	assert_int_equal(hip->hipModuleGetFunction(&function, module, "c"), hipErrorNotFound);
	assert_non_null(strstr(hip->detail(), "c"));
	assert_int_equal(hip->hipModuleGetFunction(&function, module, NULL), hipErrorInvalidValue);
	assert_int_equal(hip->hipModuleGetFunction(&function, NULL, "a"), hipErrorInvalidHandle);
	assert_null(function);
	assert_hip(hip->hipModuleGetFunction(&function, module, "b"));
	assert_non_null(function);
	assert_hip(hip->hipModuleUnload(module));
	assert_int_equal(hip->hipModuleUnload(NULL), hipErrorInvalidHandle);
	fixture_finish(&fixture);
}

/* The thread that loads the provider may have changed its own floating-point environment. */
static void kernels_run_in_the_default_rounding(void **state)
{
	(void)state;
	for (size_t t = 0; t < 3; t++) {
		struct fixture fixture;
		assert_int_equal(fesetround(FE_TOWARDZERO), 0);
		fixture_init(&fixture, fixture_threads[t], false);
		enum { BLOCKS = 1000 };
		uint32_t *out = fixture_malloc(&fixture, BLOCKS * sizeof(*out));
		struct test_rounding args = { out };
		assert_hip(fixture_launch(&fixture, "rounding", BLOCKS, &args, sizeof(args), fixture.stream));
		assert_hip(fixture.hip->hipStreamSynchronize(fixture.stream));
		assert_int_equal(fesetround(FE_TONEAREST), 0);
		for (unsigned i = 0; i < BLOCKS; i++)
			assert_int_equal(out[i], 1);
		fixture_finish(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_block_runs_once),
		cmocka_unit_test(launches_keep_their_order),
		cmocka_unit_test(launches_outside_limits_are_refused),
		cmocka_unit_test(shared_memory_limit_can_be_raised),
		cmocka_unit_test(malformed_arguments_are_refused),
		cmocka_unit_test(modules_are_checked),
		cmocka_unit_test(kernels_run_in_the_default_rounding),
	};
	return cmocka_run_group_tests_name("launch", tests, NULL, NULL);
}
