/* The device that a test's command line names: that of a provider, or the simulator's. */
#ifndef GRETA_TEST_ANY_DEVICE_H
#define GRETA_TEST_ANY_DEVICE_H

#include "runtime/hip.h"

/* Opens "cpu", "amd", "nvidia", or "sim" (an MI300X in the simulator, tests/provider/sim.h). Returns 0, or the exit
 * status of a test that cannot run, having printed why: 77 where there is no such device or this build has no kernels
 * for it. The table stays until any_device_close. */
int any_device_open(const char *name, const struct greta_hip **out_hip, char out_target[GRETA_HIP_ARCHITECTURE_MAX]);
void any_device_close(void);

#endif
