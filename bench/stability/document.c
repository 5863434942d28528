#include "bench/stability/document.h"
#include "models/json_text.h"

#include <math.h>

/* JSON has no NaN and no infinity. */
static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *count(uint64_t value) { return json_integer((json_int_t)value); }

static json_t *share(double part, uint64_t of) { return of ? number(part / (double)of) : json_null(); }

static json_t *row(const struct greta_stability_bucket *b)
{
	const struct greta_parity_errors *e = &b->errors;
	const struct greta_parity_logits *l = &b->logits;
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "first", count(b->first), "last",
			 count(b->first + b->count - 1), "positions", count(e->rows), "max_error",
			 e->rows ? number(e->max_error) : json_null(), "mean_error", share(e->sum_error, e->values),
			 "not_finite", count(e->not_finite[1]), "max_divergence",
			 l->rows ? number(l->max_divergence) : json_null(), "mean_divergence",
			 share(l->sum_divergence, l->rows), "top1_agreement", share((double)l->top1, l->rows),
			 "top_k_agreement", share(l->sum_overlap, l->rows), "perplexity",
			 b->scored ? number(exp(-b->sum / (double)b->scored)) : json_null(), "perplexity_exact",
			 b->scored ? number(exp(-b->sum_exact / (double)b->scored)) : json_null());
}

static json_t *setting(const struct greta_stability_drift *d, const struct greta_perplexity *exact)
{
	struct greta_stability_bucket whole = greta_stability_drift_whole(d);
	json_t *buckets = json_array();
	for (size_t b = 0; b < d->count; b++)
		json_array_append_new(buckets, row(&d->buckets[b]));
	if (json_array_size(buckets) != d->count) {
		json_decref(buckets);
		return NULL;
	}
	double missing = d->finite ? 0 : NAN;
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "activations",
			 greta_stability_activations_name(d->activations), "kv", greta_stability_kv_name(d->kv),
			 "finite", d->finite, "stopped",
			 d->finite ? json_null()
				   : json_pack("{s:o, s:o}", "piece", count(d->piece), "position", count(d->position)),
			 "perplexity", number(d->perplexity.value + missing), "perplexity_error",
			 number(d->perplexity.error + missing), "difference",
			 number(d->perplexity.value / exact->value - 1 + missing), "whole", row(&whole), "buckets",
			 buckets);
}

json_t *greta_stability_document(const struct greta_stability_subject *s, const struct greta_perplexity_text *text,
				 struct greta_stability_drift *const drifts[], size_t drifts_count)
{
	json_t *settings = json_array();
	for (size_t i = 0; i < drifts_count; i++)
		json_array_append_new(settings, setting(drifts[i], &s->exact));
	if (json_array_size(settings) != drifts_count) {
		json_decref(settings);
		return NULL;
	}
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s?, s:o, s:o, s:o}", "version",
			 GRETA_VERSION, "model", greta_json_text(s->model), "model_name",
			 greta_json_text(s->model_name), "text", greta_json_text(s->text), "device",
			 greta_json_text(s->device), "kernels", s->kernels, "tokens", count(s->tokens), "context",
			 count(text->piece), "context_train", count(s->context_train), "pieces", count(text->pieces),
			 "scored", count(greta_perplexity_count(text)), "top_k", count(s->top_k), "cut", s->cut,
			 "perplexity", number(s->exact.value), "perplexity_error", number(s->exact.error), "settings",
			 settings);
}
