/* What there is to run on: each provider with its devices, or why it is not there. `greta-plan devices` prints it. */
#ifndef GRETA_DEVICES_H
#define GRETA_DEVICES_H

#include "runtime/hip.h"

struct greta_device_info {
	char name[128];
	char architecture[GRETA_HIP_ARCHITECTURE_MAX]; /* what a plan's target is compared with */
	int compute_units;
	size_t free_bytes, total_bytes;
	struct greta_error error; /* its status is not GRETA_OK when the device did not tell all of the above */
};

struct greta_provider_info {
	const char *provider;      /* static */
	struct greta_error error;  /* its status is GRETA_OK when the provider is there, else it says why not */
	char driver[24], runtime[24]; /* versions: "6.3.42134", "13.0" */
	size_t device_count;
	struct greta_device_info *devices; /* in their order; they belong to greta_provider_info_finish */
};

/* Loads the provider called `name` (of greta_hip_provider_name), asks it and unloads it. A GPU's context may be created
 * for the time, which takes a second at worst; the calling thread is left on device 0. `options` as for greta_hip_load.
 * MEMORY; ARGUMENT for a name that is none and for options that greta_hip_load refuses. */
enum greta_status greta_provider_info_init(struct greta_provider_info *info, const char *name,
    const struct greta_hip_options *options, struct greta_error *error);
void greta_provider_info_finish(struct greta_provider_info *info);

#endif
