/* greta-perplexity: how well a model predicts a text, in every form of the numbers asked for,
 * and beside the fp64 oracle. */
#include "bench/perplexity.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/want_model.h"
#include "kernels/oracle/model.h"
#include "models/command_line.h"
#include "models/read_file.h"
#include "models/terminal.h"
#include "models/tokenizer.h"
#include "runtime/session.h"

static const char help[] =
	"greta-perplexity MODEL -f FILE [options]: perplexity of a text, as llama-perplexity measures it\n"
	"\n"
	"  -f, --file FILE           the text (-: stdin); one newline at its end is dropped\n"
	"  -c, --ctx N               tokens of a piece; the second half of each is scored (default: 512)\n"
	"      --pieces N            only the first N pieces\n"
	"      --activations LIST    of x32, x24, x16, x8 (default: x32)\n"
	"      --kv LIST             of f16, f32 (default: f16)\n"
	"      --oracle              the model in fp64, too, and how far each form is from it\n"
	"  -t, --threads N           threads of the cpu provider (default: all processors)\n"
	"      --provider NAME       auto (default): a GPU that this build has kernels for, else the cpu; amd, nvidia, cpu\n"
	"      --kernels FORM        auto (default), amx, avx512, avx2, portable, ref\n"
	"  -h, --help                this text\n"
	"      --version             the version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 the command line is wrong.\n";

struct arguments {
	const char *model, *file, *provider, *kernels;
	unsigned piece, pieces;
	unsigned activations[8], kv[8]; /* as in struct greta_options, up to the first 0 */
	unsigned threads;
	bool oracle;
};

static const struct greta_word KV[] = {{"f16", GRETA_OPEN_KV_F16}, {"f32", GRETA_OPEN_KV_F32}, {0}};

/* Returns -1, or the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *a)
{
	const struct greta_option table[] = {
		{'f', "file", .text = &a->file},
		{'c', "ctx", .number = &a->piece, .least = 4, .most = 1 << 20},
		{0, "pieces", .number = &a->pieces, .least = 1},
		{0, "activations", .list = a->activations, .room = 7, .words = GRETA_ACTIVATION_WORDS},
		{0, "kv", .list = a->kv, .room = 7, .words = KV},
		{0, "oracle", .flag = &a->oracle},
		{'t', "threads", .number = &a->threads, .least = 1, .most = 1024},
		{0, "provider", .text = &a->provider},
		{0, "kernels", .text = &a->kernels},
		{0},
	};
	const struct greta_command_line line = {.tool = "greta-perplexity", .help = help, .version = GRETA_VERSION,
						.options = table, .operands = "one model", .least = 1, .most = 1};
	char **operands;
	int status = greta_command_line_read(&line, argc, argv, &operands);
	if (status >= 0)
		return status;
	a->model = operands[0];
	return a->file ? -1 : greta_command_line_wrong(&line, "which text? -f FILE is missing");
}

/* The caller frees *out_tokens, also on failure. */
static enum greta_status read_text(const struct arguments *a, const struct greta_gguf *gguf, int32_t **out_tokens,
				   size_t *out_count, struct greta_perplexity_text *out_text, struct greta_error *error)
{
	struct greta_tokenizer *tokenizer;
	char *text = NULL;
	size_t length = 0, count = 0;
	const char *name = greta_read_file_name(a->file);
	enum greta_status status = greta_read_file(a->file, GRETA_READ_FILE_MOST, &text, &length, error);
	if (status)
		return status;
	length -= length && text[length - 1] == '\n';
	status = greta_tokenizer_create(gguf, &tokenizer, error);
	if (!status) {
		status = greta_tokenizer_encode(tokenizer, text, length, GRETA_ENCODE_ADD_SPECIAL, out_tokens, &count,
						error);
		*out_text = (struct greta_perplexity_text){
			.piece = a->piece,
			.bos = greta_tokenizer_adds_bos(tokenizer) ? greta_tokenizer_bos(tokenizer) : GRETA_NO_TOKEN};
		greta_tokenizer_destroy(tokenizer);
	}
	free(text);
	if (status)
		return status;
	out_text->tokens = *out_tokens;
	out_text->pieces = count / a->piece < a->pieces ? count / a->piece : a->pieces;
	if (out_text->pieces < 1)
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
				  "%s has %zu token%s, a piece takes %u: use a longer text or a smaller -c", name, count,
				  count == 1 ? "" : "s", a->piece);
	*out_count = count;
	return GRETA_OK;
}

/* What the table is of, and its head. */
static void print_head(const struct arguments *a, const struct greta_perplexity_text *text, size_t count)
{
	printf("%s, %s: %zu token%s, %zu piece%s of %zu, %zu token%s scored\n\n", a->model,
	       greta_read_file_name(a->file), count, count == 1 ? "" : "s", text->pieces, text->pieces == 1 ? "" : "s",
	       text->piece, greta_perplexity_count(text), greta_perplexity_count(text) == 1 ? "" : "s");
	printf("| activations | kv | perplexity | +/- |%s\n|---|---|---|---|%s\n",
	       a->oracle ? " ln p against fp64: largest | root mean square |" : "", a->oracle ? "---|---|" : "");
}

/* One line of the table; `exact`, or NULL, is what the oracle gave. */
static void print_form(const char *activations, const char *kv, const double *scores, const double *exact, size_t count)
{
	struct greta_perplexity p = greta_perplexity_of(scores, count);
	printf("| %s | %s | %.5f |", activations, kv, p.value);
	printf(isnan(p.error) ? " - |" : " %.5f |", p.error);
	if (exact) {
		double largest = 0, squares = 0;
		for (size_t i = 0; i < count; i++) {
			double difference = fabs(scores[i] - exact[i]);
			largest = fmax(largest, difference);
			squares += difference * difference;
		}
		printf(" %.1e | %.1e |", largest, sqrt(squares / (double)count));
	}
	printf("\n");
	fflush(stdout);
}

static enum greta_status run_oracle(const struct greta_gguf *gguf, const struct greta_perplexity_text *text,
				    double *scores, struct greta_error *error)
{
	struct greta_llama llama;
	struct greta_oracle *oracle = NULL;
	struct greta_perplexity_watch watch = {.progress = greta_terminal_progress, .what = "fp64"};
	enum greta_status status = greta_llama_init(&llama, gguf, error);
	if (status)
		return status;
	status = greta_oracle_create(&llama, text->piece, &oracle, error);
	if (!status)
		status = greta_perplexity_score(text, greta_score_oracle, oracle, scores, &watch, error);
	greta_oracle_destroy(oracle);
	greta_llama_finish(&llama);
	return status;
}

static enum greta_status run_form(const struct arguments *a, unsigned activations, unsigned kv,
				  const struct greta_perplexity_text *text, double *scores, struct greta_error *error)
{
	struct greta *greta;
	char what[40];
	struct greta_perplexity_watch watch = {.progress = greta_terminal_progress, .what = what};
	struct greta_options options = {.provider = a->provider, .kernels = a->kernels, .threads = a->threads,
					.context = (unsigned)a->piece, .activations = activations, .kv = kv, .no_cache = true,
					.progress = greta_terminal_progress};
	enum greta_status status = greta_open(a->model, &options, &greta, error);
	if (status)
		return status;
	greta_session_set_progress(greta, NULL, NULL); /* it was for opening */
	snprintf(what, sizeof(what), "%s, KV %s", greta_word_of(GRETA_ACTIVATION_WORDS, activations),
		 greta_word_of(KV, kv));
	status = greta_perplexity_score(text, greta_score_session, greta, scores, &watch, error);
	greta_close(greta);
	return status;
}

static enum greta_status run_all(const struct arguments *a, const struct greta_gguf *gguf,
				 const struct greta_perplexity_text *text, size_t tokens, double *scores, double *exact,
				 struct greta_error *error)
{
	size_t count = greta_perplexity_count(text);
	enum greta_status status = a->oracle ? run_oracle(gguf, text, exact, error) : GRETA_OK;
	bool begun = false;
	for (size_t v = 0; a->kv[v] && !status; v++)
		for (size_t d = 0; a->activations[d] && !status; d++) {
			status = run_form(a, a->activations[d], a->kv[v], text, scores, error);
			if (!status && !begun)
				print_head(a, text, tokens);
			begun = true;
			if (!status)
				print_form(greta_word_of(GRETA_ACTIVATION_WORDS, a->activations[d]),
					   greta_word_of(KV, a->kv[v]), scores, a->oracle ? exact : NULL, count);
		}
	if (a->oracle && !status)
		print_form("fp64", "fp64", exact, exact, count);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments a = {.piece = 512, .pieces = UINT_MAX, .activations = {4}, .kv = {GRETA_OPEN_KV_F16}};
	struct greta_error error;
	struct greta_gguf *gguf;
	struct greta_perplexity_text text;
	int32_t *tokens = NULL;
	size_t all = 0;
	int code = read_arguments(argc, argv, &a);
	if (code >= 0)
		return code;
	enum greta_status status = bench_want_model(a.model, &error);
	if (!status)
		status = greta_gguf_open(a.model, &gguf, &error);
	if (!status) {
		status = read_text(&a, gguf, &tokens, &all, &text, &error);
		if (!status) {
			size_t count = greta_perplexity_count(&text);
			double *scores = calloc(count, 2 * sizeof(*scores));
			status = scores ? run_all(&a, gguf, &text, all, scores, scores + count, &error)
					: greta_fail(&error, GRETA_ERROR_MEMORY, "no memory for %zu scores", count);
			free(scores);
		}
		free(tokens);
		greta_gguf_close(gguf);
	}
	if (!status && (ferror(stdout) || fflush(stdout) != 0))
		status = greta_fail(&error, GRETA_ERROR_IO, "cannot write the table: %s", strerror(errno));
	return status ? greta_command_failed("greta-perplexity", &error) : 0;
}
