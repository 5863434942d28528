#include "bench/parity/report.h"
#include "models/json_text.h"

#include <jansson.h>
#include <math.h>

/* JSON has no NaN and no infinity. */
static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *count(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *bits(uint32_t value)
{
	return json_sprintf("0x%08x", value);
}

static json_t *launch(const struct greta_parity_launch *l)
{
	if (!l->found)
		return json_null();
	return json_pack("{s:s, s:i, s:s, s:s, s:o, s:s, s:b}", "program", l->program, "launch", (int)l->index, "kernel",
			 l->kernel, "symbol", l->symbol, "layer",
			 l->layer == GRETA_PLAN_NONE ? json_null() : json_integer(l->layer), "block",
			 greta_parity_block_name(l->block), "digits_from_another_launch", l->takes_digits);
}

static json_t *difference(const struct greta_parity_result *result, const struct greta_parity_difference *d)
{
	char name[GRETA_PARITY_NAME_MAX];
	if (!d->found)
		return json_null();
	return json_pack("{s:s, s:o, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o}", "tensor",
			 greta_parity_place_name(result->layers, d->place, name), "position", count(d->position),
			 "value", (int)d->column, "values_differing", (int)d->differing, "step_a",
			 (int)d->a_step.number, "step_b", (int)d->b_step.number, "a", number(d->a), "b", number(d->b),
			 "a_bits", bits(d->a_bits), "b_bits", bits(d->b_bits));
}

static json_t *place(const struct greta_parity_result *result, size_t p, size_t l)
{
	const struct greta_parity_errors *e = &result->pair[p].errors[l];
	char name[GRETA_PARITY_NAME_MAX];
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "tensor",
			 greta_parity_place_name(result->layers, l, name), "block",
			 greta_parity_block_name(
				 greta_parity_point_info(greta_parity_place_point(result->layers, l))->block),
			 "values", count(e->values), "differing", count(e->differing), "max_error", number(e->max_error),
			 "mean_error", number(e->sum_error / (double)e->values), "max_relative", number(e->max_relative),
			 "mean_relative", number(e->sum_relative / (double)e->values), "min_cosine", number(e->min_cosine),
			 "not_finite_a", count(e->not_finite[0]), "not_finite_b", count(e->not_finite[1]));
}

static json_t *places(const struct greta_parity_result *result, size_t p)
{
	json_t *list = json_array();
	for (size_t l = 0; l < result->places; l++)
		if (result->pair[p].errors[l].rows)
			json_array_append_new(list, place(result, p, l));
	return list;
}

static json_t *logits(const struct greta_parity_logits *g)
{
	if (!g->rows)
		return json_null();
	double rows = (double)g->rows;
	return json_pack("{s:o, s:o, s:o, s:o, s:i, s:o}", "positions", count(g->rows), "max_divergence",
			 number(g->max_divergence), "mean_divergence", number(g->sum_divergence / rows),
			 "top1_agreement", number((double)g->top1 / rows), "top_k", (int)g->top_k, "top_k_agreement",
			 number(g->sum_overlap / rows));
}

static json_t *pair(const struct greta_parity_result *result, size_t p)
{
	static const char *const verdicts[] = {"equal", "within tolerance", "differs"};
	const struct greta_parity_pair *x = &result->pair[p];
	char name[GRETA_PARITY_NAME_MAX];
	json_t *o = json_pack("{s:i, s:s, s:b, s:o, s:o, s:o}", "b", (int)p + 1, "verdict", verdicts[x->verdict],
			      "owes_equal_bits", x->equal_bits, "places", places(result, p), "logits",
			      logits(&x->logits), "first_difference", difference(result, &x->difference));
	if (x->equal_bits && x->difference.found) {
		json_object_set_new(o, "written_by", launch(&x->cause.launch));
		json_object_set_new(o, "planned_again_unfused", json_boolean(x->cause.unfused));
		json_object_set_new(o, "first_difference_unfused", difference(result, &x->cause.first));
		json_object_set_new(o, "first_wrong_launch", launch(&x->cause.culprit));
	}
	if (!x->equal_bits) {
		json_object_set_new(o, "tolerance",
				    json_pack("{s:f, s:f, s:f}", "max_relative", x->tolerance.relative, "cosine",
					      x->tolerance.cosine, "divergence", x->tolerance.divergence));
		json_object_set_new(o, "first_out_of_tolerance",
				    x->outside == SIZE_MAX
					    ? json_null()
					    : json_string(greta_parity_place_name(result->layers, x->outside, name)));
	}
	return o;
}

static json_t *side(const struct greta_parity_result *result, size_t s)
{
	return json_pack("{s:s, s:o, s:i, s:b, s:o, s:o}", "side", result->side[s].text, "device",
			 greta_json_text(result->side[s].device),
			 "steps", (int)result->side[s].steps, "finite", !result->side[s].not_finite, "unsteady",
			 difference(result, &result->side[s].unsteady), "unsteady_launch",
			 launch(&result->side[s].unsteady_launch));
}

bool greta_parity_report_json(FILE *out, const struct greta_parity_report *report,
			      const struct greta_parity_result *result)
{
	json_t *sides = json_array(), *pairs = json_array();
	for (size_t s = 0; s < result->sides; s++)
		json_array_append_new(sides, side(result, s));
	for (size_t p = 0; p + 1 < result->sides; p++)
		json_array_append_new(pairs, pair(result, p));
	json_t *o = json_pack("{s:o, s:o, s:o, s:i, s:i, s:b, s:o, s:o}", "model", greta_json_text(report->model), "text",
			      greta_json_text(report->text),
			      "tokens", count(report->count), "context", (int)report->context, "runs", (int)report->runs,
			      "passed", greta_parity_passed(result), "sides", sides, "comparisons", pairs);
	bool good = o && json_dumpf(o, out, JSON_INDENT(2)) == 0 && fputc('\n', out) != EOF;
	json_decref(o);
	return good;
}
