/* Writes synthetic models: GGUF files with the shapes of well-known Llama models and random weights. They say
 * nothing sensible, but load, plan, run and benchmark as the real ones do: same tensors, same types, same bytes;
 * activations stay finite and of order 1 through all layers. The same options give the same bytes on every machine. */
#ifndef GRETA_SYNTH_H
#define GRETA_SYNTH_H

#include "models/error.h"

#include <stdbool.h>
#include <stdint.h>

struct greta_synth_shape {
	char name[96]; /* becomes general.name */
	uint32_t n_layer;
	uint32_t n_embd;
	uint32_t n_head;
	uint32_t n_head_kv;
	uint32_t n_ff;
	uint32_t n_vocab;
	uint32_t context;
	float rope_base;
	bool tied_embeddings; /* no output.weight */
	bool rope_freqs;      /* with a rope_freqs.weight like Llama 3.1's */
};

/* The known shapes' names, separated by spaces. */
const char *greta_synth_shape_names(void);

/* A known name ("llama-2-7b"), or a list "embd=512,layers=2,heads=8,kv=2,ffn=1024,vocab=512,ctx=512" (these are the
 * values of what is not given), in which rope=BASE, tied=1 and freqs=1 may stand too. GRETA_ERROR_ARGUMENT for what
 * it cannot read and for shapes that models/llama.h refuses. */
enum greta_status greta_synth_parse_shape(const char *text, struct greta_synth_shape *out_shape,
					  struct greta_error *error);

/* Called now and then with bytes written and bytes in all; returning false stops the writer. */
typedef bool greta_synth_progress(void *user, uint64_t done, uint64_t total);

struct greta_synth_options {
	struct greta_synth_shape shape;
	const char *mix;                /* "Q4_K_M": types per tensor as llama.cpp's quantiser chooses them; else
					 * a type of models/types.h by name, for all matrices */
	uint64_t seed;
	greta_synth_progress *progress; /* NULL: none */
	void *user;
};

/* Size of the file that greta_synth_write would write. GRETA_ERROR_ARGUMENT for an unknown mix, GRETA_ERROR_MEMORY. */
enum greta_status greta_synth_size(const struct greta_synth_options *options, uint64_t *out_bytes,
				   struct greta_error *error);

/* Writes the model beside `path` and moves it there when it is whole; on failure nothing is left. Needs a few
 * megabytes of memory, whatever the model's size. GRETA_ERROR_ARGUMENT also when stopped by `progress`;
 * GRETA_ERROR_IO, GRETA_ERROR_MEMORY. */
enum greta_status greta_synth_write(const struct greta_synth_options *options, const char *path,
				    struct greta_error *error);

#endif
