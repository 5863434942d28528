/* Text inside HTML and SVG. */
#ifndef GRETA_BENCH_MARKUP_H
#define GRETA_BENCH_MARKUP_H

#include <stdio.h>

/* Writes text with the characters that have a meaning in markup written out; also good inside attributes. */
void bench_markup(const char *text, FILE *out);

/* A number as people read it: about four digits, no exponent. Returns `out`. */
const char *bench_short_number(double value, char out[32]);

#endif
