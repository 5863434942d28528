/* The sampler's random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2,
 * 3", 2011), a function of (seed, counter) and nothing else, so that a token's draw depends on the seed and its
 * position only. */
#ifndef GRETA_RANDOM_H
#define GRETA_RANDOM_H

#ifndef GRETA_FN
#include <stdint.h>
#define GRETA_FN static inline __attribute__((always_inline, unused))
#endif

/* 64 random bits: words 0 and 1 of Philox at counter {counter, 0, 0, 0}, key {low, high half of seed}. */
GRETA_FN uint64_t greta_random(uint64_t seed, uint32_t counter)
{
	uint32_t c0 = counter, c1 = 0, c2 = 0, c3 = 0;
	uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
	for (int round = 0; round < 10; round++) {
		uint64_t p0 = (uint64_t)0xd2511f53u * c0;
		uint64_t p1 = (uint64_t)0xcd9e8d57u * c2;
		uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
		uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
		c1 = (uint32_t)p1;
		c3 = (uint32_t)p0;
		c0 = n0;
		c2 = n2;
		k0 += 0x9e3779b9u;
		k1 += 0xbb67ae85u;
	}
	return (uint64_t)c1 << 32 | c0;
}

/* A number in [0, bound) from 64 random bits: the high half of the 128-bit product. */
GRETA_FN uint64_t greta_random_below(uint64_t bits, uint64_t bound)
{
	uint64_t a = bits >> 32, b = bits & 0xffffffffu, c = bound >> 32, d = bound & 0xffffffffu;
	uint64_t middle = a * d + (b * d >> 32);
	uint64_t other = b * c + (middle & 0xffffffffu);
	return a * c + (middle >> 32) + (other >> 32);
}

#endif
