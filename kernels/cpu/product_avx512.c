/* Sums of products with AVX-512 VNNI, one vector at a time: a lane is a row, so one register holds the same word of 16
 * rows; the vector's digits are broadcast four at a time (a memory operand of vpdpbusd). Per 256 columns and 16 rows of
 * Q4_K and 4 digits: 256 vpdpbusd, 64 and/shift, 32 vpmulld, about 60 for scales and the fp64 step; 2,304 bytes read
 * once. */
#include <immintrin.h>

#include "kernels/cpu/product_avx512.h"

/* acc += floor(d * A * 2^k) for 16 rows; d: 16 f16 in the low halves of 32-bit lanes. */
static ALWAYS_INLINE void add_term(__m512i d, __m512d factor, const __m512d a[2], __m512d acc[2])
{
	__m512 scale = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(d));
	__m512d low = _mm512_mul_pd(_mm512_cvtps_pd(_mm512_castps512_ps256(scale)), factor);
	__m512d high = _mm512_mul_pd(_mm512_cvtps_pd(_mm512_extractf32x8_ps(scale, 1)), factor);
	acc[0] = fma_down(low, a[0], acc[0]);
	acc[1] = fma_down(high, a[1], acc[1]);
}

/* -dmin * B: B = sum m[j] * sum32[j] through vpdpbusd with the sums' D + 1 digits. A digit's part is at most
 * 8 * 63 * 128, so two of them join in int32. */
static ALWAYS_INLINE void add_mins(const int D, __m512i dmin, __m512i m_low, __m512i m_high,
                                   const struct greta_cpu_digits *x, __m512d factor, __m512d acc[2])
{
	__m512i z[3];
	UNROLL
	for (int i = 0; i < 3; i++) {
		z[i] = _mm512_setzero_si512();
		UNROLL
		for (int d = 2 * i + 1; d >= 2 * i; d--)
			if (d <= D) {
				z[i] = _mm512_slli_epi32(z[i], 8);
				z[i] = _mm512_dpbusd_epi32(z[i], m_low, broadcast4(x->sum_digit[0][d]));
				z[i] = _mm512_dpbusd_epi32(z[i], m_high, broadcast4(x->sum_digit[1][d]));
			}
	}
	const int parts = D / 2 + 1;
	__m512d b[2];
	const __m512d radix = _mm512_set1_pd(65536);
	b[0] = _mm512_cvtepi32_pd(_mm512_castsi512_si256(z[parts - 1]));
	b[1] = _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(z[parts - 1], 1));
	UNROLL
	for (int i = parts - 2; i >= 0; i--) {
		b[0] = _mm512_fmadd_pd(b[0], radix, _mm512_cvtepi32_pd(_mm512_castsi512_si256(z[i])));
		b[1] = _mm512_fmadd_pd(b[1], radix, _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(z[i], 1)));
	}
	/* minus: the term is (-dmin) * B, and the sign bit of an f16 is flipped exactly. */
	add_term(_mm512_xor_si512(dmin, _mm512_set1_epi32(0x8000)), factor, b, acc);
}

static ALWAYS_INLINE void q4_k_block(const int D, const uint8_t *words, const struct greta_cpu_digits *x,
                                     __m512d factor, __m512d acc[2])
{
	const __m512i nibble = _mm512_set1_epi8(0x0f);
	struct greta_k_scales s = k_scales(words);
	__m512i low_sum[4], high_sum[4];
	UNROLL
	for (int d = 0; d < D; d++)
		low_sum[d] = high_sum[d] = _mm512_setzero_si512();
	prefetch(words);
	NO_UNROLL
	for (int p = 0; p < 4; p++) {
		__m512i low[4], high[4];
		UNROLL
		for (int d = 0; d < D; d++)
			low[d] = high[d] = _mm512_setzero_si512();
		UNROLL
		for (int w = 0; w < 8; w++) {
			const uint8_t *at = words + (4 + 8 * p + w) * 64;
			__m512i q = word(at, 0);
			prefetch(at);
			__m512i q_low = _mm512_and_si512(q, nibble);
			__m512i q_high = _mm512_andnot_si512(nibble, q); /* 16 q */
			UNROLL
			for (int d = 0; d < D; d++) {
				low[d] = _mm512_dpbusd_epi32(low[d], q_low, broadcast4(x->digit[d] + 64 * p + 4 * w));
				high[d] = _mm512_dpbusd_epi32(high[d], q_high,
				                              broadcast4(x->digit[d] + 64 * p + 32 + 4 * w));
			}
		}
		__m512i scales = two_scales(&s, p);
		UNROLL
		for (int d = 0; d < D; d++) {
			low_sum[d] = _mm512_add_epi32(low_sum[d], _mm512_mullo_epi32(low[d], scale_lane(scales, 0)));
			high_sum[d] = _mm512_add_epi32(high_sum[d], _mm512_mullo_epi32(high[d], scale_lane(scales, 1)));
		}
	}
	/* |low_sum| <= 4 * 63 * 32 * 15 * 128 < 2^24, |high_sum| < 2^28 */
	UNROLL
	for (int d = 0; d < D; d++)
		low_sum[d] = _mm512_add_epi32(low_sum[d], _mm512_srai_epi32(high_sum[d], 4));
	__m512d a[2];
	join_digits(D, low_sum, a);
	add_term(s.d, factor, a, acc);
	add_mins(D, _mm512_srli_epi32(s.d, 16), s.min[0], s.min[1], x, factor, acc);
}

static ALWAYS_INLINE void q5_k_block(const int D, const uint8_t *words, const struct greta_cpu_digits *x,
                                     __m512d factor, __m512d acc[2])
{
	const __m512i nibble = _mm512_set1_epi8(0x0f);
	const __m512i fifth = _mm512_set1_epi8(0x10);
	struct greta_k_scales s = k_scales(words);
	__m512i sum[4];
	UNROLL
	for (int d = 0; d < D; d++)
		sum[d] = _mm512_setzero_si512();
	prefetch(words);
	NO_UNROLL
	for (int p = 0; p < 4; p++) {
		const __m128i passed = _mm_cvtsi32_si128(2 * p);
		__m512i low[4], high[4];
		UNROLL
		for (int d = 0; d < D; d++)
			low[d] = high[d] = _mm512_setzero_si512();
		UNROLL
		for (int w = 0; w < 8; w++) {
			const uint8_t *at = words + (12 + 8 * p + w) * 64;
			__m512i q = word(at, 0);
			__m512i h = _mm512_srl_epi32(word(words, 4 + w), passed); /* bit j of byte i: value 32 j + i */
			prefetch(at);
			__m512i q_low = insert_bits(_mm512_and_si512(q, nibble), _mm512_slli_epi32(h, 4), fifth);
			__m512i q_high = insert_bits(_mm512_and_si512(_mm512_srli_epi32(q, 4), nibble),
			                             _mm512_slli_epi32(h, 3), fifth);
			UNROLL
			for (int d = 0; d < D; d++) {
				low[d] = _mm512_dpbusd_epi32(low[d], q_low, broadcast4(x->digit[d] + 64 * p + 4 * w));
				high[d] = _mm512_dpbusd_epi32(high[d], q_high,
				                              broadcast4(x->digit[d] + 64 * p + 32 + 4 * w));
			}
		}
		__m512i scales = two_scales(&s, p);
		prefetch(words + (4 + 2 * p) * 64);
		prefetch(words + (5 + 2 * p) * 64);
		UNROLL
		for (int d = 0; d < D; d++) { /* |sum| <= 8 * 63 * 32 * 31 * 128 < 2^26 */
			sum[d] = _mm512_add_epi32(sum[d], _mm512_mullo_epi32(low[d], scale_lane(scales, 0)));
			sum[d] = _mm512_add_epi32(sum[d], _mm512_mullo_epi32(high[d], scale_lane(scales, 1)));
		}
	}
	__m512d a[2];
	join_digits(D, sum, a);
	add_term(s.d, factor, a, acc);
	add_mins(D, _mm512_srli_epi32(s.d, 16), s.min[0], s.min[1], x, factor, acc);
}

/* One quarter of a 128-value half of Q6_K, 32 values = 2 sub-blocks of 16: 8 words `q` of 6-bit values each. */
static ALWAYS_INLINE void q6_k_sub_blocks(const int D, const __m512i q[8], int first, __m512i scales,
                                          const struct greta_cpu_digits *x, __m512i sum[4])
{
	UNROLL
	for (int half = 0; half < 2; half++) {
		int j = first + half;
		__m512i scale = signed_lane(scales, j % 4);
		UNROLL
		for (int d = 0; d < D; d++) {
			/* q - 32 times digits: the -32 is where the sum starts. |s| <= 16 * 32 * 128 = 2^16 */
			__m512i s = _mm512_set1_epi32(x->start[d][j]);
			UNROLL
			for (int w = 0; w < 4; w++)
				s = _mm512_dpbusd_epi32(s, q[4 * half + w], broadcast4(x->digit[d] + 16 * j + 4 * w));
			/* |sum| <= 16 * 128 * 2^16 = 2^27 */
			sum[d] = _mm512_add_epi32(sum[d], _mm512_mullo_epi32(s, scale));
		}
	}
}

static ALWAYS_INLINE void q6_k_block(const int D, const uint8_t *words, const uint8_t *head,
                                     const struct greta_cpu_digits *x, __m512d factor, __m512d acc[2])
{
	const __m512i nibble = _mm512_set1_epi8(0x0f);
	const __m512i pair = _mm512_set1_epi8(0x30);
	__m512i sum[4];
	UNROLL
	for (int d = 0; d < D; d++)
		sum[d] = _mm512_setzero_si512();
	NO_UNROLL
	for (int half = 0; half < 2; half++) {
		const uint8_t *low = words + half * 16 * 64, *high = words + (32 + half * 8) * 64;
		__m512i scale_low = word(words, 48 + 2 * half), scale_high = word(words, 49 + 2 * half);
		prefetch(words + (48 + 2 * half) * 64);
		prefetch(words + (49 + 2 * half) * 64);
		UNROLL
		for (int quarter = 0; quarter < 4; quarter++) {
			__m512i q[8];
			UNROLL
			for (int w = 0; w < 8; w++) {
				__m512i l = word(low, 8 * (quarter % 2) + w);
				__m512i h = word(high, w);
				if (quarter < 3)
					prefetch((quarter == 0 ? low : quarter == 1 ? low + 512 : high) + w * 64);
				l = quarter < 2 ? l : _mm512_srli_epi32(l, 4);
				h = quarter == 0   ? _mm512_slli_epi32(h, 4)
				    : quarter == 1 ? _mm512_slli_epi32(h, 2)
				    : quarter == 2 ? h
				                   : _mm512_srli_epi32(h, 2);
				q[w] = insert_bits(_mm512_and_si512(l, nibble), h, pair);
			}
			q6_k_sub_blocks(D, q, 8 * half + 2 * quarter, quarter < 2 ? scale_low : scale_high, x, sum);
		}
	}
	__m512d a[2];
	join_digits(D, sum, a);
	add_term(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)head)), factor, a, acc);
}

/* Terms of Q8_0 and Q4_0 are of 32 values: |z| <= 32 * 128 * 128 = 2^19 per digit, so digits join in pairs in int32. */
static ALWAYS_INLINE void add_small_term(const int D, const __m512i *z, __m512i scale, __m512d factor, __m512d acc[2])
{
	__m512i low = D > 1 ? _mm512_add_epi32(z[0], _mm512_slli_epi32(z[1], 8)) : z[0];
	__m512d a[2] = {_mm512_cvtepi32_pd(_mm512_castsi512_si256(low)),
	                _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(low, 1))};
	if (D > 2) {
		__m512i high = D > 3 ? _mm512_add_epi32(z[2], _mm512_slli_epi32(z[3], 8)) : z[2];
		const __m512d radix = _mm512_set1_pd(65536);
		a[0] = _mm512_fmadd_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(high)), radix, a[0]);
		a[1] = _mm512_fmadd_pd(_mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(high, 1)), radix, a[1]);
	}
	add_term(scale, factor, a, acc);
}

static ALWAYS_INLINE void q8_0_block(const int D, const uint8_t *words, const struct greta_cpu_digits *x,
                                     __m512d factor, __m512d acc[2])
{
	const __m512i offset = _mm512_set1_epi8((char)0x80);
	NO_UNROLL
	for (int j = 0; j < 8; j++) {
		__m512i z[4];
		UNROLL
		for (int d = 0; d < D; d++) /* -128 * the sum of the digits makes up for q + 128 */
			z[d] = _mm512_set1_epi32(4 * (x->start[d][2 * j] + x->start[d][2 * j + 1]));
		UNROLL
		for (int w = 0; w < 8; w++) {
			__m512i q = _mm512_xor_si512(word(words, 4 + 8 * j + w), offset);
			prefetch(words + (4 + 8 * j + w) * 64);
			UNROLL
			for (int d = 0; d < D; d++)
				z[d] = _mm512_dpbusd_epi32(z[d], q, broadcast4(x->digit[d] + 32 * j + 4 * w));
		}
		__m512i scale = word(words, j / 2);
		if (j % 2)
			scale = _mm512_srli_epi32(scale, 16);
		else
			prefetch(words + j / 2 * 64);
		add_small_term(D, z, scale, factor, acc);
	}
}

static ALWAYS_INLINE void q4_0_block(const int D, const uint8_t *words, const struct greta_cpu_digits *x,
                                     __m512d factor, __m512d acc[2])
{
	const __m512i nibble = _mm512_set1_epi8(0x0f);
	NO_UNROLL
	for (int j = 0; j < 8; j++) {
		__m512i z[4];
		UNROLL
		for (int d = 0; d < D; d++) /* -8 * the sum of the digits */
			z[d] = _mm512_set1_epi32((x->start[d][2 * j] + x->start[d][2 * j + 1]) / 4);
		UNROLL
		for (int w = 0; w < 4; w++) { /* low nibbles: values 0-15, high: 16-31 */
			__m512i q = word(words, 4 + 4 * j + w);
			prefetch(words + (4 + 4 * j + w) * 64);
			__m512i q_low = _mm512_and_si512(q, nibble);
			__m512i q_high = _mm512_and_si512(_mm512_srli_epi32(q, 4), nibble);
			UNROLL
			for (int d = 0; d < D; d++) {
				z[d] = _mm512_dpbusd_epi32(z[d], q_low, broadcast4(x->digit[d] + 32 * j + 4 * w));
				z[d] = _mm512_dpbusd_epi32(z[d], q_high, broadcast4(x->digit[d] + 32 * j + 16 + 4 * w));
			}
		}
		__m512i scale = word(words, j / 2);
		if (j % 2)
			scale = _mm512_srli_epi32(scale, 16);
		else
			prefetch(words + j / 2 * 64);
		add_small_term(D, z, scale, factor, acc);
	}
}

static ALWAYS_INLINE void one_vector(const uint32_t type, const int D, const struct greta_cpu_sums_job *job, uint32_t v)
{
	const struct greta_cpu_digits *x = job->digits + v * job->digits_stride;
	const size_t step = type == GRETA_TYPE_Q6_K   ? 52 * 64
	                    : type == GRETA_TYPE_Q5_K ? 44 * 64
	                    : type == GRETA_TYPE_Q8_0 ? 68 * 64
	                                              : 36 * 64;
	const __m512d bias = _mm512_set1_pd(GRETA_ROUND_BIAS);
	for (uint32_t g = 0; g < job->group_count; g++) {
		const uint8_t *head = job->groups + g * job->group_bytes;
		const uint8_t *words = head + job->head_bytes;
		__m512d acc[2] = {bias, bias};
		for (uint32_t b = 0; b < job->blocks; b++, words += step) {
			__m512d factor = _mm512_set1_pd(greta_pow2(x[b].exponent + job->shift[v]));
			switch (type) {
			case GRETA_TYPE_Q4_K: q4_k_block(D, words, &x[b], factor, acc); break;
			case GRETA_TYPE_Q5_K: q5_k_block(D, words, &x[b], factor, acc); break;
			case GRETA_TYPE_Q6_K: q6_k_block(D, words, head + b * 32, &x[b], factor, acc); break;
			case GRETA_TYPE_Q8_0: q8_0_block(D, words, &x[b], factor, acc); break;
			default: q4_0_block(D, words, &x[b], factor, acc); break;
			}
		}
		double *out = job->sums + (size_t)v * job->group_count * 16 + g * 16;
		_mm512_storeu_pd(out, _mm512_sub_pd(acc[0], bias));
		_mm512_storeu_pd(out + 8, _mm512_sub_pd(acc[1], bias));
	}
}

/* One function per type and digit count: the loops above with constants in them. */
#define FORM(name, type, D)                                                                                            \
	static __attribute__((noinline)) void name##_x##D(const struct greta_cpu_sums_job *job)                        \
	{                                                                                                              \
		for (uint32_t v = 0; v < job->vectors; v++)                                                            \
			one_vector(type, D, job, v);                                                                   \
	}
#define FORMS(name, type) FORM(name, type, 1) FORM(name, type, 2) FORM(name, type, 3) FORM(name, type, 4)
FORMS(q4_k, GRETA_TYPE_Q4_K)
FORMS(q5_k, GRETA_TYPE_Q5_K)
FORMS(q6_k, GRETA_TYPE_Q6_K)
FORMS(q8_0, GRETA_TYPE_Q8_0)
FORMS(q4_0, GRETA_TYPE_Q4_0)

void greta_cpu_avx512_sums(const struct greta_cpu_sums_job *job)
{
	static void (*const table[5][4])(const struct greta_cpu_sums_job *) = {
#define ROW(name) {name##_x1, name##_x2, name##_x3, name##_x4}
	    ROW(q4_k), ROW(q5_k), ROW(q6_k), ROW(q8_0), ROW(q4_0)};
	uint32_t row = job->type == GRETA_TYPE_Q4_K   ? 0
	               : job->type == GRETA_TYPE_Q5_K ? 1
	               : job->type == GRETA_TYPE_Q6_K ? 2
	               : job->type == GRETA_TYPE_Q8_0 ? 3
	                                              : 4;
	if (greta_cpu_avx512_many_wants(job))
		greta_cpu_avx512_many_sums(job);
	else
		table[row][job->activations - 1](job);
}

/* ---- Unquantised weights: a lane is a column, each lane's terms are floored alone ---- */

static ALWAYS_INLINE __m512d load_weights(const uint32_t type, const uint8_t *at)
{
	if (type == GRETA_TYPE_F32)
		return _mm512_cvtps_pd(_mm256_loadu_ps((const void *)at));
	if (type == GRETA_TYPE_F16)
		return _mm512_cvtps_pd(_mm256_cvtph_ps(_mm_loadu_si128((const void *)at)));
	__m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)at));
	return _mm512_cvtps_pd(_mm256_castsi256_ps(_mm256_slli_epi32(wide, 16)));
}

/* A lane sums at most cols / 32 terms on its own; four lanes' sums stay below 2^51 together as the whole sum does. */
static ALWAYS_INLINE void float_rows(const uint32_t type, const struct greta_cpu_float_job *job)
{
	const size_t bytes = type == GRETA_TYPE_F32 ? 4 : 2;
	const __m512d bias = _mm512_set1_pd(GRETA_ROUND_BIAS);
	for (uint32_t r = 0; r < job->rows; r++) {
		const uint8_t *row = job->weights + r * job->row_bytes;
		__m512d acc[4] = {bias, bias, bias, bias};
		for (uint32_t i = 0; i < job->cols; i += 32) {
			prefetch(row + i * bytes);
			if (bytes == 4)
				prefetch(row + i * bytes + 64);
			UNROLL
			for (uint32_t k = 0; k < 4; k++)
				acc[k] = fma_down(load_weights(type, row + (i + 8 * k) * bytes),
				                  _mm512_loadu_pd(job->x + i + 8 * k), acc[k]);
		}
		__m512d sum = _mm512_sub_pd(acc[0], bias);
		for (int k = 1; k < 4; k++)
			sum = _mm512_add_pd(sum, _mm512_sub_pd(acc[k], bias));
		job->sums[r] += _mm512_reduce_add_pd(sum);
	}
}

void greta_cpu_avx512_float_sums(const struct greta_cpu_float_job *job)
{
	switch (job->type) {
	case GRETA_TYPE_F32: float_rows(GRETA_TYPE_F32, job); break;
	case GRETA_TYPE_F16: float_rows(GRETA_TYPE_F16, job); break;
	default: float_rows(GRETA_TYPE_BF16, job); break;
	}
}
