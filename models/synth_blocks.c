/* Quants are drawn as sums of two or three uniform numbers, a whole 64-bit word at a time: a bell that is symmetric
 * about a known centre. A block's scales then follow from the standard deviation wanted:
 *
 * type   quant                                          centre   standard deviation Q8_0   two of 0..127, less 127
 * 0        52.255 Q4_0   two of 0..7 and a bit, less 8; sign in d       -0.5     3.279 Q4_K   two of 0..7
 * 7        3.240 Q5_K   two of 0..7, and a bit of weight 16            15       8.631 Q6_K   a nibble, and three bits
 * of weight 16, less 32 -0.5     14.603   (sign in the scales)
 * */
#include "models/synth_blocks.h"

#include <string.h>

static const uint64_t LOW_THREE_OF_NIBBLES = UINT64_C(0x7777777777777777);
static const uint64_t LOW_BIT_OF_NIBBLES = UINT64_C(0x1111111111111111);
static const uint64_t LOW_BIT_OF_PAIRS = UINT64_C(0x5555555555555555);
static const uint64_t LOW_SEVEN_OF_BYTES = UINT64_C(0x7f7f7f7f7f7f7f7f);
static const uint64_t HIGH_BIT_OF_BYTES = UINT64_C(0x8080808080808080);

uint16_t greta_synth_f16(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
	if (magnitude >= 0x47800000) /* 65536 and beyond */
		return (uint16_t)(sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00));
	if (magnitude < 0x33000000) /* below half of the smallest denormal */
		return (uint16_t)sign;
	uint32_t shift = 13, mantissa = magnitude - (112u << 23);
	if (magnitude < 0x38800000) { /* a denormal as f16 */
		shift = 126 - (magnitude >> 23);
		mantissa = (magnitude & 0x7fffff) | 0x800000;
	}
	uint32_t kept = mantissa >> shift, rest = mantissa & ((1u << shift) - 1), half = 1u << (shift - 1);
	kept += rest > half || (rest == half && (kept & 1));
	return (uint16_t)(sign | kept);
}

static uint16_t bf16(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	bits += 0x7fff + (bits >> 16 & 1);
	return (uint16_t)(bits >> 16);
}

static void put_word(unsigned char *out, uint64_t word)
{
	memcpy(out, &word, sizeof(word)); /* little-endian: checked in gguf_read.c */
}

/* 16 nibbles, each a sum of two of 0..7. */
static uint64_t random_nibbles(uint64_t *random)
{
	return (greta_random(random) & LOW_THREE_OF_NIBBLES) + (greta_random(random) & LOW_THREE_OF_NIBBLES);
}

static void put_scale(unsigned char *out, uint16_t scale)
{
	memcpy(out, &scale, sizeof(scale));
}

/* The 6-bit scales (40..55) and mins (scale - 1 .. scale + 1) of Q4_K's and Q5_K's eight sub-blocks, in 12 bytes:
 * the low 6 bits of bytes 0-3 and 4-7 are scales and mins 0-3; those of 4-7 have their low 4 bits in bytes 8-11,
 * scale low, min high, and their high 2 bits on top of bytes 0-3 and 4-7. */
static void put_sub_scales(unsigned char out[12], uint64_t random)
{
	for (int i = 0; i < 4; i++, random >>= 12) {
		unsigned low_scale = 40 + (random & 15), low_min = low_scale + (random >> 4 & 1) - (random >> 5 & 1);
		unsigned scale = 40 + (random >> 6 & 15), min = scale + (random >> 10 & 1) - (random >> 11 & 1);
		out[i] = (unsigned char)(low_scale | (scale >> 4) << 6);
		out[4 + i] = (unsigned char)(low_min | (min >> 4) << 6);
		out[8 + i] = (unsigned char)((scale & 15) | (min & 15) << 4);
	}
}

static void fill_q8_0(struct greta_synth_filler *filler, unsigned char *out)
{
	put_scale(out, filler->scales[greta_random(&filler->random) & 15]);
	for (int i = 0; i < 4; i++) {
		uint64_t sums = (greta_random(&filler->random) & LOW_SEVEN_OF_BYTES) +
				(greta_random(&filler->random) & LOW_SEVEN_OF_BYTES);
		/* less 127 in every byte is 129 more, without a carry into the next */
		uint64_t less = ((sums & LOW_SEVEN_OF_BYTES) + UINT64_C(0x0101010101010101)) ^
				((sums ^ HIGH_BIT_OF_BYTES) & HIGH_BIT_OF_BYTES);
		put_word(out + 2 + 8 * i, less);
	}
}

static void fill_q4_0(struct greta_synth_filler *filler, unsigned char *out)
{
	uint64_t pick = greta_random(&filler->random);
	put_scale(out, (uint16_t)(filler->scales[pick & 15] | (pick >> 4 & 1) << 15));
	for (int i = 0; i < 2; i++)
		put_word(out + 2 + 8 * i,
			 random_nibbles(&filler->random) + (greta_random(&filler->random) & LOW_BIT_OF_NIBBLES));
}

static void fill_q4_k(struct greta_synth_filler *filler, unsigned char *out)
{
	uint64_t pick = greta_random(&filler->random);
	put_scale(out, filler->scales[pick & 15]);
	put_scale(out + 2, filler->mins[pick & 15]);
	put_sub_scales(out + 4, pick >> 8);
	for (int i = 0; i < 16; i++)
		put_word(out + 16 + 8 * i, random_nibbles(&filler->random));
}

static void fill_q5_k(struct greta_synth_filler *filler, unsigned char *out)
{
	uint64_t pick = greta_random(&filler->random);
	put_scale(out, filler->scales[pick & 15]);
	put_scale(out + 2, filler->mins[pick & 15]);
	put_sub_scales(out + 4, pick >> 8);
	for (int i = 0; i < 4; i++)
		put_word(out + 16 + 8 * i, greta_random(&filler->random));
	for (int i = 0; i < 16; i++)
		put_word(out + 48 + 8 * i, random_nibbles(&filler->random));
}

static void fill_q6_k(struct greta_synth_filler *filler, unsigned char *out)
{
	for (int i = 0; i < 16; i++)
		put_word(out + 8 * i, greta_random(&filler->random));
	for (int i = 0; i < 8; i++)
		put_word(out + 128 + 8 * i, (greta_random(&filler->random) & LOW_BIT_OF_PAIRS) +
						(greta_random(&filler->random) & LOW_BIT_OF_PAIRS) +
						(greta_random(&filler->random) & LOW_BIT_OF_PAIRS));
	uint64_t magnitudes = greta_random(&filler->random), signs = greta_random(&filler->random);
	for (int i = 0; i < 16; i++) {
		int scale = 80 + (int)(magnitudes >> (4 * i) & 15);
		out[192 + i] = (unsigned char)(signs >> i & 1 ? -scale : scale);
	}
	put_scale(out + 208, filler->scales[signs >> 16 & 15]);
}

/* F16, BF16, F32: one value per 16 random bits, a sum of two bytes. */
static void fill_values(struct greta_synth_filler *filler, unsigned char *out, size_t count)
{
	size_t bytes = filler->type == GRETA_TYPE_F32 ? sizeof(float) : sizeof(uint16_t);
	for (size_t i = 0; i < count; i++) {
		/* the state steps once a value: a tensor may be filled in pieces of any size */
		uint64_t random = greta_random(&filler->random);
		size_t sum = (random & 255) + (random >> 8 & 255);
		if (filler->type == GRETA_TYPE_F32)
			memcpy(out + bytes * i, &filler->values.wide[sum], sizeof(float));
		else
			memcpy(out + bytes * i, &filler->values.narrow[sum], sizeof(uint16_t));
	}
}

/* Standard deviation of a value before its f16 scale, and for the types that have one the centre of its quants. */
static void distribution(enum greta_type type, float *deviation, float *centre)
{
	const float sub_scale = 47.7f, q6_scale = 87.6f; /* root mean squares of what put_sub_scales, fill_q6_k draw */
	*centre = 0;
	switch (type) {
	case GRETA_TYPE_Q8_0:
		*deviation = 52.255f;
		break;
	case GRETA_TYPE_Q4_0:
		*deviation = 3.279f;
		break;
	case GRETA_TYPE_Q4_K:
		*deviation = 3.240f * sub_scale;
		*centre = 7;
		break;
	case GRETA_TYPE_Q5_K:
		*deviation = 8.631f * sub_scale;
		*centre = 15;
		break;
	case GRETA_TYPE_Q6_K:
		*deviation = 14.603f * q6_scale;
		break;
	default: /* a sum of two bytes */
		*deviation = 104.51f;
	}
}

void greta_synth_filler_init(struct greta_synth_filler *filler, enum greta_type type, float deviation, uint64_t seed)
{
	float unit, centre;
	memset(filler, 0, sizeof(*filler));
	filler->type = type;
	filler->random = seed;
	distribution(type, &unit, &centre);
	for (int i = 0; i < 16; i++) { /* within a tenth of what is wanted */
		float scale = deviation / unit * (0.9f + 0.0125f * (float)i);
		filler->scales[i] = greta_synth_f16(scale);
		filler->mins[i] = greta_synth_f16(scale * centre);
	}
	for (int i = 0; i < 511; i++) {
		float value = deviation / unit * (float)(i - 255);
		if (type == GRETA_TYPE_F32)
			filler->values.wide[i] = value;
		else
			filler->values.narrow[i] = type == GRETA_TYPE_BF16 ? bf16(value) : greta_synth_f16(value);
	}
}

void greta_synth_fill(struct greta_synth_filler *filler, void *out, size_t blocks)
{
	void (*fill)(struct greta_synth_filler *, unsigned char *) = NULL;
	switch (filler->type) {
	case GRETA_TYPE_Q8_0:
		fill = fill_q8_0;
		break;
	case GRETA_TYPE_Q4_0:
		fill = fill_q4_0;
		break;
	case GRETA_TYPE_Q4_K:
		fill = fill_q4_k;
		break;
	case GRETA_TYPE_Q5_K:
		fill = fill_q5_k;
		break;
	case GRETA_TYPE_Q6_K:
		fill = fill_q6_k;
		break;
	default:
		fill_values(filler, out, blocks);
		return;
	}
	size_t bytes = greta_type_info((uint32_t)filler->type)->block_bytes;
	unsigned char *at = out;
	for (size_t i = 0; i < blocks; i++, at += bytes)
		fill(filler, at);
}
