#include "bench/want_model.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "runtime/plan.h"

bool bench_is_plan(const char *path)
{
	uint64_t magic = 0;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1; /* not waiting for a pipe */
	bool plan = fd >= 0 && read(fd, &magic, sizeof(magic)) == (ssize_t)sizeof(magic) && magic == GRETA_PLAN_MAGIC;
	if (fd >= 0)
		close(fd);
	return plan;
}

enum greta_status bench_want_model(const char *path, struct greta_error *error)
{
	struct greta_plan plan;
	struct greta_error reason;
	if (!bench_is_plan(path))
		return GRETA_OK;
	if (greta_plan_open(path, &plan, &reason) != GRETA_OK)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "%s is a plan: name its model", path);
	greta_fail(error, GRETA_ERROR_ARGUMENT, "%.200s is a plan: name its model, %.200s", path,
		   greta_plan_string(&plan, plan.header->model_path));
	greta_plan_close(&plan);
	return GRETA_ERROR_ARGUMENT;
}
