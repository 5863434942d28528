#include "tests/kernels/gpu/forms.h"

#include <stdio.h>
#include <string.h>

#include "tests/kernels/gpu/runner.h"

#define SKIPPED 77

static struct gpu_runner *target;

int forms_start(int argc, char **argv)
{
	const char *name = NULL;
	char why[1024];
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "--target") == 0)
			name = argv[i + 1];
	if (!name)
		return 0;
	target = gpu_runner_open(name, why, sizeof(why));
	if (!target) {
		printf("skipped: %s: %s\n", name, why);
		return SKIPPED;
	}
	printf("target: %s\n", target->name);
	return 0;
}

int forms_finish(void **context)
{
	(void)context;
	gpu_runner_close(target);
	target = NULL;
	return 0;
}

size_t forms_of(enum greta_kernel kernel, const char *names[CHECK_FORMS_MAX])
{
	static unsigned said;
	if (!target)
		return check_forms(names);
	names[0] = target->name;
	if (gpu_runner_has(target, kernel))
		return 1;
	if (!(said & 1u << kernel))
		printf("not checked: %s has no kernel %s\n", target->name, greta_kernel_info(kernel)->name);
	said |= 1u << kernel;
	return 0;
}

void forms_run(const char *form, enum greta_kernel kernel, uint32_t grid_x, uint32_t grid_y, const void *args)
{
	if (!target || form != target->name) {
		check_run(check_kernel(form, kernel), grid_x, grid_y, GRETA_CPU_WORK_BYTES, args);
		return;
	}
	int cpu = strcmp(target->target, "cpu") == 0;
	struct gpu_grid grid = {.x = grid_x, .y = grid_y, .threads = cpu ? 1 : 64 * check_between(1, 16),
	                        .shared_bytes = cpu ? GRETA_CPU_WORK_BYTES : 0};
	gpu_runner_launch(target, kernel, &grid, args);
}
