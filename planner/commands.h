/* greta-plan's sub-commands. Each takes its own argc and argv, prints to stdout, tells errors in one line on stderr,
 * and returns the exit status (models/command_line.h). */
#ifndef GRETA_PLANNER_COMMANDS_H
#define GRETA_PLANNER_COMMANDS_H

int greta_plan_command_build(int argc, char **argv);
int greta_plan_command_show(int argc, char **argv);
int greta_plan_command_verify(int argc, char **argv);
int greta_plan_command_diff(int argc, char **argv);
int greta_plan_command_pack(int argc, char **argv);
int greta_plan_command_devices(int argc, char **argv);
int greta_plan_command_targets(int argc, char **argv);

#endif
