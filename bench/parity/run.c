#include "bench/parity/run.h"

#include <stdlib.h>
#include <string.h>

size_t greta_parity_next(const struct greta_parity_side *sides, size_t side_count, size_t start, size_t count)
{
	size_t most = 1;
	for (size_t s = 0; s < side_count; s++) {
		size_t piece = greta_parity_setup_piece(&sides[s].setup, start, count);
		most = piece > most ? piece : most;
	}
	return start + most;
}

/* The most positions that are looked at together. */
static size_t room_of(const struct greta_parity_request *request)
{
	size_t most = 1;
	for (size_t s = 0; s < request->sides; s++) {
		unsigned chunk = request->setups[s].chunk ? request->setups[s].chunk : GRETA_PARITY_MIXED_CHUNK;
		most = chunk > most ? chunk : most;
	}
	return most < request->count ? most : request->count;
}

static enum greta_status check(const struct greta_parity_request *request, struct greta_error *error)
{
	if (!request->count || request->count > request->context)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "%zu tokens in a context of %u", request->count,
				  request->context);
	if (!request->sides || request->sides > GRETA_PARITY_SIDES_MAX || !request->runs || !request->top_k)
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
				  "%zu sides, %u runs, the %u largest: 1 to %d sides, at least "
				  "1 of the others",
				  request->sides, request->runs, request->top_k, GRETA_PARITY_SIDES_MAX);
	return GRETA_OK;
}

static enum greta_status open_sides(const struct greta_parity_request *request, struct greta_parity_side *sides,
				    struct greta_parity_result *result, struct greta_error *error)
{
	for (size_t s = 0; s < request->sides; s++) {
		enum greta_status status = greta_parity_side_open(request->model, &request->setups[s], request->context,
								  room_of(request), &sides[s], error);
		if (status != GRETA_OK)
			return status;
		memcpy(result->side[s].text, sides[s].text, sizeof(sides[s].text));
		if (sides[s].greta)
			strncpy(result->side[s].device, greta_get_info(sides[s].greta)->device,
				sizeof(result->side[s].device) - 1);
	}
	result->layers = sides[0].layers;
	result->places = greta_parity_places(result->layers);
	for (size_t s = 1; s < request->sides; s++) {
		struct greta_parity_pair *pair = &result->pair[s - 1];
		pair->errors = calloc(result->places, sizeof(*pair->errors));
		if (!pair->errors)
			return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu places", result->places);
		pair->equal_bits = greta_parity_setups_equal_bits(&request->setups[0], &request->setups[s]);
		pair->logits.top_k = request->top_k;
		pair->outside = SIZE_MAX;
		pair->tolerance = greta_parity_tolerance_of(&request->setups[0], &request->setups[s]);
		if (request->tolerance > 0)
			pair->tolerance.relative = request->tolerance;
	}
	return GRETA_OK;
}

/* Takes positions [start, end) with one side, as often as asked. */
static enum greta_status take(const struct greta_parity_request *request, struct greta_parity_side *side, size_t start,
			      size_t end, struct greta_parity_result *result, size_t s, struct greta_error *error)
{
	enum greta_status status =
		greta_parity_side_take(side, request->tokens, start, end, request->count, false, error);
	if (status == GRETA_ERROR_NUMBERS) {
		result->side[s].not_finite = true;
		return GRETA_OK;
	}
	for (unsigned run = 1; run < request->runs && status == GRETA_OK && !result->side[s].unsteady.found; run++) {
		status = greta_parity_side_take(side, request->tokens, start, end, request->count, true, error);
		struct greta_parity_difference *unsteady = &result->side[s].unsteady;
		if (status == GRETA_ERROR_NUMBERS)
			status = GRETA_OK; /* they were finite before: that is a difference */
		if (status != GRETA_OK)
			break;
		greta_parity_first_difference(&side->trace, &side->again, SIZE_MAX, unsteady);
		if (unsteady->found && side->greta)
			result->side[s].unsteady_launch =
				greta_parity_writer(side, unsteady->place, &unsteady->b_step);
	}
	return status;
}

/* Nothing behind a difference is worth comparing where there should be none. */
static bool over(const struct greta_parity_pair *pair)
{
	return pair->equal_bits && pair->difference.found;
}

static bool all_over(const struct greta_parity_result *result, size_t sides)
{
	bool over_all = sides > 1;
	for (size_t s = 0; s < sides; s++) {
		if (result->side[s].not_finite)
			return true;
		over_all = over_all && (s == 0 || over(&result->pair[s - 1]));
	}
	return over_all;
}

/* `done` of all tokens of all sides. */
static void tell(const struct greta_parity_request *request, size_t done)
{
	const struct greta_parity_setup *setup = &request->setups[0];
	if (setup->progress)
		setup->progress(setup->progress_user, "comparing", done, request->count * request->sides);
}

static enum greta_status walk(const struct greta_parity_request *request, struct greta_parity_side *sides,
			      struct greta_parity_result *result, struct greta_error *error)
{
	enum greta_status status = GRETA_OK;
	size_t start = 0, next;
	for (; start < request->count && !all_over(result, request->sides); start = next) {
		next = greta_parity_next(sides, request->sides, start, request->count);
		for (size_t s = 0; s < request->sides && status == GRETA_OK; s++) {
			tell(request, start * request->sides + s * (next - start));
			status = take(request, &sides[s], start, next, result, s, error);
		}
		for (size_t s = 1; s < request->sides && status == GRETA_OK; s++) {
			struct greta_parity_pair *pair = &result->pair[s - 1];
			if (!over(pair))
				status = greta_parity_compare(&sides[0].trace, &sides[s].trace, pair->errors,
							      &pair->logits, &pair->difference, error);
		}
		if (status != GRETA_OK)
			return status;
		result->positions = next;
	}
	for (size_t s = 0; s < request->sides; s++)
		result->side[s].steps = sides[s].steps;
	return GRETA_OK;
}

static bool finite(const struct greta_parity_pair *pair, size_t places)
{
	for (size_t l = 0; l < places; l++)
		if (pair->errors[l].not_finite[0] || pair->errors[l].not_finite[1])
			return false;
	return true;
}

static enum greta_status judge(const struct greta_parity_request *request, const struct greta_parity_side *sides,
			       struct greta_parity_result *result, size_t s, struct greta_error *error)
{
	struct greta_parity_pair *pair = &result->pair[s - 1];
	if (!pair->difference.found && finite(pair, result->places)) {
		pair->verdict = GRETA_PARITY_EQUAL;
		return GRETA_OK;
	}
	pair->verdict = GRETA_PARITY_DIFFERS;
	if (!pair->equal_bits) {
		if (greta_parity_within(&pair->tolerance, pair->errors, result->places, &pair->logits, &pair->outside))
			pair->verdict = GRETA_PARITY_WITHIN;
		return GRETA_OK;
	}
	if (!pair->difference.found)
		return GRETA_OK;
	return greta_parity_locate(request->model, request->context, room_of(request), &sides[0], &sides[s],
				   request->tokens, request->count, &pair->difference, &pair->cause, error);
}

enum greta_status greta_parity_run(const struct greta_parity_request *request, struct greta_parity_result *out_result,
				   struct greta_error *error)
{
	struct greta_parity_side sides[GRETA_PARITY_SIDES_MAX] = {{.layers = 0}};
	struct greta_parity_result result = {.sides = request->sides};
	enum greta_status status = check(request, error);
	if (status != GRETA_OK)
		return status;
	status = open_sides(request, sides, &result, error);
	if (status == GRETA_OK)
		status = walk(request, sides, &result, error);
	for (size_t s = 1; s < request->sides && status == GRETA_OK; s++)
		status = judge(request, sides, &result, s, error);
	for (size_t s = 0; s < request->sides; s++)
		greta_parity_side_close(&sides[s]);
	tell(request, request->count * request->sides);
	if (status == GRETA_OK)
		*out_result = result;
	else
		greta_parity_result_finish(&result);
	return status;
}

void greta_parity_result_finish(struct greta_parity_result *result)
{
	for (size_t p = 0; p < GRETA_PARITY_SIDES_MAX; p++)
		free(result->pair[p].errors);
	*result = (struct greta_parity_result){0};
}

bool greta_parity_passed(const struct greta_parity_result *result)
{
	for (size_t s = 0; s < result->sides; s++)
		if (result->side[s].not_finite || result->side[s].unsteady.found ||
		    (s > 0 && result->pair[s - 1].verdict == GRETA_PARITY_DIFFERS))
			return false;
	return true;
}
