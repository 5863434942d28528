/* The weight layout `tile16`: 16 rows by 256 columns of a quantised matrix as a tile in which every 16-byte vector
 * is what one lane of an integer matrix instruction wants. Bits are moved, values never change, and the size is
 * GGUF's.
 *
 * A matrix is [row group of 16][cols / 256] tiles; missing rows of the last group are zero bytes (their scales are
 * 0). In a tile, i is the row, j a sub-block of 32 columns and g a quarter of it: columns 8 g to 8 g + 7 of every
 * sub-block. A plane is [4 quarters][16 rows] of 16 or of 8 bytes: what row i has for its quarter g lies at index g
 * * 16 + (i ^ 2 g), in planes of 8 bytes at g * 16 + (i ^ 4 g), so that neither the order by rows nor that by
 * quarters meets in the banks of a shared memory.
 *
 *   Q4_K  2,304  2 planes of 16 bytes, then 16 heads of 16
 *   Q5_K  2,816  the same with a plane of 8 bytes before the heads: byte x has the fifth bits of column 8 g + x, bit j
 *         that of j
 *   Q4_0  2,304  2 planes of 16 bytes, then 16 heads of 16: the f16 d of the 8 sub-blocks
 *   Q8_0  4,352  4 planes of 16 bytes, then heads as of Q4_0
 *   Q6_K  3,360  3 planes of 16 bytes, 16 times 16 scales, 16 f16 d
 *
 * Planes of Q4_K, Q5_K, Q4_0: plane v holds two runs of 8 bytes, run p = 2 v and p = 2 v + 1: low nibbles are
 * columns of sub-block 2 p, high nibbles of 2 p + 1. Planes of Q8_0: plane v holds sub-blocks 2 v and 2 v + 1.
 * Planes of Q6_K: plane v < 2 holds the low four bits of sub-blocks 4 v, with 4 v + 2 in the high nibbles, then of 4
 * v + 1, with 4 v + 3; plane 2 holds the upper two bits of sub-blocks 0 to 3, then of 4 to 7, sub-block j in bits 2
 * (j % 4).
 *
 * Heads of Q4_K and Q5_K: {f16 d, f16 dmin, word 0, word 1, word 2}. Byte p of word h < 2 is the scale of sub-block
 * 2 p + h, with the upper two bits of the min of sub-block 4 h + p on top; byte p of word 2 has the low four bits of
 * the mins of sub-blocks p and p + 4. Scales of Q6_K, of sub-blocks of 16 columns: byte 8 h + p is that of sub-block
 * 2 p + h. */
#ifndef GRETA_TILE16_H
#define GRETA_TILE16_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a tile; 0 for a type without this layout (F32, F16, BF16 stay raw). */
uint32_t greta_tile16_bytes(uint32_t type);

/* Bytes from one group of 16 rows to the next; cols is a multiple of 256. */
size_t greta_tile16_group_bytes(uint32_t type, uint32_t cols);

/* Lays out groups [first_group, last_group) of `raw` (GGUF order, `rows` rows in all) at their places in `out`,
 * which is where group 0 starts. Ranges are independent: threads may each do some. */
void greta_tile16_pack(uint32_t type, uint32_t rows, uint32_t cols, const void *raw, uint32_t first_group,
                       uint32_t last_group, void *out);

#endif
