#include "bench/parity/launches.h"

#include "kernels/abi.h"

#include <string.h>

uint32_t greta_parity_object_at(const struct greta_plan *plan, const struct greta_plan_launch *launch, uint32_t field)
{
	for (uint32_t r = 0; r < launch->reloc_count; r++)
		if (plan->relocs[launch->first_reloc + r].field == field)
			return plan->relocs[launch->first_reloc + r].object;
	return GRETA_PLAN_NONE;
}

uint32_t greta_parity_digits_read(const struct greta_plan *plan, const struct greta_plan_launch *launch)
{
	const struct greta_kernel_info *info = greta_kernel_info(launch->kernel);
	for (uint32_t f = 0; f < info->field_count; f++)
		if (info->fields[f].kind == GRETA_IN && !strcmp(info->fields[f].name, "digits"))
			return greta_parity_object_at(plan, launch, info->fields[f].offset);
	return GRETA_PLAN_NONE;
}
