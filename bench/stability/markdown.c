#include "bench/document.h"
#include "bench/stability/report.h"

const char *greta_stability_setting_name(const json_t *setting, char out[32])
{
	snprintf(out, 32, "%.8s, %.8s", bench_text(setting, "activations"), bench_text(setting, "kv"));
	return out;
}

/* A number, or a dash where there is none. */
static void cell(FILE *out, const char *format, const json_t *row, const char *member, double factor)
{
	const json_t *value = json_object_get(row, member);
	fputc(' ', out);
	if (json_is_number(value))
		fprintf(out, format, factor * json_number_value(value));
	else
		fputs("-", out);
	fputs(" |", out);
}

static void print_subject(const json_t *d, FILE *out)
{
	fprintf(out, "# Stability of %s\n\n", bench_text(d, *bench_text(d, "model_name") ? "model_name" : "model"));
	fprintf(out, "- model: %s; text: %s\n", bench_text(d, "model"), bench_text(d, "text"));
	fprintf(out, "- %.0f piece%s of %.0f tokens, each a sequence of its own, fed token by token; the model's context has "
		"%.0f\n",
		bench_number(d, "pieces"), bench_number(d, "pieces") == 1 ? "" : "s", bench_number(d, "context"),
		bench_number(d, "context_train"));
	fprintf(out, "- computed by %s, %s; compared with the same model in fp64\n", bench_text(d, "device"),
		bench_text(d, "kernels"));
	if (*bench_text(d, "cut"))
		fprintf(out, "- cut: %s\n", bench_text(d, "cut"));
	fprintf(out, "- greta-stability %s\n", bench_text(d, "version"));
}

static void print_settings(const json_t *d, FILE *out)
{
	size_t i;
	json_t *s;
	fprintf(out,
		"\n| activations | KV | largest error of a logit | mean error | KL divergence, largest | mean | top-1 the same | "
		"top-%.0f shared | perplexity | from fp64 |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
		bench_number(d, "top_k"));
	json_array_foreach(json_object_get(d, "settings"), i, s) {
		const json_t *whole = json_object_get(s, "whole");
		fprintf(out, "| %s | %s |", bench_text(s, "activations"), bench_text(s, "kv"));
		cell(out, "%.1e", whole, "max_error", 1);
		cell(out, "%.1e", whole, "mean_error", 1);
		cell(out, "%.1e", whole, "max_divergence", 1);
		cell(out, "%.1e", whole, "mean_divergence", 1);
		cell(out, "%.3f %%", whole, "top1_agreement", 100);
		cell(out, "%.3f %%", whole, "top_k_agreement", 100);
		cell(out, "%.5f", s, "perplexity", 1);
		cell(out, "%+.6f %%", s, "difference", 100);
		fputc('\n', out);
	}
	fprintf(out, "| fp64 | fp64 | | | | | | | %.5f | |\n", bench_number(d, "perplexity"));
	fprintf(out,
		"\nPerplexity of the %.0f tokens behind the middle of their piece, +/- %.5f. KL divergence in nats.\n",
		bench_number(d, "scored"), bench_number(d, "perplexity_error"));
	json_array_foreach(json_object_get(d, "settings"), i, s) {
		const json_t *stopped = json_object_get(s, "stopped");
		char name[32];
		if (json_is_object(stopped))
			fprintf(out,
				"\n%s: stopped in piece %.0f at position %.0f, where numbers were no longer finite.\n",
				greta_stability_setting_name(s, name), bench_number(stopped, "piece"),
				bench_number(stopped, "position"));
	}
}

static void print_positions(const json_t *d, const char *title, const char *member, const char *format, double factor,
			    FILE *out)
{
	const json_t *settings = json_object_get(d, "settings");
	const json_t *first = json_object_get(json_array_get(settings, 0), "buckets");
	size_t i, b;
	json_t *s, *bucket;
	char name[32];
	fprintf(out, "\n## %s, by position\n\n| positions |", title);
	json_array_foreach(settings, i, s)
		fprintf(out, " %s |", greta_stability_setting_name(s, name));
	fputs("\n|---|", out);
	json_array_foreach(settings, i, s)
		fputs("--:|", out);
	fputc('\n', out);
	json_array_foreach(first, b, bucket) {
		fprintf(out, "| %.0f to %.0f |", bench_number(bucket, "first"), bench_number(bucket, "last"));
		json_array_foreach(settings, i, s)
			cell(out, format, json_array_get(json_object_get(s, "buckets"), b), member, factor);
		fputc('\n', out);
	}
}

bool greta_stability_table(const void *document, FILE *out)
{
	print_subject(document, out);
	print_settings(document, out);
	return !ferror(out);
}

bool greta_stability_markdown(const void *document, FILE *out)
{
	if (!greta_stability_table(document, out))
		return false;
	print_positions(document, "Mean error of a logit", "mean_error", "%.1e", 1, out);
	print_positions(document, "Largest error of a logit", "max_error", "%.1e", 1, out);
	print_positions(document, "Mean KL divergence", "mean_divergence", "%.1e", 1, out);
	print_positions(document, "Top-1 the same, %", "top1_agreement", "%.2f", 100, out);
	return !ferror(out);
}

bool greta_stability_json(const void *document, FILE *out)
{
	return json_dumpf(document, out, JSON_INDENT(2)) == 0 && fputc('\n', out) != EOF;
}
