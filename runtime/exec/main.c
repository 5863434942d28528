/* greta-exec: text from a model or a plan, on the terminal. */
#include "models/command_line.h"
#include "models/read_file.h"
#include "models/terminal.h"
#include "runtime/exec/arguments.h"
#include "runtime/exec/logits_hash.h"
#include "runtime/exec/report.h"
#include "runtime/exec/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_INTERRUPTED 130

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

struct run {
	const struct greta_exec_arguments *arguments;
	struct greta *greta;
	struct greta_logits_hash *hash;
	struct greta_exec_trace *trace;
	struct greta_exec_result result;
	size_t text_room, token_room;
	bool no_memory, no_output; /* why the callback stopped */
	char hash_text[GRETA_LOGITS_HASH_TEXT];
};

/* ---- The prompt ---- */

/* One newline at the end of what was read is dropped. */
static enum greta_status read_prompt(const struct greta_exec_arguments *arguments, char **out_text, size_t *out_length,
				     struct greta_error *error)
{
	if (arguments->prompt) {
		char *copy = strdup(arguments->prompt);
		if (!copy)
			return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the prompt");
		*out_text = copy;
		*out_length = strlen(copy);
		return GRETA_OK;
	}
	const char *path = arguments->prompt_file ? arguments->prompt_file : "-", *name = greta_read_file_name(path);
	if (name != path && isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
		fputs("the prompt, please; end it with Ctrl-D:\n", stderr);
	char *text;
	size_t length;
	enum greta_status status = greta_read_file(path, GRETA_READ_FILE_MOST, &text, &length, error);
	if (status != GRETA_OK)
		return status;
	if (length == GRETA_READ_FILE_MOST) { /* greta_encode takes no more, either */
		free(text);
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "the prompt from %s has 2 GiB or more", name);
	}
	*out_text = text;
	*out_length = length && text[length - 1] == '\n' ? length - 1 : length;
	return GRETA_OK;
}

/* ---- The text ---- */

static bool put(struct run *run, const char *text, size_t length)
{
	if (run->arguments->json || !length)
		return true;
	run->no_output = fwrite(text, 1, length, stdout) != length || fflush(stdout) != 0;
	return !run->no_output;
}

static bool keep_token(struct run *run, int32_t token)
{
	struct greta_exec_result *result = &run->result;
	if (token < 0)
		return true;
	if (result->token_count == run->token_room) {
		size_t room = run->token_room ? 2 * run->token_room : 256;
		int32_t *larger = realloc(result->tokens, room * sizeof(*larger));
		if (!larger)
			return false;
		result->tokens = larger;
		run->token_room = room;
	}
	result->tokens[result->token_count++] = token;
	return true;
}

static bool keep_text(struct run *run, const char *text, size_t length)
{
	struct greta_exec_result *result = &run->result;
	if (!length)
		return true;
	if (result->text_length + length > run->text_room) {
		size_t room = 2 * (result->text_length + length);
		char *larger = realloc(result->text, room);
		if (!larger)
			return false;
		result->text = larger;
		run->text_room = room;
	}
	memcpy(result->text + result->text_length, text, length);
	result->text_length += length;
	return true;
}

static bool on_token(void *user, int32_t token, const char *text, size_t length)
{
	struct run *run = user;
	if (!keep_token(run, token) || !keep_text(run, text, length)) {
		run->no_memory = true;
		return false;
	}
	return put(run, text, length) && !interrupted;
}

static enum greta_status add_logits(struct run *run, struct greta_error *error)
{
	const float *logits;
	enum greta_status status = greta_logits(run->greta, &logits, error);
	if (status == GRETA_OK)
		greta_logits_hash_add(run->hash, logits, greta_get_info(run->greta)->vocab);
	return status;
}

/* With the hash the logits of every position are wanted, so tokens come one by one. */
static enum greta_status generate(struct run *run, size_t limit, unsigned flags, enum greta_stop *out_stop,
				  struct greta_error *error)
{
	enum greta_stop stop = GRETA_STOP_LIMIT;
	if (!run->hash)
		return greta_generate(run->greta, limit, flags, on_token, run, out_stop, NULL, error);
	enum greta_status status = add_logits(run, error);
	for (size_t i = 0; i < limit && status == GRETA_OK && stop == GRETA_STOP_LIMIT; i++) {
		unsigned hold = i + 1 < limit ? GRETA_HOLD_TEXT : 0;
		status = greta_generate(run->greta, 1, flags | hold, on_token, run, &stop, NULL, error);
		if (status == GRETA_OK)
			status = add_logits(run, error);
	}
	*out_stop = stop;
	return status;
}

/* How many tokens to ask for: an explicit wish is the library's to refuse, the default gives way to the context. */
static size_t choose_limit(const struct run *run, bool *out_cut)
{
	size_t room = greta_get_info(run->greta)->context - greta_length(run->greta);
	*out_cut = !run->arguments->limit_given && run->arguments->limit > room;
	return *out_cut ? room : run->arguments->limit;
}

static enum greta_status check_room(const struct run *run, size_t prompt_tokens, struct greta_error *error)
{
	const struct greta_info *info = greta_get_info(run->greta);
	size_t context = info->context;
	bool larger = context < info->context_train; /* could be had */
	size_t wanted = run->arguments->limit_given ? run->arguments->limit : 0;
	if (prompt_tokens <= context && wanted <= context - prompt_tokens)
		return GRETA_OK;
	if (prompt_tokens > context || !wanted)
		return greta_fail(error, GRETA_ERROR_CONTEXT,
				  "the %zu token%s of the prompt do not fit into the context of %zu%s: shorten it%s", prompt_tokens,
				  prompt_tokens == 1 ? "" : "s", context, larger ? "" : ", which is all that the model has",
				  larger ? ", or ask for a larger context with --ctx" : "");
	return greta_fail(error, GRETA_ERROR_CONTEXT,
	                  "%zu token%s of prompt and %zu to generate do not fit into the context of %zu%s: "
	                  "ask for fewer with -n%s",
	                  prompt_tokens, prompt_tokens == 1 ? "" : "s", wanted, context,
	                  larger ? "" : ", which is all that the model has",
	                  larger ? ", or for a larger context with --ctx" : "");
}

static enum greta_status run_text(struct run *run, const char *text, size_t length, struct greta_error *error)
{
	static const char *const stops[] = {"limit", "end", "interrupted"};
	const struct greta_exec_arguments *arguments = run->arguments;
	int32_t *tokens = NULL;
	bool cut = false;
	enum greta_stop stop = GRETA_STOP_LIMIT;
	enum greta_status status = greta_set_sampling(run->greta, &arguments->sampling, error);
	if (status == GRETA_OK)
		status = greta_encode(run->greta, text, length, true, arguments->special, &tokens,
		                      &run->result.prompt_count, error);
	if (status != GRETA_OK)
		return status;
	run->result.prompt_tokens = tokens;
	status = check_room(run, run->result.prompt_count, error);
	if (status == GRETA_OK)
		status = greta_feed(run->greta, tokens, run->result.prompt_count, error);
	if (status != GRETA_OK)
		return status;
	/* From here on Ctrl-C ends the text, not the program; a second one does. */
	struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
	sigaction(SIGINT, &action, NULL);
	if (arguments->echo)
		put(run, text, length);
	status = generate(run, choose_limit(run, &cut), arguments->ignore_end ? GRETA_IGNORE_END : 0, &stop, error);
	run->result.stop = cut && stop == GRETA_STOP_LIMIT ? "context" : stops[stop];
	if (status == GRETA_OK && run->no_memory)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the text");
	if (status == GRETA_OK && arguments->options.guard)
		status = greta_check(run->greta, error);
	return status;
}

/* ---- Around it ---- */

static enum greta_status finish_output(struct run *run, struct greta_error *error)
{
	const struct greta_exec_arguments *arguments = run->arguments;
	const struct greta_exec_result *result = &run->result;
	if (run->hash) {
		greta_logits_hash_text(run->hash, run->hash_text);
		run->result.hash = run->hash_text;
	}
	if (arguments->json)
		run->no_output = !greta_exec_print_json(run->greta, arguments, result);
	else if (!result->text_length || result->text[result->text_length - 1] != '\n')
		put(run, "\n", 1);
	if (run->no_output)
		return greta_fail(error, GRETA_ERROR_IO, "cannot write the text: %s", strerror(errno));
	if (arguments->stats)
		greta_exec_print_stats(run->greta, arguments, result);
	if (run->hash)
		fprintf(stderr, "logits %s\n", run->hash_text);
	return GRETA_OK;
}

static enum greta_status exec(const struct greta_exec_arguments *arguments, struct greta_error *error)
{
	struct run run = {.arguments = arguments};
	char *text = NULL;
	size_t length = 0;
	enum greta_status status = read_prompt(arguments, &text, &length, error);
	if (status == GRETA_OK && arguments->hash)
		status = greta_logits_hash_create(&run.hash, error);
	if (status == GRETA_OK)
		status = greta_open(arguments->path, &arguments->options, &run.greta, error);
	if (status == GRETA_OK && arguments->trace)
		status = greta_exec_trace_begin(run.greta, arguments->trace, &run.trace, error);
	if (status == GRETA_OK)
		status = run_text(&run, text, length, error);
	if (status == GRETA_OK)
		status = finish_output(&run, error);
	else if (run.result.text_length)
		put(&run, "\n", 1); /* what came before the error ends as a line */
	if (status == GRETA_OK && arguments->trace)
		status = greta_exec_trace_write(run.trace, error);
	greta_exec_trace_end(run.trace);
	greta_close(run.greta);
	greta_logits_hash_destroy(run.hash);
	free(run.result.prompt_tokens);
	free(run.result.tokens);
	free(run.result.text);
	free(text);
	return status;
}

static void warn(void *user, const char *message)
{
	(void)user;
	greta_command_warn("greta-exec", message);
}

int main(int argc, char **argv)
{
	struct greta_exec_arguments arguments;
	struct greta_error error;
	int code = greta_exec_arguments_read(argc, argv, &arguments);
	if (code >= 0)
		return code;
	arguments.options.warn = warn;
	if (isatty(STDERR_FILENO))
		arguments.options.progress = greta_terminal_progress;
	if (arguments.draws_seed && !arguments.stats && isatty(STDERR_FILENO))
		fprintf(stderr, "seed %" PRIu64 "\n", arguments.sampling.seed);
	if (arguments.hash)
		arguments.options.lookahead = 1;
	if (exec(&arguments, &error) != GRETA_OK)
		return greta_command_failed("greta-exec", &error);
	return interrupted ? EXIT_INTERRUPTED : EXIT_SUCCESS;
}
