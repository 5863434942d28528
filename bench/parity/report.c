#include "bench/parity/report.h"

#include <math.h>
#include <string.h>

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static void merge(struct greta_parity_errors *sum, const struct greta_parity_errors *one)
{
	if (!one->rows)
		return;
	sum->min_cosine = sum->rows ? fmin(sum->min_cosine, one->min_cosine) : one->min_cosine;
	sum->rows += one->rows;
	sum->values += one->values;
	sum->differing += one->differing;
	sum->max_error = larger(sum->max_error, one->max_error);
	sum->max_relative = larger(sum->max_relative, one->max_relative);
	sum->sum_error += one->sum_error;
	sum->sum_relative += one->sum_relative;
	sum->not_finite[0] += one->not_finite[0];
	sum->not_finite[1] += one->not_finite[1];
}

struct greta_parity_errors greta_parity_errors_of(const struct greta_parity_result *result, size_t pair,
						  enum greta_parity_point point, size_t layer)
{
	struct greta_parity_errors sum = {0};
	for (size_t l = 0; l < result->places; l++) {
		if (greta_parity_place_point(result->layers, l) != point ||
		    (layer != SIZE_MAX && greta_parity_place_layer(result->layers, l) != layer))
			continue;
		merge(&sum, &result->pair[pair].errors[l]);
	}
	return sum;
}

/* ---- Lines of a table: a point, in all layers or in one ---- */

struct line {
	enum greta_parity_point point;
	size_t layer; /* SIZE_MAX: all, or outside the layers */
	char name[GRETA_PARITY_NAME_MAX];
};

/* The line that belongs to a place; false when another place has it already. */
static bool line_of(const struct greta_parity_report *report, const struct greta_parity_result *result, size_t place,
		    struct line *line)
{
	uint32_t layer = greta_parity_place_layer(result->layers, place);
	line->point = greta_parity_place_point(result->layers, place);
	line->layer = report->each_layer && layer != GRETA_PLAN_NONE ? layer : SIZE_MAX;
	if (report->each_layer)
		greta_parity_place_name(result->layers, place, line->name);
	else
		snprintf(line->name, sizeof(line->name), "%s", greta_parity_point_info(line->point)->name);
	return report->each_layer || layer == GRETA_PLAN_NONE || layer == 0;
}

static const char *block_of(const struct line *line)
{
	return greta_parity_block_name(greta_parity_point_info(line->point)->block);
}

/* ---- Equal or not ---- */

static void print_counts(FILE *out, const struct greta_parity_report *report, const struct greta_parity_result *result)
{
	fprintf(out, "\n%-16s %-16s", "values equal", "block");
	for (size_t p = 0; p + 1 < result->sides; p++)
		if (result->pair[p].equal_bits)
			fprintf(out, " %13s%c", "", (int)('B' + p));
	fputc('\n', out);
	for (size_t l = 0; l < result->places; l++) {
		struct line line;
		if (!line_of(report, result, l, &line))
			continue;
		fprintf(out, "%-16s %-16s", line.name, block_of(&line));
		for (size_t p = 0; p + 1 < result->sides; p++) {
			struct greta_parity_errors e = greta_parity_errors_of(result, p, line.point, line.layer);
			char cell[48] = "-";
			if (!result->pair[p].equal_bits)
				continue;
			if (e.differing)
				snprintf(cell, sizeof(cell), "-%llu", (unsigned long long)e.differing);
			else if (e.rows)
				snprintf(cell, sizeof(cell), "%llu", (unsigned long long)e.values);
			fprintf(out, " %14s", cell);
		}
		fputc('\n', out);
	}
	fputs("(-: inside a kernel there; -N: N values differ)\n", out);
}

static void print_value(FILE *out, const char *who, double value, uint32_t bits)
{
	fprintf(out, "    %s  %-16.9g 0x%08x\n", who, value, bits);
}

static void print_launch(FILE *out, const struct greta_parity_launch *launch)
{
	fprintf(out, "launch %u of program %s, kernel %s", launch->index, launch->program, launch->kernel);
	if (strcmp(launch->kernel, launch->symbol) != 0)
		fprintf(out, " (%s)", launch->symbol);
	if (launch->layer != GRETA_PLAN_NONE)
		fprintf(out, ", layer %u", launch->layer);
	fprintf(out, ", block %s%s\n", greta_parity_block_name(launch->block),
		launch->takes_digits ? ", or the digits launch before it that made its input" : "");
}

static void print_difference(FILE *out, const struct greta_parity_result *result,
			     const struct greta_parity_difference *d, const char *a, const char *b)
{
	char name[GRETA_PARITY_NAME_MAX];
	fprintf(out, "%s, position %zu, value %u (%u of the row differ); step %u of %s, step %u of %s\n",
		greta_parity_place_name(result->layers, d->place, name), d->position, d->column, d->differing,
		d->a_step.number, a, d->b_step.number, b);
	print_value(out, a, d->a, d->a_bits);
	print_value(out, b, d->b, d->b_bits);
}

static void print_cause(FILE *out, const struct greta_parity_result *result, const struct greta_parity_pair *pair,
			const char *who)
{
	fputs("  first difference: ", out);
	print_difference(out, result, &pair->difference, "A", who);
	if (pair->cause.launch.found) {
		fputs("  written by ", out);
		print_launch(out, &pair->cause.launch);
	}
	if (pair->cause.unfused && pair->cause.first.found) {
		fputs("  one kernel an operation: ", out);
		print_difference(out, result, &pair->cause.first, "A", who);
	} else if (pair->cause.unfused) {
		fputs("  one kernel an operation, they are equal: the fused kernel is the cause\n", out);
	}
	if (pair->cause.first.found && pair->cause.culprit.found) {
		fputs("  first wrong launch: ", out);
		print_launch(out, &pair->cause.culprit);
	}
}

/* ---- By how much ---- */

static void print_errors(FILE *out, const struct greta_parity_report *report, const struct greta_parity_result *result,
			 size_t p)
{
	const struct greta_parity_pair *pair = &result->pair[p];
	fprintf(out, "\n%c against A      block              largest |e|   mean |e|   largest rel   mean rel   1 - cosine"
		"   NaN/Inf\n", (int)('B' + p));
	for (size_t l = 0; l < result->places; l++) {
		struct line line;
		if (!line_of(report, result, l, &line))
			continue;
		struct greta_parity_errors e = greta_parity_errors_of(result, p, line.point, line.layer);
		if (!e.rows)
			continue;
		fprintf(out, "%-16s %-16s %13.1e %10.1e %13.1e %10.1e %12.1e %9llu\n", line.name, block_of(&line),
			e.max_error, e.sum_error / (double)e.values, e.max_relative, e.sum_relative / (double)e.values,
			1 - e.min_cosine, (unsigned long long)e.not_finite[0] + e.not_finite[1]);
	}
	const struct greta_parity_logits *g = &pair->logits;
	if (g->rows)
		fprintf(out,
			"logits of %llu position%s: divergence at most %.1e, mean %.1e nats; the likeliest token is the "
			"same at %llu; of the %u likeliest %.1f %% are the same\n",
			(unsigned long long)g->rows, g->rows == 1 ? "" : "s", g->max_divergence, g->sum_divergence / (double)g->rows,
			(unsigned long long)g->top1, g->top_k, 100 * g->sum_overlap / (double)g->rows);
	fprintf(out, "tolerance: largest rel %.1e, 1 - cosine %.1e, divergence %.1e\n", pair->tolerance.relative,
		pair->tolerance.cosine, pair->tolerance.divergence);
}

/* ---- The whole ---- */

static void print_verdict(FILE *out, const struct greta_parity_result *result, size_t p)
{
	const struct greta_parity_pair *pair = &result->pair[p];
	const char who[] = {(char)('B' + p), 0};
	char name[GRETA_PARITY_NAME_MAX];
	switch (pair->verdict) {
	case GRETA_PARITY_EQUAL: fprintf(out, "%s: equal\n", who); return;
	case GRETA_PARITY_WITHIN: fprintf(out, "%s: within tolerance\n", who); return;
	case GRETA_PARITY_DIFFERS: break;
	}
	if (!pair->equal_bits)
		fprintf(out, "%s: out of tolerance, first at %s\n", who,
			greta_parity_place_name(result->layers, pair->outside, name));
	else if (!pair->difference.found)
		fprintf(out, "%s: equal, but not all values are finite\n", who);
	else
		fprintf(out, "%s: differs\n", who);
	if (pair->equal_bits && pair->difference.found)
		print_cause(out, result, pair, who);
}

static void print_side(FILE *out, const struct greta_parity_result *result, size_t s, unsigned runs)
{
	char who[] = {(char)('A' + s), 0};
	if (result->side[s].not_finite)
		fprintf(out, "%s: its logits are not finite numbers at position %zu or before; nothing was compared behind\n",
			who, result->positions ? result->positions - 1 : 0);
	if (runs < 2)
		return;
	if (!result->side[s].unsteady.found) {
		fprintf(out, "%s: %u runs of each step, equal\n", who, runs);
		return;
	}
	fprintf(out, "%s: a repetition gives other bits: ", who);
	print_difference(out, result, &result->side[s].unsteady, who, "repeated");
	if (result->side[s].unsteady_launch.found) {
		fputs("  written by ", out);
		print_launch(out, &result->side[s].unsteady_launch);
	}
}

void greta_parity_report_table(FILE *out, const struct greta_parity_report *report,
			       const struct greta_parity_result *result)
{
	bool counts = false;
	fprintf(out, "%s, %zu token%s of %s, context %u\n", report->model, report->count, report->count == 1 ? "" : "s",
		report->text, report->context);
	for (size_t s = 0; s < result->sides; s++)
		fprintf(out, "%c  %s, %u step%s%s%s\n", (int)('A' + s), result->side[s].text, result->side[s].steps,
			result->side[s].steps == 1 ? "" : "s",
			result->side[s].device[0] ? ", " : "", result->side[s].device);
	for (size_t p = 0; p + 1 < result->sides; p++)
		counts = counts || result->pair[p].equal_bits;
	if (counts)
		print_counts(out, report, result);
	for (size_t p = 0; p + 1 < result->sides; p++)
		if (!result->pair[p].equal_bits)
			print_errors(out, report, result, p);
	fputc('\n', out);
	for (size_t s = 0; s < result->sides; s++)
		print_side(out, result, s, report->runs);
	for (size_t p = 0; p + 1 < result->sides; p++)
		print_verdict(out, result, p);
}
