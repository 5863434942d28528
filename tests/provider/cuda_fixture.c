#include "tests/provider/cuda_fixture.h"

#include <dlfcn.h>

void fake_open(struct fake *fake, const char *path)
{
	*fake = (struct fake){ .library = dlopen(path, RTLD_NOW | RTLD_LOCAL) };
	assert_non_null(fake->library);
	fake->state = dlsym(fake->library, "fake_cuda");
	assert_non_null(fake->state);
	*fake->state = (struct fake_cuda){ .version = 12040, .devices = 2 };
}

void fake_init(struct fake *fake, const char *path, bool overlap)
{
	struct greta_hip_options options = { .library = path, .overlap = overlap };
	struct greta_error error;
	fake_open(fake, path);
	if (greta_hip_load("nvidia", &options, &fake->hip, &error))
		fail_msg("%s", error.message);
	assert_string_equal(fake->hip->provider, "nvidia");
}

void fake_finish(struct fake *fake)
{
	greta_hip_unload(fake->hip);
	dlclose(fake->library);
}

void fake_called(const struct fake *fake, const char *name, size_t count, const uint64_t *args)
{
	assert_string_equal(fake->state->name, name);
	for (size_t i = 0; i < count; i++) {
		if (fake->state->args[i] != args[i])
			fail_msg("%s: argument %zu is %#llx, not %#llx", name, i,
			    (unsigned long long)fake->state->args[i], (unsigned long long)args[i]);
	}
}
