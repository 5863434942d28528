/* A libcuda for tests: a shared library that exports the CUDA driver's names, notes what it was called with and answers
 * what it is told to. It computes nothing; what the `nvidia` provider makes of HIP's calls can be seen without a GPU.
 * Built twice: with all calls (fake-cuda) and without those of CUDA 12 (fake-cuda-11). */
#ifndef GRETA_TEST_FAKE_CUDA_H
#define GRETA_TEST_FAKE_CUDA_H

#include "runtime/nvidia/cuda.h"

/* The library's variable `fake_cuda`, found by dlsym. */
struct fake_cuda {
	/* the answers */
	int version, devices;
	int architecture;    /* that functions say they were compiled for */
	const char *failing; /* the function that returns `result`; NULL: none */
	int result;
	int capture_status;
	const char *log; /* what the compiler complains of; NULL: nothing */
	/* what happened */
	unsigned calls;          /* cuGetErrorName and cuGetErrorString uncounted */
	const char *name;        /* of the last call */
	uint64_t args[12];       /* its arguments; addresses of outputs are 1 */
	unsigned retained, released, set_current, synchronized, loaded;
	struct greta_cuda_launch_config config; /* of the last launch, with its one attribute */
	struct greta_cuda_launch_attribute attribute;
	void *extra[5];
};

/* Attribute N of device D is this; the device's handle is 100 + D. */
#define FAKE_ATTRIBUTE(device, number) (1000 * ((device) + 1) + (number))
/* What calls that create something give out. */
#define FAKE_HANDLE 0xabcd00

#endif
