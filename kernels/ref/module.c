#include "kernels/ref/kernels.h"

static const struct greta_cpu_function FUNCTIONS[] = {
#define X(name) {#name, greta_ref_##name},
    GRETA_KERNELS(X)
#undef X
};

const struct greta_cpu_module greta_ref_module = {
    GRETA_CPU_MODULE_MAGIC, "ref", sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]), FUNCTIONS};
