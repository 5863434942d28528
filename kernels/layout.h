/* The weight layouts (enum greta_layout) by number: how large a matrix is in each, and how it is brought there. */
#ifndef GRETA_LAYOUT_H
#define GRETA_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that 16 rows of `cols` columns (a multiple of 256) take in a layout that packs rows in groups of 16: the step
 * from one group to the next. 0 for the raw layout, and for a layout that the type does not have. */
size_t greta_layout_group_bytes(uint32_t layout, uint32_t type, uint32_t cols);

/* Lays out the first `groups` groups of `raw` (GGUF order, `rows` rows in all) at `out`, 8-byte aligned. Nothing for a
 * layout without groups. */
void greta_layout_pack(uint32_t layout, uint32_t type, uint32_t rows, uint32_t cols, const void *raw, uint32_t groups,
                       void *out);

#endif
