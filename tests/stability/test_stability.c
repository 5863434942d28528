/* What greta-stability is made of: the fp64 model's pieces, a setting's drift from them counted once more in the
 * plainest way, how much of a text is taken, and numbers that stop being finite. Arguments: the model, a text. */
#include "bench/stability/cut.h"
#include "bench/stability/drift.h"
#include "kernels/oracle/model.h"
#include "models/tokenizer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PIECE  26
#define PIECES 3
#define TOP    5

static const char *model_path, *text_path;

struct fixture {
	struct greta_gguf *gguf;
	struct greta_llama llama;
	struct greta_stability_cut cut;
	struct greta_stability_truth *truth;
};

static void must(enum greta_status status, const struct greta_error *error)
{
	if (status != GRETA_OK)
		fail_msg("%s", error->message);
}

static void open_model(struct fixture *f, const char *path)
{
	struct greta_error error;
	*f = (struct fixture){0};
	must(greta_gguf_open(path, &f->gguf, &error), &error);
	must(greta_llama_init(&f->llama, f->gguf, &error), &error);
}

static void open_with(struct fixture *f, const char *path, unsigned threads)
{
	struct greta_error error;
	open_model(f, path);
	must(greta_stability_cut(path, f->gguf, &f->llama, text_path, PIECE, PIECES, GRETA_STABILITY_MINUTE, &f->cut,
				 &error),
	     &error);
	must(greta_stability_truth_create(&f->llama, &f->cut.text, threads, NULL, NULL, &f->truth, &error), &error);
}

static void close_all(struct fixture *f)
{
	greta_stability_truth_destroy(f->truth);
	free(f->cut.tokens);
	greta_llama_finish(&f->llama);
	greta_gguf_close(f->gguf);
}

static const double *truth_row(const struct greta_stability_truth *truth, size_t piece, size_t position)
{
	uint32_t cols;
	return greta_parity_trace_at(&truth->logits[piece], greta_parity_place(0, GRETA_POINT_logits, GRETA_PLAN_NONE),
				     position, &cols);
}

static struct greta_options options(unsigned activations, enum greta_choice_kv kv)
{
	return (struct greta_options){.provider = "cpu", .no_cache = true, .context = PIECE, .activations = activations,
				      .kv = kv, .threads = 2};
}

static void the_truth_is_the_oracle_whatever_the_threads(void **state)
{
	struct fixture one, many;
	struct greta_oracle *oracle;
	struct greta_error error;
	int32_t tokens[PIECE];
	double scores[PIECES * PIECE];
	(void)state;
	open_with(&one, model_path, 1);
	open_with(&many, model_path, 8);
	size_t vocab = one.llama.n_vocab, count = greta_perplexity_count(&one.cut.text);
	double *logits = calloc(PIECE * vocab, sizeof(*logits));
	must(greta_oracle_create(&one.llama, PIECE, &oracle, &error), &error);
	for (size_t p = 0; p < PIECES; p++) {
		greta_stability_piece(&one.cut.text, p, tokens);
		assert_int_equal(tokens[0], 1);
		assert_memory_equal(tokens + 1, one.cut.tokens + p * PIECE + 1, sizeof(tokens) - sizeof(tokens[0]));
		greta_oracle_truncate(oracle, 0);
		must(greta_oracle_feed(oracle, tokens, PIECE, PIECE, logits, &error), &error);
		for (size_t i = 0; i < PIECE; i++) {
			assert_memory_equal(truth_row(one.truth, p, i), logits + i * vocab, vocab * sizeof(double));
			assert_memory_equal(truth_row(many.truth, p, i), logits + i * vocab, vocab * sizeof(double));
		}
	}
	must(greta_perplexity_score(&one.cut.text, greta_score_oracle, oracle, scores, NULL, &error), &error);
	assert_memory_equal(one.truth->scores, scores, count * sizeof(double));
	assert_memory_equal(many.truth->scores, scores, count * sizeof(double));
	greta_oracle_destroy(oracle);
	free(logits);
	close_all(&one);
	close_all(&many);
}

/* A position's figures, without the code under test. */
struct plain {
	double max_error, sum_error, divergence;
	bool top1;
};

static struct plain compare_plainly(const double *exact, const float *given, size_t n)
{
	struct plain plain = {0};
	double sum_exact = 0, sum_given = 0;
	size_t best_exact = 0, best_given = 0;
	for (size_t i = 0; i < n; i++) {
		double e = fabs((double)given[i] - exact[i]);
		plain.max_error = e > plain.max_error ? e : plain.max_error;
		plain.sum_error += e;
		sum_exact += exp(exact[i]);
		sum_given += exp((double)given[i]);
		best_exact = exact[i] > exact[best_exact] ? i : best_exact;
		best_given = given[i] > given[best_given] ? i : best_given;
	}
	for (size_t i = 0; i < n; i++) {
		double p = exp(exact[i]) / sum_exact;
		plain.divergence += p * log(p / (exp((double)given[i]) / sum_given));
	}
	plain.top1 = best_exact == best_given;
	return plain;
}

static void check_bucket(const struct greta_stability_bucket *bucket, const struct fixture *f, struct greta *greta)
{
	int32_t tokens[PIECE];
	struct plain sum = {0};
	struct greta_error error;
	size_t top1 = 0, vocab = f->llama.n_vocab;
	for (size_t p = 0; p < PIECES; p++) {
		greta_stability_piece(&f->cut.text, p, tokens);
		for (size_t i = bucket->first; i < bucket->first + bucket->count; i++) {
			const float *logits;
			must(greta_truncate(greta, 0, &error), &error);
			must(greta_feed(greta, tokens, i + 1, &error), &error); /* as a prompt: the same bits */
			must(greta_logits(greta, &logits, &error), &error);
			struct plain at = compare_plainly(truth_row(f->truth, p, i), logits, vocab);
			sum.max_error = at.max_error > sum.max_error ? at.max_error : sum.max_error;
			sum.sum_error += at.sum_error;
			sum.divergence += at.divergence;
			top1 += at.top1;
		}
	}
	assert_int_equal(bucket->errors.rows, PIECES * bucket->count);
	assert_int_equal(bucket->errors.values, PIECES * bucket->count * vocab);
	assert_int_equal(bucket->logits.top1, top1);
	assert_true(bucket->errors.max_error == sum.max_error);
	assert_true(fabs(bucket->errors.sum_error - sum.sum_error) <= 1e-9 * sum.sum_error);
	assert_true(fabs(bucket->logits.sum_divergence - sum.divergence) <= 1e-6 * sum.divergence);
}

static void a_setting_is_as_far_away_as_a_plain_count_says(void **state)
{
	struct fixture f;
	struct greta_options coarse = options(1, GRETA_OPEN_KV_F16);
	struct greta_stability_drift *drift;
	struct greta *greta;
	struct greta_error error;
	double scores[PIECES * PIECE];
	(void)state;
	open_with(&f, model_path, 2);
	must(greta_stability_drift_create(model_path, &coarse, &f.cut.text, f.truth, 4, TOP, NULL, NULL, &drift, &error),
	     &error);
	must(greta_open(model_path, &coarse, &greta, &error), &error);
	size_t next = 0;
	assert_true(drift->finite);
	for (size_t b = 0; b < drift->count; b++) {
		assert_int_equal(drift->buckets[b].first, next);
		next += drift->buckets[b].count;
		check_bucket(&drift->buckets[b], &f, greta);
		assert_int_equal(drift->buckets[b].scored, PIECES * (drift->buckets[b].count - (b == 3)));
	}
	assert_int_equal(next, PIECE);
	must(greta_perplexity_score(&f.cut.text, greta_score_session, greta, scores, NULL, &error), &error);
	struct greta_perplexity wanted = greta_perplexity_of(scores, greta_perplexity_count(&f.cut.text));
	assert_true(drift->perplexity.value == wanted.value && drift->perplexity.error == wanted.error);
	greta_close(greta);
	greta_stability_drift_destroy(drift);
	close_all(&f);
}

static void finer_activations_and_a_finer_cache_are_nearer(void **state)
{
	struct fixture f;
	struct greta_error error;
	double mean[GRETA_STABILITY_SETTINGS];
	(void)state;
	open_with(&f, model_path, 2);
	for (size_t i = 0; i < GRETA_STABILITY_SETTINGS; i++) {
		struct greta_stability_drift *drift;
		struct greta_options o = options(0, GRETA_OPEN_KV_DEFAULT);
		greta_stability_setting(i, &o.activations, &o.kv);
		must(greta_stability_drift_create(model_path, &o, &f.cut.text, f.truth, 1, TOP, NULL, NULL, &drift, &error), &error);
		struct greta_stability_bucket whole = greta_stability_drift_whole(drift);
		assert_memory_equal(&whole.logits, &drift->buckets[0].logits, sizeof(whole.logits));
		mean[i] = whole.errors.sum_error / (double)whole.errors.values;
		assert_true(whole.sum != 0 && fabs(whole.sum - whole.sum_exact) < 0.01 * fabs(whole.sum_exact));
		greta_stability_drift_destroy(drift);
	}
	for (size_t i = 0; i + 2 < GRETA_STABILITY_SETTINGS; i += 2)
		assert_true(mean[i] < mean[i + 2]);     /* x32 < x24 < x16 < x8 with an F32 cache */
	assert_true(100 * mean[0] < mean[1]);           /* F16 costs more than x32 ever does */
	assert_true(10 * mean[1] < mean[7]);
	close_all(&f);
}

static void cut_is(size_t context, size_t pieces, double minute, size_t want_piece, size_t want_pieces, const char *why)
{
	struct fixture f;
	struct greta_error error;
	open_model(&f, model_path);
	must(greta_stability_cut(model_path, f.gguf, &f.llama, text_path, context, pieces, minute, &f.cut, &error),
	     &error);
	assert_int_equal(f.cut.text.piece, want_piece);
	assert_int_equal(f.cut.text.pieces, want_pieces);
	if (why)
		assert_non_null(strstr(f.cut.reason, why));
	else
		assert_string_equal(f.cut.reason, "");
	close_all(&f);
}

static void a_text_is_cut_to_the_context_and_to_a_minute(void **state)
{
	struct fixture f;
	(void)state;
	open_model(&f, model_path);
	double cost = greta_stability_token_cost(&f.llama);
	assert_int_equal(cost, 7344384 - 2048 * 256 - 17 * 256); /* all parameters but token_embd and the norms */
	close_all(&f);
	cut_is(0, 0, 1e15, 1024, 17, NULL);
	cut_is(0, 0, GRETA_STABILITY_MINUTE, 1024, 17, NULL);
	cut_is(0, 0, 5.5 * 1024 * cost, 1024, 5, "its first 5120 tokens");
	cut_is(0, 3, 1024 * cost, 1024, 3, NULL);
	cut_is(0, 0, 500.5 * cost, 500, 1, "to 500 of 1024 tokens");
	cut_is(512, 0, 700 * cost, 512, 1, "its first 512 tokens");
	cut_is(512, 35, 1, 512, 35, NULL);
	cut_is(1000, 0, 1e15, 1000, 17, NULL);
}

/* A copy of the model in which a token's embedding is NaN: its row is one block, whose scale comes first. */
static void write_broken(const struct fixture *f, int32_t token, const char *path)
{
	const struct greta_gguf_tensor *table = f->llama.token_embd;
	const uint8_t *row = (const uint8_t *)table->data + (size_t)token * table->type->block_bytes;
	assert_int_equal(f->llama.n_embd, table->type->block_values);
	FILE *file = fopen(model_path, "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size_t size = (size_t)ftell(file);
	uint8_t *bytes = malloc(size);
	rewind(file);
	assert_int_equal(fread(bytes, 1, size, file), size);
	fclose(file);
	uint8_t *at = memmem(bytes, size, row, table->type->block_bytes);
	assert_non_null(at);
	memcpy(at, (const uint8_t[]){0x00, 0x7e}, 2);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	free(bytes);
}

static void numbers_that_stop_being_finite_are_a_result(void **state)
{
	struct fixture f, broken;
	char path[] = "/tmp/test-stability-XXXXXX";
	struct greta_options o = options(4, GRETA_OPEN_KV_F32);
	struct greta_stability_drift *drift;
	struct greta_error error;
	size_t first = PIECE + 1;
	(void)state;
	close(mkstemp(path));
	open_with(&f, model_path, 1);
	int32_t token = f.cut.tokens[PIECE + 20]; /* in the second piece, and nowhere earlier */
	for (size_t i = PIECE + 19; i > 0; i--)
		if (f.cut.tokens[i] == token)
			first = i;
	first = first == PIECE + 1 ? PIECE + 20 : first;
	write_broken(&f, token, path);
	close_all(&f);
	open_with(&broken, path, 1);
	must(greta_stability_drift_create(path, &o, &broken.cut.text, broken.truth, 2, TOP, NULL, NULL, &drift, &error),
	     &error);
	assert_false(drift->finite);
	assert_int_equal(drift->piece, first / PIECE);
	assert_int_equal(drift->position, first % PIECE);
	struct greta_stability_bucket whole = greta_stability_drift_whole(drift);
	assert_int_equal(whole.errors.rows, first);
	assert_int_equal(whole.errors.not_finite[1], 0);
	greta_stability_drift_destroy(drift);
	close_all(&broken);
	unlink(path);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_truth_is_the_oracle_whatever_the_threads),
		cmocka_unit_test(a_setting_is_as_far_away_as_a_plain_count_says),
		cmocka_unit_test(finer_activations_and_a_finer_cache_are_nearer),
		cmocka_unit_test(a_text_is_cut_to_the_context_and_to_a_minute),
		cmocka_unit_test(numbers_that_stop_being_finite_are_a_result),
	};
	if (argc != 3)
		return 2;
	model_path = argv[1];
	text_path = argv[2];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
