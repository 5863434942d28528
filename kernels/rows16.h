/* The weight layout `rows16`: 16 rows of a quantised matrix interleaved by 32-bit words, so that a vector lane is a
 * row. Bytes are moved, values never change.
 *
 * Rows are taken in groups of 16; missing rows of the last group are zero bytes (their scales are 0). Per row, each 256
 * columns are a run of 32-bit words ("the row's words"); a group stores, for each 256 columns in order, word w of row r
 * at index w * 16 + r. The words of 256 columns are:
 *
 *   Q4_K  36  the block's 144 bytes: {d, dmin}, 3 of scales and mins, 32 of nibbles
 *   Q5_K  44  the block's 176 bytes: {d, dmin}, 3 of scales and mins, 8 of fifth bits, 32 of nibbles
 *   Q6_K  52  the block's first 208 bytes: 32 of low nibbles, 16 of upper bit pairs, 4 of scales
 *   Q8_0  68  4 of scales ({d0, d1}, {d2, d3}, ... of the 8 blocks), 64 of values
 *   Q4_0  36  4 of scales likewise, 32 of nibbles
 *
 * A Q6_K group starts with its blocks' d: f16 [cols / 256][16], padded to a multiple of 64 bytes. */
#ifndef GRETA_ROWS16_H
#define GRETA_ROWS16_H

#include <stddef.h>
#include <stdint.h>

/* 32-bit words per row and 256 columns; 0 for a type without this layout (F32, F16, BF16 stay raw). */
uint32_t greta_rows16_words(uint32_t type);

/* Bytes from one group of 16 rows to the next; cols is a multiple of 256. */
size_t greta_rows16_group_bytes(uint32_t type, uint32_t cols);

/* Bytes that a group's leading d's take: 0 but for Q6_K. */
size_t greta_rows16_head_bytes(uint32_t type, uint32_t cols);

/* Lays out groups [first_group, last_group) of `raw` (GGUF order, `rows` rows in all) at their places in `out`, which
 * is where group 0 starts. Ranges are independent: threads may each do some. */
void greta_rows16_pack(uint32_t type, uint32_t rows, uint32_t cols, const void *raw, uint32_t first_group,
                       uint32_t last_group, void *out);

/* Lays out 256-column blocks [first_block,
 * last_block) of one group at `out`, as the group of a matrix that has only these columns. */
void greta_rows16_pack_blocks(uint32_t type, uint32_t rows, uint32_t cols, const void *raw, uint32_t group,
                              uint32_t first_block, uint32_t last_block, void *out);

#endif
