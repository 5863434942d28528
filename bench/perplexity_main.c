/* greta-perplexity: how well a model predicts a text, in every form of the numbers asked for, and beside the fp64 oracle. */
#include "bench/perplexity.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/oracle/model.h"
#include "models/tokenizer.h"
#include "runtime/greta.h"

static const char help[] =
	"greta-perplexity MODEL -f FILE [options]: perplexity of a text, as llama-perplexity measures it\n"
	"\n"
	"  -f, --file FILE           the text; one newline at its end is dropped\n"
	"  -c, --ctx N               tokens of a piece; the second half of each is scored (default: 512)\n"
	"      --pieces N            only the first N pieces\n"
	"      --activations LIST    of x32, x24, x16, x8 (default: x32)\n"
	"      --kv LIST             of f16, f32 (default: f16)\n"
	"      --oracle              the model in fp64, too, and how far each form is from it\n"
	"  -t, --threads N           threads of the cpu provider (default: all processors)\n"
	"      --kernels FORM        auto (default), amx, avx512, avx2, portable, ref\n"
	"  -h, --help                this text\n"
	"      --version             the version\n";

struct arguments {
	const char *model, *file, *kernels;
	size_t piece, pieces;
	unsigned activations[8], kv[8]; /* as in struct greta_options, up to the first 0 */
	unsigned threads;
	bool oracle;
};

static bool fail(const char *format, const char *what)
{
	fprintf(stderr, "greta-perplexity: ");
	fprintf(stderr, format, what);
	fputc('\n', stderr);
	return false;
}

static bool number(const char *text, size_t min, size_t max, size_t *out)
{
	char *end;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || n < min || n > max)
		return fail("%s is not a number in range", text);
	*out = (size_t)n;
	return true;
}

struct word {
	const char *text;
	unsigned value;
};

static const struct word ACTIVATIONS[] = {{"x32", 4}, {"x24", 3}, {"x16", 2}, {"x8", 1}, {NULL, 0}};
static const struct word KV[] = {{"f16", GRETA_OPEN_KV_F16}, {"f32", GRETA_OPEN_KV_F32}, {NULL, 0}};

static const char *word_of(const struct word *words, unsigned value)
{
	while (words->value != value)
		words++;
	return words->text;
}

/* Words separated by commas, at most 7, into values up to a 0. */
static bool list(const char *text, const struct word *words, unsigned values[8])
{
	for (size_t n = 0; n < 7; n++) {
		size_t length = strcspn(text, ",");
		const struct word *w = words;
		while (w->text && (strlen(w->text) != length || memcmp(w->text, text, length) != 0))
			w++;
		if (!w->text)
			return fail("%s: not one of the words that --help lists", text);
		values[n] = w->value;
		values[n + 1] = 0;
		text += length;
		if (!*text++)
			return true;
	}
	return fail("%s: too many words", text);
}

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
	enum { OPT_PIECES = 256, OPT_ACTIVATIONS, OPT_KV, OPT_ORACLE, OPT_KERNELS, OPT_VERSION };
	static const struct option options[] = {
		{"file", required_argument, NULL, 'f'},   {"ctx", required_argument, NULL, 'c'},
		{"pieces", required_argument, NULL, OPT_PIECES}, {"activations", required_argument, NULL, OPT_ACTIVATIONS},
		{"kv", required_argument, NULL, OPT_KV},  {"oracle", no_argument, NULL, OPT_ORACLE},
		{"threads", required_argument, NULL, 't'}, {"kernels", required_argument, NULL, OPT_KERNELS},
		{"help", no_argument, NULL, 'h'},         {"version", no_argument, NULL, OPT_VERSION},
		{NULL, 0, NULL, 0},
	};
	*a = (struct arguments){.piece = 512, .pieces = SIZE_MAX, .activations = {4}, .kv = {GRETA_OPEN_KV_F16}};
	size_t threads;
	for (int c; (c = getopt_long(argc, argv, "f:c:t:h", options, NULL)) != -1;) {
		bool good = true;
		switch (c) {
		case 'f': a->file = optarg; break;
		case 'c': good = number(optarg, 4, 1 << 20, &a->piece); break;
		case OPT_PIECES: good = number(optarg, 1, SIZE_MAX, &a->pieces); break;
		case OPT_ACTIVATIONS: good = list(optarg, ACTIVATIONS, a->activations); break;
		case OPT_KV: good = list(optarg, KV, a->kv); break;
		case OPT_ORACLE: a->oracle = true; break;
		case 't':
			good = number(optarg, 1, 4096, &threads);
			a->threads = good ? (unsigned)threads : 0;
			break;
		case OPT_KERNELS: a->kernels = optarg; break;
		case 'h':
			fputs(help, stdout);
			exit(0);
		case OPT_VERSION:
			puts("greta-perplexity " GRETA_VERSION);
			exit(0);
		default: good = false;
		}
		if (!good)
			return false;
	}
	if (optind + 1 != argc || !a->file)
		return fail("%s", "one MODEL and -f FILE are needed; --help says more");
	a->model = argv[optind];
	return true;
}

static enum greta_status read_file(const char *path, char **out_text, size_t *out_length, struct greta_error *error)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	size_t length = 0, room = 0, got;
	if (!file)
		return greta_fail(error, GRETA_ERROR_IO, "cannot open %s: %s", path, strerror(errno));
	do {
		if (room - length < 65536) {
			char *larger = realloc(text, room += 1 << 20);
			if (!larger) {
				free(text);
				fclose(file);
				return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the text of %s", path);
			}
			text = larger;
		}
		got = fread(text + length, 1, room - length, file);
		length += got;
	} while (got);
	if (ferror(file)) {
		free(text);
		fclose(file);
		return greta_fail(error, GRETA_ERROR_IO, "cannot read %s: %s", path, strerror(errno));
	}
	fclose(file);
	*out_text = text;
	*out_length = length && text[length - 1] == '\n' ? length - 1 : length;
	return GRETA_OK;
}

/* The caller frees *out_tokens, also on failure. */
static enum greta_status read_text(const struct arguments *a, const struct greta_gguf *gguf, int32_t **out_tokens,
				   struct greta_perplexity_text *out_text, struct greta_error *error)
{
	struct greta_tokenizer *tokenizer;
	char *text = NULL;
	size_t length = 0, count = 0;
	enum greta_status status = read_file(a->file, &text, &length, error);
	if (status)
		return status;
	status = greta_tokenizer_create(gguf, &tokenizer, error);
	if (!status) {
		status = greta_tokenizer_encode(tokenizer, text, length, GRETA_ENCODE_ADD_SPECIAL, out_tokens, &count, error);
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
				  "%s has %zu tokens, a piece takes %zu: use a longer text or a smaller -c", a->file, count,
				  a->piece);
	printf("%s, %s: %zu tokens, %zu pieces of %zu, %zu tokens scored\n\n", a->model, a->file, count, out_text->pieces,
	       out_text->piece, greta_perplexity_count(out_text));
	return GRETA_OK;
}

/* One line of the table; `exact`, or NULL, is what the oracle gave. */
static void print_form(const char *activations, const char *kv, const double *scores, const double *exact, size_t count)
{
	struct greta_perplexity p = greta_perplexity_of(scores, count);
	printf("| %s | %s | %.5f | %.5f |", activations, kv, p.value, p.error);
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

static enum greta_status run_oracle(const struct greta_gguf *gguf, const struct greta_perplexity_text *text, double *scores,
				    struct greta_error *error)
{
	struct greta_llama llama;
	struct greta_oracle *oracle = NULL;
	enum greta_status status = greta_llama_init(&llama, gguf, error);
	if (status)
		return status;
	status = greta_oracle_create(&llama, text->piece, &oracle, error);
	if (!status)
		status = greta_perplexity_score(text, greta_score_oracle, oracle, scores, error);
	greta_oracle_destroy(oracle);
	greta_llama_finish(&llama);
	return status;
}

static enum greta_status run_form(const struct arguments *a, unsigned activations, unsigned kv,
				  const struct greta_perplexity_text *text, double *scores, struct greta_error *error)
{
	struct greta *greta;
	struct greta_options options = {.kernels = a->kernels, .threads = a->threads, .context = (unsigned)a->piece,
					.activations = activations, .kv = kv, .no_cache = true};
	enum greta_status status = greta_open(a->model, &options, &greta, error);
	if (status)
		return status;
	status = greta_perplexity_score(text, greta_score_session, greta, scores, error);
	greta_close(greta);
	return status;
}

static enum greta_status run_all(const struct arguments *a, const struct greta_gguf *gguf,
				 const struct greta_perplexity_text *text, double *scores, double *exact,
				 struct greta_error *error)
{
	size_t count = greta_perplexity_count(text);
	enum greta_status status = a->oracle ? run_oracle(gguf, text, exact, error) : GRETA_OK;
	printf("| activations | kv | perplexity | +/- |%s\n|---|---|---|---|%s\n",
	       a->oracle ? " ln p against fp64: largest | root mean square |" : "", a->oracle ? "---|---|" : "");
	for (size_t v = 0; a->kv[v] && !status; v++)
		for (size_t d = 0; a->activations[d] && !status; d++) {
			status = run_form(a, a->activations[d], a->kv[v], text, scores, error);
			if (!status)
				print_form(word_of(ACTIVATIONS, a->activations[d]), word_of(KV, a->kv[v]), scores,
					   a->oracle ? exact : NULL, count);
		}
	if (a->oracle && !status)
		print_form("fp64", "fp64", exact, exact, count);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments a;
	struct greta_error error;
	struct greta_gguf *gguf;
	struct greta_perplexity_text text;
	int32_t *tokens = NULL;
	if (!read_arguments(argc, argv, &a))
		return 2;
	enum greta_status status = greta_gguf_open(a.model, &gguf, &error);
	if (!status) {
		status = read_text(&a, gguf, &tokens, &text, &error);
		if (!status) {
			size_t count = greta_perplexity_count(&text);
			double *scores = calloc(count, 2 * sizeof(*scores));
			status = scores ? run_all(&a, gguf, &text, scores, scores + count, &error)
					: greta_fail(&error, GRETA_ERROR_MEMORY, "no memory for %zu scores", count);
			free(scores);
		}
		free(tokens);
		greta_gguf_close(gguf);
	}
	if (!status && (ferror(stdout) || fflush(stdout) != 0))
		status = greta_fail(&error, GRETA_ERROR_IO, "cannot write the table: %s", strerror(errno));
	if (status)
		fprintf(stderr, "greta-perplexity: %s\n", error.message);
	return status ? 1 : 0;
}
