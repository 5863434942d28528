#include <cpuid.h>
#include <string.h>

#include "kernels/cpu/forms.h"
#include "kernels/ref/kernels.h"

/* The compilers' __builtin_cpu_supports also asks whether the system saves the registers; not all of them know F16C. */
static int has_f16c(void)
{
	unsigned a, b, c, d;
	return __get_cpuid(1, &a, &b, &c, &d) && c & bit_F16C;
}

static int has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

static int has_avx512(void)
{
	return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vnni");
}

const struct greta_cpu_module *greta_cpu_module(const char *form)
{
	int any = strcmp(form, "auto") == 0;
	if ((any || strcmp(form, "avx512") == 0) && has_avx512())
		return &greta_cpu_avx512_module;
	if ((any || strcmp(form, "avx2") == 0) && has_avx2())
		return &greta_cpu_avx2_module;
	if (any || strcmp(form, "portable") == 0)
		return &greta_cpu_portable_module;
	if (strcmp(form, "ref") == 0)
		return &greta_ref_module;
	return NULL;
}
