/* What the planner knows of a device. Everything it decides follows from the numbers in such a description, never from its
 * name, so that another device is another row of the table in target.c. */
#ifndef GRETA_PLANNER_TARGET_H
#define GRETA_PLANNER_TARGET_H

#include "kernels/abi.h"

#include <stdbool.h>

#define GRETA_TARGET_TYPES 31 /* enum greta_type is below this */

struct greta_target {
	const char *name;        /* as in plans and on the command line */
	const char *description; /* one line for people */

	/* The device. */
	uint32_t wave;             /* lanes that run in step */
	uint32_t compute_units;    /* blocks that run at one time; nominal where one plan serves machines of any size */
	uint64_t max_shared_bytes; /* of a block */
	double read_bandwidth;     /* bytes per second from memory */
	double node_cost_us;       /* what a node of a replayed chain costs, besides its work */
	double digits_us;          /* what a block takes to make the digits of 1,024 values */
	bool model_in_place;       /* kernels can read the mapped model: region MODEL may be used */

	/* Its kernels. */
	uint32_t block_threads;      /* lanes of a block */
	uint32_t self_digits_tokens; /* tokens of which a product can make the digits itself */
	uint32_t digits_block_bytes; /* of 256 values in a digits buffer */
	uint32_t work_bytes;         /* shared memory that every kernel gets */
	uint32_t product_rows;       /* rows a block of product, qkv and gate_up; a multiple of 16 */
	uint32_t lm_head_rows;       /* the same of lm_head */
	uint32_t attention_tokens;   /* tokens a block of attention, where a program has as many */
	uint8_t layouts[GRETA_TARGET_TYPES];     /* enum greta_layout of the matrices of each enum greta_type */
	const char *symbols[GRETA_KERNEL_COUNT]; /* each kernel's name in the target's module; NULL: it has none */
};

/* The targets of this build, in the order of the table; NULL beyond the last. */
const struct greta_target *greta_target_at(size_t index);

/* By name; NULL when there is none of that name. */
const struct greta_target *greta_target_find(const char *name);

/* Shared memory of a product that makes the digits of its input of `cols` values itself. */
uint64_t greta_target_self_digits_bytes(const struct greta_target *target, uint32_t cols);

/* Whether the digits of `chunk` vectors of `cols` values, of which products have need next, are cheaper made once by a node
 * of their own than by every block again (also true when the blocks cannot). */
bool greta_target_wants_digits_node(const struct greta_target *target, uint32_t chunk, uint32_t cols);

#endif
