/* greta-plan as a library: from a model to the bytes of a plan file (runtime/plan.h).
 *
 * The way there, one file each, called by build: weights (which tensors, in which layout, where), scan (their
 * exponents); for each program schedule (a graph: the chain of textbook operations), fuse (fewer, larger operations, as
 * the target's description allows), stamp (time stamps between them, if wanted), arena (lifetimes and offsets), lower
 * (operations to launches), program (all of it into the draft of the plan); write (the file). The same input gives the
 * same bytes, whatever the number of threads. */
#ifndef GRETA_PLANNER_H
#define GRETA_PLANNER_H

#include "models/llama.h"
#include "runtime/plan.h"

#include <stdbool.h>

/* Where a plan writes time stamps (kernels/abi.h, stamp): nowhere, or in every program twice before its first launch,
 * so that what a stamp itself takes is known, and then after each logic block of a layer, or after each launch. */
enum greta_plan_stamps { GRETA_PLAN_STAMPS_NONE, GRETA_PLAN_STAMPS_BLOCKS, GRETA_PLAN_STAMPS_LAUNCHES };

struct greta_plan_options {
	const char *target;       /* NULL: "cpu" */
	uint32_t context;         /* tokens; 0: the model's, but at most 4,096 */
	const uint32_t *prefill;  /* chunk lengths of the prefill programs, in any order; NULL: 32, 128, 512 */
	size_t prefill_count;
	uint32_t kv_type;         /* enum greta_kv_type */
	uint32_t fuse;            /* enum greta_fuse */
	uint32_t activations;     /* digits per value, 1 to 4; 0: 4 */
	bool keep_all;            /* nothing is reused or written over: after a step every value that its launches wrote is
				   * still there. For tools that look at values (greta-parity); the arena is as large as the sum */
	uint32_t stamps;          /* enum greta_plan_stamps */
	uint32_t threads;         /* that read the weights' scales; 0: one per processor, at most 8 */

	/* Called now and then while the weights are read, with the bytes done and the bytes in all, always from the
	 * thread that builds; NULL: not called. */
	void (*progress)(void *user, uint64_t done, uint64_t total);
	void *user;
};

/* The defaults: decode and prefill of 32, 128 and 512 tokens, f16 caches, everything fused, 4 digits. */
#define GRETA_PLAN_OPTIONS_DEFAULT {.kv_type = GRETA_KV_F16, .fuse = GRETA_FUSE_FULL}

struct greta_plan_image {
	void *data; /* 64-byte aligned; the caller's after success, released by greta_plan_image_finish */
	size_t size;
};

/* Plans `model`, which was read from a file, into a checked image. Prefill lengths above the context are cut to it, and
 * repetitions dropped. Blocks while the scales of all matrices are read. Errors: ARGUMENT (an option out of range; the
 * message says the range), FORMAT (a scale that is not finite, naming tensor and block), UNSUPPORTED (a kernel would
 * need more than the target has), MEMORY. */
enum greta_status greta_plan_build(const struct greta_llama *model, const struct greta_plan_options *options,
				   struct greta_plan_image *out_image, struct greta_error *error);

/* Writes the image beside `path` and renames it there: a reader sees the old file or the new one, whole. IO. */
enum greta_status greta_plan_write(const char *path, const struct greta_plan_image *image, struct greta_error *error);

void greta_plan_image_finish(struct greta_plan_image *image);

#endif
