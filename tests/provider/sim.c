#include "tests/provider/sim.h"

#include "kernels/cpu/module.h"
#include "sim942.h"

#include <elf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LDS_BYTES 65536u
#define THREADS_MAX 1024u
#define UNITS 304
#define ARGS_MAX 1024
#define ALLOCATIONS_MAX 256

/* A launch, as the argument of the one function that the cpu provider runs. */
struct job {
	const struct sim942_kernel *kernel;
	uint32_t grid[3], block[3]; /* grid in blocks */
	uint32_t shared_bytes, args_bytes;
	uint8_t args[ARGS_MAX];
};

struct sim_function {
	struct sim_function *next;
	const struct sim942_kernel *kernel;
	uint32_t shared_max; /* dynamic */
};

struct sim_module {
	struct sim942_code *code;
	struct sim_function *functions;
};

/* Code objects stay loaded: taking one apart costs a second, and what is in it does not change. */
static struct {
	const void *image;
	struct sim942_code *code;
} known[8];

static struct {
	const struct greta_hip *cpu;
	hipModule_t module; /* the cpu's, of the one function */
	hipFunction_t function;
	struct {
		void *address;
		size_t bytes;
	} allocations[ALLOCATIONS_MAX];
	size_t memory, used, peak;
	const char *architecture;
	unsigned long launches, instructions;
	char failure[1024]; /* of the first launch that failed */
	atomic_bool failed;
} sim;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local char detail[1024]; /* "": the cpu's */

static hipError_t refuse(hipError_t code, const char *why)
{
	snprintf(detail, sizeof(detail), "%s", why);
	return code;
}

/* ---- Running ---- */

static int run(const struct job *job, struct sim942_stats *stats, char *reason, size_t size)
{
	const struct sim942_kernel *kernel = job->kernel;
	const struct sim942_arg *places;
	size_t count = sim942_kernel_args(kernel, &places);
	if (count == 0 || places[0].size != job->args_bytes) {
		snprintf(reason, size, "kernel %s does not take %u bytes of arguments", kernel->name, job->args_bytes);
		return -1;
	}
	uint8_t *kernarg = calloc(1, kernel->kernarg_bytes);
	if (!kernarg) {
		snprintf(reason, size, "out of memory for the arguments of %s", kernel->name);
		return -1;
	}
	memcpy(kernarg + places[0].offset, job->args, job->args_bytes);
	struct sim942_dispatch dispatch = {
	    .descriptor = kernel->descriptor, .kernarg = kernarg, .lds_bytes = kernel->lds_bytes + job->shared_bytes};
	for (int d = 0; d < 3; d++) {
		dispatch.grid[d] = job->grid[d] * job->block[d];
		dispatch.workgroup[d] = job->block[d];
	}
	sim942_fill_hidden(kernel, kernarg, dispatch.grid, dispatch.workgroup, job->shared_bytes);
	int status = sim942_run(&dispatch, stats, reason, size);
	free(kernarg);
	return status;
}

/* The one block of the one function. After a failure nothing runs any more, as on a device. */
static void run_job(const struct greta_cpu_block *block, const void *args)
{
	struct sim942_stats stats = {0};
	char reason[sizeof(sim.failure)];
	(void)block;
	pthread_mutex_lock(&lock);
	if (!sim.failed && run(args, &stats, reason, sizeof(reason)) != 0) {
		memcpy(sim.failure, reason, sizeof(reason));
		sim.failed = true;
	}
	sim.launches++;
	sim.instructions += stats.instructions;
	pthread_mutex_unlock(&lock);
}

static const struct greta_cpu_function job_function = {"job", run_job};
static const struct greta_cpu_module job_module = {GRETA_CPU_MODULE_MAGIC, "sim", 1, &job_function};

static hipError_t launch(hipFunction_t handle, unsigned int grid_x, unsigned int grid_y, unsigned int grid_z,
                         unsigned int block_x, unsigned int block_y, unsigned int block_z, unsigned int shared_bytes,
                         hipStream_t stream, void **params, void **extra)
{
	const struct sim_function *function = (const struct sim_function *)(void *)handle;
	struct job job = {.kernel = function->kernel, .grid = {grid_x, grid_y, grid_z},
	                  .block = {block_x, block_y, block_z}, .shared_bytes = shared_bytes};
	if (params || !extra || extra[0] != HIP_LAUNCH_PARAM_BUFFER_POINTER || extra[2] != HIP_LAUNCH_PARAM_BUFFER_SIZE)
		return refuse(hipErrorInvalidValue, "arguments come as one buffer");
	size_t size = *(const size_t *)extra[3];
	if (size > sizeof(job.args))
		return refuse(hipErrorInvalidValue, "too many arguments");
	if ((uint64_t)block_x * block_y * block_z > THREADS_MAX || block_x * grid_x == 0 || block_y * grid_y == 0)
		return refuse(hipErrorInvalidConfiguration, "an MI300X has blocks of 1 to 1,024 threads");
	if (shared_bytes > function->shared_max)
		return refuse(hipErrorInvalidValue, "more dynamic shared memory than the function was allowed");
	job.args_bytes = (uint32_t)size;
	memcpy(job.args, extra[1], size);
	size_t job_size = sizeof(job);
	void *job_extra[] = {HIP_LAUNCH_PARAM_BUFFER_POINTER, &job, HIP_LAUNCH_PARAM_BUFFER_SIZE, &job_size,
	                     HIP_LAUNCH_PARAM_END};
	detail[0] = '\0';
	return sim.cpu->hipModuleLaunchKernel(sim.function, 1, 1, 1, 1, 1, 1, 0, stream, NULL, job_extra);
}

/* ---- Code objects ---- */

static size_t image_bytes(const void *image)
{
	Elf64_Ehdr header;
	memcpy(&header, image, sizeof(header));
	return memcmp(header.e_ident, ELFMAG, SELFMAG) != 0
		   ? 0
		   : header.e_shoff + (size_t)header.e_shnum * header.e_shentsize;
}

static struct sim942_code *code_of(const void *image, char *reason, size_t size)
{
	size_t bytes = image_bytes(image), i = 0;
	if (!bytes) {
		snprintf(reason, size, "not an ELF file");
		return NULL;
	}
	while (i < sizeof(known) / sizeof(known[0]) && known[i].code && known[i].image != image)
		i++;
	if (i == sizeof(known) / sizeof(known[0])) {
		snprintf(reason, size, "too many code objects");
		return NULL;
	}
	if (!known[i].code && sim942_load(image, bytes, &known[i].code, reason, size) == 0)
		known[i].image = image;
	return known[i].code;
}

static hipError_t load(hipModule_t *out_module, const void *image)
{
	char reason[sizeof(detail)];
	struct sim_module *module = calloc(1, sizeof(*module));
	if (!module)
		return refuse(hipErrorOutOfMemory, "out of memory for a module");
	module->code = code_of(image, reason, sizeof(reason));
	if (!module->code) {
		free(module);
		return refuse(hipErrorInvalidImage, reason);
	}
	*out_module = (hipModule_t)(void *)module;
	return hipSuccess;
}

static hipError_t unload(hipModule_t handle)
{
	struct sim_module *module = (struct sim_module *)(void *)handle;
	while (module->functions) {
		struct sim_function *next = module->functions->next;
		free(module->functions);
		module->functions = next;
	}
	free(module);
	return hipSuccess;
}

static hipError_t get_function(hipFunction_t *out_function, hipModule_t handle, const char *name)
{
	struct sim_module *module = (struct sim_module *)(void *)handle;
	const struct sim942_kernel *kernel = sim942_kernel_by_name(module->code, name);
	struct sim_function *function = kernel ? calloc(1, sizeof(*function)) : NULL;
	if (!function)
		return kernel ? hipErrorOutOfMemory : refuse(hipErrorNotFound, name);
	function->kernel = kernel;
	function->shared_max = LDS_BYTES - kernel->lds_bytes;
	function->next = module->functions;
	module->functions = function;
	*out_function = (hipFunction_t)(void *)function;
	return hipSuccess;
}

static hipError_t set_attribute(const void *handle, hipFuncAttribute attribute, int value)
{
	const struct sim_function *function = handle;
	(void)attribute;
	if (value < 0 || (uint32_t)value > function->shared_max)
		return refuse(hipErrorInvalidValue, "an MI300X has 64 KiB of shared memory");
	return hipSuccess;
}

/* ---- Memory ---- */

static hipError_t keep(void *address, size_t bytes, size_t counted)
{
	hipError_t code = hipErrorOutOfMemory;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; code != hipSuccess && i < ALLOCATIONS_MAX; i++) {
		if (sim.allocations[i].address)
			continue;
		sim.allocations[i].address = address;
		sim.allocations[i].bytes = counted;
		sim.used += counted;
		sim.peak = sim.used > sim.peak ? sim.used : sim.peak;
		sim942_track(address, bytes);
		code = hipSuccess;
	}
	pthread_mutex_unlock(&lock);
	return code;
}

static void drop(const void *address)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; address && i < ALLOCATIONS_MAX; i++) {
		if (sim.allocations[i].address != address)
			continue;
		sim.used -= sim.allocations[i].bytes;
		sim.allocations[i].address = NULL;
		sim942_untrack(address);
		break;
	}
	pthread_mutex_unlock(&lock);
}

static hipError_t allocate(void **out_address, size_t size)
{
	if (sim.used + size > sim.memory)
		return refuse(hipErrorOutOfMemory, "the device is full");
	detail[0] = '\0';
	hipError_t code = sim.cpu->hipMalloc(out_address, size);
	if (code == hipSuccess)
		memset(*out_address, 0xa5, size); /* whoever reads what was never written gets nonsense */
	return code == hipSuccess ? keep(*out_address, size, size) : code;
}

static hipError_t release(void *address)
{
	drop(address);
	return sim.cpu->hipFree(address);
}

static hipError_t allocate_host(void **out_address, size_t size, unsigned int flags)
{
	hipError_t code = sim.cpu->hipHostMalloc(out_address, size, flags);
	return code == hipSuccess ? keep(*out_address, size, 0) : code;
}

static hipError_t release_host(void *address)
{
	drop(address);
	return sim.cpu->hipHostFree(address);
}

static hipError_t memory_info(size_t *out_free, size_t *out_total)
{
	*out_free = sim.memory - sim.used;
	*out_total = sim.memory;
	return hipSuccess;
}

/* ---- The device ---- */

static hipError_t get_attribute(int *out_value, hipDeviceAttribute_t attribute, int device)
{
	switch (attribute) {
	case hipDeviceAttributeIntegrated: *out_value = 0; return hipSuccess;
	case hipDeviceAttributeWallClockRate: *out_value = 100000; return hipSuccess;
	case hipDeviceAttributeWarpSize: *out_value = strncmp(sim.architecture, "gfx1", 4) ? 64 : 32; return hipSuccess;
	case hipDeviceAttributeMultiprocessorCount: *out_value = UNITS; return hipSuccess;
	case hipDeviceAttributeMaxSharedMemoryPerBlock: *out_value = LDS_BYTES; return hipSuccess;
	default: return sim.cpu->hipDeviceGetAttribute(out_value, attribute, device);
	}
}

static hipError_t get_name(char *out_name, int size, hipDevice_t device)
{
	(void)device;
	snprintf(out_name, (size_t)size, "%s in the simulator", sim.architecture);
	return hipSuccess;
}

static hipError_t architecture(int device, char out_name[GRETA_HIP_ARCHITECTURE_MAX])
{
	if (device)
		return hipErrorInvalidDevice;
	snprintf(out_name, GRETA_HIP_ARCHITECTURE_MAX, "%s", sim.architecture);
	return hipSuccess;
}

static hipError_t failed_or(hipError_t code)
{
	detail[0] = '\0';
	if (!sim.failed)
		return code;
	pthread_mutex_lock(&lock);
	memcpy(detail, sim.failure, sizeof(detail));
	pthread_mutex_unlock(&lock);
	return hipErrorLaunchFailure;
}

static hipError_t stream_synchronize(hipStream_t stream) { return failed_or(sim.cpu->hipStreamSynchronize(stream)); }
static hipError_t device_synchronize(void) { return failed_or(sim.cpu->hipDeviceSynchronize()); }
static hipError_t event_synchronize(hipEvent_t event) { return failed_or(sim.cpu->hipEventSynchronize(event)); }
static hipError_t event_query(hipEvent_t event) { return failed_or(sim.cpu->hipEventQuery(event)); }

static const char *get_detail(void) { return detail[0] ? detail : sim.cpu->detail(); }

bool sim_wrap(const struct greta_hip *cpu, struct greta_hip *out_hip)
{
	memset(&sim, 0, sizeof(sim));
	sim.cpu = cpu;
	sim.memory = (size_t)192 << 30;
	sim.architecture = "gfx942";
	if (cpu->hipModuleLoadData(&sim.module, &job_module) != hipSuccess ||
	    cpu->hipModuleGetFunction(&sim.function, sim.module, "job") != hipSuccess)
		return false;
	*out_hip = *cpu;
	out_hip->provider = "sim";
	out_hip->hipModuleLoadData = load;
	out_hip->hipModuleUnload = unload;
	out_hip->hipModuleGetFunction = get_function;
	out_hip->hipModuleLaunchKernel = launch;
	out_hip->hipFuncSetAttribute = set_attribute;
	out_hip->hipMalloc = allocate;
	out_hip->hipFree = release;
	out_hip->hipHostMalloc = allocate_host;
	out_hip->hipHostFree = release_host;
	out_hip->hipMemGetInfo = memory_info;
	out_hip->hipDeviceGetAttribute = get_attribute;
	out_hip->hipDeviceGetName = get_name;
	out_hip->hipStreamSynchronize = stream_synchronize;
	out_hip->hipDeviceSynchronize = device_synchronize;
	out_hip->hipEventSynchronize = event_synchronize;
	out_hip->hipEventQuery = event_query;
	out_hip->architecture = architecture;
	out_hip->detail = get_detail;
	return true;
}

void sim_set_memory(size_t bytes) { sim.memory = bytes; }
void sim_set_architecture(const char *name) { sim.architecture = name; }
size_t sim_peak_bytes(void) { return sim.peak; }
size_t sim_used_bytes(void) { return sim.used; }
unsigned long sim_launches(void) { return sim.launches; }
unsigned long sim_instructions(void) { return sim.instructions; }
