/* A program as a chain of operations on buffers: what schedule makes, fuse rewrites and lower turns into launches.
 *
 * An operation is a kernel of kernels/abi.h with its arguments: plain values stand in the argument struct itself, and
 * for each pointer field a reference says what it will point at. Values are the buffers of activations; an operation
 * may write one that is already there (x is updated in place). */
#ifndef GRETA_PLANNER_GRAPH_H
#define GRETA_PLANNER_GRAPH_H

#include "kernels/abi.h"

#include <stdbool.h>

#define GRETA_OP_REFS 11 /* the most pointers a kernel takes (qkv); pointers come first in every argument struct */

/* The index of a pointer field among an operation's references. */
#define GRETA_REF(kernel, field) (offsetof(struct greta_##kernel##_args, field) / 8)

/* What lives outside the arena, in every program alike. K and V caches of layer l follow at GRETA_FIXED_K(l), _V(l),
 * then, where attention wants them, its counters. */
enum greta_fixed { GRETA_FIXED_STATE, GRETA_FIXED_TOKENS, GRETA_FIXED_RING, GRETA_FIXED_LOGITS, GRETA_FIXED_CACHES };

#define GRETA_FIXED_K(layer) (GRETA_FIXED_CACHES + 2 * (layer))
#define GRETA_FIXED_V(layer) (GRETA_FIXED_CACHES + 2 * (layer) + 1)
#define GRETA_FIXED_COUNTERS(layers) (GRETA_FIXED_CACHES + 2 * (layers))

enum greta_ref_kind { GRETA_REF_NULL, GRETA_REF_VALUE, GRETA_REF_FIXED, GRETA_REF_TENSOR };

struct greta_ref {
	uint32_t kind;  /* enum greta_ref_kind */
	uint32_t index; /* of the value, enum greta_fixed, or of the tensor in struct greta_weights */
};

struct greta_value {
	char name[20];
	uint64_t bytes;
};

union greta_any_args {
#define X(name) struct greta_##name##_args name;
	GRETA_KERNELS(X)
#undef X
};

struct greta_op {
	uint32_t kernel;      /* enum greta_kernel */
	uint32_t layer;       /* or GRETA_PLAN_NONE */
	uint32_t logic_block; /* enum greta_block */
	union greta_any_args args;
	struct greta_ref refs[GRETA_OP_REFS];
};

struct greta_graph {
	uint32_t chunk; /* tokens */
	struct greta_value *values;
	struct greta_op *ops;
	uint32_t value_count, value_room, op_count, op_room;
	bool failed;    /* out of memory: what was added since is lost */
};

void greta_graph_finish(struct greta_graph *graph);

/* A new value of `bytes`, "name" or "name.layer" (layer GRETA_PLAN_NONE: the former). */
struct greta_ref greta_graph_value(struct greta_graph *graph, const char *name, uint32_t layer, uint64_t bytes);

/* Adds a copy of *op at the end, or before operation `at`. */
void greta_graph_append(struct greta_graph *graph, const struct greta_op *op);
void greta_graph_insert(struct greta_graph *graph, uint32_t at, const struct greta_op *op);
void greta_graph_remove(struct greta_graph *graph, uint32_t at);

static inline bool greta_ref_equal(struct greta_ref a, struct greta_ref b)
{
	return a.kind == b.kind && a.index == b.index;
}

/* Does the operation read (write) what `ref` stands for? */
bool greta_op_reads(const struct greta_op *op, struct greta_ref ref);
bool greta_op_writes(const struct greta_op *op, struct greta_ref ref);

#endif
