/* What a kernel is on the `cpu` provider: a C function that is called once per block, and a module: a table of such
 * functions by name. A pointer to a struct greta_cpu_module is the "code object image" that the cpu provider's
 * hipModuleLoadData takes. */
#ifndef GRETA_CPU_MODULE_H
#define GRETA_CPU_MODULE_H

#include <stddef.h>
#include <stdint.h>

/* Where a call stands in its launch. */
struct greta_cpu_block {
	uint32_t x, y, z;          /* this block's index */
	uint32_t grid_x, grid_y, grid_z;
	uint32_t worker;           /* which of the pool's workers runs it, from 0 */
	uint32_t fresh;            /* 1 for the first block of this launch on this worker, else 0 */
	void *shared;              /* the launch's dynamic shared memory, 64-byte aligned, one copy per worker */
};

/* `args` points at the kernel's argument struct (kernels/abi.h), valid during the call. Shared memory starts undefined
 * for a worker's first block of a launch (fresh == 1) and keeps what the worker's earlier blocks of the same launch
 * left in it: a prologue that every block needs (norm, digits) is thus done once per worker, at any grid. Blocks of one
 * launch run in any order and at the same time; a kernel must not wait for another block. */
typedef void greta_cpu_kernel(const struct greta_cpu_block *block, const void *args);

struct greta_cpu_function {
	const char *name;
	greta_cpu_kernel *kernel;
};

#define GRETA_CPU_MODULE_MAGIC UINT64_C(0x31757063617465e7)

struct greta_cpu_module {
	uint64_t magic;
	const char *name; /* "amx", "avx512", "avx2", "portable", "ref" */
	size_t count;
	const struct greta_cpu_function *functions;
};

/* The kernels in one form: "amx", "avx512", "avx2", "portable", "ref" (the definition, slow), or "auto": the fastest
 * that this processor runs. NULL for a name that is none of these and for a form that this processor lacks. */
const struct greta_cpu_module *greta_cpu_module(const char *form);

#endif
