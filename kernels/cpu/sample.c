/* argmax, sample, advance, as kernels/ref/sample.c defines them, without sorting: what top_k and top_p keep is found by
 * a radix selection over the keys, by count and by weight, and is then a threshold. */
#include "kernels/cpu/forms.h"
#include "kernels/numbers.h"
#include "kernels/random.h"

void GRETA_CPU_NAME(argmax)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_argmax_args *a = args;
	(void)block;
	if (!greta_step_samples(a->state, greta_step_tokens(a->state, a->chunk)))
		return;
	uint64_t best = 0;
	for (uint32_t i = 0; i < a->vocab; i++) {
		uint64_t key = greta_logit_key(greta_bits32(a->logits[i]), i);
		best = key > best ? key : best;
	}
	a->best[0] = best;
}

static float key_logit(uint64_t key)
{
	uint32_t ordered = (uint32_t)(key >> 32);
	return greta_float(ordered & 0x80000000u ? ordered & 0x7fffffffu : ~ordered);
}

static uint64_t weight(float logit, float max, float temperature)
{
	return (uint64_t)(greta_expf((logit - max) / temperature) * 0x1p40f);
}

/* Walking the keys at or above `least` from the largest down, the first at which the running sum of their measures
 * reaches `wanted` (1 to the measures' total). The measure of a key is its weight at temperature 1, or 1. */
static uint64_t select_key(const uint64_t *keys, uint32_t count, uint64_t least, int by_weight, float max,
			   uint64_t wanted)
{
	uint64_t prefix = 0;
	for (int shift = 56; shift >= 0; shift -= 8) {
		uint64_t sums[256] = {0};
		for (uint32_t i = 0; i < count; i++)
			if (keys[i] >= least && (shift == 56 || (keys[i] ^ prefix) >> (shift + 8) == 0))
				sums[keys[i] >> shift & 255] += by_weight ? weight(key_logit(keys[i]), max, 1) : 1;
		int digit = 255;
		for (; digit > 0 && sums[digit] < wanted; digit--)
			wanted -= sums[digit];
		prefix |= (uint64_t)digit << shift;
	}
	return prefix;
}

/* The smallest key that the settings keep. */
static uint64_t least_kept(const struct greta_state *s, const uint64_t *keys, uint32_t count, float max)
{
	uint64_t least = 0;
	if (s->top_k && s->top_k < count)
		least = select_key(keys, count, 0, 0, max, s->top_k);
	if (s->top_p < 1) {
		uint64_t total = 0;
		for (uint32_t i = 0; i < count; i++)
			if (keys[i] >= least)
				total += weight(key_logit(keys[i]), max, 1);
		uint64_t wanted = (uint64_t)((double)s->top_p * (double)total);
		least = select_key(keys, count, least, 1, max, wanted ? wanted : 1);
	}
	if (s->min_p > 0) {
		uint64_t above = UINT64_MAX, best = 0;
		for (uint32_t i = 0; i < count; i++) {
			if (keys[i] >= least && keys[i] < above && greta_expf(key_logit(keys[i]) - max) >= s->min_p)
				above = keys[i];
			best = keys[i] > best ? keys[i] : best;
		}
		least = above < best ? above : best;
	}
	return least;
}

static uint32_t draw(const struct greta_sample_args *a, uint32_t position, float max)
{
	const struct greta_state *s = a->state;
	uint64_t *keys = a->scratch, total = 0, sum = 0;
	for (uint32_t i = 0; i < a->vocab; i++)
		keys[i] = greta_logit_key(greta_bits32(a->logits[i]), i);
	uint64_t least = least_kept(s, keys, a->vocab, max);
	for (uint32_t i = 0; i < a->vocab; i++)
		if (keys[i] >= least)
			total += weight(a->logits[i], max, s->temperature);
	uint64_t r = greta_random_below(greta_random(s->seed, position), total);
	for (uint32_t i = 0; i < a->vocab; i++) {
		if (keys[i] >= least)
			sum += weight(a->logits[i], max, s->temperature);
		if (sum > r)
			return i;
	}
	return 0; /* not reached: the largest logit weighs 2^40 */
}

void GRETA_CPU_NAME(sample)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_sample_args *a = args;
	struct greta_state *s = a->state;
	uint32_t tokens = greta_step_tokens(s, a->chunk), position = s->position + tokens;
	(void)block;
	if (greta_step_samples(s, tokens)) {
		uint64_t best = 0;
		for (uint32_t i = 0; i < a->best_count; i++)
			best = a->best[i] > best ? a->best[i] : best;
		float max = key_logit(best);
		if ((greta_bits32(max) & 0x7fffffff) < 0x7f800000) {
			uint32_t token = s->temperature > 0 ? draw(a, position, max) : ~(uint32_t)best;
			a->tokens[position] = token;
			__atomic_store_n(&a->ring[position], token + 1, __ATOMIC_RELEASE);
		} else if (!s->fault) {
			s->fault = position;
		}
	}
	if (a->advance)
		s->position = position;
}

void GRETA_CPU_NAME(advance)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_advance_args *a = args;
	(void)block;
	a->state->position += greta_step_tokens(a->state, a->chunk);
}
