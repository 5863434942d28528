#include "bench/formats.h"

#include "bench/document.h"
#include "bench/markdown.h"

static bool print_json(const json_t *document, FILE *out)
{
	bool good = json_dumpf(document, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0;
	fputc('\n', out);
	return good || ferror(out);
}

static bool print_jsonl(const json_t *document, FILE *out)
{
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(document, "results"), i, row) {
		if (json_dumpf(row, out, JSON_REAL_PRECISION(9)) && !ferror(out))
			return false;
		fputc('\n', out);
	}
	return true;
}

static void print_cell(const json_t *value, FILE *out)
{
	if (json_is_integer(value))
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		fprintf(out, "%.9g", json_real_value(value));
	else if (json_is_string(value)) {
		fputc('"', out);
		for (const char *c = json_string_value(value); *c; c++)
			fprintf(out, *c == '"' ? "\"\"" : "%c", *c);
		fputc('"', out);
	}
}

/* The columns are every member that some row has and that is no array, in the order in which they appear. */
static bool print_csv(const json_t *document, FILE *out)
{
	json_t *columns = json_object(), *row, *value;
	const char *name, *separator = "";
	size_t i;
	bool good = columns != NULL;
	json_array_foreach(json_object_get(document, "results"), i, row)
		json_object_foreach(row, name, value)
			if (good && !json_is_array(value) && !json_object_get(columns, name))
				good = json_object_set(columns, name, value) == 0;
	json_object_foreach(columns, name, value) {
		fprintf(out, "%s%s", separator, name);
		separator = ",";
	}
	fputc('\n', out);
	json_array_foreach(json_object_get(document, "results"), i, row) {
		json_t *unused;
		separator = "";
		json_object_foreach(columns, name, unused) {
			fputs(separator, out);
			print_cell(json_object_get(row, name), out);
			separator = ",";
		}
		fputc('\n', out);
	}
	json_decref(columns);
	return good;
}

static bool print_markdown(const json_t *document, FILE *out)
{
	bench_markdown(document, out);
	return true;
}

bool bench_format_print(const json_t *document, enum bench_format format, FILE *out)
{
	static bool (*const print[])(const json_t *document, FILE *out) = {
	    [BENCH_MD] = print_markdown, [BENCH_CSV] = print_csv, [BENCH_JSON] = print_json, [BENCH_JSONL] = print_jsonl};
	return print[format](document, out);
}
