#include "planner/commands.h"
#include "runtime/verify.h"

#include <getopt.h>
#include <stdio.h>

static const char USAGE[] = "usage: greta-plan verify PLAN [-m MODEL]\n"
			    "\n"
			    "Checks a plan as it is checked when it is loaded: that the file is whole, that no launch can touch memory\n"
			    "that is not its own, and that nothing is read before it is written.\n"
			    "\n"
			    "  -m, --model MODEL   check also that the plan is this model's\n"
			    "  -h, --help\n";

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
	static const struct option options[] = {
	    {"model", required_argument, NULL, 'm'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *model = NULL;
	int option;
	while ((option = getopt_long(argc, argv, "m:h", options, NULL)) != -1) {
		switch (option) {
		case 'm': model = optarg; break;
		case 'h': fputs(USAGE, stdout); return 0;
		default: return 2;
		}
	}
	if (optind + 1 != argc) {
		fputs("greta-plan verify: it takes one plan; --help says more\n", stderr);
		return 2;
	}
	struct greta_plan plan;
	struct greta_error error = {0};
	enum greta_status status = greta_plan_open(argv[optind], &plan, &error);
	if (status == GRETA_OK) {
		status = verify(&plan, model, &error);
		if (status == GRETA_OK)
			printf("%s: sound (%zu programs, %zu launches, %zu buffers, %zu tensors)\n", argv[optind],
			       plan.program_count, plan.launch_count, plan.buffer_count, plan.tensor_count);
		greta_plan_close(&plan);
	}
	if (status == GRETA_OK)
		return 0;
	fprintf(stderr, "greta-plan: %s\n", error.message);
	return 1;
}
