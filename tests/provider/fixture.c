#include "tests/provider/fixture.h"

#include <string.h>

const unsigned fixture_threads[3] = { 1, 2, 5 };

void fixture_init(struct fixture *fixture, unsigned threads, bool guard)
{
	struct greta_error error = { 0 };
	struct greta_hip_options options = { .threads = threads, .guard = guard };
	*fixture = (struct fixture){ .threads = threads };
	if (greta_hip_load("cpu", &options, &fixture->hip, &error))
		fail_msg("%s", error.message);
	assert_hip(fixture->hip->hipModuleLoadData(&fixture->module, &test_module));
	fixture->stream = fixture_stream(fixture, hipStreamNonBlocking);
}

void fixture_finish(struct fixture *fixture)
{
	assert_hip(fixture->hip->hipDeviceSynchronize());
	greta_hip_unload(fixture->hip); /* whatever a test has left must go with it: the leak checker sees */
}

hipFunction_t fixture_function(const struct fixture *fixture, const char *name)
{
	hipFunction_t function;
	assert_hip(fixture->hip->hipModuleGetFunction(&function, fixture->module, name));
	return function;
}

hipError_t fixture_launch(const struct fixture *fixture, const char *name, unsigned blocks, const void *args,
    size_t size, hipStream_t stream)
{
	unsigned char copy[4096]; /* HIP wants the address of something that is not const */
	assert_true(size <= sizeof(copy));
	if (size)
		memcpy(copy, args, size);
	void *extra[] = { HIP_LAUNCH_PARAM_BUFFER_POINTER, copy, HIP_LAUNCH_PARAM_BUFFER_SIZE, &size,
	    HIP_LAUNCH_PARAM_END };
	return fixture->hip->hipModuleLaunchKernel(fixture_function(fixture, name), blocks, 1, 1, 1, 1, 1, 0, stream,
	    NULL, extra);
}

hipStream_t fixture_stream(const struct fixture *fixture, unsigned flags)
{
	hipStream_t stream;
	assert_hip(fixture->hip->hipStreamCreateWithFlags(&stream, flags));
	return stream;
}

hipEvent_t fixture_event(const struct fixture *fixture, unsigned flags)
{
	hipEvent_t event;
	assert_hip(fixture->hip->hipEventCreateWithFlags(&event, flags));
	return event;
}

void *fixture_malloc(const struct fixture *fixture, size_t size)
{
	void *address;
	assert_hip(fixture->hip->hipMalloc(&address, size));
	assert_hip(fixture->hip->hipMemset(address, 0, size));
	return address;
}
