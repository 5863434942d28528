/* The products in every form, for now: the reference's. */
#include "kernels/cpu/forms.h"
#include "kernels/ref/kernels.h"

#define X(name)                                                                                                        \
	void GRETA_CPU_NAME(name)(const struct greta_cpu_block *block, const void *args)                              \
	{                                                                                                              \
		greta_ref_##name(block, args);                                                                         \
	}
X(digits) X(product) X(qkv) X(gate_up) X(lm_head)
