/* argmax, sample, advance: one block. Sampling reads the logits a few times (128 KB at a vocabulary of 32,000) and
 * keeps their keys in scratch. Sums are of integers, so any thread may add anything. */
#include "kernels/gpu/target.h"

#include "kernels/abi.h"
#include "kernels/numbers.h"
#include "kernels/random.h"

#define GRETA_SAMPLE_THREADS 1024

/* The maximum or the sum of every thread's v, for every thread. `work`: shared memory, one a wave. Begins and ends
 * with barriers. */
GRETA_DEVICE uint64_t greta_block_reduce(uint64_t v, int sum, uint64_t *work)
{
	for (uint32_t mask = GRETA_WAVE / 2; mask >= 1; mask /= 2) {
		uint64_t other = greta_shuffle_xor(v, mask);
		v = sum ? v + other : other > v ? other : v;
	}
	greta_barrier();
	if (greta_lane() == 0)
		work[greta_thread() / GRETA_WAVE] = v;
	greta_barrier();
	v = 0;
	for (uint32_t w = 0; w < greta_threads() / GRETA_WAVE; w++)
		v = sum ? v + work[w] : work[w] > v ? work[w] : v;
	greta_barrier();
	return v;
}

GRETA_DEVICE float greta_key_logit(uint64_t key)
{
	uint32_t ordered = (uint32_t)(key >> 32);
	return greta_float(ordered & 0x80000000u ? ordered & 0x7fffffffu : ~ordered);
}

GRETA_DEVICE uint64_t greta_weight_of(float logit, float max, float temperature)
{
	return (uint64_t)(greta_expf((logit - max) / temperature) * 0x1p40f);
}

struct greta_sampler {
	uint64_t work[GRETA_SAMPLE_THREADS / 32];
	uint64_t sums[256];
	uint64_t prefix, wanted;
};

/* The key, from the largest down over those at or above `least`, at which the running sum of measures reaches
 * `wanted`: radix selection, a byte at a time. A key's measure is 1, or its weight at temperature 1. */
GRETA_DEVICE uint64_t greta_select_key(const uint64_t *keys, uint32_t count, uint64_t least, int by_weight, float max,
                                       uint64_t wanted, struct greta_sampler &s)
{
	if (greta_thread() == 0) {
		s.prefix = 0;
		s.wanted = wanted;
	}
	for (int shift = 56; shift >= 0; shift -= 8) {
		for (uint32_t i = greta_thread(); i < 256; i += greta_threads())
			s.sums[i] = 0;
		greta_barrier();
		uint64_t prefix = s.prefix;
		for (uint32_t i = greta_thread(); i < count; i += greta_threads())
			if (keys[i] >= least && (shift == 56 || (keys[i] ^ prefix) >> (shift + 8) == 0))
				greta_shared_add(&s.sums[keys[i] >> shift & 255],
				                 by_weight ? greta_weight_of(greta_key_logit(keys[i]), max, 1) : 1);
		greta_barrier();
		if (greta_thread() == 0) {
			int digit = 255;
			for (; digit > 0 && s.sums[digit] < s.wanted; digit--)
				s.wanted -= s.sums[digit];
			s.prefix |= (uint64_t)digit << shift;
		}
		greta_barrier();
	}
	uint64_t key = s.prefix;
	greta_barrier();
	return key;
}

/* The smallest key that the settings keep. */
GRETA_DEVICE uint64_t greta_least_kept(const struct greta_state *state, const uint64_t *keys, uint32_t count,
                                       uint64_t best, float max, struct greta_sampler &s)
{
	uint64_t least = 0;
	if (state->top_k && state->top_k < count)
		least = greta_select_key(keys, count, 0, 0, max, state->top_k, s);
	if (state->top_p < 1) {
		uint64_t total = 0;
		for (uint32_t i = greta_thread(); i < count; i += greta_threads())
			if (keys[i] >= least)
				total += greta_weight_of(greta_key_logit(keys[i]), max, 1);
		total = greta_block_reduce(total, 1, s.work);
		uint64_t wanted = (uint64_t)((double)state->top_p * (double)total);
		least = greta_select_key(keys, count, least, 1, max, wanted ? wanted : 1, s);
	}
	if (state->min_p > 0) {
		/* the complement, so that the smallest is a maximum */
		uint64_t above = 0;
		for (uint32_t i = greta_thread(); i < count; i += greta_threads())
			if (keys[i] >= least && ~keys[i] > above &&
			    greta_expf(greta_key_logit(keys[i]) - max) >= state->min_p)
				above = ~keys[i];
		above = ~greta_block_reduce(above, 0, s.work);
		least = above < best ? above : best;
	}
	return least;
}

/* Every thread has a run of tokens by index; the one in whose run the running sum of weights exceeds r finds the
 * token. */
GRETA_DEVICE uint32_t greta_draw(const struct greta_sample_args &a, uint32_t position, uint64_t best, float max,
                                 struct greta_sampler &s)
{
	GRETA_SHARED uint64_t starts[GRETA_SAMPLE_THREADS];
	GRETA_SHARED uint32_t token;
	const struct greta_state *state = a.state;
	float temperature = state->temperature;
	for (uint32_t i = greta_thread(); i < a.vocab; i += greta_threads())
		a.scratch[i] = greta_logit_key(greta_bits32(a.logits[i]), i);
	greta_barrier();
	uint64_t least = greta_least_kept(state, a.scratch, a.vocab, best, max, s);
	uint32_t run = (a.vocab + greta_threads() - 1) / greta_threads();
	uint32_t first = greta_min(greta_thread() * run, a.vocab), end = greta_min(first + run, a.vocab);
	uint64_t mine = 0;
	for (uint32_t i = first; i < end; i++)
		if (a.scratch[i] >= least)
			mine += greta_weight_of(a.logits[i], max, temperature);
	uint64_t total = greta_block_reduce(mine, 1, s.work);
	starts[greta_thread()] = mine;
	greta_barrier();
	if (greta_thread() == 0) {
		uint64_t sum = 0;
		for (uint32_t i = 0; i < greta_threads(); i++) {
			uint64_t here = starts[i];
			starts[i] = sum;
			sum += here;
		}
		token = 0;
	}
	greta_barrier();
	uint64_t r = greta_random_below(greta_random(state->seed, position), total), sum = starts[greta_thread()];
	if (sum <= r && r < sum + mine)
		for (uint32_t i = first; i < end; i++) {
			if (a.scratch[i] >= least)
				sum += greta_weight_of(a.logits[i], max, temperature);
			if (sum > r) {
				token = i;
				break;
			}
		}
	greta_barrier();
	return token;
}

GRETA_GPU_KERNEL(argmax, GRETA_SAMPLE_THREADS)
{
	GRETA_SHARED uint64_t work[GRETA_SAMPLE_THREADS / 32];
	uint64_t best = 0;
	greta_next_may_start();
	greta_wait_for_previous();
	if (!greta_step_samples(a.state, greta_step_tokens(a.state, a.chunk)))
		return;
	for (uint32_t i = greta_thread(); i < a.vocab; i += greta_threads()) {
		uint64_t key = greta_logit_key(greta_bits32(a.logits[i]), i);
		best = key > best ? key : best;
	}
	best = greta_block_reduce(best, 0, work);
	if (greta_thread() == 0)
		a.best[0] = best;
}

/* This and advance end a step, so they let no launch of the next start early: what a kernel reads before
 * greta_wait_for_previous, of the state and of what earlier steps wrote, stays as it is. */
GRETA_GPU_KERNEL(sample, GRETA_SAMPLE_THREADS)
{
	GRETA_SHARED struct greta_sampler s;
	greta_wait_for_previous();
	struct greta_state *state = a.state;
	uint32_t tokens = greta_step_tokens(state, a.chunk), position = state->position + tokens;
	if (greta_step_samples(state, tokens)) {
		uint64_t best = 0;
		for (uint32_t i = greta_thread(); i < a.best_count; i += greta_threads())
			best = a.best[i] > best ? a.best[i] : best;
		best = greta_block_reduce(best, 0, s.work);
		float max = greta_key_logit(best);
		if ((greta_bits32(max) & 0x7fffffff) < 0x7f800000) {
			uint32_t token =
			    state->temperature > 0 ? greta_draw(a, position, best, max, s) : ~(uint32_t)best;
			if (greta_thread() == 0) {
				a.tokens[position] = token;
				greta_store_system(&a.ring[position], token + 1);
			}
		} else if (greta_thread() == 0 && !state->fault) {
			state->fault = position;
		}
	}
	greta_barrier();
	if (a.advance && greta_thread() == 0)
		state->position = position;
}

GRETA_GPU_KERNEL(advance, 64)
{
	greta_wait_for_previous();
	if (greta_thread() == 0)
		a.state->position += greta_step_tokens(a.state, a.chunk);
}
