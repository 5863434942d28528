#include <cpuid.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* Tile registers must be asked for, once per process; asking again is harmless. Linux may refuse (a thread's signal
 * stack is too small for them, as under some sanitizers), other systems are not asked. */
static int may_use_tiles(void)
{
#if defined(SYS_arch_prctl)
	const int request_permission = 0x1023, tile_data = 18; /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA */
	return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
	return 0;
#endif
}

static int has_amx(void)
{
	const unsigned tile = 1u << 24, int8 = 1u << 25;
	unsigned a, b, c, d;
	return has_avx512() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && d & tile && d & int8 && may_use_tiles();
}

const struct greta_cpu_module *greta_cpu_module(const char *form)
{
	int any = strcmp(form, "auto") == 0;
	if ((any || strcmp(form, "amx") == 0) && has_amx())
		return &greta_cpu_amx_module;
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
