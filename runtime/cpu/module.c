/* Modules, functions and launches: HIP's checks on a launch, then one submission to its stream. */
#include "runtime/cpu/calls.h"
#include "runtime/cpu/limits.h"
#include "runtime/cpu/stream.h"

#include <stdlib.h>
#include <string.h>

struct ihipModuleSymbol_t {
	struct greta_cpu_object head; /* in no list: the module owns it */
	greta_cpu_kernel *kernel;
	const char *name;
	unsigned shared_max; /* bytes */
};

struct ihipModule_t {
	struct greta_cpu_object object;
	size_t count;
	struct ihipModuleSymbol_t functions[];
};

static void release_module(void *object)
{
	free(object);
}

static struct ihipModuleSymbol_t *find(struct ihipModule_t *module, const char *name)
{
	for (size_t i = 0; i < module->count; i++) {
		if (!strcmp(module->functions[i].name, name))
			return &module->functions[i];
	}
	return NULL;
}

static hipError_t load(const struct greta_cpu_module *image, struct ihipModule_t **out_module)
{
	if (image->magic != GRETA_CPU_MODULE_MAGIC || (image->count && !image->functions) ||
	    image->count > SIZE_MAX / (2 * sizeof(struct ihipModuleSymbol_t)))
		return greta_cpu_error(hipErrorInvalidImage, "hipModuleLoadData: %p is no table of cpu kernels",
		    (const void *)image);
	struct ihipModule_t *module = calloc(1, sizeof(*module) + image->count * sizeof(module->functions[0]));
	if (!module)
		return greta_cpu_error(hipErrorOutOfMemory, "no memory for a module of %zu functions", image->count);
	for (size_t i = 0; i < image->count; i++) {
		const struct greta_cpu_function *function = &image->functions[i];
		if (!function->name || !function->kernel || find(module, function->name)) {
			free(module);
			return greta_cpu_error(hipErrorInvalidImage,
			    "function %zu of module %s is incomplete or a second %s", i,
			    image->name ? image->name : "(unnamed)", function->name ? function->name : "(unnamed)");
		}
		module->functions[i] = (struct ihipModuleSymbol_t){ .head.kind = GRETA_CPU_FUNCTION,
		    .kernel = function->kernel,
			.name = function->name, .shared_max = GRETA_CPU_SHARED_DEFAULT };
		module->count = i + 1;
	}
	*out_module = module;
	return hipSuccess;
}

hipError_t greta_cpu_hipModuleLoadData(hipModule_t *out_module, const void *image)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!out_module || !image)
		return greta_cpu_reject(device, hipErrorInvalidValue, "hipModuleLoadData: NULL");
	struct ihipModule_t *module = NULL;
	hipError_t code = load(image, &module);
	if (!code) {
		greta_cpu_object_add(device, module, GRETA_CPU_MODULE, release_module);
		*out_module = module;
	}
	return greta_cpu_unlock(device, code);
}

hipError_t greta_cpu_hipModuleUnload(hipModule_t module)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!greta_cpu_object_is(module, GRETA_CPU_MODULE))
		return greta_cpu_reject(device, hipErrorInvalidHandle, "hipModuleUnload: no module");
	greta_cpu_object_remove(module);
	release_module(module); /* launches on their way hold the kernel itself, which stays */
	return greta_cpu_unlock(device, hipSuccess);
}

hipError_t greta_cpu_hipModuleGetFunction(hipFunction_t *out_function, hipModule_t module, const char *name)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!out_function || !name)
		return greta_cpu_reject(device, hipErrorInvalidValue, "hipModuleGetFunction: NULL");
	if (!greta_cpu_object_is(module, GRETA_CPU_MODULE))
		return greta_cpu_reject(device, hipErrorInvalidHandle, "hipModuleGetFunction: no module");
	struct ihipModuleSymbol_t *function = find(module, name);
	if (!function)
		return greta_cpu_reject(device, hipErrorNotFound, "the module has no function %s", name);
	*out_function = function;
	return greta_cpu_unlock(device, hipSuccess);
}

/* HIP passes the handle as const although the call changes what it stands for; looked up, it is ours to change. */
static struct ihipModuleSymbol_t *function_of(struct greta_cpu_device *device, const void *handle)
{
	for (struct greta_cpu_object *at = device->objects; at; at = at->next) {
		struct ihipModule_t *module = (void *)at;
		for (size_t i = 0; at->kind == GRETA_CPU_MODULE && i < module->count; i++) {
			if (&module->functions[i] == handle)
				return &module->functions[i];
		}
	}
	return NULL;
}

hipError_t greta_cpu_hipFuncSetAttribute(const void *handle, hipFuncAttribute attribute, int value)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	struct ihipModuleSymbol_t *function = function_of(device, handle);
	if (!function)
		return greta_cpu_reject(device, hipErrorInvalidDeviceFunction, "hipFuncSetAttribute: no function");
	if (attribute != hipFuncAttributeMaxDynamicSharedMemorySize || value < 0 ||
	    (unsigned)value > GRETA_CPU_SHARED_MAX)
		return greta_cpu_reject(device, hipErrorInvalidValue,
		    "hipFuncSetAttribute: attribute %d of %s cannot be %d (dynamic shared memory: at most %u bytes)",
		    (int)attribute, function->name, value, GRETA_CPU_SHARED_MAX);
	function->shared_max = (unsigned)value;
	return greta_cpu_unlock(device, hipSuccess);
}

/* Finds the argument buffer in the `extra` list; an absent list means a kernel without arguments. */
static hipError_t read_arguments(void **params, void **extra, const void **out_args, size_t *out_size)
{
	const void *args = NULL;
	size_t size = 0;
	if (params)
		return greta_cpu_error(hipErrorInvalidValue,
		    "hipModuleLaunchKernel: cpu kernels take their arguments by `extra`, not by kernelParams");
	for (; extra && *extra != HIP_LAUNCH_PARAM_END; extra += 2) {
		if (*extra == HIP_LAUNCH_PARAM_BUFFER_POINTER)
			args = extra[1];
		else if (*extra == HIP_LAUNCH_PARAM_BUFFER_SIZE && extra[1])
			size = *(const size_t *)extra[1];
		else
			return greta_cpu_error(hipErrorInvalidValue, "hipModuleLaunchKernel: `extra` is malformed");
	}
	if (size > GRETA_CPU_ARGS_MAX || (size && !args))
		return greta_cpu_error(hipErrorInvalidValue,
		    "hipModuleLaunchKernel: %zu bytes of arguments at %p, at most %u", size, args, GRETA_CPU_ARGS_MAX);
	*out_args = args;
	*out_size = size;
	return hipSuccess;
}

static hipError_t check_limits(const struct greta_cpu_node *node, const unsigned block[3], unsigned shared_bytes,
    const struct ihipModuleSymbol_t *function)
{
	if (!block[0] || !block[1] || !block[2] || block[0] > GRETA_CPU_BLOCK_MAX || block[1] > GRETA_CPU_BLOCK_MAX ||
	    block[2] > GRETA_CPU_BLOCK_MAX || block[0] * block[1] * block[2] > GRETA_CPU_BLOCK_MAX)
		return greta_cpu_error(hipErrorInvalidConfiguration,
		    "a block of %u x %u x %u threads for %s, 1 to %u are possible",
		    block[0], block[1], block[2], function->name, GRETA_CPU_BLOCK_MAX);
	uint64_t blocks = (uint64_t)node->grid_x * node->grid_y;
	if (!blocks || !node->grid_z || node->grid_x > GRETA_CPU_GRID_X_MAX || node->grid_y > GRETA_CPU_GRID_YZ_MAX ||
	    node->grid_z > GRETA_CPU_GRID_YZ_MAX || blocks * node->grid_z > UINT32_MAX)
		return greta_cpu_error(hipErrorInvalidConfiguration,
		    "a grid of %u x %u x %u blocks for %s is none or too large",
		    node->grid_x, node->grid_y, node->grid_z, function->name);
	if (shared_bytes > function->shared_max)
		return greta_cpu_error(hipErrorInvalidValue,
		    "%u bytes of shared memory for %s, which is allowed %u (hipFuncSetAttribute allows up to %u)",
		    shared_bytes, function->name, function->shared_max, GRETA_CPU_SHARED_MAX);
	return hipSuccess;
}

hipError_t greta_cpu_hipModuleLaunchKernel(hipFunction_t function, unsigned int grid_x, unsigned int grid_y,
    unsigned int grid_z, unsigned int block_x, unsigned int block_y, unsigned int block_z, unsigned int shared_bytes,
    hipStream_t stream, void **params, void **extra)
{
	if (!greta_cpu_object_is(function, GRETA_CPU_FUNCTION))
		return greta_cpu_error(hipErrorInvalidHandle, "hipModuleLaunchKernel: no function");
	struct greta_cpu_node node = { .kernel = function->kernel, .grid_x = grid_x, .grid_y = grid_y, .grid_z = grid_z,
		.blocks = grid_x * grid_y * grid_z };
	const unsigned block[3] = { block_x, block_y, block_z };
	size_t args_size = 0;
	hipError_t code = check_limits(&node, block, shared_bytes, function);
	if (!code)
		code = read_arguments(params, extra, &node.args, &args_size);
	if (code)
		return code;
	return greta_cpu_stream_submit(stream, &node, args_size, "hipModuleLaunchKernel");
}
