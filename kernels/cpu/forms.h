/* The forms of the CPU kernels: one source compiled for several instruction sets. GRETA_CPU_NAME(product) in a file
 * compiled with -DGRETA_CPU_FORM=avx2 is greta_cpu_avx2_product. The forms give the same bits; they differ in speed. */
#ifndef GRETA_CPU_FORMS_H
#define GRETA_CPU_FORMS_H

#include "kernels/abi.h"
#include "kernels/cpu/module.h"

/* amx: avx512 and int8 tiles, for products only; its other kernels are avx512's. avx512: F, BW, VL, DQ, VNNI. avx2:
 * AVX2, FMA, F16C. portable: what the compiler assumes anyway. */
#define GRETA_CPU_FORMS(X) X(amx) X(avx512) X(avx2) X(portable)

#define GRETA_CPU_PASTE(form, name) greta_cpu_##form##_##name
#define GRETA_CPU_EXPAND(form, name) GRETA_CPU_PASTE(form, name)
#define GRETA_CPU_NAME(name) GRETA_CPU_EXPAND(GRETA_CPU_FORM, name)

#define GRETA_CPU_DECLARE(form, name)                                                                                  \
	void greta_cpu_##form##_##name(const struct greta_cpu_block *block, const void *args);
#define X(name)                                                                                                        \
	GRETA_CPU_DECLARE(amx, name) GRETA_CPU_DECLARE(avx512, name) GRETA_CPU_DECLARE(avx2, name)                     \
	GRETA_CPU_DECLARE(portable, name)
GRETA_KERNELS(X)
#undef X

extern const struct greta_cpu_module greta_cpu_amx_module;
extern const struct greta_cpu_module greta_cpu_avx512_module;
extern const struct greta_cpu_module greta_cpu_avx2_module;
extern const struct greta_cpu_module greta_cpu_portable_module;

#endif
