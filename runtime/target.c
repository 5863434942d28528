#include "runtime/target.h"

#include "kernels/cpu/module.h"
#include "kernels/gpu/image.h"
#include "runtime/verify_target.h"

#include <stdio.h>
#include <string.h>

/* ---- Kernels ---- */

static bool automatic(const char *name) { return !name || !strcmp(name, "auto"); }

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

enum greta_status greta_target_image(const char *target, const char *kernels, const void **out_image,
                                     const char **out_form, struct greta_error *error)
{
	if (!strcmp(target, "cpu"))
		return cpu_image(kernels, out_image, out_form, error);
	if (!automatic(kernels))
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
				  "kernels of form \"%s\" are the cpu provider's: target %s has one form", kernels,
				  target);
	const struct greta_gpu_image *image = greta_gpu_image(target);
	if (!image)
		return greta_fail(error, GRETA_ERROR_MISMATCH,
				  "this build has no kernels for target %s: build with -Dgpu_targets=%s", target,
				  target);
	*out_image = image->data;
	*out_form = image->target;
	return GRETA_OK;
}

/* ---- Providers ---- */

static enum greta_status architecture_of(const struct greta_hip *hip, char out_name[GRETA_HIP_ARCHITECTURE_MAX],
					 struct greta_error *error)
{
	hipError_t code = hip->hipInit(0);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipInit of provider %s", hip->provider);
	return greta_hip_architecture(hip, 0, out_name, error);
}

/* The target for a device of the architecture, as greta_target_of has it: `architecture` itself or a static name. */
static const char *best_for(const char *provider, const char *architecture)
{
	const struct greta_gpu_image *image;
	const struct greta_target_facts *facts;
	if (greta_gpu_image(architecture))
		return architecture;
	for (size_t i = 0; (image = greta_gpu_image_at(i)); i++)
		if (greta_hip_takes(provider, architecture, image->target))
			return image->target;
	if (greta_target_facts(architecture))
		return architecture;
	for (size_t i = 0; (facts = greta_target_facts_at(i)); i++)
		if (greta_hip_takes(provider, architecture, facts->name))
			return facts->name;
	return architecture;
}

enum greta_status greta_target_of(const struct greta_hip *hip, char out_target[GRETA_HIP_ARCHITECTURE_MAX],
				  struct greta_error *error)
{
	char found[GRETA_HIP_ARCHITECTURE_MAX];
	enum greta_status status = architecture_of(hip, found, error);
	if (status == GRETA_OK)
		snprintf(out_target, GRETA_HIP_ARCHITECTURE_MAX, "%s", best_for(hip->provider, found));
	return status;
}

enum greta_status greta_target_match(const struct greta_hip *hip, const char *target, const char *plan,
				     struct greta_error *error)
{
	char found[GRETA_HIP_ARCHITECTURE_MAX];
	enum greta_status status = architecture_of(hip, found, error);
	if (status != GRETA_OK || greta_hip_takes(hip->provider, found, target))
		return status;
	const char *best = best_for(hip->provider, found);
	return greta_fail(error, GRETA_ERROR_MISMATCH,
			  "plan %s is for target %.16s, the provider %s runs target %s: plan "
			  "again with greta-plan build --target %s",
			  plan, target, hip->provider, best, best);
}

static enum greta_status open_one(const char *provider, const struct greta_options *options, const char *target,
				  const char *plan, struct greta_target_device *out_device, struct greta_error *error)
{
	/* The GPU kernels wait for what is ahead of them themselves, so that the next one's weights may be on their way
	 * by then. */
	struct greta_hip_options wanted = {.threads = options->threads, .guard = options->guard, .overlap = true};
	struct greta_target_device device = {.hip = NULL};
	const void *image;
	const char *form;
	enum greta_status status = greta_hip_load(provider, &wanted, &device.hip, error);
	if (status != GRETA_OK)
		return status;
	status = target ? greta_target_match(device.hip, target, plan, error)
			: greta_target_of(device.hip, device.target, error);
	if (status == GRETA_OK && target)
		snprintf(device.target, sizeof(device.target), "%s", target);
	else if (status == GRETA_OK)
		status = greta_target_image(device.target, options->kernels, &image, &form, error);
	if (status == GRETA_OK)
		*out_device = device;
	else
		greta_hip_unload(device.hip);
	return status;
}

static enum greta_status open_automatic(const struct greta_options *options, const char *target, const char *plan,
					struct greta_target_device *out_device, struct greta_error *error)
{
	struct greta_error reason = {.status = GRETA_OK};
	bool cpu_only = !automatic(options->kernels) || (target && !strcmp(target, "cpu"));
	for (size_t i = 0; greta_hip_provider_name(i); i++) {
		const char *name = greta_hip_provider_name(i);
		bool cpu = !strcmp(name, "cpu");
		if (cpu_only && !cpu)
			continue;
		if (cpu && target && !cpu_only)
			break;
		enum greta_status status = open_one(name, options, target, plan, out_device, &reason);
		/* A device that is not there, or not for us, is passed over; the last resort is not. */
		if (status == GRETA_OK || cpu || (status != GRETA_ERROR_DEVICE && status != GRETA_ERROR_MISMATCH)) {
			if (status != GRETA_OK && error)
				*error = reason;
			return status;
		}
	}
	return greta_fail(error, GRETA_ERROR_MISMATCH,
			  "plan %s is for target %.16s, which no device here runs (greta-plan devices lists them, or says why one "
			  "is not there): plan again, as with greta-plan build --target cpu",
			  plan, target ? target : "");
}

enum greta_status greta_target_device_open(const struct greta_options *options, const char *target, const char *plan,
					   struct greta_target_device *out_device, struct greta_error *error)
{
	if (automatic(options->provider))
		return open_automatic(options, target, plan, out_device, error);
	return open_one(options->provider, options, target, plan, out_device, error);
}
