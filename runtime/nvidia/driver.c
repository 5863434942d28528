#include "runtime/nvidia/driver.h"
#include "runtime/vendor_library.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define OLDEST_DRIVER 11040 /* cuGraphInstantiateWithFlags */
#define DEVICES_MAX 64

static const char *const names[] = { "libcuda.so.1", "libcuda.so", NULL };

struct driver {
	struct greta_cuda cuda;
	void *library;
	char name[GRETA_VENDOR_LIBRARY_NAME_MAX];
	char wanted[GRETA_VENDOR_LIBRARY_NAME_MAX]; /* "": none */
	int version;                         /* CUDA's: 12040 is 12.4 */
	int device_count;
	bool overlap;
	unsigned users;
	struct greta_cuda_context *contexts[DEVICES_MAX]; /* NULL until a thread needs the device */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct driver driver; /* written under the lock: the contexts at any time, the rest while `generation` is 0 */
static unsigned opened;      /* how often the driver has been opened */
static _Atomic(unsigned) generation; /* `opened`, or 0 while the driver is closed */

/* What a thread knows holds for one generation only. */
static _Thread_local struct {
	unsigned generation;
	int device;
	bool bound; /* the device's context is current */
} thread;

static enum greta_status refuse(const struct driver *made, int result, const char *call, struct greta_error *error)
{
	const char *name = NULL, *text = NULL;
	if (result == GRETA_CUDA_STUB_LIBRARY)
		return greta_fail(error, GRETA_ERROR_DEVICE,
		    "the NVIDIA driver: %s is the library for linking, not a driver", made->name);
	made->cuda.get_error_name(result, &name);
	made->cuda.get_error_string(result, &text);
	return greta_fail(error, GRETA_ERROR_DEVICE, "no NVIDIA GPU answers: %s of %s: %s, %s", call, made->name,
	    name ? name : "an error without a name", text ? text : "unknown error");
}

static enum greta_status resolve(struct driver *made, struct greta_error *error)
{
	const char *missing = NULL;
#define NVIDIA_RESOLVE(member, name, parameters) \
	if (!missing && !greta_vendor_library_symbol(made->library, #name, &made->cuda.member)) \
		missing = #name;
	GRETA_CUDA_CALLS(NVIDIA_RESOLVE)
#undef NVIDIA_RESOLVE
#define NVIDIA_RESOLVE(member, name, parameters) greta_vendor_library_symbol(made->library, #name, &made->cuda.member);
	GRETA_CUDA_LATER_CALLS(NVIDIA_RESOLVE)
#undef NVIDIA_RESOLVE
	if (!missing && made->overlap && !made->cuda.launch_kernel_ex)
		missing = "cuLaunchKernelEx, which overlap needs";
	if (missing)
		return greta_fail(error, GRETA_ERROR_DEVICE, "the NVIDIA driver %s has no %s: install a newer one",
		    made->name, missing);
	return GRETA_OK;
}

static enum greta_status check(struct driver *made, struct greta_error *error)
{
	int result = made->cuda.init(0);
	if (result)
		return refuse(made, result, "cuInit", error);
	result = made->cuda.driver_get_version(&made->version);
	if (result)
		return refuse(made, result, "cuDriverGetVersion", error);
	if (made->version < OLDEST_DRIVER)
		return greta_fail(error, GRETA_ERROR_DEVICE, "the NVIDIA driver %s is for CUDA %d.%d; one for 11.4 is the oldest "
		    "that serves: install a newer one", made->name, made->version / 1000, made->version % 1000 / 10);
	result = made->cuda.device_get_count(&made->device_count);
	if (result)
		return refuse(made, result, "cuDeviceGetCount", error);
	if (made->device_count < 1)
		return greta_fail(
		    error, GRETA_ERROR_DEVICE, "the NVIDIA driver %s finds no GPU: take the provider cpu", made->name);
	if (made->device_count > DEVICES_MAX)
		made->device_count = DEVICES_MAX;
	return GRETA_OK;
}

static enum greta_status open_driver(const struct greta_hip_options *options, struct greta_error *error)
{
	struct driver made = { .users = 1, .overlap = options->overlap };
	enum greta_status status =
	    greta_vendor_library_open("the NVIDIA driver", names, options->library, &made.library, made.name, error);
	if (status)
		return status;
	status = resolve(&made, error);
	if (!status)
		status = check(&made, error);
	if (status) {
		greta_vendor_library_close(made.library);
		return status;
	}
	snprintf(made.wanted, sizeof(made.wanted), "%s", options->library ? options->library : "");
	driver = made;
	opened = opened + 1 ? opened + 1 : 1;
	atomic_store(&generation, opened);
	return GRETA_OK;
}

enum greta_status greta_nvidia_acquire(const struct greta_hip_options *options, struct greta_error *error)
{
	enum greta_status status = GRETA_OK;
	pthread_mutex_lock(&lock);
	if (!driver.users)
		status = open_driver(options, error);
	else if (strcmp(driver.wanted, options->library ? options->library : "") != 0 || driver.overlap != options->overlap)
		status = greta_fail(error, GRETA_ERROR_ARGUMENT, "the nvidia provider is loaded from %s with overlap %s; it cannot "
		    "be loaded otherwise at the same time", driver.name, driver.overlap ? "on" : "off");
	else
		driver.users++;
	pthread_mutex_unlock(&lock);
	return status;
}

static void close_driver(void)
{
	for (int i = 0; i < driver.device_count; i++) {
		int device;
		if (!driver.contexts[i] || driver.cuda.device_get(&device, i))
			continue;
		driver.cuda.context_set_current(driver.contexts[i]);
		driver.cuda.context_synchronize();
		driver.cuda.context_set_current(NULL);
		driver.cuda.primary_context_release(device);
	}
	atomic_store(&generation, 0);
	greta_vendor_library_close(driver.library);
	driver = (struct driver){ 0 };
}

void greta_nvidia_release(void)
{
	pthread_mutex_lock(&lock);
	if (driver.users && !--driver.users)
		close_driver();
	pthread_mutex_unlock(&lock);
}

const struct greta_cuda *greta_nvidia_cuda(void)
{
	unsigned current = atomic_load_explicit(&generation, memory_order_acquire);
	if (!current) {
		greta_nvidia_error(hipErrorNotInitialized, "the nvidia provider is not loaded");
		return NULL;
	}
	if (thread.generation != current) {
		thread.generation = current;
		thread.device = 0;
		thread.bound = false;
		greta_nvidia_forget();
	}
	return &driver.cuda;
}

/* The device's primary context, retained by whoever comes first. */
static int context_of(int ordinal, struct greta_cuda_context **out_context)
{
	int result = GRETA_CUDA_SUCCESS;
	pthread_mutex_lock(&lock);
	if (!driver.contexts[ordinal]) {
		int device;
		result = driver.cuda.device_get(&device, ordinal);
		if (!result)
			result = driver.cuda.primary_context_retain(&driver.contexts[ordinal], device);
	}
	*out_context = driver.contexts[ordinal];
	pthread_mutex_unlock(&lock);
	return result;
}

const struct greta_cuda *greta_nvidia_enter(hipError_t *out_code)
{
	const struct greta_cuda *cuda = greta_nvidia_cuda();
	*out_code = hipErrorNotInitialized;
	if (!cuda || thread.bound)
		return cuda;
	struct greta_cuda_context *context;
	int result = context_of(thread.device, &context);
	if (!result)
		result = cuda->context_set_current(context);
	if (result) {
		*out_code = greta_nvidia_result(cuda, result, "cuDevicePrimaryCtxRetain", "device %d", thread.device);
		return NULL;
	}
	thread.bound = true;
	return cuda;
}

int greta_nvidia_version(void)
{
	return driver.version;
}

int greta_nvidia_device_count(void)
{
	return driver.device_count;
}

bool greta_nvidia_overlap(void)
{
	return driver.overlap;
}

int greta_nvidia_device(void)
{
	return thread.device;
}

void greta_nvidia_set_device(int device)
{
	if (thread.device != device) {
		thread.device = device;
		thread.bound = false;
	}
}
