#include "bench/parity/locate.h"

#include "bench/parity/digits.h"
#include "bench/parity/launches.h"
#include "bench/parity/run.h"
#include "kernels/abi.h"

#include <stdio.h>
#include <string.h>

#define WRITERS_MAX 4

/* ---- Who writes where ---- */

static bool writes(const struct greta_parity_side *side, const struct greta_plan_launch *launch, size_t place)
{
	const struct greta_plan *plan = greta_session_plan(side->greta);
	const struct greta_kernel_info *info = greta_kernel_info(launch->kernel);
	for (uint32_t f = 0; f < info->field_count; f++) {
		if (info->fields[f].kind != GRETA_OUT && info->fields[f].kind != GRETA_IO)
			continue;
		uint32_t object = greta_parity_object_at(plan, launch, info->fields[f].offset);
		if (object != GRETA_PLAN_NONE && side->place_of[object] == place)
			return true;
	}
	return false;
}

/* The launches of a program that write at a place, in order; how many (the last WRITERS_MAX of them are kept). */
static size_t find_writers(const struct greta_parity_side *side, size_t place, uint32_t program,
			   uint32_t out[WRITERS_MAX])
{
	const struct greta_plan *plan = greta_session_plan(side->greta);
	const struct greta_plan_program *made = &plan->programs[program];
	size_t count = 0;
	for (uint32_t i = 0; i < made->launch_count; i++) {
		if (!writes(side, &plan->launches[made->first_launch + i], place))
			continue;
		if (count == WRITERS_MAX)
			memmove(out, out + 1, --count * sizeof(*out));
		out[count++] = i;
	}
	return count;
}

static struct greta_parity_launch describe(const struct greta_parity_side *side, uint32_t program, uint32_t index)
{
	const struct greta_plan *plan = greta_session_plan(side->greta);
	const struct greta_plan_program *made = &plan->programs[program];
	const struct greta_plan_launch *launch = &plan->launches[made->first_launch + index];
	struct greta_parity_launch out = {
		.found = true,
		.index = index,
		.layer = launch->layer,
		.block = (enum greta_block)launch->logic_block,
		.takes_digits = greta_parity_digits_read(plan, launch) != GRETA_PLAN_NONE,
	};
	snprintf(out.program, sizeof(out.program), "%s", greta_plan_string(plan, made->name));
	snprintf(out.kernel, sizeof(out.kernel), "%s", greta_kernel_info(launch->kernel)->name);
	snprintf(out.symbol, sizeof(out.symbol), "%s", greta_plan_string(plan, launch->symbol));
	return out;
}

struct greta_parity_launch greta_parity_writer(const struct greta_parity_side *side, size_t place,
					       const struct greta_parity_step *step)
{
	uint32_t writers[WRITERS_MAX];
	size_t count = find_writers(side, place, step->program, writers);
	return count ? describe(side, step->program, writers[count - 1]) : (struct greta_parity_launch){0};
}

/* ---- The two sides, unfused ---- */

static enum greta_status open_unfused(const char *model, uint32_t context, size_t room,
				      const struct greta_parity_side *side, struct greta_parity_side *out_side,
				      struct greta_error *error)
{
	struct greta_parity_setup setup = side->setup;
	setup.fuse_none = true;
	setup.plain = false;
	return greta_parity_side_open(model, &setup, context, room, out_side, error);
}

/* Takes the text until the sides differ, or `end` is passed. */
static enum greta_status walk(struct greta_parity_side sides[2], const int32_t *tokens, size_t count, size_t end,
			      struct greta_parity_difference *difference, struct greta_error *error)
{
	enum greta_status status = GRETA_OK;
	for (size_t start = 0, next; start <= end && status == GRETA_OK && !difference->found; start = next) {
		const struct greta_parity_setup *setup = &sides[0].setup;
		if (setup->progress)
			setup->progress(setup->progress_user, "looking for the launch", start, end + 1);
		next = greta_parity_next(sides, 2, start, count);
		for (int s = 0; s < 2 && status == GRETA_OK; s++) {
			status = greta_parity_side_take(&sides[s], tokens, start, next, count, false, error);
			if (status == GRETA_ERROR_NUMBERS) { /* what was computed may still be compared */
				status = GRETA_OK;
				end = start;
			}
		}
		if (status == GRETA_OK)
			greta_parity_first_difference(&sides[0].trace, &sides[1].trace, SIZE_MAX, difference);
	}
	return status;
}

/* The launch, or, where that one's digits are wrong already, the one that made them. */
static enum greta_status blame(struct greta_parity_side *side, const int32_t *tokens,
			       const struct greta_parity_step *step, uint32_t index, size_t position,
			       struct greta_parity_launch *out_culprit, struct greta_error *error)
{
	struct greta_parity_digits digits;
	enum greta_status status = greta_parity_digits_check(side, tokens, step, index, position, &digits, error);
	if (status != GRETA_OK)
		return status;
	*out_culprit = describe(side, step->program, digits.checked && !digits.right ? digits.maker : index);
	if (digits.checked)
		out_culprit->takes_digits = false;
	return GRETA_OK;
}

/* Of launches that write in turn, the first after which the sides differ. */
static enum greta_status bisect(struct greta_parity_side sides[2], const int32_t *tokens,
				const struct greta_parity_difference *difference,
				struct greta_parity_launch *out_culprit, struct greta_error *error)
{
	const struct greta_parity_step *steps[2] = {&difference->a_step, &difference->b_step};
	uint32_t writers[2][WRITERS_MAX];
	size_t count[2];
	enum greta_status status = GRETA_OK;
	for (int s = 0; s < 2; s++)
		count[s] = find_writers(&sides[s], difference->place, steps[s]->program, writers[s]);
	if (!count[1])
		return GRETA_OK;
	for (size_t w = 0; count[0] == count[1] && w + 1 < count[1]; w++) {
		struct greta_parity_difference here;
		for (int s = 0; s < 2 && status == GRETA_OK; s++)
			status = greta_parity_side_take_part(&sides[s], tokens, steps[s], writers[s][w] + 1, error);
		if (status != GRETA_OK)
			return status;
		greta_parity_first_difference(&sides[0].again, &sides[1].again, difference->place, &here);
		if (here.found)
			return blame(&sides[1], tokens, steps[1], writers[1][w], difference->position, out_culprit,
				     error);
	}
	return blame(&sides[1], tokens, steps[1], writers[1][count[1] - 1], difference->position, out_culprit, error);
}

enum greta_status greta_parity_locate(const char *model, uint32_t context, size_t room,
				      const struct greta_parity_side *a, const struct greta_parity_side *b,
				      const int32_t *tokens, size_t count,
				      const struct greta_parity_difference *difference,
				      struct greta_parity_cause *out_cause, struct greta_error *error)
{
	struct greta_parity_side sides[2] = {{.layers = 0}};
	struct greta_parity_cause cause = {
		.launch = greta_parity_writer(b, difference->place, &difference->b_step),
		.unfused = !a->setup.fuse_none || !b->setup.fuse_none || a->setup.plain || b->setup.plain,
	};
	enum greta_status status = open_unfused(model, context, room, a, &sides[0], error);
	if (status == GRETA_OK)
		status = open_unfused(model, context, room, b, &sides[1], error);
	if (status == GRETA_OK)
		status = walk(sides, tokens, count, difference->position, &cause.first, error);
	cause.culprit = cause.launch;
	if (status == GRETA_OK && cause.first.found)
		status = bisect(sides, tokens, &cause.first, &cause.culprit, error);
	for (int s = 0; s < 2; s++)
		greta_parity_side_close(&sides[s]);
	if (status == GRETA_OK)
		*out_cause = cause;
	return status;
}
