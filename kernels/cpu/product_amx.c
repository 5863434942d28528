/* Sums of products with AMX int8 tiles, for several vectors at a time: prefill's matrix-matrix form. The same bits as
 * every other form, because it adds up the same exact integers.
 *
 * A weight times its sub-block's scale, w = q * scale, is an integer, |w| <= 2^12, which is written as w = low + 256 *
 * high with both in int8 (-128 <= low <= 127, |high| <= 16). So 256 columns of 16 rows become two planes of bytes, made
 * once per block and used by every vector, and the interleaved layout is already what a tile's second operand wants:
 * words of four columns, a row per 32-bit lane. The first operand are 16 vectors' bytes of one digit, straight from the
 * digit blocks. The low plane times digit d and the high plane times digit d - 1 both count 256^d: they share a tile of
 * sums.
 *
 *   tiles   0-4  sums of weight 256^0 .. 256^D, |sum| <= 256 * (128 + 16) * 128 < 2^23
 *           5    64 columns of a digit of 16 vectors         6, 7  the same columns of both planes
 *
 * Per 16 rows, 16 vectors, 256 columns and 4 digits: 32 tile products of 16 cycles. What becomes of the sums (joined,
 * scaled, floored, added up) is about 55 vector instructions a vector; they work on the previous tile's sums, between
 * the tile products of the next. */
#include "kernels/cpu/product_avx512.h"

#define GROUPS 4 /* 16-row groups whose planes are kept at a time */

/* One group's 256 columns, unpacked. */
struct panel {
	int8_t low[64][64]; /* [word][row and column]: columns 4 w .. 4 w + 3 */
	int8_t high[64][64];
	double d[16];
	double minus_dmin[16];
	double min[8][16];
};

struct scratch {
	struct panel panel[GROUPS];
	int32_t sums[2][5][16][16]; /* [parity][power of 256][vector][row] */
};

_Static_assert(sizeof(struct scratch) <= GRETA_CPU_SUMS_SCRATCH, "scratch of a sums job");

/* ---- Tiles: as assembly, so that the compiler sees which memory they touch ---- */

struct tile_config {
	uint8_t palette, start_row, reserved[14];
	uint16_t row_bytes[16];
	uint8_t rows[16];
};

static void configure(uint32_t vectors)
{
	struct tile_config config = {.palette = 1};
	for (int t = 0; t < 8; t++) {
		config.row_bytes[t] = 64;
		config.rows[t] = t < 6 ? (uint8_t)vectors : 16;
	}
	__asm__ volatile("ldtilecfg %0" : : "m"(config));
}

#define TILE_LOAD(t, at, stride)                                                                                       \
	__asm__ volatile("tileloadd (%0,%1,1), %%tmm" #t : : "r"(at), "r"((long)(stride)) : "memory")
#define TILE_STORE(t, at) __asm__ volatile("tilestored %%tmm" #t ", (%0,%1,1)" : : "r"(at), "r"(64L) : "memory")
#define TILE_ZERO(t) __asm__ volatile("tilezero %%tmm" #t : :)
#define TILE_PRODUCT(c, a, b) __asm__ volatile("tdpbssd %%tmm" #b ", %%tmm" #a ", %%tmm" #c : :)
#define TILE_RELEASE() __asm__ volatile("tilerelease" : :)

/* ---- Unpacking ---- */

/* Four columns of 16 rows: q (unsigned bytes) times the sub-block's scale, minus `offset`, in two planes. `even` and
 * `odd` hold the scale as the byte that meets an even or an odd column. */
static ALWAYS_INLINE void store_word(struct panel *panel, int w, __m512i q, __m512i even, __m512i odd, __m512i offset)
{
	const __m512i low_byte = _mm512_set1_epi16(0x00ff), carry = _mm512_set1_epi16(128);
	__m512i e = _mm512_sub_epi16(_mm512_maddubs_epi16(q, even), offset);
	__m512i o = _mm512_sub_epi16(_mm512_maddubs_epi16(q, odd), offset);
	/* 0xca: where the mask is set the second, else the third */
	__m512i low = _mm512_ternarylogic_epi32(low_byte, e, _mm512_slli_epi16(o, 8), 0xca);
	e = _mm512_srli_epi16(_mm512_add_epi16(e, carry), 8);
	o = _mm512_add_epi16(o, carry);
	_mm512_store_si512((void *)panel->low[w], low);
	_mm512_store_si512((void *)panel->high[w], _mm512_ternarylogic_epi32(low_byte, e, o, 0xca));
}

/* Byte j of every lane at the lane's bytes 0 and 2. */
static ALWAYS_INLINE __m512i even_bytes(__m512i bytes, int j)
{
	__m512i one = scale_lane(bytes, j);
	return _mm512_or_si512(one, _mm512_slli_epi32(one, 16));
}

static ALWAYS_INLINE void store_halves(__m512i d, double out[16])
{
	__m512 x = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(d));
	_mm512_store_pd(out, _mm512_cvtps_pd(_mm512_castps512_ps256(x)));
	_mm512_store_pd(out + 8, _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)));
}

static ALWAYS_INLINE void unpack_k(const int fifth_bits, const uint8_t *words, struct panel *panel)
{
	const __m512i nibble = _mm512_set1_epi8(0x0f), fifth = _mm512_set1_epi8(0x10), zero = _mm512_setzero_si512();
	const int first = fifth_bits ? 12 : 4;
	struct greta_k_scales s = k_scales(words);
	store_halves(s.d, panel->d);
	store_halves(_mm512_xor_si512(_mm512_srli_epi32(s.d, 16), _mm512_set1_epi32(0x8000)), panel->minus_dmin);
	NO_UNROLL
	for (int j = 0; j < 8; j++) {
		const __m128i passed = _mm_cvtsi32_si128(j % 2 * 4), bit = _mm_cvtsi32_si128(j);
		const __m128i bytes = _mm_cvtsi32_si128(j % 4 * 8);
		__m512i m = scale_lane(_mm512_srl_epi32(s.min[j / 4], bytes), 0);
		_mm512_store_pd(panel->min[j], _mm512_cvtepi32_pd(_mm512_castsi512_si256(m)));
		_mm512_store_pd(panel->min[j] + 8, _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(m, 1)));
		__m512i even = even_bytes(_mm512_srl_epi32(s.scale[j / 4], bytes), 0), odd = _mm512_slli_epi16(even, 8);
		UNROLL
		for (int w = 0; w < 8; w++) {
			const uint8_t *at = words + (first + j / 2 * 8 + w) * 64;
			__m512i q = _mm512_and_si512(_mm512_srl_epi32(word(at, 0), passed), nibble);
			if (w % 2)
				prefetch(words + (first + 4 * j + w / 2) * 64);
			if (fifth_bits) {
				__m512i h = _mm512_srl_epi32(word(words, 4 + w), bit); /* bit j of byte i: value 32 j + i */
				q = insert_bits(q, _mm512_slli_epi32(h, 4), fifth);
			}
			store_word(panel, 8 * j + w, q, even, odd, zero);
		}
	}
}

static ALWAYS_INLINE void unpack_q6_k(const uint8_t *words, const uint8_t *head, struct panel *panel)
{
	const __m512i nibble = _mm512_set1_epi8(0x0f), pair = _mm512_set1_epi8(0x30);
	store_halves(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)head)), panel->d);
	NO_UNROLL
	for (int j = 0; j < 16; j++) { /* sub-block j is half of a quarter of a half of the 256 columns */
		const int half = j / 8, quarter = j / 2 % 4;
		const uint8_t *low = words + (half * 16 + quarter % 2 * 8 + j % 2 * 4) * 64;
		const uint8_t *high = words + (32 + half * 8 + j % 2 * 4) * 64;
		const __m128i low_bits = _mm_cvtsi32_si128(quarter / 2 * 4), high_bits = _mm_cvtsi32_si128(quarter * 2);
		__m512i scales = _mm512_srl_epi32(word(words, 48 + j / 4), _mm_cvtsi32_si128(j % 4 * 8));
		__m512i even = even_bytes(scales, 0), odd = _mm512_slli_epi16(even, 8);
		__m512i offset = _mm512_srai_epi16(odd, 3); /* 32 * scale */
		UNROLL
		for (int w = 0; w < 4; w++) {
			__m512i l = _mm512_and_si512(_mm512_srl_epi32(word(low, w), low_bits), nibble);
			__m512i h = _mm512_slli_epi32(_mm512_srl_epi32(word(high, w), high_bits), 4);
			if (w < 3)
				prefetch(words + (3 * j + w) * 64);
			else if (j < 4)
				prefetch(words + (48 + j) * 64);
			store_word(panel, 4 * j + w, insert_bits(l, h, pair), even, odd, offset);
		}
	}
}

/* ---- What becomes of a tile's sums ---- */

/* Sums of one group times up to 16 vectors, waiting in scratch. */
struct waiting {
	const struct panel *panel;
	int32_t (*sums)[16][16];
	uint32_t first;     /* vector of the tile's row 0 */
	uint32_t from, to;  /* the tile's rows that count; none: from == to */
	uint32_t block;
	double *acc;        /* of vector `first` and the group: job->sums */
};

/* A = sum of sums[p] 256^p, for rows 0-7 and 8-15: neighbours join in int32 (< 2^31), the rest in fp64. */
static ALWAYS_INLINE void join_sums(const int D, int32_t (*sums)[16][16], uint32_t i, __m512d a[2])
{
	const __m512d radix = _mm512_set1_pd(65536);
	UNROLL
	for (int p = D / 2; p >= 0; p--) {
		__m512i z = _mm512_load_si512((const void *)sums[2 * p][i]);
		if (2 * p + 1 <= D)
			z = _mm512_add_epi32(z, _mm512_slli_epi32(_mm512_load_si512((const void *)sums[2 * p + 1][i]), 8));
		__m512d low = _mm512_cvtepi32_pd(_mm512_castsi512_si256(z));
		__m512d high = _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(z, 1));
		a[0] = p == D / 2 ? low : _mm512_fmadd_pd(a[0], radix, low);
		a[1] = p == D / 2 ? high : _mm512_fmadd_pd(a[1], radix, high);
	}
}

/* B = sum of min[j] * sum32[j] of N vectors, each partial sum exact. */
static ALWAYS_INLINE void join_mins(const int N, const struct panel *panel, const struct greta_cpu_digits *const *x,
                                    __m512d b[2][2])
{
	UNROLL
	for (int j = 0; j < 8; j++) {
		__m512d low = _mm512_load_pd(panel->min[j]), high = _mm512_load_pd(panel->min[j] + 8);
		UNROLL
		for (int n = 0; n < N; n++) {
			__m512d sum = _mm512_set1_pd(x[n]->sum32[j]);
			b[n][0] = j ? _mm512_fmadd_pd(low, sum, b[n][0]) : _mm512_mul_pd(low, sum);
			b[n][1] = j ? _mm512_fmadd_pd(high, sum, b[n][1]) : _mm512_mul_pd(high, sum);
		}
	}
}

/* Adds the block's terms of N vectors (two share the loads of the panel) and 16 rows to the accumulators. */
static ALWAYS_INLINE void add_terms(const int N, const int mins, const int D, const struct greta_cpu_sums_job *job,
                                    const struct waiting *wait, uint32_t i)
{
	const struct panel *panel = wait->panel;
	const struct greta_cpu_digits *x[2];
	__m512d a[2][2], b[2][2], factor[2];
	UNROLL
	for (int n = 0; n < N; n++) {
		uint32_t v = wait->first + i + (uint32_t)n;
		x[n] = &job->digits[v * job->digits_stride + wait->block];
		factor[n] = _mm512_set1_pd(greta_pow2(x[n]->exponent + job->shift[v]));
		join_sums(D, wait->sums, i + (uint32_t)n, a[n]);
	}
	if (mins)
		join_mins(N, panel, x, b);
	UNROLL
	for (int n = 0; n < N; n++) {
		double *out = wait->acc + (size_t)(i + (uint32_t)n) * job->group_count * 16;
		UNROLL
		for (int h = 0; h < 2; h++) {
			__m512d acc = _mm512_loadu_pd(out + 8 * h);
			acc = fma_down(_mm512_mul_pd(_mm512_load_pd(panel->d + 8 * h), factor[n]), a[n][h], acc);
			if (mins)
				acc = fma_down(_mm512_mul_pd(_mm512_load_pd(panel->minus_dmin + 8 * h), factor[n]), b[n][h], acc);
			_mm512_storeu_pd(out + 8 * h, acc);
		}
	}
}

/* Rows [first, last) of `wait`, where they count. A function of its own:
 * called from several places, for a few rows each. */
typedef void add_rows_function(const struct greta_cpu_sums_job *job, const struct waiting *wait, uint32_t first,
                               uint32_t last);

#define ADD_ROWS(mins, D)                                                                                              \
	static __attribute__((noinline)) void add_rows_##mins##_x##D(                                                  \
	    const struct greta_cpu_sums_job *job, const struct waiting *wait, uint32_t first, uint32_t last)           \
	{                                                                                                              \
		first = first > wait->from ? first : wait->from;                                                       \
		last = last < wait->to ? last : wait->to;                                                              \
		for (; first + 1 < last; first += 2)                                                                   \
			add_terms(2, mins, D, job, wait, first);                                                       \
		if (first < last)                                                                                      \
			add_terms(1, mins, D, job, wait, first);                                                       \
	}
ADD_ROWS(0, 1) ADD_ROWS(0, 2) ADD_ROWS(0, 3) ADD_ROWS(0, 4)
ADD_ROWS(1, 1) ADD_ROWS(1, 2) ADD_ROWS(1, 3) ADD_ROWS(1, 4)

/* [whether the type has mins][digits - 1] */
static add_rows_function *const add_rows_functions[2][4] = {
    {add_rows_0_x1, add_rows_0_x2, add_rows_0_x3, add_rows_0_x4},
    {add_rows_1_x1, add_rows_1_x2, add_rows_1_x3, add_rows_1_x4},
};

/* ---- Tile products ---- */

/* 64 columns of digit d: into the sums of weight 256^d and 256^(d + 1). */
#define TILE_DIGIT(d, next)                                                                                            \
	do {                                                                                                           \
		TILE_LOAD(5, x->digit[d] + 64 * k, stride);                                                            \
		TILE_PRODUCT(d, 5, 6);                                                                                 \
		TILE_PRODUCT(next, 5, 7);                                                                              \
	} while (0)

/* A tile of vectors times one panel, while the rows of `wait` are added. */
static ALWAYS_INLINE void tile_products(const int D, const struct greta_cpu_sums_job *job, const struct panel *panel,
                                        const struct greta_cpu_digits *x, int32_t (*sums)[16][16],
                                        add_rows_function *add_rows, const struct waiting *wait)
{
	const size_t stride = job->digits_stride * sizeof(*x);
	TILE_ZERO(0);
	TILE_ZERO(1);
	TILE_ZERO(2);
	TILE_ZERO(3);
	TILE_ZERO(4);
	NO_UNROLL
	for (uint32_t k = 0; k < 4; k++) {
		TILE_LOAD(6, panel->low[16 * k], 64);
		TILE_LOAD(7, panel->high[16 * k], 64);
		TILE_DIGIT(0, 1);
		if (D > 1)
			TILE_DIGIT(1, 2);
		add_rows(job, wait, 4 * k, 4 * k + 2);
		if (D > 2)
			TILE_DIGIT(2, 3);
		if (D > 3)
			TILE_DIGIT(3, 4);
		add_rows(job, wait, 4 * k + 2, 4 * k + 4);
	}
	TILE_STORE(0, sums[0]);
	TILE_STORE(1, sums[1]);
	if (D > 1)
		TILE_STORE(2, sums[2]);
	if (D > 2)
		TILE_STORE(3, sums[3]);
	if (D > 3)
		TILE_STORE(4, sums[4]);
}

static __attribute__((noinline)) void unpack(const struct greta_cpu_sums_job *job, uint32_t g, uint32_t b,
                                             struct panel *panel)
{
	const uint8_t *head = job->groups + g * job->group_bytes;
	const uint8_t *words = head + job->head_bytes;
	switch (job->type) {
	case GRETA_TYPE_Q4_K: unpack_k(0, words + (size_t)b * 36 * 64, panel); break;
	case GRETA_TYPE_Q5_K: unpack_k(1, words + (size_t)b * 44 * 64, panel); break;
	default: unpack_q6_k(words + (size_t)b * 52 * 64, head + (size_t)b * 32, panel); break;
	}
}

static ALWAYS_INLINE void multiply(const int D, const struct greta_cpu_sums_job *job)
{
	add_rows_function *const add_rows = add_rows_functions[job->type != GRETA_TYPE_Q6_K][D - 1];
	struct scratch *scratch = (struct scratch *)(void *)job->scratch;
	const uint32_t rows = job->vectors < 16 ? job->vectors : 16;
	struct waiting wait = {.from = 0, .to = 0};
	uint32_t parity = 0;
	configure(rows);
	for (uint32_t first_group = 0; first_group < job->group_count; first_group += GROUPS) {
		uint32_t groups = job->group_count - first_group < GROUPS ? job->group_count - first_group : GROUPS;
		for (uint32_t b = 0; b < job->blocks; b++) {
			add_rows(job, &wait, 0, 16); /* before its panel is overwritten */
			wait.to = 0;
			for (uint32_t g = 0; g < groups; g++)
				unpack(job, first_group + g, b, &scratch->panel[g]);
			for (uint32_t v = 0; v < job->vectors; v += rows) {
				/* The last tile reaches back over vectors that are done already. */
				uint32_t first = v + rows <= job->vectors ? v : job->vectors - rows;
				const struct greta_cpu_digits *x = &job->digits[first * job->digits_stride + b];
				for (uint32_t g = 0; g < groups; g++, parity ^= 1) {
					tile_products(D, job, &scratch->panel[g], x, scratch->sums[parity], add_rows,
						      &wait);
					wait = (struct waiting){
					    .panel = &scratch->panel[g],
					    .sums = scratch->sums[parity],
					    .first = first,
					    .from = v - first,
					    .to = rows,
					    .block = b,
					    .acc = job->sums + ((size_t)first * job->group_count + first_group + g) * 16,
					};
				}
			}
		}
	}
	add_rows(job, &wait, 0, 16);
	TILE_RELEASE();
}

#define FORM(D)                                                                                                        \
	static __attribute__((noinline)) void multiply_x##D(const struct greta_cpu_sums_job *job) { multiply(D, job); }
FORM(1) FORM(2) FORM(3) FORM(4)

/* Fewer vectors than this are not worth the planes. */
#define VECTORS_MIN 4

void greta_cpu_amx_sums(const struct greta_cpu_sums_job *job)
{
	static void (*const by_digits[4])(const struct greta_cpu_sums_job *) = {multiply_x1, multiply_x2, multiply_x3,
	                                                                        multiply_x4};
	int fits = job->type == GRETA_TYPE_Q4_K || job->type == GRETA_TYPE_Q5_K || job->type == GRETA_TYPE_Q6_K;
	if (!fits || job->vectors < VECTORS_MIN) {
		greta_cpu_avx512_sums(job);
		return;
	}
	const __m512d bias = _mm512_set1_pd(GRETA_ROUND_BIAS);
	size_t count = (size_t)job->vectors * job->group_count * 16;
	for (size_t i = 0; i < count; i += 8)
		_mm512_storeu_pd(job->sums + i, bias);
	by_digits[job->activations - 1](job);
	for (size_t i = 0; i < count; i += 8)
		_mm512_storeu_pd(job->sums + i, _mm512_sub_pd(_mm512_loadu_pd(job->sums + i), bias));
}

void greta_cpu_amx_float_sums(const struct greta_cpu_float_job *job) { greta_cpu_avx512_float_sums(job); }

void greta_cpu_amx_make_digits(const float *x, const float *norm, float eps, uint32_t cols, uint32_t activations,
                               struct greta_cpu_digits *digits)
{
	greta_cpu_avx512_make_digits(x, norm, eps, cols, activations, digits);
}
