#include "runtime/hip.h"
#include "runtime/amd/provider.h"
#include "runtime/cpu/provider.h"
#include "runtime/nvidia/provider.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hipError_t cpu_architecture(int device, char out_name[GRETA_HIP_ARCHITECTURE_MAX])
{
	if (device)
		return hipErrorInvalidDevice;
	memcpy(out_name, "cpu", sizeof("cpu"));
	return hipSuccess;
}

/* One row for each provider, in the order of "auto". `open` fills the table's calls and `close` takes back what it
 * acquired. */
struct provider {
	const char *name;
	enum greta_status (*open)(const struct greta_hip_options *options, struct greta_hip *out_hip,
	    struct greta_error *error);
	void (*close)(void);
	hipError_t (*architecture)(int device, char out_name[GRETA_HIP_ARCHITECTURE_MAX]);
	bool (*takes)(const char *architecture, const char *target); /* besides its own; NULL: none */
};

static const struct provider providers[] = {
	{ "amd", greta_amd_provider_open, greta_amd_provider_close, greta_amd_architecture, NULL },
	{ "nvidia", greta_nvidia_provider_open, greta_nvidia_provider_close, greta_nvidia_architecture,
	  greta_nvidia_takes },
	{ "cpu", greta_cpu_provider_open, greta_cpu_provider_close, cpu_architecture, NULL },
};

#define PROVIDERS (sizeof(providers) / sizeof(providers[0]))

struct loaded {
	struct greta_hip hip; /* first: its address is the caller's handle */
	const struct provider *provider;
};

const char *greta_hip_provider_name(size_t index)
{
	return index < PROVIDERS ? providers[index].name : NULL;
}

static enum greta_status open_provider(const struct provider *provider, const struct greta_hip_options *options,
    struct loaded *loaded, struct greta_error *error)
{
	enum greta_status status = provider->open(options, &loaded->hip, error);
	if (status)
		return status;
	loaded->hip.architecture = provider->architecture;
	loaded->provider = provider;
	return GRETA_OK;
}

static enum greta_status open_first(const struct greta_hip_options *options, struct loaded *loaded,
    struct greta_error *error)
{
	enum greta_status status = GRETA_ERROR_DEVICE;
	if (options->library)
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
		    "the library %s is of one provider: name that one instead of auto", options->library);
	for (size_t i = 0; i < PROVIDERS; i++) {
		status = open_provider(&providers[i], options, loaded, error);
		if (status != GRETA_ERROR_DEVICE)
			return status;
	}
	return status;
}

static enum greta_status open_named(const char *name, const struct greta_hip_options *options, struct loaded *loaded,
    struct greta_error *error)
{
	if (name && !strcmp(name, "auto"))
		return open_first(options, loaded, error);
	for (size_t i = 0; name && i < PROVIDERS; i++) {
		if (!strcmp(providers[i].name, name))
			return open_provider(&providers[i], options, loaded, error);
	}
	return greta_fail(error, GRETA_ERROR_ARGUMENT,
	    "no HIP provider is called \"%s\"; there are auto, amd, nvidia and cpu", name ? name : "(null)");
}

enum greta_status greta_hip_load(const char *name, const struct greta_hip_options *options, struct greta_hip **out_hip,
    struct greta_error *error)
{
	static const struct greta_hip_options defaults;
	struct loaded *loaded = calloc(1, sizeof(*loaded));
	if (!loaded)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory to load the HIP provider %s",
		    name ? name : "(null)");
	enum greta_status status = open_named(name, options ? options : &defaults, loaded, error);
	if (status) {
		free(loaded);
		return status;
	}
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

enum greta_status greta_hip_architecture(const struct greta_hip *hip, int device,
    char out_name[GRETA_HIP_ARCHITECTURE_MAX], struct greta_error *error)
{
	char name[GRETA_HIP_ARCHITECTURE_MAX] = "";
	hipError_t code = hip->architecture(device, name);
	if (code)
		return greta_hip_fail(hip, code, error, "the architecture of %s device %d", hip->provider, device);
	memcpy(out_name, name, sizeof(name));
	return GRETA_OK;
}

bool greta_hip_takes(const char *provider, const char *architecture, const char *target)
{
	if (!strcmp(architecture, target))
		return true;
	for (size_t i = 0; i < PROVIDERS; i++) {
		if (!strcmp(providers[i].name, provider))
			return providers[i].takes && providers[i].takes(architecture, target);
	}
	return false;
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
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is two lines up */
	if (vsnprintf(text, sizeof(text), what, list) < 0)
		text[0] = '\0';
	va_end(list);
	const char *detail = hip->detail(), *name = hip->hipGetErrorName(code), *meaning = hip->hipGetErrorString(code);
	bool told = !strcmp(name, meaning); /* as AMD's runtime has it of some */
	return greta_fail(error, code == hipErrorOutOfMemory ? GRETA_ERROR_MEMORY : GRETA_ERROR_DEVICE,
	    "%s: %s%s%s%s%s%s", text, name, told ? "" : ", ", told ? "" : meaning, *detail ? " (" : "", detail,
	    *detail ? ")" : "");
}
