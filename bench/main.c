/* greta-bench: measures, compares, reports. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/against.h"
#include "bench/arguments.h"
#include "bench/document.h"
#include "bench/formats.h"
#include "bench/measure.h"
#include "bench/page.h"
#include "bench/page_frame.h"
#include "bench/planned.h"
#include "bench/processes.h"
#include "models/command_line.h"
#include "runtime/cache.h"

static enum greta_status print(const json_t *document, enum bench_format format, struct greta_error *error)
{
	if (!bench_format_print(document, format, stdout))
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the report");
	if (fflush(stdout) || ferror(stdout))
		return greta_fail(error, GRETA_ERROR_IO, "cannot write the report: %s", strerror(errno));
	return GRETA_OK;
}

/* Nothing measured is lost because the page cannot be written, or the other way round. */
static enum greta_status report(const struct bench_arguments *arguments, const json_t *peer,
                                struct bench_outcome *outcome, struct greta_error *error)
{
	json_t *document = outcome->document;
	if (!bench_document_finish(document) || (peer && !bench_against_compare(document, arguments->against, peer)))
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the report");
	struct greta_error reason;
	enum greta_status printed = print(document, arguments->format, &reason), status = GRETA_OK;
	if (arguments->html)
		status = bench_page_write(arguments->html, document, outcome->arena, error);
	if (printed == GRETA_OK)
		return status;
	if (status == GRETA_OK)
		*error = reason;
	else
		greta_command_failed("greta-bench", &reason);
	return status == GRETA_OK ? printed : status;
}

static enum greta_status measure(char **argv, const struct bench_arguments *arguments, const json_t *peer,
                                 struct greta_error *error)
{
	struct bench_outcome outcome;
	enum greta_status status = arguments->spawns && !arguments->spawned
	                               ? bench_spawn(argv, arguments->spawns, &outcome, error)
	                               : bench_measure(&arguments->request, &outcome, error);
	if (status != GRETA_OK)
		return status;
	if (!arguments->spawned)
		status = report(arguments, peer, &outcome, error);
	else if (!bench_spawned_tell(&outcome, stdout))
		status = greta_fail(error, GRETA_ERROR_IO, "cannot tell what was measured");
	bench_outcome_finish(&outcome);
	return status;
}

/* What each session would find out by itself, said once. */
static void check_cache(void)
{
	struct greta_error reason;
	char *folder = NULL;
	if (greta_cache_folder(NULL, &folder, &reason) != GRETA_OK)
		greta_command_warn("greta-bench", reason.message);
	free(folder);
}

int main(int argc, char **argv)
{
	struct bench_arguments arguments;
	struct greta_error error;
	json_t *peer = NULL;
	int wrong = bench_arguments_parse(argc, argv, &arguments);
	if (wrong >= 0)
		return wrong;
	if (arguments.spawned && !bench_spawned_begin())
		return 1;
	enum greta_status status = GRETA_OK;
	if (arguments.request.model && !arguments.spawned)
		check_cache();
	status = bench_planned(&arguments.request, &error);
	if (status == GRETA_OK && arguments.html && !arguments.spawned)
		status = bench_report_check(arguments.html, &error);
	if (status == GRETA_OK && arguments.against && !arguments.spawned)
		status = bench_against_load(arguments.against, &arguments.request, &peer, &error);
	if (status == GRETA_OK)
		status = measure(argv, &arguments, peer, &error);
	json_decref(peer);
	if (status != GRETA_OK)
		return greta_command_failed("greta-bench", &error);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "greta-bench: cannot write the report: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}
