#include "planner/commands.h"
#include "models/command_line.h"
#include "runtime/verify.h"

#include <stdio.h>

static const char USAGE[] = "usage: greta-plan verify PLAN [-m MODEL]\n"
			    "\n"
			    "Checks a plan as it is checked when it is loaded: that the file is whole, that no launch can touch memory\n"
			    "that is not its own, and that nothing is read before it is written. That is no proof that it computes the\n"
			    "model: which of several tensors of one shape a launch reads, and the constants (rotary frequencies), are\n"
			    "compared with nothing.\n"
			    "\n"
			    "  -m, --model MODEL   check also that the plan is this model's: its length, its tensors' types, shapes and places, its\n"
			    "                      norms' eps, and a fingerprint, which sees the metadata and each tensor's first and last 4,096\n"
			    "                      bytes, not all of it\n"
			    "  -h, --help\n"
			    "\n"
			    "Exit status: 0 sound, 1 not so or failed, 2 the command line is wrong.\n";

static enum greta_status verify(const struct greta_plan *plan, const char *model, struct greta_error *error)
{
	enum greta_status status = greta_verify_plan(plan, error);
	if (status != GRETA_OK || !model)
		return status;
	struct greta_gguf *gguf;
	status = greta_gguf_open(model, &gguf, error);
	if (status != GRETA_OK)
		return status;
	status = greta_verify_model(plan, gguf, error);
	greta_gguf_close(gguf);
	return status;
}

int greta_plan_command_verify(int argc, char **argv)
{
	const char *model = NULL;
	const struct greta_option options[] = {{'m', "model", .text = &model}, {0}};
	const struct greta_command_line line = {
	    .tool = "greta-plan verify", .help = USAGE, .options = options, .operands = "one plan", .least = 1, .most = 1};
	char **operands;
	struct greta_plan plan;
	struct greta_error error = {0};
	int code = greta_command_line_read(&line, argc, argv, &operands);
	if (code >= 0)
		return code;
	enum greta_status status = greta_plan_open(operands[0], &plan, &error);
	if (status == GRETA_OK) {
		status = verify(&plan, model, &error);
		if (status == GRETA_OK)
			printf("%s: sound (%zu programs, %zu launches, %zu buffers, %zu tensors)\n", operands[0],
			       plan.program_count, plan.launch_count, plan.buffer_count, plan.tensor_count);
		greta_plan_close(&plan);
	}
	return status == GRETA_OK ? 0 : greta_command_failed(line.tool, &error);
}
