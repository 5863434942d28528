#include "runtime/stamps.h"

#include "runtime/clock.h"
#include "runtime/session.h"

#include <stdlib.h>
#include <string.h>

/* ---- Plans ---- */

static const struct greta_plan_launch *launch_at(const struct greta_plan *plan, size_t program, uint32_t index)
{
	return &plan->launches[plan->programs[program].first_launch + index];
}

/* Every program of a plan begins with a stamp, or it has none. */
static const struct greta_stamp_args *first_stamp(const struct greta_plan *plan, size_t program)
{
	const struct greta_plan_launch *launch = launch_at(plan, program, 0);
	return launch->kernel == GRETA_KERNEL_stamp ? (const void *)(plan->args + launch->args) : NULL;
}

uint32_t greta_stamp_slots(const struct greta_plan *plan, size_t program)
{
	const struct greta_stamp_args *stamp = first_stamp(plan, program);
	return stamp ? stamp->slots : 0;
}

void greta_stamp_intervals(const struct greta_plan *plan, size_t program, struct greta_stamp_interval *out)
{
	const struct greta_plan_program *p = &plan->programs[program];
	uint32_t slot = 0;
	for (uint32_t l = 0; l < p->launch_count; l++) {
		if (launch_at(plan, program, l)->kernel != GRETA_KERNEL_stamp) {
			out[slot - 1].count++;
			continue;
		}
		if (++slot < greta_stamp_slots(plan, program))
			out[slot - 1] = (struct greta_stamp_interval){p->first_launch + l + 1, 0};
	}
}

uint64_t greta_launch_weight_bytes(const struct greta_plan *plan, size_t launch)
{
	const struct greta_plan_launch *l = &plan->launches[launch];
	uint64_t bytes = 0;
	for (uint32_t r = 0; r < l->reloc_count; r++) {
		const struct greta_plan_reloc *reloc = &plan->relocs[l->first_reloc + r];
		if (l->kernel == GRETA_KERNEL_embed && reloc->field == offsetof(struct greta_embed_args, table)) {
			const struct greta_embed_args *args = (const void *)(plan->args + l->args);
			bytes += (uint64_t)args->row_bytes * args->chunk;
		} else if (reloc->region <= GRETA_REGION_MODEL) {
			bytes += plan->tensors[reloc->object].bytes;
		}
	}
	return bytes;
}

/* ---- Sessions ---- */

/* Where a program's stamps lie on the device, and how many words they are. */
static const uint64_t *stamps_of(const struct greta *greta, const struct greta_stamp_args *args, size_t *out_words)
{
	*out_words = greta_stamp_row(1 + args->rows, args->slots);
	return (const uint64_t *)(const void *)((const uint8_t *)greta->memory.state + (uintptr_t)args->stamps);
}

/* Oldest first. */
static enum greta_status keep(const uint64_t *words, const struct greta_stamp_args *args,
			      struct greta_program_stamps *out, struct greta_error *error)
{
	size_t row_words = (size_t)args->slots + 1;
	struct greta_program_stamps made = {.slots = args->slots, .steps = words[0]};
	made.kept = made.steps < args->rows ? (uint32_t)made.steps : args->rows;
	made.rows = calloc(made.kept + (size_t)1, row_words * sizeof(uint64_t));
	if (!made.rows)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the stamps of %u steps", made.kept);
	for (uint32_t r = 0; r < made.kept; r++)
		memcpy(made.rows + r * row_words,
		       words + greta_stamp_row(greta_stamp_target(made.steps - made.kept + r, args->rows), args->slots),
		       row_words * sizeof(uint64_t));
	*out = made;
	return GRETA_OK;
}

static enum greta_status fail(struct greta *greta, hipError_t code, const char *what, struct greta_error *error)
{
	struct greta_error reason;
	enum greta_status status = greta_hip_fail(greta->hip, code, &reason, "%s of the time stamps", what);
	if (error)
		*error = reason;
	return greta_session_broke(greta, status, &reason);
}

static enum greta_status check_stamps(const struct greta *greta, struct greta_error *error)
{
	if (greta_stamp_slots(&greta->plan, 0))
		return GRETA_OK;
	return greta_fail(error, GRETA_ERROR_ARGUMENT,
			  "the plan writes no time stamps: plan with --stamps blocks or launches");
}

static enum greta_status read_program(struct greta *greta, size_t program, struct greta_program_stamps *out,
				      struct greta_error *error)
{
	const struct greta_stamp_args *args = first_stamp(&greta->plan, program);
	size_t words;
	if (!args)
		return GRETA_OK;
	const uint64_t *device = stamps_of(greta, args, &words);
	uint64_t *copy = malloc(words * sizeof(*copy));
	if (!copy)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu time stamps", words);
	hipError_t code = greta->hip->hipMemcpy(copy, device, words * sizeof(*copy), hipMemcpyDeviceToHost);
	enum greta_status status =
		code == hipSuccess ? keep(copy, args, out, error) : fail(greta, code, "hipMemcpy", error);
	free(copy);
	return status;
}

enum greta_status greta_stamps_read(struct greta *greta, struct greta_stamps *out_stamps, struct greta_error *error)
{
	struct greta_stamps made = {.count = greta->plan.program_count};
	int khz = 0;
	enum greta_status status = check_stamps(greta, error);
	if (status != GRETA_OK)
		return status;
	hipError_t code = greta->hip->hipDeviceGetAttribute(&khz, hipDeviceAttributeWallClockRate, 0);
	if (code != hipSuccess || khz < 1)
		return fail(greta, code != hipSuccess ? code : hipErrorNotSupported,
			    "hipDeviceGetAttribute of the clock", error);
	made.tick_ns = 1e6 / khz;
	status = greta_session_drain(greta, error);
	if (status != GRETA_OK)
		return status;
	made.programs = calloc(made.count + 1, sizeof(*made.programs));
	if (!made.programs)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the stamps of %zu programs", made.count);
	for (size_t p = 0; p < made.count && status == GRETA_OK; p++)
		status = read_program(greta, p, &made.programs[p], error);
	if (status == GRETA_OK)
		*out_stamps = made;
	else
		greta_stamps_finish(&made);
	return status;
}

/* Runs the decode program's first stamp, which outside a step counts nothing. */
static enum greta_status ask(struct greta *greta, struct greta_stamp_moment *out, struct greta_error *error)
{
	const struct greta_stamp_args *args = first_stamp(&greta->plan, 0);
	size_t words;
	const uint64_t *clock = stamps_of(greta, args, &words) + greta_stamp_row(0, args->slots) + 1;
	uint64_t begin = greta_clock_ns();
	enum greta_status status =
		greta_programs_launch_one(&greta->programs, greta->plan.programs[0].first_launch, greta->stream, error);
	if (status == GRETA_OK)
		status = greta_session_drain(greta, error);
	if (status != GRETA_OK)
		return status;
	uint64_t end = greta_clock_ns();
	*out = (struct greta_stamp_moment){.host_ns = begin + (end - begin) / 2, .unsure_ns = (end - begin + 1) / 2};
	hipError_t code = greta->hip->hipMemcpy(&out->device, clock, sizeof(*clock), hipMemcpyDeviceToHost);
	return code == hipSuccess ? GRETA_OK : fail(greta, code, "hipMemcpy", error);
}

enum greta_status greta_stamps_now(struct greta *greta, struct greta_stamp_moment *out_moment,
				   struct greta_error *error)
{
	struct greta_stamp_moment best = {.unsure_ns = UINT64_MAX}, one;
	enum greta_status status = check_stamps(greta, error);
	if (status == GRETA_OK)
		status = greta_session_drain(greta, error);
	for (int i = 0; i < 16 && status == GRETA_OK; i++) {
		status = ask(greta, &one, error);
		if (status == GRETA_OK && one.unsure_ns < best.unsure_ns)
			best = one;
	}
	if (status == GRETA_OK)
		*out_moment = best;
	return status;
}

void greta_stamps_finish(struct greta_stamps *stamps)
{
	for (size_t p = 0; stamps->programs && p < stamps->count; p++)
		free(stamps->programs[p].rows);
	free(stamps->programs);
	*stamps = (struct greta_stamps){0};
}
