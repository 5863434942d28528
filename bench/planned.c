#include "bench/planned.h"

#include "bench/configs.h"
#include "bench/want_model.h"
#include "runtime/plan.h"

static enum greta_status take(struct bench_request *request, const struct greta_plan_header *header,
                              struct greta_error *error)
{
	static const char *const fuse[] = {"none", "full"};
	bool full = header->fuse == GRETA_FUSE_FULL;
	unsigned needed = bench_context(request);
	if (!request->fuse[full])
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "plan %s was made with --fuse %s", request->model,
		                  fuse[full]);
	if (request->blocks)
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
		                  "--blocks plans anew, with stamps: name the model, not plan %s", request->model);
	if (needed > header->context)
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
		                  "the tests need %u positions, plan %s has a context of %u", needed, request->model,
		                  header->context);
	request->fuse[!full] = false;
	if (!request->options.context)
		request->options.context = header->context;
	return GRETA_OK;
}

enum greta_status bench_planned(struct bench_request *request, struct greta_error *error)
{
	struct greta_plan plan;
	if (!bench_is_plan(request->model))
		return GRETA_OK;
	enum greta_status status = greta_plan_open(request->model, &plan, error);
	if (status != GRETA_OK)
		return status;
	status = take(request, plan.header, error);
	greta_plan_close(&plan);
	return status;
}
