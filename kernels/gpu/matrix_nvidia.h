/* matrix.h for NVIDIA: mma.m16n8k32. Lane 4 i + t holds weights of rows i and i + 8, quarter t, and results of these
 * rows, columns 2 t and 2 t + 1: digits 2 (t % 2) and the next of slot t / 2. */
#ifndef GRETA_GPU_MATRIX_NVIDIA_H
#define GRETA_GPU_MATRIX_NVIDIA_H

#define GRETA_A_EIGHTS 2
#define GRETA_B_EIGHTS 1
#define GRETA_C_ROWS 2
#define GRETA_C_DIGITS 2
#define GRETA_SLOTS 2
#define GRETA_SLOT_TERMS 1
#define GRETA_HIGH_SHIFT 4
#define GRETA_HIGH_NIBBLES(w) ((w) & 0xf0f0f0f0u)

GRETA_DEVICE uint32_t greta_a_row(uint32_t lane, uint32_t a) { return lane / 4 + 8 * a; }
GRETA_DEVICE uint32_t greta_quarter(uint32_t lane, uint32_t) { return lane % 4; }
GRETA_DEVICE uint32_t greta_b_digit(uint32_t lane) { return lane / 4 % 4; }
GRETA_DEVICE uint32_t greta_b_slot(uint32_t lane) { return lane / 16; }
GRETA_DEVICE uint32_t greta_c_row(uint32_t lane, uint32_t r) { return lane / 4 + 8 * r; }
GRETA_DEVICE uint32_t greta_c_slot(uint32_t lane) { return lane / 2 % 2; }

/* Many tokens: a column is a token. Two blocks of four waves a compute unit, so that one multiplies while the other ends
 * a block of columns; tiles come through shared memory. */
#define GRETA_COLUMNS 8
#define GRETA_PANEL_GROUPS 2
#define GRETA_COPIES_HELD 1
#define GRETA_PANEL_THREADS 128
#define GRETA_SHARED_TILES 1
GRETA_DEVICE uint32_t greta_b_column(uint32_t lane) { return lane / 4; }
GRETA_DEVICE uint32_t greta_c_column(uint32_t lane, uint32_t e) { return lane % 4 * 2 + e; }

/* The result of the row beside: that of row c_row ^ 1. */
GRETA_DEVICE float greta_row_beside(const float y[4], uint32_t i) { return greta_shuffle_xor(y[i], 4); }

GRETA_DEVICE void greta_pin(int32_t[4]) {}

GRETA_DEVICE void greta_multiply_signed(int32_t c[4], const uint32_t a[2][2], const uint32_t b[1][2])
{
	asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, "
	    "%2, %3};"
	    : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
	    : "r"(a[0][0]), "r"(a[1][0]), "r"(a[0][1]), "r"(a[1][1]), "r"(b[0][0]), "r"(b[0][1]));
}

GRETA_DEVICE void greta_multiply(int32_t c[4], const uint32_t a[2][2], const uint32_t b[1][2])
{
	asm("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, "
	    "%2, %3};"
	    : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
	    : "r"(a[0][0]), "r"(a[1][0]), "r"(a[0][1]), "r"(a[1][1]), "r"(b[0][0]), "r"(b[0][1]));
}

/* Heads of 16 rows as the K types have them (tile16.h). */
struct greta_heads {
	struct greta_vector4 row[2];
};

template <bool SHARED> GRETA_DEVICE struct greta_heads greta_load_heads(const uint8_t *heads, uint32_t lane)
{
	return {{greta_tile4<SHARED>(heads + lane / 4 * 16), greta_tile4<SHARED>(heads + lane / 4 * 16 + 128)}};
}

/* The scales of row r's sub-blocks of this lane's slot, one in the low six bits of each byte: GRETA_SLOTS * x + slot
 * in byte x. */
GRETA_DEVICE uint32_t greta_scales(const struct greta_heads *h, uint32_t lane, uint32_t r)
{
	return lane & 2 ? h->row[r].w[2] : h->row[r].w[1];
}
GRETA_DEVICE uint32_t greta_scale(uint32_t scales, uint32_t x)
{
	return greta_bytes(scales & 0x3f3f3f3f, 0, 0x4440 + x);
}

/* Quarters 0 and 1 hold the mins of four sub-blocks each; the others' B is zero. */
GRETA_DEVICE uint32_t greta_sum_offset(uint32_t lane) { return greta_b_slot(lane) * 8 + (lane & 1) * 4; }
GRETA_DEVICE void greta_multiply_mins(int32_t c[4], const struct greta_heads *h, const uint8_t *sums, uint32_t lane)
{
	uint32_t t = lane % 4, a[2], b = t < 2 ? *(const uint32_t *)sums : 0;
	for (int r = 0; r < 2; r++)
		a[r] = (h->row[r].w[3] >> 4 * (t & 1) & 0x0f0f0f0f) |
		       ((t & 1 ? h->row[r].w[2] : h->row[r].w[1]) >> 2 & 0x30303030);
	asm("mma.sync.aligned.m16n8k16.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
	    : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
	    : "r"(a[0]), "r"(a[1]), "r"(b));
}

/* Mins of 16 rows as operand A: as in greta_multiply_mins, and again in quarters 2 and 3. */
struct greta_mins {
	uint32_t a[2];
};

GRETA_DEVICE struct greta_mins greta_mins_of(const uint8_t *heads, uint32_t lane)
{
	struct greta_mins m;
	for (uint32_t r = 0; r < 2; r++) {
		struct greta_vector4 head = greta_tile4<true>(heads + greta_a_row(lane, r) * 16);
		m.a[r] = (head.w[3] >> 4 * (lane & 1) & 0x0f0f0f0f) |
		         ((lane & 1 ? head.w[2] : head.w[1]) >> 2 & 0x30303030);
	}
	return m;
}

/* Times what is worth 256^k in the sums of tokens: of digit k the sums [0], of digit k - 1 the sums [1]. sums: of digit 0 and
 * the lane's column of B; those of the next digit lie `stride` bytes on. */
GRETA_DEVICE void greta_multiply_mins_tokens(int32_t c[4], const struct greta_mins &m, const uint8_t *sums,
                                             int64_t stride, int k, uint32_t digits, uint32_t lane)
{
	uint32_t upper = lane & 2, b = 0;
	const uint8_t *at = sums + (lane & 1) * 4 + (upper ? 8 - (int32_t)stride : 0) + k * (int32_t)stride;
	if (upper ? k > 0 : k < (int)digits)
		b = *(const uint32_t *)at;
	asm("mma.sync.aligned.m16n8k16.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
	    : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
	    : "r"(m.a[0]), "r"(m.a[1]), "r"(b));
}

/* Pairs of 16-bit numbers in a word: a factor s and what is added, k. */
struct greta_pairs {
	uint32_t s, k;
};
GRETA_DEVICE struct greta_pairs greta_pairs_of(uint32_t word, uint32_t x)
{
	return {greta_bytes(word, 0, 0x4440 + x), 0};
}
GRETA_DEVICE struct greta_pairs greta_pairs_signed(int32_t s) { return {(uint32_t)s, 0}; }
GRETA_DEVICE struct greta_pairs greta_pairs_plus(struct greta_pairs p, int32_t k)
{
	return {p.s, (uint32_t)k * 0x00010001u};
}
GRETA_DEVICE uint32_t greta_pairs_multiply(uint32_t q, struct greta_pairs p) { return q * p.s + p.k; }

GRETA_DEVICE struct greta_vector4 greta_panel_load4(const uint8_t *p) { return greta_tile4<true>(p); }

/* d0 + 256 d1 + 65536 (d2 + 256 d3) */
GRETA_DEVICE double greta_weigh_digits(int32_t d0, int32_t d1, int32_t d2, int32_t d3)
{
	return fma(65536.0, fma(256.0, (double)d3, (double)d2), fma(256.0, (double)d1, (double)d0));
}

/* Both lanes of a pair t, t ^ 1 have two digits of two rows; each gets all four of one row. */
GRETA_DEVICE double greta_take_row(const int32_t v[4], uint32_t lane)
{
	uint32_t odd = lane & 1;
	int32_t mine0 = odd ? v[2] : v[0], mine1 = odd ? v[3] : v[1];
	int32_t other0 = (int32_t)greta_swap<1>((uint32_t)(odd ? v[0] : v[2]));
	int32_t other1 = (int32_t)greta_swap<1>((uint32_t)(odd ? v[1] : v[3]));
	return greta_weigh_digits(odd ? other0 : mine0, odd ? other1 : mine1, odd ? mine0 : other0,
	                          odd ? mine1 : other1);
}

GRETA_DEVICE uint32_t greta_pair_row(uint32_t lane) { return lane / 4 + 8 * (lane & 1); }
GRETA_DEVICE uint32_t greta_pair_part(uint32_t lane) { return lane >> 1 & 1; }
template <uint32_t HEIGHT> GRETA_DEVICE double greta_fold_pair(const int32_t s[4], const int32_t m[4], uint32_t lane)
{
	/* Of s a lane of slot 0 keeps its own, of m one of slot 1. */
	int32_t v[4], weight = lane & 2 ? 256 : 1 << HEIGHT;
	for (int i = 0; i < 4; i++)
		v[i] = (lane & 2 ? m[i] : s[i]) * weight + (int32_t)greta_swap<2>((uint32_t)(lane & 2 ? s[i] : m[i]));
	return greta_take_row(v, lane);
}

GRETA_DEVICE uint32_t greta_head_half(const struct greta_heads *h, uint32_t lane)
{
	uint32_t word = lane & 1 ? h->row[1].w[0] : h->row[0].w[0];
	return lane & 2 ? word >> 16 : word & 0xffff;
}

GRETA_DEVICE uint64_t greta_pair_sum(uint64_t v) { return v + greta_shuffle_xor(v, 2); }
GRETA_DEVICE int greta_pair_stores(uint32_t lane) { return (lane & 2) == 0; }

GRETA_DEVICE uint32_t greta_fold_row(uint32_t lane) { return lane / 4 + 8 * (lane & 1); }
GRETA_DEVICE double greta_fold(const int32_t s[4], uint32_t lane)
{
	int32_t v[4];
	for (int i = 0; i < 4; i++)
		v[i] = s[i] + (int32_t)greta_swap<2>((uint32_t)s[i]);
	return greta_take_row(v, lane);
}
GRETA_DEVICE uint64_t greta_fold_sum(uint64_t v) { return v; }
GRETA_DEVICE int greta_fold_stores(uint32_t lane) { return (lane & 2) == 0; }

GRETA_DEVICE uint32_t greta_slots_row(uint32_t lane) { return lane / 4 + 8 * (lane & 1); }
GRETA_DEVICE uint32_t greta_term_slot(uint32_t lane, uint32_t) { return greta_c_slot(lane); }
GRETA_DEVICE void greta_fold_slots(const int32_t c[4], uint32_t lane, double out[1])
{
	out[0] = greta_take_row(c, lane);
}
GRETA_DEVICE uint64_t greta_slots_sum(uint64_t v) { return v + greta_shuffle_xor(v, 2); }
GRETA_DEVICE int greta_slots_stores(uint32_t lane) { return (lane & 2) == 0; }

#endif
