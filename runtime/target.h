/* Which provider runs the plans of which target, with which code object. */
#ifndef GRETA_RUNTIME_TARGET_H
#define GRETA_RUNTIME_TARGET_H

#include "models/error.h"

/* The target that plans for `provider` are made for; NULL for a provider that does not exist. */
const char *greta_target_of_provider(const char *provider);

/* The image that hipModuleLoadData takes for `target`: its kernels in the form named (NULL: "auto"), and that form's
 * own name. ARGUMENT for a form that the target does not have or this machine cannot run; MISMATCH for a target that
 * this build does not have. */
enum greta_status greta_target_image(const char *target, const char *kernels, const void **out_image,
                                     const char **out_form, struct greta_error *error);

#endif
