/* Integer matrix instructions: 16 rows of 32 weights (A) times 32 values in several columns (B), added to C in
 * int32. Columns are the four digits of a value, times GRETA_SLOTS: a slot is a sub-block of 32 columns that is
 * multiplied by its own scale. A lane puts zero where its column's slot is not that of the sub-block at hand, so
 * that GRETA_SLOTS instructions fill one C.
 *
 *   GRETA_A_EIGHTS              eights of weights that a lane holds, two words each: of a row, 8 of the 32 columns
 *   GRETA_B_EIGHTS              the same of B: of a column, values that follow each other
 *   GRETA_C_ROWS, _C_DIGITS     results of a lane, GRETA_RESULTS in all: c[r * GRETA_C_DIGITS + e]
 *   GRETA_SLOTS                 2 or 4
 *   greta_a_row(lane, e), greta_quarter(lane, e)   whose eight e of A is: which row, and which 8 columns; these are those
 *                                                  of eight e of B too
 *   greta_b_digit(lane), greta_b_slot(lane)     which column of B
 *   greta_c_row(lane, r), greta_c_slot(lane)    whose results
 *   greta_multiply_signed, greta_multiply       C += A B; A's bytes are signed, or below 128; B's are signed
 *   GRETA_HIGH_NIBBLES(w), GRETA_HIGH_SHIFT     the high nibbles of w as operand of greta_multiply, times
 *                                               2^GRETA_HIGH_SHIFT
 *   greta_pin(c)                a hint: what makes C comes before what stands after, to save registers
 *   greta_multiply_mins         C of B = the digit sums of sub-blocks (layouts.h) and A = their mins; slots 0 and 1 as
 *                               `sum` has them, greta_sum_offset(lane) bytes into it
 *
 * Sums are handed over between the lanes that hold parts of them. Each of these gives the lane the sum over digits
 * (worth 256^k) of one row, as fp64, exactly:
 *
 *   greta_fold_pair<H>(s, m) of s or m, over slots: row greta_pair_row(lane); m where greta_pair_part(lane) is 1, its
 *       slot 1 worth 256; s times 2^H, as it already is in odd slots
 *   greta_fold(s)            over slots: row greta_fold_row(lane)
 *   greta_fold_slots(c, out) of one slot alone: row greta_slots_row(lane); GRETA_SLOT_TERMS of them, out[t] of slot
 *                            greta_term_slot(lane, t)
 *
 * Where there are many tokens, a column is a token and a slot nothing:
 *
 *   GRETA_COLUMNS, greta_b_column(lane), greta_c_column(lane, e)   tokens of an instruction, and whose a lane has
 *   greta_row_beside(y, i)      of results y[r * GRETA_C_DIGITS + e], the one of row greta_c_row ^ 1
 *   greta_mins_of(heads, lane), greta_multiply_mins_tokens   mins of 16 rows as A, times the tokens' digit sums
 *   struct greta_pairs, greta_pairs_of, _signed, _plus, _multiply   two 16-bit numbers of a word times a factor
 *   greta_panel_load4(p)        16 bytes of a tile, from where GRETA_SHARED_TILES says it is
 *   GRETA_PANEL_THREADS, GRETA_PANEL_SHARED_BYTES   of a block
 *   GRETA_PANEL_GROUPS          groups of 16 rows of a wave
 *   GRETA_COPIES_HELD           whether what a block brings to shared memory may be on its way while it multiplies
 *
 * Lanes may get the same; greta_pair_sum and its like add what belongs to one row over lanes and say which lane of
 * each row is to store it. */
#ifndef GRETA_GPU_MATRIX_H
#define GRETA_GPU_MATRIX_H

#define GRETA_RESULTS (GRETA_C_ROWS * GRETA_C_DIGITS)

#ifndef __HIP__
#include "kernels/gpu/matrix_nvidia.h"
#elif GRETA_WAVE == 64
#include "kernels/gpu/matrix_cdna.h"
#else
#include "kernels/gpu/matrix_rdna.h"
#endif

#endif
