/* The table that embed_images.py generates; greta_gpu_image (image.h) is its only reader. */
#ifndef GRETA_GPU_IMAGE_TABLE_H
#define GRETA_GPU_IMAGE_TABLE_H

#include "kernels/gpu/image.h"

extern const size_t greta_gpu_image_count;
extern const struct greta_gpu_image greta_gpu_images[];

#endif
