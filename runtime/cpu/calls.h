/* The cpu provider's functions, one for each call in runtime/hip.h and with its signature: greta_cpu_hipMalloc and so
 * on. */
#ifndef GRETA_CPU_CALLS_H
#define GRETA_CPU_CALLS_H

#include "runtime/hip.h"

#define GRETA_CPU_DECLARE(name, parameters, arguments) hipError_t greta_cpu_##name parameters;
GRETA_HIP_STATUS_CALLS(GRETA_CPU_DECLARE)
#undef GRETA_CPU_DECLARE
#define GRETA_CPU_DECLARE(name, parameters, arguments) const char *greta_cpu_##name parameters;
GRETA_HIP_TEXT_CALLS(GRETA_CPU_DECLARE)
#undef GRETA_CPU_DECLARE

#endif
