/* greta-stability: how far the settings of the numbers are from the fp64 model, by position,
 * and what that does to a text. */
#include "bench/stability/arguments.h"
#include "bench/stability/cut.h"
#include "bench/stability/document.h"
#include "bench/stability/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/page_frame.h"
#include "bench/want_model.h"
#include "models/command_line.h"
#include "models/terminal.h"

struct run {
	struct greta_stability_arguments arguments;
	struct greta_stability_cut cut;
	struct greta_stability_truth *truth;
	struct greta_stability_drift *drifts[GRETA_STABILITY_SETTINGS];
	uint32_t context_train;
};

static void progress(void *user, const char *what, size_t done, size_t total)
{
	(void)user;
	if (done < total)
		greta_terminal_line("%s: %zu of %zu tokens", what, done, total);
	else
		greta_terminal_line("%s", "");
}

static unsigned processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 && n <= 4096 ? (unsigned)n : 1;
}

/* What would fail at the end, asked at the beginning. */
static enum greta_status check_outputs(const struct greta_stability_arguments *a, struct greta_error *error)
{
	const char *const paths[] = {a->markdown, a->html, a->json};
	enum greta_status status = GRETA_OK;
	for (size_t i = 0; i < 3 && status == GRETA_OK; i++)
		if (paths[i])
			status = bench_report_check(paths[i], error);
	return status;
}

static struct greta_options options_of(const struct run *r, size_t setting)
{
	const struct greta_stability_arguments *a = &r->arguments;
	struct greta_options options = {.provider = a->provider, .kernels = a->kernels, .threads = a->threads,
					.no_cache = true, .context = (unsigned)r->cut.text.piece,
					.progress = greta_terminal_progress};
	greta_stability_setting(setting, &options.activations, &options.kv);
	return options;
}

static enum greta_status run_truth(struct run *r, const struct greta_gguf *gguf, struct greta_error *error)
{
	const struct greta_stability_arguments *a = &r->arguments;
	struct greta_options options;
	struct greta *greta;
	struct greta_llama llama;
	enum greta_status status = greta_llama_init(&llama, gguf, error);
	if (status != GRETA_OK)
		return status;
	r->context_train = llama.context_train;
	status = greta_stability_cut(a->model, gguf, &llama, a->file, a->context, a->pieces, GRETA_STABILITY_MINUTE,
				     &r->cut, error);
	if (status == GRETA_OK && a->buckets > r->cut.text.piece)
		status = greta_fail(error, GRETA_ERROR_ARGUMENT,
				    "%u ranges of positions in a piece of %zu tokens: ask for fewer with --buckets, or for a "
				    "longer piece with --ctx", a->buckets, r->cut.text.piece);
	if (status == GRETA_OK) { /* a provider that is not there is told before a minute has gone by */
		options = options_of(r, 0);
		status = greta_open(a->model, &options, &greta, error);
	}
	if (status == GRETA_OK) {
		greta_close(greta);
		unsigned threads = a->threads ? a->threads : processors();
		status = greta_stability_truth_create(&llama, &r->cut.text, threads, progress, NULL, &r->truth, error);
	}
	greta_llama_finish(&llama);
	return status;
}

static enum greta_status run_settings(struct run *r, struct greta_error *error)
{
	enum greta_status status = GRETA_OK;
	for (size_t i = 0; i < GRETA_STABILITY_SETTINGS && status == GRETA_OK; i++) {
		struct greta_options options = options_of(r, i);
		status = greta_stability_drift_create(r->arguments.model, &options, &r->cut.text, r->truth,
						      r->arguments.buckets, r->arguments.top_k, progress, NULL,
						      &r->drifts[i], error);
	}
	return status;
}

static json_t *document_of(const struct run *r)
{
	const struct greta_stability_subject subject = {
		.model = r->arguments.model, .model_name = r->drifts[0]->model_name, .text = r->cut.from,
		.device = r->drifts[0]->device, .kernels = r->drifts[0]->kernels,
		.tokens = r->cut.text.pieces * r->cut.text.piece, .context_train = r->context_train,
		.top_k = r->drifts[0]->buckets[0].logits.top_k, .cut = r->cut.reason[0] ? r->cut.reason : NULL,
		.exact = greta_perplexity_of(r->truth->scores, greta_perplexity_count(&r->cut.text)),
	};
	return greta_stability_document(&subject, &r->cut.text, r->drifts, GRETA_STABILITY_SETTINGS);
}

/* All that can be written is, so that what took minutes is not lost; what cannot is told one by one.
 * Returns the exit status. */
static int write_reports(const struct run *r)
{
	const struct {
		const char *path;
		bench_report_printer *print;
	} reports[] = {
		{r->arguments.markdown, greta_stability_markdown},
		{r->arguments.html, greta_stability_page},
		{r->arguments.json, greta_stability_json},
	};
	struct greta_error error;
	int code = 0;
	json_t *document = document_of(r);
	if (!document) {
		greta_fail(&error, GRETA_ERROR_MEMORY, "no memory for the report");
		return greta_command_failed("greta-stability", &error);
	}
	if (!greta_stability_table(document, stdout) || fflush(stdout) != 0) {
		greta_fail(&error, GRETA_ERROR_IO, "cannot write the table: %s", strerror(errno));
		code = greta_command_failed("greta-stability", &error);
	}
	for (size_t i = 0; i < 3; i++)
		if (reports[i].path &&
		    bench_report_write(reports[i].path, reports[i].print, document, &error) != GRETA_OK)
			code = greta_command_failed("greta-stability", &error);
	json_decref(document);
	return code;
}

int main(int argc, char **argv)
{
	struct run r = {0};
	struct greta_gguf *gguf;
	struct greta_error error;
	bool finite = true;
	int code = greta_stability_arguments_read(argc, argv, &r.arguments);
	if (code >= 0)
		return code;
	enum greta_status status = bench_want_model(r.arguments.model, &error);
	if (status == GRETA_OK)
		status = check_outputs(&r.arguments, &error);
	if (status == GRETA_OK)
		status = greta_gguf_open(r.arguments.model, &gguf, &error);
	if (status == GRETA_OK) {
		status = run_truth(&r, gguf, &error);
		greta_gguf_close(gguf);
	}
	if (status == GRETA_OK)
		status = run_settings(&r, &error);
	if (status == GRETA_OK)
		code = write_reports(&r);
	for (size_t i = 0; i < GRETA_STABILITY_SETTINGS; i++) {
		finite = finite && (!r.drifts[i] || r.drifts[i]->finite);
		greta_stability_drift_destroy(r.drifts[i]);
	}
	greta_stability_truth_destroy(r.truth);
	free(r.cut.tokens);
	if (status == GRETA_OK)
		return code > 0 ? code : finite ? 0 : 1;
	return greta_command_failed("greta-stability", &error);
}
