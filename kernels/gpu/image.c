#include "kernels/gpu/image.h"

#include <string.h>

#include "kernels/gpu/image_table.h"

const struct greta_gpu_image *greta_gpu_image_at(size_t index)
{
	return index < greta_gpu_image_count ? &greta_gpu_images[index] : NULL;
}

const struct greta_gpu_image *greta_gpu_image(const char *target)
{
	for (size_t i = 0; i < greta_gpu_image_count; i++)
		if (strcmp(greta_gpu_images[i].target, target) == 0)
			return &greta_gpu_images[i];
	return NULL;
}
