/* The number formats a weight tensor may have, as GGUF numbers them (ggml's enum ggml_type; block layouts are
 * described in docs/numbers.md). One table: everything that needs a list of types is made from it. */
#ifndef GRETA_TYPES_H
#define GRETA_TYPES_H

#include <stdint.h>

/* X(name, GGUF id, GGUF's spelling, values per block, bytes per block) */
#define GRETA_TYPES(X)               \
	X(F32, 0, "F32", 1, 4)       \
	X(F16, 1, "F16", 1, 2)       \
	X(Q4_0, 2, "Q4_0", 32, 18)   \
	X(Q8_0, 8, "Q8_0", 32, 34)   \
	X(Q4_K, 12, "Q4_K", 256, 144) \
	X(Q5_K, 13, "Q5_K", 256, 176) \
	X(Q6_K, 14, "Q6_K", 256, 210) \
	X(BF16, 30, "BF16", 1, 2)

enum greta_type {
#define X(name, id, spelling, values, bytes) GRETA_TYPE_##name = (id),
	GRETA_TYPES(X)
#undef X
};

struct greta_type_info {
	enum greta_type type;
	const char *name;
	uint32_t block_values;
	uint32_t block_bytes;
};

/* The table's row for a GGUF type id; NULL for a type that this project does not know. */
const struct greta_type_info *greta_type_info(uint32_t id);

#endif
