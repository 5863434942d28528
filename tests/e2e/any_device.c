#include "tests/e2e/any_device.h"

#include "kernels/gpu/image.h"
#include "runtime/target.h"
#include "tests/provider/sim.h"

#include <stdio.h>
#include <string.h>

#define SKIPPED 77

static struct greta_hip *loaded; /* for the simulator: the cpu below it */
static struct greta_hip table;

static enum greta_status open_table(const char *name, struct greta_error *error)
{
	bool sim = strcmp(name, "sim") == 0;
	struct greta_hip_options options = {.threads = 2, .guard = true, .overlap = true};
	if (sim && !greta_gpu_image("gfx942"))
		return greta_fail(error, GRETA_ERROR_DEVICE,
				  "this build has no kernels for gfx942 (option gpu_targets)");
	enum greta_status status = greta_hip_load(sim ? "cpu" : name, &options, &loaded, error);
	if (status != GRETA_OK)
		return status;
	table = *loaded;
	return !sim || sim_wrap(loaded, &table)
		? GRETA_OK : greta_fail(error, GRETA_ERROR_MEMORY, "the cpu provider refuses the simulator");
}

int any_device_open(const char *name, const struct greta_hip **out_hip, char out_target[GRETA_HIP_ARCHITECTURE_MAX])
{
	struct greta_error error;
	enum greta_status status = open_table(name, &error);
	if (status == GRETA_OK)
		status = greta_target_of(&table, out_target, &error);
	if (status == GRETA_OK && strcmp(out_target, "cpu") != 0 && !greta_gpu_image(out_target))
		status = greta_fail(&error, GRETA_ERROR_DEVICE, "this build has no kernels for %s", out_target);
	if (status != GRETA_OK) {
		printf("skipped: %s\n", error.message);
		any_device_close();
		return status == GRETA_ERROR_DEVICE ? SKIPPED : 1;
	}
	*out_hip = &table;
	return 0;
}

void any_device_close(void)
{
	greta_hip_unload(loaded);
	loaded = NULL;
}
