#include "bench/parity/compare.h"

#include "kernels/numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Both rows of a place and position, or false. */
static bool rows_at(const struct greta_parity_trace *a, const struct greta_parity_trace *b, size_t place,
		    size_t position, const void **out_a, const void **out_b, uint32_t *out_cols)
{
	uint32_t cols_a, cols_b;
	*out_a = greta_parity_trace_at(a, place, position, &cols_a);
	*out_b = greta_parity_trace_at(b, place, position, &cols_b);
	if (!*out_a || !*out_b)
		return false;
	*out_cols = cols_a < cols_b ? cols_a : cols_b;
	return true;
}

/* Which NaN a NaN is belongs to no definition. */
static bool differs(const struct greta_parity_trace *a, const struct greta_parity_trace *b, const void *row_a,
		    const void *row_b, uint32_t column)
{
	double x = greta_parity_value(a, row_a, column), y = greta_parity_value(b, row_b, column);
	if (isnan(x) || isnan(y))
		return !(isnan(x) && isnan(y));
	if (!a->fp64 && !b->fp64)
		return greta_bits32(((const float *)row_a)[column]) != greta_bits32(((const float *)row_b)[column]);
	return x != y;
}

static bool same_row(const struct greta_parity_trace *a, const struct greta_parity_trace *b, const void *row_a,
		     const void *row_b, uint32_t cols)
{
	return !a->fp64 && !b->fp64 && !memcmp(row_a, row_b, cols * sizeof(float));
}

static double root_mean_square(const struct greta_parity_trace *a, const void *row, uint32_t cols)
{
	double sum = 0;
	for (uint32_t i = 0; i < cols; i++)
		sum += greta_parity_value(a, row, i) * greta_parity_value(a, row, i);
	return sqrt(sum / cols);
}

static void add_finite(const struct greta_parity_trace *a, const struct greta_parity_trace *b, const void *row_a,
		       const void *row_b, uint32_t cols, struct greta_parity_errors *errors)
{
	for (uint32_t i = 0; i < cols; i++) {
		errors->not_finite[0] += !isfinite(greta_parity_value(a, row_a, i));
		errors->not_finite[1] += !isfinite(greta_parity_value(b, row_b, i));
	}
}

static void add_row(const struct greta_parity_trace *a, const struct greta_parity_trace *b, const void *row_a,
		    const void *row_b, uint32_t cols, struct greta_parity_errors *errors)
{
	double scale, dot = 0, squares_a = 0, squares_b = 0;
	if (errors->rows++ == 0)
		errors->min_cosine = 1;
	errors->values += cols;
	add_finite(a, b, row_a, row_b, cols, errors);
	if (same_row(a, b, row_a, row_b, cols))
		return;
	scale = root_mean_square(a, row_a, cols);
	for (uint32_t i = 0; i < cols; i++) {
		double x = greta_parity_value(a, row_a, i), y = greta_parity_value(b, row_b, i), e = fabs(y - x);
		double relative = e == 0 ? 0 : e / scale;
		errors->differing += differs(a, b, row_a, row_b, i);
		if (!isfinite(x) || !isfinite(y))
			continue; /* counted apart: one NaN would hide all else */
		errors->max_error = fmax(errors->max_error, e);
		errors->max_relative = fmax(errors->max_relative, relative);
		errors->sum_error += e;
		errors->sum_relative += relative;
		dot += x * y;
		squares_a += x * x;
		squares_b += y * y;
	}
	if (squares_a > 0 && squares_b > 0)
		errors->min_cosine = fmin(errors->min_cosine, dot / sqrt(squares_a) / sqrt(squares_b));
}

/* ---- Logits ---- */

static double log_sum(const struct greta_parity_trace *t, const void *row, uint32_t cols)
{
	double max = -INFINITY, sum = 0;
	for (uint32_t i = 0; i < cols; i++)
		max = fmax(max, greta_parity_value(t, row, i));
	for (uint32_t i = 0; i < cols; i++)
		sum += exp(greta_parity_value(t, row, i) - max);
	return max + log(sum);
}

static double divergence(const struct greta_parity_trace *a, const struct greta_parity_trace *b, const void *row_a,
			 const void *row_b, uint32_t cols)
{
	double sum = 0, sum_a = log_sum(a, row_a, cols), sum_b = log_sum(b, row_b, cols);
	for (uint32_t i = 0; i < cols; i++) {
		double ln_a = greta_parity_value(a, row_a, i) - sum_a, ln_b = greta_parity_value(b, row_b, i) - sum_b;
		sum += exp(ln_a) * (ln_a - ln_b);
	}
	return fmax(sum, 0); /* rounding may leave it just below */
}

/* The k largest, the lower index first among equals, into out [k]. */
static void largest(const struct greta_parity_trace *t, const void *row, uint32_t cols, uint32_t k, uint32_t *out)
{
	uint32_t have = 0;
	for (uint32_t i = 0; i < cols; i++) {
		double value = greta_parity_value(t, row, i);
		uint32_t at = have;
		while (at > 0 && greta_parity_value(t, row, out[at - 1]) < value)
			at--;
		if (at == k)
			continue;
		have += have < k;
		memmove(out + at + 1, out + at, (have - at - 1) * sizeof(*out));
		out[at] = i;
	}
}

static enum greta_status add_logits(const struct greta_parity_trace *a, const struct greta_parity_trace *b,
				    const void *row_a, const void *row_b, uint32_t cols,
				    struct greta_parity_logits *logits, struct greta_error *error)
{
	logits->top_k = logits->top_k < cols ? logits->top_k : cols; /* as is told, too */
	uint32_t k = logits->top_k, same = 0;
	uint32_t *best = calloc(2 * (size_t)k + 2, sizeof(*best));
	if (!best)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the %u largest logits", k);
	largest(a, row_a, cols, k, best);
	largest(b, row_b, cols, k, best + k);
	for (uint32_t i = 0; i < k; i++)
		for (uint32_t j = 0; j < k; j++)
			same += best[i] == best[k + j];
	double apart = same_row(a, b, row_a, row_b, cols) ? 0 : divergence(a, b, row_a, row_b, cols);
	logits->rows++;
	logits->top1 += best[0] == best[k];
	logits->sum_overlap += (double)same / k;
	logits->sum_divergence += apart;
	if (!(apart <= logits->max_divergence))
		logits->max_divergence = apart;
	free(best);
	return GRETA_OK;
}

/* ---- All of it ---- */

static void note(const struct greta_parity_trace *a, const struct greta_parity_trace *b, const void *row_a,
		 const void *row_b, uint32_t cols, size_t place, size_t position,
		 struct greta_parity_difference *difference)
{
	struct greta_parity_difference made = {
		.place = place,
		.position = position,
		.a_step = a->steps[position - a->start],
		.b_step = b->steps[position - b->start],
	};
	for (uint32_t i = cols; i-- > 0;) {
		if (!differs(a, b, row_a, row_b, i))
			continue;
		made.found = true;
		made.differing++;
		made.column = i;
	}
	if (!made.found)
		return;
	made.a = greta_parity_value(a, row_a, made.column);
	made.b = greta_parity_value(b, row_b, made.column);
	made.a_bits = greta_bits32((float)made.a);
	made.b_bits = greta_bits32((float)made.b);
	*difference = made;
}

void greta_parity_first_difference(const struct greta_parity_trace *a, const struct greta_parity_trace *b, size_t place,
				   struct greta_parity_difference *difference)
{
	size_t first = place == SIZE_MAX ? 0 : place;
	size_t last = place == SIZE_MAX ? greta_parity_places(a->layers) : place + 1;
	*difference = (struct greta_parity_difference){0};
	for (size_t l = first; l < last && !difference->found; l++) {
		for (size_t p = a->start; p < a->start + a->count && !difference->found; p++) {
			const void *row_a, *row_b;
			uint32_t cols;
			if (rows_at(a, b, l, p, &row_a, &row_b, &cols))
				note(a, b, row_a, row_b, cols, l, p, difference);
		}
	}
}

enum greta_status greta_parity_compare(const struct greta_parity_trace *a, const struct greta_parity_trace *b,
				       struct greta_parity_errors *errors, struct greta_parity_logits *logits,
				       struct greta_parity_difference *difference, struct greta_error *error)
{
	size_t logits_place = greta_parity_place(a->layers, GRETA_POINT_logits, GRETA_PLAN_NONE);
	enum greta_status status = GRETA_OK;
	for (size_t l = 0; l < greta_parity_places(a->layers); l++) {
		for (size_t p = a->start; p < a->start + a->count && status == GRETA_OK; p++) {
			const void *row_a, *row_b;
			uint32_t cols;
			if (!rows_at(a, b, l, p, &row_a, &row_b, &cols))
				continue;
			add_row(a, b, row_a, row_b, cols, &errors[l]);
			if (l == logits_place)
				status = add_logits(a, b, row_a, row_b, cols, logits, error);
		}
	}
	if (status == GRETA_OK && !difference->found)
		greta_parity_first_difference(a, b, SIZE_MAX, difference);
	return status;
}
