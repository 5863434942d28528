#include <string.h>

#include "kernels/cpu/forms.h"
#include "kernels/ref/kernels.h"

const struct greta_cpu_module *greta_cpu_module(const char *form)
{
	if (strcmp(form, "auto") == 0 || strcmp(form, "portable") == 0)
		return &greta_cpu_portable_module;
	if (strcmp(form, "ref") == 0)
		return &greta_ref_module;
	return NULL;
}
