#include "runtime/hip.h"
#include "runtime/cpu/provider.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One row for each provider. `open` fills the table and `close` takes back what it acquired. */
struct provider {
	const char *name;
	enum greta_status (*open)(const struct greta_hip_options *options, struct greta_hip *out_hip,
	    struct greta_error *error);
	void (*close)(void);
};

static const struct provider providers[] = {
	{ "cpu", greta_cpu_provider_open, greta_cpu_provider_close },
};

struct loaded {
	struct greta_hip hip; /* first: its address is the caller's handle */
	const struct provider *provider;
};

static const struct provider *find_provider(const char *name)
{
	for (size_t i = 0; name && i < sizeof(providers) / sizeof(providers[0]); i++) {
		if (!strcmp(providers[i].name, name))
			return &providers[i];
	}
	return NULL;
}

enum greta_status greta_hip_load(const char *name, const struct greta_hip_options *options, struct greta_hip **out_hip,
    struct greta_error *error)
{
	static const struct greta_hip_options defaults;
	const struct provider *provider = find_provider(name);
	if (!provider)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "no HIP provider is called \"%s\"; this build has: cpu",
		    name ? name : "(null)");
	struct loaded *loaded = calloc(1, sizeof(*loaded));
	if (!loaded)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory to load the HIP provider %s", name);
	enum greta_status status = provider->open(options ? options : &defaults, &loaded->hip, error);
	if (status) {
		free(loaded);
		return status;
	}
	loaded->provider = provider;
	*out_hip = &loaded->hip;
	return GRETA_OK;
}

void greta_hip_unload(struct greta_hip *hip)
{
	if (!hip)
		return;
	struct loaded *loaded = (struct loaded *)hip;
	loaded->provider->close();
	free(loaded);
}

const char *greta_hip_error_name(hipError_t code)
{
	switch (code) {
#define GRETA_HIP_CASE(name, value, text) \
	case name: \
		return #name;
		GRETA_HIP_ERRORS(GRETA_HIP_CASE)
#undef GRETA_HIP_CASE
	}
	return "hipErrorUnknown";
}

const char *greta_hip_error_text(hipError_t code)
{
	switch (code) {
#define GRETA_HIP_CASE(name, value, text) \
	case name: \
		return text;
		GRETA_HIP_ERRORS(GRETA_HIP_CASE)
#undef GRETA_HIP_CASE
	}
	return "unknown error";
}

enum greta_status greta_hip_fail(const struct greta_hip *hip, hipError_t code, struct greta_error *error,
    const char *what, ...)
{
	char text[256];
	va_list list;
	va_start(list, what);
	if (vsnprintf(text, sizeof(text), what, list) < 0)
		text[0] = '\0';
	va_end(list);
	const char *detail = hip->detail();
	return greta_fail(error, code == hipErrorOutOfMemory ? GRETA_ERROR_MEMORY : GRETA_ERROR_DEVICE,
	    "%s: %s, %s%s%s%s", text,
	    hip->hipGetErrorName(code), hip->hipGetErrorString(code), *detail ? " (" : "", detail, *detail ? ")" : "");
}
