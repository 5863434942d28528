/* matrix.h for CDNA3: v_mfma_i32_16x16x32_i8; for CDNA2, v_mfma_i32_16x16x16i8 twice. Lane 16 g + n holds weights of row n, quarter g, and results of rows 4
 * g to 4 g + 3, column n: digit n % 4 of slot n / 4. */
#ifndef GRETA_GPU_MATRIX_AMD_H
#define GRETA_GPU_MATRIX_AMD_H

#define GRETA_A_ROWS 1
#define GRETA_C_ROWS 4
#define GRETA_C_DIGITS 1
#define GRETA_SLOTS 4
#define GRETA_HIGH_SHIFT 0
#define GRETA_HIGH_NIBBLES(w) ((w) >> 4 & 0x0f0f0f0fu)

/* Many tokens: a column is a token. Tiles are read where they lie. */
#define GRETA_COLUMNS 16
#define GRETA_PANEL_THREADS 256
#define GRETA_SHARED_TILES 0
#define GRETA_PANEL_SHARED_BYTES 45312 /* what the planner gives a block */
GRETA_DEVICE uint32_t greta_b_column(uint32_t lane) { return lane % 16; }
GRETA_DEVICE uint32_t greta_c_column(uint32_t lane, uint32_t) { return lane % 16; }
GRETA_DEVICE float greta_row_beside(const float y[4], uint32_t i) { return y[i ^ 1]; }

typedef int32_t greta_amd_i32x4 __attribute__((ext_vector_type(4)));

GRETA_DEVICE uint32_t greta_a_row(uint32_t lane, uint32_t) { return lane % 16; }
GRETA_DEVICE uint32_t greta_quarter(uint32_t lane) { return lane / 16; }
GRETA_DEVICE uint32_t greta_b_digit(uint32_t lane) { return lane % 4; }
GRETA_DEVICE uint32_t greta_b_slot(uint32_t lane) { return lane / 4 % 4; }
GRETA_DEVICE uint32_t greta_c_row(uint32_t lane, uint32_t r) { return lane / 16 * 4 + r; }
GRETA_DEVICE uint32_t greta_c_slot(uint32_t lane) { return lane / 4 % 4; }

#ifdef __gfx90a__
/* Two of half the columns: the first takes the first word of every quarter. */
GRETA_DEVICE greta_amd_i32x4 greta_matrix_instruction(const uint32_t a[2], const uint32_t b[2], greta_amd_i32x4 c)
{
	c = __builtin_amdgcn_mfma_i32_16x16x16i8((int)a[0], (int)b[0], c, 0, 0, 0);
	return __builtin_amdgcn_mfma_i32_16x16x16i8((int)a[1], (int)b[1], c, 0, 0, 0);
}
#else
GRETA_DEVICE greta_amd_i32x4 greta_matrix_instruction(const uint32_t a[2], const uint32_t b[2], greta_amd_i32x4 c)
{
	return __builtin_amdgcn_mfma_i32_16x16x32_i8((long)((uint64_t)a[1] << 32 | a[0]), (long)((uint64_t)b[1] << 32 | b[0]), c,
	                                             0, 0, 0);
}
#endif

GRETA_DEVICE void greta_multiply_signed(int32_t c[4], const uint32_t a[1][2], const uint32_t b[2])
{
	greta_amd_i32x4 v = {c[0], c[1], c[2], c[3]};
	v = greta_matrix_instruction(a[0], b, v);
	for (int i = 0; i < 4; i++)
		c[i] = v[i];
}

GRETA_DEVICE void greta_multiply(int32_t c[4], const uint32_t a[1][2], const uint32_t b[2])
{
	greta_multiply_signed(c, a, b);
}

struct greta_heads {
	uint32_t scales[4]; /* of the lane's result rows, shifted so that GRETA_SLOTS * x + slot is in byte 2 x */
	uint32_t mins[3];   /* words 0 to 2 of row n */
	uint32_t half;      /* d or dmin of the row that greta_fold_pair gives */
};

GRETA_DEVICE uint32_t greta_pair_row(uint32_t lane) { return lane / 16 * 4 + (lane >> 2 & 1) * 2 + (lane & 1); }
GRETA_DEVICE uint32_t greta_pair_part(uint32_t lane) { return lane >> 3 & 1; }

template <bool SHARED> GRETA_DEVICE struct greta_heads greta_load_heads(const uint8_t *heads, uint32_t lane)
{
	struct greta_heads h;
	uint32_t slot = lane / 4 % 4;
	for (uint32_t r = 0; r < 4; r++)
		h.scales[r] = *(const uint32_t *)(heads + (lane / 16 * 4 + r) * 16 + 4 + slot % 2 * 4);
	struct greta_vector4 row = greta_load4(heads + lane % 16 * 16);
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

/* Quarter 0 holds the mins of all sub-blocks; the others' B is zero, and that of slots 2 and 3. */
GRETA_DEVICE uint32_t greta_sum_offset(uint32_t lane) { return (greta_b_slot(lane) & 1) * 8; }
GRETA_DEVICE void greta_multiply_mins(int32_t c[4], const struct greta_heads *h, const uint8_t *sums, uint32_t lane)
{
	uint32_t a[1][2], b[2], mask = lane < 8 ? ~0u : 0;
	a[0][0] = (h->mins[2] & 0x0f0f0f0f) | (h->mins[0] >> 2 & 0x30303030);
	a[0][1] = (h->mins[2] >> 4 & 0x0f0f0f0f) | (h->mins[1] >> 2 & 0x30303030);
	memcpy(b, __builtin_assume_aligned(sums, 8), 8);
	b[0] &= mask;
	b[1] &= mask;
	greta_multiply_signed(c, a, b);
}

/* Mins of 16 rows as operand A: those of all sub-blocks, in quarters 0 and 1. */
struct greta_mins {
	uint32_t a[1][2];
};

GRETA_DEVICE struct greta_mins greta_mins_of(const uint8_t *heads, uint32_t lane)
{
	struct greta_vector4 head = greta_load4(heads + greta_a_row(lane, 0) * 16);
	return {{{(head.w[3] & 0x0f0f0f0f) | (head.w[1] >> 2 & 0x30303030),
	          (head.w[3] >> 4 & 0x0f0f0f0f) | (head.w[2] >> 2 & 0x30303030)}}};
}

/* Times what is worth 256^k in the sums of tokens: in quarter 0 of digit k the sums [0], in quarter 1 of digit k - 1 the
 * sums [1]. sums: of digit 0 and the lane's column of B; those of the next digit lie `stride` bytes on. */
GRETA_DEVICE void greta_multiply_mins_tokens(int32_t c[4], const struct greta_mins &m, const uint8_t *sums,
                                             int64_t stride, int k, uint32_t digits, uint32_t lane)
{
	uint32_t b[2] = {0, 0}, upper = lane & 16;
	const uint8_t *at = sums + (upper ? 8 - (int32_t)stride : 0) + k * (int32_t)stride;
	if (lane < 32 && (upper ? k > 0 : k < (int)digits))
		memcpy(b, __builtin_assume_aligned(at, 8), 8);
	greta_multiply_signed(c, m.a, b);
}

/* Pairs of 16-bit numbers in a word: a factor s and what is added, k, each there twice. */
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

GRETA_DEVICE uint32_t greta_head_half(const struct greta_heads *h, uint32_t) { return h->half; }

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

template <uint32_t HEIGHT> GRETA_DEVICE double greta_fold_pair(const int32_t s[4], const int32_t m[4], uint32_t lane)
{
	int32_t v[4];
	uint32_t upper = (lane & 12) == 4 ? 8 : 0; /* slot 1 of m is worth 256 */
	for (int r = 0; r < 4; r++)
		v[r] = greta_halve<8>(lane & 8, s[r], (int32_t)((uint32_t)m[r] << upper));
	return greta_take_row(greta_halve<4>(lane & 4, v[0], v[2]), greta_halve<4>(lane & 4, v[1], v[3]), lane);
}
GRETA_DEVICE uint64_t greta_pair_sum(uint64_t v) { return v + greta_shuffle_xor(v, 8); }
GRETA_DEVICE int greta_pair_stores(uint32_t lane) { return (lane & 10) == 0; }

GRETA_DEVICE uint32_t greta_fold_row(uint32_t lane) { return lane / 16 * 4 + (lane >> 3 & 1) * 2 + (lane >> 2 & 1); }
GRETA_DEVICE double greta_fold(const int32_t s[4], uint32_t lane)
{
	int32_t v =
	    greta_halve<4>(lane & 4, greta_halve<8>(lane & 8, s[0], s[2]), greta_halve<8>(lane & 8, s[1], s[3]));
	return greta_take_row(v, v, lane);
}
GRETA_DEVICE uint64_t greta_fold_sum(uint64_t v) { return v; }
GRETA_DEVICE int greta_fold_stores(uint32_t lane) { return (lane & 3) == 0; }

GRETA_DEVICE uint32_t greta_slots_row(uint32_t lane) { return lane / 16 * 4 + (lane & 1) * 2 + (lane >> 1 & 1); }
GRETA_DEVICE double greta_fold_slots(const int32_t c[4], uint32_t lane)
{
	/* Two of the rows by one bit of the digit, one of these by the other. */
	uint32_t odd = lane & 1;
	int32_t mine0 = odd ? c[2] : c[0], mine1 = odd ? c[3] : c[1];
	int32_t other0 = (int32_t)greta_swap<1>((uint32_t)(odd ? c[0] : c[2]));
	int32_t other1 = (int32_t)greta_swap<1>((uint32_t)(odd ? c[1] : c[3]));
	double part0 = fma(256.0, (double)(odd ? mine0 : other0), (double)(odd ? other0 : mine0));
	double part1 = fma(256.0, (double)(odd ? mine1 : other1), (double)(odd ? other1 : mine1));
	double mine = lane & 2 ? part1 : part0, rest = greta_swap_double<2>(lane & 2 ? part0 : part1);
	return lane & 2 ? fma(65536.0, mine, rest) : fma(65536.0, rest, mine);
}
GRETA_DEVICE uint64_t greta_slots_sum(uint64_t v)
{
	v += greta_shuffle_xor(v, 4);
	return v + greta_shuffle_xor(v, 8);
}
GRETA_DEVICE int greta_slots_stores(uint32_t lane) { return (lane & 12) == 0; }

#endif
