/* The nvidia provider's functions, one for each call in runtime/hip.h and with its signature: greta_nvidia_hipMalloc
 * and so on. */
#ifndef GRETA_NVIDIA_CALLS_H
#define GRETA_NVIDIA_CALLS_H

#include "runtime/hip.h"

#define GRETA_NVIDIA_DECLARE(name, parameters, arguments) hipError_t greta_nvidia_##name parameters;
GRETA_HIP_STATUS_CALLS(GRETA_NVIDIA_DECLARE)
#undef GRETA_NVIDIA_DECLARE
#define GRETA_NVIDIA_DECLARE(name, parameters, arguments) const char *greta_nvidia_##name parameters;
GRETA_HIP_TEXT_CALLS(GRETA_NVIDIA_DECLARE)
#undef GRETA_NVIDIA_DECLARE

#endif
