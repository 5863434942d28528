/* matrix.h for AMD: what CDNA and RDNA share, included by matrix_cdna.h and matrix_rdna.h after what they say of
 * their lanes. A column of B and C is one of 16, as n of a lane 16 g + n: digit n % 4 of slot n / 4. */
#ifndef GRETA_GPU_MATRIX_AMD_H
#define GRETA_GPU_MATRIX_AMD_H

#define GRETA_C_DIGITS 1
#define GRETA_SLOTS 4
#define GRETA_HIGH_SHIFT 0
#define GRETA_HIGH_NIBBLES(w) ((w) >> 4 & 0x0f0f0f0fu)

/* Many tokens: a column is a token. Tiles are read where they lie. */
#define GRETA_COLUMNS 16
#define GRETA_SHARED_TILES 0
#define GRETA_PANEL_SHARED_BYTES 45312 /* what the planner gives a block */
GRETA_DEVICE uint32_t greta_b_column(uint32_t lane) { return lane % 16; }
GRETA_DEVICE uint32_t greta_c_column(uint32_t lane, uint32_t) { return lane % 16; }

GRETA_DEVICE uint32_t greta_b_digit(uint32_t lane) { return lane % 4; }
GRETA_DEVICE uint32_t greta_b_slot(uint32_t lane) { return lane / 4 % 4; }
GRETA_DEVICE uint32_t greta_c_slot(uint32_t lane) { return lane / 4 % 4; }

/* ---- Heads of 16 rows as the K types have them (tile16.h) ---- */

struct greta_heads {
	uint32_t scales[GRETA_C_ROWS]; /* of the lane's result rows, shifted so that GRETA_SLOTS * x + slot is in byte 2 x */
	uint32_t mins[3];              /* words 0 to 2 of the lane's row of A */
	uint32_t half;                 /* d or dmin of the row that greta_fold_pair gives */
};

template <bool SHARED> GRETA_DEVICE struct greta_heads greta_load_heads(const uint8_t *heads, uint32_t lane)
{
	struct greta_heads h;
	uint32_t slot = greta_c_slot(lane);
	for (uint32_t r = 0; r < GRETA_C_ROWS; r++)
		h.scales[r] = *(const uint32_t *)(heads + greta_c_row(lane, r) * 16 + 4 + slot % 2 * 4);
	struct greta_vector4 row = greta_load4(heads + greta_a_row(lane, 0) * 16);
	for (int i = 0; i < 3; i++)
		h.mins[i] = row.w[1 + i];
	h.half = *(const uint16_t *)(heads + greta_pair_row(lane) * 16 + greta_pair_part(lane) * 2);
	return h;
}

GRETA_DEVICE uint32_t greta_scales(const struct greta_heads *h, uint32_t lane, uint32_t r)
{
	return h->scales[r] >> (lane & 8);
}
GRETA_DEVICE uint32_t greta_scale(uint32_t scales, uint32_t x) { return scales >> 16 * x & 63; }
GRETA_DEVICE uint32_t greta_head_half(const struct greta_heads *h, uint32_t) { return h->half; }

/* The mins of all sub-blocks of a row, eight bytes, from the words 0 to 2 of its head. */
GRETA_DEVICE void greta_row_mins(const uint32_t words[3], uint32_t a[2])
{
	a[0] = (words[2] & 0x0f0f0f0f) | (words[0] >> 2 & 0x30303030);
	a[1] = (words[2] >> 4 & 0x0f0f0f0f) | (words[1] >> 2 & 0x30303030);
}

/* Mins of 16 rows as operand A: those of all sub-blocks, in quarters 0 and 1. */
struct greta_mins {
	uint32_t a[1][2];
};

GRETA_DEVICE struct greta_mins greta_mins_of(const uint8_t *heads, uint32_t lane)
{
	struct greta_vector4 head = greta_load4(heads + greta_a_row(lane, 0) * 16);
	struct greta_mins mins;
	greta_row_mins(head.w + 1, mins.a[0]);
	return mins;
}

/* ---- Pairs of 16-bit numbers in a word: a factor s and what is added, k, each there twice ---- */

struct greta_pairs {
	uint32_t s, k;
};
typedef uint16_t greta_amd_u16x2 __attribute__((ext_vector_type(2)));
GRETA_DEVICE struct greta_pairs greta_pairs_of(uint32_t word, uint32_t x)
{
	return {greta_bytes(word, 0, 0x4040 + x * 0x101), 0};
}
GRETA_DEVICE struct greta_pairs greta_pairs_signed(int32_t s) { return {((uint32_t)s & 0xffff) * 0x00010001u, 0}; }
GRETA_DEVICE struct greta_pairs greta_pairs_plus(struct greta_pairs p, int32_t k)
{
	return {p.s, ((uint32_t)k & 0xffff) * 0x00010001u};
}
GRETA_DEVICE uint32_t greta_pairs_multiply(uint32_t q, struct greta_pairs p)
{
	return __builtin_bit_cast(uint32_t, (greta_amd_u16x2)(__builtin_bit_cast(greta_amd_u16x2, q) *
	                                                          __builtin_bit_cast(greta_amd_u16x2, p.s) +
	                                                      __builtin_bit_cast(greta_amd_u16x2, p.k)));
}

GRETA_DEVICE struct greta_vector4 greta_panel_load4(const uint8_t *p) { return greta_load4(p); }

/* ---- Handing over ---- */

template <uint32_t MASK> GRETA_DEVICE double greta_swap_double(double v)
{
	uint64_t u;
	memcpy(&u, &v, sizeof(u));
	u = (uint64_t)greta_swap<MASK>((uint32_t)(u >> 32)) << 32 | greta_swap<MASK>((uint32_t)u);
	memcpy(&v, &u, sizeof(v));
	return v;
}

/* Of two values, keeps one by `which` and adds to it what the lane ^ MASK had of it. */
template <uint32_t MASK> GRETA_DEVICE int32_t greta_halve(uint32_t which, int32_t v0, int32_t v1)
{
	return (which ? v1 : v0) + (int32_t)greta_swap<MASK>((uint32_t)(which ? v0 : v1));
}

/* Two rows with one digit each: gives row lane & 1, all digits. */
GRETA_DEVICE double greta_take_row(int32_t v0, int32_t v1, uint32_t lane)
{
	uint32_t odd = lane & 1;
	int32_t mine = odd ? v1 : v0, other = (int32_t)greta_swap<1>((uint32_t)(odd ? v0 : v1));
	double part = fma(256.0, (double)(odd ? mine : other), (double)(odd ? other : mine));
	double rest = greta_swap_double<2>(part);
	return lane & 2 ? fma(65536.0, part, rest) : fma(65536.0, rest, part);
}

/* Four rows with one digit each: gives row (lane & 1) * 2 + (lane >> 1 & 1), all digits: two of the rows by one bit of
 * the digit, one of these by the other. */
GRETA_DEVICE double greta_take_row_of_four(const int32_t v[4], uint32_t lane)
{
	uint32_t odd = lane & 1;
	int32_t mine0 = odd ? v[2] : v[0], mine1 = odd ? v[3] : v[1];
	int32_t other0 = (int32_t)greta_swap<1>((uint32_t)(odd ? v[0] : v[2]));
	int32_t other1 = (int32_t)greta_swap<1>((uint32_t)(odd ? v[1] : v[3]));
	double part0 = fma(256.0, (double)(odd ? mine0 : other0), (double)(odd ? other0 : mine0));
	double part1 = fma(256.0, (double)(odd ? mine1 : other1), (double)(odd ? other1 : mine1));
	double mine = lane & 2 ? part1 : part0, rest = greta_swap_double<2>(lane & 2 ? part0 : part1);
	return lane & 2 ? fma(65536.0, mine, rest) : fma(65536.0, rest, mine);
}

#endif
