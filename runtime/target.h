/* Which provider runs the plans of which target, with which code object. */
#ifndef GRETA_RUNTIME_TARGET_H
#define GRETA_RUNTIME_TARGET_H

#include "runtime/greta.h"
#include "runtime/hip.h"

/* The target whose plans are best run by device 0 of an initialised provider: the device's own, if this build has
 * kernels for it; else the first of this build's targets that the device takes (greta_hip_takes); else, as there are no
 * kernels for it, the one to build for. DEVICE. */
enum greta_status greta_target_of(const struct greta_hip *hip, char out_target[GRETA_HIP_ARCHITECTURE_MAX],
				  struct greta_error *error);

/* A provider that is loaded, and the target to run on its first device: the plan's, else greta_target_of it. */
struct greta_target_device {
	struct greta_hip *hip; /* the caller's, for greta_hip_unload */
	char target[GRETA_HIP_ARCHITECTURE_MAX];
};

/* Loads the provider that the options name. "auto", which is also the default, takes the first whose device this build
 * has kernels for: amd, nvidia, then cpu; only cpu when a form of the cpu's kernels is named. `target` is that of a
 * plan which `plan` names, and auto then takes the provider whose device takes that target; NULL: there is no plan yet,
 * any will do. ARGUMENT (no such provider); MISMATCH (the device does not take the plan's target, or this build has
 * no kernels for it); DEVICE (the provider is not there: what was tried); MEMORY. */
enum greta_status greta_target_device_open(const struct greta_options *options, const char *target, const char *plan,
					   struct greta_target_device *out_device, struct greta_error *error);

/* Whether device 0 of an initialised provider takes `target`. MISMATCH, naming the plan and what to do. */
enum greta_status greta_target_match(const struct greta_hip *hip, const char *target, const char *plan,
				     struct greta_error *error);

/* The image that hipModuleLoadData takes for `target`: its kernels in the form named (NULL: "auto"), and that form's
 * own name. ARGUMENT for a form that the target does not have or this machine cannot run; MISMATCH for a target whose
 * kernels this build does not have. */
enum greta_status greta_target_image(const char *target, const char *kernels, const void **out_image,
                                     const char **out_form, struct greta_error *error);

#endif
