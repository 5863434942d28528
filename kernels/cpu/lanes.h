/* Sixteen fp32 lanes, as the instruction set of the file that includes this offers them: one AVX-512 register, two AVX
 * registers, or an array. Every operation is IEEE and rounds to nearest in each lane; fma rounds once. */
#ifndef GRETA_CPU_LANES_H
#define GRETA_CPU_LANES_H

#include "kernels/numbers.h"

#if defined(__AVX512F__)
#include "kernels/cpu/lanes_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include "kernels/cpu/lanes_avx2.h"
#else
#include "kernels/cpu/lanes_portable.h"
#endif

#endif
