/* The form amx: its own products, everything else avx512's. */
#include "kernels/cpu/forms.h"

#define OTHER(X)                                                                                                       \
	X(embed) X(rope_angles) X(rmsnorm) X(digits) X(rope) X(kv_write) X(attention) X(silu_mul) X(add) X(argmax)     \
	X(sample) X(advance) X(stamp)

static const struct greta_cpu_function FUNCTIONS[] = {
#define X(name) {#name, greta_cpu_amx_##name},
    X(product) X(qkv) X(gate_up) X(lm_head)
#undef X
#define X(name) {#name, greta_cpu_avx512_##name},
    OTHER(X)
#undef X
};

_Static_assert(sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]) == GRETA_KERNEL_COUNT, "every kernel is listed");

const struct greta_cpu_module greta_cpu_amx_module = {GRETA_CPU_MODULE_MAGIC, "amx", GRETA_KERNEL_COUNT, FUNCTIONS};
