#include "bench/planned.h"

#include <fcntl.h>
#include <unistd.h>

#include "bench/configs.h"
#include "runtime/plan.h"

static bool is_plan(const char *path)
{
	uint64_t magic = 0;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1; /* not waiting for a pipe */
	bool plan = fd >= 0 && read(fd, &magic, sizeof(magic)) == (ssize_t)sizeof(magic) && magic == GRETA_PLAN_MAGIC;
	if (fd >= 0)
		close(fd);
	return plan;
}

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
		return greta_fail(error, GRETA_ERROR_CONTEXT,
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
	if (!is_plan(request->model))
		return GRETA_OK;
	enum greta_status status = greta_plan_open(request->model, &plan, error);
	if (status != GRETA_OK)
		return status;
	status = take(request, plan.header, error);
	greta_plan_close(&plan);
	return status;
}
