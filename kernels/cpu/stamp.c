#include "kernels/cpu/forms.h"
#include "kernels/ref/kernels.h"

/* There is nothing to do faster. */
void GRETA_CPU_NAME(stamp)(const struct greta_cpu_block *block, const void *args) { greta_ref_stamp(block, args); }
