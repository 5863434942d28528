/* Sums of products with AVX-512 VNNI for several vectors at a time: prefill where there are no tiles (product_amx.c).
 * The same bits as every other form, because it adds up the same exact integers.
 *
 * A weight of the K types times its sub-block's scale fits 16 bits (Q4_K, Q5_K: at most 1,953; Q6_K: from -4,064 to
 * 4,096), and so does half of X. vpdpwssd multiplies pairs of both: no sub-block needs a multiplication of its own, and
 * 256 columns of two halves take 256 vpdpwssd, as many as four digits take vpdpbusd. The weights of two groups are
 * unpacked once for all vectors, into 16 KB that stay in the first cache; a register of them serves four vectors, a
 * broadcast pair both groups. Per vector, 16 rows, 256 columns of Q4_K: 256 vpdpwssd, 56 to bring sums to fp64 before
 * they pass 32 bits, 16 for the mins, 8 for the scaled, floored term. */
#include "kernels/cpu/product_avx512.h"

#define GROUPS 2   /* of 16 rows, whose weights meet a digit in a register */
#define TOGETHER 4 /* vectors */

/* One group's 256 columns, unpacked. */
struct panel {
	int16_t weight[128][32]; /* [pair of columns][row and column]: q * scale */
	double d[16];
	double minus_dmin[16];   /* of Q4_K and Q5_K, as min */
	double min[8][16];
};

_Static_assert(GROUPS * sizeof(struct panel) <= GRETA_CPU_SUMS_SCRATCH, "scratch of a sums job");

/* An f16 in the low half of every lane as fp64. */
static ALWAYS_INLINE void store_halves(__m512i halves, double *out)
{
	__m512 wide = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(halves));
	_mm512_storeu_pd(out, _mm512_cvtps_pd(_mm512_castps512_ps256(wide)));
	_mm512_storeu_pd(out + 8, _mm512_cvtps_pd(_mm512_extractf32x8_ps(wide, 1)));
}

/* Four columns' bytes of every lane, less `offset`, times the lane's scale (in both its halves),
 * as two registers of pairs. */
static ALWAYS_INLINE void store_pairs(__m512i bytes, const int offset, __m512i scale, int16_t (*out)[32])
{
	const __m512i less = _mm512_set1_epi16((short)offset);
	const __m512i first = _mm512_set4_epi32((int)0x800d800c, (int)0x80098008, (int)0x80058004, (int)0x80018000);
	const __m512i second = _mm512_set4_epi32((int)0x800f800e, (int)0x800b800a, (int)0x80078006, (int)0x80038002);
	__m512i a = _mm512_sub_epi16(_mm512_shuffle_epi8(bytes, first), less);
	__m512i b = _mm512_sub_epi16(_mm512_shuffle_epi8(bytes, second), less);
	_mm512_storeu_si512(out[0], _mm512_mullo_epi16(a, scale));
	_mm512_storeu_si512(out[1], _mm512_mullo_epi16(b, scale));
}

static ALWAYS_INLINE __m512i both_halves(__m512i x) { return _mm512_or_si512(x, _mm512_slli_epi32(x, 16)); }

static void unpack_k(int fifth_bits, const uint8_t *words, struct panel *panel)
{
	const __m512i nibble = _mm512_set1_epi8(0x0f), fifth = _mm512_set1_epi8(0x10);
	struct greta_k_scales s = k_scales(words);
	store_halves(s.d, panel->d);
	store_halves(_mm512_xor_si512(_mm512_srli_epi32(s.d, 16), _mm512_set1_epi32(0x8000)), panel->minus_dmin);
	for (int j = 0; j < 8; j++) {
		__m512i min = _mm512_srl_epi32(s.min[j / 4], _mm_cvtsi32_si128(j % 4 * 8));
		min = _mm512_and_si512(min, _mm512_set1_epi32(0xff));
		_mm512_storeu_pd(panel->min[j], _mm512_cvtepi32_pd(_mm512_castsi512_si256(min)));
		_mm512_storeu_pd(panel->min[j] + 8, _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(min, 1)));
	}
	const uint8_t *nibbles = words + (size_t)(fifth_bits ? 12 : 4) * 64;
	for (int p = 0; p < 4; p++) {
		__m512i scales = two_scales(&s, p);
		__m512i low_scale = both_halves(scale_lane(scales, 0)), high_scale = both_halves(scale_lane(scales, 1));
		for (int w = 0; w < 8; w++) {
			__m512i q = word(nibbles, 8 * p + w);
			__m512i low = _mm512_and_si512(q, nibble), high = _mm512_and_si512(_mm512_srli_epi32(q, 4), nibble);
			if (fifth_bits) { /* bit j of byte i: value 32 j + i */
				__m512i h = _mm512_srl_epi32(word(words, 4 + w), _mm_cvtsi32_si128(2 * p));
				low = insert_bits(low, _mm512_slli_epi32(h, 4), fifth);
				high = insert_bits(high, _mm512_slli_epi32(h, 3), fifth);
			}
			store_pairs(low, 0, low_scale, &panel->weight[32 * p + 2 * w]);
			store_pairs(high, 0, high_scale, &panel->weight[32 * p + 16 + 2 * w]);
		}
	}
}

static ALWAYS_INLINE __m512i low_halves_twice(__m512i x)
{
	return _mm512_or_si512(_mm512_and_si512(x, _mm512_set1_epi32(0xffff)), _mm512_slli_epi32(x, 16));
}

/* `head`: the 16 rows' d. */
static void unpack_q6_k(const uint8_t *words, const uint8_t *head, struct panel *panel)
{
	const __m512i nibble = _mm512_set1_epi8(0x0f), pair = _mm512_set1_epi8(0x30);
	store_halves(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)head)), panel->d);
	for (int half = 0; half < 2; half++) {
		const uint8_t *low = words + half * 16 * 64, *high = words + (32 + half * 8) * 64;
		UNROLL
		for (int quarter = 0; quarter < 4; quarter++) {
			__m512i scales = word(words, 48 + 2 * half + quarter / 2);
			__m512i even = low_halves_twice(signed_lane(scales, quarter % 2 * 2));
			__m512i odd = low_halves_twice(signed_lane(scales, quarter % 2 * 2 + 1));
			for (int w = 0; w < 8; w++) {
				__m512i l = word(low, 8 * (quarter % 2) + w), h = word(high, w);
				l = quarter < 2 ? l : _mm512_srli_epi32(l, 4);
				h = quarter == 0   ? _mm512_slli_epi32(h, 4)
				    : quarter == 1 ? _mm512_slli_epi32(h, 2)
				    : quarter == 2 ? h
				                   : _mm512_srli_epi32(h, 2);
				store_pairs(insert_bits(_mm512_and_si512(l, nibble), h, pair), 32, w < 4 ? even : odd,
				            &panel->weight[64 * half + 16 * quarter + 2 * w]);
			}
		}
	}
}

/* a += sum of s[h] 65536^h, lanes 0-7 and 8-15. */
static ALWAYS_INLINE void add_sums(const int H, const __m512i *s, __m512d a[2])
{
	const __m512d radix = _mm512_set1_pd(65536);
	a[0] = _mm512_add_pd(a[0], _mm512_cvtepi32_pd(_mm512_castsi512_si256(s[0])));
	a[1] = _mm512_add_pd(a[1], _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(s[0], 1)));
	if (H > 1) {
		a[0] = _mm512_fmadd_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(s[1])), radix, a[0]);
		a[1] = _mm512_fmadd_pd(_mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(s[1], 1)), radix, a[1]);
	}
}

/* acc += floor(d * A), and, of types with mins, floor(-dmin * B), for 16 rows, scaled by `factor`. */
static ALWAYS_INLINE void add_terms(const bool mins, const struct panel *panel, const struct greta_cpu_digits *x,
                                    double factor, const __m512d a[2], double *acc)
{
	const __m512d scale = _mm512_set1_pd(factor);
	UNROLL
	for (int half = 0; half < 2; half++) {
		__m512d sum = _mm512_loadu_pd(acc + 8 * half), b = _mm512_setzero_pd();
		UNROLL
		for (int j = 0; mins && j < 8; j++)
			b = _mm512_fmadd_pd(_mm512_loadu_pd(panel->min[j] + 8 * half), _mm512_set1_pd(x->sum32[j]), b);
		sum = fma_down(_mm512_mul_pd(_mm512_loadu_pd(panel->d + 8 * half), scale), a[half], sum);
		if (mins)
			sum = fma_down(_mm512_mul_pd(_mm512_loadu_pd(panel->minus_dmin + 8 * half), scale), b, sum);
		_mm512_storeu_pd(acc + 8 * half, sum);
	}
}

/* G groups' panels times V vectors' blocks of H halves, `flush` pairs of columns at a time in 32 bits; x: the blocks at
 * a stride; acc: V accumulators of G times 16 rows, at a stride. */
static ALWAYS_INLINE void panels_times(const int G, const int V, const int H, const int flush, const bool mins,
                                       const struct panel *panel, const struct greta_cpu_digits *x, size_t x_stride,
                                       const double *factor, double *acc, size_t acc_stride)
{
	__m512d a[GROUPS][TOGETHER][2];
	UNROLL
	for (int g = 0; g < G; g++) {
		UNROLL
		for (int v = 0; v < V; v++)
			a[g][v][0] = a[g][v][1] = _mm512_setzero_pd();
	}
	NO_UNROLL
	for (int start = 0; start < 128; start += flush) {
		__m512i s[GROUPS][TOGETHER][2];
		UNROLL
		for (int g = 0; g < G; g++) {
			UNROLL
			for (int v = 0; v < V; v++)
				s[g][v][0] = s[g][v][1] = _mm512_setzero_si512();
		}
		NO_UNROLL
		for (int i = start; i < start + flush; i += 4) {
			UNROLL
			for (int k = 0; k < 4; k++) {
				__m512i w[GROUPS];
				UNROLL
				for (int g = 0; g < G; g++)
					w[g] = _mm512_loadu_si512(panel[g].weight[i + k]);
				UNROLL
				for (int v = 0; v < V; v++) {
					UNROLL
					for (int h = 0; h < H; h++) {
						__m512i pair = broadcast4((const int8_t *)&x[v * x_stride].half[h][2 * (i + k)]);
						UNROLL
						for (int g = 0; g < G; g++)
							s[g][v][h] = _mm512_dpwssd_epi32(s[g][v][h], w[g], pair);
					}
				}
			}
		}
		UNROLL
		for (int g = 0; g < G; g++) {
			UNROLL
			for (int v = 0; v < V; v++)
				add_sums(H, s[g][v], a[g][v]);
		}
	}
	UNROLL
	for (int g = 0; g < G; g++) {
		UNROLL
		for (int v = 0; v < V; v++)
			add_terms(mins, &panel[g], &x[v * x_stride], factor[v], a[g][v],
			          acc + (size_t)v * acc_stride + g * 16);
	}
}

/* The panels of G groups times every vector. */
static ALWAYS_INLINE void panels_times_all(const int G, const int H, const int flush, const bool mins,
                                           const struct panel *panel, uint32_t b, const struct greta_cpu_sums_job *job,
                                           double *acc)
{
	const struct greta_cpu_digits *x = job->digits + b;
	size_t x_stride = job->digits_stride, acc_stride = (size_t)job->group_count * 16;
	for (uint32_t v = 0; v < job->vectors; v += TOGETHER) {
		uint32_t count = job->vectors - v < TOGETHER ? job->vectors - v : TOGETHER;
		double factor[TOGETHER];
		for (uint32_t k = 0; k < count; k++)
			factor[k] = greta_pow2(x[(v + k) * x_stride].exponent + job->shift[v + k]);
		if (count == TOGETHER)
			panels_times(G, TOGETHER, H, flush, mins, panel, x + v * x_stride, x_stride, factor,
			             acc + v * acc_stride, acc_stride);
		else
			for (uint32_t k = 0; k < count; k++)
				panels_times(G, 1, H, flush, mins, panel, x + (v + k) * x_stride, 0, &factor[k],
				             acc + (v + k) * acc_stride, 0);
	}
}

static ALWAYS_INLINE void unpack(const uint32_t type, const struct greta_cpu_sums_job *job, uint32_t g, uint32_t b,
                                 struct panel *panel)
{
	const uint8_t *group = job->groups + g * job->group_bytes, *words = group + job->head_bytes;
	if (type == GRETA_TYPE_Q6_K)
		unpack_q6_k(words + b * (size_t)(52 * 64), group + (size_t)b * 32, panel);
	else
		unpack_k(type == GRETA_TYPE_Q5_K, words + b * (size_t)(type == GRETA_TYPE_Q5_K ? 44 * 64 : 36 * 64),
		         panel);
}

static ALWAYS_INLINE void many(const int H, const uint32_t type, const struct greta_cpu_sums_job *job)
{
	/* 64 * 945 * 2^15 < 2^31; 32 * 1953 * 2^15 < 2^31;
	 * 16 * 4096 * 2^15 = 2^31, and only the negative sum can be that */
	const int flush = type == GRETA_TYPE_Q4_K ? 32 : type == GRETA_TYPE_Q5_K ? 16 : 8;
	const bool mins = type != GRETA_TYPE_Q6_K;
	size_t sums = (size_t)job->vectors * job->group_count * 16;
	struct panel *panel = (void *)job->scratch;
	for (size_t i = 0; i < sums; i++)
		job->sums[i] = GRETA_ROUND_BIAS;
	for (uint32_t g = 0; g < job->group_count; g += GROUPS)
		for (uint32_t b = 0; b < job->blocks; b++) {
			uint32_t count = job->group_count - g < GROUPS ? job->group_count - g : GROUPS;
			for (uint32_t k = 0; k < count; k++)
				unpack(type, job, g + k, b, &panel[k]);
			if (count == GROUPS)
				panels_times_all(GROUPS, H, flush, mins, panel, b, job, job->sums + (size_t)g * 16);
			else
				panels_times_all(1, H, flush, mins, panel, b, job, job->sums + (size_t)g * 16);
		}
	for (size_t i = 0; i < sums; i++)
		job->sums[i] -= GRETA_ROUND_BIAS;
}

#define FORM(name, type)                                                                                               \
	static __attribute__((noinline)) void name##_one(const struct greta_cpu_sums_job *job) { many(1, type, job); } \
	static __attribute__((noinline)) void name##_two(const struct greta_cpu_sums_job *job) { many(2, type, job); }
FORM(q4_k, GRETA_TYPE_Q4_K)
FORM(q5_k, GRETA_TYPE_Q5_K)
FORM(q6_k, GRETA_TYPE_Q6_K)

bool greta_cpu_avx512_many_wants(const struct greta_cpu_sums_job *job)
{
	return job->vectors >= TOGETHER && job->activations >= 2 &&
	       (job->type == GRETA_TYPE_Q4_K || job->type == GRETA_TYPE_Q5_K || job->type == GRETA_TYPE_Q6_K);
}

void greta_cpu_avx512_many_sums(const struct greta_cpu_sums_job *job)
{
	bool one = job->activations <= 2;
	switch (job->type) {
	case GRETA_TYPE_Q4_K: (one ? q4_k_one : q4_k_two)(job); break;
	case GRETA_TYPE_Q5_K: (one ? q5_k_one : q5_k_two)(job); break;
	default: (one ? q6_k_one : q6_k_two)(job); break;
	}
}
