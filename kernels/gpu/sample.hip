/* argmax, sample, advance: one block. With the usual settings, a few hundred bytes of bests bound what top-k may
 * keep, one pass over the logits (128 KB at a vocabulary of 32,000) lists what reaches the bound, and all else
 * is done on the list, in shared memory. With others, or where the list is too short: select.h, a few passes
 * for each of top-k and top-p. */
#include "kernels/gpu/target.h"

#include "kernels/abi.h"
#include "kernels/gpu/select.h"
#include "kernels/numbers.h"
#include "kernels/random.h"

/* What a draw is about; in shared memory, which spares registers. */
struct greta_lot {
	const float *logits;
	uint32_t vocab, top_k; /* top_k 0: all */
	float top_p, min_p, temperature;
	uint32_t position; /* of the token */
	uint64_t random, best;
};

/* A key that at least top_k keys reach: the top_k-th of the blocks' bests, which the list holds; if they are too
 * few, one that all keys reach. */
GRETA_DEVICE uint64_t greta_bests_bound(uint32_t bests, uint32_t top_k, struct greta_selector &s)
{
	bests = greta_min(bests, GRETA_SELECT_LISTED);
	if (top_k == 0 || top_k > bests)
		return GRETA_KEY_LEAST;
	struct greta_team team(bests);
	uint64_t key = team.key < bests ? s.keys[team.key] : 0;
	uint64_t rank = team.sum(bests, [&](uint32_t j) { return (uint64_t)(s.keys[j] > key); });
	if (rank == top_k - 1 && team.leads())
		s.found = key;
	greta_barrier();
	return s.found;
}

/* The draw from the list, which holds what top-k keeps, and perhaps more. */
GRETA_DEVICE uint32_t greta_draw_listed(const struct greta_lot &lot, uint32_t listed, struct greta_selector &s)
{
	float max = greta_key_logit(lot.best), logit = max;
	struct greta_team team(listed);
	bool kept = team.key < listed;
	uint64_t key = 0, weight = 0;
	if (kept) {
		key = s.keys[team.key];
		logit = greta_key_logit(key);
		weight = greta_weight_of(logit, max, 1);
		if (team.leads())
			s.weights[team.key] = weight;
	}
	greta_barrier();
	uint64_t rank = team.sum(listed, [&](uint32_t j) { return (uint64_t)(s.keys[j] > key); });
	kept = kept && (!lot.top_k || rank < lot.top_k);
	if (lot.top_p < 1) {
		uint64_t better = team.sum(listed, [&](uint32_t j) { return s.keys[j] > key ? s.weights[j] : 0; });
		uint64_t total = greta_block_reduce(kept && team.leads() ? weight : 0, 1, s.work);
		uint64_t wanted = (uint64_t)((double)lot.top_p * (double)total);
		kept = kept && better < (wanted ? wanted : 1);
	}
	if (lot.min_p > 0) {
		uint64_t worst = greta_block_reduce(kept && greta_expf(logit - max) >= lot.min_p ? rank : 0, 0, s.work);
		kept = kept && rank <= worst;
	}
	weight = kept ? greta_weight_of(logit, max, lot.temperature) : 0;
	greta_barrier();
	if (team.key < listed && team.leads())
		s.weights[team.key] = weight;
	greta_barrier();
	uint64_t total = team.sum(listed, [&](uint32_t j) { return s.weights[j]; });
	uint64_t before = team.sum(listed, [&](uint32_t j) {
		return (uint32_t)s.keys[j] > (uint32_t)key ? s.weights[j] : 0; /* of a lower index */
	});
	uint64_t r = greta_random_below(lot.random, total);
	if (before <= r && r < before + weight && team.leads())
		s.found = ~(uint32_t)key;
	greta_barrier();
	return (uint32_t)s.found;
}

/* The worst key that min-p leaves of those at or above `least`. */
GRETA_DEVICE uint64_t greta_least_likely(const struct greta_lot &lot, uint64_t least, struct greta_selector &s)
{
	float max = greta_key_logit(lot.best);
	uint64_t above = ~lot.best; /* complements, so that the smallest is a maximum */
	greta_each_key(lot.logits, lot.vocab, greta_key_logit(least), [&](uint64_t key) {
		if (key >= least && ~key > above && greta_expf(greta_key_logit(key) - max) >= lot.min_p)
			above = ~key;
	});
	return ~greta_block_reduce(above, 0, s.work);
}

/* The token at which the running sum of the weights of the keys at or above `least` exceeds r. First a wave has a
 * run of tokens, then, of the run in which that happens, a thread. */
GRETA_DEVICE uint32_t greta_draw_among(const struct greta_lot &lot, uint64_t least, struct greta_selector &s)
{
	float max = greta_key_logit(lot.best);
	auto weight = [&](uint32_t i) {
		float logit = lot.logits[i];
		return greta_logit_key(greta_bits32(logit), i) >= least ? greta_weight_of(logit, max, lot.temperature) : 0;
	};
	uint32_t run = (lot.vocab + GRETA_SELECT_WAVES - 1) / GRETA_SELECT_WAVES, wave = greta_thread() / GRETA_WAVE;
	uint32_t end = greta_min((wave + 1) * run, lot.vocab);
	uint64_t mine = 0, total, of_run;
	for (uint32_t i = wave * run + greta_lane(); i < end; i += GRETA_WAVE)
		mine += weight(i);
	uint64_t before = greta_block_scan(mine, s.work, &total), r = greta_random_below(lot.random, total);
	if (before <= r && r < before + mine)
		s.bin = wave;
	if (greta_lane() == 0)
		s.bins[wave] = before;
	greta_barrier();
	uint32_t first = s.bin * run, share = (run + GRETA_SELECT_THREADS - 1) / GRETA_SELECT_THREADS;
	end = greta_min(first + run, lot.vocab);
	first = greta_min(first + greta_thread() * share, end);
	end = greta_min(first + share, end);
	uint64_t sum = s.bins[s.bin];
	mine = 0;
	for (uint32_t i = first; i < end; i++)
		mine += weight(i);
	sum += greta_block_scan(mine, s.work, &of_run);
	if (sum <= r && r < sum + mine)
		for (uint32_t i = first; sum <= r; i++) {
			sum += weight(i);
			s.found = i;
		}
	greta_barrier();
	return (uint32_t)s.found;
}

/* Bounds what is kept from below, ever closer, until it can be listed or nothing is left to bound it. */
GRETA_DEVICE uint32_t greta_draw(const struct greta_lot &lot, uint32_t bests, struct greta_selector &s)
{
	uint32_t top_k = lot.top_k;
	uint64_t least = greta_bests_bound(bests, top_k, s);
	bool few = least > GRETA_KEY_LEAST || lot.vocab <= GRETA_SELECT_LISTED;
	for (bool more = true; more; top_k = 0) {
		if (few) {
			uint32_t listed = greta_list(lot.logits, lot.vocab, least, s);
			if (listed <= GRETA_SELECT_LISTED)
				return greta_draw_listed(lot, listed, s);
		}
		if (top_k || lot.top_p < 1)
			least = greta_select(lot.logits, lot.vocab, least, lot.best, top_k, lot.top_p, s);
		few = top_k && top_k <= GRETA_SELECT_LISTED;
		more = top_k;
	}
	if (lot.min_p > 0)
		least = greta_least_likely(lot, least, s);
	return greta_draw_among(lot, least, s);
}

GRETA_GPU_KERNEL(argmax, GRETA_SELECT_THREADS)
{
	GRETA_SHARED uint64_t work[GRETA_SELECT_WAVES];
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
GRETA_GPU_KERNEL(sample, GRETA_SELECT_THREADS)
{
	GRETA_SHARED struct greta_selector s;
	GRETA_SHARED struct greta_lot lot;
	greta_wait_for_previous();
	struct greta_state *state = a.state;
	uint32_t tokens = greta_step_tokens(state, a.chunk);
	bool samples = greta_step_samples(state, tokens);
	uint64_t best = 0; /* of no meaning where the step does not sample, but loaded while that is not known */
#pragma unroll 1 /* seldom more than one */
	for (uint32_t i = greta_thread(); i < a.best_count; i += GRETA_SELECT_THREADS) {
		uint64_t key = a.best[i];
		best = key > best ? key : best;
		if (i < GRETA_SELECT_LISTED)
			s.keys[i] = key;
	}
	if (greta_thread() == GRETA_SELECT_THREADS - 1) { /* which has the fewest bests */
		lot.logits = a.logits;
		lot.vocab = a.vocab;
		lot.top_k = state->top_k < a.vocab ? state->top_k : 0;
		lot.top_p = state->top_p;
		lot.min_p = state->min_p;
		lot.temperature = state->temperature;
		lot.position = state->position + tokens;
	}
	best = greta_block_reduce(best, 0, s.work);
	if (samples) {
		float max = greta_key_logit(best);
		if ((greta_bits32(max) & 0x7fffffff) < 0x7f800000) {
			uint32_t token = ~(uint32_t)best;
			if (lot.temperature > 0) {
				if (greta_thread() == 0) {
					lot.best = best;
					lot.random = greta_random(state->seed, lot.position);
				}
				greta_barrier();
				token = greta_draw(lot, a.best_count, s);
			}
			if (greta_thread() == 0) {
				a.tokens[lot.position] = token;
				greta_store_system(&a.ring[lot.position], token + 1);
			}
		} else if (greta_thread() == 0 && !state->fault) {
			state->fault = lot.position;
		}
	}
	greta_barrier();
	if (a.advance && greta_thread() == 0)
		state->position = lot.position;
}

GRETA_GPU_KERNEL(advance, 64)
{
	greta_wait_for_previous();
	if (greta_thread() == 0)
		a.state->position += greta_step_tokens(a.state, a.chunk);
}
