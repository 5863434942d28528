#include "bench/statistics.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

struct bench_statistics bench_statistics_of(double *values, size_t count)
{
	struct bench_statistics of = {.mean = 0};
	double squares = 0;
	for (size_t i = 0; i < count; i++)
		of.mean += values[i] / (double)count;
	for (size_t i = 0; i < count; i++)
		squares += (values[i] - of.mean) * (values[i] - of.mean);
	of.stddev = count > 1 ? sqrt(squares / (double)(count - 1)) : 0;
	qsort(values, count, sizeof(*values), compare);
	of.median = count % 2 ? values[count / 2] : 0.5 * (values[count / 2 - 1] + values[count / 2]);
	of.min = values[0];
	of.max = values[count - 1];
	return of;
}
