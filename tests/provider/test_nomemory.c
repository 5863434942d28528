/* Every allocation, and every start of a thread, made to fail in turn: an error of the right kind, nothing lost, and
 * the same work goes through afterwards. The linker sends the allocating calls here (-Wl,--wrap). */
#include "tests/provider/fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long allocations; /* since the scenario began */
static unsigned long failing;     /* the one to fail; 0: none */

static bool fails(void)
{
	return ++allocations == failing;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
int __real_posix_memalign(void **out_block, size_t alignment, size_t size);
int __real_pthread_create(pthread_t *out_thread, const pthread_attr_t *attributes, void *(*function)(void *),
    void *argument);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
int __wrap_posix_memalign(void **out_block, size_t alignment, size_t size);
int __wrap_pthread_create(pthread_t *out_thread, const pthread_attr_t *attributes, void *(*function)(void *),
    void *argument);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
	return fails() ? NULL : __real_realloc(block, size);
}

int __wrap_posix_memalign(void **out_block, size_t alignment, size_t size)
{
	return fails() ? ENOMEM : __real_posix_memalign(out_block, alignment, size);
}

int __wrap_pthread_create(pthread_t *out_thread, const pthread_attr_t *attributes, void *(*function)(void *),
    void *argument)
{
	return fails() ? EAGAIN : __real_pthread_create(out_thread, attributes, function, argument);
}

struct objects {
	hipModule_t module;
	hipFunction_t function;
	hipStream_t stream, other;
	hipEvent_t fork, join;
	hipGraph_t graph;
	hipGraphExec_t exec;
	uint32_t *words;
};

static uint32_t registered[64];

static hipError_t carry(const struct greta_hip *hip, const struct objects *it, uint32_t to, hipStream_t stream)
{
	struct test_carry args = { it->words, 0, to, to };
	size_t size = sizeof(args);
	void *extra[] = { HIP_LAUNCH_PARAM_BUFFER_POINTER, &args, HIP_LAUNCH_PARAM_BUFFER_SIZE, &size,
	    HIP_LAUNCH_PARAM_END };
	return hip->hipModuleLaunchKernel(it->function, 1, 1, 1, 1, 1, 1, 0, stream, NULL, extra);
}

static hipError_t prepare(const struct greta_hip *hip, struct objects *it)
{
	hipError_t code = hip->hipModuleLoadData(&it->module, &test_module);
	code = code ? code : hip->hipModuleGetFunction(&it->function, it->module, "carry");
	code = code ? code : hip->hipStreamCreateWithFlags(&it->stream, hipStreamNonBlocking);
	code = code ? code : hip->hipStreamCreateWithFlags(&it->other, hipStreamNonBlocking);
	code = code ? code : hip->hipEventCreateWithFlags(&it->fork, hipEventDisableTiming);
	code = code ? code : hip->hipEventCreateWithFlags(&it->join, hipEventDisableTiming);
	code = code ? code : hip->hipMalloc((void **)&it->words, 64 * sizeof(*it->words));
	code = code ? code : hip->hipMemset(it->words, 0, 64 * sizeof(*it->words));
	return code ? code : hip->hipHostRegister(registered, sizeof(registered), 0);
}

static hipError_t capture(const struct greta_hip *hip, struct objects *it)
{
	hipError_t code = hip->hipStreamBeginCapture(it->stream, hipStreamCaptureModeThreadLocal);
	if (code)
		return code;
	code = carry(hip, it, 0, it->stream);
	for (uint32_t i = 0; i < 10 && !code; i++) {
		code = hip->hipEventRecord(it->fork, it->stream);
		code = code ? code : hip->hipStreamWaitEvent(it->other, it->fork, 0);
		code = code ? code : carry(hip, it, 1 + i, it->other);
		code = code ? code : carry(hip, it, 11 + i, it->stream);
		code = code ? code : hip->hipEventRecord(it->join, it->other);
		code = code ? code : hip->hipStreamWaitEvent(it->stream, it->join, 0);
	}
	for (uint32_t i = 0; i < 100 && !code; i++)
		code = carry(hip, it, 21 + i % 40, it->stream);
	hipError_t ended = hip->hipStreamEndCapture(it->stream, &it->graph);
	assert_int_equal(ended, code ? hipErrorStreamCaptureInvalidated : hipSuccess);
	return code;
}

static hipError_t replay(const struct greta_hip *hip, struct objects *it)
{
	hipError_t code = hip->hipGraphInstantiate(&it->exec, it->graph, NULL, NULL, 0);
	code = code ? code : hip->hipGraphLaunch(it->exec, it->stream);
	return code ? code : hip->hipStreamSynchronize(it->stream);
}

/* True when everything went well; a failure is looked at, and what it left is the unload's to release. */
static bool scenario(void)
{
	struct greta_hip_options options = { .threads = 3, .guard = true };
	struct greta_hip *hip = NULL;
	struct greta_error error = { 0 };
	struct objects it = { 0 };
	allocations = 0;
	enum greta_status status = greta_hip_load("cpu", &options, &hip, &error);
	if (status) {
		assert_true(status == GRETA_ERROR_MEMORY || status == GRETA_ERROR_DEVICE);
		assert_true(error.message[0] != '\0');
		assert_null(hip);
		return false;
	}
	hipError_t code = prepare(hip, &it);
	code = code ? code : capture(hip, &it);
	code = code ? code : replay(hip, &it);
	if (code)
		assert_int_equal(code, hipErrorOutOfMemory);
	else
		assert_int_equal(it.words[60], test_mixed(test_mixed(0, 0, 0), 60, 60));
	assert_hip(hip->hipDeviceSynchronize());
	greta_hip_unload(hip);
	return !code;
}

static void every_failure_is_an_error_and_nothing_more(void **state)
{
	(void)state;
	failing = 0;
	assert_true(scenario());
	unsigned long total = allocations;
	assert_true(total > 150); /* a node is an allocation */
	for (failing = 1; failing <= total; failing++) {
		unsigned long nth = failing;
		if (scenario())
			fail_msg("allocation %lu of %lu was not missed", nth, total);
	}
	failing = 0;
	assert_true(scenario());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_failure_is_an_error_and_nothing_more),
	};
	return cmocka_run_group_tests_name("nomemory", tests, NULL, NULL);
}
