/* Sums of products with AVX2: a lane is a row, eight rows at a time. vpmaddubsw multiplies unsigned weights with four
 * broadcast digits into 16-bit pair sums, as many words of which are added up as fit 16 bits; vpmaddwd by the
 * sub-block's scale widens them. Floors need the processor to round down, which is switched on around each call. */
#include <immintrin.h>

#include "kernels/cpu/product.h"
#include "kernels/numbers.h"
#include "models/types.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Loops over digits and words must disappear, or their arrays become memory; those around them should stay. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#define NO_UNROLL _Pragma("clang loop unroll(disable)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#define NO_UNROLL _Pragma("GCC unroll 1")
#endif

/* Word w of eight rows; `words` points at the first of them. */
static ALWAYS_INLINE __m256i word(const uint8_t *words, int w)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)(words + (size_t)w * 64));
}

static ALWAYS_INLINE __m256i broadcast4(const void *four)
{
	int32_t word32;
	__builtin_memcpy(&word32, four, sizeof(word32));
	return _mm256_set1_epi32(word32);
}

/* What `at` will be followed by 32 KB on; volatile, so that it stays where it is written. */
static ALWAYS_INLINE void prefetch(const uint8_t *at)
{
	__asm__ volatile("prefetcht1 32768(%0)" : : "r"(at) : "memory");
}

static ALWAYS_INLINE __m256i nibbles(__m256i q, int high)
{
	return _mm256_and_si256(high ? _mm256_srli_epi32(q, 4) : q, _mm256_set1_epi8(0x0f));
}

/* Byte j of every lane as two equal 16-bit numbers, unsigned. */
static ALWAYS_INLINE __m256i scale_pair(__m256i bytes, int j)
{
	return _mm256_shuffle_epi8(bytes, _mm256_add_epi32(_mm256_set1_epi32(j * 0x00010001),
	                                                   _mm256_set_epi32((int)0x800c800cu, (int)0x80088008u,
	                                                                    (int)0x80048004u, (int)0x80008000u,
	                                                                    (int)0x800c800cu, (int)0x80088008u,
	                                                                    (int)0x80048004u, (int)0x80008000u)));
}

/* Bytes j and k of every lane as two 16-bit numbers, signed. */
static ALWAYS_INLINE __m256i signed_pair(__m256i bytes, int j, int k)
{
	__m256i select = _mm256_add_epi32(_mm256_set1_epi32(j * 0x100 + k * 0x1000000),
	                                  _mm256_set_epi32(0x0c800c80, 0x08800880, 0x04800480, 0x00800080, 0x0c800c80,
	                                                   0x08800880, 0x04800480, 0x00800080));
	return _mm256_srai_epi16(_mm256_shuffle_epi8(bytes, select), 8);
}

static ALWAYS_INLINE __m256d low_pd(__m256i z) { return _mm256_cvtepi32_pd(_mm256_castsi256_si128(z)); }
static ALWAYS_INLINE __m256d high_pd(__m256i z) { return _mm256_cvtepi32_pd(_mm256_extracti128_si256(z, 1)); }

/* The exact integers, lanes 0-3 and 4-7: sum z[i] radix^i. */
static ALWAYS_INLINE void join(const int count, const __m256i *z, double radix, __m256d out[2])
{
	const __m256d r = _mm256_set1_pd(radix);
	out[0] = low_pd(z[count - 1]);
	out[1] = high_pd(z[count - 1]);
	UNROLL
	for (int i = count - 2; i >= 0; i--) {
		out[0] = _mm256_fmadd_pd(out[0], r, low_pd(z[i]));
		out[1] = _mm256_fmadd_pd(out[1], r, high_pd(z[i]));
	}
}

/* acc += floor(d * A * 2^k) for eight rows, when the processor rounds down;
 * d: f16 in the low halves of 32-bit lanes. */
static ALWAYS_INLINE void add_term(__m256i d, __m256d factor, const __m256d a[2], __m256d acc[2])
{
	d = _mm256_and_si256(d, _mm256_set1_epi32(0xffff));
	__m256 scale = _mm256_cvtph_ps(_mm_packus_epi32(_mm256_castsi256_si128(d), _mm256_extracti128_si256(d, 1)));
	__m256d low = _mm256_mul_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(scale)), factor);
	__m256d high = _mm256_mul_pd(_mm256_cvtps_pd(_mm256_extractf128_ps(scale, 1)), factor);
	acc[0] = _mm256_fmadd_pd(low, a[0], acc[0]);
	acc[1] = _mm256_fmadd_pd(high, a[1], acc[1]);
}

/* The head of a Q4_K or Q5_K block: scales and mins of sub-blocks 0-3 and 4-7 as bytes. */
struct k_scales {
	__m256i d;
	__m256i scale[2], min[2];
};

static ALWAYS_INLINE struct k_scales k_scales(const uint8_t *words)
{
	const __m256i six = _mm256_set1_epi8(0x3f), four = _mm256_set1_epi8(0x0f), two = _mm256_set1_epi8(0x30);
	__m256i a = word(words, 1), b = word(words, 2), c = word(words, 3);
	struct k_scales s;
	s.d = word(words, 0);
	s.scale[0] = _mm256_and_si256(a, six);
	s.min[0] = _mm256_and_si256(b, six);
	s.scale[1] = _mm256_or_si256(_mm256_and_si256(c, four), _mm256_and_si256(_mm256_srli_epi32(a, 2), two));
	s.min[1] = _mm256_or_si256(nibbles(c, 1), _mm256_and_si256(_mm256_srli_epi32(b, 2), two));
	return s;
}

/* -dmin * B, B = sum m[j] * sum32[j] by the sums' D + 1 digits: two words' pair sums are at most 4 * 63 * 128 = 32,256;
 * a digit's part is at most 8 * 63 * 128, so two of them join in int32. */
static ALWAYS_INLINE void add_mins(const int D, const struct k_scales *s, const struct greta_cpu_digits *x,
                                   __m256d factor, __m256d acc[2])
{
	const __m256i ones = _mm256_set1_epi16(1);
	__m256i z[3];
	UNROLL
	for (int i = 0; i < 3; i++) {
		z[i] = _mm256_setzero_si256();
		UNROLL
		for (int d = 2 * i + 1; d >= 2 * i; d--)
			if (d <= D) {
				__m256i pairs = _mm256_maddubs_epi16(s->min[0], broadcast4(x->sum_digit[0][d]));
				pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(s->min[1], broadcast4(x->sum_digit[1][d])));
				z[i] = _mm256_add_epi32(_mm256_slli_epi32(z[i], 8), _mm256_madd_epi16(pairs, ones));
			}
	}
	__m256d b[2];
	join(D / 2 + 1, z, 65536, b);
	/* minus: an f16's sign bit is flipped exactly */
	add_term(_mm256_xor_si256(_mm256_srli_epi32(s->d, 16), _mm256_set1_epi32(0x8000)), factor, b, acc);
}

/* The scale of sub-block j as pairs. */
static ALWAYS_INLINE __m256i k_scale(const struct k_scales *s, int j)
{
	return scale_pair(_mm256_srl_epi32(s->scale[j / 4], _mm_cvtsi32_si128(j % 4 * 8)), 0);
}

static ALWAYS_INLINE void q4_k_half(const int D, const uint8_t *words, const struct greta_cpu_digits *x, __m256d factor,
                                    __m256d acc[2])
{
	struct k_scales s = k_scales(words);
	__m256i sum[4];
	UNROLL
	for (int d = 0; d < D; d++)
		sum[d] = _mm256_setzero_si256();
	NO_UNROLL
	for (int j = 0; j < 8; j++) {
		const __m128i passed = _mm_cvtsi32_si128(j % 2 * 4);
		__m256i pairs[4];
		UNROLL
		for (int w = 0; w < 8; w++) {
			const uint8_t *at = words + (4 + j / 2 * 8 + w) * 64;
			__m256i q = nibbles(_mm256_srl_epi32(word(at, 0), passed), 0);
			if (w % 2)
				prefetch(words + (4 + 4 * j + w / 2) * 64);
			UNROLL
			for (int d = 0; d < D; d++) { /* |pairs| <= 8 * 2 * 15 * 128 = 30,720 */
				__m256i p = _mm256_maddubs_epi16(q, broadcast4(x->digit[d] + 32 * j + 4 * w));
				pairs[d] = w ? _mm256_add_epi16(pairs[d], p) : p;
			}
		}
		__m256i scale = k_scale(&s, j);
		UNROLL
		for (int d = 0; d < D; d++) /* |sum| <= 8 * 63 * 32 * 15 * 128 < 2^25 */
			sum[d] = _mm256_add_epi32(sum[d], _mm256_madd_epi16(pairs[d], scale));
	}
	__m256d a[2];
	join(D, sum, 256, a);
	add_term(s.d, factor, a, acc);
	add_mins(D, &s, x, factor, acc);
}

static ALWAYS_INLINE void q5_k_half(const int D, const uint8_t *words, const struct greta_cpu_digits *x, __m256d factor,
                                    __m256d acc[2])
{
	const __m256i one = _mm256_set1_epi8(1);
	struct k_scales s = k_scales(words);
	__m256i sum[4];
	UNROLL
	for (int d = 0; d < D; d++)
		sum[d] = _mm256_setzero_si256();
	NO_UNROLL
	for (int j = 0; j < 8; j++) {
		const __m128i passed = _mm_cvtsi32_si128(j % 2 * 4), bit = _mm_cvtsi32_si128(j);
		__m256i scale = k_scale(&s, j);
		UNROLL
		for (int part = 0; part < 2; part++) {
			__m256i pairs[4];
			UNROLL
			for (int i = 0; i < 4; i++) {
				const int w = 4 * part + i;
				const uint8_t *at = words + (12 + j / 2 * 8 + w) * 64;
				/* bit j of byte i: value 32 j + i */
				__m256i h = _mm256_and_si256(_mm256_srl_epi32(word(words, 4 + w), bit), one);
				__m256i q = nibbles(_mm256_srl_epi32(word(at, 0), passed), 0);
				q = _mm256_or_si256(q, _mm256_slli_epi32(h, 4));
				if (w % 2 || w == 0)
					prefetch(words + (4 + 5 * j + (w + 1) / 2) * 64);
				UNROLL
				for (int d = 0; d < D; d++) { /* |pairs| <= 4 * 2 * 31 * 128 = 31,744 */
					__m256i p = _mm256_maddubs_epi16(q, broadcast4(x->digit[d] + 32 * j + 4 * w));
					pairs[d] = i ? _mm256_add_epi16(pairs[d], p) : p;
				}
			}
			UNROLL
			for (int d = 0; d < D; d++) /* |sum| <= 8 * 63 * 32 * 31 * 128 < 2^26 */
				sum[d] = _mm256_add_epi32(sum[d], _mm256_madd_epi16(pairs[d], scale));
		}
	}
	__m256d a[2];
	join(D, sum, 256, a);
	add_term(s.d, factor, a, acc);
	add_mins(D, &s, x, factor, acc);
}

/* Four words of 6-bit values: those of sub-block 8 half + 2 quarter + odd. */
static ALWAYS_INLINE void q6_k_values(const uint8_t *words, int half, const int quarter, int odd, __m256i q[4])
{
	const __m256i two = _mm256_set1_epi8(0x30);
	const uint8_t *low = words + (half * 16 + quarter % 2 * 8 + odd * 4) * 64;
	const uint8_t *high = words + (32 + half * 8 + odd * 4) * 64;
	UNROLL
	for (int w = 0; w < 4; w++) {
		__m256i l = nibbles(word(low, w), quarter / 2);
		__m256i h = word(high, w);
		h = quarter == 0   ? _mm256_slli_epi32(h, 4)
		    : quarter == 1 ? _mm256_slli_epi32(h, 2)
		    : quarter == 2 ? h
		                   : _mm256_srli_epi32(h, 2);
		q[w] = _mm256_or_si256(l, _mm256_and_si256(h, two));
	}
}

static ALWAYS_INLINE void q6_k_half(const int D, const uint8_t *words, const uint8_t *head,
                                    const struct greta_cpu_digits *x, __m256d factor, __m256d acc[2])
{
	__m256i sum[4];
	UNROLL
	for (int d = 0; d < D; d++)
		sum[d] = _mm256_setzero_si256();
	/* -32 times scale times the sub-block's digit sum, two sub-blocks at a time; |sum| <= 2^17 * 32 */
	UNROLL
	for (int j = 0; j < 16; j += 2) {
		__m256i scales = signed_pair(word(words, 48 + j / 4), j % 4, j % 4 + 1);
		UNROLL
		for (int d = 0; d < D; d++)
			sum[d] = _mm256_sub_epi32(sum[d], _mm256_madd_epi16(scales, broadcast4(&x->sum16[d][j])));
	}
	UNROLL
	for (int d = 0; d < D; d++)
		sum[d] = _mm256_slli_epi32(sum[d], 5);
	NO_UNROLL
	for (int part = 0; part < 4; part++) {
		const int half = part / 2, odd = part % 2;
		UNROLL
		for (int quarter = 0; quarter < 4; quarter++) {
			const int8_t *digits = x->digit[0] + 128 * half + 32 * quarter + 16 * odd;
			const uint8_t *ahead = words + (13 * part + 3 * quarter) * 64;
			__m256i scales = _mm256_srl_epi32(word(words, 48 + 2 * half + quarter / 2), _mm_cvtsi32_si128(8 * odd));
			__m256i scale = signed_pair(scales, 2 * quarter % 4, 2 * quarter % 4);
			__m256i q[4];
			q6_k_values(words, half, quarter, odd, q);
			prefetch(ahead);
			prefetch(ahead + 64);
			prefetch(ahead + 128);
			if (quarter == 3)
				prefetch(ahead + 192);
			UNROLL
			for (int d = 0; d < D; d++) {
				UNROLL
				for (int w = 0; w < 4; w += 2) { /* |pairs| <= 2 * 2 * 63 * 128 = 32,256; |sum| < 2^29 */
					const int8_t *at = digits + 256 * d + 4 * w;
					__m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(q[w], broadcast4(at)),
					                                 _mm256_maddubs_epi16(q[w + 1], broadcast4(at + 4)));
					sum[d] = _mm256_add_epi32(sum[d], _mm256_madd_epi16(pairs, scale));
				}
			}
		}
	}
	__m256d a[2];
	join(D, sum, 256, a);
	add_term(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)head)), factor, a, acc);
}

/* Terms of Q8_0 and Q4_0 are of 32 values: |z| <= 2^19 per digit, so digits join in pairs in int32. */
static ALWAYS_INLINE void add_small_term(const int D, const __m256i *z, const uint8_t *words, int j, __m256d factor,
                                         __m256d acc[2])
{
	__m256i pair[2] = {z[0], z[0]};
	__m256d a[2];
	if (D > 1)
		pair[0] = _mm256_add_epi32(z[0], _mm256_slli_epi32(z[1], 8));
	if (D > 2)
		pair[1] = D > 3 ? _mm256_add_epi32(z[2], _mm256_slli_epi32(z[3], 8)) : z[2];
	join(D > 2 ? 2 : 1, pair, 65536, a);
	__m256i scale = word(words, j / 2);
	add_term(j % 2 ? _mm256_srli_epi32(scale, 16) : scale, factor, a, acc);
}

/* q + 128 in two nibbles, so that pair sums fit: 8 * 2 * 15 * 128 = 30,720. */
static ALWAYS_INLINE void q8_0_half(const int D, const uint8_t *words, const struct greta_cpu_digits *x, __m256d factor,
                                    __m256d acc[2])
{
	const __m256i offset = _mm256_set1_epi8((char)0x80), ones = _mm256_set1_epi16(1), sixteens = _mm256_set1_epi16(16);
	NO_UNROLL
	for (int j = 0; j < 8; j++) {
		__m256i low[4], high[4], z[4];
		UNROLL
		for (int w = 0; w < 8; w++) {
			__m256i q = _mm256_xor_si256(word(words, 4 + 8 * j + w), offset);
			__m256i q_low = nibbles(q, 0), q_high = nibbles(q, 1);
			prefetch(words + (4 + 8 * j + w) * 64);
			UNROLL
			for (int d = 0; d < D; d++) {
				__m256i digits = broadcast4(x->digit[d] + 32 * j + 4 * w);
				__m256i l = _mm256_maddubs_epi16(q_low, digits), h = _mm256_maddubs_epi16(q_high, digits);
				low[d] = w ? _mm256_add_epi16(low[d], l) : l;
				high[d] = w ? _mm256_add_epi16(high[d], h) : h;
			}
		}
		UNROLL
		for (int d = 0; d < D; d++) {
			z[d] = _mm256_set1_epi32(4 * (x->start[d][2 * j] + x->start[d][2 * j + 1])); /* -128 * digit sum */
			z[d] = _mm256_add_epi32(z[d], _mm256_madd_epi16(low[d], ones));
			z[d] = _mm256_add_epi32(z[d], _mm256_madd_epi16(high[d], sixteens));
		}
		add_small_term(D, z, words, j, factor, acc);
	}
}

static ALWAYS_INLINE void q4_0_half(const int D, const uint8_t *words, const struct greta_cpu_digits *x, __m256d factor,
                                    __m256d acc[2])
{
	const __m256i ones = _mm256_set1_epi16(1);
	NO_UNROLL
	for (int j = 0; j < 8; j++) {
		__m256i pairs[4], z[4];
		UNROLL
		for (int w = 0; w < 4; w++) { /* low nibbles: values 0-15, high: 16-31 */
			__m256i q = word(words, 4 + 4 * j + w);
			__m256i q_low = nibbles(q, 0), q_high = nibbles(q, 1);
			prefetch(words + (4 + 4 * j + w) * 64);
			UNROLL
			for (int d = 0; d < D; d++) { /* |pairs| <= 8 * 2 * 15 * 128 = 30,720 */
				const int8_t *digits = x->digit[d] + 32 * j + 4 * w;
				__m256i p = _mm256_add_epi16(_mm256_maddubs_epi16(q_low, broadcast4(digits)),
				                             _mm256_maddubs_epi16(q_high, broadcast4(digits + 16)));
				pairs[d] = w ? _mm256_add_epi16(pairs[d], p) : p;
			}
		}
		UNROLL
		for (int d = 0; d < D; d++) { /* -8 * the digit sum */
			z[d] = _mm256_set1_epi32((x->start[d][2 * j] + x->start[d][2 * j + 1]) / 4);
			z[d] = _mm256_add_epi32(z[d], _mm256_madd_epi16(pairs[d], ones));
		}
		add_small_term(D, z, words, j, factor, acc);
	}
}

static ALWAYS_INLINE void one_group(const uint32_t type, const int D, const struct greta_cpu_sums_job *job, uint32_t v,
                                    uint32_t g)
{
	const struct greta_cpu_digits *x = job->digits + v * job->digits_stride;
	const uint8_t *head = job->groups + g * job->group_bytes;
	const uint8_t *words = head + job->head_bytes;
	const size_t step = type == GRETA_TYPE_Q6_K   ? 52 * 64
	                    : type == GRETA_TYPE_Q5_K ? 44 * 64
	                    : type == GRETA_TYPE_Q8_0 ? 68 * 64
	                                              : 36 * 64;
	const __m256d bias = _mm256_set1_pd(GRETA_ROUND_BIAS);
	double *out = job->sums + ((size_t)v * job->group_count + g) * 16;
	__m256d acc[2][2] = {{bias, bias}, {bias, bias}};
	for (uint32_t b = 0; b < job->blocks; b++, words += step) {
		__m256d factor = _mm256_set1_pd(greta_pow2(x[b].exponent + job->shift[v]));
		NO_UNROLL
		for (int half = 0; half < 2; half++) {
			const uint8_t *at = words + 32 * half;
			switch (type) {
			case GRETA_TYPE_Q4_K: q4_k_half(D, at, &x[b], factor, acc[half]); break;
			case GRETA_TYPE_Q5_K: q5_k_half(D, at, &x[b], factor, acc[half]); break;
			case GRETA_TYPE_Q6_K: q6_k_half(D, at, head + b * 32 + half * 16, &x[b], factor, acc[half]); break;
			case GRETA_TYPE_Q8_0: q8_0_half(D, at, &x[b], factor, acc[half]); break;
			default: q4_0_half(D, at, &x[b], factor, acc[half]); break;
			}
		}
	}
	UNROLL
	for (int i = 0; i < 4; i++)
		_mm256_storeu_pd(out + 4 * i, _mm256_sub_pd(acc[i / 2][i % 2], bias));
}

/* One function per type and digit count: the loops above with constants in them. */
#define FORM(name, type, D)                                                                                            \
	static __attribute__((noinline)) void name##_x##D(const struct greta_cpu_sums_job *job)                        \
	{                                                                                                              \
		for (uint32_t v = 0; v < job->vectors; v++)                                                            \
			for (uint32_t g = 0; g < job->group_count; g++)                                                \
				one_group(type, D, job, v, g);                                                         \
	}
#define FORMS(name, type) FORM(name, type, 1) FORM(name, type, 2) FORM(name, type, 3) FORM(name, type, 4)
FORMS(q4_k, GRETA_TYPE_Q4_K)
FORMS(q5_k, GRETA_TYPE_Q5_K)
FORMS(q6_k, GRETA_TYPE_Q6_K)
FORMS(q8_0, GRETA_TYPE_Q8_0)
FORMS(q4_0, GRETA_TYPE_Q4_0)

/* The rounding bits of MXCSR: towards minus infinity. The calls between are opaque to the compiler (never inlined, they
 * write memory), so no arithmetic moves across. */
static uint32_t round_down(void)
{
	uint32_t before = _mm_getcsr();
	_mm_setcsr((before & ~(uint32_t)_MM_ROUND_MASK) | _MM_ROUND_DOWN);
	return before;
}

void greta_cpu_avx2_sums(const struct greta_cpu_sums_job *job)
{
	static void (*const table[5][4])(const struct greta_cpu_sums_job *) = {
#define ROW(name) {name##_x1, name##_x2, name##_x3, name##_x4}
	    ROW(q4_k), ROW(q5_k), ROW(q6_k), ROW(q8_0), ROW(q4_0)};
	uint32_t row = job->type == GRETA_TYPE_Q4_K   ? 0
	               : job->type == GRETA_TYPE_Q5_K ? 1
	               : job->type == GRETA_TYPE_Q6_K ? 2
	               : job->type == GRETA_TYPE_Q8_0 ? 3
	                                              : 4;
	uint32_t before = round_down();
	table[row][job->activations - 1](job);
	_mm_setcsr(before);
}

/* ---- Unquantised weights: a lane is a column, each lane's terms are floored alone ---- */

static ALWAYS_INLINE __m256d load_weights(const uint32_t type, const uint8_t *at)
{
	if (type == GRETA_TYPE_F32)
		return _mm256_cvtps_pd(_mm_loadu_ps((const float *)(const void *)at));
	__m128i halves = _mm_loadl_epi64((const __m128i *)(const void *)at);
	if (type == GRETA_TYPE_F16)
		return _mm256_cvtps_pd(_mm_cvtph_ps(halves));
	return _mm256_cvtps_pd(_mm_castsi128_ps(_mm_slli_epi32(_mm_cvtepu16_epi32(halves), 16)));
}

static ALWAYS_INLINE void float_rows(const uint32_t type, const struct greta_cpu_float_job *job)
{
	const size_t bytes = type == GRETA_TYPE_F32 ? 4 : 2;
	const __m256d bias = _mm256_set1_pd(GRETA_ROUND_BIAS);
	for (uint32_t r = 0; r < job->rows; r++) {
		const uint8_t *row = job->weights + r * job->row_bytes;
		__m256d acc[4] = {bias, bias, bias, bias};
		for (uint32_t i = 0; i < job->cols; i += 16) {
			prefetch(row + i * bytes);
			UNROLL
			for (uint32_t k = 0; k < 4; k++)
				acc[k] = _mm256_fmadd_pd(load_weights(type, row + (i + 4 * k) * bytes),
				                         _mm256_loadu_pd(job->x + i + 4 * k), acc[k]);
		}
		double lane[4];
		__m256d sum = _mm256_sub_pd(acc[0], bias);
		for (int k = 1; k < 4; k++)
			sum = _mm256_add_pd(sum, _mm256_sub_pd(acc[k], bias));
		_mm256_storeu_pd(lane, sum);
		job->sums[r] += lane[0] + lane[1] + lane[2] + lane[3];
	}
}

#define FLOATS(name, type)                                                                                             \
	static __attribute__((noinline)) void name(const struct greta_cpu_float_job *job) { float_rows(type, job); }
FLOATS(f32_rows, GRETA_TYPE_F32)
FLOATS(f16_rows, GRETA_TYPE_F16)
FLOATS(bf16_rows, GRETA_TYPE_BF16)

void greta_cpu_avx2_float_sums(const struct greta_cpu_float_job *job)
{
	uint32_t before = round_down();
	switch (job->type) {
	case GRETA_TYPE_F32: f32_rows(job); break;
	case GRETA_TYPE_F16: f16_rows(job); break;
	default: bf16_rows(job); break;
	}
	_mm_setcsr(before);
}
