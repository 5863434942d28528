#include "bench/against.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/document.h"
#include "bench/statistics.h"
#include "models/error.h"
#include "models/json_text.h"

/* ---- Reading ---- */

static int skip_space(FILE *file)
{
	int c;
	while ((c = fgetc(file)) != EOF && isspace(c))
		;
	return c == EOF ? EOF : ungetc(c, file);
}

/* One JSON value of the file: its rows are added to `rows`. */
static bool add_rows(json_t *rows, json_t *value)
{
	if (json_is_array(value))
		return json_array_extend(rows, value) == 0;
	if (json_is_array(json_object_get(value, "results")))
		return json_array_extend(rows, json_object_get(value, "results")) == 0;
	return json_array_append(rows, value) == 0;
}

static enum greta_status read_rows(const char *path, FILE *file, json_t *rows, struct greta_error *error)
{
	while (skip_space(file) != EOF) {
		json_error_t reason;
		json_t *value = json_loadf(file, JSON_DISABLE_EOF_CHECK, &reason);
		if (!value)
			return greta_fail(error, GRETA_ERROR_FORMAT, "%s is no JSON: line %d: %s", path, reason.line,
			                  reason.text);
		bool added = add_rows(rows, value);
		json_decref(value);
		if (!added)
			return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %s", path);
	}
	if (ferror(file))
		return greta_fail(error, GRETA_ERROR_IO, "cannot read %s: %s", path, strerror(errno));
	return GRETA_OK;
}

static bool is_row(const json_t *row)
{
	return json_is_integer(json_object_get(row, "n_prompt")) && json_is_integer(json_object_get(row, "n_gen")) &&
	       json_is_number(json_object_get(row, "avg_ts"));
}

/* Rows of greta-bench say how it was run; those of llama-bench do not. */
static bool has_mode(const json_t *row)
{
	return *bench_text(row, "mode") != 0;
}

/* "tg16 @ d64", "tg16 @ d64, graph/full" */
static void name_row(const json_t *row, bool with_mode, char out[96])
{
	char test[64];
	if (with_mode && has_mode(row))
		snprintf(out, 96, "%s, %.10s/%.10s", bench_test_name(row, test), bench_text(row, "mode"),
		         bench_text(row, "fuse"));
	else
		snprintf(out, 96, "%s", bench_test_name(row, test));
}

static bool is_of(const json_t *row, const struct bench_request *request)
{
	if (has_mode(row) && (!request->eager[strcmp(bench_text(row, "mode"), "eager") == 0] ||
	                      !request->fuse[strcmp(bench_text(row, "fuse"), "full") == 0]))
		return false;
	json_int_t prompt = bench_integer(row, "n_prompt"), generate = bench_integer(row, "n_gen");
	bool test = (prompt == request->prompt && prompt && !generate) ||
	            (generate == request->generate && generate && !prompt);
	for (size_t d = 0; d < request->depth_count && test; d++)
		if (bench_integer(row, "n_depth") == request->depths[d])
			return true;
	return false;
}

static enum greta_status check_rows(const char *path, const json_t *rows, const struct bench_request *request,
                                    struct greta_error *error)
{
	char has[300] = "";
	size_t i, found = 0;
	json_t *row;
	if (!json_array_size(rows))
		return greta_fail(error, GRETA_ERROR_FORMAT, "%s has no rows", path);
	json_array_foreach(rows, i, row) {
		char name[96];
		if (!is_row(row))
			return greta_fail(
			    error, GRETA_ERROR_FORMAT,
			    "%s: row %zu has no n_prompt, n_gen and avg_ts: not what llama-bench -o json writes", path,
			    i + 1);
		if (!(bench_number(row, "avg_ts") > 0))
			return greta_fail(error, GRETA_ERROR_FORMAT,
			                  "%s: row %zu has an avg_ts of %g: it must be above 0", path, i + 1,
			                  bench_number(row, "avg_ts"));
		found += is_of(row, request);
		size_t used = strlen(has);
		name_row(row, true, name);
		snprintf(has + used, sizeof(has) - used, "%s%s", used ? "; " : "", name);
	}
	if (found)
		return GRETA_OK;
	return greta_fail(error, GRETA_ERROR_ARGUMENT,
	                  "%s has no test that would be measured: it has %s; choose by -p, -n, -d, --modes and --fuse",
	                  path, has);
}

enum greta_status bench_against_load(const char *path, const struct bench_request *request, json_t **out_rows,
                                     struct greta_error *error)
{
	FILE *file = fopen(path, "r");
	if (!file)
		return greta_fail(error, GRETA_ERROR_IO, "cannot open %s: %s", path, strerror(errno));
	json_t *rows = json_array();
	enum greta_status status =
	    rows ? read_rows(path, file, rows, error) : greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %s", path);
	fclose(file);
	if (status == GRETA_OK)
		status = check_rows(path, rows, request, error);
	if (status == GRETA_OK)
		*out_rows = rows;
	else
		json_decref(rows);
	return status;
}

/* ---- Comparing ---- */

/* The median of its samples, else its mean; negative without memory. */
static double rate_of(const json_t *row)
{
	const json_t *samples = json_object_get(row, "samples_ts");
	size_t count = json_array_size(samples);
	if (!count)
		return bench_number(row, "avg_ts");
	double *values = malloc(count * sizeof(*values));
	if (!values)
		return -1;
	for (size_t i = 0; i < count; i++)
		values[i] = json_number_value(json_array_get(samples, i));
	double median = bench_statistics_of(values, count).median;
	free(values);
	return median > 0 ? median : bench_number(row, "avg_ts");
}

static bool same(const json_t *a, const json_t *b, const char *member)
{
	return json_equal(json_object_get(a, member), json_object_get(b, member));
}

/* A file from before depths were measured has no n_depth: 0.
 * Where both say how it was run, that must be the same, too. */
static bool same_test(const json_t *a, const json_t *b)
{
	return same(a, b, "n_prompt") && same(a, b, "n_gen") &&
	       bench_integer(a, "n_depth") == bench_integer(b, "n_depth") &&
	       (!has_mode(a) || !has_mode(b) || (same(a, b, "mode") && same(a, b, "fuse")));
}

/* Both say it, and not the same. */
static bool differs(const json_t *a, const json_t *b, const char *member)
{
	return json_object_get(a, member) && json_object_get(b, member) && !same(a, b, member);
}

/* What the file says may be anything: as one printable line, like an error's. */
static void clean(char *text)
{
	struct greta_error line;
	greta_fail(&line, GRETA_ERROR_FORMAT, "%s", text);
	memcpy(text, line.message, strlen(line.message) + 1); /* no longer than it was */
}

/* "build 6aebef8, CUDA, 2 threads, eager/none", as far as it says so. */
static void describe(const json_t *peer, char out[200])
{
	double threads = bench_number(peer, "n_threads");
	char parts[4][64] = {"", "", "", ""};
	size_t used = 0;
	if (*bench_text(peer, "build_commit"))
		snprintf(parts[0], sizeof(parts[0]), "build %.40s", bench_text(peer, "build_commit"));
	snprintf(parts[1], sizeof(parts[1]), "%.40s", bench_text(peer, "backends"));
	if (threads > 0)
		snprintf(parts[2], sizeof(parts[2]), "%.0f thread%s", threads, threads == 1 ? "" : "s");
	if (*bench_text(peer, "mode"))
		snprintf(parts[3], sizeof(parts[3]), "%.10s/%.10s", bench_text(peer, "mode"), bench_text(peer, "fuse"));
	for (size_t i = 0; i < 4; i++)
		if (*parts[i])
			used += (size_t)snprintf(out + used, 200 - used, "%s%s", used ? ", " : "", parts[i]);
	if (!used)
		snprintf(out, 200, "does not say what it is");
	clean(out);
}

static json_t *compare(const json_t *row, const json_t *peer)
{
	char whom[200];
	double ts = bench_number(row, "median_ts"), peer_ts = rate_of(peer);
	if (peer_ts < 0)
		return NULL;
	describe(peer, whom);
	return json_pack("{s:O, s:O, s:O, s:O, s:O, s:f, s:f, s:f, s:s}", "n_prompt", json_object_get(row, "n_prompt"),
	                 "n_gen", json_object_get(row, "n_gen"), "n_depth", json_object_get(row, "n_depth"), "mode",
	                 json_object_get(row, "mode"), "fuse", json_object_get(row, "fuse"), "ts", ts, "peer_ts",
	                 peer_ts, "ratio", peer_ts > 0 ? ts / peer_ts : 0, "peer", whom);
}

enum { NOTE_MAX = 500 }; /* what a line holds */

/* Each sentence once. */
static bool note(json_t *notes, char text[NOTE_MAX])
{
	size_t i;
	json_t *known;
	clean(text);
	json_array_foreach(notes, i, known)
		if (strcmp(json_string_value(known), text) == 0)
			return true;
	return json_array_append_new(notes, json_string(text)) == 0;
}

static bool note_differences(json_t *notes, const json_t *row, const json_t *peer)
{
	char text[NOTE_MAX];
	bool good = true;
	if (differs(row, peer, "model_size") || differs(row, peer, "model_n_params")) {
		const char *type = bench_text(peer, "model_type"), *file = bench_text(peer, "model_filename");
		char size[48] = "";
		if (bench_number(peer, "model_size") > 0)
			snprintf(size, sizeof(size), ", %.1f MB of tensors", bench_number(peer, "model_size") * 1e-6);
		snprintf(text, sizeof(text), "Theirs is another model: %.100s%s%s%.200s.", *type ? type : "of no name", size,
		         *file ? ", " : "", file);
		good = note(notes, text);
	}
	if (good && (differs(row, peer, "type_k") || differs(row, peer, "type_v"))) {
		snprintf(text, sizeof(text), "Theirs keeps K as %.20s and V as %.20s, this run as %s.",
		         bench_text(peer, "type_k"), bench_text(peer, "type_v"), bench_text(row, "type_k"));
		good = note(notes, text);
	}
	if (good && bench_integer(row, "n_threads") && differs(row, peer, "n_threads")) {
		snprintf(text, sizeof(text), "Theirs ran on %.0f threads, this run on %.0f.",
		         bench_number(peer, "n_threads"), bench_number(row, "n_threads"));
		good = note(notes, text);
	}
	return good;
}

/* Rows of the file that no row here is compared with, and the other way round. */
static bool note_alone(json_t *notes, const json_t *rows, const json_t *others, const char *where)
{
	size_t i, k;
	json_t *row, *other;
	json_array_foreach(rows, i, row) {
		bool found = false, modes = false;
		char name[96], text[NOTE_MAX];
		json_array_foreach(others, k, other) {
			found = found || same_test(row, other);
			modes = modes || has_mode(other);
		}
		name_row(row, modes, name);
		snprintf(text, sizeof(text), "Measured %s alone: %s.", where, name);
		if (!found && !note(notes, text))
			return false;
	}
	return true;
}

bool bench_against_compare(json_t *document, const char *path, const json_t *rows)
{
	const json_t *results = json_object_get(document, "results");
	json_t *ratios = json_array(), *notes = json_array(), *row, *peer;
	size_t i, k;
	bool good = ratios && notes;
	json_array_foreach(results, i, row)
		json_array_foreach(rows, k, peer)
			if (good && same_test(row, peer))
				good = json_array_append_new(ratios, compare(row, peer)) == 0 &&
				       note_differences(notes, row, peer);
	good = good && note_alone(notes, rows, results, "there") && note_alone(notes, results, rows, "here");
	if (good)
		good = json_object_set_new(
			   document, "against",
			   json_pack("{s:o, s:O, s:O}", "file", greta_json_text(path), "rows", ratios, "notes", notes)) == 0;
	json_decref(ratios);
	json_decref(notes);
	return good;
}
