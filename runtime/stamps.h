/* The time stamps that the launches of a plan made with --stamps leave on the device (kernels/abi.h, stamp): when each
 * launch or logic block of the last steps ended, by the device's own clock, in a replayed graph as much as launch by
 * launch. */
#ifndef GRETA_STAMPS_H
#define GRETA_STAMPS_H

#include "runtime/greta.h"
#include "runtime/plan.h"

#include <stdbool.h>

/* ---- What a plan's stamps stand for ---- */

/* Stamps of a step of a program; 0: the plan was made without. */
uint32_t greta_stamp_slots(const struct greta_plan *plan, size_t program);

/* Launches [first, first + count) of the plan lie between two stamps that follow each other. */
struct greta_stamp_interval {
	uint32_t first, count; /* count 0: what a stamp itself takes */
};

/* Interval i is between stamps i and i + 1: out [slots - 1]. */
void greta_stamp_intervals(const struct greta_plan *plan, size_t program, struct greta_stamp_interval *out);

/* Bytes of weights that a launch of a program of `chunk` tokens reads: its tensors', each once; of the embedding table
 * the tokens' rows. */
uint64_t greta_launch_weight_bytes(const struct greta_plan *plan, size_t launch);

/* ---- What they measured ---- */

struct greta_program_stamps {
	uint32_t slots; /* 0: the program has none */
	uint64_t steps; /* of the program, since the session was opened */
	uint32_t kept;  /* the last of them: */
	uint64_t *rows; /* [kept][1 + slots], oldest first: tokens << 32 | first position,
			 * then the clock at each stamp */
};

struct greta_stamps {
	double tick_ns; /* nanoseconds of a tick of the clock */
	size_t count;   /* programs of the plan, in its order */
	struct greta_program_stamps *programs;
};

/* Waits for enqueued steps and reads all stamps. ARGUMENT (the plan's decode program has none), MEMORY, DEVICE. */
enum greta_status greta_stamps_read(struct greta *greta, struct greta_stamps *out_stamps, struct greta_error *error);

void greta_stamps_finish(struct greta_stamps *stamps);

/* One moment on both clocks. */
struct greta_stamp_moment {
	uint64_t device;     /* ticks */
	uint64_t host_ns;    /* greta_clock_ns */
	uint64_t unsure_ns;  /* the host's may be this much more or less */
};

/* Waits for enqueued steps and asks for the time: of several stamps by themselves, the one between whose enqueueing and
 * end the host saw the least time go by. Errors as above. */
enum greta_status greta_stamps_now(struct greta *greta, struct greta_stamp_moment *out_moment,
				   struct greta_error *error);

/* Row r of those kept. */
static inline const uint64_t *greta_stamps_row(const struct greta_program_stamps *program, size_t r)
{
	return program->rows + r * ((size_t)program->slots + 1);
}

#endif
