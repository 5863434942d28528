#include "planner/commands.h"
#include "runtime/devices.h"

#include <stdio.h>

static void print_device(size_t number, const struct greta_device_info *device)
{
	const double gib = 1024.0 * 1024 * 1024;
	if (device->error.status != GRETA_OK)
		printf("  %-3zu %s\n", number, device->error.message);
	else
		printf("  %-3zu %-8s %s, %d compute units, %.1f GiB, %.1f free\n", number, device->architecture, device->name,
		       device->compute_units, (double)device->total_bytes / gib, (double)device->free_bytes / gib);
}

static void print_provider(const struct greta_provider_info *info)
{
	if (info->error.status != GRETA_OK) {
		printf("%s: not here: %s\n", info->provider, info->error.message);
		return;
	}
	printf("%s: driver %s, runtime %s\n", info->provider, info->driver, info->runtime);
	for (size_t i = 0; i < info->device_count; i++)
		print_device(i, &info->devices[i]);
}

int greta_plan_command_devices(int argc, char **argv)
{
	(void)argv;
	if (argc != 1) {
		fputs("usage: greta-plan devices\n", stderr);
		return 2;
	}
	for (size_t i = 0; greta_hip_provider_name(i); i++) {
		struct greta_provider_info info;
		struct greta_error error;
		if (greta_provider_info_init(&info, greta_hip_provider_name(i), NULL, &error)) {
			fprintf(stderr, "greta-plan: %s\n", error.message);
			return 1;
		}
		print_provider(&info);
		greta_provider_info_finish(&info);
	}
	return 0;
}
