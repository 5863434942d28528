/* The GPU kernels of this build: one code object for each target of the option gpu_targets, embedded in the library. A
 * build without a GPU compiler has none, and is complete in everything else. */
#ifndef GRETA_GPU_IMAGE_H
#define GRETA_GPU_IMAGE_H

#include <stddef.h>

struct greta_gpu_image {
	const char *target; /* "gfx942", "sm_90", …; "compute_90" is PTX, a text that ends with a zero byte */
	const void *data;   /* what hipModuleLoadData takes, aligned to 4,096; static */
	size_t size;        /* bytes */
};

/* The code object of a target; NULL when this build has none. Its kernels are extern "C" `greta_<kernel>` and take the
 * kernel's argument struct (kernels/abi.h). Any thread. */
const struct greta_gpu_image *greta_gpu_image(const char *target);

/* The images of this build in the order of the option; NULL beyond the last. */
const struct greta_gpu_image *greta_gpu_image_at(size_t index);

#endif
