/* The places of a model at which two sides are compared: every value that the textbook schedule names, in the order in
 * which a token passes them. A place is a point of a layer, or one before or behind the layers, and has a number: lower
 * numbers are computed first, from nothing that comes later, so the lowest place that differs is where a difference was
 * made. */
#ifndef GRETA_BENCH_PARITY_POINTS_H
#define GRETA_BENCH_PARITY_POINTS_H

#include "runtime/plan.h"

#include <stdbool.h>
#include <stddef.h>

/* X(id, name of the buffer in a plan that keeps all, logic block, what it is) */
#define GRETA_PARITY_BEFORE(X) \
	X(x, "x", embed, "embedding") \
	X(rope, "rope", embed, "cosines and sines of the positions")
#define GRETA_PARITY_LAYER(X) \
	X(attn_norm, "attn_norm", qkv, "norm before attention") \
	X(q, "q", qkv, "queries, rotated") \
	X(k, "k", qkv, "keys, rotated") \
	X(v, "v", qkv, "values") \
	X(k_cache, "k cache", attention, "keys as the cache holds them") \
	X(v_cache, "v cache", attention, "values as the cache holds them") \
	X(attention, "attention", attention, "attention") \
	X(output, "output", output, "attention's output product") \
	X(x_output, "x_output", output, "residual stream behind attention") \
	X(ffn_norm, "ffn_norm", ffn, "norm before the feed-forward") \
	X(gate, "gate", ffn, "gate product") \
	X(up, "up", ffn, "up product") \
	X(h, "h", ffn, "silu(gate) * up") \
	X(down, "down", ffn, "down product") \
	X(x_ffn, "x_ffn", ffn, "residual stream behind the layer")
#define GRETA_PARITY_BEHIND(X) \
	X(output_norm, "output_norm", lm_head, "last norm") \
	X(logits, "logits", lm_head, "logits")
#define GRETA_PARITY_POINTS(X) GRETA_PARITY_BEFORE(X) GRETA_PARITY_LAYER(X) GRETA_PARITY_BEHIND(X)

enum greta_parity_point {
#define X(id, name, block, text) GRETA_POINT_##id,
	GRETA_PARITY_POINTS(X)
#undef X
	GRETA_POINT_COUNT
};

struct greta_parity_point_info {
	const char *name;
	const char *text;
	enum greta_block block;
};

const struct greta_parity_point_info *greta_parity_point_info(enum greta_parity_point point);

/* What people call a logic block. */
const char *greta_parity_block_name(enum greta_block block);

/* Places of a model of so many layers. */
size_t greta_parity_places(uint32_t layers);

/* The number of a place; `layer` is GRETA_PLAN_NONE for those outside the layers. */
size_t greta_parity_place(uint32_t layers, enum greta_parity_point point, uint32_t layer);

/* And back. */
enum greta_parity_point greta_parity_place_point(uint32_t layers, size_t place);
uint32_t greta_parity_place_layer(uint32_t layers, size_t place);

/* The place of a buffer called "name" or "name.layer"; false for one that is nobody's (digits, scratch). */
bool greta_parity_place_of(uint32_t layers, const char *buffer, size_t *out_place);

#define GRETA_PARITY_NAME_MAX 32

/* "q.3", "logits" */
const char *greta_parity_place_name(uint32_t layers, size_t place, char out[GRETA_PARITY_NAME_MAX]);

#endif
