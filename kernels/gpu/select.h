/* One block picks the best of a row of logits, by count or by weight, without sorting them: a histogram says
 * between which keys the last one picked lies, and what lies there is ranked in shared memory. Sums are of
 * integers, so that any thread may add anything in any order. Every function here is called by the whole block. */
#ifndef GRETA_GPU_SELECT_H
#define GRETA_GPU_SELECT_H

#include "kernels/gpu/target.h"

#include "kernels/abi.h"
#include "kernels/numbers.h"

#define GRETA_SELECT_THREADS 1024
#define GRETA_SELECT_WAVES (GRETA_SELECT_THREADS / GRETA_WAVE)
#define GRETA_SELECT_BINS GRETA_SELECT_THREADS
#define GRETA_SELECT_LISTED 512 /* keys that are compared each with each: two threads a key */
#define GRETA_SELECT_TOGETHER 8 /* vectors of four that a thread loads before it looks: all of 32,000 logits */

#define GRETA_KEY_LEAST 0x007fffff00000000ull /* no number's key is below: -infinity's, beyond all tokens */

struct greta_selector {
	uint64_t work[GRETA_SELECT_WAVES];
	uint64_t bins[GRETA_SELECT_BINS];
	uint64_t keys[GRETA_SELECT_LISTED], weights[GRETA_SELECT_LISTED]; /* the list, in no order */
	uint64_t found, rest;
	uint32_t listed; /* keys that were to be listed, perhaps more than there is room for */
	uint32_t bin;
};

GRETA_DEVICE float greta_key_logit(uint64_t key)
{
	uint32_t ordered = (uint32_t)(key >> 32);
	return greta_float(ordered & 0x80000000u ? ordered & 0x7fffffffu : ~ordered);
}

GRETA_DEVICE uint64_t greta_weight_of(float logit, float max, float temperature)
{
	return (uint64_t)(greta_expf((logit - max) / temperature) * 0x1p40f);
}

/* The maximum or the sum of every lane's v, for every lane. */
GRETA_DEVICE uint64_t greta_wave_reduce(uint64_t v, int sum)
{
	for (uint32_t mask = GRETA_WAVE / 2; mask >= 1; mask /= 2) {
		uint64_t other = greta_shuffle_xor(v, mask);
		v = sum ? v + other : other > v ? other : v;
	}
	return v;
}

/* The same for every thread. Ends with a barrier, and begins with one but for `work`. */
GRETA_DEVICE uint64_t greta_block_reduce(uint64_t v, int sum, uint64_t *work)
{
	v = greta_wave_reduce(v, sum);
	if (greta_lane() == 0)
		work[greta_thread() / GRETA_WAVE] = v;
	greta_barrier();
	v = greta_lane() < GRETA_SELECT_WAVES ? work[greta_lane()] : 0;
	greta_barrier();
	return greta_wave_reduce(v, sum);
}

/* The sum of v over the lanes up to this one. */
GRETA_DEVICE uint64_t greta_wave_scan(uint64_t v)
{
	for (uint32_t distance = 1; distance < GRETA_WAVE; distance *= 2) {
		uint64_t other = greta_shuffle(v, (greta_lane() - distance) & (GRETA_WAVE - 1));
		v += greta_lane() >= distance ? other : 0;
	}
	return v;
}

/* The sum of v over the threads before this one; and over all. Barriers as above. */
GRETA_DEVICE uint64_t greta_block_scan(uint64_t v, uint64_t *work, uint64_t *out_total)
{
	uint32_t wave = greta_thread() / GRETA_WAVE;
	uint64_t sum = greta_wave_scan(v);
	if (greta_lane() == GRETA_WAVE - 1)
		work[wave] = sum;
	greta_barrier();
	uint64_t waves = greta_wave_scan(greta_lane() < GRETA_SELECT_WAVES ? work[greta_lane()] : 0);
	greta_barrier();
	uint64_t before = greta_shuffle(waves, (wave - 1) & (GRETA_WAVE - 1));
	*out_total = greta_shuffle(waves, GRETA_WAVE - 1);
	return sum - v + (wave ? before : 0);
}

/* visit(key) of every logit at or above `floor`, by any thread. One load waits for all of a thread's; what passes,
 * which may be little, is read again. */
template <class VISIT>
GRETA_DEVICE void greta_each_key(const float *logits, uint32_t vocab, float floor, VISIT visit)
{
	uint32_t fours = vocab / 4;
	for (uint32_t first = greta_thread(); first < fours; first += GRETA_SELECT_TOGETHER * GRETA_SELECT_THREADS) {
		struct greta_vector4 v[GRETA_SELECT_TOGETHER];
		for (uint32_t j = 0; j < GRETA_SELECT_TOGETHER; j++) {
			const float *four = logits + 4 * (size_t)first + j * 4 * GRETA_SELECT_THREADS;
			v[j] = {{GRETA_NAN_BITS, GRETA_NAN_BITS, GRETA_NAN_BITS, GRETA_NAN_BITS}};
			if (first + j * GRETA_SELECT_THREADS < fours)
				v[j] = greta_fetch4(four);
		}
		uint32_t passed = 0;
		for (uint32_t j = 0; j < GRETA_SELECT_TOGETHER; j++)
			for (uint32_t i = 0; i < 4; i++)
				passed |= (uint32_t)(greta_float(v[j].w[i]) >= floor) << (4 * j + i);
		for (; passed; passed &= passed - 1) {
			uint32_t at = greta_lowest_bit(passed);
			uint32_t index = 4 * (first + at / 4 * GRETA_SELECT_THREADS) + at % 4;
			visit(greta_logit_key(greta_bits32(logits[index]), index));
		}
	}
	uint32_t index = 4 * fours + greta_thread();
	if (index < vocab && logits[index] >= floor)
		visit(greta_logit_key(greta_bits32(logits[index]), index));
}

GRETA_DEVICE void greta_list_key(uint64_t key, struct greta_selector &s)
{
	uint32_t at = greta_shared_add(&s.listed, 1);
	if (at < GRETA_SELECT_LISTED)
		s.keys[at] = key;
}

/* Lists the keys at or above `least`; how many there are, and listed is the list if there was room for all of
 * them. The old list is no longer read, as of a barrier. */
GRETA_DEVICE uint32_t greta_list(const float *logits, uint32_t vocab, uint64_t least, struct greta_selector &s)
{
	if (greta_thread() == 0)
		s.listed = 0;
	greta_barrier();
	greta_each_key(logits, vocab, greta_key_logit(least), [&](uint64_t key) {
		if (key >= least)
			greta_list_key(key, s);
	});
	greta_barrier();
	return s.listed;
}

/* Neighbouring threads that have a key of the list together, as many as there are threads for. */
struct greta_team {
	uint32_t size, key; /* key: which of the list, perhaps beyond it */

	GRETA_MEMBER explicit greta_team(uint32_t listed) : size(32)
	{
		while (size * listed > GRETA_SELECT_THREADS)
			size /= 2;
		key = greta_thread() / size;
	}
	GRETA_MEMBER bool leads() const { return greta_thread() % size == 0; }
	/* The sum of measure(j) over the list, for each of the team. */
	template <class MEASURE> GRETA_MEMBER uint64_t sum(uint32_t listed, MEASURE measure) const
	{
		uint64_t sum = 0;
		for (uint32_t j = greta_thread() % size; j < listed; j += size)
			sum += measure(j);
		for (uint32_t mask = size / 2; mask >= 1; mask /= 2)
			sum += greta_shuffle_xor(sum, mask);
		return sum;
	}
};

/* Bins of a range of keys, the first bin's being the best: as many as there are threads, evenly over the logits down
 * to 32 below the best (the last has what is left; e^-32 weighs nothing), or evenly over the keys' bits. */
struct greta_bins {
	uint64_t lowest, highest;
	float from, scale; /* scale 0: by bits */
	int shift;

	GRETA_MEMBER greta_bins(uint64_t lowest, uint64_t highest, int by_logit)
	    : lowest(lowest), highest(highest), from(greta_key_logit(highest)), scale(0), shift(0)
	{
		float spread = from - greta_key_logit(lowest);
		if (by_logit && spread > 0x1p-100f)
			scale = GRETA_SELECT_BINS / (spread < 32 ? spread : 32);
		while ((highest - lowest) >> shift >= GRETA_SELECT_BINS)
			shift++;
	}
	GRETA_MEMBER bool have(uint64_t key) const { return key >= lowest && key <= highest; }
	GRETA_MEMBER uint32_t of(uint64_t key) const
	{
		if (scale == 0)
			return (uint32_t)((highest - key) >> shift);
		float bin = (from - greta_key_logit(key)) * scale; /* each step rounds, and keeps the order */
		return bin < GRETA_SELECT_BINS - 1 ? (uint32_t)bin : GRETA_SELECT_BINS - 1;
	}
};

/* The key, from `best` down to `least`, at which the running sum of measures reaches what is wanted. Without
 * top_k: a key's measure is its weight at temperature 1, and the share top_p of the sum is wanted; else it is
 * 1, and top_k are wanted. 3 or more passes over the logits, 2 for each time that a bin holds more than can be
 * listed: those of the next are of its range alone, by bits, so that a bin is at least 512 times narrower than
 * the last. */
GRETA_DEVICE uint64_t greta_select(const float *logits, uint32_t vocab, uint64_t least, uint64_t best, uint32_t top_k,
                                   float top_p, struct greta_selector &s)
{
	float max = greta_key_logit(best);
	uint64_t lowest = ~0ull, highest = best, wanted = top_k;
	greta_each_key(logits, vocab, greta_key_logit(least), [&](uint64_t key) {
		lowest = key >= least && key < lowest ? key : lowest;
	});
	lowest = ~greta_block_reduce(~lowest, 0, s.work);
	uint32_t listed;
	for (int level = 0;; level++) {
		struct greta_bins bins(lowest, highest, level == 0);
		float floor = greta_key_logit(lowest);
		uint64_t total;
		s.bins[greta_thread()] = 0;
		greta_barrier();
		greta_each_key(logits, vocab, floor, [&](uint64_t key) {
			if (bins.have(key))
				greta_shared_add(&s.bins[bins.of(key)], top_k ? 1 : greta_weight_of(greta_key_logit(key), max, 1));
		});
		greta_barrier();
		uint64_t mine = s.bins[greta_thread()], before = greta_block_scan(mine, s.work, &total);
		if (!top_k && level == 0) {
			wanted = (uint64_t)((double)top_p * (double)total);
			wanted = wanted ? wanted : 1;
		}
		if (before < wanted && wanted <= before + mine) {
			s.bin = greta_thread();
			s.rest = wanted - before;
			s.listed = 0;
		}
		greta_barrier();
		uint64_t low = ~0ull, high = 0;
		wanted = s.rest;
		greta_each_key(logits, vocab, floor, [&](uint64_t key) {
			if (bins.have(key) && bins.of(key) == s.bin) {
				greta_list_key(key, s);
				low = key < low ? key : low;
				high = key > high ? key : high;
			}
		});
		greta_barrier();
		listed = s.listed;
		if (listed <= GRETA_SELECT_LISTED)
			break;
		highest = greta_block_reduce(high, 0, s.work);
		lowest = ~greta_block_reduce(~low, 0, s.work);
	}
	struct greta_team team(listed);
	uint64_t key = 0, mine = 0;
	if (team.key < listed) {
		key = s.keys[team.key];
		mine = top_k ? 1 : greta_weight_of(greta_key_logit(key), max, 1);
		if (team.leads())
			s.weights[team.key] = mine;
	}
	greta_barrier();
	uint64_t before = team.sum(listed, [&](uint32_t j) { return s.keys[j] > key ? s.weights[j] : 0; });
	if (before < wanted && wanted <= before + mine && team.leads())
		s.found = key;
	greta_barrier();
	return s.found;
}

#endif
