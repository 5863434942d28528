/* The tables that embed_images.py generates: the plans' kernels, read by greta_gpu_image (image.h) alone, and greta-bench's,
 * which are linked into that tool alone. */
#ifndef GRETA_GPU_IMAGE_TABLE_H
#define GRETA_GPU_IMAGE_TABLE_H

#include "kernels/gpu/image.h"

extern const size_t greta_gpu_image_count;
extern const struct greta_gpu_image greta_gpu_images[];

extern const size_t greta_bench_image_count;
extern const struct greta_gpu_image greta_bench_images[];

#endif
