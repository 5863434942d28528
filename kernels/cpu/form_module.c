/* One form's table of kernels. */
#include "kernels/cpu/forms.h"

#define TEXT(form) #form
#define NAME(form) TEXT(form)

static const struct greta_cpu_function FUNCTIONS[] = {
#define X(name) {#name, GRETA_CPU_NAME(name)},
    GRETA_KERNELS(X)
#undef X
};

const struct greta_cpu_module GRETA_CPU_NAME(module) = {GRETA_CPU_MODULE_MAGIC, NAME(GRETA_CPU_FORM),
                                                        sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]), FUNCTIONS};
