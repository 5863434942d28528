/* greta-parity: do two plans compute the same, and if not, where do they part? */
#include "bench/parity/arguments.h"
#include "bench/parity/report.h"
#include "bench/parity/text.h"
#include "bench/want_model.h"
#include "models/command_line.h"
#include "runtime/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static enum greta_status print(const struct greta_parity_arguments *a, const struct greta_parity_report *report,
			       const struct greta_parity_result *result, struct greta_error *error)
{
	if (!a->json)
		greta_parity_report_table(stdout, report, result);
	else if (!greta_parity_report_json(stdout, report, result))
		return greta_fail(error, ferror(stdout) ? GRETA_ERROR_IO : GRETA_ERROR_MEMORY,
				  "cannot write the result as JSON: %s",
				  ferror(stdout) ? strerror(errno) : "out of memory");
	if (ferror(stdout) || fflush(stdout) != 0)
		return greta_fail(error, GRETA_ERROR_IO, "cannot write the result: %s", strerror(errno));
	return GRETA_OK;
}

/* What each session would find out by itself, said once. */
static void check_cache(void)
{
	struct greta_error reason;
	char *folder = NULL;
	if (greta_cache_folder(NULL, &folder, &reason) != GRETA_OK)
		greta_command_warn("greta-parity", reason.message);
	free(folder);
}

int main(int argc, char **argv)
{
	struct greta_parity_arguments a;
	struct greta_parity_result result;
	struct greta_error error;
	int32_t *tokens = NULL;
	const char *from = "";
	int code = greta_parity_arguments_read(argc, argv, &a);
	if (code >= 0)
		return code;
	if (bench_want_model(a.model, &error) != GRETA_OK)
		return greta_command_failed("greta-parity", &error);
	check_cache();
	struct greta_parity_request request = {
		.model = a.model, .setups = a.setups, .sides = a.sides, .runs = a.runs, .top_k = a.top_k,
		.tolerance = a.tolerance,
	};
	enum greta_status status =
		greta_parity_tokens(a.model, a.file, a.prompt, a.tokens, &tokens, &request.count, &from, &error);
	if (status == GRETA_OK) {
		request.tokens = tokens;
		request.context = a.context ? a.context : (uint32_t)request.count;
		status = greta_parity_run(&request, &result, &error);
	}
	if (status == GRETA_OK) {
		struct greta_parity_report report = {
			.model = a.model, .text = from, .count = request.count, .context = request.context, .runs = a.runs,
			.each_layer = a.each_layer,
		};
		status = print(&a, &report, &result, &error);
		code = greta_parity_passed(&result) ? 0 : 1;
		greta_parity_result_finish(&result);
	}
	free(tokens);
	if (status == GRETA_OK)
		return code;
	return greta_command_failed("greta-parity", &error);
}
