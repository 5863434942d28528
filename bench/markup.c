#include "bench/markup.h"

#include <math.h>

void bench_markup(const char *text, FILE *out)
{
	for (; *text; text++) {
		switch (*text) {
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '&': fputs("&amp;", out); break;
		case '"': fputs("&quot;", out); break;
		case '\'': fputs("&#39;", out); break;
		default: fputc(*text, out);
		}
	}
}

const char *bench_short_number(double value, char out[32])
{
	double size = fabs(value);
	snprintf(out, 32, size >= 1000 ? "%.0f" : size >= 100 ? "%.1f" : size >= 10 ? "%.2f" : "%.3f", value);
	return out;
}
