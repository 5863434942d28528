#include "planner/commands.h"
#include "models/command_line.h"
#include "planner/target.h"

#include <stdio.h>

static const char USAGE[] = "usage: greta-plan targets\n"
			    "\n"
			    "Lists the targets that plans can be made for, on any machine: greta-plan build --target NAME.\n"
			    "\n"
			    "  -h, --help\n"
			    "\n"
			    "Exit status: 0 listed, 1 failed, 2 the command line is wrong.\n";

int greta_plan_command_targets(int argc, char **argv)
{
	const struct greta_command_line line = {.tool = "greta-plan targets", .help = USAGE};
	const struct greta_target *target;
	char **operands;
	int status = greta_command_line_read(&line, argc, argv, &operands);
	if (status >= 0)
		return status;
	for (size_t i = 0; (target = greta_target_at(i)); i++)
		printf("%-10s %s\n", target->name, target->description);
	return 0;
}
