#include "planner/commands.h"
int greta_plan_command_show(int argc, char **argv) { (void)argc; (void)argv; return 2; }
int greta_plan_command_diff(int argc, char **argv) { (void)argc; (void)argv; return 2; }
