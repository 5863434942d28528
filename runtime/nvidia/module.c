/* Modules, functions and launches. */
#include "runtime/nvidia/calls.h"
#include "runtime/nvidia/driver.h"

#include <stdint.h>
#include <string.h>

#define OVERLAP_SINCE 90 /* compute capability 9.0: griddepcontrol.wait */

hipError_t greta_nvidia_hipModuleLoadData(hipModule_t *out_module, const void *image)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	char log[200] = "";
	int options[] = { GRETA_CUDA_JIT_ERROR_LOG_BUFFER, GRETA_CUDA_JIT_ERROR_LOG_BUFFER_SIZE_BYTES };
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): CUDA wants a size here, in the place of a pointer */
	void *values[] = { log, (void *)(uintptr_t)sizeof(log) };
	if (!cuda)
		return code;
	if (!out_module || !image)
		return greta_nvidia_error(hipErrorInvalidValue, "hipModuleLoadData: NULL");
	int result = cuda->module_load_data(out_module, image, 2, options, values);
	log[sizeof(log) - 1] = '\0';
	log[strcspn(log, "\n")] = '\0';
	return greta_nvidia_result(cuda, result, "cuModuleLoadDataEx", "%s",
	    log[0] ? log : "not a code object for this device");
}

hipError_t greta_nvidia_hipModuleUnload(hipModule_t module)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->module_unload(module), "cuModuleUnload") : code;
}

hipError_t greta_nvidia_hipModuleGetFunction(hipFunction_t *out_function, hipModule_t module, const char *name)
{
	hipError_t code;
	hipFunction_t function;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda)
		return code;
	if (!out_function || !name)
		return greta_nvidia_error(hipErrorInvalidValue, "hipModuleGetFunction: NULL");
	code = greta_nvidia_result(
	    cuda, cuda->module_get_function(&function, module, name), "cuModuleGetFunction", "%s", name);
	if (!code && cuda->function_load)
		code = greta_nvidia_result(cuda, cuda->function_load(function), "cuFuncLoad", "%s", name);
	if (!code)
		*out_function = function;
	return code;
}

hipError_t greta_nvidia_hipFuncSetAttribute(const void *handle, hipFuncAttribute attribute, int value)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	hipFunction_t function;
	if (!cuda)
		return code;
	if (attribute != hipFuncAttributeMaxDynamicSharedMemorySize)
		return greta_nvidia_error(
		    hipErrorInvalidValue, "hipFuncSetAttribute: no attribute %d here", (int)attribute);
	/* HIP passes the handle as const although the call is there to change what it stands for */
	memcpy(&function, &handle, sizeof(void *));
	return greta_nvidia_result(cuda,
	    cuda->function_set_attribute(function, GRETA_CUDA_MAX_DYNAMIC_SHARED_SIZE_BYTES, value),
	    "cuFuncSetAttribute", "%d bytes of dynamic shared memory", value);
}

/* HIP's `extra` list in CUDA's terms; false when it is malformed. */
static bool translate_extra(void **extra, void *out_extra[5])
{
	size_t used = 0;
	for (; *extra != HIP_LAUNCH_PARAM_END; extra += 2) {
		if (used == 4 || (*extra != HIP_LAUNCH_PARAM_BUFFER_POINTER && *extra != HIP_LAUNCH_PARAM_BUFFER_SIZE))
			return false;
		out_extra[used++] = *extra; /* these two keys have CUDA's numbers */
		out_extra[used++] = extra[1];
	}
	out_extra[used] = GRETA_CUDA_LAUNCH_PARAM_END;
	return true;
}

static bool within(const struct greta_cuda *cuda, int attribute, unsigned long long value)
{
	int limit = 0, device;
	if (!value)
		return false;
	return cuda->device_get(&device, greta_nvidia_device()) ||
	    cuda->device_get_attribute(&limit, attribute, device) || value <= (unsigned long long)limit;
}

/* Whether the shape was at fault where CUDA says only that some argument was. */
static bool shape_fits(const struct greta_cuda *cuda, const struct greta_cuda_launch_config *launch)
{
	return within(cuda, GRETA_CUDA_MAX_BLOCK_DIM_X, launch->block_x) &&
	    within(cuda, GRETA_CUDA_MAX_BLOCK_DIM_Y, launch->block_y) &&
	    within(cuda, GRETA_CUDA_MAX_BLOCK_DIM_Z, launch->block_z) &&
	    within(cuda, GRETA_CUDA_MAX_THREADS_PER_BLOCK,
	    (unsigned long long)launch->block_x * launch->block_y * launch->block_z) &&
	    within(cuda, GRETA_CUDA_MAX_GRID_DIM_X, launch->grid_x) &&
	    within(cuda, GRETA_CUDA_MAX_GRID_DIM_Y, launch->grid_y) &&
	    within(cuda, GRETA_CUDA_MAX_GRID_DIM_Z, launch->grid_z);
}

/* Whether the kernel may start early: it was compiled for an architecture where it can say what it must wait for. */
static bool overlaps(const struct greta_cuda *cuda, hipFunction_t function)
{
	int architecture = 0;
	return greta_nvidia_overlap() &&
	    !cuda->function_get_attribute(&architecture, GRETA_CUDA_PTX_VERSION, function) &&
	    architecture >= OVERLAP_SINCE;
}

hipError_t greta_nvidia_hipModuleLaunchKernel(hipFunction_t function, unsigned int grid_x, unsigned int grid_y,
    unsigned int grid_z, unsigned int block_x, unsigned int block_y, unsigned int block_z, unsigned int shared_bytes,
    hipStream_t stream, void **params, void **extra)
{
	hipError_t code;
	void *translated[5];
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda)
		return code;
	if (!function)
		return greta_nvidia_error(hipErrorInvalidHandle, "hipModuleLaunchKernel: no function");
	if (extra && !translate_extra(extra, translated))
		return greta_nvidia_error(hipErrorInvalidValue, "hipModuleLaunchKernel: `extra` is malformed");
	void **arguments = extra ? translated : NULL;
	struct greta_cuda_launch_attribute overlap = {
		.id = GRETA_CUDA_PROGRAMMATIC_STREAM_SERIALIZATION,
		.value.allowed = 1,
	};
	struct greta_cuda_launch_config launch = {
		.grid_x = grid_x, .grid_y = grid_y, .grid_z = grid_z,
		.block_x = block_x, .block_y = block_y, .block_z = block_z,
		.shared_bytes = shared_bytes,
		.stream = stream,
		.attributes = &overlap,
		.attribute_count = 1,
	};
	int result = overlaps(cuda, function) ? cuda->launch_kernel_ex(&launch, function, params, arguments) :
	    cuda->launch_kernel(function, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes, stream, params,
	    arguments);
	code = greta_nvidia_result(cuda, result, "cuLaunchKernel", "grid %u x %u x %u, block %u x %u x %u, %u shared bytes",
	    grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes);
	if (result == GRETA_CUDA_INVALID_VALUE && !shape_fits(cuda, &launch))
		return greta_nvidia_error(hipErrorInvalidConfiguration,
		    "grid %u x %u x %u or block %u x %u x %u is none or too large", grid_x, grid_y, grid_z, block_x,
		    block_y, block_z);
	return code;
}
