#include "runtime/amd/provider.h"
#include "runtime/vendor_library.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define OLDEST_RUNTIME 50000000 /* 5.0.0, as HIP writes versions */

/* The properties struct, of which only one field is read: larger than any version's (1,472 bytes in ROCm 7). */
struct properties {
	_Alignas(16) char bytes[8192];
};

static const struct layout {
	const char *call;
	size_t architecture; /* its offset; 256 bytes long */
} layouts[] = {
	{ "hipGetDevicePropertiesR0600", 1160 },
	{ "hipGetDeviceProperties", 396 },
};

static const char *const names[] = { "libamdhip64.so.7", "/opt/rocm/lib/libamdhip64.so", "libamdhip64.so.6",
	"libamdhip64.so.5", "libamdhip64.so", NULL };

struct amd {
	unsigned users;
	void *library;
	char name[GRETA_VENDOR_LIBRARY_NAME_MAX];
	char wanted[GRETA_VENDOR_LIBRARY_NAME_MAX]; /* "": none */
	struct greta_hip hip;
	hipError_t (*get_properties)(struct properties *out_properties, int device);
	const struct layout *layout;
};

/* HIP's calls carry no context, so the library is the process's. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct amd amd;

static const char *no_detail(void)
{
	return "";
}

static enum greta_status resolve(struct amd *opened, struct greta_error *error)
{
	const char *missing = NULL;
	opened->hip = (struct greta_hip){ .provider = "amd", .detail = no_detail };
#define AMD_RESOLVE(call, parameters, arguments) \
	if (!missing && !greta_vendor_library_symbol(opened->library, #call, &opened->hip.call)) \
		missing = #call;
	GRETA_HIP_CALLS(AMD_RESOLVE)
#undef AMD_RESOLVE
	for (size_t i = 0; !opened->layout && i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (greta_vendor_library_symbol(opened->library, layouts[i].call, &opened->get_properties))
			opened->layout = &layouts[i];
	}
	if (!missing && !opened->layout)
		missing = layouts[0].call;
	if (missing)
		return greta_fail(error, GRETA_ERROR_DEVICE,
		    "the AMD HIP runtime %s has no %s: install ROCm 5.2 or newer", opened->name, missing);
	return GRETA_OK;
}

static enum greta_status refuse(const struct amd *opened, hipError_t code, const char *what, struct greta_error *error)
{
	const char *name = opened->hip.hipGetErrorName(code), *text = opened->hip.hipGetErrorString(code);
	bool told = !strcmp(name, text); /* as some versions of the runtime have it */
	return greta_fail(error, GRETA_ERROR_DEVICE, "the AMD HIP runtime %s: %s: %s%s%s", opened->name, what, name,
	    told ? "" : ", ", told ? "" : text);
}

static enum greta_status check(const struct amd *opened, struct greta_error *error)
{
	int version = 0, driver = 0, devices = 0;
	hipError_t code = opened->hip.hipRuntimeGetVersion(&version);
	if (code)
		return refuse(opened, code, "hipRuntimeGetVersion", error);
	if (version < OLDEST_RUNTIME)
		return greta_fail(error, GRETA_ERROR_DEVICE,
		    "the AMD HIP runtime %s is version %d.%d.%d; 5.0 is the oldest "
		    "that serves: install ROCm 5.2 or newer",
		    opened->name, version / 10000000, version / 100000 % 100, version % 100000);
	code = opened->hip.hipInit(0);
	if (code)
		return refuse(opened, code, "no AMD GPU answers: hipInit", error);
	code = opened->hip.hipDriverGetVersion(&driver);
	if (code)
		return refuse(opened, code, "hipDriverGetVersion", error);
	code = opened->hip.hipGetDeviceCount(&devices);
	if (code)
		return refuse(opened, code, "no AMD GPU answers: hipGetDeviceCount", error);
	if (devices < 1)
		return greta_fail(error, GRETA_ERROR_DEVICE,
		    "the AMD HIP runtime %s finds no GPU: take the provider cpu", opened->name);
	return GRETA_OK;
}

static enum greta_status open_library(const char *wanted, struct greta_error *error)
{
	struct amd opened = { .users = 1 };
	enum greta_status status = greta_vendor_library_open("the AMD HIP runtime", names, wanted, &opened.library,
	    opened.name, error);
	if (status)
		return status;
	status = resolve(&opened, error);
	if (!status)
		status = check(&opened, error);
	if (status) {
		greta_vendor_library_close(opened.library);
		return status;
	}
	snprintf(opened.wanted, sizeof(opened.wanted), "%s", wanted ? wanted : "");
	amd = opened;
	return GRETA_OK;
}

enum greta_status greta_amd_provider_open(const struct greta_hip_options *options, struct greta_hip *out_hip,
    struct greta_error *error)
{
	const char *wanted = options->library;
	enum greta_status status = GRETA_OK;
	pthread_mutex_lock(&lock);
	if (!amd.users)
		status = open_library(wanted, error);
	else if (strcmp(amd.wanted, wanted ? wanted : "") != 0)
		status = greta_fail(error, GRETA_ERROR_ARGUMENT, "the amd provider is loaded from %s; it cannot be loaded from "
		    "%s at the same time", amd.name, wanted ? wanted : "another library");
	else
		amd.users++;
	if (!status)
		*out_hip = amd.hip;
	pthread_mutex_unlock(&lock);
	return status;
}

void greta_amd_provider_close(void)
{
	pthread_mutex_lock(&lock);
	if (amd.users && !--amd.users) {
		amd.hip.hipDeviceSynchronize();
		greta_vendor_library_close(amd.library);
		amd = (struct amd){ 0 };
	}
	pthread_mutex_unlock(&lock);
}

/* The name's length without the features that may follow; 0 when it is none. */
static size_t name_length(const char *text)
{
	size_t length = strcspn(text, ":");
	return !strncmp(text, "gfx", 3) && length > 3 && length < GRETA_HIP_ARCHITECTURE_MAX ? length : 0;
}

hipError_t greta_amd_architecture(int device, char out_name[GRETA_HIP_ARCHITECTURE_MAX])
{
	struct properties properties = { .bytes = "" };
	pthread_mutex_lock(&lock);
	struct amd opened = amd;
	pthread_mutex_unlock(&lock);
	if (!opened.users)
		return hipErrorNotInitialized;
	hipError_t code = opened.get_properties(&properties, device);
	if (code)
		return code;
	char text[257] = "";
	memcpy(text, properties.bytes + opened.layout->architecture, sizeof(text) - 1);
	size_t length = name_length(text);
	if (!length)
		return hipErrorNotSupported;
	memset(out_name, 0, GRETA_HIP_ARCHITECTURE_MAX);
	memcpy(out_name, text, length);
	return hipSuccess;
}
