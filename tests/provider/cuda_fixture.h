/* The fake CUDA driver of fake_cuda.h, opened, and the nvidia provider loaded over it. */
#ifndef GRETA_TEST_CUDA_FIXTURE_H
#define GRETA_TEST_CUDA_FIXTURE_H

#include "tests/provider/fake_cuda.h"
#include "tests/provider/fixture.h"

struct fake {
	void *library;
	struct fake_cuda *state; /* the library's */
	struct greta_hip *hip;
};

/* Opens the library at `path` (FAKE_CUDA, FAKE_CUDA_11) and no provider: two devices, CUDA 12.4.
 * dlclose is the caller's. */
void fake_open(struct fake *fake, const char *path);

/* The same, and loads the provider over it. fake_finish closes both. */
void fake_init(struct fake *fake, const char *path, bool overlap);
void fake_finish(struct fake *fake);

/* The last call of the driver was this one, with these arguments. */
void fake_called(const struct fake *fake, const char *name, size_t count, const uint64_t *args);

#define CALLED(fake, name, ...) \
	fake_called(fake, name, sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t), (uint64_t[]){ __VA_ARGS__ })
#define P(pointer) ((uint64_t)(uintptr_t)(pointer))
#define HANDLE(type) ((type)FAKE_HANDLE)

#endif
