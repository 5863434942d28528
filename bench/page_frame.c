#include "bench/page_frame.h"

#include <errno.h>
#include <string.h>

#include "bench/markup.h"
#include "bench/page_style.h"
#include "models/new_file.h"

void bench_page_begin(const char *tool, const char *name, FILE *out)
{
	fputs("<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
	      "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	      "<meta name='viewport' content='width=device-width'>\n",
	      out);
	fprintf(out, "<title>%s: ", tool);
	bench_markup(name, out);
	fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>%s: ", BENCH_PAGE_STYLE, tool);
	bench_markup(name, out);
	fputs("</h1>\n", out);
}

void bench_page_end(FILE *out) { fputs("</body>\n</html>\n", out); }

void bench_page_fact(const char *name, const char *text, FILE *out)
{
	fprintf(out, "<dt>%s</dt><dd>", name);
	bench_markup(text, out);
	fputs("</dd>\n", out);
}

enum greta_status bench_report_check(const char *path, struct greta_error *error)
{
	struct greta_new_file file;
	enum greta_status status = greta_new_file_init(&file, path, error);
	if (status == GRETA_OK)
		greta_new_file_finish(&file);
	return status;
}

enum greta_status bench_report_write(const char *path, bench_report_printer *print, const void *subject,
                                     struct greta_error *error)
{
	struct greta_new_file file;
	enum greta_status status = greta_new_file_init(&file, path, error);
	if (status != GRETA_OK)
		return status;
	FILE *out = greta_new_file_stream(&file);
	bool good = out && print(subject, out);
	if (out)
		good = fclose(out) == 0 && good;
	if (good)
		status = greta_new_file_commit(&file, error);
	else
		status = greta_fail(error, GRETA_ERROR_IO, "cannot write %s: %s", path, strerror(errno));
	greta_new_file_finish(&file);
	return status;
}
