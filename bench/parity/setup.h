/* What a side of a comparison is: who computes, with which kernels, from which plan, in which steps; written as
 *
 *	WHO[:KERNELS][,WORD]...        cpu:avx2,fuse=none,eager,chunk=1
 *
 * WHO is a provider (auto, cpu, amd, nvidia), a target (gfx942, sm_90, compute_80, ...: the provider that runs it),
 * "ref" (cpu:ref) or "oracle" (fp64). WORDs: fuse=full|none, graph|eager, x32|x24|x16|x8, kv=f16|f32, threads=N (the
 * same on all sides of a provider), plain, and how the text is taken: chunk=N (steps of N tokens), decode (chunk=1),
 * mixed (the first half in steps of up to GRETA_PARITY_MIXED_CHUNK, the rest token by token; the oracle takes all in
 * such steps). */
#ifndef GRETA_BENCH_PARITY_SETUP_H
#define GRETA_BENCH_PARITY_SETUP_H

#include "runtime/greta.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRETA_PARITY_MIXED_CHUNK 32
#define GRETA_PARITY_SETUP_MAX 128

struct greta_hip;

struct greta_parity_setup {
	bool oracle;
	char provider[16];    /* as greta_options.provider */
	char target[16];      /* that the provider's device must take; "": the best for it */
	char kernels[16];     /* as greta_options.kernels; "": the target's own */
	bool fuse_none, eager;
	bool plain;           /* from the plan that greta-exec makes, which keeps nothing but caches and logits */
	unsigned chunk;       /* tokens a step; 0: mixed */
	unsigned activations; /* digits a value, 1 to 4 */
	unsigned threads;     /* 0: the provider's default */
	bool kv_f32;
	greta_progress *progress; /* told of opening and comparing; NULL: nobody */
	void *progress_user;

	/* For tests; NULL otherwise. */
	struct greta_hip *hip; /* loaded; stays the caller's */
	const void *image;     /* kernels in the place of the target's own */
};

/* Fused, as a graph, mixed, x32, f16 caches, on whatever device there is. */
struct greta_parity_setup greta_parity_setup_default(void);

/* Reads a text into *setup, whose words then hold where the text has none. ARGUMENT, naming the word: also for
 * one that speaks of what another has settled. */
enum greta_status greta_parity_setup_read(struct greta_parity_setup *setup, const char *text,
					  struct greta_error *error);

/* Writes it, every word. */
const char *greta_parity_setup_text(const struct greta_parity_setup *setup, char out[GRETA_PARITY_SETUP_MAX]);

/* Must they give the same bits? Otherwise they differ in a setting that changes numbers. */
bool greta_parity_setups_equal_bits(const struct greta_parity_setup *a, const struct greta_parity_setup *b);

/* How many tokens the step at `position` of a text of `count` tokens takes. */
size_t greta_parity_setup_piece(const struct greta_parity_setup *setup, size_t position, size_t count);

#endif
