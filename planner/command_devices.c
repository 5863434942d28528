#include "planner/commands.h"
#include "models/command_line.h"
#include "planner/target.h"
#include "runtime/devices.h"

#include <stdio.h>

static const char USAGE[] =
    "usage: greta-plan devices\n"
    "\n"
    "Lists, provider by provider (amd, nvidia, cpu), the devices that could run plans: number, architecture, name, compute\n"
    "units, memory, and the targets whose plans it takes; or says why a provider is not there.\n"
    "\n"
    "  -h, --help\n"
    "\n"
    "Exit status: 0 listed, 1 failed, 2 the command line is wrong.\n";

/* The targets whose plans the device takes. */
static void print_targets(const char *provider, const char *architecture)
{
	const struct greta_target *target;
	const char *before = "plans for";
	for (size_t i = 0; (target = greta_target_at(i)); i++)
		if (greta_hip_takes(provider, architecture, target->name)) {
			printf("%s %s", before, target->name);
			before = ",";
		}
	puts(before[0] == ',' ? "" : "no plans");
}

static void print_device(const char *provider, size_t number, const struct greta_device_info *device)
{
	const double gib = 1024.0 * 1024 * 1024;
	if (device->error.status != GRETA_OK)
		printf("  %-3zu %s\n", number, device->error.message);
	else {
		printf("  %-3zu %-8s %s, %d compute units, %.1f GiB, %.1f free; ", number, device->architecture,
		       device->name, device->compute_units, (double)device->total_bytes / gib,
		       (double)device->free_bytes / gib);
		print_targets(provider, device->architecture);
	}
}

static void print_provider(const struct greta_provider_info *info)
{
	if (info->error.status != GRETA_OK) {
		printf("%s: not here: %s\n", info->provider, info->error.message);
		return;
	}
	printf("%s: driver %s, runtime %s\n", info->provider, info->driver, info->runtime);
	for (size_t i = 0; i < info->device_count; i++)
		print_device(info->provider, i, &info->devices[i]);
}

int greta_plan_command_devices(int argc, char **argv)
{
	const struct greta_command_line line = {.tool = "greta-plan devices", .help = USAGE};
	char **operands;
	int status = greta_command_line_read(&line, argc, argv, &operands);
	if (status >= 0)
		return status;
	for (size_t i = 0; greta_hip_provider_name(i); i++) {
		struct greta_provider_info info;
		struct greta_error error;
		if (greta_provider_info_init(&info, greta_hip_provider_name(i), NULL, &error))
			return greta_command_failed(line.tool, &error);
		print_provider(&info);
		greta_provider_info_finish(&info);
	}
	return 0;
}
