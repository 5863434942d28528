#include "runtime/target.h"

#include "kernels/cpu/module.h"

#include <stddef.h>
#include <string.h>

static enum greta_status cpu_image(const char *kernels, const void **out_image, const char **out_form,
				   struct greta_error *error)
{
	const char *form = kernels ? kernels : "auto";
	const struct greta_cpu_module *module = greta_cpu_module(form);
	if (!module)
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
		                  "no kernels of form \"%s\" for this processor: take auto, amx, "
		                  "avx512, avx2, portable or ref",
		                  form);
	*out_image = module;
	*out_form = module->name;
	return GRETA_OK;
}

static const struct {
	const char *target;
	const char *provider;
	enum greta_status (*image)(const char *kernels, const void **out_image, const char **out_form,
				   struct greta_error *error);
} targets[] = {
	{"cpu", "cpu", cpu_image},
};

#define TARGET_COUNT (sizeof(targets) / sizeof(targets[0]))

const char *greta_target_of_provider(const char *provider)
{
	for (size_t i = 0; i < TARGET_COUNT; i++)
		if (strcmp(targets[i].provider, provider) == 0)
			return targets[i].target;
	return NULL;
}

enum greta_status greta_target_image(const char *target, const char *kernels, const void **out_image,
                                     const char **out_form, struct greta_error *error)
{
	for (size_t i = 0; i < TARGET_COUNT; i++)
		if (strcmp(targets[i].target, target) == 0)
			return targets[i].image(kernels, out_image, out_form, error);
	return greta_fail(error, GRETA_ERROR_MISMATCH, "this build has no kernels for target %s", target);
}
