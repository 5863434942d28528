/* The tensors of a plan: which of the model's it uses, in which layout and region, and the constants that it adds. */
#ifndef GRETA_PLANNER_WEIGHTS_H
#define GRETA_PLANNER_WEIGHTS_H

#include "models/llama.h"
#include "planner/target.h"

struct greta_weight {
	const struct greta_gguf_tensor *tensor; /* NULL: a constant */
	const char *name;                       /* of a constant */
	uint64_t offset;                        /* in its region */
	uint64_t bytes;                         /* there */
	uint64_t source, source_bytes;          /* in the GGUF file, or in the constants */
	uint32_t region;                        /* WEIGHTS or MODEL */
	uint32_t type, layout, rows, cols;
	int32_t exponent;
	bool product;                           /* a matrix of products: its exponent is wanted */
};

/* Indices in the table. */
struct greta_layer_weights {
	uint32_t attn_norm, attn_q, attn_k, attn_v, attn_output, ffn_norm, ffn_gate, ffn_up, ffn_down;
};

struct greta_weights {
	struct greta_weight *items;
	size_t count, room;
	struct greta_layer_weights *layers;
	uint32_t token_embd, output_norm, output, frequencies;
	double *constants;        /* contents of the constant tensors, one after the other */
	size_t constants_bytes;
	uint64_t region_bytes;    /* of WEIGHTS */
};

/* Lists the model's tensors and lays them out for `target`; exponents are still 0. `model` must outlive the weights.
 * Norms and the table of embeddings stay as they are; a matrix takes the target's layout for its type; what stays as it
 * is is used in the model where the target can (and the file's alignment is at least 32), else copied. MEMORY; FORMAT
 * for rope frequencies that are no positive numbers. */
enum greta_status greta_weights_init(struct greta_weights *weights, const struct greta_llama *model,
				     const struct greta_target *target, struct greta_error *error);

void greta_weights_finish(struct greta_weights *weights);

/* Bytes that one decode step reads: every matrix and norm once, one row of the embeddings. */
uint64_t greta_weights_step_bytes(const struct greta_weights *weights);

#endif
