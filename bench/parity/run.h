/* A whole comparison: one text through several sides, each against the first. */
#ifndef GRETA_BENCH_PARITY_RUN_H
#define GRETA_BENCH_PARITY_RUN_H

#include "bench/parity/compare.h"
#include "bench/parity/locate.h"
#include "bench/parity/side.h"
#include "bench/parity/tolerance.h"

#define GRETA_PARITY_SIDES_MAX 16

struct greta_parity_request {
	const char *model;
	const int32_t *tokens; /* [count] */
	size_t count;
	uint32_t context;      /* positions; at least count */
	const struct greta_parity_setup *setups; /* [sides]; the first is what the others are compared with */
	size_t sides;          /* 1 (only repeated) to GRETA_PARITY_SIDES_MAX */
	unsigned runs;         /* how often each step is taken; repetitions must give the same bits */
	uint32_t top_k;        /* >= 1 */
	double tolerance;      /* of max_relative, in the place of the setups'; 0: theirs */
};

enum greta_parity_verdict {
	GRETA_PARITY_EQUAL,   /* every bit that both sides show */
	GRETA_PARITY_WITHIN,  /* not equal, nor meant to be; within the tolerance */
	GRETA_PARITY_DIFFERS,
};

/* A side against the first. */
struct greta_parity_pair {
	bool equal_bits;      /* is what they owe each other */
	enum greta_parity_verdict verdict;
	struct greta_parity_errors *errors; /* [places] */
	struct greta_parity_logits logits;
	struct greta_parity_difference difference; /* the first; positions behind it were not compared, if equal_bits */
	struct greta_parity_cause cause;           /* of it, if equal_bits */
	struct greta_parity_tolerance tolerance;   /* if not equal_bits */
	size_t outside;       /* the first place out of tolerance; SIZE_MAX for none */
};

struct greta_parity_result {
	uint32_t layers;
	size_t places, sides, positions; /* positions: taken */
	struct {
		char text[GRETA_PARITY_SETUP_MAX];
		char device[128];
		uint32_t steps;
		bool not_finite;      /* its logits, at which the comparison ended */
		struct greta_parity_difference unsteady; /* the first value that a repetition changed;
							  * a: before, b: then */
		struct greta_parity_launch unsteady_launch;
	} side[GRETA_PARITY_SIDES_MAX];
	struct greta_parity_pair pair[GRETA_PARITY_SIDES_MAX]; /* of side i + 1 with side 0 */
};

/* Errors as of greta_parity_side_open, greta_parity_side_take; ARGUMENT. A difference is none. */
enum greta_status greta_parity_run(const struct greta_parity_request *request, struct greta_parity_result *out_result,
				   struct greta_error *error);

void greta_parity_result_finish(struct greta_parity_result *result);

/* Is everything as it must be: pairs equal or within tolerance, repetitions equal, logits finite? */
bool greta_parity_passed(const struct greta_parity_result *result);

/* Where the run of positions ends that starts at `start`: the longest step that one of the sides takes there. */
size_t greta_parity_next(const struct greta_parity_side *sides, size_t side_count, size_t start, size_t count);

#endif
