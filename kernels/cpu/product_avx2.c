#include "kernels/cpu/product.h"
void greta_cpu_avx2_sums(const struct greta_cpu_sums_job *job) { greta_cpu_portable_sums(job); }
void greta_cpu_avx2_float_sums(const struct greta_cpu_float_job *job) { greta_cpu_portable_float_sums(job); }
