#include "tests/kernels/gpu/speed.h"

#include <stdio.h>

#include "tests/kernels/gpu/forms.h"
#include "tests/kernels/gpu/runner.h"

#define SKIPPED 77
#define COLD_BYTES ((size_t)1 << 29) /* twice the largest cache, 256 MB on an MI300X */

static double read_rate;

int speed_start(void)
{
	struct gpu_runner *runner = forms_runner();
	if (!runner || !runner->backend->read_rate) {
		printf("skipped: only a device has a clock: --target cpu, nvidia or amd\n");
		return SKIPPED;
	}
	if (runner->backend->read_rate(runner, &read_rate)) {
		printf("skipped: %s\n", runner->error);
		return SKIPPED;
	}
	printf("reads %.1f GB/s\n%-40s %-28s %10s %9s %8s %9s\n", read_rate * 1e-9, "", "", "us", "GB/s", "of read",
	       "TMAC/s");
	return 0;
}

void speed_of(const char *what, enum greta_kernel kernel, const void *args, double bytes, double macs)
{
	struct forms_launch launch = forms_planned(forms_runner()->name, kernel, args);
	const struct greta_lowered *l = &launch.lowered;
	struct gpu_grid grid = {.x = l->grid[0], .y = l->grid[1], .threads = l->threads, .shared_bytes = l->shared_bytes};
	double seconds = gpu_runner_time(forms_runner(), kernel, l->symbol, &grid, &launch.args, COLD_BYTES);
	printf("%-40s %-28s %10.2f %9.1f %7.1f%%", what, l->symbol, seconds * 1e6, bytes / seconds * 1e-9,
	       100 * bytes / seconds / read_rate);
	if (macs > 0)
		printf(" %9.2f", macs / seconds * 1e-12);
	printf("\n");
	fflush(stdout);
}
