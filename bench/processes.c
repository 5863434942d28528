#include "bench/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/document.h"
#include "models/error.h"

extern char **environ;

bool bench_spawned_begin(void)
{
	struct pollfd output = {.fd = STDOUT_FILENO};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* One that ended before that call sends no signal, but nobody reads any more. */
	return poll(&output, 1, 0) <= 0 || !(output.revents & POLLERR);
}

bool bench_spawned_tell(const struct bench_outcome *outcome, FILE *out)
{
	json_t *told = json_pack("{s:O, s:s?}", "document", outcome->document, "arena", outcome->arena);
	bool good = told && json_dumpf(told, out, JSON_COMPACT) == 0;
	json_decref(told);
	return good;
}

/* Starts the process; its standard output can be read from *out_pipe. */
static enum greta_status start(char **argv, pid_t *out_process, int *out_pipe, struct greta_error *error)
{
	int ends[2];
	posix_spawn_file_actions_t actions;
	if (pipe2(ends, O_CLOEXEC))
		return greta_fail(error, GRETA_ERROR_IO, "no pipe to another process: %s", strerror(errno));
	int code = posix_spawn_file_actions_init(&actions);
	if (!code) {
		code = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
		if (!code)
			code = posix_spawn(out_process, "/proc/self/exe", &actions, NULL, argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	close(ends[1]);
	if (code) {
		close(ends[0]);
		return greta_fail(error, GRETA_ERROR_IO, "cannot start another process: %s", strerror(code));
	}
	*out_pipe = ends[0];
	return GRETA_OK;
}

static enum greta_status take(json_t *told, unsigned number, struct bench_outcome *outcome, struct greta_error *error)
{
	json_t *document = json_object_get(told, "document");
	const char *arena = json_string_value(json_object_get(told, "arena"));
	if (!document)
		return greta_fail(error, GRETA_ERROR_DEVICE, "process %u said nothing that can be read", number);
	if (outcome->document) {
		if (bench_document_merge(outcome->document, document))
			return GRETA_OK;
		return greta_fail(error, GRETA_ERROR_DEVICE,
		                  "process %u has measured something else than those before it", number);
	}
	outcome->document = json_incref(document);
	outcome->arena = arena ? strdup(arena) : NULL;
	if (arena && !outcome->arena)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for what is measured");
	return GRETA_OK;
}

static enum greta_status run_one(char **argv, unsigned number, unsigned spawns, struct bench_outcome *outcome,
                                 struct greta_error *error)
{
	pid_t process = -1;
	int pipe_end = -1, ended = 0;
	enum greta_status status = start(argv, &process, &pipe_end, error);
	if (status != GRETA_OK)
		return status;
	FILE *in = fdopen(pipe_end, "r");
	json_t *told = in ? json_loadf(in, 0, NULL) : NULL;
	if (in)
		fclose(in);
	else
		close(pipe_end);
	while (waitpid(process, &ended, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0)
		status = take(told, number, outcome, error);
	else
		status = greta_fail(error, GRETA_ERROR_DEVICE, "process %u of %u failed (%s %d)", number, spawns,
		                    WIFEXITED(ended) ? "exit status" : "signal",
		                    WIFEXITED(ended) ? WEXITSTATUS(ended) : WTERMSIG(ended));
	json_decref(told);
	return status;
}

enum greta_status bench_spawn(char **argv, unsigned spawns, struct bench_outcome *out_outcome,
                              struct greta_error *error)
{
	static char flag[] = "--spawned";
	struct bench_outcome outcome = {.document = NULL};
	size_t words = 0;
	while (argv[words])
		words++;
	char **all = calloc(words + 2, sizeof(*all));
	if (!all)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for a command line");
	all[0] = argv[0];
	all[1] = flag;
	memcpy(all + 2, argv + 1, (words - 1) * sizeof(*all));
	enum greta_status status = GRETA_OK;
	for (unsigned i = 1; i <= spawns && status == GRETA_OK; i++)
		status = run_one(all, i, spawns, &outcome, error);
	free(all);
	if (status == GRETA_OK)
		*out_outcome = outcome;
	else
		bench_outcome_finish(&outcome);
	return status;
}
