/* What one launch of a plan may touch, and whether that is sound. */
#ifndef GRETA_VERIFY_LAUNCH_H
#define GRETA_VERIFY_LAUNCH_H

#include "runtime/plan.h"
#include "runtime/verify_target.h"

#include <stdbool.h>

#define GRETA_ACCESSES_MAX 11 /* pointers of a kernel */

/* A range of the arena that a launch reads or writes. */
struct greta_access {
	uint64_t begin, end; /* bytes of the region */
	uint32_t buffer;     /* index in BUFFERS */
	bool write, read;
	bool in_place;       /* an output that may be the very range of an in_place input */
};

struct greta_launch_use {
	struct greta_access accesses[GRETA_ACCESSES_MAX];
	uint32_t count;
	uint32_t k_cache, v_cache; /* buffers, or GRETA_PLAN_NONE */
	uint32_t counters, stamps; /* buffers, or GRETA_PLAN_NONE */
	uint32_t stamp, stamp_slots, stamp_rows; /* with stamps: which, of how many, and of how many steps */
	uint32_t best_written, best_read; /* entries of `best` */
	bool writes_caches, writes_logits, reads_logits, samples, advances;
};

/* Checks launch `index` of `program` by itself (verify.h says what), and gives what it uses. `facts` are those of the
 * plan's target. FORMAT. */
enum greta_status greta_verify_launch(const struct greta_plan *plan, const struct greta_target_facts *facts,
				      const struct greta_plan_program *program, size_t index,
				      struct greta_launch_use *out_use, struct greta_error *error);

#endif
