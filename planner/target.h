/* What the planner knows of a device. Everything it decides follows from the numbers in such a description, never from
 * its name, so that another device is another row of the table in target.c. */
#ifndef GRETA_PLANNER_TARGET_H
#define GRETA_PLANNER_TARGET_H

#include "kernels/abi.h"

#include <stdbool.h>

#define GRETA_TARGET_TYPES 31 /* enum greta_type is below this */
#define GRETA_TYPE_SET(type) (UINT32_C(1) << (type))

/* A function of the target's module: which launches it is for, and their shape. A target lists the forms of a kernel in
 * the order of preference; the first that fits is taken. */
struct greta_form {
	enum greta_kernel kernel;
	const char *symbol;    /* the function's name */
	uint32_t types;        /* set (GRETA_TYPE_SET) that the types of the matrices must be in; 0: any */
	uint32_t most_tokens;  /* of the program; 0: any number */
	uint32_t threads;      /* lanes of a block */
	uint32_t shared_bytes; /* dynamic shared memory besides digits and rows */
	uint32_t tokens;       /* of a block; 0: all of the program, or one where a block is a token */

	/* Of product, qkv, gate_up, lm_head. */
	uint32_t rows;         /* of a block: a multiple of 16 … */
	uint32_t blocks;       /* … or of that, so that there are no more blocks than this at a time; 0: any number … */
	uint32_t most_rows;    /* … but not more rows than this; 0: any number */
	uint32_t row_bytes;    /* shared memory for each row of a block */
	bool apart;            /* a block's rows are all of one matrix of qkv */

	/* Of attention. */
	uint32_t heads;        /* of a block, at most; 0: those that share a K/V head */
	uint32_t splits;       /* blocks wanted in all, over which the context is split; 0: it is not, and neither
				  scratch nor counters are used */
};

struct greta_target {
	const char *name;        /* as in plans and on the command line */
	const char *description; /* one line for people */

	/* The device. */
	uint32_t wave;             /* lanes that run in step */
	uint32_t compute_units;    /* blocks that run at one time; nominal where one plan serves machines of any size */
	uint64_t max_shared_bytes; /* dynamic, of a block */
	double read_bandwidth;     /* bytes per second from memory */
	double node_cost_us;       /* what a node of a replayed chain costs, besides its work */
	double digits_us;          /* what a block takes to make the digits of 1,024 values */
	bool model_in_place;       /* kernels can read the mapped model: region MODEL may be used */

	/* Its kernels. */
	uint32_t self_digits_tokens; /* tokens of which a product can make the digits itself */
	uint32_t digits_block_bytes; /* of 256 values in digits, in a buffer and in shared memory */
	uint32_t self_value_bytes;   /* shared memory for each value of an input whose digits a product makes */
	uint8_t layouts[GRETA_TARGET_TYPES]; /* enum greta_layout of the matrices of each enum greta_type */
	const struct greta_form *forms;
	size_t form_count;
};

/* The targets of this build, in the order of the table; NULL beyond the last. */
const struct greta_target *greta_target_at(size_t index);

/* By name; NULL when there is none of that name. */
const struct greta_target *greta_target_find(const char *name);

/* The form for a launch in a program of `chunk` tokens with matrices of `types` (0: it has none); NULL for none. */
const struct greta_form *greta_target_form(const struct greta_target *target, enum greta_kernel kernel, uint32_t chunk,
					   uint32_t types);

/* Whether the target has the kernel at all. */
bool greta_target_has(const struct greta_target *target, enum greta_kernel kernel);

/* Rows that a block of the form takes of a launch over `rows` rows, when `room` bytes of its shared memory are left for
 * them: in as few rounds of `blocks` blocks as fit, and as many in each round. At least the form's own. */
uint32_t greta_form_rows(const struct greta_form *form, uint64_t rows, uint64_t room);

/* Blocks over which a form that splits splits a context of so many positions, for each of `heads` heads. */
uint32_t greta_form_splits(const struct greta_form *form, uint32_t heads, uint32_t context);

/* Shared memory for the digits that a product makes of its input of `cols` values itself. */
uint64_t greta_target_self_digits_bytes(const struct greta_target *target, uint32_t cols);

/* Whether the digits of `chunk` vectors of `cols` values, of which products have need next, are cheaper made once by a
 * node of their own than by every block again (also true when the blocks cannot, `room` bytes of shared memory being
 * left them). */
bool greta_target_wants_digits_node(const struct greta_target *target, uint32_t chunk, uint32_t cols, uint64_t room);

#endif
