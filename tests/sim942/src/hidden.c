/* The hidden kernel arguments of code object version 5 and later. */
#include <stdio.h>
#include <string.h>
#include "sim942.h"

/* The number behind a kind such as hidden_block_count_x; axis is taken from the last letter. */
static uint64_t value_of(const char *kind, const uint32_t grid[3], const uint32_t workgroup[3],
		uint32_t dynamic_lds_bytes)
{
	size_t n = strlen(kind);
	int axis = n ? kind[n - 1] - 'x' : -1;
	if (!strcmp(kind, "hidden_grid_dims"))
		return grid[2] > 1 ? 3 : grid[1] > 1 ? 2 : 1;
	if (!strcmp(kind, "hidden_dynamic_lds_size"))
		return dynamic_lds_bytes;
	if (axis < 0 || axis > 2)
		return 0;
	if (!strncmp(kind, "hidden_block_count_", 19))
		return grid[axis] / workgroup[axis];
	if (!strncmp(kind, "hidden_group_size_", 18))
		return workgroup[axis];
	if (!strncmp(kind, "hidden_remainder_", 17))
		return grid[axis] % workgroup[axis];
	return 0;
}

void sim942_fill_hidden(const struct sim942_kernel *kernel, void *kernarg, const uint32_t grid[3],
		const uint32_t workgroup[3],
	uint32_t dynamic_lds_bytes)
{
	const struct sim942_arg *args;
	size_t count = sim942_kernel_args(kernel, &args);
	for (size_t i = 0; i < count; i++) {
		uint64_t value;
		if (!args[i].kind || strncmp(args[i].kind, "hidden_", 7) || args[i].size > 8 ||
				args[i].offset + args[i].size > kernel->kernarg_bytes)
			continue;
		value = value_of(args[i].kind, grid, workgroup, dynamic_lds_bytes);
		memcpy((char *)kernarg + args[i].offset, &value, args[i].size);
	}
}
