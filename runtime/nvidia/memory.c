/* Memory of the device and of the host, copies and fills. */
#include "runtime/nvidia/calls.h"
#include "runtime/nvidia/driver.h"

hipError_t greta_nvidia_hipMemGetInfo(size_t *out_free, size_t *out_total)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	size_t unused;
	if (!cuda)
		return code;
	return greta_nvidia_status(cuda,
				   cuda->mem_get_info(out_free ? out_free : &unused, out_total ? out_total : &unused),
				   "cuMemGetInfo");
}

hipError_t greta_nvidia_hipMalloc(void **out_address, size_t size)
{
	hipError_t code;
	void *address = NULL;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda)
		return code;
	if (!out_address)
		return greta_nvidia_error(hipErrorInvalidValue, "hipMalloc: nowhere to write to");
	if (size) {
		code = greta_nvidia_result(cuda, cuda->mem_alloc(&address, size), "cuMemAlloc", "%zu bytes", size);
		if (code)
			return code;
	}
	*out_address = address;
	return hipSuccess;
}

hipError_t greta_nvidia_hipFree(void *address)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda)
		return code;
	return address ? greta_nvidia_result(cuda, cuda->mem_free(address), "cuMemFree", "%p", address) :
	    hipSuccess;
}

hipError_t greta_nvidia_hipHostMalloc(void **out_address, size_t size, unsigned int flags)
{
	/* the first three are CUDA's bits; host memory is coherent in any case */
	const unsigned same = hipHostMallocPortable | hipHostMallocMapped | hipHostMallocWriteCombined;
	hipError_t code;
	void *address = NULL;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda)
		return code;
	if (!out_address || flags & ~(same | hipHostMallocCoherent | hipHostMallocNonCoherent))
		return greta_nvidia_error(hipErrorInvalidValue, "hipHostMalloc: %s", out_address ? "unknown flags" :
		    "nowhere to write to");
	if (size) {
		code = greta_nvidia_result(cuda, cuda->mem_host_alloc(&address, size, flags & same), "cuMemHostAlloc",
		    "%zu bytes", size);
		if (code)
			return code;
	}
	*out_address = address;
	return hipSuccess;
}

hipError_t greta_nvidia_hipHostFree(void *address)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda)
		return code;
	return address ? greta_nvidia_result(cuda, cuda->mem_free_host(address), "cuMemFreeHost", "%p", address) :
	    hipSuccess;
}

hipError_t greta_nvidia_hipHostRegister(void *address, size_t size, unsigned int flags)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda)
		return code;
	if (flags & ~(hipHostRegisterPortable | hipHostRegisterMapped)) /* these are CUDA's bits */
		return greta_nvidia_error(hipErrorInvalidValue, "hipHostRegister: unknown flags");
	return greta_nvidia_result(cuda, cuda->mem_host_register(address, size, flags), "cuMemHostRegister",
	    "%zu bytes at %p", size, address);
}

hipError_t greta_nvidia_hipHostUnregister(void *address)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_result(cuda, cuda->mem_host_unregister(address), "cuMemHostUnregister", "%p", address) :
	    code;
}

hipError_t greta_nvidia_hipHostGetDevicePointer(void **out_device, void *host, unsigned int flags)
{
	hipError_t code;
	void *address = NULL;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda)
		return code;
	if (!out_device)
		return greta_nvidia_error(hipErrorInvalidValue, "hipHostGetDevicePointer: nowhere to write to");
	code = greta_nvidia_result(cuda, cuda->mem_host_get_device_pointer(&address, host, flags),
	    "cuMemHostGetDevicePointer", "%p", host);
	if (!code)
		*out_device = address;
	return code;
}

hipError_t greta_nvidia_hipMemcpy(void *to, const void *from, size_t size, hipMemcpyKind kind)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda || !size)
		return cuda ? hipSuccess : code;
	switch (kind) {
	case hipMemcpyHostToDevice:
		return greta_nvidia_result(cuda, cuda->memcpy_to_device(to, from, size), "cuMemcpyHtoD",
		    "%zu bytes to %p", size, to);
	case hipMemcpyDeviceToHost:
		return greta_nvidia_result(cuda, cuda->memcpy_to_host(to, from, size), "cuMemcpyDtoH",
		    "%zu bytes from %p", size, from);
	case hipMemcpyDeviceToDevice:
		return greta_nvidia_result(cuda, cuda->memcpy_device(to, from, size), "cuMemcpyDtoD",
		    "%zu bytes from %p to %p", size, from, to);
	case hipMemcpyHostToHost:
	case hipMemcpyDefault:
		return greta_nvidia_result(cuda, cuda->memcpy_any(to, from, size), "cuMemcpy",
		    "%zu bytes from %p to %p", size, from, to);
	}
	return greta_nvidia_error(hipErrorInvalidMemcpyDirection, "hipMemcpy: no kind %d", (int)kind);
}

hipError_t greta_nvidia_hipMemcpyAsync(void *to, const void *from, size_t size, hipMemcpyKind kind, hipStream_t stream)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda || !size)
		return cuda ? hipSuccess : code;
	switch (kind) {
	case hipMemcpyHostToDevice:
		return greta_nvidia_result(cuda, cuda->memcpy_to_device_async(to, from, size, stream),
		    "cuMemcpyHtoDAsync", "%zu bytes to %p", size, to);
	case hipMemcpyDeviceToHost:
		return greta_nvidia_result(cuda, cuda->memcpy_to_host_async(to, from, size, stream),
		    "cuMemcpyDtoHAsync", "%zu bytes from %p", size, from);
	case hipMemcpyDeviceToDevice:
		return greta_nvidia_result(cuda, cuda->memcpy_device_async(to, from, size, stream),
		    "cuMemcpyDtoDAsync", "%zu bytes from %p to %p", size, from, to);
	case hipMemcpyHostToHost:
	case hipMemcpyDefault:
		return greta_nvidia_result(cuda, cuda->memcpy_any_async(to, from, size, stream),
		    "cuMemcpyAsync", "%zu bytes from %p to %p", size, from, to);
	}
	return greta_nvidia_error(hipErrorInvalidMemcpyDirection, "hipMemcpyAsync: no kind %d", (int)kind);
}

hipError_t greta_nvidia_hipMemset(void *to, int value, size_t size)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda || !size)
		return cuda ? hipSuccess : code;
	return greta_nvidia_result(cuda, cuda->memset_bytes(to, (unsigned char)value, size), "cuMemsetD8",
	    "%zu bytes at %p", size, to);
}

hipError_t greta_nvidia_hipMemsetAsync(void *to, int value, size_t size, hipStream_t stream)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda || !size)
		return cuda ? hipSuccess : code;
	return greta_nvidia_result(cuda, cuda->memset_bytes_async(to, (unsigned char)value, size, stream),
	    "cuMemsetD8Async", "%zu bytes at %p", size, to);
}
