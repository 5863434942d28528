/* What the provider's tests share: the cpu provider loaded with a number of threads, the module of test kernels, and
 * short forms of the calls that must not fail. */
#ifndef GRETA_TEST_FIXTURE_H
#define GRETA_TEST_FIXTURE_H

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/provider/kernels.h"

struct fixture {
	struct greta_hip *hip;
	hipModule_t module;
	hipStream_t stream; /* hipStreamNonBlocking */
	unsigned threads;
};

/* The thread counts that every test of execution runs with: alone, as many as small machines have, more than they
 * have. */
extern const unsigned fixture_threads[3];

void fixture_init(struct fixture *fixture, unsigned threads, bool guard);
void fixture_finish(struct fixture *fixture);

hipFunction_t fixture_function(const struct fixture *fixture, const char *name);
/* Enqueues with the arguments; returns the call's code. */
hipError_t fixture_launch(const struct fixture *fixture, const char *name, unsigned blocks, const void *args,
    size_t size, hipStream_t stream);
hipStream_t fixture_stream(const struct fixture *fixture, unsigned flags);
hipEvent_t fixture_event(const struct fixture *fixture, unsigned flags);
/* Zeroed. */
void *fixture_malloc(const struct fixture *fixture, size_t size);

#define assert_hip(code) assert_int_equal((code), hipSuccess)

#endif
