/* From logits to the next token: argmax, sample, advance.
 *
 * Sampling is integer arithmetic, so that its result does not depend on the order of sums. With l the logits and L
 * their maximum, a token's weight is w = floor(2^40 e^(l - L)). Tokens are ranked by greta_logit_key. Kept are, in this
 * order: the first top_k; of these the shortest ranked prefix whose weights reach floor(top_p * their sum); of these
 * the tokens with e^(l - L) >= min_p. Then a weight is floor(2^40 e^((l - L) / temperature)), and with r drawn below
 * the kept weights' sum the token is the first, by index, at which their running sum exceeds r. */
#include "kernels/numbers.h"
#include "kernels/random.h"
#include "kernels/ref/kernels.h"

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* The logit behind a key. */
static float key_logit(uint64_t key)
{
	uint32_t ordered = (uint32_t)(key >> 32);
	return greta_float(ordered & 0x80000000u ? ordered & 0x7fffffffu : ~ordered);
}

static uint64_t weight(float logit, float max, float temperature)
{
	return (uint64_t)(greta_expf((logit - max) / temperature) * 0x1p40f);
}

void greta_ref_argmax(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_argmax_args *a = args;
	(void)block;
	if (!greta_step_samples(a->state, greta_step_tokens(a->state, a->chunk)))
		return;
	uint64_t best = 0;
	for (uint32_t i = 0; i < a->vocab; i++)
		best = larger(best, greta_logit_key(greta_bits32(a->logits[i]), i));
	a->best[0] = best;
}

/* Ranks the keys, largest first. Heap sort: no allocation, and no worst case. */
static void sift(uint64_t *keys, size_t root, size_t count)
{
	for (size_t child; (child = 2 * root + 1) < count; root = child) {
		child += child + 1 < count && keys[child + 1] < keys[child];
		if (keys[root] <= keys[child])
			return;
		uint64_t swap = keys[root];
		keys[root] = keys[child];
		keys[child] = swap;
	}
}

static void rank(uint64_t *keys, size_t count)
{
	for (size_t i = count / 2; i-- > 0;)
		sift(keys, i, count);
	for (size_t end = count; end-- > 1;) {
		uint64_t swap = keys[0];
		keys[0] = keys[end];
		keys[end] = swap;
		sift(keys, 0, end);
	}
}

/* How many of the ranked keys the settings keep; at least 1. */
static uint32_t kept(const struct greta_state *s, const uint64_t *keys, uint32_t count, float max)
{
	if (s->top_k && s->top_k < count)
		count = s->top_k;
	if (s->top_p < 1) {
		uint64_t total = 0, sum = 0;
		for (uint32_t i = 0; i < count; i++)
			total += weight(key_logit(keys[i]), max, 1);
		uint64_t wanted = (uint64_t)((double)s->top_p * (double)total);
		for (uint32_t i = 0; i < count; i++) {
			sum += weight(key_logit(keys[i]), max, 1);
			if (sum >= wanted)
				count = i + 1;
		}
	}
	while (count > 1 && greta_expf(key_logit(keys[count - 1]) - max) < s->min_p)
		count--;
	return count;
}

static uint32_t draw(const struct greta_sample_args *a, uint32_t position, float max)
{
	const struct greta_state *s = a->state;
	for (uint32_t i = 0; i < a->vocab; i++)
		a->scratch[i] = greta_logit_key(greta_bits32(a->logits[i]), i);
	rank(a->scratch, a->vocab);
	uint64_t last = a->scratch[kept(s, a->scratch, a->vocab, max) - 1];

	uint64_t total = 0, sum = 0;
	for (uint32_t i = 0; i < a->vocab; i++)
		if (greta_logit_key(greta_bits32(a->logits[i]), i) >= last)
			total += weight(a->logits[i], max, s->temperature);
	uint64_t r = greta_random_below(greta_random(s->seed, position), total);
	for (uint32_t i = 0; i < a->vocab; i++) {
		if (greta_logit_key(greta_bits32(a->logits[i]), i) >= last)
			sum += weight(a->logits[i], max, s->temperature);
		if (sum > r)
			return i;
	}
	return 0; /* not reached: the largest logit weighs 2^40 */
}

void greta_ref_sample(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_sample_args *a = args;
	struct greta_state *s = a->state;
	uint32_t tokens = greta_step_tokens(s, a->chunk), position = s->position + tokens;
	(void)block;
	if (greta_step_samples(s, tokens)) {
		uint64_t best = 0;
		for (uint32_t i = 0; i < a->best_count; i++)
			best = larger(best, a->best[i]);
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

void greta_ref_advance(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_advance_args *a = args;
	(void)block;
	a->state->position += greta_step_tokens(a->state, a->chunk);
}
